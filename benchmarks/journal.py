"""journal: how fast history gets into the database, and whether the loop of the calls notices.

Ten events a call go through the recorder as in the service: gathered, handed to its thread, appended to the journal, written with
all their tables in batches, into SQLite and into PostgreSQL. The peer writes finished rows of the events alone with ``executemany``
of the driver, 500 a commit, on the same disk. The stall is what an event loop beside it sees at 50 calls a second.
"""

import asyncio
import sqlite3
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import asyncpg

from acd.agents import AgentState
from acd.events import (
    AgentStateChanged,
    CallConnected,
    CallEnded,
    CallOffered,
    CallQueued,
    Event,
    TalkEnded,
    VisitDecided,
    WrapUpEnded,
)
from acd.ids import AgentId, CallId, DeviceId, LegId, OfferId, QueueId
from acd.outcomes import Outcome
from benchmarks.databases import on_each
from benchmarks.figures import Spread, heading, verdict
from nobat.settings import HistorySettings
from nobat.storage import event_rows
from nobat.storage.database import Database, when
from nobat.storage.journal import Journal
from nobat.storage.migrate import migrate
from nobat.storage.recorder import Recorder
from nobat.storage.recorder_thread import RecorderThread
from tests.support.postgres import PostgresServer

SALES, NOON = QueueId("sales"), 1_700_049_600.0
CALLS_A_SECOND, LISTEN_S = 50, 5.0


def events_of(number: int) -> list[Event]:
    """What one answered call leaves."""
    at, agent = NOON + number, AgentId(str(101 + number % 40))
    call, leg = CallId(f"pbx1-{int(at * 1000)}.{number}"), LegId(f"pbx1-{int(at)}.{number}")
    ringing, talking = AgentState.RINGING, AgentState.TALKING
    return [
        CallQueued(at, call, SALES, leg, at, 0, f"0912{number:07}", None),
        CallOffered(at + 5, call, SALES, OfferId(f"{call}.1"), (agent,)),
        AgentStateChanged(at + 5, agent, AgentState.IDLE, ringing),
        AgentStateChanged(at + 8, agent, ringing, talking),
        CallConnected(at + 8, call, SALES, agent, DeviceId(f"pbx1/PJSIP/agent-{agent}"), 8.0),
        VisitDecided(at + 8, call, SALES, Outcome.ANSWERED, at, 8.0),
        TalkEnded(at + 188, call, SALES, agent, 180.0, 0.0, fault=False),
        CallEnded(at + 188, call, SALES, Outcome.ANSWERED, "agent"),
        WrapUpEnded(at + 198, agent, call, SALES, 10.0),
        AgentStateChanged(at + 198, agent, AgentState.WRAP_UP, AgentState.IDLE),
    ]


def finished(calls: int) -> list[tuple[str, ...]]:
    """Rows of the events, with nothing left to do."""
    return [
        tuple(str(value) for value in event_rows.values(1, seq, event, when))
        for seq, event in enumerate(event for number in range(calls) for event in events_of(number))
    ]


async def plain_postgres(url: str, calls: int) -> float:
    """Rows a second with ``executemany`` of finished rows."""
    made = [(int(run), int(seq), *rest) for run, seq, *rest in finished(calls)]
    connection = await asyncpg.connect(url)
    await connection.execute(
        "CREATE TABLE events (run bigint, seq bigint, at text, kind text, call_id text, queue_id text, agent_id text,"
        " number text, data text, PRIMARY KEY (run, seq));"
        "CREATE INDEX a ON events (call_id); CREATE INDEX b ON events (at);"
    )
    began = perf_counter()
    for start in range(0, len(made), 500):
        async with connection.transaction():
            await connection.executemany(
                "INSERT INTO events VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9)", made[start : start + 500]
            )
    took = perf_counter() - began
    await connection.close()
    return len(made) / took


