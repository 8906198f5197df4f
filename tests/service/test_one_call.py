"""One call from the dialled number to the history, as everybody who looks at it sees it."""

from acd.telephony import LegStage
from nobat.auth import Role
from tests.support.memory_pbx import Manner
from tests.support.office import Office, until


async def test_caller_is_answered_talks_and_is_found_in_the_history(office: Office) -> None:
    admin = await office.admin()
    assert (await admin.chooses("101", "available"))["state"] == "idle"
    call = office.pbx.caller("8000", "4930123456", "نوبت")
    await until(lambda: office.pbx.ringing(call), "a ringing phone")
    offered = await admin.get(f"/v1/calls/{call}")
    assert (offered["state"], offered["position"], offered["offered_to"]) == ("offered", 1, ["101"])
    assert (await admin.get("/v1/agents/101"))["state"] == "ringing"

    office.pbx.pick_up(call)
    await office.settled()
    talking = await admin.get(f"/v1/calls/{call}")
    assert (talking["state"], talking["outcome"], talking["agent"]) == ("talking", "answered", "101")
    assert [leg["party"] for leg in talking["legs"]] == ["caller", "agent"]
    assert (await admin.get("/v1/agents/101"))["call"] == call

    await office.pass_time(30)
    office.pbx.agent_hangs_up(call)
    await until(lambda: office.pbx.stage(call) is None, "the caller's hang-up")
    await office.settled()
    ended = await admin.get(f"/v1/calls/{call}")
    assert (ended["state"], ended["ended_by"], ended["caller"]) == (
        "ended",
        "agent",
        {"number": "4930123456", "name": "نوبت"},
    )
    assert 30 <= ended["talk_s"] < 31
    assert (await admin.get("/v1/agents/101"))["state"] == "idle"

    await office.written()
    await office.die()
    await office.start()
    again = await office.admin()
    assert await again.get(f"/v1/calls/{call}") == ended
    stats = await again.get("/v1/queues/sales/stats")
    assert (stats["offered"], stats["answered"], stats["service_level"]["primary"]) == (1, 1, 1.0)


async def test_callers_wait_in_order_and_the_line_shows_it(office: Office) -> None:
    supervisor = await office.person(Role.SUPERVISOR)
    first = office.pbx.caller("8000", "111")
    await office.pass_time(5)
    second = office.pbx.caller("8000", None)
    await office.settled()
    line = await supervisor.get("/v1/queues/sales/line")
    assert [(entry["call_id"], entry["position"], entry["kind"]) for entry in line["items"]] == [
        (first, 1, "live"),
        (second, 2, "live"),
    ]
    assert [entry["caller"]["number"] for entry in line["items"]] == ["111", None]
    assert line["items"][0]["waited_s"] >= 5
    assert (await supervisor.get("/v1/queues/sales"))["waiting"] == 2
    await supervisor.ask("PATCH", f"/v1/calls/{second}", json={"priority": 5})
    line = await supervisor.get("/v1/queues/sales/line")
    assert [entry["call_id"] for entry in line["items"]] == [second, first]


async def test_caller_who_gives_up_is_abandoned(office: Office) -> None:
    admin = await office.admin()
    call = office.pbx.caller("8000")
    await office.settled()
    await office.pass_time(25)
    office.pbx.caller_hangs_up(call)
    await office.settled()
    stats = await admin.get("/v1/queues/sales/stats", window="15m")
    assert (stats["offered"], stats["abandoned"], stats["short_abandoned"], stats["longest_wait_s"] >= 25) == (
        1,
        1,
        0,
        True,
    )
    assert stats["service_level"]["primary"] == 0.0
    assert (await admin.get(f"/v1/calls/{call}"))["outcome"] == "abandoned"


async def test_unanswered_phone_gives_the_caller_to_the_next_agent(office: Office) -> None:
    admin = await office.admin()
    office.pbx.phone("PJSIP/agent-101", Manner.REJECTS)
    office.pbx.phone("PJSIP/agent-102", Manner.ANSWERS)
    await admin.chooses("101", "available")
    await office.pass_time(1)
    await admin.chooses("102", "available")
    call = office.pbx.caller("8000")
    await until(lambda: office.pbx.stage(call) is LegStage.TALKING, "a conversation")
    await office.settled()
    assert (await admin.get(f"/v1/calls/{call}"))["agent"] == "102"


