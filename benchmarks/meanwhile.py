"""meanwhile: who is next is still told at once while everything else is asked of the service, with either database.

The whole service (engine, history, figures, REST, feed) over a PBX in memory. *Calls*: 50 a second through all of it, while metrics
are scraped, lists paged, reports read and old history removed. *Readers*: a thousand streams of the live feed, ten events a second
each. Dispatch is the service's own figure: from the message that makes an offer possible until the offer is sent. Afterwards every
call is in the database, once.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from sqlalchemy import func, select

from acd.commands import SignIn
from acd.ids import AgentId, CallId, QueueId
from benchmarks.databases import both
from benchmarks.feed import Readers
from benchmarks.figures import Spread, heading, verdict
from nobat import logs
from nobat.retention_settings import RetentionSettings
from nobat.storage import schema
from tests.support.memory_pbx import Manner
from tests.support.office import Office, Person, agent, queue
from tests.support.until import until

QUEUES, AGENTS, TALK_S = 10, 150, 1.0
CALLS_A_SECOND, READERS = 50, 1_000
GOAL_MS, GOAL_BEHIND_S = 50.0, 3.0


@dataclass(slots=True)
class Load:
    """Calls that come, talk and go; ``dispatched`` in ms."""

    office: Office
    dispatched: list[float] = field(default_factory=list)
    made: list[CallId] = field(default_factory=list)
    most_pending: int = 0

    def watch(self) -> None:
        """Be told of every offer, in the metrics' place."""
        metrics = self.office.app.metrics
        count = metrics.dispatched

        def dispatched(pbx: Any, seconds: float) -> None:
            self.dispatched.append(seconds * 1e3)
            count(pbx, seconds)

        metrics.dispatched = dispatched  # type: ignore[method-assign]

    async def call(self, a_second: float, seconds: float) -> None:
        """Callers at random moments, so many a second on the average."""
        dice, began = random.Random(3), perf_counter()
        due = 0.0
        while due < seconds:
            due += dice.expovariate(a_second)
            await asyncio.sleep(max(0.0, began + due - perf_counter()))
            number = f"0912{dice.randrange(10**7):07}"
            call = self.office.pbx.caller(str(8000 + dice.randrange(QUEUES)), number)
            self.made.append(call)
            asyncio.get_running_loop().call_later(dice.expovariate(1 / TALK_S), self._goes, call)
            self.most_pending = max(self.most_pending, self.office.app.recorder.pending)

    def _goes(self, call: CallId) -> None:
        if self.office.pbx.stage(call) is not None:
            self.office.pbx.caller_hangs_up(call)


@asynccontextmanager
async def running(url: str) -> AsyncIterator[Load]:
    office = Office(url, batch_wait_s=1.0, retention=RetentionSettings(calls_days=8, events_days=8, figures_days=8))
    names = [QueueId(f"queue-{number}") for number in range(QUEUES)]
    queues = [queue(name, str(8000 + number), rest_s=0.0) for number, name in enumerate(names)]
    people = [agent(str(101 + number), *names) for number in range(AGENTS)]
    await office.prepare(queues, people)
    for one in people:
        office.pbx.phone(f"PJSIP/agent-{one.id}", Manner.ANSWERS)
    async with office.open():
        for one in people:
            await office.app.engine.ask(SignIn(AgentId(one.id)))
        load = Load(office)
        load.watch()
        yield load


async def everything_else(office: Office, admin: Person) -> None:
    """What a busy office asks, each second."""
    while True:
        began = perf_counter()
        await office.client.get("/metrics")
        await admin.get("/v1/calls", limit=200)
        await admin.get("/v1/calls", limit=50, agent=str(101 + random.randrange(AGENTS)), state="ended")
        await admin.get("/v1/reports/queues", interval="15m")
        await office.app.retention.sweep()
        await asyncio.sleep(max(0.0, 1.0 - (perf_counter() - began)))


async def calls(url: str, seconds: float) -> tuple[Load, float, int]:
    """The load, how long after its end the last row was written, and how many calls the database lacks or has twice."""
    async with running(url) as load:
        office, admin = load.office, await load.office.admin()
        others = asyncio.create_task(everything_else(office, admin))
        await load.call(CALLS_A_SECOND, seconds)
        others.cancel()
        await asyncio.gather(others, return_exceptions=True)
        for call in load.made:
            load._goes(call)
        await office.settled()
        ended = perf_counter()
        await until(lambda: office.app.recorder.pending == 0, "all rows", within_s=60)
        behind = perf_counter() - ended
        async with office.app.database.read() as connection:
            stored = await connection.scalar(select(func.count()).select_from(schema.calls))
            visits = await connection.scalar(select(func.count()).select_from(schema.visits))
        return load, behind, abs((stored or 0) - len(load.made)) + abs((visits or 0) - len(load.made))


async def readers(url: str, seconds: float) -> Load:
    """A thousand streams; a call is about twelve events."""
    async with running(url) as load:
        token = (await load.office.admin()).token or ""
        streams = Readers()
        tasks = [asyncio.create_task(streams.read(load.office.interface, token)) for _ in range(READERS)]
        await until(lambda: streams.connected == READERS, "all are connected", within_s=60, every_s=0.1)
        load.dispatched.clear()
        await load.call(10 / 12, seconds)
        streams.gone.set()
        await asyncio.wait(tasks, timeout=10)
        return load


async def run(*, full: bool) -> bool:
    """Print both for both databases; whether 99 of 100 offers leave within 50 ms and history keeps up."""
    logs.configure("error", "json")
    seconds, reached = 60.0 if full else 8.0, True
    with TemporaryDirectory() as folder:
        async with both(Path(folder)) as urls:
            for name, url in urls.items():
                load, behind, wrong = await calls(url, seconds)
                spread = Spread.of(load.dispatched)
                heading(
                    "meanwhile", f"{name}, {CALLS_A_SECOND} calls/s for {seconds:g} s beside lists, reports and scrapes"
                )
                print(f"   dispatch, ms: {spread}; at most {load.most_pending:,} rows were not written yet")
                reached &= verdict(f"{name}: p99 of dispatch, ms", spread.p99, f"<= {GOAL_MS:g}", spread.p99 <= GOAL_MS)
                reached &= verdict(
                    f"{name}: s to the last row", behind, f"<= {GOAL_BEHIND_S:g}", behind <= GOAL_BEHIND_S
                )
                reached &= verdict(f"{name}: calls missing or twice", wrong, "0", wrong == 0)
            load = await readers(urls["SQLite"], seconds)
            spread = Spread.of(load.dispatched)
            print(f"   beside {READERS:,} readers of about ten events a second, dispatch, ms: {spread}")
            return (
                verdict("p99 beside the readers, ms", spread.p99, f"<= {GOAL_MS:g}", spread.p99 <= GOAL_MS) and reached
            )
