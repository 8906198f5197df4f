"""Both databases for benchmarks: an SQLite file and a PostgreSQL server of our own, durable as in use, and a way to fill either.

PostgreSQL runs with its own defaults. Rows go in by COPY, and by ``executemany`` into SQLite; indexes are made afterwards
and tables analysed, as autovacuum does.
"""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import JSON, Table
from sqlalchemy.schema import CreateIndex, DropIndex

from nobat.storage.database import Database
from nobat.storage.migrate import migrate
from nobat.storage.schema_base import UtcDateTime
from tests.support.postgres import PostgresServer, start_postgres

Columns = tuple[Table, tuple[str, ...]]
Rows = Sequence[Sequence[Any]]


@asynccontextmanager
async def both(folder: Path) -> AsyncIterator[dict[str, str]]:
    """Addresses of empty databases by their names, brought up to date."""
    server = await asyncio.to_thread(start_postgres, durable=True)
    try:
        urls = {"SQLite": f"sqlite:///{folder / 'benchmark.db'}", "PostgreSQL": server.create_database()}
        for url in urls.values():
            database = Database(url)
            await migrate(database)
            await database.close()
        yield urls
    finally:
        await asyncio.to_thread(server.stop)


async def fill(urls: Iterable[str], tables: Sequence[Columns], parts: Iterable[Sequence[Rows]]) -> None:
    """Add rows to all of these databases; a part has rows for each table: times as seconds since the epoch, JSON as values."""
    databases = {url: Database(url, statement_s=None) for url in urls}
    indexes = [index for table, _ in tables for index in sorted(table.indexes, key=lambda one: one.name or "")]
    for database in databases.values():
        async with database.write() as connection:
            for index in indexes:
                await connection.execute(DropIndex(index))
    for part in parts:
        for url, database in databases.items():
            await (_into_sqlite if database.is_sqlite else _into_postgres)(url, tables, part)
    for database in databases.values():
        async with database.write() as connection:
            for index in indexes:
                await connection.execute(CreateIndex(index))
            for table, _ in () if database.is_sqlite else tables:  # as autovacuum does after so many rows
                await connection.exec_driver_sql(f"ANALYZE {table.name}")
        await database.close()


async def _into_sqlite(url: str, tables: Sequence[Columns], part: Sequence[Rows]) -> None:
    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    connection.execute("PRAGMA synchronous=OFF")
    with connection:
        for (table, names), rows in zip(tables, part, strict=True):
            forms = [_form(table, name, _text) for name in names]
            insert = f"INSERT INTO {table.name} ({','.join(names)}) VALUES ({','.join('?' * len(names))})"
            connection.executemany(insert, [_formed(forms, row) for row in rows])
    connection.close()


async def _into_postgres(url: str, tables: Sequence[Columns], part: Sequence[Rows]) -> None:
    connection = await asyncpg.connect(url)
    for (table, names), rows in zip(tables, part, strict=True):
        forms = [_form(table, name, _moment) for name in names]
        records = [_formed(forms, row) for row in rows]
        await connection.copy_records_to_table(table.name, records=records, columns=list(names))
    await connection.close()


def _formed(forms: Sequence[Any], row: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(
        form(value) if form is not None and value is not None else value for form, value in zip(forms, row, strict=True)
    )


def _form(table: Table, name: str, moment: Any) -> Any:
    kind = table.c[name].type
    return moment if isinstance(kind, UtcDateTime) else json.dumps if isinstance(kind, JSON) else None


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def _text(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


async def on_each(measured: Callable[[str, PostgresServer | None], Awaitable[bool]]) -> bool:
    """Measure on SQLite, then on a PostgreSQL server that writes to the disk; whether both reached their goals."""
    server = await asyncio.to_thread(start_postgres, durable=True)
    try:
        results = [await measured("SQLite", None), await measured("PostgreSQL", server)]
    finally:
        await asyncio.to_thread(server.stop)
    return all(results)
