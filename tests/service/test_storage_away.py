"""The database goes away and comes back: calls never notice, promises are refused, history is complete and nothing is twice."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from acd.events import CallHeld
from acd.ids import CallId, QueueId
from nobat.storage import schema
from nobat.storage.database import Database
from nobat.storage.errors import StorageUnavailable
from nobat.storage.migrate import migrate
from nobat.storage.recorder import Recorder
from tests.support.memory_pbx import Manner
from tests.support.office import Office, agent, queue, until
from tests.support.postgres import PostgresServer


@dataclass
class Trouble:
    """An office whose database can be taken away."""

    office: Office
    take_away: Callable[[], None]
    bring_back: Callable[[], None]


@pytest.fixture(params=["sqlite", "postgresql"])
async def trouble(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Trouble]:
    """SQLite is locked by another program; PostgreSQL is stopped as a power cut would stop it."""
    if request.param == "sqlite":
        file = tmp_path / "nobat.db"
        office = Office(f"sqlite:///{file}", commit_deadline_s=0.3)
        other = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        made = Trouble(
            office, lambda: other.execute("BEGIN EXCLUSIVE") and None, lambda: other.execute("ROLLBACK") and None
        )
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        office = Office(server.create_database(), commit_deadline_s=0.3)
        made = Trouble(office, server.pause, server.resume)
    await office.prepare([queue()], [agent("101", "sales"), agent("102", "sales")], {"101": "4711"})
    for name in ("101", "102"):
        office.pbx.phone(f"PJSIP/agent-{name}")
    async with office.open():
        yield made
    if request.param == "sqlite":
        other.close()


async def three_calls(office: Office) -> list[CallId]:
    """One after the other is talked to and hung up on."""
    calls = []
    for _ in range(3):
        call = office.pbx.caller("8000")
        await until(lambda call=call: office.pbx.stage(call) == "talking", "a conversation")
        office.pbx.agent_hangs_up(call)
        await until(lambda call=call: office.pbx.stage(call) is None, "the end of a call")
        calls.append(call)
    return calls


async def test_calls_go_on_and_history_is_complete_afterwards(trouble: Trouble) -> None:
    office = trouble.office
    admin = await office.admin()
    await admin.chooses("101", "available")
    office.pbx.phone("PJSIP/agent-101", Manner.ANSWERS)
    await office.written()
    trouble.take_away()
    try:
        calls = await three_calls(office)
        assert (await admin.get("/v1/agents/101"))["state"] == "idle"
        refused = await admin.ask("PUT", "/v1/agents/101/status", json={"status": "break"})
        assert (refused.status_code, refused.json()["slug"]) == (503, "storage_unavailable")
        assert (await admin.get("/v1/agents/101"))["status"] == "available"
        await until(lambda: office.app.recorder.away, "the recorder's notice")
        assert office.app.recorder.pending > 0
        response = await office.client.get("/readyz")
        assert (response.status_code, response.json()["database"]["ready"]) == (503, False)
        assert response.json()["database"]["reason"]
    finally:
        trouble.bring_back()
    await office.written()
    await until(lambda: office.app.recorder.away is None)
    assert (await office.client.get("/readyz")).status_code == 200
    await office.die()
    await office.start()
    again = await office.admin()
    assert [one["id"] for one in (await again.get("/v1/calls"))["items"]] == calls[::-1]
    assert (await again.get("/v1/queues/sales/stats"))["answered"] == 3
    async with office.app.database.read() as connection:
        kinds = (
            await connection.execute(select(schema.events.c.kind, func.count()).group_by(schema.events.c.kind))
        ).all()
    assert {kind: count for kind, count in kinds if kind in {"CallQueued", "CallConnected", "CallEnded"}} == {
        "CallQueued": 3,
        "CallConnected": 3,
        "CallEnded": 3,
    }


async def test_a_status_chosen_by_phone_meanwhile_is_stored_when_the_database_is_back(trouble: Trouble) -> None:
    office = trouble.office
    trouble.take_away()
    try:
        ask = office.pbx.dials_code("PJSIP/agent-101", "sign_in", agent="101", pin="4711")
        assert await until(lambda: office.pbx.replies.get(ask), "an answer") == "signed_in"
    finally:
        trouble.bring_back()
    await office.written()
    await office.die()
    await office.start()
    signed_in = await (await office.admin()).get("/v1/agents/101")
    assert (signed_in["status"], signed_in["state"]) == ("available", "idle")


async def test_killed_connections_lose_nothing_and_double_nothing(postgres: PostgresServer) -> None:
    database = Database(postgres.create_database())
    await migrate(database)
    recorder = Recorder(database, run_id=1, batch_rows=50, batch_wait_s=0.001)
    running = asyncio.create_task(recorder.run())
    killer = Database(database.engine.url.render_as_string(hide_password=False))
    kill = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
    )
    for round_ in range(10):
        recorder.note([CallHeld(1.0 + n, CallId(f"pbx1-1.{round_}"), QueueId("sales")) for n in range(100)])
        await asyncio.sleep(0)
        async with killer.write() as connection:
            await connection.execute(kill)
    await until(lambda: recorder.pending == 0, "all rows")
    async with killer.read() as connection:
        assert (await connection.execute(select(func.count()).select_from(schema.events))).scalar_one() == 1000
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await database.close()
    await killer.close()


async def test_a_service_that_starts_without_its_database_waits_for_it(postgres: PostgresServer) -> None:
    office = Office(postgres.create_database())
    await office.prepare([queue()], [])
    postgres.pause()
    try:
        starting = asyncio.create_task(office.start())
        await until(lambda: hasattr(office, "app"))
        assert await office.app.database.check(1.0) is not None
        assert not office.app.tasks  # no PBX is let in before the queues are known: callers would be sent away
    finally:
        postgres.resume()
    await starting
    call = office.pbx.caller("8000")
    await office.settled()
    assert office.pbx.stage(call) == "waiting"
    await office.stop()


async def test_a_row_that_no_database_takes_does_not_block_the_others(database_url: str) -> None:
    database = Database(database_url)
    await migrate(database)
    recorder = Recorder(database, run_id=1, batch_wait_s=0.001)
    running = asyncio.create_task(recorder.run())
    good = [CallHeld(float(n), CallId("pbx1-1.1"), QueueId("sales")) for n in range(5)]
    nul = CallHeld(6.0, CallId("pbx1-1.1\0\ud800"), QueueId("sales"))  # hostile text is made storable
    recorder.note([*good[:2], nul, *good[2:]])
    await until(lambda: recorder.pending == 0, "all rows")
    async with database.read() as connection:
        assert (await connection.execute(select(func.count()).select_from(schema.events))).scalar_one() == 6
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await database.close()


async def test_a_promise_that_cannot_be_kept_in_time_is_refused(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'nobat.db'}")
    await migrate(database)
    recorder = Recorder(database, run_id=1, commit_deadline_s=0.05)  # nobody runs it
    with pytest.raises(StorageUnavailable, match="not on disk"):
        await recorder.commit([CallHeld(1.0, CallId("pbx1-1.1"), QueueId("sales"))])
    assert recorder.pending == 1
    await database.close()


async def test_a_service_killed_while_the_database_is_away_loses_nothing(trouble: Trouble) -> None:
    office = trouble.office
    admin = await office.admin()
    await admin.chooses("101", "available")
    office.pbx.phone("PJSIP/agent-101", Manner.ANSWERS)
    await office.written()
    trouble.take_away()
    try:
        calls = await three_calls(office)
        await until(lambda: _ends_in(office.journal) == 3, "three ends in the journal")
        await office.die()
    finally:
        trouble.bring_back()
    await office.start()
    admin = await office.admin()
    items = (await admin.get("/v1/calls"))["items"]
    assert [(one["id"], one["outcome"], one["ended_by"]) for one in items] == [
        (call, "answered", "agent") for call in calls[::-1]
    ]
    assert (await admin.get("/v1/queues/sales/stats"))["answered"] == 3
    async with office.app.database.read() as connection:
        ended = select(func.count()).select_from(schema.events).where(schema.events.c.kind == "CallEnded")
        assert (await connection.execute(ended)).scalar_one() == 3


def _ends_in(folder: Path) -> int:
    return sum(path.read_bytes().count(b" CallView ") for path in folder.glob("*")) if folder.is_dir() else 0
