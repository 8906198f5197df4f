"""supervision: from the request for a mode to its sound, and from a call's bridge to the supervisor who goes with its agent.

No peer: app_queue knows no supervision. The moments of sound are found in the parties' own recordings, in steps of 10 ms.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from benchmarks.figures import heading, verdict
from tests.support.serving import Serving
from tests.support.supervising import CALLER_TONE, PRESENT, SUPERVISOR_TONE, Heard, Supervisor, given_a_talk, recordings
from tests.support.tones import goertzel

STEP_S = 0.01


@asynccontextmanager
async def _centre() -> AsyncIterator[tuple[Serving, Supervisor]]:
    serving = await Serving.opened(agents=2)
    supervisor = await Supervisor.given(serving)
    try:
        yield serving, supervisor
    finally:
        await supervisor.close()
        await serving.close()


async def run(*, full: bool) -> bool:
    """Print both; whether the goals were reached."""
    times = 20 if full else 6
    async with _centre() as (serving, supervisor):
        modes = await _modes(serving, supervisor, times)
        await serving.quiet()
        calls = await _calls(serving, supervisor, times)
    heading("supervision", f"{times} changes of mode, {times} calls of one agent")
    print(f"   PATCH to the supervisor's voice at the agent: {_shown(modes)}")
    print(f"   caller's bridge to his voice at the supervisor: {_shown(calls)}")
    reached = [
        verdict("ms to a mode, at most", max(modes) * 1000, "<= 300", max(modes) <= 0.3),
        verdict("ms to the next call, at most", max(calls) * 1000, "<= 500", max(calls) <= 0.5),
    ]
    return all(reached)


def _shown(values: list[float]) -> str:
    ordered = sorted(values)
    return f"median {ordered[len(ordered) // 2] * 1000:.0f} ms, most {ordered[-1] * 1000:.0f} ms"


async def _modes(serving: Serving, supervisor: Supervisor, times: int) -> list[float]:
    """From listen to whisper: until the agent hears the supervisor."""
    customer = await given_a_talk(serving)
    await supervisor.joins("listen", agent="101")
    asked: list[float] = []
    for _ in range(times):
        asked.append(time.time())  # noqa: TID251 - the phone bank tells the time by the same clock
        await supervisor.change("whisper")
        await asyncio.sleep(0.6)
        await supervisor.change("listen")
        await asyncio.sleep(0.6)
    await serving.bank.leave(customer)
    await supervisor.stop()
    heard = (await recordings(serving, customer))["agent"]
    return [_first(heard, at, SUPERVISOR_TONE) - at for at in asked]


async def _calls(serving: Serving, supervisor: Supervisor, times: int) -> list[float]:
    """One session, call after call: until the supervisor hears the caller."""
    await serving.bank.given_phone(supervisor.phone, talk=0, tone=SUPERVISOR_TONE, record=True)
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
    return [_first(heard, at, CALLER_TONE) - at for at in began]


def _first(heard: Heard, from_at: float, tone: int) -> float:
    """When the tone is there first, after ``from_at``."""
    for step in range(200):
        at = from_at + step * STEP_S
        if goertzel(heard.between(at, at + STEP_S), heard.rate, tone) > PRESENT / 2:
            return at
    return from_at + 200 * STEP_S
