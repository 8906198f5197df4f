"""Limits of a queue: who is led where, that the place is kept, and that nobody is led in circles."""

import pytest

from acd import telephony as t
from acd.agents import AgentSpec
from acd.calls import CallState
from acd.commands import (
    BecomeAvailable,
    CloseQueue,
    DefineAgent,
    DefineQueue,
    HangUpCall,
    OpenQueue,
    RestoreClosing,
    RestoreVisit,
    SetTimetable,
    SignIn,
    SignOut,
    TakeBreak,
    TransferCall,
)
from acd.errors import AcdError
from acd.events import CallEnded, CallQueued, VisitDecided, VoicemailLeft
from acd.explain import why_call
from acd.hours import Timetable
from acd.ids import AgentId, CallId, QueueId
from acd.limits import (
    Destination,
    Limit,
    Overflow,
    Presence,
    Route,
    ToMessage,
    ToNumber,
    ToQueue,
    ToVoicemail,
)
from acd.outcomes import Outcome
from acd.picture import line, queue, stats
from acd.queues import QueueSpec
from acd.talks import PlacePolicy, TargetKind
from acd.telephony import DeviceState, LegStage, SnapshotCall
from tests.support.world import PBX, SALES, World, device

B, C = QueueId("b"), QueueId("c")
TO_B, TO_C, TO_SALES = ToQueue(B), ToQueue(C), ToQueue(SALES)


def world_with(rules: Overflow, *agents: str, b: Overflow | None = None, c: Overflow | None = None) -> World:
    """``sales`` with these rules and agents, and the queues b and c, which nobody serves."""
    world = World.with_agents(*agents, overflow=rules, wrap_up_s=0)
    world.do(DefineQueue(QueueSpec(B, "8001", overflow=b or Overflow())))
    world.do(DefineQueue(QueueSpec(C, "8002", overflow=c or Overflow())))
    return world


def last(world: World, call: CallId, kind: type) -> t.Request:
    return [one for one in world.requests if isinstance(one, kind) and one.call == call][-1]


def way(world: World, call: CallId) -> list[tuple[str, str | None, str | None]]:
    """Queue, limit and destination of each visit."""
    return [(visit.queue, visit.limit, visit.led_to) for visit in world.call(call).visits]


def conserved(world: World) -> None:
    """Entered = decided + waiting, in every queue."""
    for name in world.floor.queues:
        entered = sum(isinstance(one, CallQueued) and one.queue == name for one in world.events)
        decided = sum(isinstance(one, VisitDecided) and one.queue == name for one in world.events)
        figures = stats(world.floor, name, 0.0, world.now)
        assert (figures.offered, figures.counts.decided) == (entered, decided)


def closed_until(opens_at: float) -> Timetable:
    return Timetable(((opens_at, opens_at + 3600),), (), opens_at + 7200)


def test_outside_the_hours_a_caller_is_told_so_and_the_visit_overflows() -> None:
    world = world_with(Overflow(), "101")
    world.do(SetTimetable(SALES, closed_until(world.now + 60)))
    call = world.enter()
    lead = last(world, call, t.Lead)
    assert isinstance(lead, t.Lead)
    assert (lead.kind, lead.say) == ("message", ("closed",))
    assert (world.call(call).state, world.call(call).outcome, world.rung(call)) == ("after", "overflowed", ())
    world.do(t.LeadEnded(call, by_caller=False, recorded=False))
    world.hang_up(call)
    (ended,) = world.of(CallEnded)
    assert isinstance(ended, CallEnded)
    assert (ended.outcome, ended.ended_by) == ("overflowed", "service")
    conserved(world)
    world.wait(60)
    assert world.rung(world.enter()) == ("101",)


