"""memory: what a waiting caller takes, against the barest record of one in a heap.

Resident memory of a process of its own, before and after the callers have joined: identity, place, number, forecast and all
that routing keeps, with everything the interpreter and the allocator add.
"""

import gc
from collections.abc import Callable
from heapq import heappush
from multiprocessing import get_context
from pathlib import Path
from resource import getpagesize

from benchmarks.decisions import NOON, Cell, crowded, entry
from benchmarks.figures import heading, verdict

AGENTS = 100


def resident() -> int:
    """Bytes of this process that are in memory."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * getpagesize()


def floor(callers: int) -> float:
    """Bytes a waiting caller on the floor, agents and queues aside."""
    held, _ = crowded(Cell(1, 5), AGENTS)
    names = list(held.queues)
    before = resident()
    for serial in range(2, callers + 2):
        at = NOON + serial * 1e-3
        held.handle(entry(serial, names[serial % len(names)], at), at)
    return (resident() - before) / callers


def bare(callers: int) -> float:
    """Bytes a waiting caller as time, serial and id in a heap."""
    heap: list[tuple[float, int, str]] = []
    before = resident()
    for serial in range(callers):
        heappush(heap, (NOON + serial * 1e-3, serial, f"pbx1-{int(NOON * 1000 + serial)}.{serial}"))
    return (resident() - before) / callers


def alone(work: Callable[[int], float], callers: int) -> float:
    """Run in a fresh process: what another benchmark has left free must not be counted as ours."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(work, (callers,))


async def run(*, full: bool) -> bool:
    """Print both; whether a caller takes at most 2 kB."""
    callers = 100_000 if full else 20_000
    ours, peer = alone(floor, callers), alone(bare, callers)
    heading("memory", f"{callers:,} callers waiting")
    print(f"   core {ours:,.0f} bytes a caller; bare {peer:,.0f}; ratio {ours / peer:.1f}")
    return verdict("bytes a waiting caller", ours, "<= 2000", ours <= 2000)
