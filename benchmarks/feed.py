"""feed: a thousand readers, ten events a second.

Each reader is a stream of the whole interface (authentication, rights, filters), without sockets. The peer is a bare ASGI
application that sends the same bytes to as many, woken the same way. Measured is the CPU a delivery takes in each, and how long
after the event the last readers have it.
"""

import asyncio
from contextlib import AsyncExitStack
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any

from acd.events import CallQueued
from acd.ids import CallId, LegId, QueueId
from benchmarks.figures import heading, verdict
from nobat import logs
from nobat.feed import Entry
from tests.support.office import Office, agent, queue
from tests.support.stream import scope_of
from tests.support.until import until

READERS, A_SECOND = 1_000, 10
GOAL_RATIO, GOAL_MS = 2.0, 150.0


def event(number: int) -> CallQueued:
    call = CallId(f"pbx1-{1_795_000_000_000 + number}.{number}")
    return CallQueued(
        1_795_000_000.0 + number, call, QueueId("sales"), LegId(call), 1_795_000_000.0, 0, "02112345678", None
    )


class Readers:
    """``arrived``: how late each delivery of the event just sent was, in ms."""

    def __init__(self) -> None:
        self.sent_at, self.late, self.deliveries = 0.0, [], 0  # type: ignore[var-annotated]
        self.connected = 0
        self.gone = asyncio.Event()

    async def read(self, app: Any, token: str) -> None:
        asked = False

        async def receive() -> Any:
            nonlocal asked
            if not asked:
                asked = True
                return {"type": "http.request", "body": b"", "more_body": False}
            await self.gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            self.connected += message["type"] == "http.response.start"
            if b"data:" in message.get("body", b""):
                self.deliveries += 1
                self.late.append((perf_counter() - self.sent_at) * 1e3)

        await app(scope_of(token), receive, send)


class Bare:
    """As little as a stream can be."""

    def __init__(self) -> None:
        self.news: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def publish(self, frame: bytes) -> None:
        news, self.news = self.news, asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(0.02, news.set_result, frame)

    async def __call__(self, _scope: Any, receive: Any, send: Any) -> None:
        await receive()
        leaving = asyncio.create_task(receive())
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while not leaving.done():
            news = self.news
            await asyncio.wait({news, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if news.done():
                await send({"type": "http.response.body", "body": news.result(), "more_body": True})


async def measured(app: Any, token: str, publish: Any, seconds: float) -> tuple[float, list[float]]:
    """CPU a delivery in microseconds, and how late each was."""
    readers = Readers()
    tasks = [asyncio.create_task(readers.read(app, token)) for _ in range(READERS)]
    await until(lambda: readers.connected == READERS, "all are connected", within_s=60, every_s=0.1)
    began, cpu = perf_counter(), process_time()
    for number in range(int(seconds * A_SECOND)):
        await asyncio.sleep(max(0.0, began + number / A_SECOND - perf_counter()))
        readers.sent_at = perf_counter()
        publish(number)
    await asyncio.sleep(0.5)
    spent = (process_time() - cpu) / max(1, readers.deliveries) * 1e6
    readers.gone.set()
    await asyncio.wait(tasks, timeout=10)
    return spent, readers.late


async def run(*, full: bool) -> bool:
    """Print both; whether a delivery costs twice a bare one at most and the slowest hundredth has it within 150 ms."""
    logs.configure("error", "json")
    seconds = 20.0 if full else 5.0
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory())
        office = Office(f"sqlite:///{folder}/nobat.db")
        await office.prepare([queue("sales", "8000")], [agent("101", "sales")])
        await stack.enter_async_context(office.open())
        token = (await office.admin()).token or ""
        ours, bare, late = [], [], []
        for _ in range(3):
            peer = Bare()
            frames = [Entry(1, number, event(number)).frame for number in range(int(seconds * A_SECOND))]
            bare.append(
                (await measured(peer, token, lambda number, p=peer, f=frames: p.publish(f[number]), seconds))[0]
            )  # type: ignore[misc]
            spent, delays = await measured(
                office.interface, token, lambda number: office.app.feed.observe([event(number)], 0.0), seconds
            )
            ours.append(spent)
            late += delays
    ratio, p99 = median(ours) / median(bare), sorted(late)[int(len(late) * 0.99)]
    heading("feed", f"{READERS:,} readers, {A_SECOND} events a second, median of 3")
    print(f"   a delivery {median(ours):.1f} µs, bare {median(bare):.1f} µs; {len(late):,} deliveries")
    reached = verdict("CPU of a delivery / bare", ratio, f"<= {GOAL_RATIO:g}", ratio <= GOAL_RATIO)
    return verdict("p99 of an event's way to a reader, ms", p99, f"<= {GOAL_MS:g}", p99 <= GOAL_MS) and reached
