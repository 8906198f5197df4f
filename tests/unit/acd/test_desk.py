"""What people may ask of the floor, what they get, and what they are refused."""

import pytest

from acd import telephony as t
from acd.agents import AgentSpec, AgentState, Status
from acd.commands import (
    AmendCall,
    BecomeAvailable,
    DefineAgent,
    DefineQueue,
    EndWrapUp,
    ExtendWrapUp,
    RemoveAgent,
    RemoveQueue,
    RestoreAgent,
    SignIn,
    SignOut,
    TakeBreak,
)
from acd.errors import AcdError, Conflict, Invalid, NotFound
from acd.events import AgentStatusChosen, CallAmended, WrapUpEnded
from acd.ids import AgentId, CallId, QueueId
from acd.queues import QueueSpec
from acd.telephony import DeviceState
from tests.support.world import PBX, SALES, World, device

A = AgentId("101")


def refused(world: World, command: object) -> AcdError:
    """The refusal, and proof that it changed nothing."""
    before = (repr(world.floor.agents), repr(world.floor.queues), repr(world.floor.calls))
    with pytest.raises(AcdError) as refusal:
        world.do(command)  # type: ignore[arg-type]
    assert (repr(world.floor.agents), repr(world.floor.queues), repr(world.floor.calls)) == before
    return refusal.value


def test_unknown_things_are_refused_by_name() -> None:
    world = World.with_agents("101")
    nobody, nowhere = AgentId("999"), QueueId("nowhere")
    for command, slug in (
        (SignIn(nobody), "unknown_agent"),
        (SignOut(nobody), "unknown_agent"),
        (TakeBreak(nobody), "unknown_agent"),
        (BecomeAvailable(nobody), "unknown_agent"),
        (EndWrapUp(nobody), "unknown_agent"),
        (RemoveAgent(nobody), "unknown_agent"),
        (RemoveQueue(nowhere), "unknown_queue"),
        (AmendCall(CallId("pbx1-1.1"), priority=3), "unknown_call"),
    ):
        refusal = refused(world, command)
        assert isinstance(refusal, NotFound)
        assert refusal.slug == slug


def test_an_illegal_change_names_both_states() -> None:
    world = World.with_agents("101")
    world.do(SignOut(A))
    refusal = refused(world, TakeBreak(A, "lunch"))
    assert isinstance(refusal, Conflict)
    assert dict(refusal.details) == {"current": "signed_out", "requested": "break"}
    assert refused(world, BecomeAvailable(A)).details["current"] == "signed_out"
    assert refused(world, EndWrapUp(A)).slug == "illegal_transition"


def test_asking_twice_is_harmless_and_told_once() -> None:
    world = World.with_agents("101")
    told = len(world.of(AgentStatusChosen))
    world.do(TakeBreak(A, "lunch"))
    world.do(TakeBreak(A, "lunch"))
    world.do(BecomeAvailable(A))
    world.do(BecomeAvailable(A))
    assert len(world.of(AgentStatusChosen)) == told + 2


def test_one_phone_has_one_agent() -> None:
    world = World.with_agents("101", "102")
    refusal = refused(world, SignIn(AgentId("102"), device("101")))
    assert (refusal.slug, refusal.details["agent"]) == ("device_taken", "101")
    world.do(SignOut(A))
    world.do(SignIn(AgentId("102"), device("101")))
    assert world.agent("102").device == device("101")


def test_signing_in_elsewhere_moves_the_agent_and_frees_the_old_phone() -> None:
    world = World.with_agents("101")
    desk = t.DeviceChanged(device("150"), DeviceState.NOT_IN_USE)
    world.do(desk)
    world.do(SignIn(A, device("150")))
    call = world.enter()
    assert world.offer_of(call).targets == (device("150"),)
    assert refused(world, SignIn(A, device("101"))).slug == "illegal_transition"


def test_an_agent_without_a_phone_must_name_one() -> None:
    world = World.with_agents()
    world.do(DefineAgent(AgentSpec(A, queues=(SALES,))))
    assert isinstance(refused(world, SignIn(A)), Invalid)


def test_a_phone_the_pbx_knows_nothing_of_is_unreachable() -> None:
    world = World.with_agents()
    world.hire("101")
    world.do(SignIn(A))
    assert world.agent("101").state is AgentState.UNREACHABLE


def test_wrap_up_can_be_ended_extended_and_annotated() -> None:
    world = World.with_agents("101", wrap_up_s=10)
    call = world.enter()
    world.answer(call, "101")
    world.agent_hangs_up(call, "101")
    assert refused(world, ExtendWrapUp(A, 0)).slug == "invalid_duration"
    world.do(ExtendWrapUp(A, 30))
    world.wait(30)
    assert world.agent("101").state is AgentState.WRAP_UP
    world.do(EndWrapUp(A, "sold", "two shirts"))
    assert world.agent("101").state is AgentState.IDLE
    assert world.call(call).disposition == "sold"
    assert [event.wrap_up_s for event in world.of(WrapUpEnded)] == [30.0]  # type: ignore[attr-defined]
    assert len(world.of(CallAmended)) == 1
    world.wait(60)
    assert len(world.of(WrapUpEnded)) == 1


