"""Visits and the conversations that came of them, summed up by SQL: by queue and interval of entry, and by more if asked."""

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Float, Select, and_, case, cast, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from acd.events import CallTold
from acd.outcomes import Outcome
from acd.sla import INTERVAL_S
from nobat.storage import schema
from nobat.storage.database import Database, when
from nobat.storage.rows import Row

_USUAL_TARGET_S = 20.0
_NOTHING: Row = {"handled": 0, **dict.fromkeys(schema.TALK_SUMS, 0.0), "told": 0, "told_inside": 0, "told_error_s": 0.0}


async def sums_of_visits(
    connection: AsyncConnection, database: Database, begin: int, until: float, *by: ColumnElement[Any]
) -> dict[tuple[Any, ...], Row]:
    """The columns of ``queue_figures`` without its keys, by queue, interval and the columns ``by`` of visits decided until then."""
    keys = ("queue_id", "start", *(column.key for column in by))
    found: dict[tuple[Any, ...], Row] = {}
    for statement in (
        _visits(database, begin, until, by),
        _talks(database, begin, until, by),
        _told(database, begin, until, by),
    ):
        for row in (await connection.execute(statement)).mappings():
            sums = found.setdefault(tuple(row[key] for key in keys), dict(_NOTHING))
            sums.update({name: value for name, value in row.items() if name not in keys})
    return found


def interval(database: Database, moment: ColumnElement[Any]) -> ColumnElement[Any]:
    """The beginning of the interval of a time, in seconds since the epoch."""
    whole = func.strftime("%s", moment) if database.is_sqlite else func.floor(func.extract("epoch", moment))
    at = cast(whole, BigInteger)
    return at - at % INTERVAL_S


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


def _visits(database: Database, begin: int, until: float, by: tuple[ColumnElement[Any], ...]) -> Select[Any]:
    visit = schema.visits.c
    start = interval(database, visit.entered_at).label("start")
    target = func.coalesce(visit.target_s, schema.queues.c.target_s, _USUAL_TARGET_S)
    answered, abandoned = visit.outcome == Outcome.ANSWERED.value, visit.outcome == Outcome.ABANDONED.value
    return (
        select(
            visit.queue_id,
            start,
            *by,
            *(_count(visit.outcome == outcome.value).label(outcome.value) for outcome in Outcome),
            _count(and_(abandoned, visit.short)).label("short_abandoned"),
            _count(and_(answered, visit.waited_s <= target)).label("answered_in_target"),
            _count(and_(abandoned, visit.waited_s <= target)).label("abandoned_in_target"),
            func.sum(case((answered, visit.waited_s), else_=0.0)).label("answer_wait_s"),
            func.max(visit.waited_s).label("longest_wait_s"),
        )
        .select_from(schema.visits.outerjoin(schema.queues, schema.queues.c.id == visit.queue_id))
        .where(visit.entered_at >= when(begin), visit.decided_at <= when(until))
        .group_by(visit.queue_id, start, *by)
    )


def _talks(database: Database, begin: int, until: float, by: tuple[ColumnElement[Any], ...]) -> Select[Any]:
    """Each conversation belongs to the last visit before it, to that queue in that call."""
    visit, talk, later = schema.visits.c, schema.talks.c, schema.visits.alias("later").c
    of_a_later_one = exists().where(
        later.call_id == visit.call_id,
        later.queue_id == visit.queue_id,
        later.entered_at > visit.entered_at,
        later.entered_at <= talk.began_at,
    )
    start = interval(database, visit.entered_at).label("start")
    # Not by the index of queues: SQLite, which knows no sizes, would walk all talks of the queue for each visit.
    same_queue = talk.queue_id.concat("") == visit.queue_id
    return (
        select(visit.queue_id, start, *by, *talk_sums())
        .select_from(schema.visits.join(schema.talks, and_(talk.call_id == visit.call_id, same_queue)))
        .where(visit.entered_at >= when(begin), visit.decided_at <= when(until))
        .where(talk.began_at >= visit.entered_at, ~of_a_later_one)
        .group_by(visit.queue_id, start, *by)
    )


def _told(database: Database, begin: int, until: float, by: tuple[ColumnElement[Any], ...]) -> Select[Any]:
    """Each range that a caller was told, against the wait that followed: the error is that of its middle."""
    visit, event = schema.visits.c, schema.events.c
    start = interval(database, visit.entered_at).label("start")
    low, high = event.data["low_s"].as_float(), event.data["high_s"].as_float()
    came = _seconds_between(database, event.at, visit.decided_at)
    return (
        select(
            visit.queue_id,
            start,
            *by,
            func.count().label("told"),
            _count(and_(came >= low, came <= high)).label("told_inside"),
            func.sum(func.abs((low + high) / 2.0 - came)).label("told_error_s"),
        )
        .select_from(
            schema.events.join(
                schema.visits, and_(visit.call_id == event.call_id, visit.queue_id == event.queue_id.concat(""))
            )
        )
        .where(event.at >= when(begin), event.kind == CallTold.__name__, high.is_not(None))
        .where(visit.entered_at >= when(begin), visit.decided_at <= when(until))
        .where(visit.outcome == Outcome.ANSWERED.value, event.at >= visit.entered_at, event.at <= visit.decided_at)
        .group_by(visit.queue_id, start, *by)
    )


def _seconds_between(database: Database, first: ColumnElement[Any], last: ColumnElement[Any]) -> ColumnElement[Any]:
    if database.is_sqlite:
        return (func.julianday(last) - func.julianday(first)) * 86_400.0
    return cast(func.extract("epoch", last) - func.extract("epoch", first), Float)


def talk_sums() -> list[ColumnElement[Any]]:
    """The columns of conversations that all figures have."""
    talk = schema.talks.c
    return [
        func.count().label("handled"),
        func.sum(talk.talk_s).label("talk_s"),
        func.sum(talk.hold_s).label("hold_s"),
        func.sum(func.coalesce(talk.wrap_up_s, 0.0)).label("wrap_up_s"),
    ]