def plain(folder: Path, calls: int) -> float:
    """Rows a second with ``executemany`` of finished rows."""
    made = finished(calls)
    connection = sqlite3.connect(folder / "plain.db")
    connection.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
        "CREATE TABLE events (run, seq, at, kind, call_id, queue_id, agent_id, number, data, PRIMARY KEY (run, seq));"
        "CREATE INDEX a ON events (call_id); CREATE INDEX b ON events (at);"
    )
    began = perf_counter()
    for start in range(0, len(made), 500):
        with connection:
            connection.executemany("INSERT INTO events VALUES (?,?,?,?,?,?,?,?,?)", made[start : start + 500])
    took = perf_counter() - began
    connection.close()
    return len(made) / took


async def opened(url: str, folder: Path, name: str) -> tuple[RecorderThread, "asyncio.Task[None]"]:
    """A recorder as the service has it, running."""
    database = Database(url)
    await migrate(database)
    await database.close()
    recorder = RecorderThread(
        lambda: Recorder(
            Database(url),
            run_id=1,
            batch_rows=HistorySettings().batch_rows,
            batch_wait_s=1.0,
            journal=Journal(folder / f"{name}.journal", 1),
        )
    )
    return recorder, asyncio.create_task(recorder.run())


async def closed(recorder: RecorderThread, running: "asyncio.Task[None]") -> None:
    await recorder.close(30.0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    recorder.release()


async def throughput(url: str, folder: Path, calls: int) -> float:
    """Rows a second through the recorder, all tables: ten events, a visit, a talk and the talk's wrap-up a call."""
    recorder, running = await opened(url, folder, "ours")
    told = [events_of(number) for number in range(calls)]
    began = perf_counter()
    for events in told:
        recorder.note(events)
    await recorder.close(120.0)
    took = perf_counter() - began
    await closed(recorder, running)
    return 13 * calls / took


async def stalls(url: str, folder: Path, *, writing: bool) -> list[float]:
    """Gaps between the beats of a loop that has nothing else to do, in ms, while calls are written or not."""
    recorder, running = await opened(url, folder, f"stall-{writing}")
    gaps, number, began = [], 0, perf_counter()
    before = began
    while before - began < LISTEN_S:
        await asyncio.sleep(0.001)
        now = perf_counter()
        gaps.append((now - before) * 1e3 - 1.0)
        before = now
        while writing and number < (now - began) * CALLS_A_SECOND:
            recorder.note(events_of(number))
            number += 1
    await closed(recorder, running)
    return gaps


async def run(*, full: bool) -> bool:
    """Print both; whether the recorder reaches 30 % of the plain batch and the loop is never held for 5 ms, on both databases."""
    return await on_each(partial(_on, full=full))


async def _on(name: str, server: PostgresServer | None, *, full: bool) -> bool:
    calls = 5_000 if full else 2_000
    with TemporaryDirectory() as place:
        folder = Path(place)

        def fresh(file: str) -> str:
            return server.create_database() if server is not None else f"sqlite:///{folder / file}.db"

        pairs = []
        for number in range(5 if full else 3):
            part = folder / str(number)
            part.mkdir()
            ours = await throughput(fresh(f"{number}/ours"), part, calls)
            peer = plain(part, calls) if server is None else await plain_postgres(fresh(""), calls)
            pairs.append((ours, peer))
        ours, peer = (median(side) for side in zip(*pairs, strict=True))
        quiet = Spread.of(await stalls(fresh("quiet"), folder, writing=False))
        busy = Spread.of(await stalls(fresh("busy"), folder, writing=True))
    heading("journal", f"{name}, {calls:,} calls of ten events; stalls at {CALLS_A_SECOND} calls/s for {LISTEN_S:g} s")
    print(f"   recorder {ours:,.0f} rows/s; plain executemany {peer:,.0f} rows/s; ratio {ours / peer:.2f}")
    print(f"   loop late by, ms: idle     {quiet}")
    print(f"                     writing  {busy}")
    enough = verdict(f"{name}: rows a second, share of the plain batch", ours / peer, ">= 0.3", ours / peer >= 0.3)
    return verdict(f"{name}: loop late by, 99th percentile, ms", busy.p99, "<= 5", busy.p99 <= 5) and enough