def test_a_holiday_says_so() -> None:
    world = world_with(Overflow(holiday=ToVoicemail(most_s=30, silence_s=3)))
    world.do(SetTimetable(SALES, Timetable((), ((world.now - 1, world.now + 10),), world.now + 100)))
    call = world.enter()
    lead = last(world, call, t.Lead)
    assert isinstance(lead, t.Lead)
    assert (lead.kind, lead.say, lead.most_s, lead.silence_s) == ("voicemail", ("holiday", "leave-message"), 30, 3)
    assert lead.file == f"sales.{call}"
    world.do(t.LeadEnded(call, by_caller=True, recorded=True))
    assert isinstance(world.of(VoicemailLeft)[-1], VoicemailLeft)
    assert way(world, call) == [("sales", Limit.HOLIDAY, "voicemail")]


def test_a_timetable_that_has_run_out_is_open() -> None:
    world = world_with(Overflow(), "101")
    world.do(SetTimetable(SALES, Timetable((), (), world.now + 10)))
    world.now += 11
    assert world.rung(world.enter()) == ("101",)


def test_whoever_waits_at_closing_time_stays_unless_the_queue_says_otherwise() -> None:
    for leave, state in ((False, "waiting"), (True, "after")):
        world = world_with(Overflow(leave_on_close=leave))
        world.do(SetTimetable(SALES, Timetable(((world.now - 1, world.now + 30),), (), world.now + 1000)))
        call = world.enter()
        world.wait(31)
        assert world.call(call).state == state
        conserved(world)


def test_a_full_queue_leads_to_another_at_the_place_of_the_first_entry() -> None:
    world = world_with(Overflow(most_waiting=1, full=TO_B))
    before = world.enter("b", entered_at=world.now - 5)
    world.enter()
    call = world.enter(entered_at=world.now - 3)
    after = world.enter("b", entered_at=world.now - 1)
    assert world.line("b") == [before, call, after]
    place = last(world, call, t.Place)
    assert isinstance(place, t.Place)
    assert (place.visit.queue, place.visit.since, place.visit.trail) == (B, world.now - 3, ("sales",))
    assert place.say == ("queue-full", "to-other-queue")
    assert line(world.floor, B, world.now)[1].waited_s == 3.0
    conserved(world)


def test_a_place_that_is_not_kept_is_the_last() -> None:
    world = world_with(Overflow(most_waiting=1, full=ToQueue(B, keep_place=False)))
    other = world.enter("b")
    world.enter()
    world.now += 1
    call = world.enter(entered_at=world.now - 30)
    assert world.line("b") == [other, call]


def test_an_overflowed_caller_is_served_at_once_by_a_free_agent_there() -> None:
    world = world_with(Overflow(joining_needs=Presence.SIGNED_IN, no_agent=TO_B))
    world.do(t.DeviceChanged(device("7"), DeviceState.NOT_IN_USE))
    world.hire("7", "b")
    world.do(SignIn(AgentId("7")))
    call = world.enter()
    assert world.rung(call) == ("7",)
    world.answer(call, "7")
    assert way(world, call) == [("sales", Limit.NO_AGENT, "queue:b"), ("b", None, None)]
    assert [visit.outcome for visit in world.call(call).visits] == [Outcome.OVERFLOWED, Outcome.ANSWERED]
    conserved(world)


def test_a_ring_of_full_queues_comes_to_an_end() -> None:
    full = {"joining_needs": Presence.SIGNED_IN}
    world = world_with(
        Overflow(no_agent=TO_B, **full),  # type: ignore[arg-type]
        b=Overflow(no_agent=TO_C, **full),  # type: ignore[arg-type]
        c=Overflow(no_agent=TO_SALES, **full),  # type: ignore[arg-type]
    )
    call = world.enter()
    assert way(world, call) == [
        ("sales", Limit.NO_AGENT, "queue:b"),
        ("b", Limit.NO_AGENT, "queue:c"),
        ("c", Limit.NO_AGENT, "message"),
    ]
    assert len([one for one in world.requests if isinstance(one, t.Lead | t.Place)]) == 1
    conserved(world)
    assert why_call(world.floor, call, world.now).overflows[1].led_to == "queue:c"


