"""assign_prompts: whether a free agent's phone rings as fast while callers are spoken to as while they hear music.

The same rig and figures as assign_latency. In every other block the queue speaks to each waiting caller all the time: a sentence,
the place and the expected wait, longer together than anybody waits there. The share of the waiting callers who heard a prompt
is looked up on the PBX twice a second, so that the figures are known to be what they say.
"""

import asyncio
from contextlib import suppress

from benchmarks.assign_latency import AGENTS, TALK_S, WAITING, block_of
from benchmarks.figures import Spread, heading, verdict
from benchmarks.rig import OURS, Rig, rig

SPOKEN = {"welcome": "system-restarting", "position": True, "expected_wait": True, "first_after_s": 0, "every_s": 10}
MUSIC = {"welcome": "", "position": False, "expected_wait": False}
SLACK_MS = 1.0
"""By how much two runs of the very same thing differ here."""


async def run(*, full: bool) -> bool:
    """Print both; whether the goals were reached."""
    blocks, calls = (5, 60) if full else (2, 40)
    spans: dict[str, list[float]] = {"music": [], "prompts": []}
    shares: dict[str, list[float]] = {"music": [], "prompts": []}
    async with rig(AGENTS, talk_s=TALK_S) as running:
        for _ in range(blocks):
            for name, policy in (("music", MUSIC), ("prompts", SPOKEN)):
                reply = await running.api.patch("/v1/queues/sales", json={"announcements": policy})
                reply.raise_for_status()
                watch = asyncio.get_running_loop().create_task(_spoken_to(running, shares[name]))
                spans[name] += await block_of(running, OURS, calls)
                watch.cancel()
                with suppress(asyncio.CancelledError):
                    await watch
    music, prompts = Spread.of(spans["music"]), Spread.of(spans["prompts"])
    heading("assign_prompts", f"{AGENTS} agents, {WAITING} waiting; agent's BYE to next INVITE, ms")
    for name, spread in (("music", music), ("prompts", prompts)):
        heard = sum(shares[name]) / max(1, len(shares[name]))
        print(f"   {name:8}   {spread}   {heard:.0%} of the waiting heard a prompt")
    reached = [
        verdict("median with prompts, ms", prompts.p50, "<= 5", prompts.p50 <= 5),
        verdict("p99 with prompts, ms", prompts.p99, "<= 25", prompts.p99 <= 25),
        verdict(
            "median with prompts - with music, ms", prompts.p50 - music.p50, "<= 1", prompts.p50 - music.p50 <= SLACK_MS
        ),
    ]
    return all(reached)


async def _spoken_to(running: Rig, shares: list[float]) -> None:
    """Note again and again which share of those in the wait loop hears a prompt. Runs until cancelled."""
    ami = await running.pbx.ami()
    try:
        while True:
            await asyncio.sleep(0.5)
            waiting = [one for one in await ami.list("Status") if one["Context"] == "acd-wait"]
            if len(waiting) >= WAITING - AGENTS // 2:  # the line is full
                shares.append(sum(one["Application"] == "BackGround" for one in waiting) / len(waiting))
    finally:
        await ami.close()
