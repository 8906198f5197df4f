"""history: a year of a million calls, found by all that people look for, at the beginning and deep inside, on both databases.

Each search is what ``GET /v1/calls`` does, 200 calls a page, with other values each time. No database may read a whole table for
it: the plans are printed. The peer is the same question without any index, by which it can be seen what the indexes are for.
Erasing a number and removing the oldest month are timed, too.
"""

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from sqlalchemy import ClauseElement, Executable, func, select
from sqlalchemy.ext.compiler import compiles

from acd.calls import CallState
from acd.directory import Numbering, writings
from acd.ids import AgentId, QueueId
from acd.outcomes import Outcome
from benchmarks.databases import both, fill
from benchmarks.figures import Spread, heading, verdict
from nobat.call_list import CallFilter
from nobat.retention import ROWS
from nobat.storage import erasure, history, retention, schema
from nobat.storage.call_search import search
from nobat.storage.database import Database

BEGIN, DAYS, DAY_S = int(datetime(2025, 11, 1, tzinfo=UTC).timestamp()), 365, 86_400
QUEUES, AGENTS, PAGE = 40, 400, 200
CALLS_AT_ONCE = 20_000
DISPOSITIONS = ("sold", "not_now", "wrong_number", "complaint", "callback")
GOAL_MS, GOAL_ERASE_S = 200.0, 5.0
ENDED = frozenset({CallState.ENDED})


