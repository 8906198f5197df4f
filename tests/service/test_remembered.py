"""What routing remembers of the days before a restart: whose turn it is, and who talked to whom."""

from acd.ids import AgentId, QueueId
from nobat.storage import startup
from tests.support.office import Office


async def served(office: Office, number: str) -> str:
    """A caller is served by whoever is rung; that agent."""
    admin = await office.admin()
    call = office.pbx.caller("8000", number=number)
    await office.settled()
    (agent,) = (await admin.get(f"/v1/calls/{call}"))["offered_to"]
    office.pbx.pick_up(call)
    await office.settled()
    office.pbx.agent_hangs_up(call)
    await office.settled()
    office.clock.move(1)
    return str(agent)


async def test_round_robin_goes_on_after_a_restart(office: Office) -> None:
    admin = await office.admin()
    await admin.ask("PATCH", "/v1/queues/sales", json={"strategy": "round_robin"})
    await admin.chooses("101", "available")
    await admin.chooses("102", "available")
    assert [await served(office, "1001") for _ in range(3)] == ["101", "102", "101"]
    await office.restarted()
    turns = office.app.engine.read(lambda floor, _: dict(floor.queues[QueueId("sales")].turns))
    assert turns[AgentId("102")] < turns[AgentId("101")]
    assert [await served(office, "1001") for _ in range(2)] == ["102", "101"]


async def test_a_caller_gets_the_same_agent_after_a_restart(office: Office) -> None:
    admin = await office.admin()
    await admin.ask("PATCH", "/v1/queues/sales", json={"sticky_s": 30})
    await admin.chooses("101", "available")
    assert await served(office, "02112345678") == "101"
    await admin.chooses("102", "available")
    await office.restarted()
    assert await served(office, "+982112345678") == "101"


async def test_what_is_older_than_a_week_is_forgotten(office: Office) -> None:
    admin = await office.admin()
    await admin.chooses("101", "available")
    await served(office, "02112345678")
    await office.written()
    database, now = office.app.database, office.clock.now()
    agents = [one.spec for one in office.app.engine.read(lambda floor, _: list(floor.agents.values()))]
    assert len(await startup.restored_turns(database, agents, now)) == 1
    assert [one.number for one in await startup.restored_services(database, now)] == ["02112345678"]
    later = now + 8 * 86_400
    assert await startup.restored_turns(database, agents, later) == []
    assert await startup.restored_services(database, later) == []


async def test_a_shift_goes_on_after_a_restart(office: Office) -> None:
    admin = await office.admin()
    await admin.ask("PATCH", "/v1/queues/sales", json={"strategy": "fewest_calls", "wrap_up_s": 0})
    await admin.chooses("101", "available")
    office.clock.move(600)
    for _ in range(3):
        assert await served(office, "02112345678") == "101"
    await admin.chooses("101", "break")
    office.clock.move(600)
    await admin.chooses("101", "available")
    await office.settled()
    before = office.app.engine.read(lambda floor, _: floor.agents[AgentId("101")].shift)
    assert (before.calls, before.left_at) == (3, None)
    await office.restarted()
    after = office.app.engine.read(lambda floor, _: floor.agents[AgentId("101")].shift)
    assert (after.calls, after.left_at, after.away_s) == (before.calls, None, 0.0)
    assert abs(after.began_at - before.began_at) < 0.01
    assert abs(after.talk_s - before.talk_s) < 0.01


async def test_who_left_before_the_restart_is_not_in_shift_after_it(office: Office) -> None:
    admin = await office.admin()
    await admin.chooses("101", "available")
    await served(office, "02112345678")
    await admin.chooses("101", "signed_out")
    await office.restarted()
    shift = office.app.engine.read(lambda floor, _: floor.agents[AgentId("101")].shift)
    assert (shift.is_on, shift.calls) == (False, 1)


async def test_what_a_supervisor_changed_of_a_waiting_call_stays_changed(office: Office) -> None:
    admin = await office.admin()
    first = office.pbx.caller("8000")
    office.clock.move(1)
    second = office.pbx.caller("8000")
    ended = office.pbx.caller("8000")
    await office.settled()
    for call in (second, ended):
        await admin.ask("PATCH", f"/v1/calls/{call}", json={"priority": 5, "notes": "call the director"})
    office.pbx.caller_hangs_up(ended)
    await office.settled()
    admin = await office.restarted()
    line = (await admin.get("/v1/queues/sales/line"))["items"]
    assert [(one["call_id"], one["priority"]) for one in line] == [(second, 5), (first, 0)]
    assert (await admin.get(f"/v1/calls/{second}"))["notes"] == "call the director"
    assert office.app.engine.read(lambda floor, _: len(floor.amended)) == 0
