"""Accounts for calls that ended while no service was there to see it.

When a PBX's first snapshot has been taken in, every call of earlier runs that nobody saw end and that the floor does not know is
over: its missing events and the call are written down, and its queue's figures get the visit. So entered = answered + abandoned +
… + waiting holds through any crash.

Stands between the engine and the metrics, because it needs to hear that a PBX is ready.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from acd.commands import RestoreVisit
from acd.errors import AcdError
from acd.events import CallEnded, Event, PbxReady, Repaired, VisitDecided
from acd.ids import PbxId
from acd.outcomes import Outcome
from acd.views import CallView
from nobat.engine import Engine, Gauge
from nobat.storage.database import Database
from nobat.storage.errors import StorageUnavailable
from nobat.storage.unfinished import UnfinishedCall, last_boot, unfinished_calls

log = structlog.get_logger(__name__)

RETRY_S = 2.0
TOLD_AT_MOST = 20
"""Repairs of one look that are logged one by one: writing a line takes time, and callers wait for the gate to open."""


class History(Protocol):
    def note(self, events: Sequence[Event], ended: Sequence[CallView]) -> None: ...


@dataclass(slots=True)
class Leftovers:
    """``run_id`` is this run's; calls of earlier ones are looked for."""

    gauge: Gauge
    database: Database
    history: History
    run_id: int
    engine: Engine | None = None
    _settled: set[PbxId] = field(default_factory=set)
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    def observe(self, events: Sequence[Event], now: float) -> None:
        """Count, and begin to settle a PBX when it is ready for the first time."""
        self.gauge.observe(events, now)
        for event in events:
            if isinstance(event, CallEnded) and event.outcome is Outcome.LOST:
                log.warning("a caller was lost", call=event.call, queue=event.queue, why=event.ended_by)
            if isinstance(event, PbxReady) and event.repairs:
                self._tell(event, [one for one in events if isinstance(one, Repaired)])
            if isinstance(event, PbxReady) and event.pbx not in self._settled:
                self._settled.add(event.pbx)
                task = asyncio.get_running_loop().create_task(self._settle(event, now))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    def _tell(self, ready: PbxReady, repairs: Sequence[Repaired]) -> None:
        """One by one as long as somebody would read them; all of them are in history."""
        for one in repairs[:TOLD_AT_MOST]:
            about = {"call": one.call, "queue": one.queue} if one.call is not None else {"device": one.device}
            log.info("put right after a look at the PBX", pbx=one.pbx, kind=one.kind, why=one.why, **about)
        log.info("a snapshot put right what had gone unseen", pbx=ready.pbx, **dict(ready.repairs))

    def inbox_lag(self, seconds: float) -> None:
        self.gauge.inbox_lag(seconds)

    def dispatched(self, pbx: PbxId, seconds: float) -> None:
        self.gauge.dispatched(pbx, seconds)

    async def close(self) -> None:
        """What is not settled now is settled at the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _settle(self, ready: PbxReady, now: float) -> None:
        pbx = ready.pbx
        while True:
            try:
                calls = await unfinished_calls(self.database, pbx, self.run_id, now)
                before = await last_boot(self.database, pbx, self.run_id)
                break
            except StorageUnavailable:
                await asyncio.sleep(RETRY_S)
        if self.engine is None:
            return
        known = self.engine.read(lambda floor, _: {*floor.calls, *floor.ended})
        gone = [call for call in calls if call.id not in known]
        restarted = before is not None and before != ready.boot
        for call in gone:
            await self._finish(self.engine, call, now, restarted=restarted)
        if gone:
            log.info("calls that ended unseen are accounted for", pbx=pbx, calls=len(gone), pbx_restarted=restarted)

    async def _finish(self, engine: Engine, call: UnfinishedCall, now: float, *, restarted: bool) -> None:
        missing, view = call.ending(now, restarted=restarted)
        for event in missing:
            if isinstance(event, VisitDecided):
                try:
                    await engine.ask(
                        RestoreVisit(
                            call.id, event.queue, event.entered_at, event.entered_at + event.waited_s, event.outcome
                        )
                    )
                except AcdError:
                    log.info("a call ended unseen in a queue that is no more", call=call.id, queue=event.queue)
        place = call.place(now)
        if place is not None:
            with suppress(AcdError):  # a queue that is no more
                await engine.ask(place)
        self.history.note(missing, [view])
