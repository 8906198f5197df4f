"""assign_latency: how long a caller waits although an agent is free.

10 agents, 20 callers waiting all the time, about 3 calls a second; from the agent's BYE to the next INVITE at the same phone,
both stamped by the phone bank. Nobat (service with database and API on) and app_queue take turns on one Asterisk. Talk times are
random: a constant one locks onto app_queue's own poll of a second and would flatter it.
"""

from benchmarks.figures import Spread, heading, verdict
from benchmarks.rig import OURS, PEER, Rig, hand_offs, rig

AGENTS, WAITING = 10, 20
TALK_S = (2.0, 4.6)


async def run(*, full: bool) -> bool:
    """Print both; whether the goals were reached."""
    blocks, calls = (5, 60) if full else (2, 40)
    ours: list[float] = []
    peer: list[float] = []
    async with rig(AGENTS, talk_s=TALK_S) as running:
        for _ in range(blocks):
            ours += await block_of(running, OURS, calls)
            peer += await block_of(running, PEER, calls)
    mine, theirs = Spread.of(ours), Spread.of(peer)
    heading("assign_latency", f"{AGENTS} agents, {WAITING} waiting; agent's BYE to next INVITE, ms")
    print(f"   nobat      {mine}\n   app_queue  {theirs}")
    reached = [
        verdict("median, ms", mine.p50, "<= 5", mine.p50 <= 5),
        verdict("p99, ms", mine.p99, "<= 25", mine.p99 <= 25),
        verdict("app_queue's median / ours", theirs.p50 / mine.p50, ">= 100", theirs.p50 / mine.p50 >= 100),
    ]
    return all(reached)


async def block_of(running: Rig, number: str, wanted: int) -> list[float]:
    """At least ``wanted`` hand-offs with the line always full; those while it filled are left out."""
    running.bank.moments.clear()
    settled = AGENTS  # each agent's first hand-off may come before all wait
    await running.keep_calling(
        number,
        AGENTS + WAITING,
        lambda: len(hand_offs(running.bank.moments)) >= wanted + settled,
        within_s=wanted * 2.0 + 30,
    )
    spans = hand_offs(running.bank.moments)[settled : settled + wanted]
    if len(spans) < wanted:
        print(f"   void: only {len(spans)} of {wanted} hand-offs at {number}")
    return spans
