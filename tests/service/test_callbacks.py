"""Callbacks over REST and on both databases: promised, shown, changed, cancelled, dialled once, and kept through a restart."""

from datetime import UTC, datetime

from acd.callback_policy import AttemptResult
from acd.ids import CallId
from callback.sessions import callback_of_attempt
from nobat.markers import MarkerSweeper
from tests.support.office import Office, Person, until

NUMBER = "09121110000"


async def promised(office: Office, admin: Person, number: str = NUMBER) -> str:
    """A caller in a queue whose agents are away is let go; the callback."""
    body = {"callbacks": {"enabled": True, "retries": {"busy": {"most": 3, "gap_s": 30.0}}}}
    assert (await admin.ask("PATCH", "/v1/queues/sales", json=body)).status_code == 200
    call = office.pbx.caller("8000", number=number)
    await office.settled()
    reply = await admin.ask("POST", "/v1/callbacks", json={"call": call, "number": number})
    assert reply.status_code == 201, reply.text
    office.pbx.hears_the_end(call)
    await office.settled()
    return str(reply.json()["id"])


async def dialled(office: Office, times: int = 1) -> None:
    await until(lambda: len(office.pbx.dialled()) >= times, f"{times} attempts")


async def test_a_promise_is_in_line_and_in_the_figures(office: Office) -> None:
    admin = await office.admin()
    callback = await promised(office, admin)
    (entry,) = (await admin.get("/v1/queues/sales/line"))["items"]
    assert (entry["kind"], entry["call_id"], entry["position"]) == ("callback", callback, 1)
    stats = await admin.get("/v1/queues/sales/stats")
    assert (stats["offered"], stats["deferred"], stats["waiting"]) == (1, 1, 0)
    (one,) = (await admin.get("/v1/callbacks", state="open"))["items"]
    assert (one["id"], one["state"], one["number"], one["ended"]) == (callback, "waiting", NUMBER, None)
    page = (await admin.ask("GET", "/metrics")).text
    assert 'acd_callbacks{queue="sales",state="waiting"} 1.0' in page
    assert 'acd_calls_waiting{kind="callback",queue="sales"} 1.0' in page
    assert NUMBER not in page


async def test_from_the_promise_to_the_conversation(office: Office) -> None:
    admin = await office.admin()
    callback = await promised(office, admin)
    await admin.chooses("101", "available")
    await dialled(office)
    agent = await admin.get("/v1/agents/101")
    assert (agent["state"], agent["current"]["number"], agent["current"]["callback"]) == ("ringing", NUMBER, callback)
    call = office.pbx.presses_one(office.pbx.dialled()[0])
    await office.settled()
    office.pbx.pick_up(call)
    await office.settled()
    over = await admin.get(f"/v1/callbacks/{callback}")
    assert (over["ended"], over["reached_in"], [one["result"] for one in over["attempts"]]) == (
        "reached",
        call,
        ["connected"],
    )
    talking = await admin.get(f"/v1/calls/{call}")
    assert (talking["outcome"], talking["callback"]) == ("answered", callback)
    stats = await admin.get("/v1/queues/sales/stats")
    assert (stats["offered"], stats["answered"], stats["deferred"]) == (1, 0, 1)


async def test_an_open_callback_and_its_attempts_outlive_a_restart(office: Office) -> None:
    admin = await office.admin()
    callback = await promised(office, admin)
    await admin.chooses("101", "available")
    await dialled(office)
    office.pbx.not_reached(office.pbx.dialled()[0].attempt, AttemptResult.BUSY)
    await office.settled()
    admin = await office.restarted()
    again = await admin.get(f"/v1/callbacks/{callback}")
    assert (again["state"], [one["result"] for one in again["attempts"]]) == ("waiting", ["busy"])
    assert len(office.pbx.dialled()) == 1
    await office.pass_time(31)
    await dialled(office, 2)
    assert len({one.attempt for one in office.pbx.dialled()}) == 2


