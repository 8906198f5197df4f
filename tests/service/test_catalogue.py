"""Queues and agents are made, changed and removed; floor, database and PBX stay in step."""

import asyncio

import pytest

from acd.ids import QueueId
from nobat.auth import Role
from nobat.storage import catalogue
from nobat.storage.catalogue import Changes
from nobat.storage.database import Database
from tests.support.office import Office, agent, queue, until


async def test_a_new_queue_takes_calls_at_once_and_survives_a_restart(office: Office) -> None:
    admin = await office.admin()
    body = {
        "id": "vip",
        "number": "8100",
        "name": "مشتریان ویژه",
        "ring_s": 25,
        "service_level": {"target_s": 10, "ratio": 0.9},
    }
    made = await admin.ask("POST", "/v1/queues", json={**body, "skills": {"english": 3}, "timezone": "Asia/Tehran"})
    assert (made.status_code, made.headers["location"]) == (201, "/v1/queues/vip")
    assert office.pbx.numbers["8100"] == "vip"
    call = office.pbx.caller("8100")
    await office.settled()
    assert (await admin.get(f"/v1/calls/{call}"))["queue"] == "vip"
    await office.die()
    await office.start()
    kept = await (await office.admin()).get("/v1/queues/vip")
    assert {key: kept[key] for key in body} == {**body, "service_level": {"target_s": 10.0, "ratio": 0.9}}
    assert (kept["skills"], kept["timezone"], kept["waiting"]) == ({"english": 3}, "Asia/Tehran", 1)


async def test_a_change_keeps_what_is_not_named(office: Office) -> None:
    admin = await office.admin()
    await admin.ask("PATCH", "/v1/queues/sales", json={"ring_s": 7, "service_level": {"ratio": 0.5}})
    changed = (await admin.ask("PATCH", "/v1/queues/sales", json={"number": "8005"})).json()
    assert (changed["ring_s"], changed["number"], changed["service_level"]) == (
        7,
        "8005",
        {"target_s": 20.0, "ratio": 0.5},
    )
    assert "8000" not in office.pbx.numbers


@pytest.mark.parametrize(
    ("method", "path", "body", "slug"),
    [
        ("POST", "/v1/queues", {"id": "sales", "number": "8100"}, "queue_exists"),
        ("POST", "/v1/queues", {"id": "vip", "number": "8000"}, "number_taken"),
        ("PATCH", "/v1/queues/support", {"number": "8000"}, "number_taken"),
        ("POST", "/v1/agents", {"id": "101"}, "agent_exists"),
    ],
)
async def test_what_is_taken_is_409(office: Office, method: str, path: str, body: object, slug: str) -> None:
    response = await (await office.admin()).ask(method, path, json=body)
    assert (response.status_code, response.json()["slug"]) == (409, slug)


async def test_a_queue_with_callers_stays(office: Office) -> None:
    admin = await office.admin()
    call = office.pbx.caller("8000")
    await office.settled()
    refused = await admin.ask("DELETE", "/v1/queues/sales")
    assert (refused.status_code, refused.json()["slug"]) == (409, "queue_in_use")
    office.pbx.caller_hangs_up(call)
    await office.settled()
    assert (await admin.ask("DELETE", "/v1/queues/sales")).status_code == 204
    assert (await admin.ask("GET", "/v1/queues/sales")).status_code == 404
    assert (await admin.get("/v1/agents/102"))["queues"] == ["support"]
    assert office.pbx.numbers == {"8001": "support"}


async def test_an_agent_at_work_stays(office: Office) -> None:
    admin = await office.admin()
    await admin.chooses("101", "available")
    refused = await admin.ask("DELETE", "/v1/agents/101")
    assert (refused.status_code, refused.json()["slug"]) == (409, "agent_in_use")
    await admin.chooses("101", "signed_out")
    assert (await admin.ask("DELETE", "/v1/agents/101")).status_code == 204


async def test_an_agents_pin_is_never_shown_and_can_be_taken_away(office: Office) -> None:
    admin = await office.admin()
    made = await admin.ask("POST", "/v1/agents", json={"id": "201", "pin": "4711", "device": "PJSIP/agent-201"})
    assert (made.status_code, made.json()["has_pin"], "4711" in made.text) == (201, True, False)
    changed = (await admin.ask("PATCH", "/v1/agents/201", json={"name": "Ali"})).json()
    assert (changed["has_pin"], changed["device"]) == (True, "PJSIP/agent-201")
    changed = (await admin.ask("PATCH", "/v1/agents/201", json={"pin": None, "device": None})).json()
    assert (changed["has_pin"], changed["device"]) == (False, None)


async def test_signing_in_without_any_device_is_422(office: Office) -> None:
    admin = await office.admin()
    await admin.ask("POST", "/v1/agents", json={"id": "201"})
    response = await admin.ask("PUT", "/v1/agents/201/status", json={"status": "available"})
    assert (response.status_code, response.json()["slug"]) == (422, "no_device")
    signed_in = await admin.chooses("201", "available", device="PJSIP/agent-103")
    assert signed_in["phone"] == "PJSIP/agent-103"
    taken = await admin.ask("PUT", "/v1/agents/103/status", json={"status": "available"})
    assert (taken.status_code, taken.json()["slug"]) == (409, "device_taken")