def test_signing_out_in_wrap_up_ends_it() -> None:
    world = World.with_agents("101")
    call = world.enter()
    world.answer(call, "101")
    world.agent_hangs_up(call, "101")
    world.do(SignOut(A))
    assert world.agent("101").state is AgentState.SIGNED_OUT


def test_who_signs_out_in_a_call_talks_to_its_end_and_wraps_nothing_up() -> None:
    world = World.with_agents("101")
    call = world.enter()
    world.answer(call, "101")
    world.do(SignOut(A))
    assert (world.agent("101").status, world.agent("101").state) == (Status.SIGNED_OUT, AgentState.TALKING)
    world.agent_hangs_up(call, "101")
    assert world.agent("101").state is AgentState.SIGNED_OUT


def test_a_queue_with_callers_stays_and_an_agent_at_work_stays() -> None:
    world = World.with_agents("101")
    call = world.enter()
    assert refused(world, RemoveQueue(SALES)).slug == "queue_in_use"
    assert refused(world, RemoveAgent(A)).slug == "agent_in_use"
    world.hang_up(call)
    world.do(SignOut(A))
    world.do(RemoveAgent(A))
    world.do(RemoveQueue(SALES))
    assert (world.floor.agents, world.floor.queues) == ({}, {})


def test_a_number_belongs_to_one_queue_and_a_strategy_must_exist() -> None:
    world = World.with_agents()
    assert refused(world, DefineQueue(QueueSpec(QueueId("support"), "8000"))).slug == "number_taken"
    assert (
        refused(world, DefineQueue(QueueSpec(QueueId("support"), "8001", strategy="best"))).slug == "unknown_strategy"
    )


def test_changing_a_queue_leaves_its_callers_where_they_stand() -> None:
    world = World.with_agents()
    callers = [world.enter() for _ in range(3)]
    world.do(DefineQueue(QueueSpec(SALES, "8000", ring_s=40)))
    assert world.line() == callers
    world.hire("101")
    world.phone("101", DeviceState.NOT_IN_USE)
    world.do(SignIn(A))
    assert world.offer_of(callers[0]).ring_s == 40


def test_an_agent_given_the_missing_skill_gets_the_caller_who_waited_for_it() -> None:
    world = World.with_agents("101", skills=(("persian", 3),))
    call = world.enter()
    assert world.rung(call) == ()
    world.do(DefineAgent(AgentSpec(A, device=device("101"), queues=(SALES,), skills=(("persian", 3),))))
    assert world.rung(call) == ("101",)


def test_a_changed_priority_moves_the_caller() -> None:
    world = World.with_agents()
    first, second = world.enter(), world.enter()
    world.do(AmendCall(second, priority=9))
    assert world.line() == [second, first]
    world.do(AmendCall(second, priority=0))
    assert world.line() == [first, second]


def test_a_status_chosen_before_a_restart_is_found_again() -> None:
    world = World()
    world.do(DefineQueue(QueueSpec(SALES, "8000")))
    for agent in ("101", "102", "103"):
        world.hire(agent)
    world.do(RestoreAgent(A, Status.AVAILABLE, world.now - 600))
    world.do(RestoreAgent(AgentId("102"), Status.BREAK, world.now - 60, "lunch"))
    world.do(RestoreAgent(AgentId("103"), Status.AVAILABLE, world.now, None, device("101")))
    world.do(RestoreAgent(AgentId("999"), Status.AVAILABLE, world.now))
    world.do(t.PbxSnapshot(PBX, "boot", (), ((device("101"), DeviceState.NOT_IN_USE),)))
    assert world.agent("101").state is AgentState.IDLE
    assert (world.agent("102").state, world.agent("102").reason) == (AgentState.BREAK, "lunch")
    assert world.agent("103").state is AgentState.SIGNED_OUT


def test_who_signed_out_in_a_call_can_sign_in_again_at_the_same_phone() -> None:
    world = World.with_agents("101")
    call = world.enter()
    world.answer(call, "101")
    world.do(SignOut(A))
    assert refused(world, SignIn(A, device("150"))).slug == "illegal_transition"
    world.do(SignIn(A))
    assert (world.agent("101").status, world.agent("101").state) == (Status.AVAILABLE, AgentState.TALKING)
    world.agent_hangs_up(call, "101")
    assert world.agent("101").state is AgentState.WRAP_UP


def test_a_refused_command_takes_nothing_that_was_due_with_it() -> None:
    world = World.with_agents("101", wrap_up_s=10)
    first = world.enter()
    world.answer(first, "101")
    world.agent_hangs_up(first, "101")
    second = world.enter()
    world.now += 10
    with pytest.raises(NotFound):
        world.do(EndWrapUp(AgentId("nobody")))
    assert world.rung(second) == ("101",)
    assert len(world.of(WrapUpEnded)) == 1


def test_who_signed_out_while_the_phone_rang_can_sign_in_again_although_the_pbx_is_away() -> None:
    world = World.with_agents("101")
    call = world.enter()
    world.ring(call, "101")
    world.do(t.LinkDown(PBX, "reset"))
    world.do(SignOut(A))
    world.do(SignIn(A))
    assert world.agent("101").status is Status.AVAILABLE
