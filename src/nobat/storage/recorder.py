"""Writes down what happened: history in batches behind the calls, promises before what depends on them.

``note`` takes events and ended calls, never waits and never fails: they are in the backlog (``nobat.storage.backlog``), on this
machine's own disk, until a task has written them in batches, in order; while the database is away they stay there. ``commit``
returns when its events are on disk in the database, or raises ``StorageUnavailable`` after a deadline; what several callers want
committed at the same moment shares one transaction. Every row has a key made here, so a batch whose fate is unknown is simply
written again and adds nothing twice.

The engine calls both; the composition root starts ``run`` and ends with ``close``.
"""

import asyncio
import contextlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import get_args

import structlog

from acd.callback_events import CallbackEvent
from acd.events import AgentStatusChosen, BreakRequested, BreakRequestSettled, Event, QueueClosed, QueueOpened
from acd.recording_events import RecordingChanged
from acd.supervision_events import HelpAsked, SupervisionBegun, SupervisionMoved
from acd.views import CallView
from ami import failpoints
from nobat.storage import statements
from nobat.storage.audit import AuditEntry
from nobat.storage.backlog import Backlog
from nobat.storage.database import Database
from nobat.storage.errors import StorageConflict, StorageUnavailable
from nobat.storage.journal import Journal
from nobat.storage.statements import Note

log = structlog.get_logger(__name__)

DURABLE = frozenset(
    (
        *(AgentStatusChosen, BreakRequested, BreakRequestSettled, QueueClosed, QueueOpened, RecordingChanged),
        *(SupervisionBegun, SupervisionMoved, HelpAsked),
        *get_args(CallbackEvent),
    )
)
"""Kinds of events that ``commit`` writes and ``note`` leaves to it."""

_FIRST_RETRY_S = 0.1
_LAST_RETRY_S = 5.0
_BATCH_DEADLINE_S = 15.0


@dataclass(slots=True)
class _Promise:
    notes: list[Note]
    kept: "asyncio.Future[None]"


