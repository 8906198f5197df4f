"""scrape: the metrics of 200 queues and 2,000 agents, read every second by Prometheus, on the loop that calls live on.

The stall is what a loop that has nothing else to do sees while pages are made. The peer is prometheus-client as it comes:
the gauges read and the page written at once, in the loop.
"""

import asyncio
import random
from dataclasses import dataclass
from time import perf_counter, thread_time

from prometheus_client import generate_latest

from acd import telephony as t
from acd.agents import AgentSpec
from acd.commands import DefineAgent, DefineQueue, SignIn
from acd.floor import Floor
from acd.ids import AgentId, QueueId, device_on
from acd.queues import QueueSpec
from acd.telephony import DeviceState
from benchmarks.burst import Clock, Nothing
from benchmarks.decisions import NOON, PBX, entry
from benchmarks.figures import Spread, heading, verdict
from nobat import interpreter
from nobat.engine import Engine
from nobat.metrics import Metrics
from nobat.scrape import FloorSource

QUEUES, AGENTS, QUEUES_OF_AN_AGENT, WAITING = 200, 2_000, 10, 2_000
EVERY_S, GOAL_MS = 1.0, 10.0


@dataclass(frozen=True, slots=True)
class NoHistory:
    """A recorder that has nothing to write."""

    pending: int = 0
    lost: int = 0
    journal_fails: str | None = None


def centre() -> Floor:
    """Everybody is on the phone, and somebody waits everywhere."""
    floor, dice = Floor(), random.Random(1)
    names = [QueueId(f"queue-{number}") for number in range(QUEUES)]
    devices = [device_on(PBX, f"PJSIP/agent-{number}") for number in range(AGENTS)]
    floor.handle(t.PbxSnapshot(PBX, "boot", (), tuple((device, DeviceState.BUSY) for device in devices)), NOON)
    for number, name in enumerate(names):
        floor.handle(DefineQueue(QueueSpec(name, str(8000 + number))), NOON)
    for number, device in enumerate(devices):
        agent = AgentId(str(number))
        queues = tuple(dice.sample(names, QUEUES_OF_AN_AGENT))
        floor.handle(DefineAgent(AgentSpec(agent, device=device, queues=queues)), NOON)
        floor.handle(SignIn(agent), NOON)
    for serial in range(WAITING):
        floor.handle(entry(serial, names[serial % QUEUES], NOON + serial * 1e-3), NOON + serial * 1e-3)
    return floor


async def stalls(metrics: Metrics, seconds: float, *, at_once: bool) -> tuple[list[float], int]:
    """How late the beats of a loop are, in ms, while it is scraped; and how long a page is."""
    gaps, size, began = [], 0, perf_counter()
    before = began

    async def scraped() -> None:
        nonlocal size
        while True:
            if at_once:
                await metrics._show(metrics.source)  # type: ignore[arg-type] # it was set
                size = len(generate_latest(metrics.registry))
            else:
                size = len(await metrics.page())
            await asyncio.sleep(EVERY_S)

    task = asyncio.create_task(scraped())
    while before - began < seconds:
        await asyncio.sleep(0.001)
        now = perf_counter()
        gaps.append((now - before) * 1e3 - 1.0)
        before = now
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return gaps, size


async def run(*, full: bool) -> bool:
    """Print both; whether the loop is never held for 10 ms."""
    seconds = 30.0 if full else 8.0
    metrics = Metrics(NOON)
    metrics.source = FloorSource(Engine(centre(), Clock(NOON + 3), Nothing(), Nothing()), NoHistory(), {})
    await metrics.page()  # the first one makes the series of all queues
    interpreter.calm()
    quiet = Spread.of(await _nothing(seconds / 4))
    ours, size = await stalls(metrics, seconds, at_once=False)
    peer, _ = await stalls(metrics, seconds / 2, at_once=True)
    began = thread_time()
    generate_latest(metrics.registry)
    spent = (thread_time() - began) * 1e3
    heading(
        "scrape", f"{QUEUES} queues, {AGENTS:,} agents, a scrape a second for {seconds:g} s; a page of {size:,} bytes"
    )
    mine, theirs = Spread.of(ours), Spread.of(peer)
    print(f"   loop late by, ms: nothing  {quiet}")
    print(f"                     scraped  {mine}")
    print(f"                     at once  {theirs}")
    print(
        f"   writing a page takes {spent:.0f} ms of CPU, beside the loop; stalls' ratio {mine.maximum / theirs.maximum:.2f}"
    )
    return verdict("longest stall of the loop, ms", mine.maximum, f"<= {GOAL_MS:g}", mine.maximum <= GOAL_MS)


async def _nothing(seconds: float) -> list[float]:
    gaps, began = [], perf_counter()
    before = began
    while before - began < seconds:
        await asyncio.sleep(0.001)
        now = perf_counter()
        gaps.append((now - before) * 1e3 - 1.0)
        before = now
    return gaps
