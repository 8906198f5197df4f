"""Ended calls, read back as the views they were written from, newest entry first."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select

from acd.calls import CallState
from acd.ids import AgentId, CallbackId, CallId, DeviceId, LegId, PbxId, QueueId
from acd.limits import Limit
from acd.outcomes import Outcome
from acd.views import CallView, VisitView
from nobat.call_list import CallFilter
from nobat.storage import parts, schema
from nobat.storage.database import Database, seconds, when


async def calls(database: Database, wanted: CallFilter, limit: int) -> list[CallView]:
    """At most ``limit`` ended calls, newest entry first."""
    statement = _narrow(select(schema.calls), wanted)
    statement = statement.order_by(schema.calls.c.entered_at.desc(), schema.calls.c.id.desc()).limit(limit)
    async with database.read() as connection:
        found = list((await connection.execute(statement)).mappings())
        ids = [row["id"] for row in found]
        stays = select(schema.visits).where(schema.visits.c.call_id.in_(ids)).order_by(schema.visits.c.entered_at)
        visits = list((await connection.execute(stays)).mappings()) if ids else []
    return [_call(row, [visit for visit in visits if visit["call_id"] == row["id"]]) for row in found]


async def call(database: Database, call_id: str) -> CallView | None:
    """One ended call."""
    async with database.read() as connection:
        row = (await connection.execute(select(schema.calls).where(schema.calls.c.id == call_id))).mappings().first()
        if row is None:
            return None
        stays = select(schema.visits).where(schema.visits.c.call_id == call_id).order_by(schema.visits.c.entered_at)
        return _call(row, list((await connection.execute(stays)).mappings()))


def _narrow(statement: Select[Any], wanted: CallFilter) -> Select[Any]:
    column = schema.calls.c
    conditions: dict[str, Callable[[Any], ColumnElement[bool]]] = {
        "queues": lambda queues: column.queue_id.in_(sorted(queues)),
        "agent": _had,
        "own": _had,
        "number": lambda number: column.number == number,
        "entered_from": lambda start: column.entered_at >= when(start),
        "entered_to": lambda end: column.entered_at < when(end),
        "outcome": lambda outcome: column.outcome == outcome.value,
        "before": lambda before: _after_in_order(*before),
    }
    for name, condition in conditions.items():
        asked = getattr(wanted, name)
        if asked is not None:
            statement = statement.where(condition(asked))
    return statement


def _had(agent: str) -> ColumnElement[bool]:
    """Calls in which the agent had a part; his may not have been the last."""
    part = schema.talks.c
    earlier = select(part.call_id).where(part.call_id == schema.calls.c.id, part.agent_id == agent).exists()
    return or_(schema.calls.c.agent_id == agent, earlier)


def _after_in_order(entered_at: float, call: str) -> ColumnElement[bool]:
    column, moment = schema.calls.c, when(entered_at)
    return or_(column.entered_at < moment, and_(column.entered_at == moment, column.id < call))


def _call(row: Any, visits: Sequence[Any]) -> CallView:
    ended = seconds(row["ended_at"]) if row["ended_at"] is not None else seconds(row["entered_at"])
    return CallView(
        id=CallId(row["id"]),
        leg=LegId(row["leg"]),
        pbx=PbxId(row["pbx"]),
        queue=QueueId(row["queue_id"]),
        state=CallState.ENDED,
        state_since=ended,
        number=row["number"],
        name=row["name"],
        priority=row["priority"],
        entered_at=seconds(row["entered_at"]),
        waited_s=row["waited_s"],
        position=None,
        outcome=Outcome(row["outcome"]) if row["outcome"] is not None else None,
        offer=None,
        offered_to=(),
        agent=AgentId(row["agent_id"]) if row["agent_id"] is not None else None,
        device=DeviceId(row["device"]) if row["device"] is not None else None,
        connected_at=seconds(row["connected_at"]) if row["connected_at"] is not None else None,
        talk_s=row["talk_s"],
        hold_s=row["hold_s"],
        ended_at=ended,
        ended_by=row["ended_by"],
        disposition=row["disposition"],
        notes=row["notes"],
        visits=tuple(
            VisitView(
                QueueId(visit["queue_id"]),
                seconds(visit["entered_at"]),
                seconds(visit["decided_at"]),
                Outcome(visit["outcome"]),
                Limit(visit["reason"]) if visit["reason"] is not None else None,
                visit["led_to"],
            )
            for visit in visits
        ),
        talks=parts.talks(row["parts"]),
        transfers=parts.transfers(row["parts"]),
        language=row["language"],
        place_since=seconds(row["place_since"]) if row["place_since"] is not None else None,
        survey=row["survey"],
        callback=CallbackId(row["callback_id"]) if row["callback_id"] is not None else None,
    )
