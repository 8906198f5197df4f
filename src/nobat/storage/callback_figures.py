"""Callbacks and their attempts in figures, by queue and the interval of the promise; and each with the calls behind it.

There are few beside calls, so they are counted when somebody asks, and what comes late is in the next answer.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select

from acd.callback_events import CallbackEnd
from nobat.figures.callbacks import OPEN, CallbackFigures
from nobat.storage import schema
from nobat.storage.database import Database, seconds, when
from nobat.storage.rows import Row
from nobat.storage.visit_sums import interval

_CALLBACK, _ATTEMPT = schema.callbacks.c, schema.callback_attempts.c
GOES_ON = "open"
"""The result of an attempt of which nobody knows yet what became."""

Parts = dict[tuple[str, int], CallbackFigures]


async def counted(database: Database, queues: Sequence[str], begin: int, end: int) -> Parts:
    """What was promised in [begin, end), by queue and the interval of the promise."""
    found: Parts = defaultdict(CallbackFigures)
    mine = _of(queues, begin, end)
    start = interval(database, _CALLBACK.promised_at).label("start")
    reached = _CALLBACK.why == CallbackEnd.REACHED.value
    by_end = (
        select(
            _CALLBACK.queue_id,
            start,
            func.coalesce(_CALLBACK.why, OPEN).label("why"),
            func.count().label("number"),
            func.sum(case((reached, _CALLBACK.waited_s), else_=0.0)).label("waited_s"),
            func.max(case((reached, _CALLBACK.waited_s), else_=0.0)).label("longest_s"),
            func.sum(case((and_(reached, _CALLBACK.window_to.is_not(None)), 1), else_=0)).label("with_window"),
        )
        .where(*mine)
        .group_by(_CALLBACK.queue_id, start, _CALLBACK.why)
    )
    late = select(_CALLBACK.queue_id, start, _CALLBACK.ended_at, _CALLBACK.window_to).where(
        *mine, reached, _CALLBACK.ended_at > _CALLBACK.window_to
    )
    result = func.coalesce(_ATTEMPT.result, GOES_ON)
    tried = (
        select(_CALLBACK.queue_id, start, result.label("result"), func.count().label("number"))
        .select_from(schema.callbacks.join(schema.callback_attempts, _ATTEMPT.callback_id == _CALLBACK.id))
        .where(*mine)
        .group_by(_CALLBACK.queue_id, start, result)
    )
    async with database.read() as connection:
        for row in (await connection.execute(by_end)).mappings():
            figures = found[row["queue_id"], row["start"]]
            figures.ends[row["why"]] += row["number"]
            figures.reached_wait_s += row["waited_s"] or 0.0
            figures.longest_wait_s = max(figures.longest_wait_s, row["longest_s"] or 0.0)
            figures.with_window += row["with_window"]
        for row in (await connection.execute(late)).mappings():
            figures = found[row["queue_id"], row["start"]]
            figures.late += 1
            figures.late_by_s += seconds(row["ended_at"]) - seconds(row["window_to"])
        for row in (await connection.execute(tried)).mappings():
            found[row["queue_id"], row["start"]].attempts[row["result"]] += row["number"]
    return found


def _of(queues: Sequence[str], begin: int, end: int) -> tuple[ColumnElement[bool], ...]:
    return (
        _CALLBACK.queue_id.in_(queues),
        _CALLBACK.promised_at >= when(begin),
        _CALLBACK.promised_at < when(end),
    )


async def each(
    database: Database, queues: Sequence[str], span: tuple[int, int], before: tuple[float, str] | None, limit: int
) -> list[Row]:
    """The callbacks promised in [begin, end), the latest first, as rows."""
    wanted = select(schema.callbacks).where(*_of(queues, *span))
    if before is not None:
        at, last = when(before[0]), before[1]
        earlier = or_(_CALLBACK.promised_at < at, and_(_CALLBACK.promised_at == at, _CALLBACK.id < last))
        wanted = wanted.where(earlier)
    wanted = wanted.order_by(_CALLBACK.promised_at.desc(), _CALLBACK.id.desc()).limit(limit)
    async with database.read() as connection:
        found: list[Any] = list((await connection.execute(wanted)).mappings())
    return [dict(row) for row in found]
