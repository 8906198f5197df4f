"""All that is on record of a call in one answer, and every change of an agent: as a reviewer asks for it, a week later."""

from typing import Any

from nobat.auth import Role
from tests.service.test_callback_reports import one_reached_one_cancelled_one_open
from tests.support.office import Office, Person, until
from tests.support.recordings import kept_recording


async def a_call_that_was_missed_and_passed_on(office: Office, admin: Person) -> str:
    """101 lets it ring, 102 answers, talks for half a minute, passes it to support, where 103 talks and works on."""
    await admin.ask("PATCH", "/v1/queues/sales", json={"wrap_up_s": 20})
    await admin.chooses("101", "available")
    call = office.pbx.caller("8000", "4930123456", "نوبت")
    await until(lambda: office.pbx.ringing(call), "a ringing phone")
    office.pbx.let_ring_out(call)
    await office.settled()
    await admin.chooses("101", "break", reason="lunch")
    await admin.chooses("102", "available")
    await until(lambda: office.pbx.ringing(call), "a ringing phone")
    office.pbx.pick_up(call)
    await office.settled()
    await office.pass_time(30)
    await admin.chooses("102", "break")
    moved = await admin.ask("POST", f"/v1/calls/{call}/transfer", json={"to": {"queue": "support"}})
    assert moved.status_code == 202, moved.text
    await office.settled()
    await office.pass_time(20)
    await admin.chooses("103", "available")
    await until(lambda: office.pbx.ringing(call), "a ringing phone")
    office.pbx.pick_up(call)
    await office.settled()
    await office.pass_time(10)
    await admin.ask("PATCH", f"/v1/calls/{call}", json={"disposition": "sold", "notes": "twice"})
    office.pbx.caller_hangs_up(call)
    await office.settled()
    return call


async def test_everything_of_a_call_is_in_one_place(office: Office) -> None:
    admin = await office.admin()
    call = await a_call_that_was_missed_and_passed_on(office, admin)
    await kept_recording(office, "sales", call)
    admin = await office.restarted()
    await office.written()

    told = await admin.get(f"/v1/calls/{call}/history")
    assert told["call"] == await admin.get(f"/v1/calls/{call}")
    assert [(one["queue"], one["outcome"]) for one in told["call"]["visits"]] == [
        ("sales", "answered"),
        ("support", "answered"),
    ]
    assert told["call"]["disposition"] == "sold"
    assert [one["result"] for one in told["call"]["transfers"]] == ["queued"]
    offers = [(one["agents"], one["result"], one["answered_by"]) for one in told["offers"]]
    assert offers == [
        (["101"], "declined", None),
        (["102"], "answered", "102"),
        (["103"], "answered", "103"),
    ]
    (miss,) = told["offers"][0]["misses"]
    assert (miss["agent"], miss["cause"]) == ("101", "no_answer")
    first, second = told["conversations"]
    assert (first["queue"], first["agent"], second["queue"], second["agent"]) == ("sales", "102", "support", "103")
    for seconds, least in ((first["talk_s"], 30), (second["talk_s"], 10), (first["wrap_up_s"], 20)):
        assert least <= seconds < least + 15  # a slow machine takes its time
    assert [one["id"] for one in told["recordings"]] == ["sales"]
    kinds = [one["kind"] for one in told["events"]]
    assert kinds[0] == "CallQueued"
    assert {"OfferDeclined", "CallConnected", "CallTransferred", "WrapUpEnded", "CallEnded", "CallAmended"} <= set(
        kinds
    )
    assert told["events"][0]["data"]["number"] == "4930123456"
    assert told["events"][0]["data"]["entered_at"].endswith("Z")
    assert [one["at"] for one in told["events"]] == sorted(one["at"] for one in told["events"])
    assert (told["chain"], told["callbacks"], told["on_its_way"]) == ([call], [], 0)
    agent = await office.person(Role.AGENT, agent="102")
    assert (await agent.ask("GET", f"/v1/calls/{call}/history")).status_code == 403


async def test_the_chain_of_a_callback_is_told_from_either_end(office: Office) -> None:
    admin = await office.admin()
    callback, call = await one_reached_one_cancelled_one_open(office, admin)
    await office.written()
    there = await admin.get(f"/v1/calls/{call}/history")
    first = there["callbacks"][0]["call"]
    here = await admin.get(f"/v1/calls/{first}/history")
    for told in (there, here):
        assert [one["id"] for one in told["callbacks"]] == [callback]
        assert [one["result"] for one in told["callbacks"][0]["attempts"]] == ["busy", "connected"]
        assert told["chain"] == [first, call]


async def test_every_change_of_an_agent(office: Office) -> None:
    admin = await office.admin()
    await a_call_that_was_missed_and_passed_on(office, admin)
    await office.pass_time(25)
    await admin.chooses("102", "signed_out")
    admin = await office.restarted()
    changes = (await admin.get("/v1/agents/102/history"))["items"]
    states = [(one["before"], one["after"]) for one in reversed(changes) if one["kind"] == "state"]
    assert states == [
        ("signed_out", "idle"),
        ("idle", "ringing"),
        ("ringing", "talking"),
        ("talking", "wrap_up"),
        ("wrap_up", "break"),
        ("break", "signed_out"),
    ]
    chosen = [one["status"] for one in reversed(changes) if one["kind"] == "status"]
    assert chosen == ["available", "break", "signed_out"]
    (lunch,) = [one for one in (await admin.get("/v1/agents/101/history"))["items"] if one["status"] == "break"]
    assert lunch["reason"] == "lunch"
    paged: list[Any] = []
    cursor = None
    while True:
        query = {"limit": "3", **({"cursor": cursor} if cursor is not None else {})}
        page = await admin.get("/v1/agents/102/history", **query)
        paged += page["items"]
        cursor = page["next"]
        if cursor is None:
            break
    assert paged == changes
    await admin.ask("DELETE", "/v1/agents/102")
    assert (await admin.get("/v1/agents/102/history"))["items"] == changes  # who has left is not forgotten
    supervisor = await office.person(Role.SUPERVISOR, queues=("sales",))
    assert (await supervisor.ask("GET", "/v1/agents/102/history")).status_code == 404
    assert (await admin.ask("GET", "/v1/agents/nobody/history")).status_code == 404
    span = {"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}
    assert (await admin.ask("GET", "/v1/agents/101/history", params=span)).json()["slug"] == "invalid_span"
