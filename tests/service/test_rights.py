"""Who may do what: every operation with every role, on one's own things and on others'."""

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from acd.callback_commands import ScheduleCallback
from acd.callback_policy import CallbackPolicy
from acd.commands import DefineQueue
from acd.ids import CallbackId, CallId, QueueId
from nobat.api.application import bare_api, operation_ids
from nobat.auth import Role
from nobat.clock import Clock
from nobat.storage import tokens, voicemails
from nobat.storage.voicemails import Voicemail
from tests.support.memory_pbx import Manner
from tests.support.office import Office, Person, speak
from tests.support.recordings import kept_recording

QUEUE = {"id": "new", "number": "8100"}
AGENT = {"id": "201"}
STATUS = {"status": "signed_out"}
SUPERVISION = {"agent": "101", "device": "PJSIP/supervisor-202"}
TOMORROW = datetime.fromtimestamp(Clock().now() + 86_400, UTC).isoformat()
LATER = {"queue": "sales", "number": "09121110000", "due_until": TOMORROW}

# operation -> method, path of something of one's own, path of somebody else's, body, lowest role
OPERATIONS: dict[str, tuple[str, str, str | None, Any, Role]] = {
    "listQueues": ("GET", "/v1/queues", None, None, Role.AGENT),
    "createQueue": ("POST", "/v1/queues", None, QUEUE, Role.ADMIN),
    "getQueue": ("GET", "/v1/queues/sales", "/v1/queues/support", None, Role.AGENT),
    "changeQueue": ("PATCH", "/v1/queues/sales", "/v1/queues/support", {"name": "x"}, Role.ADMIN),
    "getLine": ("GET", "/v1/queues/sales/line", "/v1/queues/support/line", None, Role.AGENT),
    "getQueueStats": ("GET", "/v1/queues/sales/stats", "/v1/queues/support/stats", None, Role.AGENT),
    "listAgents": ("GET", "/v1/agents", None, None, Role.AGENT),
    "createAgent": ("POST", "/v1/agents", None, AGENT, Role.ADMIN),
    "getAgent": ("GET", "/v1/agents/101", "/v1/agents/103", None, Role.AGENT),
    "whyIdle": ("GET", "/v1/agents/101/why-idle", "/v1/agents/103/why-idle", None, Role.AGENT),
    "changeAgent": ("PATCH", "/v1/agents/101", "/v1/agents/103", {"name": "x"}, Role.ADMIN),
    "chooseStatus": ("PUT", "/v1/agents/101/status", "/v1/agents/103/status", STATUS, Role.AGENT),
    "endWrapUp": ("POST", "/v1/agents/101/wrap-up", "/v1/agents/103/wrap-up", {}, Role.AGENT),
    "listBreakReasons": ("GET", "/v1/break-reasons", None, None, Role.AGENT),
    "listBreakRequests": ("GET", "/v1/break-requests", None, None, Role.AGENT),
    "approveBreak": (
        "POST",
        "/v1/break-requests/101/approve",
        "/v1/break-requests/103/approve",
        None,
        Role.SUPERVISOR,
    ),
    "refuseBreak": ("POST", "/v1/break-requests/101/refuse", "/v1/break-requests/103/refuse", None, Role.SUPERVISOR),
    "withdrawBreak": ("DELETE", "/v1/break-requests/101", "/v1/break-requests/103", None, Role.AGENT),
    "listCalls": ("GET", "/v1/calls", None, None, Role.AGENT),
    "getCall": ("GET", "/v1/calls/{own}", "/v1/calls/{other}", None, Role.AGENT),
    "getCallHistory": ("GET", "/v1/calls/{own}/history", "/v1/calls/{other}/history", None, Role.SUPERVISOR),
    "getAgentHistory": ("GET", "/v1/agents/101/history", "/v1/agents/103/history", None, Role.AGENT),
    "whyCall": ("GET", "/v1/calls/{own}/why", "/v1/calls/{other}/why", None, Role.AGENT),
    "changeCall": ("PATCH", "/v1/calls/{own}", "/v1/calls/{other}", {"notes": "x"}, Role.AGENT),
    "hangUpCall": ("POST", "/v1/calls/{own}/hangup", "/v1/calls/{other}/hangup", None, Role.SUPERVISOR),
    "offerCall": ("POST", "/v1/calls/{own}/offer", "/v1/calls/{other}/offer", {"agent": "101"}, Role.SUPERVISOR),
    "transferCall": (
        "POST",
        "/v1/calls/{own}/transfer",
        "/v1/calls/{other}/transfer",
        {"to": {"queue": "sales"}},
        Role.AGENT,
    ),
    "consultCall": (
        "POST",
        "/v1/calls/{own}/consult",
        "/v1/calls/{other}/consult",
        {"to": {"queue": "sales"}},
        Role.AGENT,
    ),
    "changeConsult": (
        "PATCH",
        "/v1/calls/{own}/consult",
        "/v1/calls/{other}/consult",
        {"action": "swap"},
        Role.AGENT,
    ),
    "listCallers": ("GET", "/v1/callers", None, None, Role.SUPERVISOR),
    "putCaller": ("PUT", "/v1/callers/101", None, {}, Role.ADMIN),
    "getCaller": ("GET", "/v1/callers/101", None, None, Role.SUPERVISOR),
    "deleteCaller": ("DELETE", "/v1/callers/101", None, None, Role.ADMIN),
    "closeQueue": ("PUT", "/v1/queues/sales/closing", "/v1/queues/support/closing", {}, Role.SUPERVISOR),
    "openQueue": ("DELETE", "/v1/queues/sales/closing", "/v1/queues/support/closing", None, Role.SUPERVISOR),
    "listOptOuts": ("GET", "/v1/opt-outs", None, None, Role.ADMIN),
    "putOptOut": ("PUT", "/v1/opt-outs/09123456789", None, None, Role.ADMIN),
    "deleteOptOut": ("DELETE", "/v1/opt-outs/09123456789", None, None, Role.ADMIN),
    "listVoicemails": ("GET", "/v1/voicemails", None, None, Role.AGENT),
    "getVoicemail": ("GET", "/v1/voicemails/{said}", "/v1/voicemails/{other_said}", None, Role.AGENT),
    "hearVoicemail": ("GET", "/v1/voicemails/{said}/audio", "/v1/voicemails/{other_said}/audio", None, Role.AGENT),
    "deleteVoicemail": ("DELETE", "/v1/voicemails/{said}", "/v1/voicemails/{other_said}", None, Role.SUPERVISOR),
    "getSla": ("GET", "/v1/sla?queue=sales", "/v1/sla?queue=support", None, Role.SUPERVISOR),
    "reportQueues": (
        "GET",
        "/v1/reports/queues?queue=sales",
        "/v1/reports/queues?queue=support",
        None,
        Role.SUPERVISOR,
    ),
    "reportSkills": (
        "GET",
        "/v1/reports/skills?queue=sales",
        "/v1/reports/skills?queue=support",
        None,
        Role.SUPERVISOR,
    ),
    "reportSegments": (
        "GET",
        "/v1/reports/segments?queue=sales",
        "/v1/reports/segments?queue=support",
        None,
        Role.SUPERVISOR,
    ),
    "reportAgents": ("GET", "/v1/reports/agents?agent=101", "/v1/reports/agents?agent=103", None, Role.SUPERVISOR),
    "reportCallbacks": (
        "GET",
        "/v1/reports/callbacks?queue=sales",
        "/v1/reports/callbacks?queue=support",
        None,
        Role.SUPERVISOR,
    ),
    "reportEachCallback": (
        "GET",
        "/v1/reports/callbacks/each?queue=sales",
        "/v1/reports/callbacks/each?queue=support",
        None,
        Role.SUPERVISOR,
    ),
    "reportCalls": ("GET", "/v1/reports/calls?queue=sales", "/v1/reports/calls?queue=support", None, Role.SUPERVISOR),
    "listMails": ("GET", "/v1/mails", None, None, Role.ADMIN),
    "sendReport": ("POST", "/v1/mails/daily", None, None, Role.ADMIN),
    "controlRecording": (
        "POST",
        "/v1/calls/{own}/recording",
        "/v1/calls/{other}/recording",
        {"action": "pause"},
        Role.AGENT,
    ),
    "listRecordings": ("GET", "/v1/recordings", None, None, Role.SUPERVISOR),
    "getRecording": ("GET", "/v1/recordings/{kept}", "/v1/recordings/{other_kept}", None, Role.SUPERVISOR),
    "hearRecording": ("GET", "/v1/recordings/{kept}/audio", "/v1/recordings/{other_kept}/audio", None, Role.SUPERVISOR),
    "eraseRecording": ("DELETE", "/v1/recordings/{kept}", "/v1/recordings/{other_kept}", None, Role.ADMIN),
    "eraseRecordingsOf": ("POST", "/v1/recordings/erase", None, {"number": "0912"}, Role.ADMIN),
    "eraseNumber": ("POST", "/v1/erasures", None, {"number": "09120009999"}, Role.ADMIN),
    "listSupervisions": ("GET", "/v1/supervisions", None, None, Role.SUPERVISOR),
    "startSupervision": ("POST", "/v1/supervisions", None, SUPERVISION, Role.SUPERVISOR),
    "getSupervision": ("GET", "/v1/supervisions/{session}", "/v1/supervisions/{other_session}", None, Role.SUPERVISOR),
    "changeSupervision": (
        *("PATCH", "/v1/supervisions/{session}", "/v1/supervisions/{other_session}"),
        *({"mode": "barge"}, Role.SUPERVISOR),
    ),
    "takeOver": (
        "POST",
        "/v1/supervisions/{session}/take-over",
        "/v1/supervisions/{other_session}/take-over",
        None,
        Role.SUPERVISOR,
    ),
    "handBack": (
        "POST",
        "/v1/supervisions/{session}/hand-back",
        "/v1/supervisions/{other_session}/hand-back",
        {},
        Role.SUPERVISOR,
    ),
    "stopSupervision": (
        "DELETE",
        "/v1/supervisions/{session}",
        "/v1/supervisions/{other_session}",
        None,
        Role.SUPERVISOR,
    ),
    "listHelpRequests": ("GET", "/v1/help-requests", None, None, Role.AGENT),
    "askForHelp": ("POST", "/v1/help-requests", None, {"agent": "101"}, Role.AGENT),
    "withdrawHelp": ("DELETE", "/v1/help-requests/101", "/v1/help-requests/103", None, Role.AGENT),
    "listCallbacks": ("GET", "/v1/callbacks", None, None, Role.SUPERVISOR),
    "createCallback": ("POST", "/v1/callbacks", None, LATER, Role.SUPERVISOR),
    "getCallback": ("GET", "/v1/callbacks/{back}", "/v1/callbacks/{other_back}", None, Role.SUPERVISOR),
    "changeCallback": ("PATCH", "/v1/callbacks/{back}", "/v1/callbacks/{other_back}", {"priority": 1}, Role.SUPERVISOR),
    "cancelCallback": ("DELETE", "/v1/callbacks/{back}", "/v1/callbacks/{other_back}", None, Role.SUPERVISOR),
    "deleteQueue": ("DELETE", "/v1/queues/sales", "/v1/queues/support", None, Role.ADMIN),
    "deleteAgent": ("DELETE", "/v1/agents/101", "/v1/agents/103", None, Role.ADMIN),
}
OPEN = {"healthz", "readyz", "metrics"}
ENDLESS = {"streamEvents"}  # tests/service/test_feed.py


