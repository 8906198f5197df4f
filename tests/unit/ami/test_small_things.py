"""Names, versions and words: the small tables of the wall."""

from pathlib import Path

import pytest

from acd.ids import LegId, PbxId
from acd.telephony import DeviceState, MissCause
from ami import causes, names
from ami.answers import Answer, Outcome
from ami.book import GONE_KEPT, Book
from ami.health import version_warnings
from ami.identity import named

DIALPLAN = "\n".join(path.read_text(encoding="utf-8") for path in sorted(Path("dialplan").glob("*.conf")))


@pytest.mark.parametrize("context", names.CONTEXTS)
def test_every_context_we_name_is_in_the_dialplan(context: str) -> None:
    assert f"[{context}]" in DIALPLAN


@pytest.mark.parametrize("event", names.USER_EVENTS)
def test_every_user_event_we_read_is_raised_by_the_dialplan(event: str) -> None:
    assert f"UserEvent({event}," in DIALPLAN


@pytest.mark.parametrize(
    "name", [value for key, value in vars(names).items() if key.isupper() and str(value).startswith("ACD_")]
)
def test_every_variable_we_name_is_in_the_dialplan(name: str) -> None:
    assert name in DIALPLAN


@pytest.mark.parametrize(
    ("version", "fits"),
    [
        ("22.10.1+dfsg+~cs6.17.60671434-1", True), ("22.1.0", True), ("22.10.9", True), ("22.0.9", False), ("22.11.0", False),
        ("22.11.0-rc1", False), ("21.9.0", False), ("23.1.0", False), ("", False), ("unknown", False),
    ],
)  # fmt: skip
def test_the_range_of_versions(version: str, fits: bool) -> None:
    assert ("unsupported_asterisk" not in version_warnings(version)) is fits


@pytest.mark.parametrize(
    ("version", "warned"),
    [
        ("22.10.1", False),
        ("22.10.1+dfsg+~cs6.17", False),
        ("22.10.0", True),
        ("22.10", True),
        ("22.9.3", True),
        ("x", True),
    ],
)
def test_an_asterisk_with_known_holes_is_warned_of(version: str, warned: bool) -> None:
    assert ("known_holes" in version_warnings(version)) is warned


@pytest.mark.parametrize(
    ("call", "leg"),
    [
        ("pbx1-1795317144100.7", "pbx1-1795317144.70"),
        ("pbx1-1795317144100.7\n", "pbx1-1795317144.7"),
        ("pbx1-17953171441000000.7", "pbx1-1795317144.7"),
        ("pbx1-.7", "pbx1-1795317144.7"),
        ("-1795317144100.7", "-1795317144.7"),
    ],
)
def test_a_call_is_named_only_as_the_dialplan_names_it(call: str, leg: str) -> None:
    assert named(PbxId("pbx1"), call, leg) is None


def test_the_name_of_a_pbx_may_have_hyphens() -> None:
    name = named(PbxId("pbx-teheran-1"), "pbx-teheran-1-1795317144100.7", "pbx-teheran-1-1795317144.7")
    assert name is not None
    assert (name.entered_at, name.serial) == (1795317144.1, 7)


@pytest.mark.parametrize("cause", sorted(causes.FAULTS))
def test_a_phone_that_dies_while_it_rings_is_unreachable(cause: int) -> None:
    assert causes.of_refusal(cause) is MissCause.UNREACHABLE


@pytest.mark.parametrize("word", ["INVALID", "UNKNOWN", "", "not_inuse"])
def test_a_device_state_we_do_not_know_is_unknown(word: str) -> None:
    assert causes.device_state(word) is DeviceState.UNKNOWN


@pytest.mark.parametrize(
    ("message", "gone"),
    [
        ("No such channel", True), ("Channel does not exist: PJSIP/x-00000001", True), ("Redirect failed, channel not up.", True),
        ("Permission denied", False), ("", False),
    ],
)  # fmt: skip
def test_how_asterisk_says_that_a_channel_is_gone(message: str, gone: bool) -> None:
    assert Answer(Outcome.REFUSED, message).no_such_channel is gone
    assert not Answer(Outcome.SUCCESS, message).no_such_channel


def test_the_memory_of_what_went_is_bounded() -> None:
    book = Book()
    for number in range(3 * GONE_KEPT):
        book.remove_leg(LegId(f"pbx1-1.{number}"))
        assert len(book._gone) <= GONE_KEPT
    assert all(book.is_gone(LegId(f"pbx1-1.{number}")) for number in range(5 * GONE_KEPT // 2, 3 * GONE_KEPT))
    assert not book.is_gone(LegId("pbx1-1.0"))
    assert book.size() == 0
