"""Removes what has been kept for long enough, some rows at a time, so that whoever else writes waits for milliseconds.

Figures of 15 minutes are a kind of their own: reports go on when the calls behind them are gone. What is on record of
administrators (audit, supervision sessions) is not removed here, nor is what still goes on.

``nobat.retention`` calls it, from a thread of its own.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Table, delete, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from acd.events import AgentStateChanged, AgentStatusChosen, BreakOverrun, BreakRequested, BreakRequestSettled, PbxReady
from nobat.storage import schema
from nobat.storage.database import Database, when
from nobat.storage.recordings import OPEN

LATE_S = 2 * 86_400.0
"""What is written so late (a journal replayed) is still removed in its turn."""

STATUSES = tuple(
    kind.__name__ for kind in (AgentStateChanged, AgentStatusChosen, BreakOverrun, BreakRequested, BreakRequestSettled)
)
"""Events that tell what agents did with their time."""

KEPT = (PbxReady.__name__,)
"""The last of them says whether a PBX was restarted while the service was down, however long that was; there are few."""

Removal = Callable[[AsyncConnection, float, int], Awaitable[int]]


async def _oldest(
    connection: AsyncConnection,
    table: Table,
    moment: ColumnElement[Any],
    before: Any,
    most: int,
    *conditions: ColumnElement[bool],
) -> int:
    keys = list(table.primary_key.columns)
    chosen = select(*keys).where(moment < before, *conditions).order_by(moment).limit(most)
    gone = await connection.execute(delete(table).where(tuple_(*keys).in_(chosen)))
    return gone.rowcount


async def _calls(connection: AsyncConnection, before: float, most: int) -> int:
    """Ended calls, with what stands in other tables by their ids alone."""
    call = schema.calls.c
    oldest = select(call.id).where(call.entered_at < when(before)).order_by(call.entered_at).limit(most)
    ids = list((await connection.execute(oldest)).scalars())
    for table in (schema.surveys, schema.earlier_parties):
        await connection.execute(delete(table).where(table.c.call_id.in_(ids)))
    recording = schema.recordings.c
    soundless = (recording.key.is_(None), recording.state != OPEN)
    await connection.execute(delete(schema.recordings).where(recording.call_id.in_(ids), *soundless))
    await connection.execute(delete(schema.calls).where(call.id.in_(ids)))
    return len(ids)


async def _visits(connection: AsyncConnection, before: float, most: int) -> int:
    return await _oldest(connection, schema.visits, schema.visits.c.entered_at, when(before), most)


async def _talks(connection: AsyncConnection, before: float, most: int) -> int:
    return await _oldest(connection, schema.talks, schema.talks.c.began_at, when(before), most)


async def _callbacks(connection: AsyncConnection, before: float, most: int) -> int:
    """Those that are over, with their attempts."""
    one = schema.callbacks.c
    oldest = select(one.id).where(one.ended_at < when(before)).order_by(one.ended_at).limit(most)
    ids = list((await connection.execute(oldest)).scalars())
    attempts = schema.callback_attempts
    await connection.execute(delete(attempts).where(attempts.c.callback_id.in_(ids)))
    await connection.execute(delete(schema.callbacks).where(one.id.in_(ids)))
    return len(ids)


async def _queue_figures(connection: AsyncConnection, before: float, most: int) -> int:
    return await _oldest(connection, schema.queue_figures, schema.queue_figures.c.start, int(before), most)


async def _group_figures(connection: AsyncConnection, before: float, most: int) -> int:
    return await _oldest(connection, schema.group_figures, schema.group_figures.c.start, int(before), most)


async def _agent_figures(connection: AsyncConnection, before: float, most: int) -> int:
    return await _oldest(connection, schema.agent_figures, schema.agent_figures.c.start, int(before), most)


PARTS: Mapping[str, tuple[Removal, ...]] = {
    "calls": (_calls, _visits, _talks, _callbacks),
    "figures": (_queue_figures, _group_figures, _agent_figures),
}
"""What belongs to a kind, besides ``events`` and ``statuses``."""

EVENTS: Mapping[str, ColumnElement[bool]] = {
    "events": schema.events.c.kind.not_in((*STATUSES, *KEPT)),
    "statuses": schema.events.c.kind.in_(STATUSES),
}


async def remove_some(database: Database, removal: Removal, before: float, most: int) -> int:
    """At most ``most`` rows that are older than ``before``; how many, fewer when there are no more."""
    async with database.write() as connection:
        return await removal(connection, before, most)


async def remove_some_events(database: Database, kind: str, before: float, most: int) -> int:
    """The same for events of ``kind``. They are looked for from where the last removal ended: others stay among them."""
    event = schema.events.c
    since = await _mark(database, kind)
    async with database.write() as connection:
        bounds = () if since is None else (event.at >= when(since - LATE_S),)
        gone = await _oldest(connection, schema.events, event.at, when(before), most, EVENTS[kind], *bounds)
        if gone < most:
            mark = database.insert(schema.retention_marks).values(kind=kind, until=before)
            await connection.execute(mark.on_conflict_do_update(index_elements=["kind"], set_={"until": before}))
    return gone


async def _mark(database: Database, kind: str) -> float | None:
    mark = schema.retention_marks.c
    async with database.read() as connection:
        until: float | None = await connection.scalar(select(mark.until).where(mark.kind == kind))
        return until
