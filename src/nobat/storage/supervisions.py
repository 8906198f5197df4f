"""Supervision sessions as rows, and one row more for each conversation that was heard in one, by mode.

``write`` is called by ``nobat.storage.statements`` with what happened, in any order of batches: a span is closed by whatever comes
next in time, however late it is told.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from acd.ids import AgentId, CallId, DeviceId, QueueId, SupervisionId
from acd.supervision_events import (
    HelpAsked,
    HelpSettled,
    SupervisionBegun,
    SupervisionEnded,
    SupervisionModeChosen,
    SupervisionMoved,
    SupervisionPaused,
)
from acd.supervision_port import Mode
from nobat.storage import schema
from nobat.storage.database import Database, seconds, when
from nobat.storage.keyset import behind
from nobat.storage.rows import clean
from whisper.commands import RestoreHelp, RestoreSupervision
from whisper.policy import Supervisor

KEPT = (SupervisionBegun, SupervisionMoved, SupervisionPaused, SupervisionModeChosen, SupervisionEnded)
HELP_S = 86_400.0
_sessions, _spans = schema.supervisions.c, schema.supervised.c


@dataclass(frozen=True, slots=True)
class Span:
    """A conversation that was heard; ``to_at`` None while it is."""

    from_at: float
    to_at: float | None
    call: CallId
    queue: QueueId
    agent: AgentId
    mode: Mode


@dataclass(frozen=True, slots=True)
class StoredSupervision:
    id: SupervisionId
    token: str
    name: str
    role: str
    device: DeviceId
    agent: AgentId | None
    call: CallId | None
    mode: Mode
    began_at: float
    ended_at: float | None
    reason: str | None


async def write(connection: AsyncConnection, insert: Callable[[Table], Any], events: Sequence[Any]) -> None:
    """What happened to sessions. Harmless when repeated."""
    for event in events:
        if isinstance(event, SupervisionBegun):
            await connection.execute(insert(schema.supervisions).on_conflict_do_nothing(), [_row(event)])
            continue
        of_it = schema.supervisions.c.id == event.supervision
        if isinstance(event, SupervisionModeChosen):
            await connection.execute(update(schema.supervisions).where(of_it).values(mode=event.mode.value))
            continue
        await connection.execute(
            update(schema.supervised)
            .where(
                _spans.supervision_id == event.supervision,
                _spans.from_at < when(event.at),
                or_(_spans.to_at.is_(None), _spans.to_at > when(event.at)),
            )
            .values(to_at=when(event.at))
        )
        if isinstance(event, SupervisionMoved):
            await connection.execute(insert(schema.supervised).on_conflict_do_nothing(), [_span_row(event)])
            await connection.execute(update(schema.supervisions).where(of_it).values(mode=event.mode.value))
        elif isinstance(event, SupervisionEnded):
            ended = update(schema.supervisions).where(of_it, _sessions.ended_at.is_(None))
            await connection.execute(ended.values(ended_at=when(event.at), reason=clean(event.reason, 40)))


def _row(event: SupervisionBegun) -> dict[str, Any]:
    return {
        "id": event.supervision,
        "token_id": event.token,
        "name": clean(event.name),
        "role": event.role,
        "device": clean(event.device, 128),
        "agent_id": event.agent,
        "call_id": event.call,
        "mode": event.mode.value,
        "began_at": when(event.at),
        "ended_at": None,
        "reason": None,
    }


def _span_row(event: SupervisionMoved) -> dict[str, Any]:
    return {
        "supervision_id": event.supervision,
        "from_at": when(event.at),
        "to_at": None,
        "call_id": event.call,
        "queue_id": event.queue,
        "agent_id": event.agent,
        "mode": event.mode.value,
    }


async def get(database: Database, supervision: str) -> StoredSupervision | None:
    """One session."""
    async with database.read() as connection:
        found = await connection.execute(select(schema.supervisions).where(_sessions.id == supervision))
        row = found.mappings().first()
    return _stored(row) if row is not None else None


async def listed(
    database: Database, live: Collection[str], token: str | None, before: tuple[float, str] | None, limit: int
) -> list[StoredSupervision]:
    """The newest sessions that have ended, of one token or of all; ``live`` are those that have not, whatever the rows say."""
    wanted = select(schema.supervisions).where(_sessions.id.not_in(sorted(live)))
    if token is not None:
        wanted = wanted.where(_sessions.token_id == token)
    if before is not None:
        wanted = wanted.where(behind(_sessions.began_at, _sessions.id, before))
    wanted = wanted.order_by(_sessions.began_at.desc(), _sessions.id.desc()).limit(limit)
    async with database.read() as connection:
        return [_stored(row) for row in (await connection.execute(wanted)).mappings()]


async def spans(database: Database, supervision: str) -> list[Span]:
    """Whom a session heard, in order."""
    wanted = select(schema.supervised).where(_spans.supervision_id == supervision).order_by(_spans.from_at)
    async with database.read() as connection:
        return [
            Span(
                seconds(row["from_at"]),
                seconds(row["to_at"]) if row["to_at"] is not None else None,
                CallId(row["call_id"]),
                QueueId(row["queue_id"]),
                AgentId(row["agent_id"]),
                Mode(row["mode"]),
            )
            for row in (await connection.execute(wanted)).mappings()
        ]


def _stored(row: Any) -> StoredSupervision:
    return StoredSupervision(
        SupervisionId(row["id"]),
        row["token_id"],
        row["name"],
        row["role"],
        DeviceId(row["device"]),
        AgentId(row["agent_id"]) if row["agent_id"] is not None else None,
        CallId(row["call_id"]) if row["call_id"] is not None else None,
        Mode(row["mode"]),
        seconds(row["began_at"]),
        seconds(row["ended_at"]) if row["ended_at"] is not None else None,
        row["reason"],
    )


async def supervisors(database: Database, tokens: Collection[str], now: float) -> dict[str, Supervisor]:
    """What those tokens may see now; one that is valid no more is left out."""
    token = schema.tokens.c
    goes_on = or_(token.ends_at.is_(None), token.ends_at > when(now))
    wanted = select(schema.tokens).where(token.id.in_(sorted(tokens)), token.revoked_at.is_(None), goes_on)
    async with database.read() as connection:
        rows = (await connection.execute(wanted)).mappings()
        return {
            row["id"]: Supervisor(
                row["id"], row["name"], row["role"], frozenset(QueueId(one) for one in row["queues"]) or None
            )
            for row in rows
            if row["role"] != "agent"
        }


async def restored_supervisions(database: Database, now: float) -> list[RestoreSupervision]:
    """Sessions that had not ended. Of a token that is valid no more, the rights are none at all."""
    async with database.read() as connection:
        rows = (await connection.execute(select(schema.supervisions).where(_sessions.ended_at.is_(None)))).mappings()
        open_ones = [_stored(row) for row in rows]
        last = select(schema.supervised).where(_spans.supervision_id.in_([one.id for one in open_ones]))
        spans_of_them = (await connection.execute(last.order_by(_spans.from_at))).mappings()
        heard = {row["supervision_id"]: AgentId(row["agent_id"]) for row in spans_of_them}
    known = await supervisors(database, {one.token for one in open_ones}, now) if open_ones else {}
    return [
        RestoreSupervision(
            one.id,
            known.get(one.token, Supervisor(one.token, one.name, one.role, frozenset())),
            one.device,
            one.mode,
            one.began_at,
            one.agent,
            one.call,
            heard.get(one.id),
        )
        for one in open_ones
    ]


async def restored_help(database: Database, now: float) -> list[RestoreHelp]:
    """Agents who have asked for help in the last day, and nobody came."""
    event = schema.events.c
    kinds = (HelpAsked.__name__, HelpSettled.__name__)
    told = (
        select(event.at, event.kind, event.agent_id, event.call_id, event.queue_id)
        .where(event.at >= when(now - HELP_S), event.kind.in_(kinds))
        .order_by(event.run, event.seq)
    )
    found: dict[str, RestoreHelp] = {}
    async with database.read() as connection:
        for row in await connection.execute(told):
            if row.kind == kinds[0]:
                found[row.agent_id] = RestoreHelp(
                    AgentId(row.agent_id), CallId(row.call_id), QueueId(row.queue_id), seconds(row.at)
                )
            else:
                found.pop(row.agent_id, None)
    return sorted(found.values(), key=lambda one: one.asked_at)
