"""decisions: who gets the freed agent, through the whole floor, against one bare heap a queue.

Agents with 5 to 50 queues each are on a phone call of their own; all lines are long. Again and again a caller is put into a
line and an agent hangs up: the message must name the caller who stands first in any of that agent's lines. The peer keeps one
``heapq`` a queue: a push, a look at the heads of the agent's queues, a pop, and a note of who got whom; no eligibility, no states,
no explanation, no events, no requests. What a caller brings when joining (identity, directory, forecast) is outside on both sides.
"""

import gc
import random
from dataclasses import dataclass
from heapq import heappop, heappush
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
    floor, devices = crowded(Cell(cell.waiting + DECISIONS, cell.queues), DECISIONS)
    late = list(floor.calls.values())[cell.waiting :]
    for call in late:
        floor.queues[call.queue].leave(call.place, call.needs)
    joins = [(floor.queues[call.queue], call.place, call.needs) for call in late]
    freed = [t.DeviceChanged(device, DeviceState.NOT_IN_USE) for device in devices]
    now, offers = NOON + cell.waiting, 0
    gc.collect()
    gc.freeze()
    began = perf_counter()
    for (queue, place, needs), fact in zip(joins, freed, strict=True):
        queue.stand(place, needs)
        offers += len(floor.handle(fact, now).requests)
    took = perf_counter() - began
    assert offers == DECISIONS
    gc.unfreeze()
    return took / DECISIONS


def bare(cell: Cell) -> float:
    """Seconds a decision with one heap a queue."""
    rng = random.Random(1)
    heaps: list[list[tuple[float, int]]] = [[] for _ in range(2 * cell.queues)]
    agents = [rng.sample(heaps, cell.queues) for _ in range(DECISIONS)]
    for serial in range(cell.waiting):
        heappush(rng.choice(heaps), (NOON + serial * 1e-3, serial))
    joins = [(rng.choice(heaps), NOON + cell.waiting + serial * 1e-3) for serial in range(DECISIONS)]
    got: dict[int, int] = {}
    gc.collect()
    began = perf_counter()
    for serial, (lines, (joined, at)) in enumerate(zip(agents, joins, strict=True)):
        heappush(joined, (at, cell.waiting + serial))
        best = None
        for line in lines:
            if line and (best is None or line[0] < best[0]):
                best = line
        if best is not None:
            got[serial] = heappop(best)[1]
    return (perf_counter() - began) / DECISIONS


async def run(*, full: bool) -> bool:
    """Print the table; whether both goals are reached."""
    sizes, widths = ((1_000, 10_000, 100_000), (5, 20, 50)) if full else ((1_000, 10_000), (5, 50))
    runs = 9 if full else 5
    heading("decisions", f"{DECISIONS} freed agents a cell, both sides' best of {runs} runs in turn")
    least, growth = float("inf"), 0.0
    for queues in widths:
        before = None
        for waiting in sizes:
            cell = Cell(waiting, queues)
            pairs = [(ours(cell), bare(cell)) for _ in range(runs)]
            us, peer = (min(side) for side in zip(*pairs, strict=True))  # what else the machine does only ever adds
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
