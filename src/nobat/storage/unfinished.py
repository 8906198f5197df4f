"""Calls of earlier runs whose end nobody wrote down: read back from the events that were.

A service that is killed cannot say how its calls went on. Those that live are found by the PBX's snapshot; of the others the
events tell how far they had come.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import aliased

from acd.calls import CallState
from acd.commands import RestorePlace
from acd.events import CallEnded, CallQueued, Event, PbxReady, VisitDecided
from acd.ids import AgentId, CallId, DeviceId, LegId, PbxId, QueueId, pbx_of
from acd.limits import Limit
from acd.outcomes import Outcome, waiting_since
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

    def place(self, now: float) -> RestorePlace | None:
        """The place of a caller who was still waiting when he was seen last, if his number is known."""
        told = {row["kind"]: row for row in self.rows}
        entry, regained = told["CallQueued"], told.get("PlaceRegained")
        number = entry["data"]["number"]
        decided = {_moment(row) for row in self.rows if row["kind"] == "VisitDecided"}
        if _moment(entry) in decided or number is None:
            return None
        if regained is not None and regained["queue_id"] != entry["queue_id"]:
            regained = None  # of a queue before
        since = regained["data"]["since"] if regained is not None else entry["data"]["entered_at"]
        return RestorePlace(self.id, QueueId(entry["queue_id"]), number, float(since), now)

    def ending(self, now: float, *, restarted: bool = False) -> tuple[list[Event], CallView]:
        """How it is written down now: the events that were missing, and the call.

        A caller nobody answered gave up; unless the PBX was ``restarted`` meanwhile, which ended all its calls.
        """
        ended_by = PBX_RESTART if restarted else UNSEEN
        undecided = Outcome.LOST if restarted else Outcome.ABANDONED
        visits, missing = self._visits(undecided, now)
        last = visits[-1]
        missing.append(CallEnded(now, self.id, last.queue, last.outcome or undecided, ended_by))
        return missing, self._view(visits, now, ended_by)

    def _visits(self, undecided: Outcome, now: float) -> tuple[tuple[VisitView, ...], list[Event]]:
        """The stays in lines, in order, and what must be said of one that nobody saw decided."""
        decided = {_moment(row): row["data"] for row in self.rows if row["kind"] == "VisitDecided"}
        entries: dict[int, Any] = {}
        for row in (row for row in self.rows if row["kind"] == "CallQueued"):
            entries.setdefault(_moment(row), row)  # who was found again after a restart was said to have entered again
        talked = any(row["kind"] == "CallConnected" for row in self.rows)
        visits: list[VisitView] = []
        missing: list[Event] = []
        for moment, row in entries.items():
            queue, entered_at = QueueId(row["queue_id"]), float(row["data"]["entered_at"])
            told = decided.get(moment)
            called_back = row["data"].get("callback") is not None  # no visit like others: only a talk tells its outcome
            otherwise = Outcome.ANSWERED if called_back and talked else undecided
            outcome = Outcome(told["outcome"]) if told is not None else otherwise
            waited = float(told["waited_s"]) if told is not None else max(0.0, now - entered_at)
            if told is None and not called_back:
                missing.append(VisitDecided(now, self.id, queue, outcome, entered_at, waited))
            limit = Limit(told["limit"]) if told is not None and told.get("limit") else None
            led_to = told.get("led_to") if told is not None else None
            visits.append(VisitView(queue, entered_at, entered_at + waited, outcome, limit, led_to))
        return tuple(visits), missing

    def _view(self, visits: tuple[VisitView, ...], now: float, ended_by: str) -> CallView:
        told = {row["kind"]: row for row in self.rows}
        entry, connected, visit = told["CallQueued"], told.get("CallConnected"), visits[-1]
        talks = [row["data"] for row in self.rows if row["kind"] == "TalkEnded"]
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
            entered_at=visits[0].entered_at,
            waited_s=max(0.0, (visit.decided_at or now) - waiting_since(visits)),
            position=None,
            outcome=visit.outcome,
            offer=None,
            offered_to=(),
            agent=AgentId(connected["agent_id"]) if connected is not None and connected["agent_id"] else None,
            device=DeviceId(device) if device is not None else None,
            connected_at=visits[0].decided_at if connected is not None else None,
            talk_s=sum(talk["talk_s"] for talk in talks)
            if talks
            else None,  # of one nobody saw end, no figure is invented
            hold_s=sum(talk["hold_s"] for talk in talks),
            ended_at=now,
            ended_by=ended_by,
            disposition=remarks.get("disposition"),
            notes=remarks.get("notes"),
            visits=visits,
            callback=entry["data"].get("callback"),
        )


def _moment(row: Any) -> int:
    """Which stay a row tells of: its entry in milliseconds, for that is all that the channel keeps of it through a restart."""
    return round(float(row["data"]["entered_at"]) * 1000)


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


@dataclass(frozen=True, slots=True)
class Known:
    """Which calls the database has: with their end, and without."""

    ended: frozenset[CallId]
    begun: frozenset[CallId]


async def known_to_history(database: Database, calls: Sequence[CallId]) -> Known:
    """Which of ``calls`` anybody has written down."""
    ended: set[CallId] = set()
    begun: set[CallId] = set()
    event = schema.events.c
    async with database.read() as connection:
        for start in range(0, len(calls), CALLS_AT_ONCE):
            some = calls[start : start + CALLS_AT_ONCE]
            over = await connection.execute(select(schema.calls.c.id).where(schema.calls.c.id.in_(some)))
            told = select(event.call_id).where(event.call_id.in_(some), event.kind == CallQueued.__name__)
            ended |= {CallId(one) for one in over.scalars()}
            begun |= {CallId(one) for one in (await connection.execute(told)).scalars()}
    return Known(frozenset(ended), frozenset(begun - ended))


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
