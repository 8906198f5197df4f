"""cpu_share: what the service costs beside the Asterisk that it drives, a call, at three rates. History and API are on.

2,000 agents at 180 s a call are 11 calls a second: the rates are half of that, that, and twice that.
"""

import asyncio

from benchmarks.figures import heading, verdict
from benchmarks.rig import OURS, rig

RATES = (5.0, 10.0, 20.0)  # calls a second
AGENTS = 60


async def run(*, full: bool) -> bool:
    """Print the share at each rate; whether the goal was reached at all of them."""
    seconds = 40.0 if full else 12.0
    rows: list[tuple[float, int, float, float]] = []
    async with rig(AGENTS, talk_s=(1.0, 2.0)) as running:
        for rate in RATES:
            await running.quiet()
            service, pbx = running.service_cpu(), running.pbx_cpu()
            calls = int(rate * seconds)
            customers = []
            began = asyncio.get_running_loop().time()
            for number in range(calls):
                await asyncio.sleep(max(0.0, began + number / rate - asyncio.get_running_loop().time()))
                customers.append(await running.bank.call(OURS))
            await running.bank.until(lambda c=customers: all(one.is_over for one in c), "all calls over", 60)  # type: ignore[misc]
            rows.append((rate, calls, running.service_cpu() - service, running.pbx_cpu() - pbx))
    heading("cpu_share", "CPU of the service against CPU of Asterisk, a call")
    reached = []
    for rate, calls, service, pbx in rows:
        print(
            f"   {rate:4.0f} calls/s: service {1000 * service / calls:5.2f} ms, Asterisk {1000 * pbx / calls:5.2f} ms a call"
        )
        reached.append(verdict(f"share at {rate:.0f} calls/s", service / pbx, "<= 0.20", service / pbx <= 0.20))
    return all(reached)
