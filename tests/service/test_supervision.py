"""Supervision over REST: who may start what, what is written down before anything is heard, and what outlives a restart."""

from itertools import product

import pytest
from sqlalchemy import select

from acd.supervision_port import EndSupervision, Mode, Supervise
from nobat.auth import Role
from nobat.storage import schema, tokens
from nobat.storage.errors import StorageUnavailable
from nobat.storage.recorder_thread import RecorderThread
from nobat.supervision_rights import RightsWatch
from tests.support.memory_pbx import Manner
from tests.support.office import Office, Person, until

PHONE = "PJSIP/supervisor-201"
PEOPLE = ("agent", "sales", "support", "all", "admin")
AGENTS = {"101": {"sales"}, "102": {"sales", "support"}, "103": {"support"}}
REACHES = {"sales": {"sales"}, "support": {"support"}, "all": {"sales", "support"}, "admin": {"sales", "support"}}


async def given(office: Office, who: str) -> Person:
    """Somebody with the rights of that name."""
    match who:
        case "agent":
            return await office.person(Role.AGENT, agent="101")
        case "admin":
            return await office.admin()
        case "all":
            return await office.person(Role.SUPERVISOR)
        case _:
            return await office.person(Role.SUPERVISOR, queues=(who,))


async def given_a_talk(office: Office, agent: str = "101", number: str = "8000") -> str:
    """The agent talks to a caller of that queue."""
    admin = await office.admin()
    await admin.chooses(agent, "available")
    call = office.pbx.caller(number)
    await until(lambda: office.pbx.ringing(call), "a ringing phone")
    office.pbx.pick_up(call)
    await office.settled()
    return call


async def start(person: Person, mode: str = "listen", **target: str) -> tuple[int, dict[str, object]]:
    answer = await person.ask("POST", "/v1/supervisions", json={"device": PHONE, "mode": mode, **target})
    return answer.status_code, answer.json()


class Forgetful:
    """A recorder whose database is away."""

    def __init__(self, recorder: RecorderThread) -> None:
        self.note = recorder.note

    async def commit(self, _events: object) -> None:
        raise StorageUnavailable("away")


def heard(office: Office) -> list[Supervise]:
    return [one for one in office.pbx.requests if isinstance(one, Supervise)]


async def spans(office: Office) -> list[tuple[str, str, str, bool]]:
    """Call, agent, mode, and whether it is over."""
    async with office.app.database.read() as connection:
        rows = (await connection.execute(select(schema.supervised).order_by(schema.supervised.c.from_at))).mappings()
        return [(row["call_id"], row["agent_id"], row["mode"], row["to_at"] is not None) for row in rows]


async def test_every_role_on_every_queue_in_every_mode(counter: Office) -> None:
    """Whoever may not: 403 for the role, 404 for what is not his; nobody's phone rings and nothing is heard."""
    counter.pbx.phone(PHONE, Manner.ANSWERS)
    for agent, number in (("101", "8000"), ("103", "8001")):
        await given_a_talk(counter, agent, number)
    people = {who: await given(counter, who) for who in PEOPLE}
    calls = {view["agent"]: view for view in (await people["admin"].get("/v1/calls"))["items"]}
    cells = 0
    for who, (agent, queues), mode, of_call in product(PEOPLE, AGENTS.items(), Mode, (False, True)):
        if of_call and agent not in calls:
            continue
        target = {"call": calls[agent]["id"]} if of_call else {"agent": agent}
        before = len(heard(counter))
        status, body = await start(people[who], mode.value, **target)
        allowed = who != "agent" and not REACHES[who].isdisjoint(queues)
        assert status == (201 if allowed else 403 if who == "agent" else 404), (who, agent, mode, of_call, body)
        if allowed:
            wanted = before + (agent in calls)
            await until(lambda wanted=wanted: len(heard(counter)) == wanted, "the conversation")
            assert (body["state"] == "quiet") is (agent not in calls)
            gone = await people[who].ask("DELETE", f"/v1/supervisions/{body['id']}")
            assert gone.status_code == 204
            await counter.settled()
        assert len(heard(counter)) == before + (allowed and agent in calls)
        cells += 1
    assert cells == len(PEOPLE) * len(Mode) * (len(AGENTS) + len(calls))


