"""Phones that accept by a key, and what phones show: what is sent for them, and how they are found again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.ids import DeviceId, accepting, accepts_by_key, device_on, reached_by
from acd.telephony import LegStage
from ami import actions, names
from ami.course import device_of
from ami.readings import ChannelReading
from ami.resync import Findings, build
from ami.targets import device_at, target_of
from tests.unit.ami.wire import CALL, PBX, caller_reading, leg

MOBILE = DeviceId("pbx1/Local/09121234567:trunk@acd-mobile")
NEAR = "Local/09121234567:trunk@acd-mobile-0000002a;1"

numbers = st.from_regex(r"[A-Za-z0-9+][A-Za-z0-9_.-]{0,20}", fullmatch=True)
endpoints = st.one_of(st.just(""), st.from_regex(r"@[A-Za-z0-9][A-Za-z0-9_.-]{0,20}", fullmatch=True))


@given(numbers, endpoints)
def test_a_device_is_named_by_people_and_found_by_its_channel(number: str, endpoint: str) -> None:
    dial_string = f"PJSIP/{number}{endpoint}"
    device = device_on(PBX, accepting(dial_string))
    assert accepts_by_key(device)
    assert reached_by(device) == (PBX, dial_string, True)
    assert device_at(PBX, target_of(device)) == device
    near = f"{accepting(dial_string)}-0000002a;1"
    assert device_of(PBX, near) == device
    assert actions.exact_channel(near) == near
    assert actions.joined([target_of(device)]) == accepting(dial_string) + "/n"


def test_a_phone_of_the_pbx_is_named_as_it_is() -> None:
    device = device_on(PBX, "PJSIP/agent-101")
    assert not accepts_by_key(device)
    assert reached_by(device) == (PBX, "PJSIP/agent-101", False)
    assert (target_of(device), device_at(PBX, "PJSIP/agent-101")) == ("PJSIP/agent-101", device)


def near_side(up: bool = False, bridge: str | None = None) -> ChannelReading:
    said = {names.FOR_CALL: CALL, names.FOR_OFFER: "of1"}
    return ChannelReading(NEAR, leg(9), up, bridge, None, None, said)


OTHERS = (
    ChannelReading("Local/09121234567:trunk@acd-mobile-0000002a;2", leg(10), False, None, None, None, {}),
    ChannelReading("PJSIP/trunk-0000002b", leg(11), True, "b2", None, None, {names.OUTER: NEAR}),
)


@pytest.mark.parametrize("talking", [False, True])
def test_a_snapshot_finds_the_mobile_of_an_offer_and_of_a_conversation(talking: bool) -> None:
    said = {names.OFFER_ID: "of1", names.TARGETS: "Local/09121234567:trunk@acd-mobile/n"}
    found = caller_reading("talking" if talking else "offered", **said)
    caller = ChannelReading(found.channel, found.leg, True, "b1" if talking else None, None, None, found.variables)
    readings = [caller, near_side(talking, "b1" if talking else None), *OTHERS]
    states = [("Local/09121234567:trunk@acd-mobile", "INUSE"), ("PJSIP/trunk", "INUSE")]
    snapshot = build(PBX, Findings("boot", readings, states))
    (call,) = snapshot.fact.calls
    assert [agent.device for agent in snapshot.legs] == [MOBILE]
    assert (call.stage, call.device) == ((LegStage.TALKING, MOBILE) if talking else (LegStage.OFFERED, None))
    assert [device for device, _ in snapshot.fact.devices] == ["pbx1/PJSIP/trunk"]


# ---------------------------------------------------------------- what phones show


@given(st.text(max_size=80))
def test_any_name_of_a_queue_can_be_told(name: str) -> None:
    title = actions.title_of(name)
    actions.encode(actions.SetTitle("sales", title))
    assert len(title) <= 40
    assert not set(title) & set(";,:()[]{}$\\\"'<>=|&^\r\n\0")


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("Sales", "Sales"),
        ("فروش ۲", "فروش ۲"),
        ("R&D (Ost)", "RD Ost"),
        ("a" * 50, "a" * 40),
        ("  x ", "x"),
        ("${X}", "X"),
    ],
)
def test_titles(name: str, title: str) -> None:
    assert actions.title_of(name) == title


@pytest.mark.parametrize("queue", ["Sales", "a b", "a)", "", "x" * 41])
def test_a_queue_with_a_strange_id_has_none(queue: str) -> None:
    with pytest.raises(actions.ActionRefused):
        actions.encode(actions.SetTitle(queue, "Sales"))


@pytest.mark.parametrize("own", ["Maryam", None])
def test_a_snapshot_reads_the_callers_own_name_while_phones_are_shown_the_queue(own: str | None) -> None:
    shown = f"Sales: {own}" if own else "Sales"
    found = caller_reading(
        "offered", **{names.OFFER_ID: "of1", names.SHOW: shown, **({names.NAME: own} if own else {})}
    )
    reading = ChannelReading(found.channel, found.leg, True, None, "0912", shown, found.variables)
    (call,) = build(PBX, Findings("boot", [reading], [])).fact.calls
    assert call.entered.name == own