def test_no_operation_is_forgotten() -> None:
    assert set(OPERATIONS) | OPEN | ENDLESS == set(operation_ids(bare_api()))


@pytest.fixture
def office(counter: Office) -> Office:
    """On one database alone: rights are decided before any is asked."""
    return counter


@pytest.fixture
async def people(office: Office) -> dict[Role, Person]:
    """An agent 101, a supervisor of sales, an admin; a call of 101 in sales and one in support."""
    return {
        Role.AGENT: await office.person(Role.AGENT, agent="101"),
        Role.SUPERVISOR: await office.person(Role.SUPERVISOR, queues=("sales",)),
        Role.ADMIN: await office.person(Role.ADMIN),
    }


@pytest.fixture
async def calls(office: Office, people: dict[Role, Person]) -> dict[str, str]:
    return await furnished(office, people)


async def furnished(office: Office, people: dict[Role, Person]) -> dict[str, str]:
    """Something of everything, of one's own and of others, by the names that the paths above use; ``tests.fuzz`` uses it too."""
    await people[Role.ADMIN].chooses("101", "available")
    await people[Role.ADMIN].ask("PUT", "/v1/callers/101", json={})
    await people[Role.ADMIN].ask("PUT", "/v1/opt-outs/09123456789")
    own, other = office.pbx.caller("8000"), office.pbx.caller("8001")
    await office.settled()
    office.pbx.pick_up(own)
    await office.settled()
    for phone in ("PJSIP/supervisor-201", "PJSIP/supervisor-202", "PJSIP/supervisor-203"):
        office.pbx.phone(phone, Manner.ANSWERS)
    session, other_session = [
        (await people[role].ask("POST", "/v1/supervisions", json={"agent": "101", "device": phone})).json()["id"]
        for role, phone in ((Role.SUPERVISOR, "PJSIP/supervisor-201"), (Role.ADMIN, "PJSIP/supervisor-203"))
    ]
    said, other_said = f"sales.{own}", f"support.{other}"
    for name in (said, other_said):
        speak(office.voicemail_dir / f"{name}.wav")
        message = Voicemail(name, office.pbx.name, CallId(own), QueueId(name.partition(".")[0]), None, None, 1e9, 2.0)
        await voicemails.add(office.app.database, message)
    for name in ("sales", "support"):
        await kept_recording(office, name, own)
    back, other_back = CallbackId("pbx1-1.1.cs"), CallbackId("pbx1-1.2.cs")
    for queue, callback in ((QueueId("sales"), back), (QueueId("support"), other_back)):
        spec = office.app.engine.read(lambda floor, _, queue=queue: floor.queues[queue].spec)
        await office.app.engine.ask(DefineQueue(replace(spec, callbacks=CallbackPolicy(enabled=True))))
        now = office.clock.now()
        later = ScheduleCallback(callback, office.pbx.name, queue, "09120000", now + 3600, now + 7200)
        await office.app.engine.ask(later)
    return {
        "own": own,
        "other": other,
        "said": said,
        "other_said": other_said,
        "kept": "sales",
        "other_kept": "support",
        "session": session,
        "other_session": other_session,
        "back": back,
        "other_back": other_back,
    }


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_nobody_without_a_valid_token_gets_anything(counter: Office, operation: str) -> None:
    method, path, _, body, _ = OPERATIONS[operation]
    for token in (None, "nobat_wrong", "", "x" * 5000):
        response = await Person(counter.client, token).ask(
            method, path.format_map(defaultdict(str, own="a", other="b")), json=body
        )
        assert (response.status_code, response.json()["slug"]) == (401, "unauthenticated")
        assert response.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_a_role_too_low_is_refused_whatever_the_object(
    people: dict[Role, Person], calls: dict[str, str], operation: str
) -> None:
    method, own, other, body, lowest = OPERATIONS[operation]
    for role, person in people.items():
        if role.rank < lowest.rank:
            for path in filter(None, (own, other)):
                response = await person.ask(method, path.format(**calls), json=body)
                assert (response.status_code, response.json()["slug"]) == (403, "forbidden"), (role, path)


