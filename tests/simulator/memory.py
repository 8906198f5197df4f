"""``python -m tests.simulator.memory``: what the service keeps while callers come and go, and where it was allocated.

A run of the simulator in which nothing befalls, long enough that what has a bound comes near it; memory is compared between two
moments at which as many callers have come again. Growth is only counted where the service's own sources asked for it.
"""

import argparse
import gc
import tracemalloc
from dataclasses import replace
from pathlib import Path

from tests.simulator.people import Temper
from tests.simulator.run import Run
from tests.simulator.scenarios import SCENARIOS

SOURCES = str(Path(__file__).parents[2] / "src" / "*")
BUSY = Temper(answers=0.9, refuses=0.05, silent=0.05, caller_leaves=0.05, talk_s=1.0, patience_s=30.0, gap_s=0.2)


def main() -> int:
    """Print it. 1 if more was kept for a call than ``--most`` bytes."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulator.memory", description=__doc__)
    parser.add_argument("--calls", type=int, default=3000, help="in each of the two halves, after as many to get warm")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--most", type=float, default=2000.0, metavar="BYTES", help="a call may leave behind")
    asked = parser.parse_args()
    run = Run(asked.seed, "crowd")
    run.scenario = replace(SCENARIOS["crowd"], temper=BUSY)
    run.people.temper = BUSY
    with run.troubles:
        run._set_up()
        run.people.begin()
        _until(run, asked.calls)
        tracemalloc.start(12)
        _until(run, 2 * asked.calls)
        first = _taken()
        _until(run, 3 * asked.calls)
        second = _taken()
        tracemalloc.stop()
    grown = second.compare_to(first, "lineno")
    total = sum(one.size_diff for one in grown)
    print(f"{asked.calls} calls more: {total / 1024:+.0f} KiB, {total / asked.calls:+.0f} bytes a call")
    for one in sorted(grown, key=lambda one: -abs(one.size_diff))[:15]:
        frame = one.traceback[0]
        print(
            f"{one.size_diff / 1024:+9.1f} KiB {one.count_diff:+7d}  {frame.filename.rpartition('/src/')[2]}:{frame.lineno}"
        )
    for life in run.lives:
        life.die()
        life.bury()
    return int(total / asked.calls > asked.most)


def _until(run: Run, callers: int) -> None:
    while len(run.asterisk.callers) < callers:
        run.clockwork.run_until(run.clockwork.now + 1.0)


def _taken() -> tracemalloc.Snapshot:
    gc.collect()
    return tracemalloc.take_snapshot().filter_traces((tracemalloc.Filter(True, SOURCES),))


if __name__ == "__main__":
    raise SystemExit(main())
