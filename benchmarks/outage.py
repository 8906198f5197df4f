"""outage: the database is away while five callers a second come; no call is lost, and every record is there afterwards, once.

Both databases: SQLite is locked by another program, PostgreSQL is stopped. The full form takes two minutes of each.
"""

import asyncio
import random
from collections import Counter

from benchmarks.figures import heading, verdict
from chaos import judge
from chaos.centre import NUMBER, Centre, centre
from chaos.faults import database_away
from tests.support.phonebank import Customer
from tests.support.until import until

RATE, AGENTS = 5.0, 30


async def run(*, full: bool) -> bool:
    """Print what became of the calls; whether all of them were kept."""
    away_s = 120.0 if full else 10.0
    return all([await _one(away_s, postgres=False), await _one(away_s, postgres=True)])


async def _one(away_s: float, *, postgres: bool) -> bool:
    name = "PostgreSQL" if postgres else "SQLite"
    async with centre(AGENTS, postgres=postgres) as running:
        await running.bank.given_phone("any", does="answer", talk=(1.0, 4.0))
        calling = asyncio.ensure_future(_callers(running, away_s + 6))
        await asyncio.sleep(3)
        async with database_away(running):
            await asyncio.sleep(away_s)
        customers = await calling
        await running.bank.until(lambda: all(one.is_over for one in customers), "all calls are over", 60)
        began = asyncio.get_running_loop().time()
        await until(lambda: _written(running), "history is written", within_s=60, every_s=0.1)
        took = asyncio.get_running_loop().time() - began
        records = await running.all("/v1/calls")
        found = judge.equation(await running.stats(), records)
    entered = {one.number for one in customers if one.answered_ms is not None}
    times = Counter(record["caller"]["number"] for record in records)
    lost = sum(record["outcome"] == "lost" for record in records)
    missing, twice = len(entered - times.keys()), sum(count > 1 for count in times.values())
    outcomes = dict(Counter(record["outcome"] for record in records))
    heading("outage", f"{name} away for {away_s:.0f} s at {RATE:.0f} calls a second, {len(customers)} calls")
    print(f"   {outcomes}; history written {took:.1f} s after the last call; {found or 'the equation holds'}")
    return all(
        [
            verdict(
                "calls lost or refused",
                float(lost + len(customers) - len(entered)),
                "0",
                lost == 0 and len(entered) == len(customers),
            ),
            verdict("records missing", float(missing), "0", missing == 0 and not found),
            verdict("records twice", float(twice), "0", twice == 0),
        ]
    )


async def _callers(running: Centre, seconds: float) -> list[Customer]:
    chance, loop = random.Random(5), asyncio.get_running_loop()
    made, due, end = [], loop.time(), loop.time() + seconds
    while due < end:
        made.append(await running.bank.call(NUMBER, patience_s=60))
        due += chance.expovariate(RATE)
        await asyncio.sleep(max(0.0, due - loop.time()))
    return made


async def _written(running: Centre) -> bool:
    return "acd_history_pending 0.0" in (await running.api.get("/metrics")).text
