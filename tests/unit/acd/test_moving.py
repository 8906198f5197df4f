"""Calls that change hands: hand-assigned, passed on, returned to the line after a fault, and found again after a restart."""

import pytest

from acd import telephony as t
from acd.agents import AgentState
from acd.calls import CallState
from acd.commands import AmendCall, DefineQueue, HangUpCall, OfferCall, RestoreVisit, SignIn, TransferCall
from acd.errors import AcdError, Conflict, Invalid, NotFound
from acd.events import CallAssigned, CallQueued, CallTransferred, TalkEnded, TransferEnded, VisitDecided
from acd.floor import Floor
from acd.ids import AgentId, CallId, LegId, QueueId
from acd.outcomes import Outcome
from acd.picture import call as picture_of
from acd.picture import stats
from acd.queues import QueueSpec
from acd.talks import PlacePolicy, TargetKind, TransferResult
from acd.telephony import LegStage, LineVisit, MissCause, Offer, ReturnToLine
from tests.support.world import PBX, SALES, World, device

SUPPORT = QueueId("support")
OUTSIDE = "0912777"


def given_a_talk(**queue: object) -> tuple[World, CallId]:
    """The caller talks to 101; 102 serves support only and is free."""
    world = World.with_agents("101", **queue)
    world.do(DefineQueue(QueueSpec(SUPPORT, "8001")))
    world.hire("102", "support")
    world.do(SignIn(AgentId("102")))
    world.phone("102", t.DeviceState.NOT_IN_USE)
    call = world.enter()
    world.now += 3
    world.answer(call, "101")
    world.now += 10
    return world, call


def pass_on(world: World, call: CallId, kind: TargetKind, to: str, place: PlacePolicy = PlacePolicy.KEPT) -> None:
    world.do(TransferCall(call, kind, to, place))


def test_to_an_agent_the_first_wraps_up_and_the_second_rings() -> None:
    world, call = given_a_talk(wrap_up_s=20)
    pass_on(world, call, TargetKind.AGENT, "102")
    assert world.agent("101").state is AgentState.WRAP_UP
    assert world.agent("102").state is AgentState.RINGING
    offer = world.requests[-1]
    assert isinstance(offer, Offer)
    assert (offer.targets, offer.passed_on) == ((device("102"),), True)
    assert world.call(call).position is None
    world.now += 2
    world.answer(call, "102")
    world.now += 30
    world.agent_hangs_up(call, "102")
    view = world.call(call)
    assert [(talk.agent, talk.talk_s) for talk in view.talks] == [("101", 10.0), ("102", 30.0)]
    assert (view.talk_s, view.agent, view.transfers[0].result) == (40.0, "102", TransferResult.CONNECTED)
    assert [event.talk_s for event in world.of(TalkEnded)] == [10.0, 30.0]  # type: ignore[attr-defined]
    assert len(world.of(VisitDecided)) == len(world.of(CallQueued)) == 1


def test_an_agent_who_is_not_free_is_refused_with_the_bar_and_nothing_changes() -> None:
    world, call = given_a_talk()
    world.phone("102", t.DeviceState.IN_USE)
    with pytest.raises(Conflict) as refusal:
        pass_on(world, call, TargetKind.AGENT, "102")
    assert (refusal.value.slug, refusal.value.details["bar"]) == ("agent_not_free", "not_idle")
    assert world.call(call).state is CallState.TALKING
    assert world.agent("101").state is AgentState.TALKING


@pytest.mark.parametrize(
    ("kind", "to", "kind_of_error"),
    [
        (TargetKind.QUEUE, "nowhere", NotFound),
        (TargetKind.AGENT, "999", NotFound),
        (TargetKind.NUMBER, "12-34", Invalid),
        (TargetKind.NUMBER, "1", Invalid),
    ],
)
def test_a_target_that_makes_no_sense_is_refused(kind: TargetKind, to: str, kind_of_error: type[AcdError]) -> None:
    world, call = given_a_talk()
    with pytest.raises(kind_of_error):
        pass_on(world, call, kind, to)
    assert world.call(call).state is CallState.TALKING


def test_without_an_outside_line_no_number_is_dialled() -> None:
    world, call = given_a_talk()
    world.floor.outside = None
    with pytest.raises(Conflict, match="outside"):
        pass_on(world, call, TargetKind.NUMBER, OUTSIDE)


def test_a_call_that_waits_or_is_being_hung_up_is_not_passed_on() -> None:
    world, call = given_a_talk()
    waiting = world.enter()
    with pytest.raises(Conflict, match="waiting"):
        pass_on(world, waiting, TargetKind.QUEUE, "support")
    world.do(HangUpCall(call))
    with pytest.raises(Conflict, match="hang_up_asked"):
        pass_on(world, call, TargetKind.QUEUE, "support")


