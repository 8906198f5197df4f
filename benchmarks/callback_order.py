"""callback_order: fifty callers, half of whom take a callback, and five agents, on real Asterisk: who loses the place?

Callers come one after the other while all agents talk; every second one on the average takes a callback and hangs up. Then
the agents become free. Their phones and the customers' own belong to a second Asterisk, whose clock says when each rang first.
*Passed by* is how many later callers an agent was taken for before one was for somebody, as the live feed tells it; *phones out
of order* are first rings that came before that of somebody who had come earlier, and by how much.
"""

from acd.callback_policy import CallbackMode
from benchmarks.figures import heading, percentile, verdict
from tests.support.called_back import calls_back
from tests.support.serving import Serving
from tests.support.team import Team
from tests.support.turns import Turns, held

AGENTS = ("ann", "ben", "cyn", "dan", "eve")
CALLERS = 50
GOAL_WAIT_S = 5.0


async def run(*, full: bool) -> bool:
    """Print a line for each run; whether everybody kept the place and was dialled once."""
    seeds = range(1, 4 if full else 2)
    heading(
        "callback_order",
        f"{CALLERS} callers, half of whom are called back, {len(AGENTS)} agents, {len(seeds)} runs a mode",
    )
    print(
        "   mode          talked   passed by at most   phones out of order   dialled twice   wait when on: p50, p95 s"
    )
    serving = await Serving.opened(agents=12)
    found: dict[CallbackMode, list[Turns]] = {}
    try:
        for mode in CallbackMode:
            for seed in seeds:
                found.setdefault(mode, []).append(await _once(serving, mode, seed))
                await serving.quiet()
    finally:
        await serving.close()
    return all(_verdicts(found))


async def _once(serving: Serving, mode: CallbackMode, seed: int) -> Turns:
    callbacks = calls_back(mode=mode.value, ring_s=20, confirm_s=4, confirm_times=3)
    team = await Team.given(serving, *AGENTS, ring_s=15, callbacks=callbacks)
    turns = await held(team, CALLERS, talk_s=(3.0, 7.0), ring_s=(0.5, 3.0), seed=seed)
    waits = [one / 1000 for one in turns.wait_on_ms]
    apart = f" by {', '.join(f'{one:.0f}' for one in turns.swapped_ms)} ms" if turns.swapped_ms else ""
    print(
        f"   {mode.value:12} {len(turns.talked):7d} {turns.passed_by:19d} {len(turns.swapped_ms):21d}"
        f" {_doubles(turns):15d} {percentile(waits, 0.5):17.2f} {percentile(waits, 0.95):6.2f}{apart}",
        flush=True,
    )
    return turns


def _doubles(turns: Turns) -> int:
    return sum(times > 1 for times in turns.dialled.values())


def _verdicts(found: dict[CallbackMode, list[Turns]]) -> list[bool]:
    first, in_time = found[CallbackMode.AGENT_FIRST], found[CallbackMode.JUST_IN_TIME]
    inversions = sum(one.assigned != one.came for one in first)
    swapped = sum(len(one.swapped_ms) for one in first)
    passed = max(one.passed_by for one in in_time)
    doubles = sum(_doubles(one) for one in (*first, *in_time))
    silent = sum(len(one.came) - len(one.talked) for one in (*first, *in_time))
    waits = [wait / 1000 for one in in_time for wait in one.wait_on_ms]
    p95 = percentile(waits, 0.95)
    return [
        verdict(
            "agent first: runs in which agents were taken in another order than callers came",
            inversions,
            "0",
            not inversions,
        ),
        verdict("agent first: phones that rang out of order", swapped, "0", not swapped),
        verdict("just in time: passed by at most", passed, "<= 1", passed <= 1),
        verdict("customers dialled twice, or who never talked", doubles + silent, "0", not doubles + silent),
        verdict("just in time: wait when on, p95 s", p95, f"<= {GOAL_WAIT_S:g}", p95 <= GOAL_WAIT_S),
    ]
