"""Keeps the figures of 15 minutes in line with history while the service runs.

The last two hours are worked out again every minute, the last day and a bit every hour and at the start: what came late, a
wrap-up of an hour or a journal that was replayed, is in the figures then. All of it happens in a thread with a database connection
of its own, so that no call waits for it.
"""

import asyncio
from collections.abc import Callable

import structlog

from nobat.figures.stays import start_of
from nobat.storage import figures
from nobat.storage.database import Database
from nobat.storage.errors import StorageUnavailable

log = structlog.get_logger(__name__)

EVERY_S = 60.0
RECENT_S = 2 * 3600.0
SETTLED_S = 26 * 3600.0
"""After so long nothing is corrected any more: the longest shift, the longest call."""
SETTLE_EVERY_S = 3600.0


class FiguresKeeper:
    """``database`` is the keeper's own: what was learned of its statements is kept, its connections are closed each time."""

    def __init__(self, database: Database, now: Callable[[], float]) -> None:
        self._database = database
        self._now = now
        self._one_at_a_time = asyncio.Lock()
        self._settled_at: float | None = None
        self.worked_out_at: float | None = None
        """Until when everything written is in the figures; None before the first time."""

    async def follow(self) -> None:
        """Runs until cancelled."""
        while True:
            await self.catch_up()
            await asyncio.sleep(EVERY_S)

    async def catch_up(self) -> None:
        """Work out what may have changed. A database that is away is tried again next time."""
        async with self._one_at_a_time:
            await self._catch_up()

    async def _catch_up(self) -> None:
        now = self._now()
        settle = self._settled_at is None or now - self._settled_at >= SETTLE_EVERY_S
        try:
            await asyncio.to_thread(lambda: asyncio.run(self._work_out(now, settle=settle)))
        except StorageUnavailable as error:
            log.warning("figures wait for the database", why=str(error))
            return
        self.worked_out_at = now
        if settle:
            self._settled_at = now

    async def _work_out(self, now: float, *, settle: bool) -> None:
        """Runs in the thread."""
        database = self._database
        try:
            begin = now - RECENT_S
            if settle:
                done = await figures.until(database)
                first = await figures.first_entry(database) if done is None else done - SETTLED_S
                begin = min(begin, first if first is not None else begin)
            await figures.work_out(database, start_of(begin), now)
        finally:
            await database.close()  # connections belong to a loop, and this one ends
