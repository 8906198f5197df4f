"""Bytes to events: what is whole and clean is read, everything else is put aside with its reason."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ami import events as e
from ami.decoder import EVENT_NAMES, MAX_MESSAGE, Decoder, read_device
from ami.events import ListItem, Quarantined, Reason, Response

HELLO = b"Asterisk Call Manager/11.0.0\r\n"


def decoder() -> Decoder:
    fresh = Decoder()
    assert fresh.feed(HELLO) == []
    return fresh


def block(*lines: str) -> bytes:
    return "\r\n".join([*lines, "", ""]).encode()


def hangup(**changed: str | None) -> bytes:
    headers: dict[str, str | None] = {
        "Event": "Hangup",
        "Privilege": "call,all",
        "Timestamp": "1795317147.425580",
        "Channel": "PJSIP/trunk-00000007",
        "CallerIDNum": "09121234567",
        "CallerIDName": "مریم رضایی",
        "Uniqueid": "pbx1-1795317144.7",
        "Linkedid": "pbx1-1795317144.7",
        "Cause": "16",
        "Cause-txt": "Normal Clearing",
    }
    headers.update(changed)
    return block(*(f"{name}: {value}" for name, value in headers.items() if value is not None))


def test_an_event_is_read() -> None:
    assert decoder().feed(hangup()) == [e.HungUp("PJSIP/trunk-00000007", "pbx1-1795317144.7", 16)]


def test_the_greeting_may_come_in_pieces() -> None:
    fresh = Decoder()
    assert fresh.feed(HELLO[:10]) == []
    assert fresh.feed(HELLO[10:] + hangup()) != []
    assert fresh.protocol_version == "11.0.0"


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        ({"Uniqueid": None}, Reason.MISSING_HEADER),
        ({"Uniqueid": ""}, Reason.MISSING_HEADER),
        ({"Channel": None}, Reason.MISSING_HEADER),
        ({"CallerIDNum": "1\r\nUniqueid: pbx1-1.1"}, Reason.DOUBLED_HEADER),
        ({"CallerIDName": "x\r\nChannel: PJSIP/agent-101-00000001"}, Reason.DOUBLED_HEADER),
        ({"CallerIDNum": "1\n2"}, Reason.CONTROL_CHARACTER),
        ({"CallerIDNum": "1\r2"}, Reason.CONTROL_CHARACTER),
        ({"CallerIDName": "\0"}, Reason.CONTROL_CHARACTER),
        ({"CallerIDName": "\x1b[31m"}, Reason.CONTROL_CHARACTER),
        ({"CallerIDName": "\x7f"}, Reason.CONTROL_CHARACTER),
        ({"Cause": "many"}, Reason.MALFORMED_VALUE),
    ],
)
def test_a_damaged_event_is_not_believed(damage: dict[str, str | None], reason: Reason) -> None:
    (message,) = decoder().feed(hangup(**damage))
    assert isinstance(message, Quarantined)
    assert (message.reason, message.name) == (reason, "Hangup")


def test_a_quarantined_event_names_its_channel_where_that_is_beyond_doubt() -> None:
    (missing,) = decoder().feed(hangup(Cause=None))
    assert missing == Quarantined(Reason.MISSING_HEADER, "Hangup", "PJSIP/trunk-00000007", "pbx1-1795317144.7")
    (doubled,) = decoder().feed(hangup(CallerIDNum="1\r\nUniqueid: pbx1-1.1"))
    assert doubled == Quarantined(Reason.DOUBLED_HEADER, "Hangup", "PJSIP/trunk-00000007", None)


def test_an_event_inside_a_callers_name_damages_the_one_around_it_first() -> None:
    forged = "x\r\n\r\nEvent: Hangup\r\nChannel: PJSIP/trunk-00000001\r\nUniqueid: pbx1-1.1\r\nCause: 16\r\n\r\n"
    first, second, third = decoder().feed(hangup(CallerIDName=forged))
    assert isinstance(first, Quarantined)
    assert second == e.HungUp("PJSIP/trunk-00000001", "pbx1-1.1", 16)  # the tracker confirms it before it believes it
    assert isinstance(third, Quarantined)


def test_headers_are_found_by_their_whole_name_only() -> None:
    (message,) = decoder().feed(
        block(
            "Event: DialBegin",
            "Channel: PJSIP/trunk-00000007",
            "Uniqueid: pbx1-1.7",
            "DestChannel: PJSIP/agent-101-00000008",
            "DestUniqueid: pbx1-1.8",
        )
    )
    assert message == e.DialBegan("PJSIP/agent-101-00000008", "pbx1-1.8", "pbx1-1.7")


def test_a_name_that_is_not_utf8_does_not_cost_the_event() -> None:
    raw = hangup(CallerIDName="NAME").replace(b"NAME", b"Jos\xe9 \xd9")
    assert decoder().feed(raw) == [e.HungUp("PJSIP/trunk-00000007", "pbx1-1795317144.7", 16)]


def test_unknown_events_are_counted_and_left_unparsed() -> None:
    fresh = decoder()
    assert fresh.feed(block("Event: VarSet", "Channel: x") * 3 + hangup()) != []
    assert fresh.take_counts() == {"other": 3, "Hangup": 1}
    assert fresh.take_counts() == {}


def test_user_events_of_others_are_counted_only() -> None:
    fresh = decoder()
    assert fresh.feed(block("Event: UserEvent", "Channel: x", "UserEvent: Foreign")) == []
    assert fresh.take_counts() == {"other": 1}


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["Channel: x"], Reason.MISSING_HEADER),
        (["UserEvent: AcdEnter", "UserEvent: AcdAfter"], Reason.DOUBLED_HEADER),
        (["UserEvent: AcdEnter", "Channel: x", "Uniqueid: y", "Exten: 8000"], Reason.MISSING_HEADER),
        (["UserEvent: AcdEnter", "Channel: x", "Uniqueid: y", "Exten: 1", "Call: a", "Call: b"], Reason.DOUBLED_HEADER),
    ],
)
def test_a_damaged_user_event_is_not_believed(lines: list[str], reason: Reason) -> None:
    (message,) = decoder().feed(block("Event: UserEvent", *lines))
    assert isinstance(message, Quarantined)
    assert message.reason is reason


def test_answers_to_actions_stay_bytes() -> None:
    item = block("Event: DeviceStateChange", "ActionID: a/1", "Device: PJSIP/agent-101", "State: BUSY")
    response = block("Response: Success", "ActionID: a/1")
    assert decoder().feed(response + item) == [Response(response[:-4]), ListItem(item[:-4])]
    assert read_device(item[:-4]) == e.DeviceStateSeen("PJSIP/agent-101", "BUSY")


@pytest.mark.parametrize("junk", [b"junk\r\n\r\n", b"Uniqueid: pbx1-1.1\r\nCause: 16\r\n\r\n", b"\xff\xfe\r\n\r\n"])
def test_what_is_neither_event_nor_answer_is_told(junk: bytes) -> None:
    (message,) = decoder().feed(junk)
    assert message == Quarantined(Reason.FRAGMENT, "other")


def test_a_message_without_end_is_given_up_and_the_next_one_is_read() -> None:
    fresh = decoder()
    got = [m for _ in range(40) for m in fresh.feed(b"Event: Hangup\r\nX: " + b"x" * 10_000)]
    assert got == [Quarantined(Reason.OVERSIZED, "other")]
    assert len(fresh._rest) <= MAX_MESSAGE
    assert fresh.feed(b"\r\n\r\n" + hangup()) == [e.HungUp("PJSIP/trunk-00000007", "pbx1-1795317144.7", 16)]


def test_every_name_that_is_counted_is_in_the_closed_set() -> None:
    fresh = decoder()
    fresh.feed(hangup() + block("Event: Whatever") + block("Event: UserEvent", "UserEvent: AcdAfter"))
    assert set(fresh.counts) <= EVENT_NAMES


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=30)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), names=st.lists(NAMES | st.just("نوبت‌دهی شرکت"), min_size=1, max_size=5))
def test_any_cut_of_the_stream_gives_the_same_events(data: st.DataObject, names: list[str]) -> None:
    stream = HELLO + b"".join(
        block("Event: Status", "ActionID: a/1", f"CallerIDName: {name}") + hangup(CallerIDName=name) for name in names
    )
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=20)))
    sliced, got = Decoder(), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        got += sliced.feed(stream[start:end])
    items = [message.raw.decode().rpartition(": ")[2] for message in got if isinstance(message, ListItem)]
    assert items == [name.rpartition(": ")[2] for name in names]
    assert [m for m in got if not isinstance(m, ListItem)] == [
        e.HungUp("PJSIP/trunk-00000007", "pbx1-1795317144.7", 16)
    ] * len(names)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.binary(max_size=60) | st.sampled_from([b"\r\n", b"\r\n\r\n", b"Event: Hangup", b"\r\nUniqueid: x"]),
        max_size=30,
    )
)
def test_no_bytes_at_all_can_break_it(chunks: list[bytes]) -> None:
    fresh = decoder()
    for chunk in chunks:
        fresh.feed(chunk)
    fresh.feed(b"\r\n\r\n")
    assert fresh.feed(hangup())[-1] == e.HungUp("PJSIP/trunk-00000007", "pbx1-1795317144.7", 16)
