"""``python -m tests.simulator [--seeds 0-999] [--scenario NAME] [--jobs N]``, and ``--story SEED`` for one of them."""

import argparse
import signal
import sys
import time
from collections import Counter
from multiprocessing import get_context

from tests.simulator.run import Result, Run
from tests.simulator.scenarios import SCENARIOS


def main() -> int:
    """The number of runs that broke something, at most 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulator", description=__doc__)
    parser.add_argument("--seeds", default="0-199", help="first-last")
    parser.add_argument("--scenario", choices=sorted(SCENARIOS), help="one for all; else each seed has its own")
    parser.add_argument("--story", type=int, metavar="SEED", help="tell what happens in one run")
    parser.add_argument("--races", type=int, metavar="N", help="go on from the first seed until there were N races")
    parser.add_argument("--jobs", type=int, default=1)
    asked = parser.parse_args()
    if asked.story is not None:
        return _tell(asked.story, asked.scenario)
    first, _, last = asked.seeds.partition("-")
    seeds = range(int(first), int(last or first) + 1)
    began = time.perf_counter()
    results: list[Result] = []
    work = [(seed, asked.scenario) for seed in seeds]
    if asked.jobs == 1:
        signal.signal(signal.SIGTERM, lambda *_: _leave(results, began))
    if asked.races is not None:
        seed = int(first)
        while sum(result.races for result in results) < asked.races:
            results.append(_play((seed, asked.scenario or "crowd")))
            _complain(results[-1])
            seed += 1
    elif asked.jobs > 1:
        with get_context("fork").Pool(asked.jobs) as pool:
            for result in pool.imap_unordered(_play, work, chunksize=4):
                results.append(result)
                _complain(result)
    else:
        for one in work:
            results.append(_play(one))
            _complain(results[-1])
    _sum_up(results, time.perf_counter() - began)
    return int(any(result.broken for result in results))


def _leave(results: list[Result], began: float) -> None:
    """Asked to stop: say what was found so far."""
    _sum_up(results, time.perf_counter() - began)
    sys.exit(int(any(result.broken for result in results)))


def _play(work: tuple[int, str | None]) -> Result:
    return Run(*work).go()


def _tell(seed: int, scenario: str | None) -> int:
    story: list[str] = []
    run = Run(seed, scenario, story)
    try:
        result = run.go()
    finally:
        print("\n".join(story))
    print(f"seed {seed}, {result.scenario}: {result.broken or 'all is well'}")
    return int(result.broken is not None)


def _complain(result: Result) -> None:
    if result.broken:
        print(f"seed {result.seed} ({result.scenario}): {result.broken.splitlines()[0][:300]}", flush=True)


def _sum_up(results: list[Result], seconds: float) -> None:
    for name in sorted({result.scenario for result in results}):
        of_it = [result for result in results if result.scenario == name]
        befell: Counter[str] = sum((one.befell for one in of_it), Counter())
        counts: Counter[str] = sum((one.counts for one in of_it), Counter())
        print(
            f"{name:10} {len(of_it):5} runs {sum(one.callers for one in of_it):7} callers "
            f"{sum(one.offers for one in of_it):7} offers {sum(one.races for one in of_it):6} races "
            f"{sum(one.talks for one in of_it):6} talks {sum(one.lives for one in of_it):5} lives "
            f"{sum(one.lost_events for one in of_it):5} lost events, "
            f"differences up to {max(one.longest for one in of_it):.1f} s, broken {sum(bool(one.broken) for one in of_it)}"
            f"\n{'':10} {dict(counts)} {dict(befell) or ''}"
        )
    print(f"{len(results)} runs in {seconds:.1f} s")


if __name__ == "__main__":
    sys.exit(main())
