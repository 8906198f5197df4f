"""What a starting service takes up again, as commands to the floor.

Agents' chosen status, shift, wrap-up and breaks asked for, what was changed of calls that may live on, the places kept for callers
who were cut off, today's decided visits, and of the last seven days who had which turn and who served which number last.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from acd.agents import AgentSpec, Status
from acd.commands import (
    RestoreAgent,
    RestoreAmendment,
    RestoreBreakRequest,
    RestoreClosing,
    RestorePlace,
    RestoreService,
    RestoreShift,
    RestoreTurn,
    RestoreVisit,
    RestoreWrapUp,
)
from acd.events import (
    AgentStatusChosen,
    BreakOverrun,
    BreakRequested,
    BreakRequestSettled,
    CallAmended,
    CallEnded,
    CallOffered,
    PlaceKept,
    PlaceRegained,
    ServiceAway,
    WrapUpBegan,
    WrapUpEnded,
    WrapUpExtended,
)
from acd.ids import AgentId, CallId, DeviceId, QueueId
from acd.limits import Limit
from acd.outcomes import Outcome
from acd.queues import QueueSpec
from acd.sla import RECENT_S
from nobat.limit_json import closing_of
from nobat.storage import schema
from nobat.storage.database import Database, seconds, when

HISTORY_S = 7 * 86_400.0
"""How far back turns and services are looked for."""

OFFERS_READ = 50_000
"""Offers looked through for turns at most: a start must not wait for an agent who was not there all week."""

SERVICES_KEPT = 200_000

SHORT_AWAY_S = 120.0
"""A service that is back so soon goes on where it was: figures, by which it is known how long it was there, come every minute."""

CALL_S = 24 * 3600.0
"""How far back a call that still lives can have been changed."""

SHIFT_S = 24 * 3600.0
"""How far back a shift is looked for."""


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
    """The status that each agent chose last, and whether it was told that a break of it takes too long."""
    async with database.read() as connection:
        rows = list((await connection.execute(select(schema.agent_status))).mappings())
        breaks = [row["since"] for row in rows if row["status"] == Status.BREAK]
        event, told = schema.events.c, {}
        if breaks:
            overrun = select(event.agent_id, func.max(event.at).label("at")).where(
                event.kind == BreakOverrun.__name__, event.at >= min(breaks)
            )
            told = {row.agent_id: row.at for row in await connection.execute(overrun.group_by(event.agent_id))}
        return [
            RestoreAgent(
                AgentId(row["agent_id"]),
                Status(row["status"]),
                seconds(row["since"]),
                row["reason"],
                DeviceId(row["device"]) if row["device"] is not None else None,
                late_told=row["agent_id"] in told and told[row["agent_id"]] >= row["since"],
            )
            for row in rows
        ]


async def restored_closings(database: Database) -> list[RestoreClosing]:
    """The queues that supervisors have closed."""
    async with database.read() as connection:
        rows = list((await connection.execute(select(schema.closings))).mappings())
    return [RestoreClosing(QueueId(row["queue_id"]), closing_of(row["data"], seconds(row["since"]))) for row in rows]


async def away(database: Database, now: float) -> ServiceAway | None:
    """From when on nobody looked; None if that is a moment ago, as at a restart, or if nobody ever has."""
    event, mark = schema.events.c, schema.figures_until.c
    async with database.read() as connection:
        last = await connection.scalar(select(event.at).order_by(event.at.desc()).limit(1))
        followed: float | None = await connection.scalar(select(mark.at))
    seen = [at for at in (seconds(last) if last is not None else None, followed) if at is not None]
    return ServiceAway(now, max(seen)) if seen and max(seen) < now - SHORT_AWAY_S else None


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
            Limit(row["reason"]) if row["reason"] is not None else None,
            row["led_to"],
            row["target_s"],
            row["short"],
        )
        for row in rows
        if row["queue_id"] in since and seconds(row["entered_at"]) >= since[QueueId(row["queue_id"])]
    ]


async def restored_turns(database: Database, agents: Iterable[AgentSpec], now: float) -> list[RestoreTurn]:
    """When each agent was last offered a call of each of his queues. The newest offers are read until all are found."""
    wanted = {(queue, agent.id) for agent in agents for queue in agent.queues}
    found: list[RestoreTurn] = []
    if not wanted:
        return found
    event = schema.events.c
    offers = (
        select(event.at, event.queue_id, event.data)
        .where(event.at >= when(now - HISTORY_S), event.kind == CallOffered.__name__)
        .order_by(event.at.desc(), event.run.desc(), event.seq.desc())
        .limit(OFFERS_READ)
    )
    async with database.read() as connection, connection.stream(offers) as rows:
        async for row in rows:
            for agent in reversed(row.data["agents"]):  # the last named had the later turn
                pair = (QueueId(row.queue_id), AgentId(agent))
                if pair in wanted:
                    wanted.discard(pair)
                    found.append(RestoreTurn(*pair, seconds(row.at)))
            if not wanted:
                break
    return found[::-1]


async def restored_services(database: Database, now: float) -> list[RestoreService]:
    """Who talked last to each number, the latest last."""
    call = schema.calls.c
    latest = func.row_number().over(partition_by=call.number, order_by=(call.entered_at.desc(), call.id.desc()))
    talked = (
        select(call.number, call.agent_id, call.connected_at, call.entered_at, latest.label("nth"))
        .where(
            call.entered_at >= when(now - HISTORY_S),
            call.number.is_not(None),
            call.agent_id.is_not(None),
            call.connected_at.is_not(None),
        )
        .subquery()
    )
    wanted = select(talked).where(talked.c.nth == 1).order_by(talked.c.entered_at.desc()).limit(SERVICES_KEPT)
    async with database.read() as connection:
        rows = list((await connection.execute(wanted)).mappings())
    return [RestoreService(row["number"], AgentId(row["agent_id"]), seconds(row["connected_at"])) for row in rows[::-1]]


async def restored_shifts(database: Database, now: float) -> list[RestoreShift]:
    """When each agent came and left in the last day, and the talks of that time."""
    event, talk, since = schema.events.c, schema.talks.c, when(now - SHIFT_S)
    chosen = (
        select(event.at, event.agent_id, event.data)
        .where(event.at >= since, event.kind == AgentStatusChosen.__name__)
        .order_by(event.run, event.seq)
    )
    ended = select(talk.agent_id, talk.ended_at, talk.talk_s).where(talk.ended_at >= since).order_by(talk.ended_at)
    presence: dict[str, list[tuple[float, bool]]] = {}
    talks: dict[str, list[tuple[float, float]]] = {}
    async with database.read() as connection:
        for row in await connection.execute(chosen):
            here = row.data["status"] != Status.SIGNED_OUT
            presence.setdefault(row.agent_id, []).append((seconds(row.at), here))
        for row in await connection.execute(ended):
            talks.setdefault(row.agent_id, []).append((seconds(row.ended_at), row.talk_s))
    return [
        RestoreShift(AgentId(agent), tuple(moments), tuple(talks.get(agent, ()))) for agent, moments in presence.items()
    ]


async def restored_wrap_ups(database: Database, now: float) -> list[RestoreWrapUp]:
    """The work after a call that was begun in the last day and not ended, as last extended; and what was said of the call."""
    event = schema.events.c
    began, extended, ended, amended = (one.__name__ for one in (WrapUpBegan, WrapUpExtended, WrapUpEnded, CallAmended))
    told = (
        select(event.at, event.kind, event.agent_id, event.call_id, event.queue_id, event.data)
        .where(event.at >= when(now - SHIFT_S), event.kind.in_((began, extended, ended, amended)))
        .order_by(event.run, event.seq)
    )
    found: dict[str, RestoreWrapUp] = {}
    said: dict[str, str | None] = {}
    async with database.read() as connection:
        for row in await connection.execute(told):
            if row.kind == amended:
                said[row.call_id] = row.data["disposition"] or said.get(row.call_id)
            elif row.kind == began:
                found[row.agent_id] = RestoreWrapUp(
                    AgentId(row.agent_id),
                    CallId(row.call_id),
                    QueueId(row.queue_id),
                    seconds(row.at),
                    row.data["until"],
                )
            elif row.kind == ended:
                found.pop(row.agent_id, None)
            elif row.agent_id in found:
                found[row.agent_id] = replace(found[row.agent_id], until=row.data["until"])
    return [replace(one, disposition=said.get(one.call)) for one in found.values()]


async def restored_break_requests(database: Database, now: float) -> list[RestoreBreakRequest]:
    """The breaks that were asked for in the last day and not settled, in order of asking."""
    event = schema.events.c
    kinds = (BreakRequested.__name__, BreakRequestSettled.__name__)
    told = (
        select(event.at, event.kind, event.agent_id, event.data)
        .where(event.at >= when(now - SHIFT_S), event.kind.in_(kinds))
        .order_by(event.run, event.seq)
    )
    found: dict[str, RestoreBreakRequest] = {}
    async with database.read() as connection:
        for row in await connection.execute(told):
            if row.kind == kinds[0]:
                found[row.agent_id] = RestoreBreakRequest(AgentId(row.agent_id), row.data["reason"], seconds(row.at))
            else:
                found.pop(row.agent_id, None)
    return sorted(found.values(), key=lambda one: one.asked_at)


async def restored_amendments(database: Database, now: float) -> list[RestoreAmendment]:
    """What people changed last of each call whose end is not on record."""
    event, other = schema.events, aliased(schema.events)
    ended = select(other.c.seq).where(other.c.call_id == event.c.call_id, other.c.kind == CallEnded.__name__).exists()
    changed = (
        select(event.c.call_id, event.c.data)
        .where(event.c.at >= when(now - CALL_S), event.c.kind == CallAmended.__name__, ~ended)
        .order_by(event.c.run, event.c.seq)
    )
    async with database.read() as connection:
        last = {row.call_id: row.data for row in await connection.execute(changed)}
    return [
        RestoreAmendment(CallId(call), data["priority"], data["disposition"], data["notes"])
        for call, data in last.items()
    ]


async def restored_places(database: Database, queues: Iterable[QueueSpec], now: float) -> list[RestorePlace]:
    """The places of callers who were cut off lately and have not rung again, oldest first."""
    longest = max((spec.announcements.rejoin_s for spec in queues), default=0.0)
    if longest <= 0:
        return []
    event = schema.events.c
    kinds = (PlaceKept.__name__, PlaceRegained.__name__)
    wanted = (
        select(event.at, event.kind, event.call_id, event.queue_id, event.data)
        .where(event.at >= when(now - longest), event.kind.in_(kinds))
        .order_by(event.at, event.run, event.seq)
    )
    async with database.read() as connection:
        rows = list((await connection.execute(wanted)).mappings())
    regained = {row["data"]["earlier"] for row in rows if row["kind"] == PlaceRegained.__name__}
    return [
        RestorePlace(
            CallId(row["call_id"]),
            QueueId(row["queue_id"]),
            f"+{row['data']['caller']}",
            row["data"]["since"],
            seconds(row["at"]),
        )
        for row in rows
        if row["kind"] == PlaceKept.__name__ and row["call_id"] not in regained
    ]
