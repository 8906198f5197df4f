"""The fallback queues: what app_queue is given, and whom of its members the service pauses."""

import pytest

from acd.agents import AgentSpec
from acd.commands import SignIn, SignOut, TakeBreak
from acd.ids import AgentId, QueueId
from acd.queues import QueueSpec
from acd.strategies import STRATEGIES
from nobat.fallback import pauses, queues_conf, standing
from tests.support.world import PBX, SALES, World, device


def section(text: str, name: str) -> list[str]:
    return text.partition(f"[{name}]")[2].partition("\n[")[0].strip().splitlines()


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_a_queue_is_there_by_id_and_by_number_with_its_members(strategy: str) -> None:
    queue = QueueSpec(SALES, "8000", strategy=strategy, ring_s=12)
    agents = [AgentSpec(AgentId(one), device=device(one), queues=(SALES,)) for one in ("101", "102")]
    agents += [AgentSpec(AgentId("103"), queues=(SALES,)), AgentSpec(AgentId("104"), device=device("104"))]
    text = queues_conf([queue], agents, PBX)
    lines = section(text, "sales")
    together = strategy == "ring_all"
    assert [line for line in lines if line.startswith("member")] == [
        f"member => PJSIP/agent-101,{0 if together else 1}",
        f"member => PJSIP/agent-102,{0 if together else 2}",
    ]
    assert "timeout = 12" in lines
    assert "[8000](sales)" in text


def test_members_stand_in_the_queues_fixed_order() -> None:
    agents = [
        AgentSpec(AgentId(one), device=device(one), queues=(SALES,), ranks=((SALES, rank),))
        for one, rank in (("101", 2), ("102", 1))
    ]
    members = [line[-5:] for line in queues_conf([QueueSpec(SALES, "8000")], agents, PBX).splitlines() if "=>" in line]
    assert members == ["102,1", "101,2"]


def test_app_queue_takes_every_turn() -> None:
    """It counts in millionths of 2**31, and beyond the dialplan's own turns begin."""
    agents = [AgentSpec(AgentId(str(one)), device=device(str(one)), queues=(SALES,)) for one in range(1000, 3000)]
    lines = section(queues_conf([QueueSpec(SALES, "8000")], agents, PBX), "sales")
    turns = [int(line.rpartition(",")[2]) for line in lines if line.startswith("member")]
    assert turns[:3] == [1, 2, 3]
    assert max(turns) == 999


def test_only_who_is_available_at_the_phone_is_not_paused() -> None:
    world = World.with_agents("101", "102", "103")
    world.do(TakeBreak(AgentId("102")))
    world.hire("104")
    before = standing(world.floor)
    assert pauses(world.floor, PBX) == {
        (queue, f"PJSIP/agent-{agent}"): paused
        for agent, paused in (("101", False), ("102", True), ("103", False), ("104", True))
        for queue in ("sales", "8000")
    }
    world.enter()  # a call of his changes nothing: only what was chosen is told
    assert standing(world.floor) == before
    world.do(SignOut(AgentId("102")))
    world.do(SignIn(AgentId("104"), device("102")))  # at the phone of another
    assert standing(world.floor) != before
    assert pauses(world.floor, PBX)["sales", "PJSIP/agent-102"] is False
    assert pauses(world.floor, PBX)["sales", "PJSIP/agent-104"] is True


def test_a_queue_whose_id_is_its_number_is_there_once() -> None:
    assert "](" not in queues_conf([QueueSpec(QueueId("8000"), "8000")], [], PBX)
