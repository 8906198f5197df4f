"""One run: people call, a fault every ten seconds, then everybody leaves and the judge speaks.

``chaos(plan)`` is what ``python -m chaos`` calls; whether nothing was found that must not be.
"""

import asyncio
import random
import shutil
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from chaos import judge
from chaos.centre import Centre, Json, centre
from chaos.crowd import Crowd
from chaos.faults import FAULTS, Fault, dealt
from chaos.watch import Life, Watch, open_things
from nobat.clock import Clock
from tests.support.until import Late, until

AGENTS = 12
EVERY_S = 10.0
WARM_S = 60.0
"""After it has first answered. On a busy machine a start takes ten seconds and more; then each question is asked of the database
for the first time, and after a minute the figures have been worked out twice."""

MOST_GROWTH = 0.05
LEAST_SHARED_S = 60.0


@dataclass(frozen=True, slots=True)
class Plan:
    """``only``: words of which a fault's name must have one; empty for all. ``keep``: a folder for what the service leaves."""

    seed: str
    seconds: float
    rate: float
    postgres: bool
    only: str = ""
    keep: str = ""

    def faults(self) -> list[Fault]:
        """What happens, in order; nothing if no fault has such a name."""
        chance = random.Random(f"{self.seed}/faults")
        wanted = [fault for fault in FAULTS if not self.only or any(word in fault.name for word in self.only.split())]
        return list(islice(dealt(chance, wanted), int(self.seconds // EVERY_S)))


@dataclass(frozen=True, slots=True)
class Happened:
    """A fault that was done. ``back_s``: from its end until calls were routed."""

    at_s: float
    fault: str
    said: str
    back_s: float
    live: int


async def chaos(plan: Plan) -> bool:
    """Run it and print what came of it."""
    async with centre(AGENTS, postgres=plan.postgres, small_disk=True) as running:
        await _tempers(running, plan.seed)
        watch, crowd = Watch(running), Crowd(running, plan.seed, plan.rate)
        tasks = [asyncio.ensure_future(watch.run()), asyncio.ensure_future(crowd.run())]
        began = asyncio.get_running_loop().time()
        try:
            happened = await _faults(plan, running, watch, began)
            tasks[1].cancel()
            await asyncio.gather(tasks[1], return_exceptions=True)
            found = await _aftermath(running, crowd, watch)
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        found = [*watch.found, *found]
        found += [f"the harness failed: {error!r}" for error in ended if isinstance(error, Exception)]
        if found and plan.keep:
            await asyncio.to_thread(running.service.stop)
            shutil.copytree(running.service.directory, plan.keep, dirs_exist_ok=True)
    _print_faults(happened)
    for sentence in found:
        print(f"   FOUND  {sentence}")
    verdict = "nothing was found" if not found else f"{len(found)} things were found"
    print(f"chaos: {verdict}; seed {plan.seed}, {len(happened)} faults, {watch.samples} looks", flush=True)
    return not found


async def _tempers(running: Centre, seed: str) -> None:
    """Phones ring for a while and agents talk for a while, each phone its own way."""
    chance = random.Random(f"{seed}/phones")
    await running.bank.given_phone("any", does="answer", talk=(0.8, 4.0))
    for agent in running.agents:
        await running.bank.given_phone(f"agent-{agent}", ring=round(chance.uniform(0, 1.2), 1))


async def _faults(plan: Plan, running: Centre, watch: Watch, began: float) -> list[Happened]:
    loop = asyncio.get_running_loop()
    happened: list[Happened] = []
    for number, fault in enumerate(plan.faults(), 1):
        await asyncio.sleep(max(0.0, began + number * EVERY_S - loop.time()))
        at = loop.time()
        live = len([one for one in running.bank.customers.values() if not one.is_over])
        watch.disturb(at + 60)
        try:
            said = await fault.do(running, random.Random(f"{plan.seed}/{number}"))
        except (AssertionError, TimeoutError) as error:
            said = f"FAILED: {error}"
            watch.found.append(f"{fault.name}: {error}")
        back = await running.until_ready()
        watch.disturbed_until = loop.time() + fault.lasting
        if fault.blinds:
            watch.blind.append((at - judge.AT_ONCE_S, at + judge.AT_ONCE_S))
        happened.append(Happened(at - began, fault.name, said, back, live))
        print(
            f"   {at - began:5.0f} s  {fault.name:26s} {said}; routed on {back:.1f} s later; {live} callers", flush=True
        )
    await asyncio.sleep(max(0.0, began + plan.seconds - loop.time()))
    return happened


async def _aftermath(running: Centre, crowd: Crowd, watch: Watch) -> list[str]:
    """Everybody leaves; what the judge says then."""
    found: list[str] = []
    await running.until_ready()
    try:
        await until(crowd.over, "every caller has hung up", within_s=75, every_s=0.2)
        await running.until_quiet()
        await crowd.everybody_works()
        await until(
            lambda: _all_idle(running), "every agent is idle", within_s=15, every_s=0.2, seen=lambda: _shown(running)
        )
        await until(lambda: _written(running), "history is written", within_s=20, every_s=0.2)
        watch.weighs = False
        await _all_known(running, crowd)
    except Late as late:
        found.append(str(late))
    watch.weighs = False
    records = await running.all("/v1/calls")
    stats = await running.stats()
    callers = _callers(running, crowd, watch, records)
    found += judge.equation(stats, records)
    wrong, unseen = judge.accounted(callers, watch.blind)
    found += wrong + judge.order(callers) + judge.sent_once(running.wire.sent) + _rings(running, watch, records)
    found += await _leaks(running, watch)
    _print_calls(stats, crowd, callers, unseen, watch)
    return found


async def _all_idle(running: Centre) -> bool:
    return all(agent["state"] == "idle" for agent in await running.all("/v1/agents"))


def _shown(running: Centre) -> str:
    return running.service.log_tail(10)


async def _written(running: Centre) -> bool:
    page = (await running.api.get("/metrics")).text
    return "acd_history_pending 0.0" in page


async def _all_known(running: Centre, crowd: Crowd) -> None:
    """What Asterisk has noted of callers whom nobody saw is read after a look at everything. Who is still missing then is."""
    let_in = {one.number for one in crowd.customers if one.answered_ms is not None}

    async def known() -> bool:
        return let_in <= {record["caller"]["number"] for record in await running.all("/v1/calls")}

    with suppress(Late):
        await until(known, "every caller has a record", within_s=25, every_s=1)


# ------------------------------------------------ everybody's word


def _callers(running: Centre, crowd: Crowd, watch: Watch, records: Sequence[Json]) -> list[judge.Caller]:
    """Whoever Asterisk let in, with what is known of each."""
    loop = asyncio.get_running_loop()
    ahead = Clock().now() - loop.time()  # the phone bank tells wall-clock time
    of_number: defaultdict[str, list[Json]] = defaultdict(list)
    for record in records:
        of_number[record["caller"]["number"]].append(record)
    number_of = {record["id"]: record["caller"]["number"] for record in records}
    offered: dict[str, float] = {}
    for sent in running.wire.sent:
        offered.setdefault(number_of.get(sent.offer.rpartition(".")[0], ""), sent.at)
    rung: dict[str, float] = {}
    picked_up: set[str] = set()
    for moment in running.bank.moments:
        if moment.kind == "PhoneInvite":
            rung.setdefault(moment.caller, moment.ms / 1000 - ahead)
        elif moment.kind == "PhoneAnswer":
            picked_up.add(moment.caller)
    return [
        judge.Caller(
            one.number,
            one.answered_ms / 1000 - ahead,
            one.gone_ms / 1000 - ahead if one.gone_ms is not None else loop.time(),
            watch.seen_in_line.get(one.number),
            offered.get(one.number),
            rung.get(one.number),
            one.number in picked_up,
            one.number in watch.alone,
            tuple(of_number[one.number]),
        )
        for one in crowd.customers
        if one.answered_ms is not None
    ]


def _rings(running: Centre, watch: Watch, records: Sequence[Json]) -> list[str]:
    number_of = {record["id"]: record["caller"]["number"] for record in records}
    rings = Counter((one.phone, one.caller) for one in running.bank.moments if one.kind == "PhoneInvite")
    offered: Counter[tuple[str, str]] = Counter()
    for sent in running.wire.sent:
        number = number_of.get(sent.offer.rpartition(".")[0], "")
        offered.update((target.removeprefix("PJSIP/"), number) for target in set(sent.targets))
    return judge.rung_once(rings, offered, watch.alone)


async def _leaks(running: Centre, watch: Watch) -> list[str]:
    """What is left when nobody calls: channels, bridges, files, threads, memory."""
    found: list[str] = []
    client = await running.pbx.ami()
    channels, bridges = await client.list("Status"), await client.list("BridgeList")
    await client.close()
    if channels or bridges:
        found.append(f"left in Asterisk: {len(channels)} channels, {len(bridges)} bridges")
    life = max(watch.lives, key=lambda one: one.seconds)
    growth = life.growth(WARM_S)
    if growth is not None and life.seconds >= WARM_S + LEAST_SHARED_S:
        print(f"   memory of the process that lived longest ({life.seconds:.0f} s): {growth:+.1%}")
        print("   … each half minute, MB: " + " ".join(f"{size / 1e6:.1f}" for size in life.by_half_minute()))
        print(f"   … of all that lived for a minute or more: {memory(watch.lives)}")
        if growth > MOST_GROWTH:
            found.append(f"the service's memory grew by {growth:.1%} in {life.seconds:.0f} s")
    now = open_things(running.service.running_pid() or 0)
    print(f"   the service holds {now['files']} files and {now['threads']} threads")
    if now["files"] > 60 or now["threads"] > 30:
        found.append(f"the service holds {now}")
    return found


# ------------------------------------------------ what is printed


def _print_faults(happened: Sequence[Happened]) -> None:
    times: defaultdict[str, list[Happened]] = defaultdict(list)
    for one in happened:
        times[one.fault].append(one)
    print("\n   fault                       times   routed on after, s: mean, longest   most callers")
    for name, ones in sorted(times.items()):
        back = [one.back_s for one in ones]
        print(
            f"   {name:26s} {len(ones):6d}   {sum(back) / len(back):22.2f} {max(back):8.2f} {max(one.live for one in ones):14d}"
        )


def _print_calls(
    stats: Json, crowd: Crowd, callers: Sequence[judge.Caller], unseen: Sequence[judge.Caller], watch: Watch
) -> None:
    parts = ", ".join(f"{stats[part]} {part}" for part in judge.PARTS)
    print(f"\n   {len(crowd.customers)} called, {len(callers)} were let in; {stats['offered']} offered = {parts}")
    alone = sum(one.served_alone for one in callers)
    print(
        f"   {alone} were with Asterisk's own queue for a while; {len(unseen)} died with Asterisk before anybody knew"
    )
    unseen_ends = sum(record.get("ended_by") == "unseen" for one in callers for record in one.records)
    print(f"   {unseen_ends} ended while the service was away, and are known by their channels and by Asterisk's notes")
    print(f"   {len(watch.lives)} lives of the service")


def memory(lives: Sequence[Life]) -> str:
    """Each life's seconds and growth, for a person."""
    told = ((life.seconds, life.growth(WARM_S)) for life in lives if life.seconds >= LEAST_SHARED_S)
    return ", ".join(f"{seconds:.0f} s {growth:+.1%}" for seconds, growth in told if growth is not None)