async def test_it_is_written_down_before_anything_is_heard(office: Office) -> None:
    """Who, whom, in which mode, from when to when; and each change of mode is a row of its own."""
    office.pbx.phone(PHONE, Manner.ANSWERS)
    call = await given_a_talk(office)
    supervisor = await office.person(Role.SUPERVISOR, queues=("sales",))
    _, session = await start(supervisor, "listen", agent="101")
    await until(lambda: heard(office), "the conversation")
    assert await spans(office) == [(call, "101", "listen", False)]
    changed = await supervisor.ask("PATCH", f"/v1/supervisions/{session['id']}", json={"mode": "barge"})
    assert (changed.status_code, changed.json()["mode"]) == (200, "barge")
    office.pbx.agent_hangs_up(call)
    await office.settled()
    await office.written()
    assert await spans(office) == [(call, "101", "listen", True), (call, "101", "barge", True)]
    async with office.app.database.read() as connection:
        audit = [row["action"] for row in (await connection.execute(select(schema.audit))).mappings()]
    assert audit[-2:] == ["startSupervision", "changeSupervision"]


async def test_nothing_is_heard_while_it_cannot_be_written_down(office: Office) -> None:
    """The call goes on, the session is over, and whoever asks is told why."""
    office.pbx.phone(PHONE, Manner.ANSWERS)
    admin = await office.admin()
    _, session = await start(admin, "listen", agent="101")
    await admin.chooses("101", "available")
    call = office.pbx.caller("8000")
    await until(lambda: office.pbx.ringing(call), "a ringing phone")
    office.app.engine._recorder = Forgetful(office.app.recorder)
    office.pbx.pick_up(call)
    await until(lambda: not office.app.supervision.sessions, "the end of the session")
    ended = await admin.get(f"/v1/supervisions/{session['id']}")
    assert ended["reason"] == "not_recorded"
    assert heard(office) == []
    assert office.pbx.stage(call) == "talking"  # type: ignore[arg-type, comparison-overlap]


@pytest.mark.parametrize(
    ("manner", "slug"),
    [
        (Manner.BUSY, "phone_busy"),
        (Manner.REJECTS, "phone_rejected"),
        (Manner.UNREGISTERED, "phone_unreachable"),
    ],
)
async def test_a_phone_that_does_not_want_it_is_a_clear_error(counter: Office, manner: Manner, slug: str) -> None:
    counter.pbx.phone(PHONE, manner)
    status, body = await start(await counter.admin(), agent="101")
    assert (status, body["slug"]) == (409, slug)
    assert not counter.app.supervision.sessions


async def test_a_second_session_of_a_phone_is_refused_by_one_rule(counter: Office) -> None:
    counter.pbx.phone(PHONE, Manner.ANSWERS)
    admin = await counter.admin()
    _, first = await start(admin, agent="101")
    status, body = await start(admin, agent="102")
    assert (status, body["slug"], body["supervision"]) == (409, "already_supervising", first["id"])


async def test_a_revoked_token_ends_its_sessions(office: Office) -> None:
    office.pbx.phone(PHONE, Manner.ANSWERS)
    call = await given_a_talk(office)
    supervisor = await office.person(Role.SUPERVISOR, queues=("sales",))
    _, session = await start(supervisor, "conference", call=call)
    (token,) = [one for one in await tokens.everything(office.app.database) if one.queues == ("sales",)]
    await tokens.revoke(office.app.database, token.id, office.clock.now())
    await RightsWatch(office.app.engine, office.app.supervision, office.app.database, office.clock.now).look()
    await office.settled()
    ended = await (await office.admin()).get(f"/v1/supervisions/{session['id']}")
    assert (ended["state"], ended["reason"]) == ("ended", "right_lost")
    assert any(isinstance(one, EndSupervision) for one in office.pbx.requests)
    assert office.pbx.stage(call) == "talking"  # type: ignore[arg-type, comparison-overlap]


