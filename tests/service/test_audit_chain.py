"""The audit as a chain, on both databases: whoever changes, removes or inserts a row is told of, by the row's name."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, delete, insert, select, text, update
from typer.testing import CliRunner

from nobat.cli import app as cli
from nobat.storage import audit, schema, statements
from nobat.storage.audit import START, AuditEntry, Link, digest
from nobat.storage.database import Database, when
from nobat.storage.errors import StorageUnavailable
from nobat.storage.migrate import alembic_config, migrate
from nobat.storage.recorder import Recorder
from nobat.storage.statements import Note
from tests.support.office import Office

NOON = 1_700_000_000.0
_CHAIN = ScriptDirectory.from_config(alembic_config()).get_revision("0018")
BEFORE = str(_CHAIN.down_revision)
"""The schema before there was a chain."""


async def to_revision(url: str, revision: str) -> None:
    """Back to an older schema."""
    database = Database(url)

    def down(connection: Connection) -> None:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.downgrade(config, revision)

    async with database.write() as connection:
        await connection.run_sync(down)
    await database.close()


def entry(number: int, at: float = NOON) -> AuditEntry:
    return AuditEntry(at + number, "t1", "a name، نام", "admin", "changeQueue", f"target {number}")


async def written(database: Database, *entries: AuditEntry, run: int = 1) -> None:
    async with database.write() as connection:
        notes = [Note(run, number, one) for number, one in enumerate(entries)]
        await statements.write(connection, database.insert, notes)


@pytest.fixture
async def database(database_url: str) -> Any:
    made = Database(database_url)
    await migrate(made)
    await written(made, *(entry(number) for number in range(1, 8)))
    yield made
    await made.close()


async def do(database: Database, statement: Any) -> None:
    async with database.write() as connection:
        await connection.execute(statement)


async def wrong(database: Database, expected: Link | None = None) -> tuple[str, ...]:
    return (await audit.verify(database, expected)).wrong


async def test_what_was_written_holds_and_is_harmless_when_repeated(database: Database) -> None:
    await written(database, *(entry(number) for number in range(1, 8)))
    verdict = await audit.verify(database)
    assert (verdict.rows, verdict.wrong, verdict.first) == (7, (), Link(0, START))
    assert await audit.head(database) == verdict.head
    assert verdict.head.number == 7


@pytest.mark.parametrize(
    "values",
    [{"target": "x"}, {"token_name": "somebody else"}, {"at": when(NOON)}, {"action": "getQueue"}, {"role": "agent"}],
)
async def test_a_changed_row_is_named(database: Database, values: dict[str, Any]) -> None:
    await do(database, update(schema.audit).where(schema.audit.c.number == 4).values(values))
    (told,) = await wrong(database)
    assert told.startswith("row 4 (")
    assert told.endswith("was changed")
    assert "key 1/3" in told


async def test_a_row_that_was_changed_with_its_hash_is_named_by_the_next_one(database: Database) -> None:
    async with database.write() as connection:
        rows = (await connection.execute(select(schema.audit).where(schema.audit.c.number == 4))).mappings()
        row = {**rows.one(), "target": "x"}
        row["hash"] = digest(4, row["before"], row)
        await connection.execute(update(schema.audit).where(schema.audit.c.number == 4).values(row))
    (told,) = await wrong(database)
    assert told.startswith("row 5 (")
    assert told.endswith("does not follow row 4: one of the two was replaced")


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ([4], "row 4 is missing before row 5"),
        ([3, 4, 5], "rows 3 to 5 are missing before row 6"),
        ([1], "row 1 is missing before row 2"),
        ([7], "rows 7 to 7 are missing at the end"),
        ([6, 7], "rows 6 to 7 are missing at the end"),
    ],
)
async def test_removed_rows_are_named(database: Database, numbers: list[int], said: str) -> None:
    await do(database, delete(schema.audit).where(schema.audit.c.number.in_(numbers)))
    assert [one for one in await wrong(database) if one.startswith(said)]


async def test_an_inserted_row_is_named(database: Database) -> None:
    """At the end with a right hash, in the middle with all places moved, before the beginning."""
    newest = await audit.head(database)
    assert newest is not None
    forged: dict[str, Any] = {
        **{"run": 9, "seq": 9, "at": when(NOON), "token_id": "t", "token_name": "n", "role": "admin"},
        **{"action": "a", "target": "t", "number": 8, "before": newest.hash},
    }
    forged["hash"] = digest(8, newest.hash, forged)
    await do(database, insert(schema.audit).values(forged))
    assert await wrong(database) == ("rows 8 to 8 stand after the end: they were inserted",)
    await do(database, delete(schema.audit).where(schema.audit.c.run == 9))
    await do(database, insert(schema.audit).values(forged | {"number": 0}))
    (told,) = await wrong(database)
    assert told.startswith("row 0 (")
    assert told.endswith("was inserted")
    await do(database, delete(schema.audit).where(schema.audit.c.run == 9))
    for number in range(7, 3, -1):
        await do(database, update(schema.audit).where(schema.audit.c.number == number).values(number=number + 1))
    await do(database, insert(schema.audit).values(forged | {"number": 4}))
    assert (await wrong(database))[0].startswith("row 4 (")


async def test_a_chain_written_anew_is_told_by_what_was_noted_down_elsewhere(database: Database) -> None:
    noted = await audit.head(database)
    assert noted is not None
    assert await wrong(database, noted) == ()
    await do(database, delete(schema.audit))
    await do(database, update(schema.audit_head).values(number=0, hash=START))
    assert await wrong(database, noted) == ("row 7, which was noted down, is missing",)
    await written(database, *(entry(number, NOON + 1) for number in range(1, 9)))
    assert await wrong(database) == ()
    assert await wrong(database, noted) == ("row 7 is not the one that was noted down",)


async def test_many_writers_make_one_chain(database_url: str, database: Database) -> None:
    """Four programs, forty rows each: no place twice, none left out."""
    others = [Database(database_url) for _ in range(4)]

    async def write(run: int, one: Database) -> None:
        for number in range(40):
            async with one.write() as connection:
                await audit.append(connection, [(run, number, entry(number))])

    await asyncio.gather(*(write(run, one) for run, one in enumerate(others, 10)))
    for one in others:
        await one.close()
    verdict = await audit.verify(database)
    assert (verdict.rows, verdict.wrong) == (167, ())


async def test_a_chain_that_is_wrong_everywhere_is_told_in_bounded_room(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "MOST_NAMED", 3)
    await do(database, update(schema.audit).values(target="x"))
    verdict = await audit.verify(database)
    assert (len(verdict.wrong), verdict.unnamed) == (3, 4)


async def test_what_one_transaction_takes_back_leaves_no_gap(database: Database) -> None:
    async with database.engine.connect() as connection:
        taken_back = await connection.begin()
        await audit.append(connection, [(3, 1, entry(1))])
        await taken_back.rollback()
    await written(database, entry(9), run=4)
    assert (await audit.verify(database)).head.number == 8
    assert await wrong(database) == ()


async def test_a_shortened_chain_can_still_be_verified(database: Database) -> None:
    noted = await audit.head(database)
    assert await audit.trim(database, NOON + 4, entry(0, NOON + 99), run=5) == 3
    verdict = await audit.verify(database, noted)
    assert (verdict.rows, verdict.wrong, verdict.first.number, verdict.head.number) == (5, (), 3, 8)
    await do(database, delete(schema.audit).where(schema.audit.c.number == 4))
    assert (await wrong(database))[0].startswith("row 4 is missing before row 5")
    assert await audit.trim(database, NOON, entry(0), run=6) == 0
    assert await audit.trim(database, NOON + 1_000, entry(0, NOON + 999), run=7) == 4
    verdict = await audit.verify(database)
    assert (verdict.rows, verdict.wrong, verdict.head.number) == (1, (), 9)


async def test_without_its_head_nothing_more_is_done(database: Database) -> None:
    await do(database, delete(schema.audit_head))
    assert await wrong(database) == ("the head of the chain is missing: rows at its end may be, too",)
    recorder = Recorder(database, run_id=9)
    writing = asyncio.create_task(recorder.run())
    with pytest.raises(StorageUnavailable):
        await recorder.commit([entry(1)])
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)


async def test_rows_from_before_the_chain_are_taken_into_it_and_out_again(database_url: str) -> None:
    database = Database(database_url)
    row = (
        "INSERT INTO audit (run, seq, at, token_id, token_name, role, action, target) "
        "VALUES (:run, :seq, :at, 't1', 'نام', 'admin', 'changeQueue', 'sales')"
    )

    def to(revision: str, connection: Connection, *, up: bool) -> None:
        config = alembic_config()
        config.attributes["connection"] = connection
        (command.upgrade if up else command.downgrade)(config, revision)

    database.make_place()
    async with database.write() as connection:
        await connection.run_sync(lambda sync: to(BEFORE, sync, up=True))
        for number in range(1_500):
            at = when(NOON - number + 0.25)
            values = {"run": 1, "seq": number, "at": at.replace(tzinfo=None) if database.is_sqlite else at}
            statement = text(row)
            await connection.execute(statement, {**values, "at": str(values["at"])} if database.is_sqlite else values)
    await migrate(database)
    await written(database, entry(1), run=2)
    verdict = await audit.verify(database)
    assert (verdict.rows, verdict.wrong) == (1_502, ())  # one says that it was done
    async with database.write() as connection:
        await connection.run_sync(lambda sync: to(BEFORE, sync, up=False))
        assert (await connection.execute(text("SELECT count(*) FROM audit"))).scalar() == 1_502
    await migrate(database)
    assert (await audit.verify(database)).wrong == ()
    await database.close()


async def test_a_request_is_in_the_chain_before_it_is_done(office: Office) -> None:
    admin = await office.admin()
    await asyncio.gather(*(admin.ask("PATCH", "/v1/queues/sales", json={"name": f"n{n}"}) for n in range(12)))
    verdict = await audit.verify(office.app.database)
    assert (verdict.rows, verdict.wrong) == (12, ())


def test_the_operators_commands(database_url: str, tmp_path: Path) -> None:
    file = tmp_path / "nobat.toml"
    file.write_text(f'[database]\nurl = "{database_url}"\n')

    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(cli, ["audit", *words, "--config", str(file)])
        return done.exit_code, done.output

    async def prepare() -> None:
        database = Database(database_url)
        await migrate(database)
        await written(database, *(entry(number) for number in range(1, 4)))
        await database.close()

    async def forge() -> None:
        database = Database(database_url)
        await do(database, update(schema.audit).where(schema.audit.c.number == 2).values(target="x"))
        await database.close()

    asyncio.run(prepare())
    code, noted = run("head")
    assert (code, noted.partition(":")[0]) == (0, "3")
    assert run("verify", "--expect", noted.strip())[0] == 0
    asyncio.run(forge())
    code, said = run("verify")
    assert code == 1
    assert "row 2 (2023-11-14T22:13:22.000000Z changeQueue by a name، نام, key 1/1) was changed" in said
    assert run("verify", "--expect", "nonsense")[0] == 2
    assert run("trim", "--keep-days", "30") == (0, "forgot 3 rows\n")
    assert run("verify")[0] == 0
