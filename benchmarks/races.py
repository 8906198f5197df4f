"""races: callers hang up, phones answer, reject or ring out within the same 20 ms, on real Asterisk.

However each race ends, no agent is stuck, no leg is left without a call, and every caller is accounted for. ``batch`` is used by
the tests too, with a call centre of theirs.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import httpx

from benchmarks.figures import heading, verdict
from chaos import judge
from chaos.centre import NUMBER, centre
from chaos.watch import contradictions
from tests.support.ami_client import Message
from tests.support.pbx import TestPbx
from tests.support.phonebank import Customer, PhoneBank
from tests.support.until import Late, until

RING_S = 1
INSTANT_S = 0.02
KINDS = ("answer, hang-up", "answer, timeout", "hang-up, timeout", "reject, hang-up", "all at once")


class Here(Protocol):
    """A call centre: ``chaos.centre.Centre`` or the tests' ``Serving``."""

    pbx: TestPbx
    bank: PhoneBank
    api: httpx.AsyncClient

    async def get(self, path: str, **query: Any) -> dict[str, Any]: ...

    async def stats(self) -> dict[str, Any]: ...


async def run(*, full: bool) -> bool:
    """Print what became of the races; whether nothing was left of them."""
    batches = 30 if full else 4
    chance = random.Random(20_261_122)
    found: list[str] = []
    entered: set[str] = set()
    async with centre(12, ring_s=RING_S, rest_s=0.0) as running:
        listening = await running.pbx.ami(lambda event: _note_entry(event, entered))
        customers: list[Customer] = []
        for number in range(batches):
            some, wrong = await batch(running, running.agents, KINDS[number % len(KINDS)], chance)
            customers += some
            found += wrong
        await running.until_quiet()
        records = await running.all("/v1/calls")
        found += judge.equation(await running.stats(), records)
        outcomes = Counter(record["outcome"] for record in records)
        await listening.close()
        found += [f"{call} entered and has no record" for call in entered - {record["id"] for record in records}]
        found += [f"{call} has a record and never entered" for call in {record["id"] for record in records} - entered]
        found += judge.sent_once(running.wire.sent)
    heading("races", f"{len(customers)} races of hang-up, answer, reject and timeout within {INSTANT_S * 1000:.0f} ms")
    print(f"   {dict(outcomes)}")
    for sentence in found:
        print(f"   FOUND  {sentence}")
    return verdict("stuck agents, orphan legs, callers not accounted for", float(len(found)), "0", not found)


def _note_entry(event: Message, entered: set[str]) -> None:
    """By Asterisk's own word: some leave so soon that nobody ever learns their number."""
    if event.get("UserEvent") == "AcdEnter":
        entered.add(event["Call"])


async def batch(
    here: Here, agents: Sequence[str], kind: str, chance: random.Random
) -> tuple[list[Customer], list[str]]:
    """A race at each of ten phones. Their callers, and what was not as it must be five seconds after the last."""
    for agent in agents:
        reply = await here.api.put(f"/v1/agents/{agent}/status", json={"status": "available"})
        reply.raise_for_status()  # missed calls have set some on a break
    await until(lambda: _all(here, lambda agent: agent["state"] == "idle", agents), "all agents are idle", within_s=10)
    for agent in agents:
        await here.bank.given_phone(f"agent-{agent}", **_phone(kind, chance))
    customers = []
    for _ in range(10):
        customers.append(await here.bank.call(NUMBER, patience_s=_patience(kind, chance)))
        await asyncio.sleep(chance.uniform(0.0, 0.02))
    await here.bank.until(lambda: _settled(here.bank, customers), "each race is run", within_s=20)
    for customer in customers:
        if not customer.is_over:
            await here.bank.leave(customer)
    found: list[str] = []
    try:
        await until(
            lambda: _nothing_contradicts(here, found), "all is as Asterisk has it", within_s=5, seen=lambda: found
        )
    except Late:
        return customers, found
    return customers, []


def _phone(kind: str, chance: random.Random) -> Mapping[str, Any]:
    match kind:
        case "answer, hang-up":
            return {"does": "answer", "ring": 0.5}
        case "answer, timeout":
            return {"does": "answer", "ring": round(RING_S + chance.uniform(-INSTANT_S, INSTANT_S), 3)}
        case "hang-up, timeout":
            return {"does": "silent"}
        case "reject, hang-up":
            return {"does": "reject"}
        case _:
            return {
                "does": chance.choice(("answer", "silent")),
                "ring": round(RING_S + chance.uniform(-INSTANT_S, INSTANT_S), 3),
            }


def _patience(kind: str, chance: random.Random) -> float:
    instant = chance.uniform(-INSTANT_S, INSTANT_S)
    match kind:
        case "answer, hang-up":
            return round(0.5 + instant, 3)
        case "answer, timeout":
            return 2.5
        case "reject, hang-up":
            return round(max(0.001, INSTANT_S + instant), 3)
        case _:
            return round(RING_S + instant, 3)


def _settled(bank: PhoneBank, customers: Sequence[Customer]) -> bool:
    """Each has hung up or talks."""
    talking = {moment.caller for moment in bank.moments if moment.kind == "PhoneAnswer"}
    return all(one.is_over or one.number in talking for one in customers)


async def _all(here: Here, holds: Callable[[dict[str, Any]], bool], agents: Sequence[str]) -> bool:
    return all(holds(one) for one in (await here.get("/v1/agents", limit=200))["items"] if one["id"] in agents)


async def _nothing_contradicts(here: Here, found: list[str]) -> bool:
    """Whether service and Asterisk agree, and nobody talks or rings any more."""
    client = await here.pbx.ami()
    channels = await client.list("Status", Variables="ACD_CALL,ACD_STATE,ACD_FOR,ACD_FOR_OFFER")
    await client.close()
    calls = (await here.get("/v1/calls", state=["waiting", "offered", "talking", "after"], limit=200))["items"]
    agents = (await here.get("/v1/agents", limit=200))["items"]
    found[:] = contradictions(calls, agents, channels).values()
    found += [f"{one['Channel']} is left in {one['Context']}" for one in channels]
    found += [f"agent {one['id']} is {one['state']}" for one in agents if one["state"] in ("ringing", "talking")]
    found += [f"a call is {one['state']}" for one in calls]
    return not found
