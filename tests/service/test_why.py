"""Why a caller waits and why an agent is idle, told by the code that decides."""

from nobat.auth import Role
from tests.support.office import Office


async def test_a_caller_nobody_can_serve_names_each_agents_reason(counter: Office) -> None:
    admin = await counter.admin()
    await admin.ask("PATCH", "/v1/queues/sales", json={"skills": {"english": 3}})
    await admin.ask("PATCH", "/v1/agents/102", json={"skills": {"english": 2}})
    await admin.chooses("102", "available")
    call = counter.pbx.caller("8000")
    await counter.settled()
    why = await admin.get(f"/v1/calls/{call}/why")
    assert (why["state"], why["position"], why["skills"]) == ("waiting", 1, {"english": 3})
    assert {one["agent"]: (one["state"], one["bar"]) for one in why["candidates"]} == {
        "101": ("signed_out", "not_idle"),
        "102": ("idle", "skill"),
    }
    assert (why["not_offered_because"], why["decisions"], why["told"]) == (None, [], [])
    idle = await admin.get("/v1/agents/102/why-idle")
    assert (idle["state"], idle["bar"]) == ("idle", None)
    assert idle["lines"][0] == {
        "queue": "sales",
        "waiting": 1,
        "first": [{"call": call, "bar": "skill", "held_up_by": None}],
    }


async def test_a_decision_tells_its_order_and_an_agent_only_the_own_part(counter: Office) -> None:
    admin = await counter.admin()
    await admin.chooses("101", "available")
    counter.clock.move(5)
    await admin.chooses("102", "available")
    call = counter.pbx.caller("8000")
    await counter.settled()
    (decision,) = (await admin.get(f"/v1/calls/{call}/why"))["decisions"]
    assert (decision["strategy"], decision["chosen"]) == ("longest_idle", ["101"])
    assert [one["agent"] for one in decision["order"]] == ["101", "102"]
    rung = await counter.person(Role.AGENT, agent="101")
    own = await rung.get(f"/v1/calls/{call}/why")
    assert {one["agent"] for one in own["candidates"]} == {"101"}
    assert [one["agent"] for one in own["decisions"][0]["order"]] == ["101"]


async def test_a_call_that_has_ended_still_tells_its_decisions(counter: Office) -> None:
    admin = await counter.admin()
    await admin.chooses("101", "available")
    call = counter.pbx.caller("8000")
    await counter.settled()
    counter.pbx.caller_hangs_up(call)
    await counter.settled()
    why = await admin.get(f"/v1/calls/{call}/why")
    assert (why["state"], why["candidates"], len(why["decisions"])) == ("ended", [], 1)


async def test_what_is_not_there_is_404(counter: Office) -> None:
    admin = await counter.admin()
    for path in ("/v1/calls/pbx1-1.1/why", "/v1/agents/999/why-idle"):
        assert (await admin.ask("GET", path)).status_code == 404
