"""The slow look: events are the better witnesses, until a second look shows the same thing that no event has told."""

from dataclasses import replace

import pytest

from acd.ids import LegId
from acd.telephony import CallerFreed, DeviceChanged, DeviceState, LegStage, OfferRinging, PbxSnapshot, SnapshotCall
from ami import events as e
from ami.book import Snapshot
from ami.outputs import Output, Purpose, SnapshotWanted
from ami.readings import ChannelReading
from ami.resync import Findings, build
from tests.unit.ami.test_resync import OFFERED, TALKING, agent_reading, caller
from tests.unit.ami.wire import (
    CALL,
    CALLER,
    PBX,
    Desk,
    agent_channel,
    agent_gone,
    caller_bridged,
    caller_gone,
    comes_in,
    device,
    dial_begins,
    dial_ends,
    given_a_waiting_caller,
    given_an_offer,
    kinds,
    leg,
    offer_over,
    picks_up,
    talk_over,
    the_offer,
)

DOUBTFUL = SnapshotWanted("doubtful")


def shows(*channels: ChannelReading, devices: tuple[tuple[str, str], ...] = ()) -> Snapshot:
    return build(PBX, Findings("boot", list(channels), list(devices)), 5.0)


def look(desk: Desk, *channels: ChannelReading, meanwhile: tuple[e.Event, ...] = ()) -> tuple[Output, ...]:
    """One look at everything that shows ``channels``; ``meanwhile`` is heard before its answer."""
    desk.tracker.begin_look()
    desk.hears(*meanwhile)
    return tuple(desk.tracker.compare(shows(*channels), {}))


def stages(outputs: tuple[Output, ...]) -> list[tuple[LegStage, str | None]]:
    fact = outputs[0]
    assert isinstance(fact, PbxSnapshot)
    return [(call.stage, call.offer) for call in fact.calls]


def talking() -> Desk:
    return given_an_offer(101).hears(dial_begins(101, 8), picks_up(101, 8), caller_bridged())


def test_a_look_that_shows_what_events_have_told_changes_nothing() -> None:
    for desk, channels in (
        (given_a_waiting_caller(), (caller("waiting"),)),
        (given_an_offer(101).hears(dial_begins(101, 8)), (caller("offered", **OFFERED), agent_reading(101, 8))),
        (talking(), (caller("talking", "bridge-1", **TALKING), agent_reading(101, 8, "bridge-1", up=True))),
        (talking().hears(agent_gone(101, 8), talk_over()), (caller("after", **TALKING),)),
    ):
        before = stages(look(desk, *channels))
        outputs = look(desk, *channels)
        assert len(outputs) == 1
        assert stages(outputs) == before
        assert desk.tracker.book.calls[CALL].doubt is None


def test_asterisk_may_be_ahead_of_its_events_and_their_words_are_waited_for() -> None:
    """The offer is over in what the look shows; who refused and why stands in events that are on their way."""
    desk = given_an_offer(101).hears(dial_begins(101, 8))
    outputs = look(desk, caller("waiting", **OFFERED, ACD_DONE="of1"))
    assert stages(outputs) == [(LegStage.OFFERED, "of1")]
    assert outputs[-1] == DOUBTFUL
    desk.facts.clear()
    desk.hears(dial_ends(101, 8, "NOANSWER"), offer_over())
    assert kinds(desk.facts) == ["OfferMissed", "OfferEnded"]
    assert look(desk, caller("waiting", **OFFERED, ACD_DONE="of1"))[1:] == ()


def test_what_is_heard_after_the_question_is_younger_than_the_answer() -> None:
    desk = given_an_offer(101)
    for _ in range(3):
        outputs = look(desk, caller("waiting"), meanwhile=(dial_begins(101, 8), caller_bridged()))
        assert outputs[1:] == ()
        assert stages(outputs) == [(LegStage.OFFERED, "of1")]