@pytest.mark.parametrize(
    ("place", "order"),
    [(PlacePolicy.FRONT, (0, 1, 2)), (PlacePolicy.KEPT, (1, 0, 2)), (PlacePolicy.END, (1, 2, 0))],
)
def test_a_queue_takes_the_caller_in_where_the_policy_says(place: PlacePolicy, order: tuple[int, ...]) -> None:
    world = World.with_agents("101")
    world.do(DefineQueue(QueueSpec(SUPPORT, "8001")))
    early = world.enter("support")
    world.now += 5
    call = world.enter()
    world.answer(call, "101")
    world.now += 5
    late = world.enter("support")
    world.now += 5
    pass_on(world, call, TargetKind.QUEUE, "support", place)
    people = (call, early, late)
    assert world.line("support") == [people[position] for position in order]
    back = world.requests[-1]
    assert isinstance(back, ReturnToLine)
    assert back.visit == LineVisit(
        SUPPORT, world.now, back.visit.since if back.visit else 0, place is PlacePolicy.FRONT, (SALES,)
    )
    if place is PlacePolicy.FRONT:  # it stays so when the line is made anew
        world.do(AmendCall(early, 9))
        assert world.line("support")[0] == call


def test_a_transfer_to_a_queue_is_a_new_visit_and_the_equation_holds() -> None:
    world, call = given_a_talk()
    pass_on(world, call, TargetKind.QUEUE, "support")
    assert world.rung(call) == ("102",)
    world.answer(call, "102")
    view = world.call(call)
    assert [(visit.queue, visit.outcome) for visit in view.visits] == [
        (SALES, Outcome.ANSWERED),
        (SUPPORT, Outcome.ANSWERED),
    ]
    for queue in (SALES, SUPPORT):
        figures = stats(world.floor, queue, 0.0, world.now)
        assert (figures.offered, figures.counts.answered, figures.waiting) == (1, 1, 0)
    world.agent_hangs_up(call, "102")
    assert [world.floor.queues[queue].live_calls for queue in (SALES, SUPPORT)] == [0, 0]


@pytest.mark.parametrize(("kind", "to"), [(TargetKind.AGENT, "102"), (TargetKind.NUMBER, OUTSIDE)])
def test_nobody_takes_it_and_the_caller_stands_at_the_head(kind: TargetKind, to: str) -> None:
    world, call = given_a_talk(rest_s=0)
    world.do(SignIn(AgentId("101")))
    others = [world.enter(priority=5), world.enter()]
    pass_on(world, call, kind, to)
    offer = world.offer_of(call)
    world.do(t.OfferMissed(call, offer.offer, offer.targets[0], MissCause.NO_ANSWER))
    world.do(t.OfferEnded(call, offer.offer))
    assert world.line()[0] == call
    assert set(world.line()) <= {call, *others}
    assert world.call(call).transfers[0].result is TransferResult.FAILED
    assert [event.result for event in world.of(TransferEnded)] == [TransferResult.FAILED]  # type: ignore[attr-defined]


def test_a_number_outside_is_a_talk_of_nobodys() -> None:
    world, call = given_a_talk()
    pass_on(world, call, TargetKind.NUMBER, OUTSIDE)
    offer = world.offer_of(call)
    assert offer.targets == (f"{PBX}/PJSIP/{OUTSIDE}@trunk",)
    world.do(t.OfferAnswered(call, offer.offer, offer.targets[0], LegId(f"{PBX}-7.7")))
    world.do(t.TalkBegan(call, offer.offer, offer.targets[0], LegId(f"{PBX}-7.7")))
    last = world.call(call).talks[-1]
    assert (last.agent, last.number) == (None, OUTSIDE)
    world.do(t.AgentLegGone(call, LegId(f"{PBX}-7.7"), offer.targets[0], 16, hung_up=True, fault=False))
    ended = world.do(t.CallerFreed(call, offer.offer))
    assert ended.requests == (t.HangUp(world.call(call).leg),)


@pytest.mark.parametrize(
    ("digits", "kind", "to"),
    [("8001", "queue", "support"), ("102", "agent", "102"), (OUTSIDE, "number", OUTSIDE)],
)
def test_what_a_phone_dials_is_understood(digits: str, kind: str, to: str) -> None:
    world, call = given_a_talk()
    leg = world.leg(call, "101")
    world.do(t.AgentLegGone(call, leg, device("101"), 16, hung_up=False, fault=False))
    for _ in range(2):
        world.do(t.TransferAsked(call, world.call(call).leg, digits))
    (event,) = world.of(CallTransferred)
    assert isinstance(event, CallTransferred)
    assert (event.agent, event.target, event.to) == ("101", kind, to)


def test_a_phone_that_passes_on_to_somebody_busy_brings_the_caller_back_to_the_head() -> None:
    world, call = given_a_talk(wrap_up_s=20)
    world.phone("102", t.DeviceState.IN_USE)
    waits = world.enter()
    world.do(t.TransferAsked(call, world.call(call).leg, "102"))
    assert world.line() == [call, waits]
    assert isinstance(world.requests[-1], ReturnToLine)


