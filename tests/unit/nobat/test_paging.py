"""Cursors: whatever is sent, a cursor of ours or a refusal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.errors import Invalid
from nobat.api.paging import cut, decode, encode
from nobat.api.text import is_clean

ids = st.text(max_size=50).filter(is_clean)
keys = st.tuples(st.integers(-1000, 1000), st.floats(0, 1e10), ids)


@given(keys)
def test_a_cursor_is_its_key(key: tuple[int, float, str]) -> None:
    assert decode(encode(key), (int, float, str)) == key


@given(st.text(max_size=100) | keys.map(encode))
def test_anything_else_is_refused(cursor: str) -> None:
    try:
        key = decode(cursor, (float, str))
    except Invalid:
        return
    assert key is not None
    assert isinstance(key[0], int | float)
    assert isinstance(key[1], str)


@pytest.mark.parametrize(
    "key", [(1e300, "x"), (-9e10, "x"), (True, "x"), ("1", "x"), (1.0,), (1.0, 2), (1.0, "\ud800"), (1.0, "\0")]
)
def test_keys_of_other_lists_and_absurd_times_are_refused(key: tuple[object, ...]) -> None:
    with pytest.raises(Invalid):
        decode(encode(key), (float, str))  # type: ignore[arg-type]


@given(st.lists(st.integers(), unique=True), st.integers(1, 10))
def test_parts_put_together_are_the_whole(numbers: list[int], limit: int) -> None:
    rows = [((number,), number) for number in sorted(numbers)]
    found: list[int] = []
    after: tuple[object, ...] | None = None
    while True:
        items, following = cut([row for row in rows if after is None or row[0] > after], limit)
        found += items
        if following is None:
            break
        after = decode(following, (int,))
    assert found == sorted(numbers)
