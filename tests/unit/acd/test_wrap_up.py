"""The work after a call: three forms, what ends each, what bounds all of them, and what a restart leaves of it."""

import pytest

from acd.agents import Status
from acd.commands import (
    AmendCall,
    DefineQueue,
    EndWrapUp,
    ExtendWrapUp,
    RestoreAgent,
    RestoreWrapUp,
    SignOut,
    TakeBreak,
)
from acd.errors import AcdError
from acd.events import CallAmended, WrapUpBegan, WrapUpEnded, WrapUpExtended, WrapUpOverdue
from acd.ids import AgentId, CallId
from acd.queues import QueueSpec, WrapUpForm, WrapUpPolicy
from tests.support.world import SALES, World, device

A = AgentId("101")
OPEN = WrapUpPolicy(WrapUpForm.OPEN)
OWED = WrapUpPolicy(WrapUpForm.DISPOSITION, ("sold", "lost"))


def after_a_call(wrap_up: WrapUpPolicy, wrap_up_s: float = 0.0) -> tuple[World, CallId]:
    """A world in which agent 101 has just had a call."""
    world = World.with_agents("101", wrap_up=wrap_up, wrap_up_s=wrap_up_s)
    call = world.enter()
    world.answer(call, "101")
    world.now += 30
    world.agent_hangs_up(call, "101")
    return world, call


def refused(world: World, command: EndWrapUp | SignOut | AmendCall) -> str:
    with pytest.raises(AcdError) as caught:
        world.do(command)
    return caught.value.slug


def state(world: World) -> str:
    return str(world.agent("101").state)


def test_a_fixed_one_ends_by_time() -> None:
    world, _ = after_a_call(WrapUpPolicy(), 10)
    world.wait(9.9)
    assert state(world) == "wrap_up"
    world.wait(0.2)
    assert state(world) == "idle"


def test_without_time_a_fixed_one_is_none() -> None:
    world, _ = after_a_call(WrapUpPolicy())
    assert (state(world), world.of(WrapUpBegan)) == ("idle", [])


def test_an_open_one_ends_when_the_agent_says_so_and_not_before() -> None:
    world, call = after_a_call(OPEN, 10)
    world.wait(86_400)
    assert (state(world), world.agent("101").wrap_up_until) == ("wrap_up", None)
    world.do(ExtendWrapUp(A, 30))  # nothing to extend
    assert world.of(WrapUpExtended) == []
    world.do(EndWrapUp(A))
    assert state(world) == "idle"
    assert world.of(WrapUpEnded) == [WrapUpEnded(world.now, A, call, SALES, 86_400.0)]


def test_an_owed_disposition_is_waited_for_by_time_by_command_and_by_sign_out() -> None:
    world, call = after_a_call(OWED, 10)
    world.wait(60)
    assert refused(world, EndWrapUp(A)) == "disposition_required"
    assert refused(world, EndWrapUp(A, notes="n")) == "disposition_required"
    assert refused(world, EndWrapUp(A, "stolen")) == "unknown_disposition"
    assert refused(world, AmendCall(call, disposition="stolen")) == "unknown_disposition"
    assert refused(world, SignOut(A)) == "disposition_required"
    view = world.agent("101")
    assert (view.status, state(world), world.call(call).notes) == ("available", "wrap_up", None)
    world.do(EndWrapUp(A, "sold"))
    assert (state(world), world.call(call).disposition) == ("idle", "sold")


def test_a_disposition_that_comes_another_way_ends_it_when_its_time_is_over() -> None:
    world, call = after_a_call(OWED, 10)
    world.wait(5)
    world.do(AmendCall(call, disposition="sold"))
    assert state(world) == "wrap_up"
    world.wait(5)
    assert state(world) == "idle"
    world, call = after_a_call(OWED, 10)
    world.wait(60)
    world.do(AmendCall(call, disposition="lost"))
    assert state(world) == "idle"


def test_a_disposition_given_in_the_call_is_owed_no_more() -> None:
    world = World.with_agents("101", wrap_up=OWED, wrap_up_s=10)
    call = world.enter()
    world.answer(call, "101")
    world.do(AmendCall(call, disposition="sold"))
    world.agent_hangs_up(call, "101")
    view = world.agent("101").wrap_up
    assert view is not None
    assert not view.owes
    world.wait(10)
    assert state(world) == "idle"


@pytest.mark.parametrize(("policy", "after"), [(WrapUpPolicy(), "signed_out"), (OPEN, "signed_out"), (OWED, "wrap_up")])
def test_who_signs_out_in_the_call_skips_it_unless_a_disposition_is_owed(policy: WrapUpPolicy, after: str) -> None:
    world = World.with_agents("101", wrap_up=policy, wrap_up_s=10)
    call = world.enter()
    world.answer(call, "101")
    world.do(SignOut(A))
    assert state(world) == "talking"
    world.agent_hangs_up(call, "101")
    assert state(world) == after
    if after == "wrap_up":
        world.do(EndWrapUp(A, "sold"))
        assert state(world) == "signed_out"


