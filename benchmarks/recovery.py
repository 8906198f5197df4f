"""recovery: a service killed, and a link cut, with calls held by real SIP and RTP: until the first assignment, and in what order.

The full form holds 200 calls: 75 talk, 25 ring, 100 wait. In the moment of the fault an agent hangs up, so that there is something
to do: the caller at the head of the line must be offered to that agent first."""

import asyncio
import os
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from benchmarks.figures import Spread, cpu_seconds, heading, verdict
from chaos.centre import NUMBER, Centre, Json, centre
from tests.support.phonebank import Customer
from tests.support.until import until


@dataclass(frozen=True, slots=True)
class Held:
    """The calls that a fault finds."""

    talking: list[Customer]
    ringing: list[Customer]
    waiting: list[Customer]

    def all(self) -> list[Customer]:
        return [*self.talking, *self.ringing, *self.waiting]


@dataclass(frozen=True, slots=True)
class Recovered:
    """Seconds from the fault, from the start of the process (of one that was killed) and from the AMI login to the first offer."""

    from_fault: float
    from_start: float | None
    from_login: float | None
    wrong: tuple[str, ...]
    alone: bool = False
    """Asterisk was faster: the service was not back within the 12 seconds after which it serves by itself."""
    cpu_s: float | None = None
    """Of a process that was started: what it had used of a processor by then, whatever else the machine did."""


async def run(*, full: bool) -> bool:
    """Print the times; whether the goals were reached."""
    talk, ring, wait, rounds = (75, 25, 100, 5) if full else (8, 3, 10, 2)
    async with centre(talk + ring, ring_s=300, rest_s=0.0) as running:
        held = await hold(running, talk, ring, wait)
        media, machine = await _cpu(running)
        killed = [await recover(running, held, kill) for _ in range(rounds)]
        cut = [await recover(running, held, reset) for _ in range(rounds)]
        dark = [await black_hole(running) for _ in range(2)]
        lost = sum(one.is_over for one in held.all())
    heading("recovery", f"{talk} calls talking, {ring} ringing, {wait} waiting; {rounds} kills, {rounds} cuts")
    print(f"   the two Asterisks use {media:.2f} cores for the media, everything on this machine {machine:.2f}")
    started = [one.from_start for one in killed if one.from_start is not None]
    used = [one.cpu_s for one in killed if one.cpu_s is not None and not one.alone]
    logins = [one.from_login for one in (*killed, *cut) if one.from_login is not None]
    cuts = [one.from_fault for one in cut]
    print(f"   SIGKILL: process start to first assignment, s: {Spread.of(started)}")
    if used:
        print(f"   … of which the process itself computed, s:    {Spread.of(used)}")
    print(f"   AMI login to first assignment, s:             {Spread.of(logins)}")
    print(f"   AMI reset to first assignment, s:             {Spread.of(cuts)}")
    print(f"   black hole until it is noticed, s:            {Spread.of(dark)}")
    wrong = [sentence for one in (*killed, *cut) for sentence in one.wrong]
    alone = sum(one.alone for one in killed)
    if alone:
        print(f"   {alone} of {rounds} times Asterisk served the head of the line before the service was back")
    for sentence in wrong[:20]:
        print(f"   WRONG  {sentence}")
    return all(
        [
            verdict("process start to first assignment, s", max(started), "<= 3", max(started) <= 3),
            verdict("AMI login to first assignment, s", max(logins), "<= 0.3", max(logins) <= 0.3),
            verdict("AMI reset to first assignment, s", max(cuts), "<= 0.3 at the median", Spread.of(cuts).p50 <= 0.3),
            verdict("black hole noticed after, s", max(dark), "<= 3", max(dark) <= 3),
            verdict("calls lost", float(lost), "0", lost == 0),
            verdict("places changed, agents stuck, phones rung twice", float(len(wrong)), "0", not wrong),
        ]
    )


async def _cpu(running: Centre) -> tuple[float, float]:
    """Cores that both Asterisks use, and that are used at all, over some seconds."""
    pids = [one.running_pid() or 0 for one in (running.pbx.instance, running.bank.instance)]

    def read() -> tuple[float, float]:
        user, nice, system, idle, waiting, *rest = (
            int(one) for one in Path("/proc/stat").read_text().split("\n")[0].split()[1:]
        )
        del idle, waiting
        return sum(cpu_seconds(pid) for pid in pids), (user + nice + system + sum(rest[:3])) / os.sysconf("SC_CLK_TCK")

    before = read()
    await asyncio.sleep(5)
    after = read()
    return (after[0] - before[0]) / 5, (after[1] - before[1]) / 5


async def hold(running: Centre, talk: int, ring: int, wait: int) -> Held:
    """Calls that stay as they are until somebody hangs up."""
    bank, agents = running.bank, running.agents
    for agent in agents[talk:]:
        await running.choose(agent, "break")
        await bank.given_phone(f"agent-{agent}", does="silent")
    talking = await _calls(running, talk)
    await _until_states(running, talking=talk)
    for agent in agents[talk:]:
        await running.choose(agent, "available")
    ringing = await _calls(running, ring)
    await _until_states(running, talking=talk, offered=ring)
    waiting = await _calls(running, wait)
    await _until_states(running, talking=talk, offered=ring, waiting=wait)
    await asyncio.sleep(1.5)  # history is written a moment behind the calls
    return Held(talking, ringing, waiting)


