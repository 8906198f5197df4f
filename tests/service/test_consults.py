"""Consults over REST: who may ask, what the record says of it, and what a restart leaves of it."""

from acd.ids import CallId
from nobat.auth import Role
from tests.service.test_moves import given_a_talk
from tests.support.office import Office, Person


async def ask(person: Person, call: str, **to: str) -> int:
    return (await person.ask("POST", f"/v1/calls/{call}/consult", json={"to": to})).status_code


async def change(person: Person, call: str, action: str) -> int:
    return (await person.ask("PATCH", f"/v1/calls/{call}/consult", json={"action": action})).status_code


async def given_a_consult(office: Office, admin: Person) -> str:
    """101 has a caller of sales and talks to 103."""
    call = await given_a_talk(office, admin)
    assert await ask(admin, call, agent="103") == 202
    await office.settled()
    office.pbx.say(office.pbx.world.takes(CallId(call)))
    await office.settled()
    return call


async def test_hold_swap_merge_and_complete_are_one_record(office: Office) -> None:
    admin = await office.admin()
    call = await given_a_consult(office, admin)
    seen = await admin.get(f"/v1/calls/{call}")
    assert (seen["consult"]["stage"], seen["consult"]["by"], seen["consult"]["agent"]) == ("talking", "101", "103")
    assert [leg["party"] for leg in seen["legs"]] == ["caller", "agent", "agent"]
    await office.pass_time(4)
    for action, stage in (("swap", "swapped"), ("merge", "merged")):
        assert await change(admin, call, action) == 202
        await office.settled()
        assert (await admin.get(f"/v1/calls/{call}"))["consult"]["stage"] == stage
        await office.pass_time(3)
    assert await change(admin, call, "complete") == 202
    await office.settled()
    await office.pass_time(5)
    office.pbx.caller_hangs_up(CallId(call))
    await office.settled()
    ended = await admin.get(f"/v1/calls/{call}")
    assert ended["consult"] is None
    first, second = ended["talks"]
    assert (first["agent"], second["agent"]) == ("101", "103")
    assert first["hold_s"] >= 4
    assert second["hold_s"] >= 3
    assert first["talk_s"] >= 20
    assert second["talk_s"] >= 15
    assert (
        abs((first["talk_s"] - 10) - (second["talk_s"] - 5)) < 3
    )  # both were there from the pick-up to the handing over
    assert [(one["mode"], one["by"], one["to"], one["result"]) for one in ended["transfers"]] == [
        ("attended", "101", {"agent": "103"}, "connected")
    ]
    assert [visit["outcome"] for visit in ended["visits"]] == ["answered"]
    await office.written()
    await office.die()
    await office.start()
    assert await (await office.admin()).get(f"/v1/calls/{call}") == ended


async def test_who_is_asked_and_let_go_has_a_talk_and_no_wrap_up(office: Office) -> None:
    admin = await office.admin()
    call = await given_a_consult(office, admin)
    await office.pass_time(4)
    assert await change(admin, call, "cancel") == 202
    await office.settled()
    assert (await admin.get("/v1/agents/103"))["state"] == "idle"
    seen = await admin.get(f"/v1/calls/{call}")
    assert (seen["consult"], seen["agent"]) == (None, "101")
    asked, asker = seen["talks"]
    assert (asked["agent"], asker["agent"], asker["ended_at"]) == ("103", "101", None)
    assert 4 <= asked["talk_s"] <= asker["talk_s"] - 10


async def test_an_agents_token_asks_in_the_own_call_and_no_other(office: Office) -> None:
    admin = await office.admin()
    call = await given_a_talk(office, admin)
    own = await office.person(Role.AGENT, agent="101")
    other = await office.person(Role.AGENT, agent="103")
    assert await ask(other, call, agent="103") == 404
    assert await change(own, call, "swap") == 409  # nobody is asked
    assert await ask(own, call, agent="101") == 409  # he is not free
    assert await ask(own, call, agent="103") == 202
    assert await ask(own, call, queue="support") == 409
    await office.settled()
    assert await change(own, call, "merge") == 409  # it only rings
    assert await change(other, call, "cancel") == 409  # he sees the call, and it is not his
    body = {"to": {"queue": "support"}}
    assert (await own.ask("POST", f"/v1/calls/{call}/transfer", json=body)).status_code == 409
    assert await change(own, call, "cancel") == 202
    await office.settled()
    assert (await own.ask("POST", f"/v1/calls/{call}/transfer", json={**body, "mode": "attended"})).status_code == 202
    assert (await own.get(f"/v1/calls/{call}"))["consult"]["to"] == {"queue": "support"}


async def test_a_restart_in_a_consult(office: Office) -> None:
    admin = await office.admin()
    call = await given_a_consult(office, admin)
    await office.written()
    await office.die()
    await office.start()
    again = await office.admin()
    seen = (await again.get(f"/v1/calls/{call}"))["consult"]
    assert (seen["stage"], seen["by"], seen["agent"], seen["to"]) == ("talking", "101", "103", {"agent": "103"})
    assert (await again.get("/v1/agents/103"))["state"] == "talking"
    assert await change(again, call, "complete") == 202
    await office.settled()
    seen = await again.get(f"/v1/calls/{call}")
    assert (seen["agent"], seen["consult"]) == ("103", None)
