"""Breaks: planned lengths, limits of queues, and requests that wait for their turn."""

import pytest

from acd.agents import AgentSpec, Status
from acd.breaks import BreakReason
from acd.commands import (
    ApproveBreak,
    BecomeAvailable,
    DefineAgent,
    DefineQueue,
    RefuseBreak,
    RestoreAgent,
    RestoreBreakRequest,
    RestoreShift,
    SignIn,
    SignOut,
    TakeBreak,
    WithdrawBreak,
)
from acd.errors import AcdError
from acd.events import BreakOverrun, BreakRequested, BreakRequestSettled
from acd.ids import AgentId, QueueId
from acd.picture import break_requests, queue
from acd.queues import BreakPolicy, MissPolicy, QueueSpec
from acd.telephony import MissCause
from tests.support.world import SALES, START, World, device

A, B, C, D = (AgentId(name) for name in ("101", "102", "103", "104"))
SUPPORT = QueueId("support")
REASONS = (BreakReason("1", "lunch", 1800.0), BreakReason("2", "tea"))


def limited(most: int = 1, *agents: str) -> World:
    world = World.with_agents(*(agents or ("101", "102", "103", "104")), breaks=BreakPolicy(most))
    world.floor.break_reasons = REASONS
    return world


def asked(world: World) -> list[str]:
    return [one.agent for one in break_requests(world.floor, world.now)]


def settled(world: World) -> list[tuple[str, str]]:
    return [(one.agent, one.how) for one in world.of(BreakRequestSettled) if isinstance(one, BreakRequestSettled)]


def states(world: World) -> list[str]:
    return [str(world.agent(name).state) for name in sorted(world.floor.agents)]


# ---------------------------------------------------------------- reasons and lengths


def test_a_reason_is_known_by_its_code_and_others_are_kept() -> None:
    world = limited(0)
    world.do(TakeBreak(A, "1"))
    world.do(TakeBreak(B, "lunch"))
    world.do(TakeBreak(C, "7"))
    assert [world.agent(name).reason for name in ("101", "102", "103")] == ["lunch", "lunch", "7"]
    assert world.agent("101").break_due == world.now + 1800
    assert world.agent("103").break_due is None


def test_a_break_that_takes_too_long_is_told_once() -> None:
    world = limited(0)
    world.do(TakeBreak(A, "lunch"))
    world.wait(1799)
    assert (world.of(BreakOverrun), world.agent("101").late) == ([], False)
    world.wait(7200)
    assert world.of(BreakOverrun) == [BreakOverrun(START + 4 + 1800, A, "lunch", 1800.0, (SALES,))]
    assert world.agent("101").late
    world.do(BecomeAvailable(A))
    assert (world.agent("101").late, world.agent("101").break_due) == (False, None)


def test_a_break_chosen_in_a_call_is_measured_from_its_beginning() -> None:
    world = World.with_agents("101", wrap_up_s=100)
    world.floor.break_reasons = REASONS
    call = world.enter()
    world.answer(call, "101")
    world.do(TakeBreak(A, "lunch"))
    world.wait(2000)
    world.agent_hangs_up(call, "101")
    world.wait(100)
    assert (world.agent("101").state, world.agent("101").break_due) == ("break", world.now + 1800)


def test_a_break_goes_on_after_a_restart_from_when_it_really_began() -> None:
    world = World.with_agents()
    world.floor.break_reasons = REASONS
    world.hire("101")
    world.do(RestoreShift(A, ((START - 9000, True),), ((START - 600, 60.0),)))
    world.do(RestoreAgent(A, Status.BREAK, START - 700, "lunch", device("101")))
    assert (world.agent("101").state_since, world.agent("101").break_due) == (START - 600, START + 1200)
    world.wait(1200)
    assert len(world.of(BreakOverrun)) == 1


