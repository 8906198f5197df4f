"""One caller's way through the floor: what the caller, the agent and the record see."""

import pytest

from acd import telephony as t
from acd.agents import AgentState
from acd.calls import CallState
from acd.commands import BecomeAvailable, HangUpCall, SignOut, StopOffering, TakeBreak
from acd.errors import Conflict
from acd.events import CallConnected, CallEnded, CallRefused, OfferDeclined, VisitDecided
from acd.floor import PAUSE_S
from acd.ids import AgentId, CallId, LegId
from acd.outcomes import Outcome
from acd.telephony import DeviceState, HangUp, MissCause, Offer, ReturnToLine, Withdraw
from tests.support.world import World, device


def test_a_caller_is_answered_and_the_record_tells_it() -> None:
    world = World.with_agents("101")
    call = world.enter()
    assert world.call(call).state is CallState.OFFERED
    assert world.agent("101").state is AgentState.RINGING
    world.now += 4
    world.answer(call, "101")
    assert (world.call(call).state, world.call(call).waited_s) == (CallState.TALKING, 4.0)
    assert world.agent("101").state is AgentState.TALKING
    world.now += 60
    world.agent_hangs_up(call, "101")
    assert world.agent("101").state is AgentState.WRAP_UP
    ended = world.call(call)
    assert (ended.outcome, ended.ended_by, ended.talk_s) == (Outcome.ANSWERED, "agent", 60.0)
    world.wait(10)
    assert world.agent("101").state is AgentState.IDLE


def test_the_offer_names_the_phone_and_the_ring_time() -> None:
    world = World.with_agents("101", ring_s=25)
    call = world.enter()
    assert world.requests == [Offer(call, world.call(call).leg, f"{call}.1", (device("101"),), 25)]


def test_a_caller_who_leaves_while_waiting_has_abandoned_and_nobody_rings() -> None:
    world = World.with_agents()
    call = world.enter()
    world.now += 7
    world.hang_up(call)
    assert world.call(call).outcome is Outcome.ABANDONED
    assert world.requests == []
    decided = world.of(VisitDecided)
    assert [(event.waited_s, event.short) for event in decided] == [(7.0, False)]  # type: ignore[attr-defined]


def test_a_caller_who_leaves_while_the_phone_rings_costs_the_agent_nothing() -> None:
    world = World.with_agents("101")
    call = world.enter()
    world.ring(call, "101")
    world.hang_up(call)
    assert world.agent("101").state is AgentState.IDLE
    assert [event.cause for event in world.of(OfferDeclined)] == [MissCause.CANCELLED]  # type: ignore[attr-defined]
    following = world.enter()
    assert world.rung(following) == ("101",)


def test_a_caller_who_leaves_between_answer_and_bridge_has_abandoned() -> None:
    world = World.with_agents("101")
    call = world.enter()
    offer = world.offer_of(call).offer
    world.ring(call, "101")
    world.do(t.OfferAnswered(call, offer, device("101"), world.leg(call, "101")))
    world.hang_up(call)
    assert world.call(call).outcome is Outcome.ABANDONED
    assert world.agent("101").state is AgentState.IDLE
    assert world.of(CallConnected) == []


def test_a_silent_phone_gives_way_to_the_next_agent_at_once_and_the_place_is_kept() -> None:
    world = World.with_agents("101", "102")
    first = world.enter()
    second = world.enter()
    assert (world.rung(first), world.rung(second)) == (("101",), ("102",))
    third = world.enter()
    world.ring(first, "101")
    world.miss(first, "101")
    # 102 still rings for the second caller; the first stands at the head again, before the third.
    assert world.line() == [first, second, third]
    world.now += 0.1
    world.miss(second, "102", MissCause.REJECTED)
    world.wait(5)
    assert world.rung(first) == ("101",)
    assert world.line()[0] == first


def test_the_next_offer_goes_to_somebody_else_in_the_same_moment() -> None:
    world = World.with_agents("101", "102")
    call = world.enter()
    effects_before = len(world.requests)
    world.miss(call, "101")
    assert [one.targets for one in world.requests[effects_before:] if isinstance(one, Offer)] == [(device("102"),)]


