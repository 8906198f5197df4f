"""migration: how long a start brings the schema up to date over years of history, during which no call is routed.

Both databases, filled with a year of calls and taken back to the first schema. Each step up is timed; then the longest again
after ``nobat migrate --ahead``, which is the same work while the older service goes on. Meanwhile somebody writes as that service
does, and the longest wait of its writes is told. The peer is the same step without anything done ahead.
"""

import asyncio
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from alembic.script import ScriptDirectory
from sqlalchemy import text

from benchmarks.databases import both, fill
from benchmarks.figures import heading, verdict
from benchmarks.history import TABLES, _parts
from nobat.storage import migrate
from nobat.storage.database import Database
from nobat.storage.errors import StorageUnavailable
from tests.support.schema import moved

ALONE_S = 6.0
"""After so long without the service Asterisk begins to serve the callers by itself."""
AUDITED = {False: 5_000, True: 100_000}
EVENT = "INSERT INTO events (run, seq, at, kind, data) VALUES (2, :seq, '2026-11-02 10:00:00.000000{zone}', 'CallHeld', '{{}}')"
AUDIT = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})"
    " INSERT INTO audit (run, seq, at, token_id, token_name, role, action, target)"
    " SELECT 1, i, '2026-01-01 10:00:00.000000{zone}', 't', 'somebody', 'admin', 'PUT', '/v1/agents/101/status' FROM n"
)


async def run(*, full: bool) -> bool:
    """Print each step; whether what is left after ``--ahead`` is over before Asterisk serves alone, and no write was refused."""
    calls, reached = 1_000_000 if full else 50_000, True
    with TemporaryDirectory() as folder:
        async with both(Path(folder)) as urls:
            await fill(urls.values(), [(table, names) for table, names, _ in TABLES], _parts(calls))
            for name, url in urls.items():
                heading("migration", f"{name}, {calls:,} calls, {2 * calls:,} events, {AUDITED[full]:,} rows of audit")
                reached &= await _one(name, url, AUDITED[full])
    return reached


async def _one(name: str, url: str, audited: int) -> bool:
    database = Database(url, statement_s=None)
    steps = [one.revision for one in ScriptDirectory.from_config(migrate.alembic_config()).walk_revisions()][::-1]
    await _move(database, steps[0], up=False)
    async with database.write() as connection:
        await connection.execute(text(AUDIT.format(rows=audited, zone=_zone(database))))
    took = {revision: await _move(database, revision, up=True) for revision in steps[1:]}
    print("   " + "  ".join(f"{revision} {seconds:.1f} s" for revision, seconds in took.items() if seconds >= 0.05))
    longest = max(took, key=lambda one: took[one])
    before = steps[steps.index(longest) - 1]
    await _move(database, before, up=False)
    began = perf_counter()
    waited, refused = await _ahead(database)
    ahead_s = perf_counter() - began
    left = await _move(database, longest, up=True)
    await database.close()
    print(
        f"   {longest} alone {took[longest]:.1f} s; ahead {ahead_s:.1f} s, and then {left:.2f} s: {left / took[longest]:.3f} of it"
    )
    print(f"   meanwhile a write of the older service waited {waited:.2f} s at most, {refused} were refused")
    return all([
        verdict(f"{name}: no call is routed after --ahead for, s", left, f"<= {ALONE_S:g}", left <= ALONE_S),
        verdict(f"{name}: writes refused meanwhile", float(refused), "0", refused == 0),
    ])  # fmt: skip


async def _move(database: Database, revision: str, *, up: bool) -> float:
    """Seconds."""
    began = perf_counter()
    async with database.write() as connection:
        await connection.run_sync(moved(revision, up=up))
    return perf_counter() - began


async def _ahead(database: Database) -> tuple[float, int]:
    """Do ahead what can be; the longest wait of somebody who writes meanwhile, and how often he was refused."""
    waited, refused, seq = 0.0, 0, 0

    async def write() -> None:
        nonlocal waited, refused, seq
        while True:
            seq += 1
            began = perf_counter()
            try:
                async with database.write() as connection:
                    await connection.execute(text(EVENT.format(zone=_zone(database))), {"seq": seq})
            except StorageUnavailable:
                refused += 1
            waited = max(waited, perf_counter() - began)
            await asyncio.sleep(0.05)

    writer = asyncio.create_task(write())
    await migrate.ahead(database, lambda line: print(f"      {line}"))
    writer.cancel()
    with suppress(asyncio.CancelledError):
        await writer
    return waited, refused


def _zone(database: Database) -> str:
    return "" if database.is_sqlite else "+00"
