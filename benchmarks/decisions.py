"""decisions: who gets the freed agent, through the whole floor, against one bare heap a queue.

Agents with 5 to 50 queues each are on a phone call of their own; all lines are long. One agent after the other hangs up, and each
message must name the caller who stands first in any of that agent's lines. The peer keeps one ``heapq`` a queue, looks at the
heads of the agent's queues and pops the smallest: no eligibility, no states, no record, no requests.
"""

import gc
import random
from dataclasses import dataclass
from heapq import heappop, heappush
from statistics import median
from time import perf_counter

from acd import telephony as t
from acd.agents import AgentSpec
from acd.commands import DefineAgent, DefineQueue, SignIn
from acd.floor import Floor
from acd.ids import AgentId, CallId, DeviceId, LegId, PbxId, QueueId, device_on
from acd.queues import QueueSpec
from acd.telephony import DeviceState
from benchmarks.figures import heading, verdict

PBX = PbxId("pbx1")
DECISIONS = 500
NOON = 1_700_049_600.0


@dataclass(frozen=True, slots=True)
class Cell:
    """How many wait, and in how many queues each agent is; twice as many queues exist."""

    waiting: int
    queues: int


def crowded(cell: Cell, agents: int) -> tuple[Floor, list[DeviceId]]:
    """A floor with that many callers in line, and agents who are all on the phone with somebody else."""
    floor, rng = Floor(), random.Random(1)
    devices = [device_on(PBX, f"PJSIP/agent-{number}") for number in range(agents)]
    busy = tuple((device, DeviceState.BUSY) for device in devices)
    floor.handle(t.PbxSnapshot(PBX, "boot", (), busy), NOON)
    names = [QueueId(f"q{number}") for number in range(2 * cell.queues)]
    for number, name in enumerate(names):
        floor.handle(DefineQueue(QueueSpec(name, str(8000 + number))), NOON)
    for number, device in enumerate(devices):
        agent = AgentId(str(number))
        queues = tuple(rng.sample(names, cell.queues))
        floor.handle(DefineAgent(AgentSpec(agent, device=device, queues=queues)), NOON)
        floor.handle(SignIn(agent), NOON)
    for serial in range(1, cell.waiting + 1):
        floor.handle(entry(serial, rng.choice(names), NOON + serial * 1e-3), NOON + serial * 1e-3)
    return floor, devices


def entry(serial: int, queue: QueueId, at: float) -> t.CallEntered:
    """A caller joins a line."""
    call = CallId(f"{PBX}-{int(at * 1000)}.{serial}")
    return t.CallEntered(call, LegId(f"{PBX}-{int(at)}.{serial}"), queue, at, serial, 0, f"0912{serial:07}", None)


def ours(cell: Cell) -> float:
    """Seconds a decision: the message that frees an agent, until the offer is made."""
    floor, devices = crowded(cell, DECISIONS)
    facts = [t.DeviceChanged(device, DeviceState.NOT_IN_USE) for device in devices]
    now = NOON + cell.waiting
    gc.collect()
    gc.freeze()
    began = perf_counter()
    for fact in facts:
        effects = floor.handle(fact, now)
        assert len(effects.requests) == 1
    took = perf_counter() - began
    gc.unfreeze()
    return took / DECISIONS


def bare(cell: Cell) -> float:
    """Seconds a decision with one heap a queue."""
    rng = random.Random(1)
    heaps: list[list[tuple[float, int]]] = [[] for _ in range(2 * cell.queues)]
    agents = [rng.sample(heaps, cell.queues) for _ in range(DECISIONS)]
    for serial in range(cell.waiting):
        heappush(rng.choice(heaps), (NOON + serial * 1e-3, serial))
    gc.collect()
    began = perf_counter()
    for lines in agents:
        best = None
        for line in lines:
            if line and (best is None or line[0] < best[0]):
                best = line
        if best is not None:
            heappop(best)
    return (perf_counter() - began) / DECISIONS


async def run(*, full: bool) -> bool:
    """Print the table; whether both goals are reached."""
    sizes, widths = ((1_000, 10_000, 100_000), (5, 20, 50)) if full else ((1_000, 10_000), (5, 50))
    heading("decisions", f"{DECISIONS} freed agents a cell, median of {5 if full else 3} runs")
    least, growth = float("inf"), 0.0
    for queues in widths:
        before = None
        for waiting in sizes:
            cell = Cell(waiting, queues)
            pairs = [(ours(cell), bare(cell)) for _ in range(5 if full else 3)]
            us, peer = (median(side) for side in zip(*pairs, strict=True))
            ratio = peer / us
            print(
                f"   {waiting:7,} waiting, {queues:2} queues an agent: {1 / us:9,.0f} decisions/s"
                f"   bare heap {1 / peer:9,.0f}   ratio {ratio:.2f}"
            )
            least = min(least, ratio)
            if before is not None:
                growth = max(growth, us / before)
            before = us
    enough = verdict("decisions, share of the bare heap, the least of all cells", least, ">= 0.2", least >= 0.2)
    return verdict("cost of a decision when ten times as many wait", growth, "<= 2", growth <= 2) and enough