def test_an_agent_who_let_it_ring_is_left_in_peace_and_then_offered_again() -> None:
    world = World.with_agents("101", rest_s=5.0)
    call = world.enter()
    world.miss(call, "101")
    assert world.call(call).state is CallState.WAITING
    world.wait(4.9)
    assert world.rung(call) == ()
    world.wait(0.2)
    assert world.rung(call) == ("101",)


def test_an_unreachable_phone_is_no_missed_call() -> None:
    world = World.with_agents("101")
    call = world.enter()
    world.miss(call, "101", MissCause.UNREACHABLE)
    assert world.agent("101").state is AgentState.UNREACHABLE
    assert world.floor.calls[call].misses == {}
    world.phone("101", DeviceState.NOT_IN_USE)
    assert world.rung(call) == ("101",)


def test_a_phone_busy_elsewhere_is_not_offered() -> None:
    world = World.with_agents("101")
    world.phone("101", DeviceState.IN_USE)
    call = world.enter()
    assert world.rung(call) == ()
    assert world.agent("101").state is AgentState.BUSY_ELSEWHERE
    world.phone("101", DeviceState.NOT_IN_USE)
    assert world.rung(call) == ("101",)


def test_two_callers_and_one_agent_are_served_in_order() -> None:
    world = World.with_agents("101", wrap_up_s=0)
    first, second = world.enter(), world.enter()
    assert world.rung(second) == ()
    world.answer(first, "101")
    world.agent_hangs_up(first, "101")
    assert world.rung(second) == ("101",)


def test_ties_of_entry_are_broken_by_the_serial_and_not_by_the_order_of_news() -> None:
    world = World.with_agents()
    world.serial = 8
    late = world.entry(entered_at=world.now)
    world.serial = 7
    early = world.entry(entered_at=world.now)
    world.do(late)
    world.do(early)
    assert world.line() == [early.call, late.call]


def test_priority_goes_before_time() -> None:
    world = World.with_agents()
    plain = world.enter()
    urgent = world.enter(priority=5)
    assert world.line() == [urgent, plain]


def test_an_unknown_number_is_sent_away_and_counts_for_no_queue() -> None:
    world = World.with_agents("101")
    call = world.enter("9999")
    assert world.requests == [HangUp(LegId(f"pbx1-{int(world.now)}.1"), 1)]
    assert [event.call for event in world.of(CallRefused)] == [call]  # type: ignore[attr-defined]
    assert call not in world.floor.calls


def test_a_queue_is_found_by_number_as_well_as_by_id() -> None:
    world = World.with_agents("101")
    assert world.rung(world.enter("8000")) == ("101",)


def test_the_first_of_many_answers_wins_and_stale_offers_change_nothing() -> None:
    world = World.with_agents("101")
    call = world.enter()
    stale = world.offer_of(call).offer
    world.miss(call, "101", MissCause.BUSY)
    world.wait(5)
    assert world.offer_of(call).offer != stale
    before = world.call(call)
    world.do(t.OfferEnded(call, stale))
    world.do(t.TalkBegan(call, stale, device("101"), LegId("pbx1-1.1")))
    assert world.call(call) == before


def test_every_fact_twice_changes_nothing() -> None:
    once, twice = World.with_agents("101"), World.with_agents("101")
    for world, times in ((once, 1), (twice, 2)):
        call = world.enter()
        offer = world.offer_of(call).offer
        leg = world.leg(call, "101")
        for fact in (
            t.OfferRinging(call, offer, device("101"), leg),
            t.OfferAnswered(call, offer, device("101"), leg),
            t.TalkBegan(call, offer, device("101"), leg),
            t.Held(call),
            t.Resumed(call),
            t.AgentLegGone(call, leg, device("101"), 16, hung_up=True, fault=False),
            t.CallGone(call, 16),
        ):
            for _ in range(times):
                world.do(fact)
    assert once.events == twice.events


