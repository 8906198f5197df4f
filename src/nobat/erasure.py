"""Erasure by number: one person is taken out of everything that this service keeps.

In this order, so that nothing comes back: promises to call back are taken back, the floor and the feed forget, what is still on its
way to the database is waited for, and then the directory, messages, recordings and history follow. Every step may be done again;
who is interrupted does it all again. An opt-out stays, for it protects the person, and so does the audit log, which has no more
of a number than its end.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

import structlog

from acd.commands import ForgetCaller
from acd.directory import normal, writings
from acd.errors import NotFound
from acd.ids import CallId
from nobat.callback_desk import CallbackDesk
from nobat.directory import DirectoryKeeper
from nobat.engine import Engine
from nobat.feed import Feed
from nobat.recording.keeper import RecordingKeeper
from nobat.storage import erasure, history, opt_outs, recordings, voicemails
from nobat.storage.database import LONG_S, Database
from nobat.storage.erasure import Blanked, Writings
from nobat.storage.errors import StorageUnavailable
from nobat.storage.recorder_thread import RecorderThread
from nobat.voicemail import VoicemailKeeper

log = structlog.get_logger(__name__)

WRITTEN_S, LOOK_S = 5.0, 0.05
BY = "erasure"


@dataclass(frozen=True, slots=True)
class Erased:
    """Where the person was, and in how many rows. ``opted_out``: the number stays among those that are not called back."""

    calls: int
    events: int
    callbacks: int
    recordings: int
    voicemails: int
    known_caller: bool
    opted_out: bool


@dataclass(frozen=True, slots=True)
class Eraser:
    """All parts that know numbers."""

    engine: Engine
    database: Database
    recorder: RecorderThread
    directory: DirectoryKeeper
    recordings: RecordingKeeper
    voicemail: VoicemailKeeper
    callbacks: CallbackDesk
    feed: Feed

    async def erase(self, number: str, who: str) -> Erased:
        """Raises ``caller_on_the_line``, ``invalid_number``, ``StorageUnavailable``."""
        ways = writings(number, self.directory.numbering)
        e164 = self.callbacks.rules.e164(number)
        await self.callbacks.end_of(e164 or number, BY)
        ended = self._ended(number)
        await self.engine.ask(ForgetCaller(number))
        await self.feed.forget(ways, frozenset(ended))
        await self._written(ended, ways)
        heard = await self._messages(ways, who)
        kept = await recordings.of_numbers(self.database, ways)
        done = await asyncio.to_thread(lambda: asyncio.run(self._blank(ways)))
        erased = Erased(
            calls=done.calls,
            events=done.events,
            callbacks=done.callbacks,
            recordings=await self.recordings.erase(kept, who),
            voicemails=heard,
            known_caller=await self._directory(number),
            opted_out=e164 is not None and await opt_outs.has(self.database, e164),
        )
        await self.database.leave_no_trace()
        log.info("a number was erased", calls=erased.calls, events=erased.events, recordings=erased.recordings)
        return erased

    def _ended(self, number: str) -> list[CallId]:
        """Calls of the person that the floor remembers: those that may not be in the database yet."""
        caller = normal(number, self.directory.numbering)
        return self.engine.read(lambda floor, _: [call.id for call in floor.ended.values() if call.caller == caller])

    async def _written(self, calls: list[CallId], ways: Writings) -> None:
        """Return when history has what it was told of these calls, and of promises that were taken back."""
        with suppress(TimeoutError):
            async with asyncio.timeout(WRITTEN_S):
                while calls and self.recorder.pending:
                    calls = [call for call in calls if await history.call(self.database, call) is None]
                    await asyncio.sleep(LOOK_S if calls else 0)
                while await erasure.has_open_callback(self.database, ways):  # noqa: ASYNC110 - the database has no events
                    await asyncio.sleep(LOOK_S)
                return
        raise StorageUnavailable("what was told of this caller is still on its way to the database")

    async def _messages(self, ways: Writings, who: str) -> int:
        left = await voicemails.of_caller(self.database, ways)
        for one in left:
            await self.voicemail.remove(one, who)
        return len(left)

    async def _directory(self, number: str) -> bool:
        key = normal(number, self.directory.numbering) or number
        known = True
        try:
            await self.directory.remove(number)
        except NotFound:
            known = False
        await erasure.forget_caller(self.database, key)
        return known

    async def _blank(self, ways: Writings) -> Blanked:
        """Runs in a thread of its own."""
        database = self.database.another(LONG_S)
        try:
            return await erasure.blank_history(database, ways)
        finally:
            await database.close()
