"""reports: a month of 600,000 calls, by day and queue, on both databases as the service fills them.

The peer asks the visits and conversations themselves, with SQL and nothing kept: it takes longer, and it must say the same. What it
costs to work figures out is told too: the last half day, as every hour, and the month, as never in practice.
"""

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text

from benchmarks.databases import both, fill
from benchmarks.figures import heading, verdict
from nobat.figures import reading, spans
from nobat.figures.spans import Interval, Span
from nobat.storage import figures, schema
from nobat.storage.database import Database

DAY_S, DAYS, QUEUES, AGENTS = 86_400, 30, 20, 300
BEGIN = int(datetime(2026, 10, 1, tzinfo=UTC).timestamp())
TEHRAN = ZoneInfo("Asia/Tehran")
OFFSET_S = int(datetime.fromtimestamp(BEGIN, TEHRAN).utcoffset().total_seconds())  # type: ignore[union-attr] # no change in autumn
GOALS_S = {"SQLite": 5.0, "PostgreSQL": 2.0}
CALLS_AT_ONCE, SHOWN = 20_000, 5

TABLES = (
    (
        schema.visits,
        ("call_id", "queue_id", "entered_at", "decided_at", "outcome", "waited_s", "short", "target_s"),
    ),
    (schema.talks, tuple(column.name for column in schema.talks.columns)),
)

Counted = tuple[int, int, int, int, int]
"""Offered, answered, answered in time, handled, and seconds of talk."""

ByDay = dict[tuple[str, int], Counted]


def _parts(calls: int) -> Iterator[list[list[tuple[Any, ...]]]]:
    """Visits and conversations of a month, most of them by day."""
    dice = random.Random(1)
    for start in range(0, calls, CALLS_AT_ONCE):
        visits, talks = [], []
        for number in range(start, min(calls, start + CALLS_AT_ONCE)):
            entered = BEGIN + dice.randrange(DAYS) * DAY_S + min(max(dice.gauss(40_000, 11_000), 0.0), DAY_S - 600.0)
            queue, call, waited = f"queue-{dice.randrange(QUEUES):02}", f"pbx1-{number}", dice.expovariate(1 / 25)
            answered = dice.random() < 0.9
            outcome, began = "answered" if answered else "abandoned", entered + waited
            visits.append((call, queue, entered, began, outcome, waited, waited < 5 and not answered, 20.0))
            if answered:
                agent, talk = f"agent-{dice.randrange(AGENTS)}", float(round(dice.expovariate(1 / 180)))
                talks.append((call, agent, began + talk, queue, began, talk, 0.0, 12.0, False))
        yield [visits, talks]


async def plainly(database: Database) -> tuple[float, ByDay]:
    """By queue and day, counted by SQL; how long that took."""
    epoch = "strftime('%s', v.entered_at)" if database.is_sqlite else "floor(extract(epoch from v.entered_at))::bigint"
    statement = (
        f"SELECT v.queue_id, ({epoch} + {OFFSET_S}) / {DAY_S} AS day, count(*),"
        " sum(CASE WHEN v.outcome = 'answered' THEN 1 ELSE 0 END),"
        " sum(CASE WHEN v.outcome = 'answered' AND v.waited_s <= 20 THEN 1 ELSE 0 END), count(t.call_id),"
        " sum(coalesce(t.talk_s, 0)), max(v.waited_s), sum(t.wrap_up_s)"
        f" FROM visits v LEFT JOIN talks t ON t.call_id = v.call_id AND {'+' if database.is_sqlite else ''}t.queue_id = v.queue_id"
        " GROUP BY 1, 2"
    )
    began = perf_counter()
    async with database.read() as connection:
        rows = list(await connection.execute(text(statement)))
    took = perf_counter() - began
    return took, {(row[0], int(row[1])): (*map(int, row[2:6]), round(row[6])) for row in rows}


async def measured(database: Database) -> tuple[dict[str, float], ByDay]:
    """Seconds by what was done, and the report."""
    took, end = {}, BEGIN + DAYS * DAY_S
    for name, begin, until in (("month", BEGIN - DAY_S, end + DAY_S), ("half day", end - DAY_S // 2, end)):
        began = perf_counter()
        await figures.work_out(database, begin, until)
        took[name] = perf_counter() - began
    rows = spans.rows(Span(BEGIN - DAY_S, end + DAY_S), Interval.DAY, TEHRAN)
    began = perf_counter()
    found = await reading.of_queues(database, {f"queue-{number:02}": rows for number in range(QUEUES)}, ())
    took["report"] = perf_counter() - began
    return took, {
        (queue, (span.begin + OFFSET_S + 3600) // DAY_S): (
            one.offered,
            one.counts.answered,
            one.counts.answered_in_target,
            one.talks.handled,
            round(one.talks.talk_s),
        )
        for queue, span, one in found
        if one.offered
    }


async def _judged(name: str, database: Database, calls: int) -> bool:
    took, report = await measured(database)
    plain_s, plain = await plainly(database)
    heading("reports", f"{name}, {calls:,} calls in {DAYS} days, {QUEUES} queues, by day and queue")
    print(f"   report {took['report']:.2f} s, plain SQL {plain_s:.2f} s, ratio {took['report'] / plain_s:.3f}")
    print(f"   working out: the month {took['month']:.1f} s, the last half day {took['half day']:.2f} s")
    different = sorted(key for key in report.keys() | plain.keys() if report.get(key) != plain.get(key))
    for key in different[:SHOWN]:
        print(f"   DIFFERS  {key}: report {report.get(key)}, plain {plain.get(key)}")
    same = verdict(f"{name}: of {len(plain)} rows differ from plain SQL", len(different), "0", not different)
    goal = GOALS_S[name]
    return verdict(f"{name}: seconds for the report", took["report"], f"<= {goal:g}", took["report"] <= goal) and same


async def run(*, full: bool) -> bool:
    """Print what a month's report takes; whether it is right, and within five seconds on SQLite and two on PostgreSQL."""
    calls, reached = 600_000 if full else 50_000, True
    with TemporaryDirectory() as folder:
        async with both(Path(folder)) as urls:
            await fill(urls.values(), TABLES, _parts(calls))
            for name, url in urls.items():
                database = Database(url, statement_s=None)
                reached &= await _judged(name, database, calls)
                await database.close()
    return reached