def test_hold_is_part_of_the_talk_and_counted_apart() -> None:
    world = World.with_agents("101")
    call = world.enter()
    world.answer(call, "101")
    world.now += 10
    world.do(t.Held(call))
    world.now += 5
    world.do(t.Resumed(call))
    world.now += 10
    world.agent_hangs_up(call, "101")
    assert (world.call(call).talk_s, world.call(call).hold_s) == (25.0, 5.0)


def test_a_break_asked_for_while_the_phone_rings_stops_the_ringing() -> None:
    world = World.with_agents("101", "102")
    call = world.enter()
    world.ring(call, "101")
    effects = world.do(TakeBreak(AgentId("101"), "lunch"))
    assert effects.requests == (Withdraw(call, world.offer_of(call).offer, (world.leg(call, "101"),)),)
    world.miss(call, "101", MissCause.NO_ANSWER)
    assert world.agent("101").state is AgentState.BREAK
    assert world.rung(call) == ("102",)
    assert [event.cause for event in world.of(OfferDeclined)] == [MissCause.CANCELLED]  # type: ignore[attr-defined]


def test_a_sign_out_before_the_phone_rings_stops_it_when_it_does() -> None:
    world = World.with_agents("101")
    call = world.enter()
    assert world.do(SignOut(AgentId("101"))).requests == ()
    assert isinstance(world.ring(call, "101").requests[0], Withdraw)


def test_a_break_asked_for_during_a_call_begins_after_it() -> None:
    world = World.with_agents("101")
    call = world.enter()
    world.answer(call, "101")
    world.do(TakeBreak(AgentId("101"), "lunch"))
    assert (world.agent("101").status, world.agent("101").state) == ("break", AgentState.TALKING)
    world.agent_hangs_up(call, "101")
    world.wait(10)
    assert world.agent("101").state is AgentState.BREAK
    world.do(BecomeAvailable(AgentId("101")))
    assert world.agent("101").state is AgentState.IDLE


def test_an_offer_the_pbx_refused_frees_the_agent_and_is_tried_again() -> None:
    world = World.with_agents("101")
    call = world.enter()
    offer = world.offer_of(call)
    world.do(t.RequestFailed(offer, t.RequestFailure.REFUSED))
    assert world.agent("101").state is AgentState.IDLE
    assert world.rung(call) == ()
    world.wait(1.1)
    assert world.rung(call) == ("101",)


def test_nobody_passes_those_whose_offers_a_link_could_not_take() -> None:
    """After a stall the link takes offers again a moment later: whoever comes in that moment stands behind."""
    world = World.with_agents("101")
    first = world.enter()
    world.do(t.RequestFailed(world.offer_of(first), t.RequestFailure.LINK_DOWN))
    second = world.enter()
    assert (world.rung(first), world.rung(second)) == ((), ())
    world.wait(PAUSE_S)
    assert (world.rung(first), world.rung(second)) == (("101",), ())


def test_an_offer_of_unknown_outcome_is_not_repeated_blindly() -> None:
    world = World.with_agents("101")
    call = world.enter()
    world.do(t.RequestFailed(world.offer_of(call), t.RequestFailure.UNKNOWN_OUTCOME))
    assert world.rung(call) == ("101",)
    effects = world.wait(15 + 10 + 1)
    assert [type(request) for request in effects.requests] == [t.Resync]
    assert sum(isinstance(one, Offer) for one in world.requests) == 1


def test_a_picked_up_phone_lost_before_a_word_brings_the_caller_back_to_the_line() -> None:
    world = World.with_agents("101")
    call = world.enter()
    offer = world.offer_of(call).offer
    world.do(t.OfferAnswered(call, offer, device("101"), world.leg(call, "101")))
    effects = world.do(t.CallerFreed(call, offer))
    assert effects.requests[0] == ReturnToLine(call, world.call(call).leg)
    assert world.call(call).state is CallState.WAITING


def test_the_caller_is_hung_up_after_the_agent_left() -> None:
    world = World.with_agents("101")
    call = world.enter()
    world.answer(call, "101")
    effects = world.do(t.CallerFreed(call, world.offer_of(call).offer))
    assert effects.requests == (HangUp(world.call(call).leg),)
    assert world.call(call).state is CallState.AFTER


