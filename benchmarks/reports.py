"""reports: a month of 600,000 calls, by day and queue, from an SQLite database as the service fills it.

The peer asks the visits and conversations themselves, with SQL and nothing kept: it takes longer, and it must say the same. What it
costs to work figures out is told too: the last two hours, as every minute, and the month, as never in practice.
"""

import asyncio
import random
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from zoneinfo import ZoneInfo

from benchmarks.figures import heading, verdict
from nobat.figures import reading, spans
from nobat.figures.spans import Interval, Span
from nobat.storage import figures
from nobat.storage.database import Database
from nobat.storage.migrate import migrate

DAY_S, DAYS, QUEUES, AGENTS = 86_400, 30, 20, 300
BEGIN = int(datetime(2026, 10, 1, tzinfo=UTC).timestamp())
TEHRAN = ZoneInfo("Asia/Tehran")
GOAL_S = 5.0


def _text(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def fill(path: Path, calls: int) -> None:
    """Visits and conversations of a month, most of them by day."""
    dice = random.Random(1)
    visits, talks = [], []
    for number in range(calls):
        entered = BEGIN + dice.randrange(DAYS) * DAY_S + min(max(dice.gauss(40_000, 11_000), 0.0), DAY_S - 600.0)
        queue, call, waited = f"queue-{dice.randrange(QUEUES):02}", f"pbx1-{number}", dice.expovariate(1 / 25)
        answered = dice.random() < 0.9
        outcome = "answered" if answered else "abandoned"
        visits.append(
            (call, queue, _text(entered), _text(entered + waited), outcome, waited, waited < 5 and not answered)
        )
        if answered:
            began, talk = entered + waited, dice.expovariate(1 / 180)
            agent = f"agent-{dice.randrange(AGENTS)}"
            talks.append((call, agent, _text(began + talk), queue, _text(began), talk, 0.0, 12.0, False))
    connection = sqlite3.connect(path)
    with connection:
        connection.executemany(
            "INSERT INTO visits (call_id, queue_id, entered_at, decided_at, outcome, waited_s, short, target_s)"
            " VALUES (?,?,?,?,?,?,?,20.0)",
            visits,
        )
        connection.executemany("INSERT INTO talks VALUES (?,?,?,?,?,?,?,?,?)", talks)
    connection.close()


def plainly(path: Path) -> tuple[float, dict[tuple[str, int], tuple[int, int, int]]]:
    """By queue and day: visits, answered, answered in time, counted by SQL; how long that took."""
    connection = sqlite3.connect(path)
    offset = int(datetime.fromtimestamp(BEGIN, TEHRAN).utcoffset().total_seconds())  # type: ignore[union-attr] # no change in autumn
    began = perf_counter()
    rows = connection.execute(
        f"SELECT v.queue_id, (strftime('%s', v.entered_at) + {offset}) / {DAY_S} AS day, count(*), sum(v.outcome = 'answered'),"
        " sum(v.outcome = 'answered' AND v.waited_s <= 20), max(v.waited_s), sum(t.talk_s), sum(t.wrap_up_s)"
        " FROM visits v LEFT JOIN talks t ON t.call_id = v.call_id AND +t.queue_id = v.queue_id GROUP BY 1, 2"
    ).fetchall()
    took = perf_counter() - began
    connection.close()
    return took, {(row[0], row[1]): row[2:5] for row in rows}


async def measured(path: Path) -> tuple[dict[str, float], dict[tuple[str, int], tuple[int, int, int]]]:
    """Seconds by what was done, and the report."""
    database = Database(f"sqlite:///{path}")
    took = {}
    end = BEGIN + DAYS * DAY_S
    for name, begin in (("the month", BEGIN - DAY_S), ("two hours", BEGIN + 20 * DAY_S + 36_000)):
        began = perf_counter()
        if name == "the month":
            await figures.work_out(database, begin, end + DAY_S)
        else:
            await figures.work_out(database, end - DAY_S // 2, end)
        took[name] = perf_counter() - began
    rows = spans.rows(Span(BEGIN - DAY_S, end + DAY_S), Interval.DAY, TEHRAN)
    began = perf_counter()
    found = await reading.of_queues(database, {f"queue-{number:02}": rows for number in range(QUEUES)}, ())
    took["report"] = perf_counter() - began
    await database.close()
    offset = int(datetime.fromtimestamp(BEGIN, TEHRAN).utcoffset().total_seconds())  # type: ignore[union-attr]
    return took, {
        (queue, (span.begin + offset + 3600) // DAY_S): (
            one.offered,
            one.counts.answered,
            one.counts.answered_in_target,
        )
        for queue, span, one in found
        if one.offered
    }


async def run(*, full: bool) -> bool:
    """Print what a month's report takes; whether it is right and within five seconds."""
    calls = 600_000 if full else 100_000
    with TemporaryDirectory() as folder:
        path = Path(folder) / "month.db"
        database = Database(f"sqlite:///{path}")
        await migrate(database)
        await database.close()
        await asyncio.to_thread(fill, path, calls)
        took, report = await measured(path)
        plain_s, plain = await asyncio.to_thread(plainly, path)
    heading("reports", f"{calls:,} calls in {DAYS} days, {QUEUES} queues, by day and queue")
    print(f"   report {took['report']:.2f} s, plain SQL {plain_s:.2f} s, ratio {took['report'] / plain_s:.3f}")
    print(f"   working out: the month {took['the month']:.1f} s, the last half day {took['two hours']:.2f} s")
    different = len(set(report.items()) ^ set(plain.items()))
    same = verdict("rows that differ from plain SQL", different, "0", different == 0)
    return verdict("seconds for the report", took["report"], f"<= {GOAL_S:g}", took["report"] <= GOAL_S) and same