@pytest.mark.parametrize("operation", [name for name, (_, _, other, _, _) in OPERATIONS.items() if other is not None])
async def test_what_one_may_not_see_does_not_exist(
    people: dict[Role, Person], calls: dict[str, str], operation: str
) -> None:
    method, _, other, body, lowest = OPERATIONS[operation]
    assert other is not None
    for role in (Role.AGENT, Role.SUPERVISOR):
        if role.rank >= lowest.rank:
            response = await people[role].ask(method, other.format(**calls), json=body)
            assert response.status_code == 404, (role, response.text)
            assert response.json()["slug"].startswith("unknown_")


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_an_admin_may_do_everything(people: dict[Role, Person], calls: dict[str, str], operation: str) -> None:
    method, path, _, body, _ = OPERATIONS[operation]
    response = await people[Role.ADMIN].ask(method, path.format(**calls), json=body)
    assert response.status_code < 300 or response.status_code == 409, response.text


# ---------------------------------------------------------------- whose it is: own, of a colleague, of strangers

NOBODYS = {
    "number": "the directory and the opt-outs are the firm's, and need an administrator or every queue",
    "report": "a mail is the firm's, for administrators",
}
"""Parameters of paths that name nothing that is anybody's."""

FOREIGN = {"queue": "support", "agent": "103", "call": "{other}"}
"""What a supervisor of sales and its agent 101 must get nothing of, by the name of a parameter or of a field."""

