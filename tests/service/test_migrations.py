"""The schema: made by migrations, the same as the tables in the code, all or nothing."""

import asyncio
import contextlib
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from nobat.storage import migrate as migration
from nobat.storage import nodelock, schema
from nobat.storage.database import Database
from nobat.storage.errors import WrongDatabase
from nobat.storage.migrate import HEAD, alembic_config, current_version, migrate
from nobat.storage.nodelock import NodeLock
from tests.support.postgres import PostgresServer
from tests.support.until import until


async def test_migrations_make_exactly_the_tables_of_the_code(database_url: str) -> None:
    database = Database(database_url)
    await migrate(database)

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        return list(compare_metadata(context, schema.metadata))

    async with database.read() as connection:
        assert await connection.run_sync(differences) == []
    await database.close()


def test_the_newest_migration_is_the_one_that_the_start_looks_for() -> None:
    assert ScriptDirectory.from_config(alembic_config()).get_heads() == [HEAD]


async def test_two_programs_that_migrate_at_once_do_it_once(database_url: str) -> None:
    databases = [Database(database_url) for _ in range(4)]
    done = await asyncio.gather(*(migrate(database) for database in databases))
    assert sorted(done) == [False, False, False, True]
    for database in databases:
        await database.close()


async def test_a_crash_in_the_middle_leaves_the_database_as_it_was(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(database_url)
    upgrade = migration._upgrade

    def crash(connection: Connection) -> bool:
        upgrade(connection)
        raise KeyboardInterrupt

    monkeypatch.setattr(migration, "_upgrade", crash)
    with pytest.raises(KeyboardInterrupt):
        await migrate(database)
    monkeypatch.undo()
    async with database.read() as connection:
        assert await connection.run_sync(lambda sync: inspect(sync).get_table_names()) == []
    assert await migrate(database)
    assert await current_version(database) == HEAD
    await database.close()


async def test_a_database_of_a_newer_program_is_refused_in_words(database_url: str) -> None:
    database = Database(database_url)
    await migrate(database)
    async with database.write() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(WrongDatabase, match="newer nobat"):
        await migrate(database)
    await database.close()


async def test_sqlite_keeps_promises_through_a_power_cut(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'nobat.db'}")
    async with database.write() as connection:
        found = {name: (await connection.execute(text(f"PRAGMA {name}"))).scalar() for name in (
            "journal_mode", "synchronous", "foreign_keys", "busy_timeout")}  # fmt: skip
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}
    await database.close()


async def test_a_second_service_on_the_same_database_is_refused(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nodelock, "PATIENCE_S", 0.2)
    databases = [Database(database_url) for _ in range(2)]
    first, second = [NodeLock(database) for database in databases]
    await first.take()
    await first.take()
    with pytest.raises(WrongDatabase, match="in use by another nobat serve"):
        await second.take()
    await first.release()
    await second.take()
    await second.release()
    for database in databases:
        await database.close()


async def test_a_lock_outlives_nobody_who_dies(postgres: PostgresServer) -> None:
    """A killed service's session ends with its connection, and so does its lock."""
    url = postgres.create_database()
    databases = [Database(url) for _ in range(2)]
    first, second = [NodeLock(database) for database in databases]
    await first.take()
    async with databases[1].write() as connection:
        await connection.execute(text(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ))  # fmt: skip
    await second.take()
    for lock, database in zip((second, first), databases, strict=True):
        await lock.release()
        await database.close()


async def test_a_lock_that_the_database_forgot_is_taken_again_or_left_to_who_was_faster(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nodelock, "PATIENCE_S", 0.2)
    monkeypatch.setattr(nodelock, "CHECK_S", 0.1)
    url = postgres.create_database()
    databases = [Database(url) for _ in range(3)]
    first, second, killer = NodeLock(databases[0]), NodeLock(databases[1]), databases[2]
    taken_over: list[str] = []
    await first.take()
    watch = asyncio.create_task(first.watch(taken_over.append))
    held_by = await _holder(killer)
    await _end_session(killer, held_by)
    async with asyncio.timeout(10):
        while True:
            if await _holder(killer) not in (None, held_by):
                break
            await asyncio.sleep(0.02)
    with pytest.raises(WrongDatabase, match="another nobat serve"):
        await second.take()
    async with asyncio.timeout(30):
        while not taken_over:  # the two race until the second one wins
            await _end_session(killer, await _holder(killer))
            with contextlib.suppress(WrongDatabase):
                await second.take()
                await until(lambda: bool(taken_over), "word of who was faster")
    assert "another nobat serve" in taken_over[0]
    watch.cancel()
    await asyncio.gather(watch, return_exceptions=True)
    await first.release()
    await second.release()
    for database in databases:
        await database.close()


async def _holder(database: Database) -> int | None:
    """The session that holds the lock of this database."""
    held = text(
        "SELECT pid FROM pg_locks JOIN pg_database d ON d.oid = database "
        "WHERE locktype = 'advisory' AND granted AND d.datname = current_database()"
    )
    async with database.read() as connection:
        return (await connection.execute(held)).scalar()


async def _end_session(database: Database, pid: int | None) -> None:
    async with database.write() as connection:
        await connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid or 0})
