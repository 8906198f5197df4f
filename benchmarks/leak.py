"""leak: calls at the highest rate that two machines' worth of Asterisk will carry, and what is left when nobody calls any more.

Channels and bridges by Asterisk's own word; calls, tasks, files and threads of the service against what it held before.
"""

import asyncio
import re

from benchmarks.figures import heading, verdict
from chaos import judge
from chaos.centre import NUMBER, Centre, centre
from chaos.watch import open_things, resident
from tests.support.phonebank import Customer
from tests.support.until import Late, until

AGENTS, LIVE = 50, 100
WARM = 3_000
"""Calls after which the memories with a bound are full (500 ended calls, 10,000 events of the feed): until then each call adds."""

MOST_GROWTH = 0.05
SLACK = {"tasks": 2, "files": 3, "threads": 3}
"""What a scrape or a connection that is being closed may hold in the moment of the look."""


async def run(*, full: bool) -> bool:
    """Print what is left; whether it is nothing."""
    calls = 10_000 if full else 500
    async with centre(AGENTS, rest_s=0.0) as running:
        await running.bank.given_phone("any", does="answer", talk=(0.1, 0.3))
        await _call(running, WARM if full else 100)  # everything that is made on first use, and what fills up
        await running.until_quiet()
        before, memory = await _held(running), resident(running.service.running_pid() or 0)
        began = asyncio.get_running_loop().time()
        await _call(running, calls)
        took = asyncio.get_running_loop().time() - began
        await running.until_quiet()
        try:
            await until(lambda: _as_before(running, before), "all is as before", within_s=30, every_s=0.5)
        except Late:
            print("   something was kept")
        after, grown = await _held(running), resident(running.service.running_pid() or 0) / memory - 1
        client = await running.pbx.ami()
        channels, bridges = len(await client.list("Status")), len(await client.list("BridgeList"))
        await client.close()
        records = await running.all("/v1/calls")
        wrong = judge.equation(await running.stats(), records)
    heading("leak", f"{calls} calls in {took:.0f} s, {calls / took:.1f} a second")
    print(f"   the service before: {before}; after: {after}; its memory {grown:+.1%}")
    print(f"   {len(records)} records; {wrong or 'the equation holds'}")
    kept = {name: after[name] - before[name] for name in before}
    return all(
        [
            verdict("channels left", float(channels), "0", channels == 0),
            verdict("bridges left", float(bridges), "0", bridges == 0),
            verdict("calls and legs remembered", float(after["remembered"]), "0", after["remembered"] == 0),
            *(verdict(f"{name} left", float(kept[name]), "0", kept[name] <= slack) for name, slack in SLACK.items()),
            *([verdict("memory grown by", grown, "<= 0.05", grown <= MOST_GROWTH)] if full else []),
            verdict("callers not accounted for", float(len(wrong)), "0", not wrong),
        ]
    )


async def _call(running: Centre, calls: int) -> None:
    """So many calls, as many at once as the agents keep busy."""
    made, live = 0, list[Customer]()
    while made < calls:
        live = [one for one in live if not one.is_over]
        for _ in range(min(LIVE - len(live), calls - made)):
            live.append(await running.bank.call(NUMBER, patience_s=120))
            made += 1
        await asyncio.sleep(0.02)
    await running.bank.until(lambda: all(one.is_over for one in live), "all calls are over", 60)


async def _held(running: Centre) -> dict[str, int]:
    page = (await running.api.get("/metrics")).text
    own = {"tasks": _value(page, "acd_tasks"), "remembered": _value(page, 'ami_remembered{pbx="pbx1"}')}
    return own | open_things(running.service.running_pid() or 0)


async def _as_before(running: Centre, before: dict[str, int]) -> bool:
    now = await _held(running)
    return now["remembered"] == 0 and all(now[name] - before[name] <= slack for name, slack in SLACK.items())


def _value(page: str, series: str) -> int:
    found = re.search(rf"^{re.escape(series)} (\S+)$", page, re.MULTILINE)
    return int(float(found[1])) if found else -1
