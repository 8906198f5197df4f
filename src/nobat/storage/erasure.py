"""Takes one person's number, name, and what was written of the calls, out of history. The calls stay, and so do all figures.

Numbers are looked for in every writing (``acd.directory.writings``). Each step is a small transaction that finds what the one
before has left, so an erasure that was interrupted is simply done again. ``nobat.erasure`` calls it, from a thread of its own.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from nobat.storage import numbers, schema
from nobat.storage.database import Database

CALLS_AT_ONCE, EVENTS_AT_ONCE = 100, 500

Writings = frozenset[str]

_event = schema.events.c
_BLANK_EVENT = (
    update(schema.events)
    .where(_event.run == bindparam("of_run"), _event.seq == bindparam("of_seq"))
    .values(number=None, data=bindparam("new_data", type_=_event.data.type))
)
_NEW_PARTS = (
    update(schema.calls)
    .where(schema.calls.c.id == bindparam("of_call"))
    .values(parts=bindparam("new_parts", type_=schema.calls.c.parts.type))
)


@dataclass(slots=True)
class Blanked:
    """How many rows of each kind the person was in."""

    calls: int = 0
    events: int = 0
    callbacks: int = 0


async def blank_history(database: Database, writings: Writings) -> Blanked:
    """The person's calls, events and callbacks that are over. Raises ``StorageUnavailable``."""
    done = Blanked()
    while await _some_calls(database, writings, done):
        pass
    while await _some_events(database, writings, done):
        pass
    await _callbacks(database, schema.callbacks.c.number.in_(sorted(writings)), done)
    return done


async def has_open_callback(database: Database, writings: Writings) -> bool:
    """Whether a promise to the person is not over yet, by the database."""
    one = schema.callbacks.c
    wanted = select(one.id).where(one.number.in_(sorted(writings)), one.ended_at.is_(None)).limit(1)
    async with database.read() as connection:
        return (await connection.execute(wanted)).first() is not None


async def forget_caller(database: Database, key: str) -> None:
    """The row of a caller who was taken out of the directory: nobody has to learn of that any more."""
    caller = schema.callers.c
    async with database.write() as connection:
        await connection.execute(delete(schema.callers).where(caller.number == key, caller.removed))


async def _some_calls(database: Database, writings: Writings, done: Blanked) -> bool:
    """Calls of the person, with everything that was told of them; False when there are no more."""
    call = schema.calls.c
    wanted = select(call.id, call.callback_id).where(call.number.in_(sorted(writings))).limit(CALLS_AT_ONCE)
    async with database.write() as connection:
        found = list(await connection.execute(wanted))
        ids = [row.id for row in found]
        told = select(schema.events).where(_event.call_id.in_(ids))
        rows = list((await connection.execute(told)).mappings())
        done.events += await _blank_events(connection, rows, writings)
        mine = update(schema.calls).where(call.id.in_(ids))
        await connection.execute(mine.values(number=None, name=None, notes=None))
        done.calls += len(ids)
    promised = [row.callback_id for row in found if row.callback_id is not None]
    if promised:
        await _callbacks(database, schema.callbacks.c.id.in_(promised), done)
    return bool(found)


async def _some_events(database: Database, writings: Writings, done: Blanked) -> bool:
    """Events with the number, of calls of nobody (a callback that was scheduled) or of somebody else (passed on to the person)."""
    wanted = select(schema.events).where(_event.number.in_(sorted(writings))).limit(EVENTS_AT_ONCE)
    async with database.write() as connection:
        rows = list((await connection.execute(wanted)).mappings())
        await _blank_parts(connection, {row["call_id"] for row in rows} - {None}, writings)
        done.events += await _blank_events(connection, rows, writings)
    return bool(rows)


async def _blank_events(connection: AsyncConnection, rows: Sequence[Any], writings: Writings) -> int:
    changed = []
    for row in rows:
        data = numbers.blank(row["kind"], row["data"], writings)
        if data != row["data"]:
            changed.append({"of_run": row["run"], "of_seq": row["seq"], "new_data": data})
    if changed:
        await connection.execute(_BLANK_EVENT, changed)
    return len(changed)


async def _blank_parts(connection: AsyncConnection, calls: Iterable[str], writings: Writings) -> None:
    """In calls of others, the number to which they were passed on."""
    call = schema.calls.c
    wanted = select(call.id, call.parts).where(call.id.in_(sorted(calls)), call.parts.is_not(None))
    changed = [
        {"of_call": row.id, "new_parts": _without(row.parts, writings)} for row in await connection.execute(wanted)
    ]
    if changed:
        await connection.execute(_NEW_PARTS, changed)


def _without(parts: Any, writings: Writings) -> Any:
    """A call's talks and transfers as they are stored; a number is a whole field there."""
    return {
        name: [[None if field in writings else field for field in row] for row in rows] for name, rows in parts.items()
    }


async def _callbacks(database: Database, which: Any, done: Blanked) -> None:
    """Those that are over: an open one needs its number."""
    one = schema.callbacks.c
    async with database.write() as connection:
        over = update(schema.callbacks).where(which, one.ended_at.is_not(None), one.number.is_not(None))
        done.callbacks += (await connection.execute(over.values(number=None, name=None))).rowcount
