"""One line, two PBXs: a caller can be served only where the call is."""

from acd import telephony as t
from acd.commands import SignIn
from acd.ids import AgentId, CallId, DeviceId, LegId, PbxId, device_on
from acd.telephony import DeviceState, MissCause
from tests.support.world import World, device

OTHER = PbxId("pbx2")


def phone_there(agent: str) -> DeviceId:
    return device_on(OTHER, f"PJSIP/agent-{agent}")


def two_pbxs(*agents: str, **queue: object) -> World:
    """A world in which each agent has a phone on the other PBX as well; they sit at the first."""
    world = World.with_agents(*agents, **queue)
    phones = tuple((phone_there(agent), DeviceState.NOT_IN_USE) for agent in agents)
    world.do(t.PbxSnapshot(OTHER, "boot-1", (), phones))
    return world


def enter_there(world: World) -> CallId:
    """A caller joins the line from the other PBX."""
    world.serial += 1
    call = CallId(f"{OTHER}-{int(world.now * 1000)}.{world.serial}")
    leg = LegId(f"{OTHER}-{int(world.now)}.{world.serial}")
    world.do(t.CallEntered(call, leg, "sales", world.now, world.serial, 0, "0912000", None))
    return call


def test_a_free_agent_who_moves_to_another_pbx_gets_who_waits_there() -> None:
    world = two_pbxs("101")
    there = enter_there(world)
    assert world.rung(there) == ()
    world.do(SignIn(AgentId("101"), phone_there("101")))
    assert world.rung(there) == ("101",)


def test_nobody_is_kept_for_an_agent_of_another_pbx_after_a_rejection() -> None:
    """Of those at work here there is only the one who rejected; the one at the other PBX can never take the call."""
    world = two_pbxs("101", "102", rest_s=1.0)
    world.do(SignIn(AgentId("102"), phone_there("102")))
    call = world.enter()
    world.miss(call, "101", MissCause.REJECTED)
    world.wait(1.0)
    assert world.rung(call) == ("101",)


def test_who_rejected_is_asked_again_when_the_other_one_moves_away() -> None:
    world = two_pbxs("101", "102", rest_s=1.0)
    first, second = world.enter(), world.enter()
    world.answer(second, "102")
    world.miss(first, "101", MissCause.REJECTED)
    world.wait(5.0)
    assert world.rung(first) == ()
    world.agent_hangs_up(second, "102")
    world.do(SignIn(AgentId("102"), phone_there("102")))
    assert world.rung(first) == ("101",)


def test_nobody_waits_for_the_agent_of_last_time_at_another_pbx() -> None:
    world = two_pbxs("101", "102", sticky_s=20.0, wrap_up_s=0)
    before = world.enter()
    world.answer(before, "101")
    world.agent_hangs_up(before, "101")
    world.phone("101", DeviceState.NOT_IN_USE)
    world.do(SignIn(AgentId("101"), phone_there("101")))
    again = world.enter()
    assert world.rung(again) == ("102",)


def test_the_phone_of_last_time_holds_where_it_is() -> None:
    world = two_pbxs("101", "102", sticky_s=20.0)
    before = world.enter()
    world.answer(before, "101")
    again = world.enter()
    assert world.rung(again) == ()
    assert world.agent("102").device == device("102")
    world.do(SignIn(AgentId("101"), device("101")))
    assert world.rung(again) == ()