def test_two_queues_that_wait_too_long_keep_the_caller_in_the_second() -> None:
    world = world_with(Overflow(most_wait_s=10, waited=TO_B), b=Overflow(most_wait_s=10, waited=TO_SALES))
    call = world.enter()
    world.wait(100)
    assert way(world, call) == [("sales", Limit.WAITED, "queue:b"), ("b", None, None)]
    assert world.call(call).state == "waiting"
    assert world.floor.next_deadline() is None
    conserved(world)


def test_who_has_waited_too_long_while_a_phone_rings_is_led_when_it_is_not_answered() -> None:
    world = world_with(Overflow(most_wait_s=10, waited=ToMessage()), "101")
    call = world.enter()
    world.ring(call, "101")
    world.wait(12)
    assert world.call(call).state == CallState.OFFERED
    world.miss(call, "101")
    world.wait(0)
    assert (world.call(call).state, world.call(call).outcome) == ("after", "overflowed")
    conserved(world)


def test_a_number_must_be_allowed() -> None:
    number = ToNumber("02112345678", ring_s=20)
    for routes, kind, dial in (
        ((), "message", ""),
        ((Route("0219*", "PJSIP/{number}@trunk"),), "message", ""),
        ((Route("021*", "PJSIP/{number}@trunk"),), "number", "PJSIP/02112345678@trunk"),
        ((Route("02112345678", "PJSIP/agent-{number}"),), "number", "PJSIP/agent-02112345678"),
    ):
        world = world_with(Overflow(joining_needs=Presence.SIGNED_IN, no_agent=number))
        world.floor.routes = routes
        lead = last(world, world.enter(), t.Lead)
        assert isinstance(lead, t.Lead)
        assert (lead.kind, lead.dial) == (kind, dial)


def test_nobody_there_is_seen_when_the_last_one_goes_and_lasts() -> None:
    for needs, leaves in ((Presence.SIGNED_IN, "out"), (Presence.AVAILABLE, "break"), (Presence.REACHABLE, "phone")):
        world = world_with(Overflow(waiting_needs=needs, empty_s=5.0), "101")
        world.answer(world.enter(), "101")
        call = world.enter()
        if leaves == "out":
            world.do(SignOut(AgentId("101")))
        elif leaves == "break":
            world.do(TakeBreak(AgentId("101")))
        else:
            world.agent_hangs_up(next(iter(world.floor.calls)), "101")
            world.phone("101", DeviceState.UNAVAILABLE)
        assert world.call(call).state in ("waiting", "offered")
        if world.call(call).state == "offered":
            world.miss(call, "101", t.MissCause.UNREACHABLE)
        world.wait(6)
        assert (world.call(call).state, world.call(call).outcome) == ("after", "overflowed"), needs
        conserved(world)


def test_a_phone_that_is_back_in_time_keeps_the_caller() -> None:
    world = world_with(Overflow(waiting_needs=Presence.REACHABLE, empty_s=5.0), "101")
    world.answer(world.enter(), "101")
    call = world.enter()
    world.do(TakeBreak(AgentId("101")))
    world.wait(4)
    world.do(BecomeAvailable(AgentId("101")))
    world.wait(10)
    assert world.call(call).state == "waiting"


def test_an_agent_who_leaves_the_queue_is_not_there_any_more() -> None:
    world = world_with(Overflow(waiting_needs=Presence.SIGNED_IN, empty_s=1.0), "101")
    world.answer(world.enter(), "101")
    call = world.enter()
    world.do(DefineAgent(AgentSpec(AgentId("101"), device=device("101"), queues=(B,))))
    world.wait(2)
    assert world.call(call).outcome == "overflowed"
    assert world.floor.queues[SALES].presence == [0, 0, 0, 0]
    assert world.floor.queues[B].presence == [0, 0, 0, 1]


def test_an_expected_wait_that_is_too_long_leads_away() -> None:
    world = world_with(Overflow(most_expected_s=200.0, expected=ToVoicemail()), "101")
    world.answer(world.enter(), "101")
    calls = [world.enter() for _ in range(3)]  # three minutes each are assumed
    assert [world.call(call).state for call in calls] == ["waiting", "after", "after"]
    assert way(world, calls[1]) == [("sales", Limit.EXPECTED, "voicemail")]


