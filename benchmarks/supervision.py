"""supervision: who hears whom after each change between two modes, how soon, and how soon a supervisor is with the next call.

No peer: app_queue knows no supervision. The moments of sound are found in the parties' own recordings, in steps of 10 ms.
"""

import asyncio
from datetime import datetime

from benchmarks import walks
from benchmarks.figures import heading, verdict
from tests.support.serving import Serving
from tests.support.supervising import CALLER_TONE, SUPERVISOR_TONE, Supervisor, given_a_talk, recordings
from tests.support.until import until


async def run(*, full: bool) -> bool:
    """Print all; whether the goals were reached."""
    times = 20 if full else 4
    async with walks.centre() as (serving, supervisors):
        rows = await walks.walk_all(serving, supervisors, times, recorded=False)
        calls = await _calls(serving, supervisors[0], times)
        await serving.quiet()
        free = await _free(serving, supervisors[0], times)
    heading("supervision", f"each of the 12 changes {times} times, {times} calls of one agent, {times} ends of a call")
    reached = [walks.show(rows, recorded=False)]
    print(f"   bridge of the agent's next call to the caller's voice at the supervisor: {_shown(calls)}")
    print(f"   goodbye of a caller to the end of the supervisor's leg: {_shown(free)}")
    reached += [
        verdict("ms to the next call, at most", max(calls) * 1000, "<= 500", max(calls) <= 0.5),
        verdict("ms until the supervisor's leg is free, at most", max(free) * 1000, "<= 1000", max(free) <= 1.0),
    ]
    return all(reached)


def _shown(values: list[float]) -> str:
    ordered = sorted(values)
    return f"median {ordered[len(ordered) // 2] * 1000:.0f} ms, most {ordered[-1] * 1000:.0f} ms"


async def _calls(serving: Serving, supervisor: Supervisor, times: int) -> list[float]:
    """One session, call after call: until the supervisor hears the caller."""
    await serving.bank.given_phone(supervisor.phone, does="answer", ring=0, talk=0, tone=SUPERVISOR_TONE, record=True)
    customer = await given_a_talk(serving)
    last = customer
    await supervisor.joins("listen", agent="101")
    began: list[float] = []
    for _ in range(times):
        await serving.bank.leave(last)
        await supervisor.until(state="quiet")
        last = await serving.bank.call("8000", tone=CALLER_TONE)
        call = await serving.until_call(last, state="talking")
        began.append(datetime.fromisoformat(call["connected_at"]).timestamp())
        await asyncio.sleep(0.8)
    await serving.bank.leave(last)
    await supervisor.stop()
    heard = (await recordings(serving, customer))["supervisor"]
    return [walks.first_time(heard, at, CALLER_TONE) - at for at in began]


async def _free(serving: Serving, supervisor: Supervisor, times: int) -> list[float]:
    """A session of a call: from the caller's goodbye until no leg is left on the PBX."""
    found: list[float] = []
    for _ in range(times):
        customer = await given_a_talk(serving)
        await supervisor.joins("listen", call=(await serving.call_of(customer))["id"])
        began = asyncio.get_running_loop().time()
        await serving.bank.leave(customer)
        await until(serving.pbx.is_quiet, "no leg is left", within_s=10, seen=lambda: serving.pbx.left)
        found.append(asyncio.get_running_loop().time() - began)
        await supervisor.until(state="ended")
        await serving.until_agent("101", "idle")
    return found
