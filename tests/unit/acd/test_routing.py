"""Who gets whom."""

from acd.agents import AgentSpec
from acd.commands import BecomeAvailable, DefineAgent, DefineQueue, SignIn, TakeBreak
from acd.ids import AgentId, QueueId
from acd.queues import QueueSpec
from acd.routing import Bar, agent_bar, call_bar
from acd.skills import RelaxStep
from acd.telephony import DeviceState
from tests.support.world import World, device

SUPPORT = QueueId("support")


def test_longest_idle_counts_from_the_last_conversation_or_from_becoming_available() -> None:
    world = World.with_agents("101", "102", "103", wrap_up_s=0)
    first = world.enter()
    assert world.rung(first) == ("101",)
    world.answer(first, "101")
    world.now += 5
    world.do(TakeBreak(AgentId("102")))
    world.now += 5
    world.agent_hangs_up(first, "101")
    world.now += 1
    world.do(BecomeAvailable(AgentId("102")))
    calls = [world.enter() for _ in range(3)]
    assert [world.rung(call)[0] for call in calls] == ["103", "101", "102"]


def test_an_unanswered_offer_does_not_make_an_agent_less_idle() -> None:
    world = World.with_agents("101", "102", rest_s=1)
    call = world.enter()
    world.ring(call, "101")
    world.hang_up(call)
    assert world.rung(world.enter()) == ("101",)


def test_round_robin_goes_round() -> None:
    world = World.with_agents("101", "102", "103", strategy="round_robin", wrap_up_s=0)
    order = []
    for _ in range(6):
        call = world.enter()
        order.append(world.rung(call)[0])
        world.answer(call, order[-1])
        world.agent_hangs_up(call, order[-1])
    assert order == ["101", "102", "103"] * 2


def two_queues(*agents: str) -> World:
    world = World.with_agents()
    world.do(DefineQueue(QueueSpec(SUPPORT, "8001", wrap_up_s=0)))
    for agent in agents:
        world.phone(agent, DeviceState.NOT_IN_USE)
    return world


def test_an_agent_of_two_queues_serves_one_order_across_both() -> None:
    world = two_queues("101")
    calls = []
    for number in range(6):
        calls.append(world.enter("support" if number % 2 else "sales"))
        world.now += 1
    world.hire("101", "sales", "support")
    world.do(SignIn(AgentId("101")))
    for call in calls:
        assert world.rung(call) == ("101",)
        world.answer(call, "101")
        world.agent_hangs_up(call, "101")
        world.wait(10)


def test_a_caller_whom_nobody_free_can_serve_does_not_block_the_one_behind() -> None:
    world = World.with_agents("101")
    world.do(DefineQueue(QueueSpec(SUPPORT, "8001", skills=(("network", 2),))))
    world.do(DefineAgent(AgentSpec(AgentId("101"), device=device("101"), queues=(QueueId("sales"), SUPPORT))))
    skilled = world.enter("support")
    plain = world.enter("sales")
    assert (world.rung(skilled), world.rung(plain)) == ((), ("101",))


def test_many_free_agents_and_many_callers_are_matched_in_order() -> None:
    world = World.with_agents()
    calls = [world.enter() for _ in range(5)]
    world.do(DefineQueue(QueueSpec(SUPPORT, "8001")))
    for agent in ("101", "102", "103"):
        world.hire(agent)
        world.phone(agent, DeviceState.NOT_IN_USE)
        world.do(SignIn(AgentId(agent)))
    assert [world.rung(call) for call in calls] == [("101",), ("102",), ("103",), (), ()]


def test_the_reason_why_not_is_the_one_that_decides() -> None:
    world = World.with_agents("101")
    agent, queue = world.floor.agents[AgentId("101")], world.floor.queues[QueueId("sales")]
    assert agent_bar(agent, world.now) is None
    world.do(TakeBreak(AgentId("101")))
    assert agent_bar(agent, world.now) is Bar.NOT_IDLE
    world.do(BecomeAvailable(AgentId("101")))
    agent.rest_until = world.now + 5
    assert agent_bar(agent, world.now) is Bar.RESTING
    world.do(DefineQueue(QueueSpec(QueueId("sales"), "8000", skills=(("vip", 1),))))
    call = world.floor.calls[world.enter()]
    assert call_bar(agent, call, queue, world.now) is Bar.SKILL


def test_what_falls_due_in_one_turn_keeps_the_order_across_lines() -> None:
    """Two needs relax while an agent is free again, all in one turn: the first caller is served first, though in another line."""
    relax = {"skills": (("persian", 1),), "relax": (RelaxStep(5.0, ()),)}
    world = World.with_agents("101", "102", rest_s=5.0, **relax)
    world.do(DefineQueue(QueueSpec(SUPPORT, "8001", **relax)))  # type: ignore[arg-type]
    world.hire("101", skills=(("persian", 1),))
    world.hire("102", "sales", "support")
    world.do(TakeBreak(AgentId("101")))
    world.do(BecomeAvailable(AgentId("101")))
    refused = world.enter()
    world.miss(refused, "101")
    world.hang_up(refused)
    first, second = world.enter("support"), world.enter("sales")
    assert world.rung(first) == world.rung(second) == ()
    world.wait(5.0)
    assert (world.rung(first), world.rung(second)) == (("102",), ("101",))