def test_a_supervisor_closes_and_opens() -> None:
    world = world_with(Overflow(closed=TO_B), "101")
    world.answer(world.enter(), "101")
    stays = world.enter()
    world.do(CloseQueue(SALES, "sara", "fire alarm"))
    view = queue(world.floor, SALES, world.now)
    assert view.closing is not None
    assert (view.closed, view.closing.by, view.closing.reason) == (Limit.CLOSED_NOW, "sara", "fire alarm")
    assert world.call(stays).state == "waiting"
    assert way(world, world.enter())[0] == ("sales", Limit.CLOSED_NOW, "queue:b")
    own: Destination = ToMessage(("fire",))
    world.do(CloseQueue(SALES, "sara", "fire alarm", own, leave=True))
    world.wait(0)
    lead = last(world, stays, t.Lead)
    assert isinstance(lead, t.Lead)
    assert lead.say == ("fire",)
    world.do(OpenQueue(SALES, "omid"))
    assert queue(world.floor, SALES, world.now).closed is None
    assert world.call(world.enter()).state == "waiting"
    with pytest.raises(AcdError, match="nobody has closed"):
        world.do(OpenQueue(SALES, "omid"))
    conserved(world)


def test_while_the_pbx_is_away_nobody_is_led_and_afterwards_they_are() -> None:
    world = world_with(Overflow(most_wait_s=10, waited=ToMessage()))
    call = world.enter()
    world.do(t.LinkDown(PBX, "reset"))
    world.wait(20)
    assert world.call(call).state == "waiting"
    world.do(
        t.PbxSnapshot(PBX, "boot-1", (SnapshotCall(world.entry(entered_at=world.now - 20), LegStage.WAITING),), ())
    )
    world.wait(6)
    assert world.call(call).outcome == "overflowed"


def found(world: World, call: CallId, stage: LegStage) -> None:
    """A new service, told what was decided before, finds the caller as the channel tells."""
    place = next((one for one in reversed(world.requests) if isinstance(one, t.Place) and one.call == call), None)
    serial = int(call.rpartition(".")[2])
    entry = t.CallEntered(call, world.call(call).leg, "sales", world.call(call).entered_at, serial, 0, None, None)
    if place is not None:
        entry = t.CallEntered(
            call, entry.leg, place.visit.queue, entry.entered_at, serial, 0, None, None, visit=place.visit
        )  # fmt: skip
    again = World(now=world.now + 2)
    for one in world.floor.queues.values():
        again.do(DefineQueue(one.spec))
        if one.closing is not None:
            again.do(RestoreClosing(one.spec.id, one.closing))
    for event in world.of(VisitDecided):
        assert isinstance(event, VisitDecided)
        at = event.entered_at
        again.do(RestoreVisit(event.call, event.queue, at, at + event.waited_s, event.outcome))
    again.do(t.PbxSnapshot(PBX, "boot-1", (SnapshotCall(entry, stage),), ()))
    world.floor, world.now, world.requests = again.floor, again.now, again.requests
    world.events += [one for one in again.events if not isinstance(one, CallQueued) or not one.adopted]


def test_after_a_restart_the_caller_stands_where_the_limit_led_him_and_is_not_led_back() -> None:
    world = world_with(Overflow(most_wait_s=10, waited=TO_B), b=Overflow(most_wait_s=30, waited=TO_SALES))
    call = world.enter()
    entered_at = world.now
    world.wait(11)
    found(world, call, LegStage.WAITING)
    assert world.line("b") == [call]
    assert line(world.floor, B, world.now)[0].entered_at == entered_at
    world.wait(60)
    assert world.call(call).queue == "b"
    world.hang_up(call)
    conserved(world)
    figures = stats(world.floor, B, 0.0, world.now).counts
    assert (figures.abandoned, figures.overflowed) == (1, 0)
    assert stats(world.floor, SALES, 0.0, world.now).counts.overflowed == 1


