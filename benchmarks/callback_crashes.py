"""callback_crashes: every place in the life of a promise and an attempt is struck, again and again, and the outcome counted.

Service, database and PBX are simulated with the wires between them (``tests/support/callback_run.py``). What is killed loses
what is on its wires from some place on; a new service starts from the database alone. Counted: attempts dialled twice, customers
dialled after they had been served, and customers who were promised a callback and are forgotten. All must be 0.
"""

from itertools import product

from acd.callback_policy import CallbackMode
from benchmarks.figures import heading, verdict
from tests.support.callback_run import SERVICE_POINTS, CallbackRun


async def run(*, full: bool) -> bool:
    """Print a line for each place; whether nothing was dialled twice and nobody forgotten."""
    times = 200 if full else 5
    heading(
        "callback_crashes",
        f"{len(SERVICE_POINTS)} places, the service killed {times} times at each, a fifth with the PBX",
    )
    print("   struck at             runs   struck   dialled   problems")
    wrong = 0
    for place in SERVICE_POINTS:
        runs = [
            CallbackRun(seed, place, mode=mode, pbx=pbx).run()
            for pbx, count in ((False, times), (True, max(1, times // 5)))
            for mode, seed in product(CallbackMode, range((count + 1) // 2))
        ]
        struck, dialled = sum(one.struck for one in runs), sum(sum(one.pbx.dials.values()) for one in runs)
        problems = sum(len(one.problems) for one in runs)
        wrong += problems
        print(f"   {place:20} {len(runs):5d} {struck:8d} {dialled:9d} {problems:10d}", flush=True)
    return verdict("doubles, late calls and forgotten customers", wrong, "0", wrong == 0)
