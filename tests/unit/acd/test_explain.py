"""Why: explained by the functions that decide."""

import pytest

from acd.commands import RemoveQueue, SignOut, StopOffering, TakeBreak
from acd.errors import NotFound
from acd.explain import why_call, why_idle
from acd.ids import AgentId, CallId
from acd.routing import Bar
from acd.telephony import DeviceState, LinkDown, MissCause
from tests.support.world import PBX, SALES, World


def bars(world: World, call: CallId) -> dict[str, Bar | None]:
    return {one.agent: one.bar for one in why_call(world.floor, call, world.now).candidates}


def test_every_member_is_named_with_the_reason_that_keeps_him_away() -> None:
    world = World.with_agents("101", "102", "103", "104", rest_s=60)
    world.do(TakeBreak(AgentId("101")))
    world.phone("102", DeviceState.BUSY)
    first = world.enter()
    world.miss(first, "103")
    world.miss(first, "104", MissCause.REJECTED)
    assert bars(world, first) == {
        "101": Bar.NOT_IDLE, "102": Bar.NOT_IDLE, "103": Bar.RESTING, "104": Bar.RESTING,
    }  # fmt: skip


def test_the_order_has_its_terms_and_its_first_is_who_was_rung() -> None:
    world = World.with_agents("101", "102", "103")
    call = world.enter()
    (decision,) = why_call(world.floor, call, world.now).decisions
    assert decision.chosen == ("101",) == world.rung(call)
    assert [agent for _, _, agent in decision.order] == ["101", "102", "103"]
    assert all(misses == 0 for misses, _, _ in decision.order)
    world.miss(call, "101")
    later = why_call(world.floor, call, world.now)
    assert [one.chosen for one in later.decisions] == [("101",), ("102",)]


def test_what_holds_a_caller_up_is_said() -> None:
    world = World.with_agents("101")
    world.do(LinkDown(PBX, "reset"))
    call = world.enter()
    assert why_call(world.floor, call, world.now).not_offered_because == "pbx_not_ready"
    world.do(StopOffering())
    assert why_call(world.floor, call, world.now).not_offered_because == "service_stopping"


def test_an_idle_agent_is_told_why_none_of_the_callers_is_his() -> None:
    world = World.with_agents("101", skills=(("vip", 2),))
    calls = [world.enter() for _ in range(12)]
    why = why_idle(world.floor, AgentId("101"), world.now)
    assert why.bar is None
    (line,) = why.lines
    assert line.waiting == 12
    assert [one.call for one in line.first] == calls[:10]
    assert {one.bar for one in line.first} == {Bar.SKILL}
    world.do(SignOut(AgentId("101")))
    assert why_idle(world.floor, AgentId("101"), world.now).bar is Bar.NOT_IDLE


def test_a_call_that_is_over_still_tells_how_it_came() -> None:
    world = World.with_agents("101")
    call = world.enter()
    world.answer(call, "101")
    world.agent_hangs_up(call, "101")
    why = why_call(world.floor, call, world.now)
    assert (why.position, why.candidates, len(why.decisions)) == (None, (), 1)
    with pytest.raises(NotFound):
        why_call(world.floor, CallId("pbx1-1.1"), world.now)
    world.do(RemoveQueue(SALES))
    why = why_call(world.floor, call, world.now)
    assert (why.strategy, why.candidates, why.decisions[0].strategy) == (None, (), "longest_idle")