async def test_what_is_not_ones_own_session_does_not_exist(counter: Office) -> None:
    counter.pbx.phone(PHONE, Manner.ANSWERS)
    mine, other = await given(counter, "sales"), await given(counter, "support")
    _, session = await start(mine, agent="102")
    path = f"/v1/supervisions/{session['id']}"
    assert (await other.ask("GET", path)).status_code == 404
    assert (await other.ask("PATCH", path, json={"mode": "barge"})).status_code == 404
    assert (await other.get("/v1/supervisions"))["items"] == []
    assert [one["id"] for one in (await mine.get("/v1/supervisions"))["items"]] == [session["id"]]
    assert [one["id"] for one in (await (await counter.admin()).get("/v1/supervisions"))["items"]] == [session["id"]]


async def test_sessions_and_help_outlive_the_service(office: Office) -> None:
    office.pbx.phone(PHONE, Manner.ANSWERS)
    call = await given_a_talk(office)
    agent = await office.person(Role.AGENT, agent="101")
    asked = await agent.ask("POST", "/v1/help-requests", json={})
    assert (asked.status_code, asked.json()["call"]) == (201, call)
    _, session = await start(await office.admin(), "whisper", agent="102")
    again = await office.restarted()
    known = await again.get(f"/v1/supervisions/{session['id']}")
    assert (known["state"], known["mode"], known["agent"]) == ("quiet", "whisper", "102")
    assert [one["agent"] for one in (await again.get("/v1/help-requests"))["items"]] == ["101"]
    office.pbx.world.supervisors.legs.clear()  # hung up while nobody was there to see it
    await office.restarted()
    ended = await (await office.admin()).get(f"/v1/supervisions/{session['id']}")
    assert (ended["state"], ended["reason"]) == ("ended", "unseen")


async def test_metrics_count_live_sessions_by_mode(counter: Office) -> None:
    counter.pbx.phone(PHONE, Manner.ANSWERS)
    await start(await counter.admin(), "whisper", agent="101")
    page = (await counter.client.get("/metrics")).text
    assert 'acd_supervisions{mode="whisper"} 1.0' in page
    assert 'acd_supervisions{mode="listen"} 0.0' in page


async def test_bodies_that_make_no_sense(counter: Office) -> None:
    admin = await counter.admin()
    for body in (
        {"device": PHONE},
        {"device": PHONE, "agent": "101", "call": "x"},
        {"device": PHONE, "agent": "101", "mode": "shout"},
        {"device": "PJSIP/0912@trunk", "agent": "101"},
        {"device": "Local/x@acd-mobile", "agent": "101"},
        {"agent": "101"},
    ):
        answer = await admin.ask("POST", "/v1/supervisions", json=body)
        assert (answer.status_code, answer.json()["slug"]) == (422, "invalid_request"), body


async def test_nobody_learns_from_the_feed_that_he_is_listened_to(counter: Office) -> None:
    """Sessions are seen by who may see all; requests for help by agent and supervisors."""
    from acd.ids import AgentId, CallId, QueueId, SupervisionId
    from acd.supervision_events import AgentTold, HelpAsked, SupervisionEnded, SupervisionMoved
    from nobat.api.access import Access
    from nobat.api.feed import _Reader
    from nobat.auth import Principal
    from nobat.web import service_of

    heard_of = SupervisionMoved(1.0, SupervisionId("s"), CallId("c"), QueueId("sales"), AgentId("101"), Mode.LISTEN)
    ended = SupervisionEnded(2.0, SupervisionId("s"), "supervisor")
    told = AgentTold(2.5, AgentId("101"), CallId("c"), QueueId("sales"), True)
    help_asked = HelpAsked(3.0, AgentId("101"), CallId("c"), QueueId("sales"))
    for role, agent, queues, sees in (
        (Role.AGENT, AgentId("101"), frozenset(), (False, False, True, True)),
        (Role.AGENT, AgentId("102"), frozenset(), (False, False, False, False)),
        (Role.SUPERVISOR, None, frozenset({QueueId("sales")}), (False, False, False, True)),
        (Role.SUPERVISOR, None, frozenset({QueueId("support")}), (False, False, False, False)),
        (Role.ADMIN, None, frozenset(), (True, True, True, True)),
    ):
        reader = object.__new__(_Reader)
        reader.access = Access(service_of(counter.app), Principal("t", "n", role, agent, queues))
        reader._take(reader.access.principal)
        assert tuple(reader._sees(one) for one in (heard_of, ended, told, help_asked)) == sees, role
