"""journal: how fast history gets into the database, and whether the loop of the calls notices.

Ten events a call go through the recorder as in the service: gathered, handed to its thread, appended to the journal, written with
all their tables in batches. The peer writes finished rows of the events alone with ``executemany`` of the standard library, 500 a
commit, on the same disk. The stall is what an event loop beside it sees at 50 calls a second.
"""

import asyncio
import gc
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

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
from benchmarks.figures import Spread, heading, verdict
from nobat.storage import rows
from nobat.storage.database import Database
from nobat.storage.journal import Journal
from nobat.storage.migrate import migrate
from nobat.storage.recorder import Recorder
from nobat.storage.recorder_thread import RecorderThread

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


def plain(folder: Path, calls: int) -> float:
    """Rows a second with ``executemany`` of finished rows."""
    made = [
        tuple(str(value) for value in rows.event_row(1, seq, event).values())
        for seq, event in enumerate(event for number in range(calls) for event in events_of(number))
    ]
    connection = sqlite3.connect(folder / "plain.db")
    connection.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
        "CREATE TABLE events (run, seq, at, kind, call_id, queue_id, agent_id, data, PRIMARY KEY (run, seq));"
        "CREATE INDEX a ON events (call_id); CREATE INDEX b ON events (at);"
    )
    began = perf_counter()
    for start in range(0, len(made), 500):
        with connection:
            connection.executemany("INSERT INTO events VALUES (?,?,?,?,?,?,?,?)", made[start : start + 500])
    took = perf_counter() - began
    connection.close()
    return len(made) / took


async def opened(folder: Path, name: str) -> tuple[RecorderThread, "asyncio.Task[None]"]:
    """A recorder as the service has it, running."""
    url = f"sqlite:///{folder / name}.db"
    database = Database(url)
    await migrate(database)
    await database.close()
    recorder = RecorderThread(
        lambda: Recorder(
            Database(url), run_id=1, batch_rows=500, batch_wait_s=1.0, journal=Journal(folder / f"{name}.journal", 1)
        )
    )
    return recorder, asyncio.create_task(recorder.run())


async def closed(recorder: RecorderThread, running: "asyncio.Task[None]") -> None:
    await recorder.close(30.0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    recorder.release()


async def throughput(folder: Path, name: str, calls: int) -> float:
    """Rows a second through the recorder, all tables: ten events, a visit, a talk and the talk's wrap-up a call."""
    recorder, running = await opened(folder, name)
    told = [events_of(number) for number in range(calls)]
    began = perf_counter()
    for events in told:
        recorder.note(events)
    await recorder.close(120.0)
    took = perf_counter() - began
    await closed(recorder, running)
    return 13 * calls / took


async def stalls(folder: Path, *, writing: bool) -> list[float]:
    """Gaps between the beats of a loop that has nothing else to do, in ms, while calls are written or not."""
    recorder, running = await opened(folder, f"stall-{writing}")
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


def _runs(full: bool) -> Iterator[int]:
    yield from range(5 if full else 3)


async def run(*, full: bool) -> bool:
    """Print both; whether the recorder reaches 30 % of the plain batch and the loop is never held for 5 ms."""
    calls = 5_000 if full else 2_000
    sys.setswitchinterval(0.0005)  # as the service has it
    gc.freeze()
    with TemporaryDirectory() as name:
        folder = Path(name)
        pairs = []
        for number in _runs(full):
            (folder / str(number)).mkdir()
            pairs.append((await throughput(folder / str(number), "ours", calls), plain(folder / str(number), calls)))
        ours, peer = (median(side) for side in zip(*pairs, strict=True))
        quiet = Spread.of(await stalls(folder, writing=False))
        busy = Spread.of(await stalls(folder, writing=True))
    gc.unfreeze()
    heading("journal", f"{calls:,} calls of ten events, SQLite; stalls at {CALLS_A_SECOND} calls/s for {LISTEN_S:g} s")
    print(f"   recorder {ours:,.0f} rows/s; plain executemany {peer:,.0f} rows/s; ratio {ours / peer:.2f}")
    print(f"   loop late by, ms: idle     {quiet}")
    print(f"                     writing  {busy}")
    enough = verdict("rows a second, share of the plain batch", ours / peer, ">= 0.3", ours / peer >= 0.3)
    return verdict("loop late by, 99th percentile, ms", busy.p99, "<= 5", busy.p99 <= 5) and enough
