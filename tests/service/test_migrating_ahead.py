"""What takes long in a migration is done while the older service goes on: it notices nothing, and nothing is missing."""

import ast
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from nobat.storage import ahead, migrate, schema
from nobat.storage.database import Database
from nobat.storage.errors import WrongDatabase
from nobat.storage.migrate import HEAD, alembic_config, current_version
from tests.service.test_process import Site
from tests.support.ports import free_port
from tests.support.schema import moved

OLD = "0013"
GROWING = {"calls", "visits", "talks", "events"}


@pytest.fixture
async def old(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A database of an older program, with calls that were passed on; windows are small, so that there are several."""
    monkeypatch.setattr(ahead, "ROWS", 3)
    monkeypatch.setattr(ahead, "REST_S", 0.0)
    database = Database(database_url)
    async with database.write() as connection:
        await connection.run_sync(moved(OLD, up=True))
    await called(database, 1, 12)
    yield database
    await database.close()


async def called(database: Database, first: int, last: int, day: int = 20) -> None:
    """What the older program writes of calls that were passed on."""
    async with database.write() as connection:
        for number in range(first, last + 1):
            at = f"2026-11-{day} 10:{number:02}:00.000000" + ("" if database.is_sqlite else "+00")
            for statement in (
                "INSERT INTO calls (id, leg, pbx, queue_id, number, priority, entered_at, waited_s, hold_s, agent_id)"
                f" VALUES ('{number}', 'l', 'pbx1', 'support', '0912{number}', 0, '{at}', 1, 0, '102')",
                *(
                    "INSERT INTO talks (call_id, agent_id, ended_at, queue_id, began_at, talk_s, hold_s, fault)"
                    f" VALUES ('{number}', '{agent}', '{at}', 'sales', '{at}', 1, 0, false)"
                    for agent in ("101", "102")
                ),
                *(
                    "INSERT INTO visits (call_id, queue_id, entered_at, decided_at, outcome, waited_s, short)"
                    f" VALUES ('{number}', '{queue}', '{at}', '{at}', 'answered', 1, false)"
                    for queue in ("sales", "support")
                ),
                "INSERT INTO events (run, seq, at, kind, data) VALUES"
                f""" (1, {number}, '{at}', 'CallQueued', '{{"number": "0912{number}"}}')""",
            ):
                await connection.exec_driver_sql(statement)


async def is_whole(database: Database, calls: int) -> None:
    """The schema is the newest, exactly; and what 0014 fills is full."""

    def differences(connection: Connection) -> list[object]:
        return list(
            compare_metadata(MigrationContext.configure(connection, opts={"compare_type": False}), schema.metadata)
        )

    async with database.read() as connection:
        assert await connection.run_sync(differences) == []
        parties = await connection.execute(
            text("SELECT role, party_id, count(*) FROM earlier_parties GROUP BY role, party_id")
        )
        assert sorted(tuple(row) for row in parties) == [("agent", "101", calls), ("queue", "sales", calls)]
        numbers = (await connection.execute(text("SELECT number FROM events"))).scalars().all()
        assert sorted(numbers) == sorted(f"0912{number}" for number in range(1, calls + 1))
    assert await current_version(database) == HEAD


async def test_all_that_can_be_is_done_ahead_and_the_rest_at_the_start(old: Database) -> None:
    said: list[str] = []
    assert await migrate.ahead(old, said.append)
    assert {line.partition(":")[0] for line in said} >= {"index ix_events_number", "numbers of events", "earlier talks"}
    assert await current_version(old) == OLD, "the older program still knows its database"
    async with old.read() as connection:
        filled = (await connection.execute(text("SELECT count(*) FROM events WHERE number IS NOT NULL"))).scalar()
    assert filled == 12
    await called(old, 13, 15)  # the older program goes on
    await called(old, 16, 16, day=19)  # and what waited in its journal comes late
    assert await migrate.migrate(old)
    await is_whole(old, 16)


async def test_it_goes_on_where_it_was_broken_off(old: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    work, done = ahead.Fill._work, 0

    def twice(self: ahead.Fill, *bounds: Any) -> None:
        nonlocal done
        done += 1
        if done > 2:
            raise KeyboardInterrupt
        work(self, *bounds)

    monkeypatch.setattr(ahead.Fill, "_work", twice)
    with pytest.raises(KeyboardInterrupt):
        await migrate.ahead(old, lambda _: None)
    monkeypatch.setattr(ahead.Fill, "_work", work)
    if not old.is_sqlite:  # an index of PostgreSQL whose making was broken off is there, and of no use
        async with old.write() as connection:
            half = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_calls_outcome_entered_at'::regclass"
            await connection.execute(text(half))
    assert await migrate.ahead(old, lambda _: None)
    assert await migrate.ahead(old, lambda _: None), "a third time does no harm"
    assert await migrate.migrate(old)
    await is_whole(old, 12)
    if not old.is_sqlite:
        async with old.read() as connection:
            useless = (await connection.execute(text("SELECT count(*) FROM pg_index WHERE NOT indisvalid"))).scalar()
        assert useless == 0


async def test_it_ends_when_the_new_service_has_begun(old: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody does not wait for it and starts the new service: that one does the rest, and nothing is done twice."""
    step = ahead.Fill.ahead

    async def overtaken(self: ahead.Fill, database: Database) -> None:
        await migrate.migrate(old, alone=True)
        await step(self, database)

    monkeypatch.setattr(ahead.Fill, "ahead", overtaken)
    said: list[str] = []
    await migrate.ahead(old, said.append)
    assert said[-1] == "the new service runs: it has done the rest"
    async with old.read() as connection:  # nothing of it is left behind
        tables = await connection.run_sync(lambda sync: set(inspect(sync).get_table_names()))
    assert tables - {"alembic_version"} == set(schema.metadata.tables)


async def test_steps_that_build_upon_what_is_not_there_yet_are_left_to_the_start(database_url: str) -> None:
    database = Database(database_url)
    async with database.write() as connection:
        await connection.run_sync(moved("0001", up=True))
        await connection.execute(text("ALTER TABLE calls RENAME COLUMN outcome TO result"))
    said: list[str] = []
    await migrate.ahead(database, said.append)
    assert "index ix_calls_outcome_entered_at: at the start of the new service" in said
    await database.close()


def test_the_command(tmp_path: Path) -> None:
    site = Site(tmp_path, free_port())
    (tmp_path / "nobat.toml").write_text(f'[database]\nurl = "sqlite:///{tmp_path / "nobat.db"}"\n')
    site.nobat("migrate")
    assert "nothing to do ahead" in site.nobat("migrate", "--ahead")


async def test_a_database_of_a_newer_program_is_refused(database_url: str) -> None:
    database = Database(database_url)
    await migrate.migrate(database)
    async with database.write() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(WrongDatabase, match="newer nobat"):
        await migrate.ahead(database, lambda _: None)
    await database.close()


def test_new_migrations_of_tables_that_grow_do_ahead_what_takes_long() -> None:
    """While a start migrates no call is routed: see the guide of upgrades."""
    for script in ScriptDirectory.from_config(alembic_config()).walk_revisions():
        if script.revision <= "0018":  # 0014 does, the others were measured
            continue
        slow = _slow_work(Path(script.path).read_text())
        assert not slow, f"{script.revision}: {slow} belongs into AHEAD"


def _slow_work(source: str) -> list[str]:
    """Indexes and changes of rows, or of whole tables, that ``upgrade`` makes by itself."""
    (upgrade,) = (one for one in ast.parse(source).body if isinstance(one, ast.FunctionDef) and one.name == "upgrade")
    found = []
    for call in (one for one in ast.walk(upgrade) if isinstance(one, ast.Call)):
        name = ast.unparse(call.func)
        words = {one.value for one in ast.walk(call) if isinstance(one, ast.Constant) and isinstance(one.value, str)}
        tables = {word for text_ in words for word in text_.replace("(", " ").split()} & GROWING
        if tables and name in ("op.create_index", "op.execute", "op.alter_column", "op.batch_alter_table"):
            found.append(ast.unparse(call))
    return found


def test_the_rule_finds_what_it_is_for() -> None:
    planted = (
        "def upgrade():\n    op.create_index('ix', 'calls', ['number'])\n    op.execute('UPDATE events SET x = 1')\n"
    )
    assert len(_slow_work(planted)) == 2
    assert not _slow_work("def upgrade():\n    op.add_column('calls', sa.Column('mood'))\n")
