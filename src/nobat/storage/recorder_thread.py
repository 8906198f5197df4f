"""The recorder in a thread of its own, so that no transaction ever holds up a call.

Writing rows is Python work (statements are compiled, rows are bound) and takes milliseconds that the event loop of the calls
does not have. Here the recorder gets a loop, a thread and a database connection of its own; what it is told crosses over as
frozen values. It has the recorder's surface, and nobody who uses it needs to know.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from acd.events import Event
from acd.views import CallView
from nobat.storage.audit import AuditEntry
from nobat.storage.recorder import Recorder

T = TypeVar("T")
JOIN_S = 2.0
CROSSING_S = 0.1
"""How long rows are gathered before they cross over: waking a thread costs more than a row."""


class RecorderThread:
    """``make`` builds the recorder with a database that is nobody else's."""

    def __init__(self, make: Callable[[], Recorder]) -> None:
        self._recorder = make()
        self._loop = asyncio.new_event_loop()
        self._thread: threading.Thread | None = None
        self._work: asyncio.Task[None] | None = None
        self._sent = self._arrived = 0
        self.noted = 0
        """Rows that were handed over since the start, in order: so many less ``pending`` are in the database, the first ones."""
        self._gathered: tuple[list[Event], list[CallView]] = ([], [])

    @property
    def pending(self) -> int:
        """Rows not yet in the database."""
        on_the_way = self._sent - self._arrived  # each is written by one thread only
        return len(self._gathered[0]) + len(self._gathered[1]) + on_the_way + self._recorder.pending

    @property
    def away(self) -> str | None:
        """Why history cannot be written now; None while all is well."""
        return self._recorder.away

    @property
    def journal_fails(self) -> str | None:
        """Why the local journal cannot be written; None while all is well."""
        return self._recorder.journal_fails

    @property
    def lost(self) -> int:
        """Rows that were given up."""
        return self._recorder.lost

    def note(self, events: Sequence[Event], ended: Sequence[CallView] = ()) -> None:
        """Remember what happened; never waits. What comes before ``run`` is kept for it."""
        if not self._gathered[0]:
            asyncio.get_running_loop().call_later(CROSSING_S, self._cross)
        self._gathered[0].extend(events)
        self._gathered[1].extend(ended)
        self.noted += len(events) + len(ended)

    def _cross(self) -> None:
        """Hand over what was gathered."""
        (events, ended), self._gathered = self._gathered, ([], [])
        if events:
            self._sent += len(events) + len(ended)
            self._loop.call_soon_threadsafe(self._arrive, events, ended)

    def _arrive(self, events: list[Event], ended: list[CallView]) -> None:
        """Runs in the thread."""
        self._recorder.note(events, ended)
        self._arrived += len(events) + len(ended)

    async def commit(self, events: Sequence[Event | AuditEntry]) -> None:
        """Return when ``events`` are on disk. Raises ``StorageUnavailable``."""
        await self._there(self._recorder.commit(tuple(events)))

    async def run(self) -> None:
        """Write until cancelled, then end the thread."""
        self._thread = threading.Thread(target=self._loop.run_forever, name="history", daemon=True)
        self._thread.start()
        work = asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._write(), self._loop))
        try:
            # Only _shut may cancel the work: a second cancel would tear a transaction out of its own clean-up.
            await asyncio.wait({work})
            work.result()
        finally:
            asyncio.run_coroutine_threadsafe(self._shut(), self._loop)
            self._thread.join(JOIN_S)

    async def close(self, deadline_s: float) -> None:
        """Write what is left, for so long."""
        self._cross()
        await self._there(self._recorder.close(deadline_s))

    def release(self) -> None:
        """Give the loop's files back. After ``run`` has ended."""
        if not self._loop.is_running():
            self._loop.close()

    async def _there(self, work: Coroutine[Any, Any, T]) -> T:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    async def _write(self) -> None:
        """Runs in the thread."""
        self._work = asyncio.current_task()
        await self._recorder.run()

    async def _shut(self) -> None:
        """Runs in the thread: end its work, its connections, itself."""
        if self._work is not None:
            self._work.cancel()
            await asyncio.wait({self._work})
        with contextlib.suppress(Exception):
            await self._recorder.database.close()
        self._loop.stop()
