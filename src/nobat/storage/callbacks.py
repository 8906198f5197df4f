"""Callbacks and their attempts: rows written as things happen, and what a start takes up again.

Each event knows some columns of its row and leaves the others as they are, so the order in which two events of one callback come
to the database does not matter: a promise that is written late does not bring an ended callback back.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from sqlalchemy import Table, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from acd.callback_commands import RestoreAttempt, RestoreCallback
from acd.callback_events import (
    CallbackAttempted,
    CallbackAttemptEnded,
    CallbackChanged,
    CallbackEnd,
    CallbackEnded,
    CallbackEvent,
    CallbackPromised,
)
from acd.callback_policy import AttemptResult
from acd.ids import AgentId, AttemptId, CallbackId, CallId, PbxId, QueueId
from nobat.storage import schema
from nobat.storage.database import Database, seconds, when
from nobat.storage.keyset import behind

Insert = Callable[[Table], Any]
Row = dict[str, Any]

LONGEST_CALL_S = 86_400.0
"""How long somebody who has rung into the place of his callback may have been in line."""

_AT_ONCE = 500
"""Ids in one question: databases have a limit."""


async def write(connection: AsyncConnection, insert: Insert, events: Sequence[CallbackEvent]) -> None:
    """All of them, by table; harmless when repeated."""
    for event in events:
        table, row = _row(event)
        await connection.execute(_merge(insert, table, tuple(row)), [row])


def _row(event: CallbackEvent) -> tuple[Table, Row]:
    match event:
        case CallbackPromised():
            return schema.callbacks, _promised(event)
        case CallbackChanged():
            return schema.callbacks, {
                "id": event.callback,
                "queue_id": event.queue,
                "number": event.number,
                "since": when(event.since),
                "priority": event.priority,
                "expires_at": when(event.expires_at),
                "due_from": _perhaps(event.due_from),
                "chosen": event.chosen or None,
            }
        case CallbackEnded():
            return schema.callbacks, {
                "id": event.callback,
                "queue_id": event.queue,
                "ended_at": when(event.at),
                "why": event.why.value,
                "tries": event.attempts,
                "waited_s": event.waited_s,
                "in_call": event.call,
                "ended_by": event.by[:200],
            }
        case CallbackAttempted():
            return schema.callback_attempts, {
                "id": event.attempt,
                "callback_id": event.callback,
                "planned_at": when(event.at),
                "mode": event.mode.value,
                "agent_id": event.agent,
                "boot": event.boot[:64],
            }
        case CallbackAttemptEnded():
            return schema.callback_attempts, {
                "id": event.attempt,
                "callback_id": event.callback,
                "ended_at": when(event.at),
                "result": event.result.value,
                "next_at": _perhaps(event.next_at),
            }


def _promised(event: CallbackPromised) -> Row:
    window = event.window or (None, None)
    return {
        "id": event.callback,
        "queue_id": event.queue,
        "pbx": event.pbx,
        "call_id": event.call,
        "number": event.number,
        "name": event.name[:200] if event.name is not None else None,
        "language": event.language,
        "since": when(event.since),
        "serial": event.serial,
        "priority": event.priority,
        "promised_at": when(event.at),
        "expires_at": when(event.expires_at),
        "due_from": _perhaps(event.due_from),
        "zone": event.zone,
        "agent_id": event.agent,
        "window_from": _perhaps(window[0]),
        "window_to": _perhaps(window[1]),
        "chosen": event.chosen or None,
    }


def _perhaps(moment: float | None) -> Any:
    return when(moment) if moment is not None else None


def _then(moment: Any) -> float | None:
    return seconds(moment) if moment is not None else None


@lru_cache(maxsize=32)
def _merge(insert: Insert, table: Table, columns: tuple[str, ...]) -> Any:
    statement = insert(table)
    changed = {name: statement.excluded[name] for name in columns if name != "id"}
    return statement.on_conflict_do_update(index_elements=["id"], set_=changed)


# ---------------------------------------------------------------- reading


async def restored_callbacks(database: Database, now: float) -> list[RestoreCallback]:
    """Callbacks that were promised and have not ended, earliest place first, with all their attempts; then those into whose
    places somebody has rung lately who, as far as the database knows, is on the line still.
    """
    callback, attempt = schema.callbacks.c, schema.callback_attempts.c
    is_open = and_(callback.ended_at.is_(None), callback.promised_at.is_not(None))
    async with database.read() as connection:
        rows = list(
            (await connection.execute(select(schema.callbacks).where(is_open).order_by(callback.since))).mappings()
        )
        of_open = attempt.callback_id.in_(select(callback.id).where(is_open))
        tried = select(schema.callback_attempts).where(of_open).order_by(attempt.planned_at, attempt.id)
        attempts: defaultdict[str, list[RestoreAttempt]] = defaultdict(list)
        for row in (await connection.execute(tried)).mappings():
            attempts[row["callback_id"]].append(_attempt(row))
        lately = and_(callback.ended_at > when(now - LONGEST_CALL_S), callback.why == CallbackEnd.RANG_AGAIN.value)
        on_the_line = callback.in_call.not_in(select(schema.calls.c.id).where(schema.calls.c.id == callback.in_call))
        rung_into = select(schema.callbacks).where(lately, on_the_line, callback.number.is_not(None))
        live = list((await connection.execute(rung_into)).mappings())
    found = [_restored(row, attempts[row["id"]]) for row in rows]
    return found + [replace(_restored(row, []), rung_into=CallId(row["in_call"])) for row in live]


def _attempt(row: Any) -> RestoreAttempt:
    ended_at = _then(row["ended_at"])
    planned_at = _then(row["planned_at"])
    return RestoreAttempt(
        AttemptId(row["id"]),
        planned_at if planned_at is not None else ended_at or 0.0,
        row["boot"] or "",
        AgentId(row["agent_id"]) if row["agent_id"] is not None else None,
        AttemptResult(row["result"]) if row["result"] is not None else None,
        ended_at,
    )


def _restored(row: Any, attempts: list[RestoreAttempt]) -> RestoreCallback:
    window_from, window_to = _then(row["window_from"]), _then(row["window_to"])
    return RestoreCallback(
        id=CallbackId(row["id"]),
        pbx=PbxId(row["pbx"]),
        queue=QueueId(row["queue_id"]),
        number=row["number"],
        since=seconds(row["since"]),
        serial=row["serial"],
        priority=row["priority"],
        promised_at=seconds(row["promised_at"]),
        expires_at=seconds(row["expires_at"]),
        call=CallId(row["call_id"]) if row["call_id"] is not None else None,
        name=row["name"],
        language=row["language"],
        due_from=_then(row["due_from"]),
        zone=row["zone"],
        agent=AgentId(row["agent_id"]) if row["agent_id"] is not None else None,
        window=(window_from, window_to) if window_from is not None and window_to is not None else None,
        chosen=row["chosen"] or "",
        attempts=tuple(sorted(attempts, key=lambda one: int(one.id.rpartition(".")[2]))),
    )


async def still_needed(database: Database, callbacks: Iterable[str], after: float) -> set[str]:
    """Which of these are open, or ended after that moment: a start may ask the PBX for their attempts."""
    one, asked = schema.callbacks.c, list(callbacks)
    found: set[str] = set()
    async with database.read() as connection:
        for start in range(0, len(asked), _AT_ONCE):
            some = one.id.in_(asked[start : start + _AT_ONCE])
            wanted = select(one.id).where(some, or_(one.ended_at.is_(None), one.ended_at > when(after)))
            found.update((await connection.execute(wanted)).scalars())
    return found


async def listed(
    database: Database,
    queues: frozenset[QueueId] | None,
    *,
    states: frozenset[str] | None,
    number: str | None,
    before: tuple[float, str] | None,
    limit: int,
) -> list[Row]:
    """The latest promised first, as rows; ``states`` are ``open`` and reasons of an end."""
    one = schema.callbacks.c
    wanted = select(schema.callbacks).where(one.promised_at.is_not(None))
    if queues is not None:
        wanted = wanted.where(one.queue_id.in_(queues))
    if number is not None:
        wanted = wanted.where(one.number == number)
    if states is not None:
        ended = one.why.in_(states - {"open"})
        wanted = wanted.where(or_(one.ended_at.is_(None), ended) if "open" in states else ended)
    if before is not None:
        wanted = wanted.where(behind(one.promised_at, one.id, before))
    wanted = wanted.order_by(one.promised_at.desc(), one.id.desc()).limit(limit)
    async with database.read() as connection:
        return [dict(row) for row in (await connection.execute(wanted)).mappings()]


async def get(database: Database, callback: str) -> Row | None:
    """One callback, or None."""
    wanted = select(schema.callbacks).where(schema.callbacks.c.id == callback)
    async with database.read() as connection:
        row = (await connection.execute(wanted)).mappings().one_or_none()
        return dict(row) if row is not None and row["promised_at"] is not None else None


async def of_call(database: Database, call: str) -> list[Row]:
    """Callbacks that were promised in a call or came true in it, the earliest first."""
    one = schema.callbacks.c
    wanted = select(schema.callbacks).where(or_(one.call_id == call, one.in_call == call), one.promised_at.is_not(None))
    async with database.read() as connection:
        return [dict(row) for row in (await connection.execute(wanted.order_by(one.promised_at, one.id))).mappings()]


async def attempts_of(database: Database, callbacks: Sequence[str]) -> dict[str, list[Row]]:
    """Attempts by callback, in order."""
    attempt = schema.callback_attempts.c
    wanted = select(schema.callback_attempts).where(attempt.callback_id.in_(callbacks)).order_by(attempt.planned_at)
    found: defaultdict[str, list[Row]] = defaultdict(list)
    async with database.read() as connection:
        for row in (await connection.execute(wanted)).mappings():
            found[row["callback_id"]].append(dict(row))
    return found