@pytest.mark.parametrize("told", [True, False])
def test_a_break_that_became_too_long_while_there_was_no_service_is_told_at_the_start(told: bool) -> None:
    world = World.with_agents()
    world.floor.break_reasons = REASONS
    world.hire("101")
    world.do(RestoreAgent(A, Status.BREAK, START - 1900, "lunch", device("101"), late_told=told))
    world.wait(0)
    assert world.agent("101").late
    assert len(world.of(BreakOverrun)) == (0 if told else 1)


def test_the_idle_anchor_is_the_last_talk_after_a_restart_too() -> None:
    world = World.with_agents()
    world.hire("101")
    world.do(RestoreShift(A, ((START - 9000, True),), ((START - 600, 60.0),)))
    world.do(RestoreAgent(A, Status.AVAILABLE, START - 9000, None, device("101")))
    assert world.floor.agents[A].idle_anchor == START - 600


# ---------------------------------------------------------------- limits


def test_beyond_the_limit_a_break_waits_and_begins_when_somebody_is_back() -> None:
    world = limited(1)
    world.do(TakeBreak(A))
    world.do(TakeBreak(B, "tea"))
    world.do(TakeBreak(C))
    assert (asked(world), states(world)) == (["102", "103"], ["break", "idle", "idle", "idle"])
    view = world.agent("103").break_request
    assert view is not None
    assert (view.number, queue(world.floor, SALES, world.now).break_requests) == (2, 2)
    world.do(BecomeAvailable(A))
    assert (asked(world), states(world)) == (["103"], ["idle", "break", "idle", "idle"])
    assert world.agent("102").reason == "tea"
    world.do(SignOut(B))
    assert (asked(world), world.agent("103").state) == ([], "break")
    assert settled(world) == [("102", "granted"), ("103", "granted")]


def test_asking_again_keeps_the_place_and_may_change_the_reason() -> None:
    world = limited(1)
    world.do(TakeBreak(A))
    world.do(TakeBreak(B, "tea"))
    world.do(TakeBreak(C))
    world.now += 5
    world.do(TakeBreak(B, "1"))
    world.do(TakeBreak(B, "1"))
    assert asked(world) == ["102", "103"]
    assert len(world.of(BreakRequested)) == 3
    view = world.agent("102").break_request
    assert view is not None
    assert (view.reason, view.asked_at) == ("lunch", world.now - 5)


def test_a_break_chosen_in_a_call_takes_its_place_at_once() -> None:
    world = limited(1)
    call = world.enter()
    world.answer(call, "101")
    world.do(TakeBreak(A))
    world.do(TakeBreak(B))
    assert (asked(world), world.agent("101").state) == (["102"], "talking")


def test_one_who_talks_when_his_turn_comes_has_his_break_after_the_call_and_gets_no_other() -> None:
    world = limited(1, "101", "102")
    world.do(TakeBreak(A))
    world.do(TakeBreak(B))
    call = world.enter()
    world.answer(call, "102")
    world.do(SignOut(A))
    assert (world.agent("102").status, world.agent("102").state) == ("break", "talking")
    waiting = world.enter()
    world.agent_hangs_up(call, "102")
    world.wait(100)
    assert (world.agent("102").state, world.rung(waiting)) == ("break", ())


def test_a_phone_that_rings_when_the_turn_comes_rings_on() -> None:
    world = limited(1, "101", "102")
    world.do(TakeBreak(A))
    world.do(TakeBreak(B))
    call = world.enter()
    world.ring(call, "102")
    world.do(BecomeAvailable(A))
    assert (world.agent("102").status, world.rung(call)) == ("break", ("102",))
    world.answer(call, "102")
    world.agent_hangs_up(call, "102")
    world.wait(10)
    assert world.agent("102").state == "break"


