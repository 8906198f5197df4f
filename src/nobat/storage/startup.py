"""What a starting service takes up again: agents' chosen status and today's decided visits, as commands to the floor."""

from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import select

from acd.agents import Status
from acd.commands import RestoreAgent, RestoreVisit
from acd.ids import AgentId, CallId, DeviceId, QueueId
from acd.outcomes import Outcome
from acd.queues import QueueSpec
from acd.sla import RECENT_S
from nobat.storage import schema
from nobat.storage.database import Database, seconds, when


def midnight(timezone: str, now: float) -> float:
    """When today began where a queue is at home. A zone that this machine does not know counts as UTC."""
    zone: tzinfo
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError):
        zone = UTC
    local = datetime.fromtimestamp(now, zone)
    return local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()


async def restored_agents(database: Database) -> list[RestoreAgent]:
    """The status that each agent chose last."""
    async with database.read() as connection:
        rows = (await connection.execute(select(schema.agent_status))).mappings()
        return [
            RestoreAgent(
                AgentId(row["agent_id"]),
                Status(row["status"]),
                seconds(row["since"]),
                row["reason"],
                DeviceId(row["device"]) if row["device"] is not None else None,
            )
            for row in rows
        ]


async def restored_visits(database: Database, queues: Iterable[QueueSpec], now: float) -> list[RestoreVisit]:
    """The visits of today and of the last hour, by each queue's own time zone, in order of decision."""
    since = {spec.id: min(midnight(spec.timezone, now), now - RECENT_S) for spec in queues}
    if not since:
        return []
    visit = schema.visits.c
    wanted = select(schema.visits).where(visit.entered_at >= when(min(since.values()))).order_by(visit.decided_at)
    async with database.read() as connection:
        rows = list((await connection.execute(wanted)).mappings())
    return [
        RestoreVisit(
            CallId(row["call_id"]),
            QueueId(row["queue_id"]),
            seconds(row["entered_at"]),
            seconds(row["decided_at"]),
            Outcome(row["outcome"]),
        )
        for row in rows
        if row["queue_id"] in since and seconds(row["entered_at"]) >= since[QueueId(row["queue_id"])]
    ]
