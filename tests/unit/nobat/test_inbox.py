"""The inbox is in order and bounded, and says how late it is only while it is."""

from acd.ids import PbxId, device_on
from acd.telephony import DeviceChanged, DeviceState
from nobat.inbox import LATE_S, Inbox, Letter

PBX = PbxId("pbx1")


def letter(age_s: float = 0.0) -> Letter:
    made = Letter(DeviceChanged(device_on(PBX, "PJSIP/agent-101"), DeviceState.NOT_IN_USE), None)
    made.arrived -= age_s
    return made


def test_it_is_full_at_its_bound_and_has_room_again_at_half_of_it() -> None:
    inbox = Inbox(4)
    letters = [letter() for _ in range(4)]
    for one in letters:
        assert not inbox.is_full
        inbox.put(one)
    assert inbox.is_full
    assert inbox.take() is letters[0]
    assert not inbox.is_full
    assert not inbox.has_room
    assert inbox.take() is letters[1]
    assert inbox.has_room
    assert len(inbox) == 2


def test_it_is_behind_from_the_first_late_message_until_one_is_in_time() -> None:
    inbox = Inbox()
    assert inbox.measure() == inbox.behind_s() == 0.0
    inbox.put(letter(LATE_S * 2))
    assert inbox.behind_s() == 0.0
    assert inbox.measure() >= LATE_S * 2
    first = inbox.behind_s()
    inbox.measure()
    assert inbox.behind_s() > first > 0.0
    inbox.take()
    inbox.put(letter())
    inbox.measure()
    assert inbox.behind_s() == 0.0


def test_it_is_not_behind_when_all_is_done() -> None:
    inbox = Inbox()
    inbox.put(letter(LATE_S * 2))
    inbox.measure()
    inbox.take()
    inbox.rested()
    assert inbox.behind_s() == 0.0