def test_after_a_restart_a_caller_on_the_way_out_is_counted_once() -> None:
    world = world_with(Overflow(most_waiting=1), "101")
    world.do(CloseQueue(SALES, "sara"))
    call = world.enter()
    found(world, call, LegStage.LED)
    assert world.call(call).state == "after"
    world.hang_up(call)
    assert stats(world.floor, SALES, 0.0, world.now).counts.overflowed == 1


def test_a_caller_who_was_passed_on_is_led_on_but_not_to_where_he_has_been() -> None:
    world = world_with(Overflow(), "101", b=Overflow(most_wait_s=10, waited=TO_SALES))
    for to, led in ((TO_SALES, False), (TO_C, True)):
        world.do(DefineQueue(QueueSpec(B, "8001", overflow=Overflow(most_wait_s=10, waited=to))))
        entered_at = world.now
        call = world.enter()
        world.answer(call, "101")
        world.now += 5
        world.do(TransferCall(call, TargetKind.QUEUE, "b", PlacePolicy.END))
        world.wait(11)
        if led:
            place = last(world, call, t.Place)
            assert isinstance(place, t.Place)
            assert (place.visit.queue, place.visit.since, place.visit.trail) == (C, entered_at, ("sales", "b"))
            assert world.line("c") == [call]
            outcomes = [visit.outcome for visit in world.call(call).visits]
            assert outcomes == [Outcome.ANSWERED, Outcome.OVERFLOWED, None]
        else:
            assert world.line("b") == [call]
        world.hang_up(call)
    conserved(world)


def test_after_a_restart_a_caller_whom_no_lead_has_reached_waits_on_as_a_new_visit() -> None:
    world = world_with(Overflow(), "101")
    world.do(CloseQueue(SALES, "sara"))
    call = world.enter()
    assert way(world, call) == [("sales", Limit.CLOSED_NOW, "message")]
    found(world, call, LegStage.WAITING)
    assert world.line() == [call]
    back = world.requests[-1]
    assert isinstance(back, t.ReturnToLine)
    assert back.visit is not None
    assert not back.visit.front
    world.hang_up(call)
    counts = stats(world.floor, SALES, 0.0, world.now).counts
    assert (counts.overflowed, counts.abandoned) == (1, 1)
    conserved(world)


def test_a_lead_that_did_not_reach_the_channel_is_sent_again() -> None:
    world = world_with(Overflow(), "101")
    world.do(CloseQueue(SALES, "sara"))
    call = world.enter()
    entry = world.entry()
    before = len(world.requests)
    world.now += 1
    world.do(t.PbxSnapshot(PBX, "boot-1", (SnapshotCall(entry, LegStage.WAITING),), (), asked_at=world.now))
    assert isinstance(last(world, call, t.Lead), t.Lead)
    assert len(world.requests) == before + 1
    world.do(t.PbxSnapshot(PBX, "boot-1", (SnapshotCall(entry, LegStage.LED),), (), asked_at=world.now))
    assert len(world.requests) == before + 1


def test_a_supervisor_can_end_a_call_that_was_led_away() -> None:
    world = world_with(Overflow())
    world.do(CloseQueue(SALES, "sara"))
    call = world.enter()
    world.do(HangUpCall(call))
    assert isinstance(world.requests[-1], t.HangUp)


def test_closing_a_queue_of_a_thousand_waiting_callers_leads_all_of_them_in_turns() -> None:
    world = world_with(Overflow())
    calls = [world.enter() for _ in range(1000)]
    world.do(CloseQueue(SALES, "sara", leave=True))
    assert max(len(effects) for effects in iter_turns(world)) <= 200
    assert all(world.call(call).outcome == "overflowed" for call in calls)
    conserved(world)


def iter_turns(world: World) -> list[list[t.Request]]:
    turns = []
    while (due := world.floor.next_deadline()) is not None and due <= world.now + 1:
        world.now = max(world.now, due)
        effects = world.floor.tick(world.now)
        world.events.extend(effects.events)
        turns.append(list(effects.requests))
    return turns