def test_a_supervisor_ends_a_call_and_the_record_says_who() -> None:
    world = World.with_agents()
    call = world.enter()
    assert world.do(HangUpCall(call)).requests == (HangUp(world.call(call).leg),)
    world.hang_up(call)
    assert world.call(call).ended_by == "service"
    with pytest.raises(Conflict) as refusal:
        world.do(HangUpCall(call))
    assert refusal.value.details == {"current": "ended", "requested": "ended"}


def test_a_caller_who_hangs_up_first_is_named() -> None:
    world = World.with_agents("101")
    call = world.enter()
    world.answer(call, "101")
    world.do(t.AgentLegGone(call, world.leg(call, "101"), device("101"), 16, hung_up=False, fault=False))
    world.hang_up(call)
    assert [event.ended_by for event in world.of(CallEnded)] == ["caller"]  # type: ignore[attr-defined]


def test_a_service_about_to_stop_begins_no_offer_and_lets_calls_be() -> None:
    world = World.with_agents("101")
    talking = world.enter()
    world.answer(talking, "101")
    world.do(StopOffering())
    world.agent_hangs_up(talking, "101")
    world.wait(20)
    assert world.rung(world.enter()) == ()


def test_a_call_unknown_to_the_floor_is_ignored() -> None:
    world = World.with_agents("101")
    assert world.do(t.CallGone(CallId("pbx1-1.1"), 16)).events == ()


def test_an_agent_who_leaves_in_the_moment_of_answering_does_not_cost_the_caller_the_place() -> None:
    world = World.with_agents("101", "102")
    call = world.enter()
    offer, leg = world.offer_of(call).offer, world.leg(call, "101")
    world.ring(call, "101")
    world.do(SignOut(AgentId("101")))
    world.do(t.OfferAnswered(call, offer, device("101"), leg))
    world.do(t.TalkBegan(call, offer, device("101"), leg))
    world.do(t.AgentLegGone(call, leg, device("101"), 16, hung_up=False, fault=False))
    effects = world.do(t.CallerFreed(call, offer))
    assert effects.requests == (ReturnToLine(call, world.call(call).leg),)
    assert world.call(call).outcome is None
    world.wait(1.1)
    assert world.rung(call) == ("102",)


def test_a_phone_that_refuses_at_once_is_not_rung_in_a_loop() -> None:
    world = World.with_agents("101", rest_s=0)
    call = world.enter()
    for _ in range(200):
        if world.rung(call):
            world.miss(call, "101", MissCause.REJECTED)
        world.wait(0.01)
    assert sum(isinstance(request, Offer) for request in world.requests) <= 3


def test_a_phone_that_has_hung_up_is_free_before_the_pbx_says_so() -> None:
    world = World.with_agents("101", wrap_up_s=0)
    first, second = world.enter(), world.enter()
    world.answer(first, "101")
    world.phone("101", DeviceState.BUSY)
    world.do(t.AgentHungUp(first, world.leg(first, "101"), device("101")))
    assert world.rung(second) == ("101",)
    world.wait(1)
    assert world.rung(second) == ("101",)


def test_a_phone_that_has_hung_up_and_is_still_busy_has_another_call() -> None:
    world = World.with_agents("101", wrap_up_s=0)
    call = world.enter()
    world.answer(call, "101")
    world.phone("101", DeviceState.BUSY)
    world.do(t.AgentHungUp(call, world.leg(call, "101"), device("101")))
    assert world.agent("101").state is AgentState.IDLE
    world.wait(0.6)
    assert world.agent("101").state is AgentState.BUSY_ELSEWHERE
    world.phone("101", DeviceState.NOT_IN_USE)
    assert world.agent("101").state is AgentState.IDLE


def test_the_pbx_word_ends_the_doubt() -> None:
    world = World.with_agents("101", wrap_up_s=0)
    call = world.enter()
    world.answer(call, "101")
    world.phone("101", DeviceState.BUSY)
    world.do(t.AgentHungUp(call, world.leg(call, "101"), device("101")))
    world.phone("101", DeviceState.NOT_IN_USE)
    world.wait(1)
    assert world.agent("101").state is AgentState.IDLE
    assert world.floor.doubted == {}