def test_a_break_chosen_in_the_call_begins_after_the_wrap_up() -> None:
    world = World.with_agents("101", wrap_up_s=10)
    call = world.enter()
    world.answer(call, "101")
    world.do(TakeBreak(A))
    world.agent_hangs_up(call, "101")
    assert state(world) == "wrap_up"
    world.wait(10)
    assert state(world) == "break"


def test_a_supervisor_ends_what_is_owed() -> None:
    world, call = after_a_call(OWED)
    world.do(EndWrapUp(A, forced=True))
    assert (state(world), world.call(call).disposition) == ("idle", None)
    (ended,) = world.of(WrapUpEnded)
    assert isinstance(ended, WrapUpEnded)
    assert ended.forced


def test_the_longest_is_told_once() -> None:
    world, _ = after_a_call(WrapUpPolicy(WrapUpForm.OPEN, longest_s=60))
    world.wait(59)
    assert not world.agent("101").late
    world.wait(600)
    assert world.agent("101").late
    (overdue,) = world.of(WrapUpOverdue)
    assert isinstance(overdue, WrapUpOverdue)
    assert overdue.wrap_up_s == 60
    world.do(EndWrapUp(A))
    assert not world.agent("101").late


@pytest.mark.parametrize("form", list(WrapUpForm))
def test_the_longest_by_force_makes_free_however_it_was_extended(form: WrapUpForm) -> None:
    world, _ = after_a_call(WrapUpPolicy(form, ("sold",), 60, force=True), 10)
    world.do(ExtendWrapUp(A, 600))
    world.wait(59)
    assert state(world) == "wrap_up"
    world.wait(1)
    assert state(world) == "idle"
    (ended,) = world.of(WrapUpEnded)
    assert isinstance(ended, WrapUpEnded)
    assert (ended.wrap_up_s, ended.forced) == (60, True)


def test_one_whose_time_is_over_is_extended_from_now() -> None:
    world, _ = after_a_call(OWED, 10)
    world.wait(100)
    world.do(ExtendWrapUp(A, 30))
    world.do(EndWrapUp(A, "sold"))
    (extended,) = world.of(WrapUpExtended)
    assert isinstance(extended, WrapUpExtended)
    assert extended.until == world.now + 30


# ---------------------------------------------------------------- a restart


def restarted(world: World, wrap_up: WrapUpPolicy, wrap_up_s: float, until: float | None, said: str | None) -> World:
    """The service begins anew, 20 s after the wrap-up of agent 101 began."""
    again = World.with_agents()
    again.now = world.now
    again.do(DefineQueue(QueueSpec(SALES, "8000", wrap_up=wrap_up, wrap_up_s=wrap_up_s)))
    again.hire("101")
    again.do(RestoreAgent(A, Status.AVAILABLE, world.now - 3600, None, device("101")))
    again.do(RestoreWrapUp(A, CallId("pbx1-1.1"), SALES, world.now - 20, until, said))
    return again


def test_a_restart_in_the_middle_changes_nothing() -> None:
    world, _ = after_a_call(WrapUpPolicy(), 30)
    again = restarted(world, WrapUpPolicy(), 30, world.now + 10, None)
    view = again.agent("101")
    assert (state(again), view.state_since, view.wrap_up_until) == ("wrap_up", world.now - 20, world.now + 10)
    again.wait(10)
    assert state(again) != "wrap_up"
    assert again.floor.agents[A].idle_anchor == world.now - 20  # longest idle counts from the end of the talk


def test_what_should_have_ended_meanwhile_has() -> None:
    world, _ = after_a_call(WrapUpPolicy(), 10)
    again = restarted(world, WrapUpPolicy(), 10, world.now - 10, None)
    assert state(again) != "wrap_up"
    (ended,) = again.of(WrapUpEnded)
    assert isinstance(ended, WrapUpEnded)
    assert ended.wrap_up_s == 10


def test_what_is_owed_is_owed_after_a_restart_and_reaches_history() -> None:
    world, _ = after_a_call(OWED)
    again = restarted(world, OWED, 0, world.now - 20, None)
    assert refused(again, EndWrapUp(A)) == "disposition_required"
    again.do(EndWrapUp(A, "sold", "by phone"))
    assert again.of(CallAmended) == [CallAmended(again.now, CallId("pbx1-1.1"), SALES, None, "sold", "by phone")]
    again = restarted(world, OWED, 0, world.now - 20, "sold")
    assert state(again) != "wrap_up"


def test_a_wrap_up_too_long_is_not_told_again_after_a_restart_but_still_ended() -> None:
    world, _ = after_a_call(OPEN)
    again = restarted(world, WrapUpPolicy(WrapUpForm.OPEN, longest_s=15), 0, None, None)
    again.wait(100)
    assert (again.agent("101").late, again.of(WrapUpOverdue)) == (True, [])
    again = restarted(world, WrapUpPolicy(WrapUpForm.OPEN, longest_s=15, force=True), 0, None, None)
    again.wait(0)
    assert state(again) != "wrap_up"


def test_a_wrap_up_of_nobody_or_of_no_queue_passes_in_silence() -> None:
    world = World.with_agents("101")
    world.do(RestoreWrapUp(AgentId("999"), CallId("pbx1-1.1"), SALES, world.now, None))
    world.do(DefineQueue(QueueSpec(SALES, "8000")))
    assert state(world) == "idle"
