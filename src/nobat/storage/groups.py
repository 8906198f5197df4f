"""Figures of 15 minutes by segment of callers and by skill that was asked for: written with the others, read by reports.

One question to the database groups visits by segment and by the skills asked for together; here each group is added to the rows it
belongs to. A visit that asked for two skills counts in both, one that asked for none under no name.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from enum import Enum
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from nobat.storage import schema
from nobat.storage.database import Database
from nobat.storage.rows import Row
from nobat.storage.visit_sums import sums_of_visits

ROWS_AT_ONCE = 500
NONE = ""
"""The name of visits of no segment, and of those that asked for no skill."""


class GroupKind(Enum):
    """What visits are grouped by."""

    SEGMENT = "segment"
    SKILL = "skill"


def names_of(kind: GroupKind, segment: str | None, skills: Sequence[str]) -> tuple[str, ...]:
    """The groups of one kind to which a visit belongs."""
    if kind is GroupKind.SEGMENT:
        return (segment or NONE,)
    return tuple(skills) or (NONE,)


async def groups_of_visits(connection: AsyncConnection, database: Database, begin: int, until: float) -> list[Row]:
    """Rows of ``group_figures`` from the interval ``begin`` on."""
    visit = schema.visits.c
    rows: dict[tuple[Any, ...], Row] = {}
    sums = await sums_of_visits(connection, database, begin, until, visit.segment, visit.skills)
    for (queue, start, segment, skills), one in sums.items():
        asked = skills.split(",") if skills else ()
        for kind in GroupKind:
            for name in names_of(kind, segment, asked):
                _add(rows, {"kind": kind.value, "name": name, "queue_id": queue, "start": start}, one)
    return list(rows.values())


def _add(rows: dict[tuple[Any, ...], Row], key: Row, sums: Row) -> None:
    row = rows.get(tuple(key.values()))
    if row is None:
        rows[tuple(key.values())] = {**key, **sums}
        return
    for name, value in sums.items():
        row[name] = max(row[name], value) if name == "longest_wait_s" else row[name] + value


async def read(
    database: Database, kind: GroupKind, queues: Sequence[str], begin: int, end: int
) -> AsyncIterator[Sequence[Any]]:
    """Rows whose intervals begin in [begin, end), some at a time."""
    row = schema.group_figures.c
    statement = select(schema.group_figures).where(
        row.kind == kind.value, row.queue_id.in_(queues), row.start >= begin, row.start < end
    )
    async with database.read() as connection:
        found = await connection.execute(statement)
        for part in found.mappings().partitions(ROWS_AT_ONCE):
            yield part
            await asyncio.sleep(0)  # calls go on meanwhile