def test_the_limit_of_each_queue_counts_and_nobody_is_passed_over() -> None:
    world = limited(1, "101")
    world.do(DefineQueue(QueueSpec(SUPPORT, "8001", breaks=BreakPolicy(1))))
    for name, queues in (("102", (SALES, SUPPORT)), ("103", (SALES,)), ("104", (SUPPORT,)), ("105", (SUPPORT,))):
        world.do(DefineAgent(AgentSpec(AgentId(name), device=device(name), queues=queues)))
        world.do(SignIn(AgentId(name)))
    world.do(TakeBreak(D))  # support is full
    world.do(TakeBreak(B))  # who needs both waits, and claims the place in sales
    world.do(TakeBreak(C))
    assert asked(world) == ["102", "103"]
    world.do(TakeBreak(AgentId("105")))
    view = world.agent("105").break_request
    assert view is not None
    assert view.number == 2  # behind 102; 103 does not wait for support
    world.do(BecomeAvailable(D))
    assert (world.agent("102").status, asked(world)) == ("break", ["103", "105"])


def test_a_raised_limit_and_another_queue_make_room() -> None:
    world = limited(1)
    for agent in (A, B, C):
        world.do(TakeBreak(agent))
    world.do(DefineQueue(QueueSpec(SALES, "8000", breaks=BreakPolicy(2))))
    assert asked(world) == ["103"]
    world.do(DefineAgent(AgentSpec(A, device=device("101"), queues=())))
    assert asked(world) == []


@pytest.mark.parametrize(
    ("command", "how", "status"),
    [
        (ApproveBreak(B), "approved", "break"),
        (RefuseBreak(B), "refused", "available"),
        (WithdrawBreak(B), "withdrawn", "available"),
        (BecomeAvailable(B), "withdrawn", "available"),
        (SignIn(B), "withdrawn", "available"),
        (SignOut(B), "signed_out", "signed_out"),
    ],
)
def test_how_a_request_is_settled(command: ApproveBreak, how: str, status: str) -> None:
    world = limited(1)
    world.do(TakeBreak(A))
    world.do(TakeBreak(B))
    world.do(command)
    assert (settled(world), world.agent("102").status, asked(world)) == ([("102", how)], status, [])


@pytest.mark.parametrize("command", [ApproveBreak(A), RefuseBreak(A), WithdrawBreak(A)])
def test_without_a_request_there_is_nothing_to_settle(command: ApproveBreak) -> None:
    world = limited(1)
    with pytest.raises(AcdError) as caught:
        world.do(command)
    assert caught.value.slug == "no_break_request"


def test_signed_out_nobody_asks_for_a_break() -> None:
    world = limited(1)
    world.do(TakeBreak(A))
    world.do(SignOut(B))
    with pytest.raises(AcdError) as caught:
        world.do(TakeBreak(B))
    assert (caught.value.slug, asked(world)) == ("illegal_transition", [])


def test_moving_to_another_phone_keeps_the_request() -> None:
    world = limited(1)
    world.do(TakeBreak(A))
    world.do(TakeBreak(B))
    world.do(SignIn(B, device("199")))
    assert asked(world) == ["102"]


def test_a_break_for_missed_calls_is_taken_whatever_the_limit_and_settles_the_request() -> None:
    world = World.with_agents("101", "102", breaks=BreakPolicy(1), misses=MissPolicy(no_answer=1), rest_s=0)
    world.do(TakeBreak(A))
    world.do(TakeBreak(B))
    call = world.enter()
    world.ring(call, "102")
    world.miss(call, "102", MissCause.NO_ANSWER)
    assert (world.agent("102").reason, asked(world), settled(world)) == ("no_answer", [], [("102", "granted")])


def test_requests_outlive_a_restart_in_their_order() -> None:
    world = limited(1)
    world.do(TakeBreak(A))
    world.do(RestoreBreakRequest(C, "tea", START - 60))
    world.do(RestoreBreakRequest(B, None, START - 30))
    world.do(RestoreBreakRequest(AgentId("999"), None, START))
    assert asked(world) == ["103", "102"]
    world.do(BecomeAvailable(A))
    assert (world.agent("103").status, world.agent("103").reason) == ("break", "tea")
