"""Messages that callers left, as rows; the sounds are files of their PBX."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update

from acd.ids import CallId, PbxId, QueueId
from nobat.storage import schema
from nobat.storage.database import Database, seconds, when
from nobat.storage.keyset import behind
from nobat.storage.rows import clean


@dataclass(frozen=True, slots=True)
class Voicemail:
    """One message. ``id`` is its file's name without the ending."""

    id: str
    pbx: PbxId
    call: CallId
    queue: QueueId
    number: str | None
    name: str | None
    left_at: float
    duration_s: float
    heard_at: float | None = None
    heard_by: str | None = None


async def add(database: Database, one: Voicemail) -> None:
    """Keep a message; one that is known stays as it is."""
    row = {
        "id": one.id,
        "pbx": one.pbx,
        "call_id": one.call,
        "queue_id": one.queue,
        "number": clean(one.number),
        "name": clean(one.name),
        "left_at": when(one.left_at),
        "duration_s": one.duration_s,
    }
    async with database.write() as connection:
        await connection.execute(database.insert(schema.voicemails).on_conflict_do_nothing(), [row])


async def known(database: Database, pbx: PbxId) -> set[str]:
    """The ids of all messages of a PBX, removed ones included."""
    wanted = select(schema.voicemails.c.id).where(schema.voicemails.c.pbx == pbx)
    async with database.read() as connection:
        return {str(one) for one in (await connection.execute(wanted)).scalars()}


async def listed(
    database: Database,
    queues: Collection[QueueId] | None,
    call: str | None,
    before: tuple[float, str] | None,
    limit: int,
) -> list[Voicemail]:
    """The newest ``limit`` messages; ``queues`` None: of all."""
    column = schema.voicemails.c
    wanted = select(schema.voicemails).where(column.removed_at.is_(None))
    if queues is not None:
        wanted = wanted.where(column.queue_id.in_(sorted(queues)))
    if call is not None:
        wanted = wanted.where(column.call_id == call)
    if before is not None:
        wanted = wanted.where(behind(column.left_at, column.id, before))
    wanted = wanted.order_by(column.left_at.desc(), column.id.desc()).limit(limit)
    async with database.read() as connection:
        return [_voicemail(row) for row in (await connection.execute(wanted)).mappings()]


async def left_before(database: Database, before: float, limit: int) -> list[Voicemail]:
    """The oldest messages that were left before then and not removed."""
    column = schema.voicemails.c
    wanted = select(schema.voicemails).where(column.left_at < when(before), column.removed_at.is_(None))
    async with database.read() as connection:
        rows = (await connection.execute(wanted.order_by(column.left_at).limit(limit))).mappings()
        return [_voicemail(row) for row in rows]


async def of_caller(database: Database, writings: Collection[str]) -> list[Voicemail]:
    """All messages of one number, removed ones included: their rows stay."""
    wanted = select(schema.voicemails).where(schema.voicemails.c.number.in_(sorted(writings)))
    async with database.read() as connection:
        return [_voicemail(row) for row in (await connection.execute(wanted)).mappings()]


async def get(database: Database, voicemail: str) -> Voicemail | None:
    """One message, unless it was removed."""
    column = schema.voicemails.c
    wanted = select(schema.voicemails).where(column.id == voicemail, column.removed_at.is_(None))
    async with database.read() as connection:
        row = (await connection.execute(wanted)).mappings().first()
    return _voicemail(row) if row is not None else None


async def heard(database: Database, voicemail: str, who: str, at: float) -> None:
    """Somebody has listened; the first time is kept."""
    column = schema.voicemails.c
    async with database.write() as connection:
        first = update(schema.voicemails).where(column.id == voicemail, column.heard_at.is_(None))
        await connection.execute(first.values(heard_at=when(at), heard_by=clean(who)))


async def remove(database: Database, voicemail: str, who: str, at: float) -> None:
    """Take a message out of every list."""
    async with database.write() as connection:
        gone = update(schema.voicemails).where(schema.voicemails.c.id == voicemail)
        await connection.execute(gone.values(removed_at=when(at), removed_by=clean(who), number=None, name=None))


def _voicemail(row: Any) -> Voicemail:
    return Voicemail(
        row["id"],
        PbxId(row["pbx"]),
        CallId(row["call_id"]),
        QueueId(row["queue_id"]),
        row["number"],
        row["name"],
        seconds(row["left_at"]),
        row["duration_s"],
        seconds(row["heard_at"]) if row["heard_at"] is not None else None,
        row["heard_by"],
    )
