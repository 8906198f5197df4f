"""simulated_day: a day of 20,000 calls through the real core on a virtual clock, against the barest loop of the same arrivals."""

import random
from heapq import heappop, heappush
from time import perf_counter

from benchmarks.figures import heading, verdict
from tests.support.day import Day, Plan


def bare(calls: int, agents: int, seed: int) -> float:
    """Seconds for an M/M/n loop without names, states or history: what the arithmetic alone costs."""
    rng = random.Random(seed)
    free_at = [0.0] * agents
    began, at = perf_counter(), 0.0
    for _ in range(calls):
        at += rng.expovariate(calls / 86400)
        start = max(at, heappop(free_at))
        heappush(free_at, start + rng.expovariate(1 / 180))
    return perf_counter() - began


async def run(*, full: bool) -> bool:
    """Print both; whether the day took less than its 10 s."""
    plan = Plan()
    rounds = 3 if full else 1
    ours, loop = [], []
    for seed in range(rounds):
        began = perf_counter()
        day = Day(plan, seed, keep_events=False).run()
        ours.append(perf_counter() - began)
        loop.append(bare(plan.calls, plan.agents, seed))
    best, least = min(ours), min(loop)
    heading("simulated_day", f"{plan.calls} calls, {plan.agents} agents, {day.messages} messages")
    print(f"   core {best:.2f} s: {plan.calls / best:,.0f} calls/s, {day.messages / best:,.0f} messages/s")
    print(f"   bare loop {least:.3f} s: {plan.calls / least:,.0f} calls/s; ratio {least / best:.3f}")
    return verdict("a day of 20,000 calls, s", best, "< 10", best < 10)
