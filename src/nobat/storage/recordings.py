"""Recordings as rows: whose they are, how they stand, and the wrapped key of each. The sounds are files of the vault.

A row is begun by history when the conversation begins, and finished by ``nobat.recording.keeper``. One that was erased stays,
without its key, so that it is known that there was one and who erased it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, or_, select, update

from acd.ids import AgentId, CallId, PbxId, QueueId
from acd.recording_events import RecordingChanged
from acd.recordings import RecordingAction, RecordingMode
from nobat.recording.spans import Step, absences
from nobat.storage import schema
from nobat.storage.database import Database, seconds, when
from nobat.storage.keyset import behind
from nobat.storage.rows import clean

OPEN, WHOLE, SHORT, MISSING, DAMAGED, UNWANTED, ERASED = (
    "open", "whole", "short", "missing", "damaged", "unwanted", "erased",
)  # fmt: skip
AUDIBLE = (WHOLE, SHORT)
LISTED = (OPEN, WHOLE, SHORT, MISSING, DAMAGED, ERASED)
AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class StoredRecording:
    """One recording. ``size`` is of the sound as it is given out; ``key`` None: there is none, or no more."""

    id: str
    call: CallId
    queue: QueueId
    agent: AgentId | None
    number: str | None
    mode: RecordingMode
    began_at: float
    ended_at: float | None
    state: str
    duration_s: float | None = None
    silent_s: float | None = None
    supervised: bool = False
    size: int | None = None
    key: str | None = None
    keep_until: float | None = None
    erased_at: float | None = None
    erased_by: str | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """What has become of one."""

    state: str
    ended_at: float
    duration_s: float | None = None
    silent_s: float | None = None
    supervised: bool = False
    size: int | None = None
    key: str | None = None
    keep_until: float | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which to list; None: whatever."""

    queues: Collection[QueueId] | None = None
    agent: str | None = None
    call: str | None = None
    number: str | None = None
    state: str | None = None
    before: tuple[float, str] | None = None


async def get(database: Database, recording: str) -> StoredRecording | None:
    """One of any state but those that nobody wanted."""
    column = schema.recordings.c
    found = await _select(database, select(schema.recordings).where(column.id == recording, column.state.in_(LISTED)))
    return found[0] if found else None


async def listed(database: Database, wanted: Wanted, limit: int) -> list[StoredRecording]:
    """The newest ``limit``."""
    column = schema.recordings.c
    query = select(schema.recordings).where(column.state.in_(LISTED))
    if wanted.queues is not None:
        query = query.where(column.queue_id.in_(sorted(wanted.queues)))
    for name, value in (("agent_id", wanted.agent), ("call_id", wanted.call), ("number", wanted.number)):
        if value is not None:
            query = query.where(column[name] == value)
    if wanted.state is not None:
        query = query.where(column.state == wanted.state)
    if wanted.before is not None:
        query = query.where(behind(column.began_at, column.id, wanted.before))
    return await _select(database, query.order_by(column.began_at.desc(), column.id.desc()).limit(limit))


async def unfinished(database: Database, pbx: PbxId) -> list[StoredRecording]:
    """Those that wait to be joined and encrypted, the oldest first."""
    column = schema.recordings.c
    query = select(schema.recordings).where(column.state == OPEN, column.pbx == pbx)
    return await _select(database, query.order_by(column.began_at).limit(AT_ONCE))


async def known(database: Database, recordings: Sequence[str]) -> set[str]:
    """Those of ``recordings`` that are not to be looked for any more or still wait: all that have a row."""
    column = schema.recordings.c
    found: set[str] = set()
    async with database.read() as connection:
        for start in range(0, len(recordings), AT_ONCE):
            some = recordings[start : start + AT_ONCE]
            found |= {
                str(one) for one in (await connection.execute(select(column.id).where(column.id.in_(some)))).scalars()
            }
    return found


async def finish(database: Database, recording: str, what: Finished) -> None:
    """Write down what has become of one that was open."""
    values = {
        "state": what.state,
        "ended_at": when(what.ended_at),
        "duration_s": what.duration_s,
        "silent_s": what.silent_s,
        "supervised": what.supervised,
        "size": what.size,
        "key": what.key,
        "keep_until": when(what.keep_until) if what.keep_until is not None else None,
    }
    column = schema.recordings.c
    async with database.write() as connection:
        await connection.execute(
            update(schema.recordings).where(column.id == recording, column.state == OPEN).values(**values)
        )