NAMED_IN_BODIES: dict[str, tuple[str, str, Any, Role]] = {
    "supervise a stranger": (*("POST", "/v1/supervisions"), SUPERVISION | {"agent": "103"}, Role.SUPERVISOR),
    "help for a stranger": (*("POST", "/v1/help-requests"), {"agent": "103"}, Role.SUPERVISOR),
    "callback of a strange queue": (*("POST", "/v1/callbacks"), LATER | {"queue": "support"}, Role.SUPERVISOR),
    "callback of a strange call": (
        *("POST", "/v1/callbacks"),
        {"call": "{other}", "number": "0912111"},
        Role.SUPERVISOR,
    ),
}
"""Things of others named in a body."""


def test_every_path_that_names_something_is_tried_on_what_is_not_ones_own() -> None:
    for path, methods in bare_api().openapi()["paths"].items():
        for one in methods.values():
            named = {p["name"] for p in one.get("parameters", ()) if p["in"] == "path"} - NOBODYS.keys()
            name = one["operationId"]
            if named and name not in OPEN:
                assert OPERATIONS[name][2] is not None, f"{name}: {path} names {named}"


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_what_is_ones_own_is_reached(people: dict[Role, Person], calls: dict[str, str], operation: str) -> None:
    """For the lowest role that may: not hidden, not refused."""
    method, own, _, body, lowest = OPERATIONS[operation]
    response = await people[lowest].ask(method, own.format(**calls), json=body)
    assert response.status_code < 300 or response.status_code == 409, (lowest, response.text)


