"""What was promised in the last day, and what is open: all that caps need to know after a restart."""

from dataclasses import dataclass

from sqlalchemy import and_, or_, select

from acd.callback_events import CallbackEnd
from acd.callback_policy import AttemptResult
from nobat.storage import schema
from nobat.storage.database import Database, seconds, when


@dataclass(frozen=True, slots=True)
class KnownCallback:
    """``short_answers``: when somebody picked up and hung up at once."""

    id: str
    number: str
    queue: str
    promised_at: float
    is_open: bool
    due_from: float | None = None
    short_answers: tuple[float, ...] = ()


async def known(database: Database, since: float) -> list[KnownCallback]:
    """The earliest promise first; those of people who were erased count for nobody."""
    one, attempt = schema.callbacks.c, schema.callback_attempts.c
    is_kept = and_(one.promised_at.is_not(None), or_(one.why.is_(None), one.why != CallbackEnd.NOT_KEPT.value))
    wanted = select(schema.callbacks).where(
        is_kept, one.number.is_not(None), or_(one.promised_at > when(since), one.ended_at.is_(None))
    )
    short = select(attempt.callback_id, attempt.ended_at).where(
        attempt.result == AttemptResult.HUNG_UP.value, attempt.ended_at > when(since)
    )
    async with database.read() as connection:
        rows = list((await connection.execute(wanted.order_by(one.promised_at))).mappings())
        answers: dict[str, list[float]] = {}
        for row in (await connection.execute(short)).mappings():
            answers.setdefault(row["callback_id"], []).append(seconds(row["ended_at"]))
    return [
        KnownCallback(
            row["id"],
            row["number"],
            row["queue_id"],
            seconds(row["promised_at"]),
            row["ended_at"] is None,
            seconds(row["due_from"]) if row["due_from"] is not None else None,
            tuple(sorted(answers.get(row["id"], ()))),
        )
        for row in rows
    ]
