"""burst: 2,000 agents come back at once while 10,000 callers wait, through the real engine.

What happens when a shift starts on the stroke of nine, or everybody's wrap-up ends together. Timed until the last offer has left;
and the longest time for which the event loop could do nothing else. The peer is one bare heap: 2,000 times the smallest.
"""

import asyncio
import gc
from collections.abc import Sequence
from heapq import heapify, heappop
from time import perf_counter

from acd import telephony as t
from acd.events import Event
from acd.floor import Floor
from acd.ids import LegId, PbxId
from acd.telephony import DeviceState
from acd.views import CallView
from benchmarks.decisions import NOON, PBX, Cell, crowded
from benchmarks.figures import heading, verdict
from nobat.engine import Engine

AGENTS, CALLERS = 2_000, 10_000


class Clock:
    """Stands until it is set."""

    def __init__(self, time: float) -> None:
        self.time = time

    def now(self) -> float:
        return self.time


class Offers:
    """Stands for the PBX: counts what is sent, and when the last came."""

    def __init__(self, done: asyncio.Event) -> None:
        self.sent, self.last, self.done = 0, 0.0, done

    def send(self, requests: Sequence[t.Request]) -> None:
        self.sent += sum(isinstance(request, t.Offer) for request in requests)
        self.last = perf_counter()
        if self.sent == AGENTS:
            self.done.set()


class Nothing:
    """A recorder and a gauge that take everything and keep nothing."""

    def note(self, events: Sequence[Event], ended: Sequence[CallView]) -> None: ...

    async def commit(self, events: Sequence[Event]) -> None: ...

    def observe(self, events: Sequence[Event], now: float) -> None: ...

    def inbox_lag(self, seconds: float) -> None: ...

    def dispatched(self, pbx: PbxId, seconds: float) -> None: ...


async def stall(until: asyncio.Event) -> float:
    """The longest time between two beats of the loop, in seconds, less the beat itself."""
    longest, before = 0.0, perf_counter()
    while not until.is_set():
        await asyncio.sleep(0)
        now = perf_counter()
        longest, before = max(longest, now - before), now
    return longest


async def phones() -> tuple[float, float]:
    """Everybody hangs up a call of his own: a message a phone."""
    floor, devices = crowded(Cell(CALLERS, 5), AGENTS)
    freed = [t.DeviceChanged(device, DeviceState.NOT_IN_USE) for device in devices]
    return await burst(floor, Clock(NOON + CALLERS), freed)


async def wrap_ups() -> tuple[float, float]:
    """All wrap-ups end at the same instant."""
    floor, devices = crowded(Cell(AGENTS + CALLERS, 5), AGENTS)
    now = NOON + AGENTS + CALLERS
    offers = [request for device in devices for request in freed_and_offered(floor, device, now)]
    for number, offer in enumerate(offers):
        leg, device = LegId(f"{PBX}-a.{number}"), offer.targets[0]
        floor.handle(t.TalkBegan(offer.call, offer.offer, device, leg), now)
        floor.handle(t.AgentLegGone(offer.call, leg, device, 16, hung_up=True, fault=False), now)
        floor.handle(t.CallGone(offer.call, 16), now)
    wrap_up_s = next(iter(floor.queues.values())).spec.wrap_up_s
    return await burst(floor, Clock(now), (), then=now + wrap_up_s)


def freed_and_offered(floor: Floor, device: t.DeviceId, now: float) -> list[t.Offer]:
    """A phone is free, and somebody waits."""
    effects = floor.handle(t.DeviceChanged(device, DeviceState.NOT_IN_USE), now)
    return [request for request in effects.requests if isinstance(request, t.Offer)]


async def burst(floor: Floor, clock: Clock, facts: Sequence[t.Fact], then: float | None = None) -> tuple[float, float]:
    """Seconds to the last offer, and the longest stall, after ``facts`` or when it is ``then``."""
    done = asyncio.Event()
    engine, offers = Engine(floor, clock, Nothing(), Nothing()), Offers(done)
    engine.connect({PBX: offers})
    gc.collect()
    gc.freeze()
    watch = asyncio.create_task(stall(done))
    await asyncio.sleep(0)
    began = perf_counter()
    if then is not None:
        clock.time = then
        facts = (t.DeviceChanged(t.DeviceId(f"{PBX}/PJSIP/nobody"), DeviceState.NOT_IN_USE),)
    for fact in facts:
        engine.deliver(fact)
    await done.wait()
    longest = await watch
    await engine.close()
    gc.unfreeze()
    return offers.last - began, longest


def bare() -> float:
    """Seconds for as many bare decisions."""
    heap = [(NOON + serial * 1e-3, serial) for serial in range(CALLERS)]
    heapify(heap)
    began = perf_counter()
    got = [heappop(heap)[1] for _ in range(AGENTS)]
    assert len(got) == AGENTS
    return perf_counter() - began


async def run(*, full: bool) -> bool:
    """Print both ways of coming back; whether all decisions are out in 50 ms and the loop was never held for 20 ms."""
    rounds = 5 if full else 2
    heading("burst", f"{AGENTS:,} agents free at once, {CALLERS:,} callers waiting, best of {rounds}")
    peer, reached = min(bare() for _ in range(5)), True
    for name, way in (("a message a phone", phones), ("wrap-ups that end together", wrap_ups)):
        runs = [await way() for _ in range(rounds)]
        took, held = min(one for one, _ in runs), min(one for _, one in runs)
        print(
            f"   {name}: last offer after {took * 1e3:.1f} ms (bare heap {peer * 1e3:.1f} ms); stall {held * 1e3:.1f} ms"
        )
        reached &= verdict(f"{name}: all decisions, ms", took * 1e3, "<= 50", took <= 0.05)
        reached &= verdict(f"{name}: longest stall of the loop, ms", held * 1e3, "<= 20", held <= 0.02)
    return reached