def test_after_a_fault_the_caller_is_first_and_the_next_free_agent_has_him() -> None:
    world, call = given_a_talk(wrap_up_s=0)
    leg = world.leg(call, "101")
    offer = world.offer_of(call).offer
    waits = world.enter(priority=9)
    world.phone("101", t.DeviceState.UNAVAILABLE)
    world.do(t.AgentLegGone(call, leg, device("101"), 44, hung_up=False, fault=True))
    effects = world.do(t.CallerFreed(call, offer))
    assert [type(request) for request in effects.requests] == [ReturnToLine]
    assert world.line() == [call, waits]
    again = world.do(t.CallerFreed(call, offer))
    assert again.requests == ()
    assert [visit.outcome for visit in world.call(call).visits] == [Outcome.ANSWERED, None]


def test_a_waiting_call_is_handed_to_a_chosen_agent_of_another_queue() -> None:
    world, _ = given_a_talk()
    first, second = world.enter(), world.enter()
    world.do(OfferCall(second, AgentId("102")))
    assert world.rung(second) == ("102",)
    assert world.line() == [first, second]  # while phones ring the place is kept
    (event,) = world.of(CallAssigned)
    assert isinstance(event, CallAssigned)
    assert event.agent == "102"
    with pytest.raises(Conflict):
        world.do(OfferCall(second, AgentId("102")))
    with pytest.raises(Conflict) as refusal:
        world.do(OfferCall(first, AgentId("102")))
    assert refusal.value.details["bar"] == "not_idle"


def found(world: World, call: CallId, stage: LegStage, **more: object) -> Floor:
    """Another service, after a restart, that finds the call so; history has told it of the first visit."""
    view = world.call(call)
    again = World.with_agents("101")
    again.do(DefineQueue(QueueSpec(SUPPORT, "8001")))
    again.hire("102", "support")
    again.now = world.now + 5
    first = view.visits[0]
    assert first.decided_at is not None
    again.do(RestoreVisit(call, first.queue, first.entered_at, first.decided_at, Outcome.ANSWERED))
    serial = int(call.rpartition(".")[2])
    visit = more.pop("visit", None)
    queue = visit.queue if isinstance(visit, LineVisit) else SALES
    entered = t.CallEntered(call, view.leg, queue, first.entered_at, serial, 0, None, None, visit=visit)  # type: ignore[arg-type]
    snapshot = t.SnapshotCall(entered, stage, **more)  # type: ignore[arg-type]
    again.do(t.PbxSnapshot(PBX, "boot-1", (snapshot,), ((device("101"), t.DeviceState.NOT_IN_USE),)))
    world.floor, world.requests, world.events, world.now = again.floor, again.requests, again.events, again.now
    return again.floor


def test_a_restart_finds_a_caller_in_his_second_line_with_both_visits() -> None:
    world, call = given_a_talk()
    world.do(t.DeviceChanged(device("102"), t.DeviceState.UNAVAILABLE))
    pass_on(world, call, TargetKind.QUEUE, "support", PlacePolicy.FRONT)
    back = world.requests[-1]
    assert isinstance(back, ReturnToLine)
    floor = found(world, call, LegStage.WAITING, visit=back.visit)
    view = picture_of(floor, call, world.now)
    assert [(visit.queue, visit.outcome) for visit in view.visits] == [(SALES, Outcome.ANSWERED), (SUPPORT, None)]
    assert floor.calls[call].visit.front
    world.hang_up(call)
    figures = stats(floor, SUPPORT, 0.0, world.now)
    assert (figures.offered, figures.counts.abandoned) == (1, 1)


def test_a_restart_finds_a_caller_who_was_answered_waiting_and_sets_him_first() -> None:
    world, call = given_a_talk()
    floor = found(world, call, LegStage.WAITING)
    assert [visit.outcome for visit in floor.calls[call].visits] == [Outcome.ANSWERED, None]
    assert any(isinstance(request, ReturnToLine) for request in world.requests)


def test_a_restart_finds_a_transfer_ringing_and_its_failure_leads_to_the_line() -> None:
    world, call = given_a_talk()
    pass_on(world, call, TargetKind.AGENT, "102")
    offer = world.offer_of(call).offer
    floor = found(world, call, LegStage.OFFERED, offer=offer)
    assert floor.calls[call].state is CallState.OFFERED
    assert stats(floor, SALES, 0.0, world.now).waiting == 0
    world.do(t.OfferEnded(call, offer))
    assert floor.calls[call].visit.outcome is None
    assert len(floor.calls[call].visits) == 2


def test_a_talk_that_became_waiting_unseen_is_ended_and_said_so() -> None:
    world, call = given_a_talk(wrap_up_s=20)
    entered = t.CallEntered(call, world.call(call).leg, SALES, world.call(call).entered_at, 1, 0, None, None)
    snapshot = t.SnapshotCall(entered, LegStage.WAITING)
    devices = ((device("101"), t.DeviceState.NOT_IN_USE),)
    effects = world.do(t.PbxSnapshot(PBX, "boot-1", (snapshot,), devices, asked_at=world.now))
    ready = effects.events[-1]
    assert ("talk_lost", 1) in ready.repairs  # type: ignore[union-attr]
    assert world.agent("101").state is AgentState.WRAP_UP
    assert len(world.call(call).visits) == 2