@pytest.mark.parametrize("operation", [name for name, (_, own, *_) in OPERATIONS.items() if "101" in own])
async def test_a_colleague_of_the_same_queue_is_a_stranger_to_agents_and_not_to_the_supervisor(
    people: dict[Role, Person], calls: dict[str, str], operation: str
) -> None:
    method, own, other, body, lowest = OPERATIONS[operation]
    if other is None:
        return  # a number that happens to be 101
    path = own.replace("101", "102").format(**calls)
    if lowest is Role.AGENT:
        response = await people[Role.AGENT].ask(method, path, json=body)
        assert (response.status_code, response.json()["slug"]) == (404, "unknown_agent")
    if lowest.rank <= Role.SUPERVISOR.rank:
        assert (await people[Role.SUPERVISOR].ask(method, path, json=body)).status_code not in {401, 403, 404}


async def test_no_filter_shows_what_is_not_ones_own(people: dict[Role, Person], calls: dict[str, str]) -> None:
    """Every list with every parameter of its document that can name something of somebody else's."""
    tried = set()
    for path, methods in bare_api().openapi()["paths"].items():
        one = methods.get("get")
        if one is None or one["operationId"] in OPEN | ENDLESS or "{" in path:
            continue
        for name in FOREIGN.keys() & {p["name"] for p in one.get("parameters", ()) if p["in"] == "query"}:
            value = FOREIGN[name].format(**calls)
            for role in (Role.AGENT, Role.SUPERVISOR):
                if role.rank < OPERATIONS[one["operationId"]][4].rank:
                    continue
                response = await people[role].ask("GET", path, params={name: value})
                tried.add((path, name))
                if response.status_code == 404:
                    continue
                assert response.status_code == 200, response.text
                items = response.json().get("items", response.json().get("rows"))
                assert not items, (path, name, role, response.text)
    assert {
        ("/v1/calls", "queue"),
        ("/v1/calls", "agent"),
        ("/v1/recordings", "call"),
        ("/v1/callbacks", "queue"),
    } <= tried


