"""Requests become actions with exact names, or are refused with their reason; the tracker knows what is on its way."""

from dataclasses import replace

import pytest

from acd.ids import DeviceId, LegId, OfferId, PbxId, QueueId
from acd.telephony import HangUp, LineVisit, Request, RequestFailure, Resync, ReturnToLine, Withdraw
from ami import actions
from ami.translate import Refused, translate
from tests.unit.ami.wire import (
    CALL,
    CALLER,
    CALLER_CHANNEL,
    Desk,
    agent_channel,
    agent_gone,
    caller_bridged,
    comes_in,
    dial_begins,
    given_a_waiting_caller,
    given_an_offer,
    leg,
    offer_over,
    picks_up,
    talk_over,
    the_offer,
)

OFFER = the_offer(101, 102)
VISIT = LineVisit(QueueId("support"), 1795317160.123, 1795317144.1, front=True, trail=(QueueId("sales"),))


def of(desk: Desk, request: Request) -> object:
    return translate(desk.tracker, request)


def test_an_offer() -> None:
    assert of(given_a_waiting_caller(), OFFER) == (
        actions.SetOffer(CALLER_CHANNEL, "of1", ("PJSIP/agent-101", "PJSIP/agent-102"), 20),
        actions.Redirect(CALLER_CHANNEL, "acd-offer"),
    )


def test_a_caller_who_is_not_known_yet_is_not_offered() -> None:
    desk = Desk()
    desk.answers.clear()
    assert of(desk.hears(comes_in()), OFFER) == Refused(RequestFailure.REFUSED)


@pytest.mark.parametrize("events", [(dial_begins(101, 8),), (dial_begins(101, 8), picks_up(101, 8), caller_bridged())])
def test_a_caller_who_rings_or_talks_is_not_moved(events: tuple[object, ...]) -> None:
    desk = given_an_offer(101).hears(*events)  # type: ignore[arg-type]
    assert of(desk, replace(OFFER, offer=OfferId("of2"))) == Refused(RequestFailure.REFUSED)
    assert of(desk, ReturnToLine(CALL, CALLER)) == Refused(RequestFailure.REFUSED)


def test_an_offer_that_was_not_placed_can_be_made_again() -> None:
    desk = given_an_offer(101)
    desk.tracker.not_offered(CALL, OfferId("of1"))
    assert desk.asks(replace(OFFER, offer=OfferId("of2")))


def test_an_offer_that_rings_is_not_forgotten_by_a_failure() -> None:
    desk = given_an_offer(101).hears(dial_begins(101, 8))
    desk.tracker.not_offered(CALL, OfferId("of1"))
    assert not desk.asks(replace(OFFER, offer=OfferId("of2")))


def test_back_to_the_line_and_offered_again() -> None:
    desk = given_an_offer(101).hears(dial_begins(101, 8), picks_up(101, 8), agent_gone(101, 8), talk_over())
    assert of(desk, ReturnToLine(CALL, CALLER)) == (actions.Redirect(CALLER_CHANNEL, "acd-wait"),)
    assert desk.asks(replace(OFFER, offer=OfferId("of2")))


def given_a_talk() -> Desk:
    return given_an_offer(101).hears(dial_begins(101, 8), picks_up(101, 8), caller_bridged())


def test_a_caller_who_talks_is_passed_on() -> None:
    assert of(given_a_talk(), replace(OFFER, offer=OfferId("of2"), passed_on=True)) == (
        actions.SetOffer(CALLER_CHANNEL, "of2", ("PJSIP/agent-101", "PJSIP/agent-102"), 20),
        actions.Redirect(CALLER_CHANNEL, "acd-offer"),
    )


def test_a_caller_whose_phones_ring_is_never_passed_on() -> None:
    desk = given_an_offer(101).hears(dial_begins(101, 8))
    assert of(desk, replace(OFFER, offer=OfferId("of2"), passed_on=True)) == Refused(RequestFailure.REFUSED)
    assert of(desk, ReturnToLine(CALL, CALLER, VISIT, passed_on=True)) == Refused(RequestFailure.REFUSED)


def test_passed_on_to_a_line_and_offered_at_once() -> None:
    desk = given_a_talk()
    made = of(desk, ReturnToLine(CALL, CALLER, VISIT, "to-other-queue", passed_on=True))
    assert made == (
        actions.SetVisit(
            CALLER_CHANNEL, "support", 1795317160.123, 1795317144.1, True, ("sales",), "to-other-queue", "of1"
        ),
        actions.Redirect(CALLER_CHANNEL, "acd-return"),
    )
    assert isinstance(made, tuple)
    assert dict(made[0].headers()) == {
        "Channel": CALLER_CHANNEL,
        "Variable": "ARRAY(ACD_QUEUE,ACD_VISIT,ACD_DONE,ACD_TRAIL,ACD_SAYS)",
        "Value": "support,1795317160123-1795317144100-1,of1,sales,to-other-queue",
    }
    assert desk.asks(replace(OFFER, offer=OfferId("of2")))


def test_only_legs_of_that_offer_are_withdrawn() -> None:
    desk = given_an_offer(101, 102).hears(dial_begins(101, 8), dial_begins(102, 9))
    assert of(desk, Withdraw(CALL, OfferId("of1"), (leg(8), CALLER, leg(99)))) == [
        actions.Hangup(agent_channel(101, 8))
    ]
    assert of(desk, Withdraw(CALL, OfferId("of0"), (leg(9),))) == Refused(RequestFailure.NO_SUCH_LEG)
    assert of(desk, Withdraw(CALL, OfferId("of1"), ())) == Refused(RequestFailure.NO_SUCH_LEG)


def test_a_phone_that_was_withdrawn_is_cancelled_not_to_blame() -> None:
    desk = given_an_offer(101).hears(dial_begins(101, 8))
    of(desk, Withdraw(CALL, OfferId("of1"), (leg(8),)))
    desk.hears(offer_over())
    assert [getattr(fact, "cause", None) for fact in desk.facts[1:]] == ["cancelled", None]


def test_hanging_up() -> None:
    desk = given_an_offer(101).hears(dial_begins(101, 8))
    assert of(desk, HangUp(CALLER, 1)) == (actions.Hangup(CALLER_CHANNEL, 1),)
    assert of(desk, HangUp(leg(8))) == (actions.Hangup(agent_channel(101, 8)),)
    assert of(desk, HangUp(CALLER, 999)) == Refused(RequestFailure.REFUSED)
    assert of(desk, HangUp(LegId("/.*/"))) == Refused(RequestFailure.NO_SUCH_LEG)


@pytest.mark.parametrize(
    "targets",
    [("pbx1/PJSIP/x,30",), ("pbx1/PJSIP/a&PJSIP/b",), ("pbx1/PJSIP/x\r\n",), ("pbx1/",), (), ("pbx1/SHELL(x)/y",)],
)
def test_a_target_that_is_no_dial_string_is_refused_and_the_caller_stays_free(targets: tuple[str, ...]) -> None:
    desk = given_a_waiting_caller()
    bad = replace(OFFER, targets=tuple(DeviceId(target) for target in targets))
    assert of(desk, bad) == Refused(RequestFailure.REFUSED)
    assert desk.asks(OFFER)


def test_what_is_no_action_is_refused() -> None:
    assert of(Desk(), Resync(PbxId("pbx1"), "x")) == Refused(RequestFailure.REFUSED)
