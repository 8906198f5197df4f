"""Takes markers of attempts out of Asterisk's own database when nobody will ever ask for them again.

A marker keeps an attempt from being dialled twice, so it may only go when its callback is over *in the database*: a service that
starts from there does not ask for it. Asterisk is asked first what there is, the database afterwards what is over; an attempt is
never there before its callback is. What ended lately stays for a while, for a channel of it may still be on its way.

Run by ``nobat.app``; ``ami.markers`` speaks to Asterisk.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

import structlog

from acd.ids import PbxId
from callback.sessions import callback_of_attempt
from nobat.ports import PbxLink
from nobat.storage import callbacks
from nobat.storage.database import Database
from nobat.storage.errors import StorageUnavailable

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class MarkerSweeper:
    """``every_s``: how often, and how long a callback must be over."""

    pbxs: Mapping[PbxId, PbxLink]
    database: Database
    now: Callable[[], float]
    every_s: float

    async def follow(self) -> None:
        """Runs until cancelled."""
        while True:
            await asyncio.sleep(self.every_s)
            with suppress(StorageUnavailable):
                await self.sweep()

    async def sweep(self) -> int:
        """How many markers Asterisk was asked to forget. Raises ``StorageUnavailable``."""
        count = 0
        for name, link in self.pbxs.items():
            if not link.health.ready:
                continue
            there = await link.markers()
            wanted = {callback_of_attempt(attempt) for attempt in there}
            needed = await callbacks.still_needed(self.database, wanted, self.now() - self.every_s)
            over = [attempt for attempt in there if callback_of_attempt(attempt) not in needed]
            if over and await link.forget_markers(over):
                log.info("markers of attempts that are over were taken out", pbx=name, count=len(over))
                count += len(over)
        return count