async def test_an_illegal_change_of_status_names_both_states(office: Office) -> None:
    response = await (await office.admin()).ask("PUT", "/v1/agents/101/status", json={"status": "break"})
    assert response.status_code == 409
    body = response.json()
    assert (body["slug"], body["current"], body["requested"]) == ("illegal_transition", "signed_out", "break")


async def test_a_break_has_a_reason_and_ends_by_becoming_available(office: Office) -> None:
    agent_himself = await office.person(Role.AGENT, agent="101")
    await agent_himself.chooses("101", "available")
    rested = await agent_himself.chooses("101", "break", reason="lunch")
    assert (rested["status"], rested["state"], rested["reason"]) == ("break", "break", "lunch")
    back = await agent_himself.chooses("101", "available")
    assert (back["status"], back["state"], back["reason"]) == ("available", "idle", None)


async def test_wrap_up_is_extended_and_ended_with_a_disposition(office: Office) -> None:
    admin = await office.admin()
    await admin.ask("PATCH", "/v1/queues/sales", json={"wrap_up_s": 30})
    await admin.chooses("101", "available")
    call = office.pbx.caller("8000")
    await until(lambda: office.pbx.ringing(call))
    office.pbx.pick_up(call)
    await office.settled()
    too_soon = await admin.ask("POST", "/v1/agents/101/wrap-up", json={})
    assert (too_soon.status_code, too_soon.json()["slug"]) == (409, "illegal_transition")
    office.pbx.agent_hangs_up(call)
    await office.settled()
    assert (await admin.get("/v1/agents/101"))["state"] == "wrap_up"
    longer = await admin.ask("POST", "/v1/agents/101/wrap-up", json={"extend_s": 600, "disposition": "later"})
    assert longer.json()["state"] == "wrap_up"
    await office.pass_time(60)
    assert (await admin.get("/v1/agents/101"))["state"] == "wrap_up"
    done = await admin.ask("POST", "/v1/agents/101/wrap-up", json={"disposition": "sold", "notes": "ruft wieder an"})
    assert done.json()["state"] == "idle"
    await office.written()
    office.app.engine.read(lambda floor, _: floor.ended.clear())
    kept = await admin.get(f"/v1/calls/{call}")
    assert (kept["disposition"], kept["notes"]) == ("sold", "ruft wieder an")
    amended = await admin.ask("PATCH", f"/v1/calls/{call}", json={"disposition": "returned"})
    assert (amended.json()["disposition"], amended.json()["notes"]) == ("returned", "ruft wieder an")
    late = await admin.ask("PATCH", f"/v1/calls/{call}", json={"priority": 3})
    assert (late.status_code, late.json()["slug"]) == (409, "illegal_transition")


async def test_what_another_program_changes_is_noticed(office: Office) -> None:
    """As ``nobat apply`` does it: straight into the database of a running service."""
    admin = await office.admin()
    await admin.chooses("101", "available")
    database = Database(office.url)
    swapped = (queue("sales", "8001"), queue("support", "8000"), queue("vip", "8100"))
    changes = Changes(queues=swapped, agents=(agent("301", "vip"),), removed_agents=("101", "103"))  # type: ignore[arg-type]
    await catalogue.change(database, changes)
    await database.close()
    await until(lambda: office.pbx.numbers.get("8100") == "vip", "the new queue's number at the PBX")
    assert office.pbx.numbers == {"8001": "sales", "8000": "support", "8100": "vip"}
    assert {one["id"] for one in (await admin.get("/v1/agents"))["items"]} == {"101", "102", "301"}  # 101 is at work
    await admin.chooses("101", "signed_out")
    await until(lambda: office.app.engine.read(lambda floor, _: "101" not in floor.agents), "the end of agent 101")


async def test_changes_at_the_same_moment_do_not_mix(office: Office) -> None:
    admin = await office.admin()
    asked = [admin.ask("POST", "/v1/queues", json={"id": f"q{n}", "number": "8500"}) for n in range(8)]
    answers = await asyncio.gather(*asked)
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    assert len((await admin.get("/v1/queues"))["items"]) == 3


async def test_lists_come_in_parts_that_miss_and_repeat_nothing(office: Office) -> None:
    admin = await office.admin()
    for n in range(7):
        await admin.ask("POST", "/v1/agents", json={"id": f"3{n}"})
    seen: list[str] = []
    cursor = None
    while True:
        page = await admin.get("/v1/agents", limit=3, **({"cursor": cursor} if cursor else {}))
        assert len(page["items"]) <= 3
        seen += [one["id"] for one in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
        await admin.ask("DELETE", f"/v1/agents/{seen[-1]}")
    assert seen == sorted(set(seen))
    assert len(seen) == 10


async def test_a_queue_that_another_program_removes_serves_its_last_callers_first(office: Office) -> None:
    admin = await office.admin()
    waiting = office.pbx.caller("8000")
    await office.settled()
    database = Database(office.url)
    await catalogue.change(database, Changes(removed_queues=(QueueId("sales"),)))
    await database.close()
    await until(lambda: office.pbx.numbers == {"8001": "support"}, "no new callers for sales")
    await admin.chooses("101", "available")
    await until(lambda: office.pbx.ringing(waiting), "a ringing phone for the last caller")
    office.pbx.pick_up(waiting)
    await office.settled()
    office.pbx.agent_hangs_up(waiting)
    await until(lambda: office.app.engine.read(lambda floor, _: "sales" not in floor.queues), "the end of the queue")
    assert (await admin.get("/v1/agents/101"))["queues"] == []