async def test_supervisor_hangs_a_call_up(office: Office) -> None:
    supervisor = await office.person(Role.SUPERVISOR)
    call = office.pbx.caller("8000")
    await office.settled()
    assert (await supervisor.ask("POST", f"/v1/calls/{call}/hangup")).status_code == 202
    await until(lambda: office.pbx.stage(call) is None, "the hang-up")
    await office.settled()
    assert (await supervisor.get(f"/v1/calls/{call}"))["ended_by"] == "service"
    refused = await supervisor.ask("POST", f"/v1/calls/{call}/hangup")
    assert (refused.status_code, refused.json()["slug"]) == (409, "illegal_transition")
    assert (refused.json()["current"], refused.json()["requested"]) == ("ended", "ended")


async def test_unknown_number_is_sent_away_before_it_is_answered(office: Office) -> None:
    call = office.pbx.caller("9999")
    await office.settled()
    assert office.pbx.stage(call) is None
    assert (await (await office.admin()).get("/v1/calls"))["items"] == []


async def test_restart_keeps_callers_agents_and_places(office: Office) -> None:
    admin = await office.admin()
    await admin.chooses("101", "available")
    talking = office.pbx.caller("8000")
    await until(lambda: office.pbx.ringing(talking), "a ringing phone")
    office.pbx.pick_up(talking)
    waiting = [office.pbx.caller("8000", str(number)) for number in range(3)]
    await office.settled()
    await office.written()
    await office.die()
    await office.start()
    await office.settled()
    again = await office.admin()
    line = await again.get("/v1/queues/sales/line")
    assert [entry["call_id"] for entry in line["items"]] == waiting
    agent = await again.get("/v1/agents/101")
    assert (agent["status"], agent["state"], agent["call"]) == ("available", "talking", talking)
    stats = await again.get("/v1/queues/sales/stats")
    assert (stats["offered"], stats["answered"], stats["waiting"]) == (4, 1, 3)


async def test_calls_that_end_while_nobody_looks_are_accounted_for(office: Office) -> None:
    admin = await office.admin()
    await admin.chooses("101", "available")
    talking, waiting = office.pbx.caller("8000", "111"), office.pbx.caller("8000", "222")
    await until(lambda: office.pbx.ringing(talking), "a ringing phone")
    office.pbx.pick_up(talking)
    staying = office.pbx.caller("8000", "333")
    await office.settled()
    await office.written()
    await office.die()
    office.pbx.caller_hangs_up(talking)
    office.pbx.caller_hangs_up(waiting)
    office.clock.move(20)
    await office.start()
    again = await office.admin()
    await until(lambda: office.app.recorder.pending == 0 and not office.app.leftovers._tasks, "the account")
    found = {one["id"]: one for one in (await again.get("/v1/calls"))["items"]}
    ends = {call: (found[call]["state"], found[call]["outcome"], found[call]["ended_by"]) for call in found}
    assert ends[talking] == ("ended", "answered", "unseen")
    assert ends[waiting] == ("ended", "abandoned", "unseen")
    assert ends[staying][0] != "ended"
    assert (found[talking]["agent"], found[talking]["talk_s"], found[talking]["caller"]["number"]) == (
        "101",
        None,
        "111",
    )
    stats = await again.get("/v1/queues/sales/stats")
    assert [stats[name] for name in ("offered", "answered", "abandoned", "waiting")] == [3, 1, 1, 1]
    await office.written()
    await office.die()
    await office.start()  # and only once
    await office.settled()
    stats = await (await office.admin()).get("/v1/queues/sales/stats")
    assert [stats[name] for name in ("offered", "answered", "abandoned", "waiting")] == [3, 1, 1, 1]


async def test_calls_that_ended_with_their_pbx_while_the_service_was_down_are_lost_not_abandoned(
    office: Office,
) -> None:
    admin = await office.admin()
    await admin.chooses("101", "available")
    talking, waiting = office.pbx.caller("8000", "111"), office.pbx.caller("8000", "222")
    await until(lambda: office.pbx.ringing(talking), "a ringing phone")
    office.pbx.pick_up(talking)
    await office.settled()
    await office.written()
    await office.die()
    office.pbx.world.restart()
    await office.start()
    again = await office.admin()
    await until(lambda: office.app.recorder.pending == 0 and not office.app.leftovers._tasks, "the account")
    found = {one["id"]: one for one in (await again.get("/v1/calls"))["items"]}
    assert (found[talking]["outcome"], found[talking]["ended_by"]) == ("answered", "pbx_restart")
    assert (found[waiting]["outcome"], found[waiting]["ended_by"]) == ("lost", "pbx_restart")
    stats = await again.get("/v1/queues/sales/stats")
    assert [stats[name] for name in ("offered", "answered", "abandoned", "lost", "waiting")] == [2, 1, 0, 1, 0]
