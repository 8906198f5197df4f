"""Every migration, up and down, over tables that have rows: what was there before and fits into both is there afterwards."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, Table, inspect, select, text

from nobat.storage.database import Database
from nobat.storage.migrate import HEAD, alembic_config, migrate
from tests.support.schema import moved

ROWS = 3
OF_MIGRATIONS = {"alembic_version"}
MADE_BY_MIGRATIONS = {"config_version", "callers_version", "figures_until"}

Rows = dict[str, list[dict[str, Any]]]


def revisions() -> list[str]:
    """From the first to the newest."""
    found = ScriptDirectory.from_config(alembic_config()).walk_revisions()
    return [script.revision for script in found][::-1]


@pytest.fixture
async def step(database_url: str) -> Any:
    """Runs one function on a connection that writes."""
    database = Database(database_url)

    async def run(work: Callable[[Connection], Any]) -> Any:
        async with database.write() as connection:
            return await connection.run_sync(work)

    yield run
    await database.close()


def tables(connection: Connection) -> Iterator[Table]:
    """As they are now, those that others refer to first."""
    metadata = MetaData()
    metadata.reflect(connection)
    yield from (table for table in metadata.sorted_tables if table.name not in OF_MIGRATIONS)


def fill(connection: Connection) -> None:
    """Rows into every table that has none."""
    for table in tables(connection):
        if table.name in MADE_BY_MIGRATIONS or connection.execute(select(table).limit(1)).first() is not None:
            continue
        for number in range(ROWS):
            names = [column.name for column in table.columns]
            values = {f"v{at}": value(column, number) for at, column in enumerate(table.columns)}
            marks = ", ".join(_mark(connection, column, at) for at, column in enumerate(table.columns))
            quoted = ", ".join(f'"{name}"' for name in names)
            connection.execute(text(f'INSERT INTO "{table.name}" ({quoted}) VALUES ({marks})'), values)


def _mark(connection: Connection, column: Any, at: int) -> str:
    kind = str(column.type)
    word = "timestamptz" if "TIMESTAMP" in kind else "json" if "JSON" in kind else ""
    return f"CAST(CAST(:v{at} AS text) AS {word})" if word and connection.dialect.name == "postgresql" else f":v{at}"


def value(column: Any, number: int) -> Any:
    """Something that fits. What refers to something else refers to the row of the same number."""
    kind = str(column.type).upper()
    if "JSON" in kind:
        return json.dumps({"number": f"0912000000{number}", "data": [number]})
    if "BOOL" in kind:
        return number % 2 == 0
    if any(word in kind for word in ("DATE", "TIME")):
        return f"2026-11-{20 + number} 10:00:00.{number}00000" + "+00:00" * ("ZONE" in kind or "TIMESTAMP" in kind)
    if any(word in kind for word in ("INT", "FLOAT", "DOUBLE", "REAL", "NUMERIC")):
        return 100 + number
    kinds = ("CallQueued", "CallTransferred", "CallHeld")
    return kinds[number][: column.type.length or 40] if column.name == "kind" else f"x-{number}"


def read(connection: Connection) -> Rows:
    return {
        table.name: [dict(row) for row in connection.execute(select(table).order_by(*table.primary_key)).mappings()]
        for table in tables(connection)
    }


def changes(before: Rows, after: Rows) -> list[str]:
    """Rows of tables that both have, by the columns that both have."""
    found = []
    for name in before.keys() & after.keys():
        both = before[name][0].keys() & after[name][0].keys() if before[name] and after[name] else set()
        was, now = [[{key: row[key] for key in both} for row in side[name]] for side in (before, after)]
        if was != now or len(before[name]) != len(after[name]):
            found.append(f"{name}: {was} became {now}")
    return found


async def test_rows_outlive_every_step_up_and_down(step: Any) -> None:
    steps = revisions()
    await step(moved(steps[0], up=True))
    await step(fill)
    for revision in steps[1:]:
        before = await step(read)
        await step(moved(revision, up=True))
        assert changes(before, await step(read)) == [], f"up to {revision}"
        await step(fill)
    for revision in [*steps[-2::-1]]:
        before = await step(read)
        await step(moved(revision, up=False))
        assert changes(before, await step(read)) == [], f"down to {revision}"
    before = await step(read)
    await step(moved("head", up=True))
    assert changes(before, await step(read)) == []
    await step(moved("base", up=False))
    assert await step(lambda connection: set(inspect(connection).get_table_names())) <= OF_MIGRATIONS


async def test_calls_and_events_of_before_are_found_by_what_is_new(database_url: str, step: Any) -> None:
    """0014 fills what it makes: earlier parties of calls that were passed on, and the numbers of events."""
    await step(moved("0013", up=True))
    moment = "2026-11-20 10:00:00.000000"

    def old(connection: Connection) -> None:
        for statement in (
            "INSERT INTO calls (id, leg, pbx, queue_id, number, priority, entered_at, waited_s, hold_s, agent_id)"
            f" VALUES ('pbx1-1.1', 'l', 'pbx1', 'support', '0912', 0, '{moment}', 1, 0, '102')",
            "INSERT INTO talks (call_id, agent_id, ended_at, queue_id, began_at, talk_s, hold_s, fault)"
            f" VALUES ('pbx1-1.1', '101', '{moment}', 'sales', '{moment}', 1, 0, false)",
            "INSERT INTO talks (call_id, agent_id, ended_at, queue_id, began_at, talk_s, hold_s, fault)"
            f" VALUES ('pbx1-1.1', '102', '{moment}', 'support', '{moment}', 1, 0, false)",
            *(
                "INSERT INTO visits (call_id, queue_id, entered_at, decided_at, outcome, waited_s, short)"
                f" VALUES ('pbx1-1.1', '{queue}', '{moment}', '{moment}', 'answered', 1, false)"
                for queue in ("sales", "support")
            ),
            *(
                f"INSERT INTO events (run, seq, at, kind, data) VALUES (1, {seq}, '{moment}', '{kind}', '{json.dumps(data)}')"
                for seq, (kind, data) in enumerate((
                    ("CallQueued", {"number": "0912", "name": None}),
                    ("PlaceKept", {"caller": "98912"}),
                    ("CallTransferred", {"target": "number", "to": "0935"}),
                    ("CallTransferred", {"target": "queue", "to": "support"}),
                    ("CallEnded", {"number": "none of ours"}),
                ))
            ),
        ):  # fmt: skip
            connection.exec_driver_sql(statement)

    await step(old)
    database = Database(database_url)
    assert await migrate(database)
    assert HEAD >= "0014"
    async with database.read() as connection:
        parties = await connection.execute(text("SELECT role, party_id, call_id FROM earlier_parties ORDER BY role"))
        assert [tuple(row) for row in parties] == [("agent", "101", "pbx1-1.1"), ("queue", "sales", "pbx1-1.1")]
        numbers = (await connection.execute(text("SELECT number FROM events ORDER BY seq"))).scalars()
        assert list(numbers) == ["0912", "98912", "0935", None, None]
    await database.close()
