"""Calls that change hands, over REST and through a restart."""

import pytest

from nobat.auth import Role
from tests.support.memory_pbx import Manner
from tests.support.office import Office, Person, until


async def given_a_talk(office: Office, admin: Person) -> str:
    """101 talks to a caller of sales; 103, who serves support, is free."""
    await admin.chooses("101", "available")
    await admin.chooses("103", "available")
    call = office.pbx.caller("8000", "4930123456")
    await until(lambda: office.pbx.ringing(call), "a ringing phone")
    office.pbx.pick_up(call)
    await office.settled()
    await office.pass_time(10)
    return call


async def test_passed_on_to_an_agent_and_one_record_of_it_through_a_restart(office: Office) -> None:
    admin = await office.admin()
    call = await given_a_talk(office, admin)
    answer = await admin.ask("POST", f"/v1/calls/{call}/transfer", json={"to": {"agent": "103"}})
    assert answer.status_code == 202, answer.text
    await until(lambda: office.pbx.ringing(call), "the other phone")  # type: ignore[arg-type]
    office.pbx.pick_up(call)  # type: ignore[arg-type]
    await office.settled()
    await office.pass_time(5)
    office.pbx.caller_hangs_up(call)  # type: ignore[arg-type]
    await office.settled()
    ended = await admin.get(f"/v1/calls/{call}")
    assert [talk["agent"] for talk in ended["talks"]] == ["101", "103"]
    assert [round(talk["talk_s"]) for talk in ended["talks"]] == [10, 5]
    assert ended["transfers"][0]["to"] == {"agent": "103"}
    await office.written()
    first = await office.person(Role.AGENT, agent="101")
    await office.die()
    await office.start()
    again = await office.admin()
    assert await again.get(f"/v1/calls/{call}") == ended
    for agent in ("101", "103"):
        found = await again.get("/v1/calls", agent=agent)
        assert [item["id"] for item in found["items"]] == [call]
    first.client = again.client
    assert (await first.get(f"/v1/calls/{call}"))["id"] == call  # he had a part in it
    assert [item["id"] for item in (await first.get("/v1/calls"))["items"]] == [call]


async def test_an_agents_token_passes_on_the_own_call_and_no_other(office: Office) -> None:
    admin = await office.admin()
    call = await given_a_talk(office, admin)
    other = await office.person(Role.AGENT, agent="103")
    own = await office.person(Role.AGENT, agent="101")
    body = {"to": {"queue": "support"}, "place": "front"}
    assert (await other.ask("POST", f"/v1/calls/{call}/transfer", json=body)).status_code == 404
    assert (await own.ask("POST", f"/v1/calls/{call}/transfer", json=body)).status_code == 202
    assert (await own.ask("POST", f"/v1/calls/{call}/transfer", json=body)).status_code == 409
    await office.settled()
    assert (await admin.get(f"/v1/calls/{call}"))["queue"] == "support"


async def test_a_restart_in_a_passed_on_call_keeps_what_was_before(office: Office) -> None:
    admin = await office.admin()
    call = await given_a_talk(office, admin)
    await admin.ask("POST", f"/v1/calls/{call}/transfer", json={"to": {"agent": "103"}})
    await until(lambda: office.pbx.ringing(call), "the other phone")  # type: ignore[arg-type]
    office.pbx.pick_up(call)  # type: ignore[arg-type]
    await office.settled()
    await office.written()
    await office.die()
    await office.start()
    again = await office.admin()
    await office.pass_time(5)
    office.pbx.caller_hangs_up(call)  # type: ignore[arg-type]
    await office.settled()
    ended = await again.get(f"/v1/calls/{call}")
    first, second = ended["talks"]
    assert (first["agent"], round(first["talk_s"]), second["agent"]) == ("101", 10, "103")
    assert second["talk_s"] >= 5
    assert [one["result"] for one in ended["transfers"]] == ["connected"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"to": {}},
        {"to": {"queue": "support", "agent": "103"}},
        {"to": {"number": "0912-7"}},
        {"to": {"number": "0912\r\nAction: Hangup"}},
        {"to": {"queue": "support"}, "mode": "sideways"},
        {"to": {"queue": "support"}, "place": "first"},
    ],
)
async def test_a_body_that_makes_no_sense(counter: Office, body: object) -> None:
    admin = await counter.admin()
    call = await given_a_talk(counter, admin)
    assert (await admin.ask("POST", f"/v1/calls/{call}/transfer", json=body)).status_code == 422
    assert (await admin.get(f"/v1/calls/{call}"))["state"] == "talking"


async def test_a_supervisor_hands_a_waiting_call_to_an_agent_who_is_free(counter: Office) -> None:
    supervisor = await counter.person(Role.SUPERVISOR)
    await given_a_talk(counter, supervisor)
    call = counter.pbx.caller("8000", "111")
    await counter.settled()
    refused = await supervisor.ask("POST", f"/v1/calls/{call}/offer", json={"agent": "101"})
    assert (refused.status_code, refused.json()["slug"], refused.json()["bar"]) == (409, "agent_not_free", "not_idle")
    assert (await supervisor.ask("POST", f"/v1/calls/{call}/offer", json={"agent": "103"})).status_code == 202
    await until(lambda: counter.pbx.ringing(call), "a ringing phone")
    counter.pbx.pick_up(call)
    await counter.settled()
    assert (await supervisor.get(f"/v1/calls/{call}"))["agent"] == "103"


async def test_a_phone_that_rejects_brings_the_caller_to_the_head(counter: Office) -> None:
    admin = await counter.admin()
    call = await given_a_talk(counter, admin)
    counter.pbx.phone("PJSIP/agent-103", Manner.REJECTS)
    waits = counter.pbx.caller("8000", "111")
    await counter.settled()
    await admin.chooses("101", "break")
    await admin.ask("POST", f"/v1/calls/{call}/transfer", json={"to": {"agent": "103"}})
    await counter.settled()
    line = await admin.get("/v1/queues/sales/line")
    assert [entry["call_id"] for entry in line["items"]] == [call, waits]
    assert (await admin.get(f"/v1/calls/{call}"))["transfers"][0]["result"] == "failed"