async def due(database: Database, now: float) -> list[str]:
    """Ids of those that have been kept for as long as they may be."""
    column = schema.recordings.c
    query = select(column.id).where(column.keep_until <= when(now), column.erased_at.is_(None)).limit(AT_ONCE)
    async with database.read() as connection:
        return [str(one) for one in (await connection.execute(query)).scalars()]


async def of_numbers(database: Database, writings: Collection[str]) -> list[str]:
    """Ids of those with one caller, whose number may be written so, that are not erased."""
    column = schema.recordings.c
    query = select(column.id).where(column.number.in_(sorted(writings)), column.erased_at.is_(None))
    async with database.read() as connection:
        return [str(one) for one in (await connection.execute(query)).scalars()]


async def erase(database: Database, recordings: Sequence[str], who: str, at: float) -> None:
    """Delete their keys: from then on nobody can hear them, whatever copies there are of the files."""
    column = schema.recordings.c
    values = {"state": ERASED, "key": None, "number": None, "erased_at": when(at), "erased_by": clean(who)}
    async with database.write() as connection:
        for start in range(0, len(recordings), AT_ONCE):
            some = recordings[start : start + AT_ONCE]
            await connection.execute(update(schema.recordings).where(column.id.in_(some)).values(**values))


async def asked_of(database: Database, call: CallId, recording: str) -> list[tuple[float, RecordingAction]]:
    """All that was asked of a recording, in order."""
    column = schema.events.c
    query = select(schema.events).where(column.call_id == call, column.kind == RecordingChanged.__name__)
    async with database.read() as connection:
        rows = list((await connection.execute(query.order_by(column.at, column.run, column.seq))).mappings())
    return [
        (seconds(row["at"]), RecordingAction(row["data"]["action"]))
        for row in rows
        if row["data"]["recording"] == recording
    ]


async def absent_of(database: Database, call: CallId, ended_at: float) -> tuple[tuple[float, float], ...]:
    """When the caller was out of every conversation because of a consult."""
    column = schema.events.c
    query = select(column.at, column.kind, column.data).where(column.call_id == call, column.kind.in_(tuple(Step)))
    async with database.read() as connection:
        rows = list(await connection.execute(query.order_by(column.at, column.run, column.seq)))
    steps = [
        (seconds(row.at), Step(row.kind))
        for row in rows
        if row.kind != Step.SETTLED or row.data["stage"] is None  # else only who talks to whom has changed
    ]
    return absences(steps, ended_at)


async def supervised(database: Database, call: CallId, began_at: float, ended_at: float) -> bool:
    """Whether somebody listened to the conversation."""
    span = schema.supervised.c
    query = select(func.count()).where(
        span.call_id == call,
        span.from_at < when(ended_at),
        or_(span.to_at.is_(None), span.to_at > when(began_at)),
    )
    async with database.read() as connection:
        return bool((await connection.execute(query)).scalar_one())


async def _select(database: Database, query: Any) -> list[StoredRecording]:
    async with database.read() as connection:
        return [_recording(row) for row in (await connection.execute(query)).mappings()]


def _recording(row: Any) -> StoredRecording:
    return StoredRecording(
        id=row["id"],
        call=CallId(row["call_id"]),
        queue=QueueId(row["queue_id"]),
        agent=AgentId(row["agent_id"]) if row["agent_id"] is not None else None,
        number=row["number"],
        mode=RecordingMode(row["mode"]),
        began_at=seconds(row["began_at"]),
        ended_at=_perhaps(row["ended_at"]),
        state=row["state"],
        duration_s=row["duration_s"],
        silent_s=row["silent_s"],
        supervised=bool(row["supervised"]),
        size=row["size"],
        key=row["key"],
        keep_until=_perhaps(row["keep_until"]),
        erased_at=_perhaps(row["erased_at"]),
        erased_by=row["erased_by"],
    )


def _perhaps(moment: Any) -> float | None:
    return seconds(moment) if moment is not None else None
