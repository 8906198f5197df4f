"""Which reports were sent by mail, and which are still to be: what lets a schedule survive a restart and send once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import select

from nobat.storage import schema
from nobat.storage.database import Database, seconds, when
from nobat.storage.rows import clean

State = Literal["sending", "sent", "failing", "given_up"]


@dataclass(frozen=True, slots=True)
class Mail:
    """A report of [``begin``, ``end``). ``tried_at``: the last attempt, of one that was sent the one that did it."""

    report: str
    begin: int
    end: int
    state: State
    attempts: int
    tried_at: float
    error: str | None
    recipients: tuple[str, ...]


async def one(database: Database, report: str, begin: int) -> Mail | None:
    """What became of a report so far."""
    column = schema.mails.c
    statement = select(schema.mails).where(column.report == report, column.begin == begin)
    async with database.read() as connection:
        row = (await connection.execute(statement)).mappings().first()
    return _mail(row) if row is not None else None


async def put(database: Database, mail: Mail) -> None:
    """Write down what became of it; on disk when this returns."""
    row = {
        "report": mail.report,
        "begin": mail.begin,
        "end": mail.end,
        "state": mail.state,
        "attempts": mail.attempts,
        "tried_at": when(mail.tried_at),
        "error": clean(mail.error),
        "recipients": list(mail.recipients),
    }
    statement = database.insert(schema.mails).values(row)
    changed = {name: value for name, value in row.items() if name not in {"report", "begin"}}
    async with database.write() as connection:
        await connection.execute(statement.on_conflict_do_update(index_elements=["report", "begin"], set_=changed))


async def newest(database: Database, limit: int, before: tuple[int, str] | None) -> Sequence[Mail]:
    """At most ``limit``, newest span first; ``before``: only those after this (begin, report) in that order."""
    column = schema.mails.c
    statement = select(schema.mails).order_by(column.begin.desc(), column.report.desc()).limit(limit)
    if before is not None:
        begin, report = before
        statement = statement.where((column.begin < begin) | ((column.begin == begin) & (column.report < report)))
    async with database.read() as connection:
        return [_mail(row) for row in (await connection.execute(statement)).mappings()]


def _mail(row: Any) -> Mail:
    return Mail(
        row["report"],
        row["begin"],
        row["end"],
        row["state"],
        row["attempts"],
        seconds(row["tried_at"]),
        row["error"],
        tuple(row["recipients"]),
    )
