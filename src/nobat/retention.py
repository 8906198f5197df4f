"""Carries retention out: each hour, behind the calls, what has been kept for long enough is removed.

Rows go in small transactions from a thread with database connections of its own, with a pause as long as each took: history that
is being written, and reports that are being read, never wait for more than one of them. A service that has never done it before
may be busy so for hours; whatever ends it, the next run goes on.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from functools import partial
from time import perf_counter

import structlog

from nobat.retention_settings import RetentionSettings
from nobat.storage import retention, voicemails
from nobat.storage.database import LONG_S, Database
from nobat.storage.errors import StorageUnavailable
from nobat.voicemail import VoicemailKeeper

log = structlog.get_logger(__name__)

FIRST_S, EVERY_S = 120.0, 3600.0
"""After the start, when there is more to do than this; and then."""

ROWS = 200
PAUSE_S = 0.02
DAY_S = 86_400.0


class RetentionKeeper:
    """The thread has connections to ``database`` of its own."""

    def __init__(
        self, settings: RetentionSettings, database: Database, voicemail: VoicemailKeeper, now: Callable[[], float]
    ) -> None:
        self._settings, self._database, self._voicemail, self._now = settings, database, voicemail, now
        self._aside = database.another(LONG_S)
        self._leaving = threading.Event()

    async def follow(self) -> None:
        """Runs until cancelled."""
        self._leaving.clear()
        try:
            await asyncio.sleep(FIRST_S)
            while True:
                await self.sweep()
                await asyncio.sleep(EVERY_S)
        finally:
            self._leaving.set()

    async def sweep(self) -> dict[str, int]:
        """Remove all that is too old now; rows by kind. A database that is away is tried again the next time."""
        now, days = self._now(), self._settings
        kinds = ("calls", "events", "statuses", "figures")
        before = {kind: now - kept * DAY_S for kind in kinds if (kept := getattr(days, f"{kind}_days"))}
        removed: dict[str, int] = {}
        try:
            if before:
                await asyncio.to_thread(lambda: asyncio.run(self._remove(before, removed)))
            if days.voicemails_days:
                removed["voicemails"] = await self._voicemails(now - days.voicemails_days * DAY_S)
        except StorageUnavailable as error:
            log.warning("retention waits for the database", why=str(error))
        if any(removed.values()):
            log.info("history that was kept for long enough is removed", **removed)
        return removed

    async def _remove(self, before: dict[str, float], removed: dict[str, int]) -> None:
        """Runs in the thread."""
        database = self._aside
        try:
            for kind, moment in before.items():
                removed[kind] = 0
                if kind in retention.EVENTS:
                    some = partial(retention.remove_some_events, database, kind, moment, ROWS)
                    removed[kind] = await self._all_of(some)
                for removal in retention.PARTS.get(kind, ()):
                    removed[kind] += await self._all_of(partial(retention.remove_some, database, removal, moment, ROWS))
        finally:
            await database.close()

    async def _all_of(self, some: Callable[[], Awaitable[int]]) -> int:
        total = 0
        while not self._leaving.is_set():
            began = perf_counter()
            gone = await some()
            total += gone
            if gone < ROWS:
                break
            await asyncio.sleep(max(PAUSE_S, perf_counter() - began))
        return total

    async def _voicemails(self, before: float) -> int:
        count = 0
        while due := await voicemails.left_before(self._database, before, ROWS):
            for one in due:
                await self._voicemail.remove(one, "retention")
            count += len(due)
        return count
