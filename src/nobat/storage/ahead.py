"""What a migration can do ahead, while the service of the older program goes on: indexes, empty columns, what fills them.

A migration lists such steps as ``AHEAD`` and begins its ``upgrade`` with ``finish``, which does what nobody has done ahead: the
schema is the same either way, and only the time in which no call is routed differs. The older program never notices: it names its
columns, and the version stays as it is until the new service starts. Steps can be repeated, and go on where they were broken off.

``nobat migrate --ahead`` calls ``ahead``, migrations call ``finish``, ``nobat.storage.migrate`` calls ``forget`` after them.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any, Protocol

import sqlalchemy as sa
from alembic import op
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from nobat.storage.database import Database
from nobat.storage.errors import StorageUnavailable
from nobat.storage.schema_base import UtcDateTime

ROWS = 5_000
"""Rows looked at in one transaction, so that the service that runs waits for none of them for long."""
REST_S = 1.0
LATE = timedelta(days=1)
"""So much later than it happened a row may be written: what waited in a journal while the database was away."""
FIRST, LAST = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
MARKS = "migration_ahead"
_LOCK_WAIT = "SET LOCAL lock_timeout = '2s'"

Tell = Callable[[str], None]


class Step(Protocol):
    """One thing of a migration that can be done ahead."""

    @property
    def title(self) -> str: ...

    def possible(self, connection: Connection) -> bool:
        """Whether what it builds upon is there: an earlier migration may have to make it first."""

    async def ahead(self, database: Database) -> None: ...

    def finish(self, connection: Connection) -> None: ...


@dataclass(frozen=True, slots=True)
class Index:
    """An index over a table that is large. PostgreSQL builds it beside all that goes on; on SQLite writers wait for it."""

    name: str
    table: str
    columns: tuple[str, ...]
    where: str | None = None

    @property
    def title(self) -> str:
        return f"index {self.name}"

    def possible(self, connection: Connection) -> bool:
        return all(_has_column(connection, self.table, column) for column in self.columns)

    async def ahead(self, database: Database) -> None:
        if database.is_sqlite:
            async with database.write() as connection:
                await connection.run_sync(_with_operations(self.finish))
            return
        async with database.engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            await connection.run_sync(_with_operations(self._beside))

    def _beside(self, connection: Connection) -> None:
        if _half_made(connection, self.name):
            connection.execute(text(f"DROP INDEX CONCURRENTLY {self.name}"))
        self._create(concurrently=True)

    def finish(self, connection: Connection) -> None:
        if _half_made(connection, self.name):
            op.drop_index(self.name, self.table)
        self._create(concurrently=False)

    def _create(self, *, concurrently: bool) -> None:
        where = sa.text(self.where) if self.where is not None else None
        op.create_index(
            self.name, self.table, list(self.columns), if_not_exists=True,
            postgresql_where=where, sqlite_where=where, postgresql_concurrently=concurrently,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class EmptyColumn:
    """A column that may be empty, which is quickly made. Behind a long report it is given up and tried again."""

    table: str
    name: str
    kind: Any

    @property
    def title(self) -> str:
        return f"column {self.table}.{self.name}"

    def possible(self, connection: Connection) -> bool:
        return inspect(connection).has_table(self.table)

    async def ahead(self, database: Database) -> None:
        await _in_one_go(database, self.finish)

    def finish(self, connection: Connection) -> None:
        if not _has_column(connection, self.table, self.name):
            op.add_column(self.table, sa.Column(self.name, self.kind))


@dataclass(frozen=True, slots=True)
class EmptyTable:
    """A table of which the older program knows nothing. ``make`` makes it, with its indexes."""

    name: str
    make: Callable[[], None]

    @property
    def title(self) -> str:
        return f"table {self.name}"

    def possible(self, connection: Connection) -> bool:  # noqa: ARG002 - it builds upon nothing
        return True

    async def ahead(self, database: Database) -> None:
        await _in_one_go(database, self.finish)

    def finish(self, connection: Connection) -> None:
        if not inspect(connection).has_table(self.name):
            self.make()


@dataclass(frozen=True, slots=True)
class Fill:
    """Rows that are worked over in the order of a time by which they are indexed: after ``:after``, up to ``:upto``.

    The statement does no harm when it meets a row again. It is given a day more than was done: a row may come late.
    """

    name: str
    table: str
    at: str
    statement: Callable[[str], str]  # of the dialect's name

    @property
    def title(self) -> str:
        return self.name

    def possible(self, connection: Connection) -> bool:
        return inspect(connection).has_table(self.table)

    async def ahead(self, database: Database) -> None:
        await _in_one_go(database, _make_marks)
        more = True
        while more:
            began = perf_counter()
            async with database.write() as connection:
                more = await connection.run_sync(self._some)
            await asyncio.sleep(min(perf_counter() - began, REST_S))  # as long as it worked

    def _some(self, connection: Connection) -> bool:
        """A window of rows; whether there may be more."""
        after = self._done_until(connection)
        rows = f"SELECT {self.at} AS at FROM {self.table} WHERE {self.at} > :after ORDER BY {self.at}"  # noqa: S608
        upto = _moment(connection, f"{rows} LIMIT 1 OFFSET {ROWS - 1}", after)
        last = upto or _moment(connection, f"SELECT max(at) AS at FROM ({rows}) AS left_over", after)  # noqa: S608
        if last is not None:
            self._work(connection, after, last)
            connection.execute(text(f"DELETE FROM {MARKS} WHERE step = :step"), {"step": self.name})  # noqa: S608
            mark = text(f"INSERT INTO {MARKS} (step, upto) VALUES (:step, :upto)")  # noqa: S608
            connection.execute(
                mark.bindparams(sa.bindparam("upto", type_=UtcDateTime)), {"step": self.name, "upto": last}
            )
        return upto is not None

    def finish(self, connection: Connection) -> None:
        done = self._done_until(connection) if inspect(connection).has_table(MARKS) else FIRST
        self._work(connection, max(done - LATE, FIRST) if done > FIRST else FIRST, LAST)

    def _done_until(self, connection: Connection) -> datetime:
        mark = f"SELECT upto AS at FROM {MARKS} WHERE step = '{self.name}' AND upto > :after"  # noqa: S608
        return _moment(connection, mark, FIRST) or FIRST

    def _work(self, connection: Connection, after: datetime, upto: datetime) -> None:
        bounds = (sa.bindparam("after", type_=UtcDateTime), sa.bindparam("upto", type_=UtcDateTime))
        statement = text(self.statement(connection.dialect.name)).bindparams(*bounds)
        connection.execute(statement, {"after": after, "upto": upto})


async def ahead(database: Database, steps: Sequence[Step], still: Callable[[], Awaitable[bool]], tell: Tell) -> None:
    """Do ``steps`` while a service runs; ``still``: whether they are still wanted. Returns when all that is possible is done."""
    for step in steps:
        async with database.read() as connection:
            possible = await connection.run_sync(step.possible)
        if not possible:
            tell(f"{step.title}: at the start of the new service")
            continue
        began = perf_counter()
        try:
            if await still():
                await step.ahead(database)
        except StorageUnavailable:
            if await still():
                raise
        if not await still():
            async with database.write() as connection:
                await connection.run_sync(forget)
            tell("the new service runs: it has done the rest")
            return
        tell(f"{step.title}: {perf_counter() - began:.1f} s")


def finish(steps: Sequence[Step]) -> None:
    """What is left of ``steps``. Called by a migration, within its transaction."""
    for step in steps:
        step.finish(op.get_bind())


def forget(connection: Connection) -> None:
    """All is done: the marks of what was done ahead go."""
    connection.execute(text(f"DROP TABLE IF EXISTS {MARKS}"))


# ---------------------------------------------------------------- how


def _with_operations(work: Callable[[Connection], None]) -> Callable[[Connection], None]:
    def run(connection: Connection) -> None:
        with Operations.context(MigrationContext.configure(connection)):
            work(connection)

    return run


async def _in_one_go(database: Database, work: Callable[[Connection], None]) -> None:
    async with database.write() as connection:
        if not database.is_sqlite:
            await connection.execute(text(_LOCK_WAIT))
        await connection.run_sync(_with_operations(work))


def _make_marks(_connection: Connection) -> None:
    op.create_table(
        MARKS, sa.Column("step", sa.String(80), primary_key=True), sa.Column("upto", UtcDateTime), if_not_exists=True
    )


def _moment(connection: Connection, statement: str, after: datetime) -> datetime | None:
    """The time that a statement finds, if it finds one."""
    asked = text(statement).bindparams(sa.bindparam("after", type_=UtcDateTime)).columns(at=UtcDateTime)
    found: datetime | None = connection.execute(asked, {"after": after}).scalar()
    return found


def _has_column(connection: Connection, table: str, name: str) -> bool:
    looked = inspect(connection)
    return looked.has_table(table) and any(column["name"] == name for column in looked.get_columns(table))


def _half_made(connection: Connection, index: str) -> bool:
    """What is left of an index of PostgreSQL whose making was broken off."""
    if connection.dialect.name == "sqlite":
        return False
    broken = (
        "SELECT 1 FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid WHERE relname = :name AND NOT indisvalid"
    )
    return connection.execute(text(broken), {"name": index}).first() is not None