@pytest.mark.parametrize("what", NAMED_IN_BODIES)
async def test_what_is_not_ones_own_does_not_exist_in_bodies_either(
    people: dict[Role, Person], calls: dict[str, str], what: str
) -> None:
    method, path, body, role = NAMED_IN_BODIES[what]
    sent = {key: value.format(**calls) if isinstance(value, str) else value for key, value in body.items()}
    response = await people[role].ask(method, path.format(**calls), json=sent)
    assert (response.status_code, response.json()["slug"][:8]) == (404, "unknown_"), response.text


async def test_an_agents_token_speaks_for_nobody_else_in_a_body(
    people: dict[Role, Person], calls: dict[str, str]
) -> None:
    response = await people[Role.AGENT].ask("POST", "/v1/help-requests", json={"agent": "103"})
    assert (response.status_code, response.json().get("agent")) == (201, "101")


async def test_lists_hold_only_what_one_may_see(people: dict[Role, Person], calls: dict[str, str]) -> None:
    async def ids(role: Role, path: str) -> set[str]:
        return {item["id"] for item in (await people[role].get(path))["items"]}

    assert await ids(Role.AGENT, "/v1/queues") == {"sales"}
    assert await ids(Role.AGENT, "/v1/agents") == {"101"}
    assert await ids(Role.AGENT, "/v1/calls") == {calls["own"]}
    assert await ids(Role.SUPERVISOR, "/v1/queues") == {"sales"}
    assert await ids(Role.SUPERVISOR, "/v1/agents") == {"101", "102"}
    assert await ids(Role.SUPERVISOR, "/v1/calls") == {calls["own"]}
    assert await ids(Role.ADMIN, "/v1/calls") == {calls["own"], calls["other"]}


async def test_ended_calls_are_hidden_from_others_too(
    office: Office, people: dict[Role, Person], calls: dict[str, str]
) -> None:
    office.pbx.agent_hangs_up(calls["own"])
    office.pbx.caller_hangs_up(calls["other"])
    await office.settled()
    await office.written()
    office.app.engine.read(lambda floor, _: floor.ended.clear())  # as after a restart: history alone knows them
    for role in (Role.AGENT, Role.SUPERVISOR):
        assert [item["id"] for item in (await people[role].get("/v1/calls"))["items"]] == [calls["own"]]
        assert (await people[role].ask("GET", f"/v1/calls/{calls['other']}")).status_code == 404
    assert len((await people[Role.ADMIN].get("/v1/calls"))["items"]) == 2
    assert (await people[Role.AGENT].get("/v1/calls", agent="102"))["items"] == []


async def test_an_agent_may_not_change_a_priority(people: dict[Role, Person], calls: dict[str, str]) -> None:
    response = await people[Role.AGENT].ask("PATCH", f"/v1/calls/{calls['own']}", json={"priority": 9})
    assert response.status_code == 403


async def test_a_revoked_token_is_refused_within_seconds(office: Office) -> None:
    admin = await office.admin()
    await admin.get("/v1/queues")
    (kept,) = [one for one in await tokens.everything(office.app.database) if one.revoked_at is None]
    assert await tokens.revoke(office.app.database, kept.id, office.clock.now())
    office.clock.move(5)
    assert (await admin.ask("GET", "/v1/queues")).status_code == 401


async def test_an_agents_token_outlives_no_agent(office: Office) -> None:
    agent = await office.person(Role.AGENT, agent="101")
    await (await office.admin()).ask("DELETE", "/v1/agents/101")
    assert (await agent.get("/v1/queues"))["items"] == []
    assert (await agent.ask("GET", "/v1/agents/101")).status_code == 404


async def test_every_write_is_in_the_audit(office: Office) -> None:
    from sqlalchemy import select

    from nobat.storage import schema

    supervisor = await office.person(Role.SUPERVISOR)
    await supervisor.chooses("101", "available")
    async with office.app.database.read() as connection:
        rows = list((await connection.execute(select(schema.audit))).mappings())
    assert [(row["role"], row["action"], row["target"]) for row in rows] == [
        ("supervisor", "chooseStatus", "101 available")
    ]


async def test_two_authorization_headers_are_none(office: Office) -> None:
    admin = await office.admin()
    headers = [("authorization", f"Bearer {admin.token}"), ("authorization", f"Bearer {admin.token}")]
    assert (await office.client.get("/v1/queues", headers=headers)).status_code == 401