async def test_a_marker_is_forgotten_when_its_callback_is_over_and_not_before(office: Office) -> None:
    admin = await office.admin()
    over = await promised(office, admin)
    still_open = await promised(office, admin, "09121110001")
    await admin.chooses("101", "available")
    for times in (1, 2):
        await dialled(office, times)
        office.pbx.not_reached(office.pbx.dialled()[-1].attempt, AttemptResult.BUSY)
        await office.settled()
    await admin.ask("DELETE", f"/v1/callbacks/{over}")
    await office.written()
    app = office.app
    assert len(office.pbx.markers) == 2
    assert await MarkerSweeper(app.pbxs, app.database, office.clock.now, 60.0).sweep() == 0
    assert await MarkerSweeper(app.pbxs, app.database, office.clock.now, 0.0).sweep() == 1
    assert [callback_of_attempt(one) for one in office.pbx.markers] == [still_open]


async def test_an_attempt_that_was_out_is_not_repeated_after_a_restart(office: Office) -> None:
    """Its marker says what became of it."""
    admin = await office.admin()
    callback = await promised(office, admin)
    await admin.chooses("101", "available")
    await dialled(office)
    attempt = office.pbx.dialled()[0].attempt
    await office.written()
    await office.die()
    office.pbx.markers[attempt] = AttemptResult.NO_ANSWER
    await office.start()
    await office.settled()
    admin = await office.admin()

    async def results() -> list[str]:
        return [one["result"] for one in (await admin.get(f"/v1/callbacks/{callback}"))["attempts"]]

    for _ in range(500):
        if await results() == ["no_answer"]:
            break
    assert await results() == ["no_answer"]
    assert len(office.pbx.dialled()) == 1


async def test_cancelled_and_changed(office: Office) -> None:
    admin = await office.admin()
    callback = await promised(office, admin)
    changed = await admin.ask("PATCH", f"/v1/callbacks/{callback}", json={"number": "09129990000", "priority": 2})
    assert (changed.json()["number"], changed.json()["priority"]) == ("09129990000", 2)
    assert (await admin.ask("DELETE", f"/v1/callbacks/{callback}")).status_code == 204
    over = await admin.get(f"/v1/callbacks/{callback}")
    assert (over["state"], over["ended"], over["position"]) == ("ended", "cancelled", None)
    assert (await admin.get("/v1/queues/sales/line"))["items"] == []
    assert (await admin.ask("DELETE", f"/v1/callbacks/{callback}")).status_code == 409


async def test_what_is_refused(office: Office) -> None:
    admin = await office.admin()
    tomorrow = datetime.fromtimestamp(office.clock.now() + 86_000, UTC).isoformat()
    later = {"queue": "sales", "number": NUMBER, "due_until": tomorrow}
    assert (await admin.ask("POST", "/v1/callbacks", json=later)).json()["slug"] == "no_callbacks"
    await promised(office, admin)
    assert (await admin.ask("POST", "/v1/callbacks", json=later)).json()["slug"] == "callback_pending"
    past = {**later, "number": "09122220000", "due_until": "2001-01-01T00:00:00Z"}
    assert (await admin.ask("POST", "/v1/callbacks", json=past)).json()["slug"] == "invalid_window"
    for body in (
        {},
        {"number": NUMBER},
        {**later, "number": "x"},
        {**later, "call": "a"},
        {**later, "zone": "Nowhere/At"},
    ):
        assert (await admin.ask("POST", "/v1/callbacks", json=body)).status_code == 422, body
    assert (await admin.ask("GET", "/v1/callbacks/none")).json()["slug"] == "unknown_callback"


async def test_a_caller_who_cannot_be_promised_waits_on(office: Office) -> None:
    admin = await office.admin()
    await admin.ask("PATCH", "/v1/queues/sales", json={"callbacks": {"enabled": True}})
    call = office.pbx.caller("8000", number=NUMBER)
    await office.settled()

    async def refuses(_events: object) -> None:
        raise OSError("the disk is full")

    kept, office.app.recorder.commit = office.app.recorder.commit, refuses  # type: ignore[method-assign]
    with_body = {"call": call, "number": NUMBER}
    from acd.callback_commands import PromiseCallback
    from nobat.engine import StorageUnavailable

    try:
        await office.app.engine.ask(PromiseCallback(CallId(call), NUMBER))
    except StorageUnavailable:
        pass
    else:
        raise AssertionError("it was promised")
    office.app.recorder.commit = kept  # type: ignore[method-assign]
    await office.settled()
    assert (await admin.get(f"/v1/calls/{call}"))["state"] == "waiting"
    assert with_body["number"] not in [one["number"] for one in (await admin.get("/v1/callbacks"))["items"]]
