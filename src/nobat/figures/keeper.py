"""Keeps the figures of 15 minutes in line with history while the service runs.

The last two hours are worked out again every minute, the last day and a bit every hour and at the start: what came late, a
wrap-up of an hour or a journal that was replayed, is in the figures then. All of it happens in a thread with a database connection
of its own, so that no call waits for it.

Figures say until when they hold: a moment at which everything that had happened was in the database. Nothing decided later is in
them, and reports take that from the floor (``seen``), so every caller is in a report from the moment of entry, and once. While
history waits for its database that moment stands still, and all that came since is worked out afterwards, however long ago it was.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

import structlog

from nobat.figures.stays import start_of
from nobat.storage import figures
from nobat.storage.database import Database
from nobat.storage.errors import StorageUnavailable
from nobat.storage.figures import WorkedOut

log = structlog.get_logger(__name__)

EVERY_S = 60.0
RECENT_S = 2 * 3600.0
SETTLED_S = 26 * 3600.0
"""After so long nothing is corrected any more: the longest shift, the longest call."""
SETTLE_EVERY_S = 3600.0
NOTED_S = 5.0
"""So long after it was decided a visit has been handed to the recorder, whatever promise had to be on disk first."""
LOOK_S, LOOKS = 0.05, 100
"""How long history may take to be written before the last moment at which it was is good enough."""

Answer = TypeVar("Answer")


class History(Protocol):
    """The recorder: rows that it was given, and of these those that are not in the database yet, the last ones."""

    noted: int

    @property
    def pending(self) -> int: ...


class FiguresKeeper:
    """``database`` is the keeper's own: what was learned of its statements is kept, its connections are closed each time."""

    def __init__(self, database: Database, now: Callable[[], float], history: History) -> None:
        self._database = database
        self._now = now
        self._history = history
        self._one_at_a_time = asyncio.Lock()
        self._settled_at: float | None = None
        self._still = asyncio.Event()
        self._still.set()
        self._changes = 0
        self.worked_out_at: float | None = None
        """Visits decided until then are in the figures, and no others; None before the first time."""

    async def follow(self) -> None:
        """Runs until cancelled."""
        while True:
            await self.catch_up()
            await asyncio.sleep(EVERY_S)

    async def catch_up(self) -> None:
        """Work out what may have changed. A database that is away is tried again next time."""
        async with self._one_at_a_time:
            await self._catch_up()

    async def seen(self, read: Callable[[float | None], Awaitable[Answer]]) -> Answer:
        """What ``read`` makes of the figures and of the floor; it is told until when the figures hold, and nothing changes
        them meanwhile: or else it reads once more.
        """
        while True:
            await self._still.wait()
            changes = self._changes
            answer = await read(self.worked_out_at)
            if self._still.is_set() and changes == self._changes:
                return answer

    async def _catch_up(self) -> None:
        now = self._now()
        settle = self._settled_at is None or now - self._settled_at >= SETTLE_EVERY_S
        until = now - NOTED_S if await self._all_is_written() else self.worked_out_at
        if until is None:
            return
        begin = min(now, self.worked_out_at if self.worked_out_at is not None else now) - RECENT_S
        try:
            what = await self._in_thread(lambda database: self._work_out(database, begin, until, now, settle=settle))
            self._still.clear()
            await self._in_thread(lambda database: figures.replace(database, what))
            self.worked_out_at = until
        except StorageUnavailable as error:
            log.warning("figures wait for the database", why=str(error))
            return
        finally:
            self._changes += 1
            self._still.set()
        if settle:
            self._settled_at = now

    async def _all_is_written(self) -> bool:
        """Whether what has happened until now is in the database within some seconds; what happens meanwhile need not be."""
        until_now = self._history.noted
        for _ in range(LOOKS):
            if self._history.noted - self._history.pending >= until_now:
                return True
            await asyncio.sleep(LOOK_S)
        return False

    async def _in_thread(self, work: Callable[[Database], Awaitable[Answer]]) -> Answer:
        async def there() -> Answer:
            try:
                return await work(self._database)
            finally:
                await self._database.close()  # connections belong to a loop, and this one ends

        return await asyncio.to_thread(lambda: asyncio.run(there()))

    async def _work_out(self, database: Database, begin: float, until: float, now: float, *, settle: bool) -> WorkedOut:
        if settle:
            done = await figures.done_until(database)
            first = await figures.first_entry(database) if done is None else done - SETTLED_S
            begin = min(begin, first if first is not None else begin)
        return await figures.worked_out(database, start_of(begin), until, now)
