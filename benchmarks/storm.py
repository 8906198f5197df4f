"""storm: 20 new calls a second for 60 s, 60 agents, talk times of 1 to 2 s. Every call accounted for, no channel left behind."""

import asyncio
from collections.abc import Sequence

from benchmarks.figures import Spread, heading, verdict
from benchmarks.rig import OURS, rig
from tests.support.phonebank import Customer, PhoneMoment

RATE, AGENTS = 20.0, 60


async def run(*, full: bool) -> bool:
    """Print what became of the calls; whether none was lost."""
    seconds = 60.0 if full else 15.0
    calls = int(RATE * seconds)
    async with rig(AGENTS, talk_s=(1.0, 2.0)) as running:
        customers = []
        began = asyncio.get_running_loop().time()
        behind = 0.0
        for number in range(calls):
            due = began + number / RATE
            behind = max(behind, asyncio.get_running_loop().time() - due)
            await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))
            customers.append(await running.bank.call(OURS))
        await running.bank.until(lambda: all(one.is_over for one in customers), "all calls over", 60)
        await running.quiet()
        stats = await running.get("/v1/queues/sales/stats?window=1h")
        left = 0 if await running.pbx.is_quiet() else 1
        refused = sum(one.refused is not None for one in customers)
    waits = _waits(running.bank.moments, customers)
    heading("storm", f"{calls} calls at {RATE:.0f} a second, {AGENTS} agents")
    print(
        f"   offered {stats['offered']}, answered {stats['answered']}, abandoned {stats['abandoned']}, lost {stats['lost']},"
    )
    print(f"   waiting {stats['waiting']}; refused at SIP {refused}; generator at most {behind * 1000:.0f} ms behind")
    print(f"   caller answered by Asterisk to agent's phone ringing, ms: {waits}")
    accounted = stats["answered"] == calls == stats["offered"]
    return all(
        [
            verdict("calls not answered", float(calls - int(str(stats["answered"]))), "0", accounted),
            verdict("channels left", float(left), "0", left == 0),
            verdict("refused", float(refused), "0", refused == 0),
        ]
    )


def _waits(moments: Sequence[PhoneMoment], customers: Sequence[Customer]) -> Spread:
    """From the answer of the queue to the INVITE at the agent's phone, matched by the caller's number."""
    up = {customer.number: customer.answered_ms for customer in customers if customer.answered_ms is not None}
    return Spread.of([m.ms - up[m.caller] for m in moments if m.kind == "PhoneInvite" and m.caller in up])