@dataclass(slots=True)
class Recorder:
    """``run_id`` tells one run of the service from another: milliseconds at its start will do."""

    database: Database
    run_id: int
    batch_rows: int = 200
    batch_wait_s: float = 0.2
    memory_rows: int = 50_000
    commit_deadline_s: float = 2.0
    away: str | None = None
    """Why history cannot be written now, in words; None while all is well."""
    journal: Journal | None = None
    refused: int = 0
    """Rows that no database would ever take."""
    _sequence: "itertools.count[int]" = field(default_factory=itertools.count)
    _backlog: Backlog = field(init=False)
    _promises: list[_Promise] = field(default_factory=list)
    _noted: asyncio.Event = field(default_factory=asyncio.Event)
    _promised: asyncio.Event = field(default_factory=asyncio.Event)
    _hurry: asyncio.Event = field(default_factory=asyncio.Event)
    _written: asyncio.Event = field(default_factory=asyncio.Event)
    _closing: bool = False

    def __post_init__(self) -> None:
        self._backlog = Backlog(self.journal, self.memory_rows)

    @property
    def pending(self) -> int:
        """Rows not yet in the database."""
        return len(self._backlog)

    @property
    def lost(self) -> int:
        """Rows that were given up: no database took them, or neither disk nor memory had room."""
        return self.refused + self._backlog.lost

    @property
    def journal_fails(self) -> str | None:
        """Why the local journal cannot be written, in words; None while all is well."""
        return self._backlog.journal_fails

    def note(self, events: Sequence[Event], ended: Sequence[CallView] = ()) -> None:
        """Remember what happened; it is written soon. Kinds that are promises are left to ``commit``."""
        whats = (*(event for event in events if type(event) not in DURABLE), *ended)
        self._backlog.add([Note(self.run_id, next(self._sequence), what) for what in whats])
        if self._backlog:
            self._noted.set()

    async def commit(self, events: Sequence[Event | AuditEntry]) -> None:
        """Return when ``events`` are on disk. Raises ``StorageUnavailable`` when that takes too long."""
        notes = [Note(self.run_id, next(self._sequence), event) for event in events]
        promise = _Promise(notes, asyncio.get_running_loop().create_future())
        self._promises.append(promise)
        self._promised.set()
        try:
            async with asyncio.timeout(self.commit_deadline_s):
                await promise.kept
        except (StorageUnavailable, TimeoutError) as error:
            self._keep_for_later(notes)
            why = str(error) or f"not on disk within {self.commit_deadline_s:g} s"
            raise StorageUnavailable(why) from None
        finally:
            if promise in self._promises:
                self._promises.remove(promise)

    def _keep_for_later(self, notes: list[Note]) -> None:
        """A broken promise is still written when the database is back, under the same keys; an action never taken is not."""
        self._backlog.add([note for note in notes if not isinstance(note.what, AuditEntry)])
        self._noted.set()

    async def run(self) -> None:
        """Write until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._write_history(), name="history")
            tasks.create_task(self._write_promises(), name="promises")

    async def close(self, deadline_s: float) -> None:
        """Write what is left without waiting for more, for so long; what is still left is told to the operator."""
        self._closing = True
        self._noted.set()
        self._hurry.set()
        try:
            async with asyncio.timeout(deadline_s):
                while self.pending:
                    self._written.clear()
                    await self._written.wait()
        except TimeoutError:
            where = "it is in the journal for the next start" if self.journal is not None else "it is incomplete"
            log.error(f"the database did not take all history before the stop; {where}", rows=self.pending)  # noqa: TRY400
        finally:
            self._backlog.close()

    async def _write_history(self) -> None:
        retry_s = _FIRST_RETRY_S
        while True:
            await self._noted.wait()
            if len(self._backlog) < self.batch_rows:
                await self._pause(self.batch_wait_s)
            self._backlog.sync()
            try:
                await self._write_batch()
                retry_s = _FIRST_RETRY_S
            except StorageUnavailable as error:
                self._say_away(str(error))
                await self._pause(retry_s)
                retry_s = _FIRST_RETRY_S if self._closing else min(retry_s * 2, _LAST_RETRY_S)
            self._written.set()

    async def _pause(self, seconds: float) -> None:
        """Wait, but not when the service is about to leave."""
        if self._closing:
            return await asyncio.sleep(_FIRST_RETRY_S if self.away else 0)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._hurry.wait()
        return None

    async def _write_batch(self) -> None:
        """Write the oldest rows and forget them; on failure they stay where they are."""
        batch = self._backlog.first(self.batch_rows)
        try:
            self.refused += await write_notes(self.database, batch)
        except TimeoutError:
            raise StorageUnavailable(f"no answer within {_BATCH_DEADLINE_S:g} s") from None
        if failpoints.passed is not None:
            failpoints.passed("recorder.written", [note.what for note in batch])
        self._backlog.done(len(batch))
        if not self._backlog:
            self._noted.clear()
        self._say_back()

    async def _write_promises(self) -> None:
        while True:
            await self._promised.wait()
            self._promised.clear()
            promises, self._promises = self._promises, []
            if not promises:
                continue
            try:
                async with asyncio.timeout(self.commit_deadline_s), self.database.write() as connection:
                    notes = [note for promise in promises for note in promise.notes]
                    await statements.write(connection, self.database.insert, notes)
            except (StorageUnavailable, StorageConflict, TimeoutError) as error:
                _settle(promises, str(error) or "no answer in time")
            else:
                if failpoints.passed is not None:
                    failpoints.passed("recorder.promised", [note.what for note in notes])
                _settle(promises, None)

    def _say_away(self, why: str) -> None:
        if self.away is None:
            log.error("the database is away: calls go on, history waits on this machine", why=why, rows=self.pending)
        self.away = why

    def _say_back(self) -> None:
        if self.away is not None:
            log.info("the database is back", rows=self.pending)
        self.away = None


def _settle(promises: list[_Promise], failure: str | None) -> None:
    for promise in promises:
        if promise.kept.done():
            continue
        if failure is None:
            promise.kept.set_result(None)
        else:
            promise.kept.set_exception(StorageUnavailable(failure))


async def write_notes(database: Database, batch: list[Note]) -> int:
    """One transaction; if a row in it can never be stored, find that row and leave it out. Returns how many were left out."""
    if not batch:
        return 0
    try:
        async with asyncio.timeout(_BATCH_DEADLINE_S), database.write() as connection:
            await statements.write(connection, database.insert, batch)
    except StorageConflict as error:
        refused = str(error)
    else:
        return 0
    if len(batch) == 1:
        log.error("a row of history cannot be stored and is given up", kind=batch[0].kind, why=refused)
        return 1
    middle = len(batch) // 2
    return await write_notes(database, batch[:middle]) + await write_notes(database, batch[middle:])


async def write_leftovers(database: Database, journal: Journal, batch_rows: int) -> int:
    """Write what earlier runs left in the journal, before anything is read from the database; how many rows that was."""
    count = 0
    for notes in journal.left():
        for start in range(0, len(notes), batch_rows):
            await write_notes(database, notes[start : start + batch_rows])
        count += len(notes)
    return count
