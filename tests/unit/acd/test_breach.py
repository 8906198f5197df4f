"""Breach risk on a floor: what is read of it, who is late next, and which remedies are named."""

from acd import picture
from acd.breach import BreachRisk, RemedyKind, judge, look
from acd.breaks import BreakReason
from acd.callback_policy import CallbackPolicy
from acd.commands import DefineQueue, SignIn, TakeBreak
from acd.ids import AgentId, QueueId
from acd.limits import Overflow, ToQueue
from acd.queues import QueueSpec
from acd.telephony import DeviceState
from tests.support.world import SALES, World

SUPPORT = QueueId("support")


def told(world: World) -> BreachRisk:
    return judge(look(world.floor, SALES, world.now))


def pressed(world: World, late: int = 6, waiting: int = 2) -> list[str]:
    """Some have been late in this interval already, and some wait."""
    world.wait(900 - world.now % 900 + 1)
    for _ in range(late):
        call = world.enter()
        world.wait(21)
        world.hang_up(call)
    return [world.enter() for _ in range(waiting)]


def busy(*agents: str, **queue: object) -> World:
    """All agents but those on a break talk."""
    world = World.with_agents(*agents, **queue)
    for agent in agents:
        call = world.enter()
        world.answer(call, agent)
    return world


def test_a_quiet_queue_is_at_no_risk() -> None:
    world = World.with_agents("101", "102")
    quiet = told(world)
    assert (quiet.risk, quiet.next, quiet.remedies) == (0.0, None, ())
    assert (quiet.since % 900, quiet.until - quiet.since) == (0, 900)
    assert quiet.since <= world.now < quiet.until


def test_reading_the_floor_changes_nothing() -> None:
    world = busy("101", "102")
    pressed(world)
    before = (picture.queue(world.floor, SALES, world.now), world.line(), picture.agents(world.floor, world.now))
    look(world.floor, SALES, world.now)
    assert before == (
        picture.queue(world.floor, SALES, world.now),
        world.line(),
        picture.agents(world.floor, world.now),
    )


def test_the_next_to_be_late_is_named_with_the_moment() -> None:
    world = busy("101")
    first, second = pressed(world)
    world.wait(5)
    late = told(world).next
    assert late is not None
    assert late.call == first
    assert late.at == picture.call(world.floor, first, world.now).entered_at + 20.0
    assert late.chance > 0.5
    world.wait(16)  # both are late by now
    assert told(world).next is None
    assert second in world.line()


def test_those_who_wait_past_the_target_are_late_already() -> None:
    world = busy("101")
    pressed(world, late=0, waiting=3)
    own = look(world.floor, SALES, world.now).necks[0].interval
    assert (own.missed, len(own.waiting)) == (0, 3)
    world.wait(25)
    own = look(world.floor, SALES, world.now).necks[0].interval
    assert (own.missed, own.waiting) == (3, ())


def test_whom_to_call_back_from_the_break_and_what_it_brings() -> None:
    world = busy("101", "102")
    world.floor.break_reasons = (BreakReason("1", "tea", 60.0),)
    for agent, reason in (("103", "lunch"), ("104", "lunch"), ("105", "tea"), ("106", "lunch")):
        world.do(DefineQueue(world.floor.queues[SALES].spec))
        world.hire(agent)
        if agent != "106":
            world.phone(agent, DeviceState.NOT_IN_USE)
        world.do(SignIn(AgentId(agent)))
        world.do(TakeBreak(AgentId(agent), reason))
        world.wait(1)
    pressed(world, late=1)
    world.wait(2)
    risk = told(world)
    assert risk.risk > 0.25
    (remedy,) = risk.remedies
    assert remedy.kind is RemedyKind.RECALL
    assert remedy.agents[0] == "105"  # by plan that break is over
    assert set(remedy.agents) <= {"103", "104", "105"}  # nobody can reach the phone of 106
    assert remedy.agents[1:2] in ((), ("103",))  # then who has had the longest
    assert remedy.before == risk.risk
    assert remedy.after < remedy.before - 0.02


def test_callbacks_and_overflow_are_remedies_where_a_queue_has_them() -> None:
    world = busy("101", callbacks=CallbackPolicy(enabled=True), overflow=Overflow(full=ToQueue(SUPPORT)))
    world.do(DefineQueue(QueueSpec(SUPPORT, "8001")))
    pressed(world, late=1, waiting=3)
    kinds = {remedy.kind for remedy in told(world).remedies}
    assert RemedyKind.OVERFLOW not in kinds  # nobody is free there
    world.phone("201", DeviceState.NOT_IN_USE)
    world.hire("201", "support")
    world.do(SignIn(AgentId("201")))
    found = {remedy.kind: remedy for remedy in told(world).remedies}
    assert found[RemedyKind.OVERFLOW].to == "queue:support"
    assert all(remedy.after < remedy.before for remedy in found.values())


def test_shared_agents_are_seen_with_the_other_lines_callers() -> None:
    world = World.with_agents("101")
    world.do(DefineQueue(QueueSpec(SUPPORT, "8001")))
    world.hire("102", "sales", "support")
    world.phone("102", DeviceState.NOT_IN_USE)
    world.do(SignIn(AgentId("102")))
    for agent in ("101", "102"):
        world.answer(world.enter(), agent)
    for _ in range(4):
        world.enter("support")
    world.enter()
    own, pool = look(world.floor, SALES, world.now).necks
    assert (own.station.agents, own.station.line, own.station.own) == (2, 1, 1.0)
    assert (pool.station.agents, pool.station.line) == (2, 5)
    assert pool.station.own < 0.7
    assert [one.ahead for one in pool.interval.waiting] == [4]  # they have come before
