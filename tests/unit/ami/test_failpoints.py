"""Failpoints: passed by everybody, felt by nobody who has not armed one."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ami import failpoints


@pytest.fixture(autouse=True)
def nobody_dies() -> Iterator[None]:
    yield
    failpoints.disarm()


def pass_by(place: str) -> None:
    """As the places in the code do."""
    if failpoints.passed is not None:
        failpoints.passed(place, ["a request", 4])


def test_nobody_dies_unless_armed() -> None:
    assert failpoints.passed is None


def test_one_dies_at_the_place_the_third_time_and_once() -> None:
    died: list[str] = []
    failpoints.arm("outbox.written", 3, lambda: died.append("here"))
    for place in ("outbox.written", "engine.sent", "outbox.written", "engine.sent"):
        pass_by(place)
    assert not died
    pass_by("outbox.written")
    pass_by("outbox.written")
    assert died == ["here"]


def test_one_dies_only_where_it_is_about_such_a_thing() -> None:
    died: list[str] = []
    failpoints.arm("outbox.written/int", 2, lambda: died.append("here"))
    assert failpoints.passed is not None
    failpoints.passed("outbox.written", ["a request"])
    failpoints.passed("engine.sent", [1])
    pass_by("outbox.written")
    assert not died
    pass_by("outbox.written")
    assert died == ["here"]


def test_a_place_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="no such failpoint"):
        failpoints.arm("engine.nowhere", 1, lambda: None)


def test_the_places_are_those_in_the_code_each_once() -> None:
    source = Path(failpoints.__file__).parents[1]
    found = re.findall(r"failpoints\.passed\(\"([a-z.]+)\"", "".join(one.read_text() for one in source.rglob("*.py")))
    assert sorted(found) == sorted(failpoints.PLACES)