class TestLostEvents:
    """An event never came. The second look that shows the same is believed."""

    def twice(self, desk: Desk, *channels: ChannelReading) -> tuple[Output, ...]:
        assert look(desk, *channels)[-1] == DOUBTFUL
        return look(desk, *channels)

    def test_a_hangup(self) -> None:
        desk = given_a_waiting_caller()
        assert stages(self.twice(desk)) == []
        assert desk.tracker.book.size() == 0
        assert desk.hears(caller_gone(), comes_in()).facts == []

    def test_the_end_of_an_offer(self) -> None:
        desk = given_an_offer(101).hears(dial_begins(101, 8))
        assert stages(self.twice(desk, caller("waiting", **OFFERED, ACD_DONE="of1"))) == [(LegStage.WAITING, "of1")]
        assert desk.asks(the_offer(102, offer="of2"))

    def test_an_answer(self) -> None:
        desk = given_an_offer(101, 102).hears(dial_begins(101, 8))
        outputs = self.twice(desk, caller("talking", "b-1", **TALKING), agent_reading(101, 8, "b-1", up=True))
        assert stages(outputs) == [(LegStage.TALKING, "of1")]
        desk.facts.clear()
        desk.hears(e.HoldBegan(agent_channel(101, 8), leg(8)), talk_over())
        assert kinds(desk.facts) == ["Held"]
        assert desk.looks[-1].purpose is Purpose.STILL_THERE

    def test_an_end_of_talk(self) -> None:
        desk = talking()
        outputs = self.twice(desk, caller("after", **TALKING))
        assert stages(outputs) == [(LegStage.AFTER, "of1")]

    def test_an_entry_is_taken_at_once(self) -> None:
        desk = Desk()
        outputs = look(desk, caller("waiting"))
        assert stages(outputs) == [(LegStage.WAITING, None)]
        assert desk.hears(comes_in()).facts == []

    def test_the_ringing_phones_of_a_call_that_is_new_to_us_are_told(self) -> None:
        outputs = look(Desk(), caller("offered", **OFFERED), agent_reading(101, 8))
        assert outputs[1:] == (OfferRinging(CALL, "of1", device(101), leg(8)),)

    def test_a_redirect_that_never_came(self) -> None:
        """The variables are on the channel and the caller is still in the wait loop a second later."""
        desk = given_an_offer(101)
        assert stages(self.twice(desk, caller("waiting", **OFFERED))) == [(LegStage.WAITING, None)]
        assert desk.asks(the_offer(101, offer="of2"))

    def test_a_doubt_is_forgotten_when_something_is_heard(self) -> None:
        desk = given_an_offer(101).hears(dial_begins(101, 8))
        assert look(desk, caller("waiting", **OFFERED, ACD_DONE="of1"))[-1] == DOUBTFUL
        look(desk, caller("offered", **OFFERED), agent_reading(101, 8), meanwhile=(dial_begins(101, 8),))
        assert look(desk, caller("waiting", **OFFERED, ACD_DONE="of1"))[-1] == DOUBTFUL
        assert desk.tracker.book.calls[CALL].offer is not None


def test_a_caller_who_is_not_told_yet_is_not_told_by_a_look() -> None:
    desk = Desk()
    desk.answers.clear()
    desk.hears(comes_in())
    assert stages(look(desk, caller("waiting"))) == []


def test_a_caller_who_is_gone_does_not_come_back_by_an_answer_that_is_late() -> None:
    desk = given_a_waiting_caller()
    assert stages(look(desk, caller("waiting"), meanwhile=(caller_gone(),))) == []


@pytest.mark.parametrize("state", ["waiting", "offered"])
def test_an_offer_whose_turn_to_be_written_has_not_come_is_out_all_the_same(state: str) -> None:
    desk, offer = given_a_waiting_caller(), the_offer(101)
    for _ in range(3):
        desk.tracker.begin_look()
        outputs = tuple(desk.tracker.compare(shows(caller(state)), {CALL: offer}))
        assert stages(outputs) == [(LegStage.OFFERED, "of1")]
        assert outputs[1:] == ()
    assert desk.asks(offer)


def test_a_caller_whose_agents_end_was_lost_is_freed() -> None:
    desk = talking().hears(talk_over())
    desk.tracker.book.calls[CALL].offer.answered = None  # type: ignore[union-attr]
    outputs = desk.tracker.prime(shows(caller("after", **TALKING)))
    assert outputs[1:] == (CallerFreed(CALL, "of1"),)


class TestDevices:
    def test_what_a_look_shows_is_taken_unless_something_newer_was_heard(self) -> None:
        desk = Desk()
        desk.hears(e.DeviceStateSeen("PJSIP/agent-101", "BUSY", "1"), e.DeviceStateSeen("PJSIP/agent-102", "BUSY", "1"))
        desk.tracker.begin_look()
        desk.hears(e.DeviceStateSeen("PJSIP/agent-102", "NOT_INUSE", "2"))
        shown = shows(devices=(("PJSIP/agent-101", "NOT_INUSE"), ("PJSIP/agent-102", "BUSY")))
        (fact,) = desk.tracker.compare(shown, {})
        assert isinstance(fact, PbxSnapshot)
        assert dict(fact.devices) == {device(101): DeviceState.NOT_IN_USE, device(102): DeviceState.NOT_IN_USE}

    def test_an_event_that_repeats_the_look_is_no_news(self) -> None:
        desk = Desk()
        desk.tracker.begin_look()
        desk.tracker.compare(shows(devices=(("PJSIP/agent-101", "BUSY"),)), {})
        assert desk.hears(e.DeviceStateSeen("PJSIP/agent-101", "BUSY", "3")).facts == []
        desk.hears(e.DeviceStateSeen("PJSIP/agent-101", "NOT_INUSE", "4"))
        assert desk.facts == [DeviceChanged(device(101), DeviceState.NOT_IN_USE)]


def test_phones_whose_end_was_lost_are_forgotten() -> None:
    desk, own = Desk(), LegId("pbx1-1795317145.5")
    desk.hears(e.PhoneAsks("PJSIP/agent-102-00000005", own, own, "break"))
    phone = ChannelReading("PJSIP/agent-102-00000005", own, True, None, None, None, {"ACD_ASK": own})
    look(desk, phone)
    assert desk.tracker.book.channel_of(own) is not None
    look(desk)
    assert desk.tracker.book.size() == 0


def test_when_it_was_asked_is_told() -> None:
    (fact,) = look(given_a_waiting_caller(), caller("waiting"))
    assert isinstance(fact, PbxSnapshot)
    assert fact.asked_at == 5.0
    entered = fact.calls[0].entered
    assert (entered.leg, entered.number) == (CALLER, "09121234567")
    assert replace(fact.calls[0], entered=entered) == SnapshotCall(entered, LegStage.WAITING)
