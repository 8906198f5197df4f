"""cpu_share: what the service costs beside the Asterisk that it drives, a call, at three rates. History and API are on.

50 agents and 200 callers who wait all the time, as on a bad day; the rate is set by how long the agents talk. 2,000 agents at
180 s a call are 11 calls a second, so the lowest rate is already that of a large house.
"""

import asyncio

from benchmarks.figures import heading, verdict
from benchmarks.rig import OURS, Rig, rig

AGENTS, WAITING = 50, 200
RATES = (10.0, 20.0, 30.0)  # calls a second


async def run(*, full: bool) -> bool:
    """Print the share at each rate; whether the goal was reached at all of them."""
    seconds = 40.0 if full else 12.0
    async with rig(AGENTS, talk_s=(1.0, 2.0)) as running:
        rows = [await _at(running, rate, seconds) for rate in RATES]
    heading("cpu_share", f"CPU of the service against CPU of Asterisk; {AGENTS} agents, {WAITING} waiting")
    reached = []
    for rate, calls, service, pbx in rows:
        print(
            f"   {rate:4.1f} calls/s: service {1000 * service:5.2f} ms, Asterisk {1000 * pbx:5.2f} ms a call ({calls} calls)"
        )
        reached.append(verdict(f"share at {rate:.0f} calls/s", service / pbx, "<= 0.20", service / pbx <= 0.20))
    return all(reached)


async def _at(running: Rig, rate: float, seconds: float) -> tuple[float, int, float, float]:
    """Rate as it came out, calls, and CPU seconds a call of the service and of Asterisk, once the line is full."""
    talk = AGENTS / rate
    await running.bank.given_phone("any", talk=(0.7 * talk, 1.3 * talk))
    loop = asyncio.get_running_loop()
    began: list[tuple[float, int, float, float]] = []

    def state() -> tuple[float, int, float, float]:
        answers = sum(moment.kind == "PhoneAnswer" for moment in running.bank.moments)
        return loop.time(), answers, running.service_cpu(), running.pbx_cpu()

    def enough() -> bool:
        live = sum(not customer.is_over for customer in running.bank.customers.values())
        if not began and live >= AGENTS + WAITING:
            began.append(state())
        return bool(began) and loop.time() - began[0][0] > seconds + talk

    await running.keep_calling(
        OURS, AGENTS + WAITING, enough, within_s=seconds + talk + 40, before_quiet=lambda: began.append(state())
    )
    first, last = began[0], began[-1]
    calls = max(1, last[1] - first[1])
    running.bank.customers.clear()
    return calls / (last[0] - first[0]), calls, (last[2] - first[2]) / calls, (last[3] - first[3]) / calls
