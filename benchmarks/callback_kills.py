"""callback_kills: SIGKILL at each place of a promise and of an attempt, on real Asterisk: who is dialled twice, who is forgotten?

``callback_crashes`` strikes the same places thousands of times in a simulation. Here each is struck once, in the service as it is
shipped: it kills itself at the failpoint, or is killed when a phone rings or is picked up; then it is started again.
"""

from acd.callback_policy import CallbackMode
from benchmarks.figures import heading, verdict
from tests.support.serving import Serving
from tests.support.strikes import PLACES, Struck, struck

QUICK = 4
"""The quick form strikes every so many-th place."""


async def run(*, full: bool) -> bool:
    """Print a line for each place; whether nobody was dialled twice and nobody forgotten."""
    modes = tuple(CallbackMode) if full else (CallbackMode.AGENT_FIRST,)
    places = PLACES if full else PLACES[::QUICK]
    heading("callback_kills", f"{len(places)} places, {' and '.join(mode.value for mode in modes)}")
    print("   struck at                                     mode          rings   attempts                  ended")
    serving = await Serving.opened(agents=3)
    found: list[Struck] = []
    try:
        for mode in modes:
            for place in places:
                found.append(one := await struck(serving, place, mode.value))
                tried = " ".join(map(str, one.attempts))
                died = "" if one.died else "   NOT STRUCK"
                wrong = "".join(f"   {problem.upper()}" for problem in one.problems)
                print(
                    f"   {place:45} {mode.value:12} {one.rings:6d}   {tried:25} {one.ended or '-'}{died}{wrong}",
                    flush=True,
                )
                await serving.quiet()
    finally:
        await serving.close()
    missed = sum(not one.died for one in found)
    wrong = sum(len(one.problems) for one in found)
    return all(
        [
            verdict("places that were not struck", missed, "0", not missed),
            verdict("doubles and forgotten customers", wrong, "0", not wrong),
        ]
    )
