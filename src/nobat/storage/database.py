"""Connections and transactions on SQLite or PostgreSQL, and the line between "away" and "refused".

Whatever a driver raises comes out as ``StorageUnavailable`` (try again later) or ``StorageConflict`` (never will). On SQLite
a writer begins with ``BEGIN IMMEDIATE``, so that two writers queue up instead of failing in the middle, and every commit is on
disk when it returns (``synchronous=FULL``).

Of SQLAlchemy's two dialects only that of the database in use is loaded: a start has no time for the other.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Table, event, make_url, text
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from nobat.storage.errors import StorageConflict, StorageUnavailable, WrongDatabase

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

BUSY_S = 5
CONNECT_S = 3
STATEMENT_S = 10
LONG_S = 300
"""For work behind the calls that may have years of history to read: the first figures, an erasure."""
_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
}


def when(seconds: float) -> datetime:
    """The domain's seconds since the epoch as the database's time."""
    return datetime.fromtimestamp(seconds, UTC)


def seconds(moment: datetime) -> float:
    """The database's time as the domain's seconds since the epoch."""
    return moment.timestamp()


class Database:
    """One database. Made by the composition root, closed by it."""

    def __init__(self, url: str, statement_s: float | None = STATEMENT_S) -> None:
        """``statement_s``: how long PostgreSQL may take for one statement; None is for those who can wait, as migrations."""
        parsed = make_url(url)
        parsed = parsed.set(drivername=_DRIVERS.get(parsed.drivername, parsed.drivername))
        self._url = parsed.render_as_string(hide_password=False)
        self.is_sqlite = parsed.drivername.startswith("sqlite")
        self.file = Path(parsed.database) if self.is_sqlite and parsed.database else None
        self.upgrading: str | None = None  # while the schema is changed: what is being done, in words
        # The connection used last is used next: each one of SQLite fills a cache of its own.
        options: dict[str, Any] = {"hide_parameters": True, "pool_timeout": CONNECT_S, "pool_use_lifo": True}
        if not self.is_sqlite:
            options["pool_pre_ping"] = True
            options["connect_args"] = {"timeout": CONNECT_S, "command_timeout": statement_s}
        self.engine: AsyncEngine = create_async_engine(parsed, **options)
        if self.is_sqlite:
            event.listen(self.engine.sync_engine, "connect", _prepare_sqlite)
            event.listen(self.engine.sync_engine, "begin", _begin_sqlite)

    def another(self, statement_s: float | None = STATEMENT_S) -> "Database":
        """The same database with connections of its own, for another thread or for long work. Closed by whoever asked for it."""
        return Database(self._url, statement_s)

    def make_place(self) -> None:
        """Make the place of an SQLite database, for its owner's eyes only. Raises ``WrongDatabase`` when that cannot be."""
        if self.file is None:
            return
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self.file, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            raise WrongDatabase(f"{self.file}: {error.strerror}: the database cannot be kept there") from None

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that only reads."""
        async with self._transaction(write=False) as connection:
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that writes; on disk when the block has ended without an exception."""
        async with self._transaction(write=True) as connection:
            yield connection

    @asynccontextmanager
    async def _transaction(self, *, write: bool) -> AsyncIterator[AsyncConnection]:
        with translated():
            async with self.engine.connect() as connection:
                await connection.execution_options(nobat_write=write)
                async with connection.begin():
                    yield connection

    async def check(self, deadline_s: float) -> str | None:
        """None if the database answers in time, else why not, in words."""
        try:
            async with asyncio.timeout(deadline_s), self.read() as connection:
                await connection.execute(text("SELECT 1"))
        except TimeoutError:
            return f"no answer within {deadline_s:g} s"
        except StorageUnavailable as error:
            return str(error)
        return None

    @property
    def insert(self) -> "Callable[[Table], sqlite.Insert | postgresql.Insert]":
        """Makes an INSERT that can be told what to do on conflict; both databases speak the same words here.

        The driver's own function and nothing of this object: statements are remembered by it, for longer than databases live.
        """
        if self.is_sqlite:
            from sqlalchemy.dialects import sqlite

            return sqlite.insert
        from sqlalchemy.dialects import postgresql

        return postgresql.insert

    async def leave_no_trace(self) -> None:
        """SQLite: empty the write-ahead log, which still has pages as they were; on PostgreSQL vacuum and archive do that."""
        if self.is_sqlite:
            with translated():
                async with self.engine.connect() as connection:
                    driver = await connection.get_raw_connection()
                    await driver.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]

    async def close(self) -> None:
        await self.engine.dispose()


class translated:
    """Turn what drivers raise into the two exceptions of this package."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is None or isinstance(error, StorageUnavailable | StorageConflict):
            return
        if isinstance(error, IntegrityError | DataError) or _never(error):
            raise StorageConflict(type(getattr(error, "orig", error)).__name__) from error
        if isinstance(error, SQLAlchemyError | OSError | TimeoutError) or _from_driver(error):
            raise StorageUnavailable(_reason(error)) from error


def _never(error: BaseException) -> bool:
    """PostgreSQL's classes 22 and 23, of which asyncpg's dialect names only some: a text too long would else be tried for ever."""
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    return isinstance(state, str) and state[:2] in ("22", "23")


def _from_driver(error: BaseException) -> bool:
    """asyncpg's own exceptions pass through SQLAlchemy when a connection is being made."""
    return type(error).__module__.startswith(("asyncpg", "sqlite3", "aiosqlite"))


def _reason(error: BaseException) -> str:
    cause = getattr(error, "orig", None) or error
    return f"{type(cause).__name__}: {str(cause).splitlines()[0][:200]}" if str(cause) else type(cause).__name__


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver must not begin transactions of its own: _begin_sqlite does
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_S * 1000}",
        "secure_delete=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    write = connection.get_execution_options().get("nobat_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
