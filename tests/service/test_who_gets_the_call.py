"""What is configured of routing goes through REST, file and database unchanged, and reaches the floor."""

from pathlib import Path

import pytest

from acd.agents import AgentSpec
from acd.ids import AgentId, PbxId, QueueId
from acd.queues import MissPolicy, QueueSpec
from acd.skills import RelaxStep
from nobat.apply import DatabaseTarget
from nobat.declaration import DeclarationError, read_declaration
from nobat.storage import catalogue
from nobat.storage.catalogue import Changes
from nobat.storage.database import Database
from nobat.storage.migrate import migrate
from tests.support.office import Office

RULES = {
    "priority_s": 60.0,
    "sticky_s": 20.0,
    "relax": [{"after_s": 30.0, "skills": {"english": 1}}, {"after_s": 90.0, "skills": {}}],
    "misses": {"no_answer": 2, "busy": 1, "rejected": 0, "failed": 4},
}


async def test_a_queues_rules_survive_a_restart_and_change_one_by_one(office: Office) -> None:
    admin = await office.admin()
    made = await admin.ask(
        "POST", "/v1/queues", json={"id": "vip", "number": "8100", "skills": {"english": 3}, **RULES}
    )
    assert made.status_code == 201
    await office.die()
    await office.start()
    admin = await office.admin()
    kept = await admin.get("/v1/queues/vip")
    assert {name: kept[name] for name in RULES} == RULES
    changed = (await admin.ask("PATCH", "/v1/queues/vip", json={"misses": {"busy": 7}, "relax": []})).json()
    assert (changed["misses"], changed["relax"]) == ({**RULES["misses"], "busy": 7}, [])  # type: ignore[dict-item]
    assert changed["sticky_s"] == 20.0


@pytest.mark.parametrize(
    "wrong",
    [
        {"relax": [{"after_s": 0, "skills": {}}]},
        {"relax": [{"after_s": 5, "skills": {}}, {"after_s": 5, "skills": {"english": 1}}]},
        {"relax": [{"after_s": 5, "skills": {"english": 0}}]},
        {"misses": {"tired": 3}},
        {"misses": {"busy": -1}},
        {"priority_s": -1},
        {"sticky_s": 1e9},
    ],
)
async def test_wrong_rules_are_422(counter: Office, wrong: dict[str, object]) -> None:
    response = await (await counter.admin()).ask("PATCH", "/v1/queues/sales", json=wrong)
    assert response.status_code == 422


async def test_an_agents_weights_and_ranks_go_with_the_queue(office: Office) -> None:
    admin = await office.admin()
    body = {"weights": {"sales": 3, "support": 2}, "ranks": {"support": 0}}
    changed = (await admin.ask("PATCH", "/v1/agents/102", json=body)).json()
    assert {name: changed[name] for name in body} == body
    strange = await admin.ask("PATCH", "/v1/agents/101", json={"weights": {"support": 2}})
    assert (strange.status_code, strange.json()["slug"]) == (422, "unknown_queue")
    left = (await admin.ask("PATCH", "/v1/agents/102", json={"queues": ["support"]})).json()
    assert (left["weights"], left["ranks"]) == ({"support": 2}, {"support": 0})
    await admin.ask("DELETE", "/v1/queues/support")
    gone = await admin.get("/v1/agents/102")
    assert (gone["queues"], gone["weights"], gone["ranks"]) == ([], {}, {})


async def test_the_database_gives_back_what_it_was_given(database_url: str) -> None:
    database = Database(database_url)
    await migrate(database)
    queue = QueueSpec(
        QueueId("vip"),
        "8100",
        relax=(RelaxStep(30.0, (("english", 1),)), RelaxStep(90.0, ())),
        priority_s=60.0,
        sticky_s=20.0,
        misses=MissPolicy(2, 1, 0, 4),
    )
    member = AgentSpec(AgentId("101"), queues=(queue.id,), weights=((queue.id, 3),), ranks=((queue.id, 0),))
    await catalogue.change(database, Changes(queues=(queue,), agents=(member,)))
    known = await catalogue.load(database)
    assert (known.queues[queue.id], known.agents[member.id]) == (queue, member)
    await database.close()


FILE = """
queues:
  - id: sales
    number: '8000'
    relax: [{after_s: 90, skills: {}}, {after_s: 30, skills: {english: 1}}]
    misses: {busy: 2}
agents:
  - {id: '101', queues: [sales], weights: {sales: 3}}
"""


def test_a_file_is_applied_once_and_its_difference_can_be_read(tmp_path: Path) -> None:
    file = tmp_path / "floor.yaml"
    file.write_text(FILE)
    target = DatabaseTarget(f"sqlite:///{tmp_path / 'nobat.db'}", PbxId("pbx1"))
    target.carry_out(target.plan(read_declaration(file), prune=False))
    assert target.plan(read_declaration(file), prune=False).empty
    file.write_text(FILE.replace("busy: 2", "busy: 3").replace("sales: 3", "sales: 4"))
    assert target.plan(read_declaration(file), prune=False).lines() == [
        "~ queue sales: misses no_answer=3 busy=2 rejected=3 failed=0 -> no_answer=3 busy=3 rejected=3 failed=0",
        "~ agent 101: weights sales=3 -> sales=4",
    ]


def test_a_weight_in_a_queue_not_served_is_named(tmp_path: Path) -> None:
    file = tmp_path / "floor.yaml"
    file.write_text("agents: [{id: '101', weights: {sales: 3}}]")
    with pytest.raises(DeclarationError, match="agent 101: entry: weights: the agent does not serve queue 'sales'"):
        read_declaration(file)
