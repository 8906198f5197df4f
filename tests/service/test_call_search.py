"""Ended calls are found by whatever is asked, in order, on both databases: compared with a plain look at every call."""

import random
from dataclasses import replace
from typing import Any

from benchmarks import history as year
from benchmarks.databases import fill
from nobat.call_list import CallFilter
from nobat.storage import history
from nobat.storage.database import Database
from nobat.storage.migrate import migrate

CALLS, PAGE = 2_000, 40
DEEP = (year.BEGIN + 180 * year.DAY_S + 40_000.0, "pbx1-5")


def fits(one: dict[str, Any], wanted: CallFilter) -> bool:
    queue, agent = one["first"] or (None, None)
    return (
        (wanted.numbers is None or one["caller"] in wanted.numbers)
        and (wanted.agent is None or wanted.agent in (one["agent"], agent))
        and (wanted.own is None or wanted.own in (one["agent"], agent))
        and (wanted.queues is None or not wanted.queues.isdisjoint((one["queue"], queue)))
        and (wanted.outcome is None or one["outcome"] == wanted.outcome)
        and (wanted.disposition is None or one["disposition"] == wanted.disposition)
        and (wanted.entered_from is None or one["entered"] >= wanted.entered_from)
        and (wanted.entered_to is None or one["entered"] < wanted.entered_to)
        and (wanted.before is None or (one["entered"], one["id"]) < wanted.before)
    )


async def test_every_search_finds_what_a_plain_look_finds(database_url: str) -> None:
    database = Database(database_url)
    await migrate(database)
    await fill([database_url], [(table, names) for table, names, _ in year.TABLES], year._parts(CALLS))
    made = [year.Made(number, CALLS).row() for number in range(CALLS)]
    made.sort(key=lambda one: (one["entered"], one["id"]), reverse=True)
    found_any = 0
    for name, make in year._searches(CALLS).items():
        for seed in range(2):
            plain = make(random.Random(seed))
            own = replace(plain, own=made[seed]["agent"]) if plain.numbers is None else plain
            for wanted in (plain, replace(plain, before=DEEP), own):
                found = [view.id for view in await history.calls(database, wanted, PAGE)]
                assert found == [one["id"] for one in made if fits(one, wanted)][:PAGE], (name, wanted)
                found_any += bool(found)
    assert found_any > 30
    assert await history.calls(database, CallFilter(queues=frozenset()), PAGE) == []
    await database.close()


async def test_no_search_reads_a_whole_table(database_url: str) -> None:
    database = Database(database_url)
    await migrate(database)
    await fill([database_url], [(table, names) for table, names, _ in year.TABLES], year._parts(CALLS * 3))
    for name, make in year._searches(CALLS).items():
        steps = await year.plan(database, make(random.Random(1)))
        assert steps
        if (
            database.is_sqlite
        ):  # PostgreSQL reads a small table whole because that is quicker: the benchmark looks at a large one
            assert not [step for step in steps if year._reads_all(step)], name
    await database.close()
