"""Ended calls, read back as the views they were written from, newest entry first."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from acd.calls import CallState
from acd.ids import AgentId, CallbackId, CallId, DeviceId, LegId, PbxId, QueueId
from acd.limits import Limit
from acd.outcomes import Outcome
from acd.views import CallView, VisitView
from nobat.call_list import CallFilter
from nobat.storage import parts, schema
from nobat.storage.call_search import search
from nobat.storage.database import Database, seconds


async def calls(database: Database, wanted: CallFilter, limit: int) -> list[CallView]:
    """At most ``limit`` ended calls, newest entry first."""
    if wanted.queues is not None and not wanted.queues:
        return []
    async with database.read() as connection:
        found = list((await connection.execute(search(wanted, limit))).mappings())
        ids = [row["id"] for row in found]
        stays = select(schema.visits).where(schema.visits.c.call_id.in_(ids)).order_by(schema.visits.c.entered_at)
        visits: defaultdict[str, list[Any]] = defaultdict(list)
        for visit in (await connection.execute(stays)).mappings() if ids else ():
            visits[visit["call_id"]].append(visit)
    return [_call(row, visits[row["id"]]) for row in found]


async def call(database: Database, call_id: str) -> CallView | None:
    """One ended call."""
    async with database.read() as connection:
        row = (await connection.execute(select(schema.calls).where(schema.calls.c.id == call_id))).mappings().first()
        if row is None:
            return None
        stays = select(schema.visits).where(schema.visits.c.call_id == call_id).order_by(schema.visits.c.entered_at)
        return _call(row, list((await connection.execute(stays)).mappings()))


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
