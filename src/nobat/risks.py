"""Breach risks while the service runs: worked out on ask, at most once a second for each queue, in a thread beside the calls.

One at a time, whoever asks, so that the calls' thread has at most one other to share the processor with; the floor is read in one
short turn, as for any view. Who watches the live feed is told when a queue's risk has moved: the queues are gone through again and
again, and after each comes a rest many times as long, so that two hundred cost no more than two.
"""

import asyncio
from collections.abc import Callable
from time import perf_counter

from acd.breach import BreachRisk, BreachRiskTold, judge, look
from acd.errors import NotFound
from acd.floor import Floor
from acd.ids import QueueId
from acd.sla import INTERVAL_S
from nobat.engine import Engine

FRESH_S = 1.0
"""So old an answer is as good as a new one."""

PATIENCE_S = 0.5
"""How long somebody waits whose queue is not the first to be worked out."""

ROUND_S = 5.0
"""A round through all queues takes at least so long."""

REST = 20.0
"""After each the watch rests so many times as long as it took: a twentieth of a processor."""

MOVED = 0.1
"""By so much a risk has moved when it is told."""


class RiskWatch:
    """``tell`` is called with what has moved."""

    def __init__(self, engine: Engine, tell: Callable[[BreachRiskTold], None]) -> None:
        self._engine = engine
        self._tell = tell
        self._known: dict[QueueId, BreachRisk] = {}
        self._working: dict[QueueId, asyncio.Task[BreachRisk]] = {}
        self._one_at_a_time = asyncio.Lock()
        self._told: dict[QueueId, float] = {}

    async def of(self, queue: QueueId) -> BreachRisk | None:
        """A queue's risk, no older than a second; None when others keep the processor too long. Raises ``unknown_queue``."""
        now = self._engine.read(lambda floor, at: (floor.queue(queue), at)[1])
        known = self._known.get(queue)
        if known is not None and 0.0 <= now - known.at < FRESH_S:
            return known
        work = self._working.get(queue)
        if work is None:
            work = asyncio.get_running_loop().create_task(self._worked_out(queue), name=f"risk {queue}")
            self._working[queue] = work
            work.add_done_callback(lambda done: self._done(queue, done))
        done, _ = await asyncio.wait({work}, timeout=PATIENCE_S)
        return work.result() if done else None

    def _done(self, queue: QueueId, work: "asyncio.Task[BreachRisk]") -> None:
        del self._working[queue]
        if not work.cancelled() and work.exception() is None:
            self._known[queue] = work.result()

    async def _worked_out(self, queue: QueueId) -> BreachRisk:
        async with self._one_at_a_time:
            scene = self._engine.read(lambda floor, now: look(floor, queue, now))
            return await asyncio.to_thread(judge, scene)

    # ------------------------------------------------------------ who watches

    async def follow(self) -> None:
        """Runs until cancelled."""
        while True:
            await asyncio.sleep(ROUND_S)
            await self.look_around()

    async def look_around(self) -> None:
        """Go through all queues once and tell what has moved. A queue that falls quiet is followed down."""
        alive = self._engine.read(_alive)
        for queue in [queue for queue in self._known if queue not in alive]:
            del self._known[queue]
        for queue in [*alive, *(queue for queue in self._told if queue not in alive)]:
            try:
                took = await self._look_at(queue)
            except NotFound:
                self._told.pop(queue, None)
                continue
            if queue not in alive and self._told[queue] < MOVED:
                self._told.pop(queue, None)
            await asyncio.sleep(REST * took)

    async def _look_at(self, queue: QueueId) -> float:
        """How long it took, in seconds."""
        async with self._one_at_a_time:
            began = perf_counter()
            scene = self._engine.read(lambda floor, now: look(floor, queue, now))
            risk = await asyncio.to_thread(lambda: judge(scene, cure=False))
            took = perf_counter() - began
        if abs(risk.risk - self._told.get(queue, 0.0)) >= MOVED:
            self._told[queue] = risk.risk
            late = risk.next
            call, at = (late.call, late.at) if late is not None else (None, None)
            self._tell(BreachRiskTold(risk.at, queue, risk.risk, risk.since, risk.until, call, at))
        return took


def _alive(floor: Floor, now: float) -> list[QueueId]:
    """Queues in which somebody is, or was in this interval or the one before."""
    start = int(now // INTERVAL_S * INTERVAL_S)
    return [
        one.spec.id
        for one in floor.queues.values()
        if one.live_calls or start in one.ledger.intervals or start - INTERVAL_S in one.ledger.intervals
    ]