@dataclass(frozen=True, slots=True)
class Made:
    """What one call was, by its number in the year; the same at each asking."""

    number: int
    calls: int

    def row(self) -> dict[str, Any]:
        dice = random.Random(self.number)
        day = self.number * DAYS // self.calls
        entered = (
            BEGIN + day * DAY_S + 28_800 + (self.number % max(1, self.calls // DAYS)) * 43_200 / (self.calls / DAYS)
        )
        queue, agent = self._queue(dice), self._agent(dice, day)
        fate = dice.random()
        outcome = (
            "answered" if fate < 0.9 else "abandoned" if fate < 0.985 else "overflowed" if fate < 0.9995 else "lost"
        )
        answered = outcome == "answered"
        passed_on = answered and dice.random() < 0.06
        said = dice.random()
        return {
            "number": self.number,
            "id": f"pbx1-{int(entered * 1000)}.{self.number}",
            "entered": entered,
            "queue": queue,
            "agent": agent if answered else None,
            "first": (self._queue(dice), self._agent(dice, day)) if passed_on else None,
            "caller": f"09{dice.randrange(10**9) % (self.calls // 3):09}",
            "outcome": outcome,
            "waited": dice.expovariate(1 / 25),
            "talk": dice.expovariate(1 / 180) if answered else None,
            "disposition": ("fraud" if said < 0.0005 else dice.choice(DISPOSITIONS))
            if answered and said < 0.7
            else None,
            "notes": "asked for the invoice again" if said < 0.1 else None,
        }

    def _queue(self, dice: random.Random) -> str:
        """Some queues have most of the calls."""
        return f"queue-{min(int(dice.expovariate(1 / 8)), QUEUES - 1):02}"

    def _agent(self, dice: random.Random, day: int) -> str:
        """A tenth of the staff changes in a year; agent-0 … have left after a month."""
        return f"agent-{dice.randrange(AGENTS // 10 if day < 30 else AGENTS // 20, AGENTS)}"


CALL_COLUMNS = (
    "id", "leg", "pbx", "queue_id", "number", "name", "priority", "entered_at", "waited_s", "outcome", "agent_id", "device",
    "agent_leg", "parts", "connected_at", "talk_s", "hold_s", "ended_at", "ended_by", "disposition", "notes",
)  # fmt: skip


Calls = list[dict[str, Any]]


def _calls(made: Calls) -> Iterator[tuple[Any, ...]]:
    for one in made:
        number = one["number"]
        connected, talk = one["entered"] + one["waited"], one["talk"]
        ended, device = connected + (talk or 0.0), f"pbx1/PJSIP/{one['agent']}" if one["agent"] else None
        leg = f"pbx1-{int(one['entered'])}.{number * 2}"
        parts: dict[str, list[Any]] = {"talks": [], "transfers": []}
        if one["agent"]:
            last = [one["queue"], one["agent"], device, leg, None, connected, ended, talk, 0.0]
            earlier = [*one["first"], device, leg, None, connected - 60, connected, 60.0, 0.0] if one["first"] else None
            parts["talks"] = [earlier, last] if earlier else [last]
            if one["first"]:
                parts["transfers"] = [[connected, one["first"][1], "blind", "queue", one["queue"], "connected"]]
        yield (
            one["id"], leg, "pbx1", one["queue"], one["caller"], None, 0, one["entered"], one["waited"], one["outcome"],
            one["agent"], device, leg if one["agent"] else None, parts, connected if talk else None, talk, 0.0, ended, "caller",
            one["disposition"], one["notes"],
        )  # fmt: skip


def _visits(made: Calls) -> Iterator[tuple[Any, ...]]:
    for one in made:
        if one["first"]:
            yield one["id"], one["first"][0], one["entered"] - 90, one["entered"] - 60, "answered", 30.0, False, 20.0
        decided = one["entered"] + one["waited"]
        yield one["id"], one["queue"], one["entered"], decided, one["outcome"], one["waited"], False, 20.0


def _talks(made: Calls) -> Iterator[tuple[Any, ...]]:
    for one in made:
        if one["agent"]:
            began = one["entered"] + one["waited"]
            yield one["id"], one["agent"], began + one["talk"], one["queue"], began, one["talk"], 0.0, 12.0, False


def _parties(made: Calls) -> Iterator[tuple[Any, ...]]:
    for one in made:
        for role, party, last in zip(
            ("queue", "agent"), one["first"] or (), (one["queue"], one["agent"]), strict=False
        ):
            if party != last:
                yield role, party, one["entered"], one["id"]


def _events(made: Calls) -> Iterator[tuple[Any, ...]]:
    """Of each call the one with its number, and one without."""
    for one in made:
        number = one["number"]
        data = {"leg": one["id"], "entered_at": one["entered"], "priority": 0, "number": one["caller"], "name": None}
        yield 1, 2 * number, one["entered"], "CallQueued", one["id"], one["queue"], None, one["caller"], data
        data = {"outcome": one["outcome"], "ended_by": "caller"}
        yield 1, 2 * number + 1, one["entered"] + 60, "CallEnded", one["id"], one["queue"], None, None, data


TABLES: tuple[tuple[Any, tuple[str, ...], Callable[[Calls], Iterator[tuple[Any, ...]]]], ...] = (
    (schema.calls, CALL_COLUMNS, _calls),
    (
        schema.visits,
        ("call_id", "queue_id", "entered_at", "decided_at", "outcome", "waited_s", "short", "target_s"),
        _visits,
    ),
    (schema.talks, tuple(column.name for column in schema.talks.columns), _talks),
    (schema.earlier_parties, ("role", "party_id", "entered_at", "call_id"), _parties),
    (schema.events, ("run", "seq", "at", "kind", "call_id", "queue_id", "agent_id", "number", "data"), _events),
)


def _parts(calls: int) -> Iterator[list[list[tuple[Any, ...]]]]:
    """Rows for each table, some calls at a time."""
    for start in range(0, calls, CALLS_AT_ONCE):
        made = [Made(number, calls).row() for number in range(start, min(calls, start + CALLS_AT_ONCE))]
        yield [list(rows(made)) for _, _, rows in TABLES]


# ------------------------------------------------------------ what is looked for


def _searches(calls: int) -> dict[str, Callable[[random.Random], CallFilter]]:
    """By name, with other values at each asking."""

    def some(dice: random.Random) -> dict[str, Any]:
        return Made(dice.randrange(calls), calls).row()

    def answered(dice: random.Random) -> dict[str, Any]:
        return next(one for one in iter(lambda: some(dice), None) if one["agent"])

    def span(dice: random.Random) -> dict[str, Any]:
        begin = BEGIN + dice.randrange(DAYS - 7) * DAY_S
        return {"entered_from": float(begin), "entered_to": float(begin + 7 * DAY_S)}

    def wanted(**what: Any) -> CallFilter:
        return CallFilter(states=ENDED, **what)

    numbering = Numbering()
    return {
        "all": lambda _: wanted(),
        "number": lambda dice: wanted(numbers=writings(some(dice)["caller"], numbering)),
        "number nobody has": lambda dice: wanted(numbers=writings(f"021{dice.randrange(10**8):08}", numbering)),
        "agent": lambda dice: wanted(agent=AgentId(answered(dice)["agent"])),
        "agent who left": lambda dice: wanted(agent=AgentId(f"agent-{AGENTS // 20 + dice.randrange(AGENTS // 20)}")),
        "agent unknown": lambda dice: wanted(agent=AgentId(f"nobody-{dice.randrange(9)}")),
        "queue": lambda dice: wanted(queues=frozenset({QueueId(some(dice)["queue"])})),
        "queue of few calls": lambda _: wanted(queues=frozenset({QueueId(f"queue-{QUEUES - 2}")})),
        "20 queues": lambda _: wanted(queues=frozenset(QueueId(f"queue-{n:02}") for n in range(20, 40))),
        "a week": lambda dice: wanted(**span(dice)),
        "outcome lost": lambda _: wanted(outcome=Outcome.LOST),
        "outcome answered": lambda _: wanted(outcome=Outcome.ANSWERED),
        "disposition, rare": lambda _: wanted(disposition="fraud"),
        "disposition nobody gave": lambda dice: wanted(disposition=f"none-{dice.randrange(9)}"),
        "agent in a week": lambda dice: wanted(agent=AgentId(answered(dice)["agent"]), **span(dice)),
        "agent, not answered": lambda dice: wanted(agent=AgentId(answered(dice)["agent"]), outcome=Outcome.ABANDONED),
        "queue, lost": lambda dice: wanted(queues=frozenset({QueueId(some(dice)["queue"])}), outcome=Outcome.LOST),
        "queue, rare disposition": lambda dice: wanted(
            queues=frozenset({QueueId(some(dice)["queue"])}), disposition="fraud"
        ),
    }


class explain(Executable, ClauseElement):
    """How the database goes about it."""

    inherit_cache = False

    def __init__(self, statement: Any) -> None:
        self.statement = statement


@compiles(explain)
def _explain(element: Any, compiler: Any, **options: Any) -> str:
    word = "EXPLAIN QUERY PLAN" if compiler.dialect.name == "sqlite" else "EXPLAIN"
    return f"{word} {compiler.process(element.statement, **options)}"


async def plan(database: Database, wanted: CallFilter) -> list[str]:
    """The steps that read a table or an index."""
    async with database.read() as connection:
        rows = [row[-1] for row in await connection.execute(explain(search(wanted, PAGE + 1)))]
    words = ("SCAN", "SEARCH", "Seq Scan", "Index", "Bitmap")
    steps = [row.strip().removeprefix("->").strip().partition("  (")[0] for row in rows]
    return list(dict.fromkeys(step for step in steps if step.startswith(words) and "Cond" not in step))


def _reads_all(step: str) -> bool:
    """A table without an index; a list made by the statement itself is none."""
    return step.startswith("Seq Scan") or (step.startswith("SCAN") and "INDEX" not in step and "anon" not in step)


async def timed(
    database: Database, make: Callable[[random.Random], CallFilter], share: float, times: int
) -> list[float]:
    """Milliseconds of each asking; ``share`` is how much of the year, from its end, has been paged through before."""
    dice, found = random.Random(7), []
    for _ in range(times):
        wanted = make(dice)
        if share:
            upper = wanted.entered_to or BEGIN + DAYS * DAY_S
            lower = wanted.entered_from or BEGIN
            wanted = replace(wanted, before=(upper - share * (upper - lower), "pbx1-9"))
        began = perf_counter()
        await history.calls(database, wanted, PAGE + 1)
        found.append((perf_counter() - began) * 1e3)
    return found


async def _searched(database: Database, calls: int, times: int) -> tuple[float, list[str]]:
    """The slowest p99 in ms, and the plans that read a whole table."""
    worst, bad = 0.0, []
    for name, make in _searches(calls).items():
        steps = await plan(database, make(random.Random(1)))
        bad += [f"{name}: {step}" for step in steps if _reads_all(step)]
        spreads = [Spread.of(await timed(database, make, share, times)) for share in (0.0, 0.5, 0.95)]
        worst = max(worst, *(spread.p99 for spread in spreads))
        figures = "   ".join(f"{spread.p50:6.1f} {spread.p99:6.1f}" for spread in spreads)
        print(f"   {name:24} {figures}   {_shown(steps)}")
    return worst, bad


def _shown(steps: list[str]) -> str:
    """The indexes that are gone by, each once."""
    found = [re.search(r"(?:INDEX|using|on) ((?:ix|pk|sqlite_autoindex)_\w+)", step) for step in steps]
    names = (match[1].removeprefix("sqlite_autoindex_") for match in found if match is not None)
    return " ".join(dict.fromkeys(names))


async def _forgotten(database: Database, calls: int) -> tuple[float, int, float]:
    """Seconds to erase one number, how many rows it was in, and the longest transaction in ms of removing old calls."""
    caller = Made(calls // 2, calls).row()["caller"]
    began = perf_counter()
    done = await erasure.blank_history(database, writings(caller, Numbering()))
    took, longest = perf_counter() - began, 0.0
    for _ in range(min(40, calls // 1000)):
        for removal in retention.PARTS["calls"]:
            started = perf_counter()
            await retention.remove_some(database, removal, BEGIN + DAYS * DAY_S, ROWS)
            longest = max(longest, (perf_counter() - started) * 1e3)
    return took, done.calls + done.events, longest


async def _without_an_index(database: Database, calls: int) -> float:
    """Milliseconds of counting one caller's calls by reading everything."""
    number = Made(1, calls).row()["caller"]
    began = perf_counter()
    async with database.read() as connection:
        await connection.execute(select(func.count()).where(schema.calls.c.number.concat("") == number))
    return (perf_counter() - began) * 1e3


async def run(*, full: bool) -> bool:
    """Print each search; whether the slowest hundredth of any of them is within 200 ms and none reads a whole table."""
    calls, times = (1_000_000, 60) if full else (50_000, 15)
    reached = True
    with TemporaryDirectory() as folder:
        async with both(Path(folder)) as urls:
            await fill(urls.values(), [(table, names) for table, names, _ in TABLES], _parts(calls))
            for name, url in urls.items():
                database = Database(url)
                heading("history", f"{name}, {calls:,} calls of a year, {PAGE} a page")
                print("   ms, p50 and p99: first page, after half of the year, after 95 %; what is read")
                worst, bad = await _searched(database, calls, times)
                plain = await _without_an_index(database, calls)
                print(f"   without an index {plain:.0f} ms; the slowest search is {worst / plain:.3f} of that")
                took, rows_of_one, longest = await _forgotten(database, calls)
                print(
                    f"   a number erased from {rows_of_one} rows in {took:.2f} s; longest removal of {ROWS} rows {longest:.0f} ms"
                )
                await database.close()
                for step in bad:
                    print(f"   READS ALL  {step}")
                reached &= verdict(f"{name}: slowest p99, ms", worst, f"<= {GOAL_MS:g}", worst <= GOAL_MS)
                reached &= verdict(f"{name}: plans that read a whole table", len(bad), "0", not bad)
                reached &= verdict(f"{name}: erasing a number, s", took, f"<= {GOAL_ERASE_S:g}", took <= GOAL_ERASE_S)
    return reached
