"""One service for each database: two that route the same calls would ring two agents for one caller.

On SQLite it is a lock on a file beside the database, on PostgreSQL an advisory lock of a session of its own. Both end with the
process, however it ends.
"""

import asyncio
import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from nobat.storage.database import Database, translated
from nobat.storage.errors import StorageUnavailable, WrongDatabase

log = structlog.get_logger(__name__)

_ADVISORY_LOCK = 0x4E6F6261742D31  # "Nobat-1"
CHECK_S = 2.0
"""How often a session of PostgreSQL is asked whether it still lives."""

ANSWER_S = 5.0

PATIENCE_S = 3.0
"""A service that was just asked to leave may still hold the lock of PostgreSQL for a moment."""


class NodeLock:
    """Held from ``take`` to ``release``."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._file: IO[str] | None = None
        self._session: AsyncConnection | None = None

    async def take(self) -> None:
        """Take it unless it is held here already. Raises ``WrongDatabase`` when another service has it."""
        if self._database.file is not None:
            if self._file is None:
                self._database.make_place()
                self._file = take_file_lock(self._database.file)
        elif self._session is None:
            with translated():
                self._session = await _take_session_lock(self._database)

    async def watch(self, taken_over: Callable[[str], None]) -> None:
        """Hold on to it: a PostgreSQL that was restarted has forgotten it, and it is taken again.

        ``taken_over`` is called, once, when another service was faster.
        """
        if self._database.is_sqlite:  # a file is locked for as long as this process lives
            await asyncio.get_running_loop().create_future()
        while True:
            await asyncio.sleep(CHECK_S)
            if await self._is_gone():
                try:
                    await self.take()
                    log.info("the database knows us again as its only service")
                except StorageUnavailable:
                    continue
                except WrongDatabase as error:
                    taken_over(str(error))
                    await asyncio.get_running_loop().create_future()

    async def _is_gone(self) -> bool:
        """Whether the session that held the lock has ended."""
        session = self._session
        if session is not None:
            try:
                with translated():
                    async with asyncio.timeout(ANSWER_S):
                        await session.execute(text("SELECT 1"))
            except (StorageUnavailable, TimeoutError):
                self._session = None
                await session.invalidate()
                await session.close()
        return self._session is None

    async def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        if self._session is not None:
            session, self._session = self._session, None
            await session.invalidate()  # closes the session, and with it goes the lock
            await session.close()


def take_file_lock(database: Path) -> IO[str]:
    """Lock ``<database>.lock`` for the life of the returned file. Raises ``WrongDatabase`` when another service has it."""
    path = database.with_name(database.name + ".lock")
    try:
        handle = path.open("a+", encoding="ascii")
    except OSError as error:
        raise WrongDatabase(
            f"{path}: {error.strerror}: the service must be able to write beside its database"
        ) from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.seek(0)
        holder = handle.read().strip()
        handle.close()
        raise WrongDatabase(f"{database} is in use by another nobat serve (process {holder or 'unknown'})") from None
    handle.truncate(0)
    handle.write(f"{os.getpid()}\n")
    handle.flush()
    return handle


async def _take_session_lock(database: Database) -> AsyncConnection:
    session = await database.engine.connect()
    try:
        await session.execution_options(isolation_level="AUTOCOMMIT")
        taken = await _try_for_a_while(session)
    except BaseException:
        await session.close()
        raise
    if not taken:
        await session.close()
        raise WrongDatabase("the database is in use by another nobat serve")
    return session


async def _try_for_a_while(session: AsyncConnection) -> bool:
    deadline = asyncio.get_running_loop().time() + PATIENCE_S
    attempt = text("SELECT pg_try_advisory_lock(:key)")
    while not (await session.execute(attempt, {"key": _ADVISORY_LOCK})).scalar():
        if asyncio.get_running_loop().time() > deadline:
            return False
        await asyncio.sleep(0.1)
    return True