async def _calls(running: Centre, count: int) -> list[Customer]:
    made = []
    for _ in range(count):
        made.append(await running.bank.call(NUMBER))
        await asyncio.sleep(0.03)
    return made


async def _until_states(running: Centre, **wanted: int) -> None:
    seen: Counter[str] = Counter()

    async def so() -> bool:
        seen.clear()
        seen.update(call["state"] for call in await running.all("/v1/calls", state=["waiting", "offered", "talking"]))
        return dict(seen) == wanted

    await until(so, f"calls are {wanted}", within_s=60, every_s=0.1, seen=lambda: dict(seen))


async def kill(running: Centre) -> float | None:
    """SIGKILL and start; when the process was started."""
    await asyncio.to_thread(running.service.kill)
    started = running.wire.now()
    await asyncio.to_thread(running.service.start)
    return started


async def reset(running: Centre) -> None:
    """The link is cut with RST."""
    running.proxy.reset()


async def black_hole(running: Centre) -> float:
    """Nothing passes; seconds until ``/readyz`` says so."""
    running.proxy.black_hole()
    began = perf_counter()

    async def noticed() -> bool:
        return not await running.ready()

    try:
        await until(noticed, "the black hole is noticed", within_s=10, every_s=0.01)
        return perf_counter() - began
    finally:
        running.proxy.light()
        await running.until_ready()


async def recover(running: Centre, held: Held, fault: Callable[[Centre], Awaitable[float | None]]) -> Recovered:
    """One fault, in whose moment the agent of the first conversation hangs up; what came of everybody."""
    before = await _seen(running)
    rung = Counter(one.caller for one in running.bank.moments if one.kind == "PhoneInvite")
    leaving, heir = held.talking.pop(0), held.waiting.pop(0)
    sent, logins = len(running.wire.sent), len(running.wire.logins)
    began = running.wire.now()
    if fault is reset:
        await running.bank.leave(leaving)
    started = await fault(running)
    if fault is kill:
        await running.bank.leave(leaving)
    rings = len(running.bank.moments)
    await until(
        lambda: len(running.wire.sent) > sent or _rings(running, heir, rings),
        "an assignment",
        within_s=60,
        every_s=0.001,
    )
    alone = len(running.wire.sent) == sent  # Asterisk was faster, because the service did not come back in time
    first = running.wire.sent[sent].at if not alone else running.wire.now()
    pid = running.service.running_pid() if fault is kill else None
    used = cpu_seconds(pid) if pid is not None else None
    login = running.wire.logins[logins] if len(running.wire.logins) > logins else None
    held.talking.append(heir)
    await running.until_ready()
    await until(lambda: any(one.caller == heir.number for one in running.bank.moments if one.kind == "PhoneAnswer"),
                "the head of the line is answered first", within_s=10,
                seen=lambda: (heir.number, running.wire.sent[sent:], running.bank.moments[-4:]))  # fmt: skip
    await asyncio.sleep(1)  # nothing more happens, which only time can show
    after = await _seen(running)
    wrong = _differences(before, after, leaving.number, heir.number, held)
    again = Counter(one.caller for one in running.bank.moments if one.kind == "PhoneInvite") - rung
    wrong += [f"a phone was rung again for {caller}" for caller in again if caller != heir.number]
    return Recovered(
        first - began,
        first - started if started is not None else None,
        first - login if login is not None else None,
        tuple(wrong),
        alone,
        used,
    )


def _rings(running: Centre, caller: Customer, since: int) -> bool:
    return any(one.kind == "PhoneInvite" and one.caller == caller.number for one in running.bank.moments[since:])


async def _seen(running: Centre) -> tuple[list[str], dict[str, Json], dict[str, str]]:
    """The line, the live calls by number, and each agent's state."""
    line = [one["caller"]["number"] for one in await running.all("/v1/queues/sales/line")]
    calls = {
        one["caller"]["number"]: one for one in await running.all("/v1/calls", state=["waiting", "offered", "talking"])
    }
    return line, calls, {one["id"]: one["state"] for one in await running.all("/v1/agents")}


def _differences(
    before: tuple[list[str], dict[str, Json], dict[str, str]],
    after: tuple[list[str], dict[str, Json], dict[str, str]],
    left: str,
    heir: str,
    held: Held,
) -> list[str]:
    """What is not as it was, beside the one who hung up and the one who got his agent."""
    found = []
    if after[0] != [number for number in before[0] if number != heir]:
        found.append("the line is not as it was")
    for number, was in before[1].items():
        now = after[1].get(number)
        if number in (left, heir):
            continue
        if now is None:
            found.append(f"{number} is gone")
        elif any(now[part] != was[part] for part in ("id", "entered_at", "state", "agent")):
            found.append(f"{number}: {was['state']} with {was['agent']} is {now['state']} with {now['agent']}")
    if after[1].get(heir, {}).get("state") != "talking":
        found.append(f"{heir}, the head of the line, does not talk")
    states = Counter(after[2].values())
    if states["talking"] != len(held.talking) or states["ringing"] + states["busy_elsewhere"] != len(held.ringing):
        found.append(f"agents are {dict(states)}")
    found += [f"{one.number} was cut off" for one in (*held.talking, *held.ringing, *held.waiting) if one.is_over]
    return found
