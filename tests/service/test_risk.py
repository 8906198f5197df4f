"""Breach risk as people see it: in a queue's figures and in the live feed."""

import asyncio
from typing import Any

from acd.ids import QueueId
from nobat.auth import Role
from tests.support.office import Office, until
from tests.support.stream import streaming


async def pressed(office: Office) -> Any:
    """Late in an interval the only agents are on a break, and two callers are kept waiting."""
    admin = await office.admin()
    for agent in ("101", "102"):
        await admin.chooses(agent, "available")
        await admin.chooses(agent, "break")
    await office.pass_time(900 - office.clock.now() % 900 + 600)
    for number in ("111", "222"):
        office.pbx.caller("8000", number)
    await office.pass_time(8)
    return admin


async def risk_of(person: Any, queue: str = "sales") -> Any:
    """Null where others keep the processor for too long: then it is asked for again."""
    for _ in range(100):
        risk = (await person.get(f"/v1/queues/{queue}/stats"))["breach_risk"]
        if risk is not None:
            return risk
        await asyncio.sleep(0.05)
    raise AssertionError("no risk was worked out")


async def test_a_queue_says_what_threatens_who_is_next_and_what_helps(counter: Office) -> None:
    admin = await pressed(counter)
    risk = await risk_of(admin)
    assert risk["risk"] > 0.9
    assert risk["from"] < risk["at"] < risk["to"]
    line = (await admin.get("/v1/queues/sales/line"))["items"]
    assert risk["next_breach"]["call_id"] == line[0]["call_id"]
    assert risk["next_breach"]["chance"] > 0.5
    assert risk["next_breach"]["at"] > risk["at"]
    (remedy,) = risk["remedies"]
    assert (remedy["kind"], remedy["agents"]) == ("recall", ["101", "102"])
    assert remedy["risk_after"] < remedy["risk_before"] == risk["risk"]
    assert remedy["text"].startswith("Call back 101 and 102 from the break: the risk falls from ")
    quiet = await risk_of(admin, "support")
    assert (quiet["risk"], quiet["next_breach"], quiet["remedies"]) == (0.0, None, [])


async def test_agents_are_not_told_of_the_breaks_of_others(counter: Office) -> None:
    await pressed(counter)
    agent = await counter.person(Role.AGENT, agent="102")
    risk = await risk_of(agent)
    assert risk["risk"] > 0.9
    assert risk["remedies"] is None


async def test_an_answer_holds_for_a_second(counter: Office) -> None:
    admin = await pressed(counter)
    first = await risk_of(admin)
    pairs = [[await counter.app.risks.of(QueueId("sales")) for _ in range(2)] for _ in range(20)]
    assert any(one is not None and one is other for one, other in pairs)  # a slow machine may need the second for one
    counter.clock.move(1.5)
    assert (await risk_of(admin))["at"] > first["at"]


async def test_a_queue_that_falls_quiet_is_followed_down(counter: Office) -> None:
    admin = await counter.admin()
    assert admin.token is not None
    async with streaming(counter.interface, admin.token, kind="BreachRiskTold") as stream:
        await pressed(counter)
        await counter.app.risks.look_around()
        await stream.until_kind("BreachRiskTold")
        for call in list(counter.app.engine.read(lambda floor, _: tuple(floor.calls))):
            counter.pbx.caller_hangs_up(call)
        await counter.settled()
        await counter.pass_time(3 * 900)
        await counter.app.risks.look_around()
        await until(lambda: len(stream.events) == 2, "the end of the risk")
        assert stream.events[1][2]["risk"] < 0.2


async def test_who_watches_is_told_when_it_moves(counter: Office) -> None:
    admin = await counter.admin()
    supervisor = await counter.person(Role.SUPERVISOR, queues=("support",))
    assert admin.token is not None
    assert supervisor.token is not None
    async with (
        streaming(counter.interface, admin.token, kind="BreachRiskTold") as stream,
        streaming(counter.interface, supervisor.token) as other,
    ):
        await pressed(counter)
        await counter.app.risks.look_around()
        said = await stream.until_kind("BreachRiskTold")
        assert (said["queue"], said["risk"] > 0.9) == ("sales", True)
        assert said["next_call"] is not None
        assert said["next_at"].endswith("Z")
        await counter.app.risks.look_around()  # nothing has moved
        counter.pbx.caller("8001", "444")
        await until(lambda: "CallQueued" in other.kinds, "the other's own")
        assert stream.kinds.count("BreachRiskTold") == 1
        assert "BreachRiskTold" not in other.kinds
