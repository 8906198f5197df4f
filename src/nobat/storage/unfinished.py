"""Calls of earlier runs whose end nobody wrote down: read back from the events that were.

A service that is killed cannot say how its calls went on. Those that live are found by the PBX's snapshot; of the others the
events tell how far they had come.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import aliased

from acd.calls import CallState
from acd.events import CallEnded, Event, PbxReady, VisitDecided
from acd.ids import AgentId, CallId, DeviceId, LegId, PbxId, QueueId, pbx_of
from acd.outcomes import Outcome
from acd.views import CallView, VisitView
from nobat.storage import schema
from nobat.storage.database import Database, when

LOOK_BACK_S = 2 * 86_400.0
CALLS_AT_ONCE = 500
UNSEEN, PBX_RESTART = "unseen", "pbx_restart"
READY_READ = 100
"""Of all PBXs together, so many of the last times at which one was ready are looked through."""


@dataclass(frozen=True, slots=True)
class UnfinishedCall:
    """A call with its events, each a row of ``schema.events``, in order."""

    id: CallId
    rows: tuple[Any, ...]

    def ending(self, now: float, *, restarted: bool = False) -> tuple[list[Event], CallView]:
        """How it is written down now: the events that were missing, and the call.

        A caller nobody answered gave up; unless the PBX was ``restarted`` meanwhile, which ended all its calls.
        """
        ended_by = PBX_RESTART if restarted else UNSEEN
        told = {row["kind"]: row for row in self.rows}
        entry = told["CallQueued"]  # into the queue where the call was last
        if told.get("VisitDecided") is not None and not _of_one_visit(told["VisitDecided"], entry):
            del told["VisitDecided"]  # of a queue before
        queue = QueueId(entry["queue_id"])
        entered_at = float(entry["data"]["entered_at"])
        decided = told.get("VisitDecided")
        outcome = (
            Outcome(decided["data"]["outcome"])
            if decided is not None
            else Outcome.LOST
            if restarted
            else Outcome.ABANDONED
        )
        waited = float(decided["data"]["waited_s"]) if decided is not None else max(0.0, now - entered_at)
        missing: list[Event] = [CallEnded(now, self.id, queue, outcome, ended_by)]
        if decided is None:
            missing.insert(0, VisitDecided(now, self.id, queue, outcome, entered_at, waited))
        visit = VisitView(queue, entered_at, entered_at + waited, outcome)
        return missing, self._view(told, visit, waited, now, ended_by)

    def _view(self, told: dict[str, Any], visit: VisitView, waited: float, now: float, ended_by: str) -> CallView:
        came = next(row for row in self.rows if row["kind"] == "CallQueued")["data"]["entered_at"]
        entry, talk, connected = told["CallQueued"], told.get("TalkEnded"), told.get("CallConnected")
        amended = told.get("CallAmended")
        remarks = amended["data"] if amended is not None else {}
        device = connected["data"]["device"] if connected is not None else None
        return CallView(
            id=self.id,
            leg=LegId(entry["data"]["leg"]),
            pbx=pbx_of(self.id),
            queue=visit.queue,
            state=CallState.ENDED,
            state_since=now,
            number=entry["data"]["number"],
            name=entry["data"]["name"],
            priority=remarks.get("priority", entry["data"]["priority"]),
            entered_at=came,
            waited_s=visit.entered_at + waited - came,
            position=None,
            outcome=visit.outcome,
            offer=None,
            offered_to=(),
            agent=AgentId(connected["agent_id"]) if connected is not None and connected["agent_id"] else None,
            device=DeviceId(device) if device is not None else None,
            agent_leg=None,
            connected_at=visit.decided_at if connected is not None else None,
            talk_s=talk["data"]["talk_s"] if talk is not None else None,  # nobody saw it end: no figure is invented
            hold_s=talk["data"]["hold_s"] if talk is not None else 0.0,
            ended_at=now,
            ended_by=ended_by,
            disposition=remarks.get("disposition"),
            notes=remarks.get("notes"),
            visits=(visit,),
        )


def _of_one_visit(decided: Any, entry: Any) -> bool:
    apart = float(decided["data"]["entered_at"]) - float(entry["data"]["entered_at"])
    return bool(decided["queue_id"] == entry["queue_id"]) and abs(apart) < 1.0


async def unfinished_calls(database: Database, pbx: PbxId, before_run: int, now: float) -> list[UnfinishedCall]:
    """Calls of ``pbx`` that earlier runs saw enter and nobody saw end."""
    event, other = schema.events, aliased(schema.events)
    ended = select(other.c.seq).where(other.c.call_id == event.c.call_id, other.c.kind == "CallEnded").exists()
    open_ids = select(event.c.call_id).where(
        event.c.at >= when(now - LOOK_BACK_S), event.c.kind == "CallQueued", event.c.run < before_run, ~ended
    )
    async with database.read() as connection:
        ids = sorted({one for one in (await connection.execute(open_ids)).scalars() if pbx_of(CallId(one)) == pbx})
        rows: defaultdict[str, list[Any]] = defaultdict(list)
        for start in range(0, len(ids), CALLS_AT_ONCE):
            some = select(event).where(event.c.call_id.in_(ids[start : start + CALLS_AT_ONCE]))
            for row in (await connection.execute(some.order_by(event.c.run, event.c.seq))).mappings():
                rows[row["call_id"]].append(row)
    return [UnfinishedCall(CallId(one), tuple(rows[one])) for one in ids]


async def last_boot(database: Database, pbx: PbxId, before_run: int) -> str | None:
    """Which start of ``pbx`` an earlier run saw last; None if none did."""
    event = schema.events.c
    ready = (
        select(event.data)
        .where(event.kind == PbxReady.__name__, event.run < before_run)
        .order_by(event.run.desc(), event.seq.desc())
        .limit(READY_READ)
    )
    async with database.read() as connection:
        told = (await connection.execute(ready)).scalars()
        return next((data["boot"] for data in told if data["pbx"] == pbx and data.get("boot")), None)
