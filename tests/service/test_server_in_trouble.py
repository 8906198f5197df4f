"""A database that is full, slow or refuses connections: history waits, promises are refused in time, nothing is lost or twice."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic

import pytest
from sqlalchemy import event, func, select, text

from acd.events import CallHeld
from acd.ids import CallId, QueueId
from nobat.storage import schema
from nobat.storage.database import Database
from nobat.storage.errors import StorageUnavailable
from nobat.storage.migrate import migrate
from nobat.storage.recorder import Recorder
from tests.support.postgres import PostgresServer
from tests.support.until import until

ROWS = 300


def held(count: int, call: str = "pbx1-1.1") -> list[CallHeld]:
    return [CallHeld(1.0 + n, CallId(call), QueueId("sales")) for n in range(count)]


@asynccontextmanager
async def writing(database: Database, commit_deadline_s: float = 2.0) -> AsyncIterator[Recorder]:
    recorder = Recorder(database, run_id=1, batch_rows=50, batch_wait_s=0.001, commit_deadline_s=commit_deadline_s)
    running = asyncio.create_task(recorder.run())
    try:
        yield recorder
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await database.close()


async def stored(database: Database) -> int:
    async with database.read() as connection:
        return int(await connection.scalar(select(func.count()).select_from(schema.events)) or 0)


async def run(database: Database, *statements: str) -> None:
    async with database.write() as connection:
        for statement in statements:
            await connection.execute(text(statement))


async def test_a_full_server(postgres: PostgresServer) -> None:
    """What PostgreSQL says when its disk is full is said by the server itself, for every row."""
    url = postgres.create_database()
    database, operator = Database(url), Database(url)
    await migrate(operator)
    await run(
        operator,
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$",
        "CREATE TRIGGER full_disk BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION full_disk()",
    )
    async with writing(database) as recorder:
        recorder.note(held(ROWS))
        await until(lambda: recorder.away is not None, "the notice")
        assert "No space left" in (recorder.away or "")
        with pytest.raises(StorageUnavailable):
            await recorder.commit(held(1, "pbx1-1.2"))
        assert recorder.refused == 0
        await run(operator, "DROP TRIGGER full_disk ON events")
        await until(lambda: recorder.pending == 0, "all rows", within_s=20)
        assert recorder.away is None
        assert await stored(operator) == ROWS + 1  # a promise that was broken is written all the same
    await operator.close()


async def test_a_full_disk_under_sqlite(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'nobat.db'}")
    await migrate(database)
    pages = {"most": 0}

    def limit(connection: object, _record: object) -> None:
        cursor = connection.cursor()  # type: ignore[attr-defined]
        cursor.execute(f"PRAGMA max_page_count={pages['most'] or 1_000_000}")
        cursor.close()

    event.listen(database.engine.sync_engine, "connect", limit)
    async with database.read() as connection:
        pages["most"] = int((await connection.execute(text("PRAGMA page_count"))).scalar_one()) + 4
    await database.engine.dispose()
    async with writing(database) as recorder:
        recorder.note(held(ROWS * 5))
        await until(lambda: recorder.away is not None, "the notice")
        assert "full" in (recorder.away or "")
        assert recorder.pending > 0
        pages["most"] = 0
        await database.engine.dispose()
        await until(lambda: recorder.pending == 0, "all rows", within_s=20)
        assert recorder.refused == 0
        assert await stored(database) == ROWS * 5


async def test_a_server_that_answers_too_slowly(postgres: PostgresServer) -> None:
    """Somebody else's lock is what makes it slow: promises are refused in time, and history comes afterwards, once."""
    url = postgres.create_database()
    database, other = Database(url), Database(url)
    await migrate(other)
    async with writing(database, commit_deadline_s=0.3) as recorder:
        async with other.write() as connection:
            await connection.execute(text("LOCK TABLE events IN ACCESS EXCLUSIVE MODE"))
            recorder.note(held(ROWS))
            began = monotonic()
            with pytest.raises(StorageUnavailable):
                await recorder.commit(held(1, "pbx1-1.2"))
            assert monotonic() - began < 5.0
            assert recorder.pending > 0
        await until(lambda: recorder.pending == 0, "all rows", within_s=20)
        assert await stored(other) == ROWS + 1
    await other.close()


async def test_a_server_that_takes_no_more_connections(postgres: PostgresServer) -> None:
    """One connection is allowed, and somebody has it."""
    url = postgres.create_database()
    operator = Database(url)
    await migrate(operator)
    role = f"few_{url.rpartition('/')[2]}"
    await run(
        operator,
        f"CREATE ROLE {role} LOGIN PASSWORD 'few' CONNECTION LIMIT 1",
        f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}",
    )
    theirs = url.replace(url.partition("//")[2].partition("@")[0], f"{role}:few")
    greedy, database = Database(theirs), Database(theirs)
    async with writing(database) as recorder:
        async with greedy.read():
            recorder.note(held(ROWS))
            await until(lambda: recorder.away is not None, "the notice")
            assert "too many connections" in (recorder.away or "")
        await greedy.close()
        await until(lambda: recorder.pending == 0, "all rows", within_s=20)
        assert await stored(operator) == ROWS
    await operator.close()


async def test_a_text_that_is_too_long_is_given_up_and_the_others_are_written(postgres: PostgresServer) -> None:
    """PostgreSQL refuses it for ever: whoever took that for trouble would never write anything again."""
    database = Database(postgres.create_database())
    await migrate(database)
    async with writing(database) as recorder:
        long = CallHeld(9.0, CallId("pbx1-1.1"), QueueId("q" * 100))
        recorder.note([*held(5), long, *held(5, "pbx1-1.2")])
        await until(lambda: recorder.pending == 0, "all rows", within_s=20)
        assert (recorder.refused, recorder.away) == (1, None)
        assert await stored(database) == 10
