"""audit: what a row of the chain costs those who wait for it, and how long the whole chain takes to walk.

Sixteen requests at a time write a row each and wait for it, as over REST: through one service's recorder, which gathers what
waits for the same commit, and through four programs beside each other, which take turns. The peer inserts the same row without a
chain, one a commit, in the same number of hands. ``nobat audit verify`` walks a short and a long table as a program of its own;
memory is its resident peak.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from sqlalchemy import insert, update

from benchmarks.databases import on_each
from benchmarks.figures import Spread, heading, verdict
from nobat.storage import audit, schema
from nobat.storage.audit import START, AuditEntry, Link, digest
from nobat.storage.database import Database
from nobat.storage.migrate import migrate
from nobat.storage.recorder import Recorder
from nobat.storage.recorder_thread import RecorderThread
from nobat.storage.rows import Row
from tests.support.postgres import PostgresServer

NOON, HANDS, PROGRAMS = 1_700_049_600.0, 16, 4
Write = Callable[[int], Awaitable[object]]


def entry(number: int) -> AuditEntry:
    return AuditEntry(
        NOON + number, "0123456789ab", "a supervisor", "supervisor", "chooseStatus", f"agent-{number} available"
    )


async def timed(write: Write, rows: int) -> tuple[float, Spread]:
    """Rows a second, and how long each hand waited, in ms."""
    numbers, waited = iter(range(rows)), []

    async def hand() -> None:
        for number in numbers:
            began = perf_counter()
            await write(number)
            waited.append((perf_counter() - began) * 1e3)

    began = perf_counter()
    await asyncio.gather(*(hand() for _ in range(HANDS)))
    return rows / (perf_counter() - began), Spread.of(waited)


@asynccontextmanager
async def databases(url: str, count: int) -> AsyncIterator[list[Database]]:
    made = [Database(url) for _ in range(count)]
    await migrate(made[0])
    yield made
    for one in made:
        await one.close()


async def by_service(url: str, rows: int) -> tuple[float, Spread]:
    """One service."""
    async with databases(url, 1):
        recorder = RecorderThread(lambda: Recorder(Database(url), run_id=1, batch_rows=500, batch_wait_s=1.0))
        running = asyncio.create_task(recorder.run())
        found = await timed(lambda number: recorder.commit([entry(number)]), rows)
        await recorder.close(30.0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        recorder.release()
    return found


async def by_programs(url: str, rows: int) -> tuple[float, Spread]:
    """Several programs at once."""
    async with databases(url, PROGRAMS) as made:

        async def write(number: int) -> None:
            async with made[number % PROGRAMS].write() as connection:
                await audit.append(connection, [(2 + number % PROGRAMS, number, entry(number))])

        return await timed(write, rows)


async def plain(url: str, rows: int) -> tuple[float, Spread]:
    """The same rows without a chain."""
    async with databases(url, PROGRAMS) as made:

        async def write(number: int) -> None:
            row = audit._columns(1, number, entry(number)) | {"number": number, "before": START, "hash": START}
            async with made[number % PROGRAMS].write() as connection:
                await connection.execute(insert(schema.audit).values(row))

        return await timed(write, rows)


async def fill(url: str, rows: int) -> None:
    """A chain of so many rows."""
    async with databases(url, 1) as (database,):
        last, made = Link(0, START), list[Row]()
        for number in range(1, rows + 1):
            row = audit._columns(1, number, entry(number))
            row |= {"number": number, "before": last.hash, "hash": digest(number, last.hash, row)}
            last = Link(number, row["hash"])
            made.append(row)
            if len(made) == 5_000 or number == rows:
                async with database.write() as connection:
                    await connection.execute(insert(schema.audit), made)
                made = []
        async with database.write() as connection:
            await connection.execute(update(schema.audit_head).values(number=last.number, hash=last.hash))


def verify(url: str, folder: Path) -> tuple[float, float]:
    """Seconds and megabytes of ``nobat audit verify``."""
    file = folder / "nobat.toml"
    file.write_text(f'[database]\nurl = "{url}"\n')
    began = perf_counter()
    started = subprocess.Popen(
        [sys.executable, "-m", "nobat.cli", "audit", "verify", "--config", str(file)], stdout=subprocess.PIPE, text=True
    )
    said = started.stdout.read() if started.stdout is not None else ""
    _, status, used = os.wait4(started.pid, 0)
    if status != 0 or "as they were written" not in said:
        raise RuntimeError(f"the chain is said to be wrong: {said}")
    return perf_counter() - began, used.ru_maxrss / 1024


async def run(*, full: bool) -> bool:
    """Print all; whether a request waits at most 100 ms in 99 of 100 cases, and a chain of any length takes the same memory."""
    return await on_each(partial(_on, full=full))


async def _on(name: str, server: PostgresServer | None, *, full: bool) -> bool:
    rows, long = (4_000, 1_000_000) if full else (800, 30_000)
    with TemporaryDirectory() as place:
        folder = Path(place)

        def fresh(file: str) -> str:
            return server.create_database() if server is not None else f"sqlite:///{folder / file}.db"

        kinds = {"one service": by_service, f"{PROGRAMS} programs": by_programs, "without a chain": plain}
        found = {kind: [await write(fresh(f"{kind}-{n}"), rows) for n in range(3)] for kind, write in kinds.items()}
        short_url, long_url = fresh("short"), fresh("long")
        await fill(short_url, long // 10)
        await fill(long_url, long)
        (short_s, short_mb), (long_s, long_mb) = [
            await asyncio.to_thread(verify, url, folder) for url in (short_url, long_url)
        ]
    heading("audit", f"{name}, {HANDS} requests at a time, {rows:,} rows; a chain of {long:,}")
    for kind, three in found.items():
        print(f"   {kind:<16} {_rate(three):7,.0f} rows/s; waits, ms: {three[1][1]}")
    rate = (long - long // 10) / max(0.001, long_s - short_s)
    print(
        f"   verify: {long:,} rows in {long_s:.1f} s ({rate:,.0f} rows/s), {long_mb:.0f} MB; a tenth of it: {short_mb:.0f} MB"
    )
    waits, ratio = found["one service"][1][1].p99, _rate(found["one service"]) / _rate(found["without a chain"])
    more = long_mb - short_mb
    return all(
        [
            verdict("p99 of a row through one service, ms", waits, "<= 100", waits <= 100),
            verdict("rows/s through one service, of those without a chain", ratio, ">= 1", ratio >= 1),
            verdict("memory of a chain ten times as long, MB more", more, "<= 10", more <= 10),
        ]
    )


def _rate(three: list[tuple[float, Spread]]) -> float:
    return median(rate for rate, _ in three)
