"""Whose turn came when, on a real PBX: callers of whom some take a callback, and the order in which they were reached.

``held`` fills a line behind agents who talk, lets some of the callers take a callback, sets the agents free and waits until
everybody has talked. ``Turns`` then tells three orders of the same callers: as they came, as agents were taken for them (the live
feed), and as phones rang (the phone bank's clock; the customer's own phone, or an agent's for him).

Used by ``tests/asterisk/test_callback_order.py`` and ``benchmarks.callback_order``.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.support.phonebank import Customer, PhoneMoment
from tests.support.serving import Json
from tests.support.team import Team, subscriber
from tests.support.until import until


@dataclass(slots=True)
class Turns:
    """Callers by number, in the orders in which things happened to them."""

    came: list[str] = field(default_factory=list)
    away: set[str] = field(default_factory=set)  # who took a callback
    assigned: list[str] = field(default_factory=list)  # an agent was taken for them
    tried: list[str] = field(default_factory=list)  # a phone rang: their own, or an agent's for them
    tried_ms: list[float] = field(default_factory=list)
    wait_on_ms: list[float] = field(
        default_factory=list
    )  # of customers: from the key to an agent's phone that is picked up
    dialled: dict[str, int] = field(default_factory=dict)  # how often a customer's phone rang
    talked: set[str] = field(default_factory=set)

    @property
    def passed_by(self) -> int:
        """By how many later callers somebody was passed at most, when agents were taken."""
        return max((_later_before(self.came, self.assigned, one) for one in self.assigned), default=0)

    @property
    def swapped_ms(self) -> list[float]:
        """Of those whose phone rang before that of somebody who came earlier: how long before."""
        late, latest = [], (-1, 0.0)
        for number, at in zip(self.tried, self.tried_ms, strict=True):
            place = self.came.index(number)
            if place < latest[0]:
                late.append(at - latest[1])
            else:
                latest = (place, at)
        return late


def _later_before(came: Sequence[str], order: Sequence[str], number: str) -> int:
    place = came.index(number)
    return sum(came.index(other) > place for other in order[: order.index(number)])


async def held(team: Team, callers: int, talk_s: tuple[float, float], ring_s: tuple[float, float], seed: int) -> Turns:
    """Half of the callers take a callback; every second one on the average. All agents of the team are busy meanwhile."""
    dice, turns, bank = Random(seed), Turns(), team.serving.bank
    async with _feed(team) as feed:
        talking = []
        for agent in team.agents:
            await team.phone(agent, talk=0)
            await team.serving.given_available(agent)
            customer = await team.call()
            await team.serving.until_call(customer, state="talking", agent=agent)
            talking.append(customer)
        wants = [True] * (callers // 2) + [False] * (callers - callers // 2)
        dice.shuffle(wants)
        there = [await _comes(team, turns, dice, takes, ring_s) for takes in wants]
        await team.phones(talk=talk_s)
        for customer in talking:
            await bank.leave(customer)
            await asyncio.sleep(dice.uniform(0.0, talk_s[1] / len(team.agents)))

        async def all_have_talked() -> bool:
            over = await _over(team)
            turns.talked = {number for number in turns.came if number in over}
            return len(turns.talked) == len(turns.came)

        within = 30 + 3 * callers * (talk_s[1] + ring_s[1] + 3) / len(team.agents)
        await until(
            all_have_talked,
            "everybody has talked",
            within_s=within,
            every_s=0.5,
            seen=lambda: sorted(set(turns.came) - turns.talked),
        )
        await team.serving.until_over([one for one in there if not one.is_over])
        number_of = await _numbers(team)
        turns.assigned = _assigned(feed, number_of, set(turns.came))
    _rang(turns, bank.moments[team.since :])
    _waited(turns, feed, number_of)
    return turns


async def _comes(team: Team, turns: Turns, dice: Random, takes: bool, ring_s: tuple[float, float]) -> Customer:
    """One more in line; perhaps he takes a callback, and is let go."""
    serving, number = team.serving, subscriber()[0]
    if takes:
        await serving.bank.given_phone(number, does="answer", ring=round(dice.uniform(*ring_s), 2), talk=0, keys="1")
        turns.away.add(number)
    customer = await serving.bank.call(team.number, caller=number)
    turns.came.append(number)
    call = await serving.until_call(customer, state="waiting")
    if takes:
        reply = await serving.api.post("/v1/callbacks", json={"call": call["id"], "number": number})
        assert reply.status_code == 201, reply.text
    return customer


async def _over(team: Team) -> set[str]:
    """Numbers of those who have talked and whose conversation is over."""
    return {one["caller"]["number"] for one in await _calls(team) if one["outcome"] == "answered"}


async def _calls(team: Team) -> list[Json]:
    items: list[Json] = []
    cursor: dict[str, str] = {}
    while True:
        page = await team.serving.get("/v1/calls", queue=team.queue, state="ended", limit=200, **cursor)
        items += page["items"]
        if page["next"] is None:
            return items
        cursor = {"cursor": page["next"]}


async def _numbers(team: Team) -> dict[str, str]:
    """Whose a call or a callback is."""
    found = {one["id"]: one["caller"]["number"] for one in await _calls(team)}
    callbacks = (await team.serving.get("/v1/callbacks", queue=team.queue, limit=200))["items"]
    return found | {one["id"]: one["number"] for one in callbacks}


# ---------------------------------------------------------------- what was seen

Told = list[tuple[str, dict[str, Any]]]


@asynccontextmanager
async def _feed(team: Team) -> AsyncIterator[Told]:
    """The live feed while the block runs: kinds and events, in their order."""
    told: Told = []
    kinds = ["CallOffered", "CallQueued", "CallConnected", "AgentStateChanged", "CallbackAttempted"]
    began = asyncio.Event()

    async def read() -> None:
        async with team.serving.api.stream("GET", "/v1/events", params={"kind": kinds}, timeout=None) as reply:
            began.set()
            kind = ""
            async for line in reply.aiter_lines():
                name, _, value = line.partition(": ")
                if name == "event":
                    kind = value
                elif name == "data":
                    told.append((kind, json.loads(value)))

    task = asyncio.create_task(read())
    await began.wait()
    try:
        yield told
    finally:
        await asyncio.sleep(0.2)
        task.cancel()
        await asyncio.wait({task})


def _assigned(feed: Told, number_of: dict[str, str], wanted: set[str]) -> list[str]:
    """The order in which agents were taken for callers: when the agent's state became ringing, for whom shows at once or later."""
    since: dict[str, int] = {}
    freed: dict[str, str] = {}
    first: dict[str, int] = {}
    for index, (kind, event) in enumerate(feed):
        if kind == "AgentStateChanged" and event["old"] == "ringing":
            freed[event["agent"]] = event["at"]
        elif kind == "AgentStateChanged" and event["new"] == "ringing":
            if freed.get(event["agent"]) != event["at"]:  # else: reserved all the time, and now his phone rings
                since[event["agent"]] = index
        elif kind == "CallOffered":
            (agent,) = event["agents"]
            first.setdefault(number_of.get(event["call"], ""), since.get(agent, index))
        elif kind == "CallbackAttempted" and event["agent"] is not None:
            first.setdefault(number_of.get(event["callback"], ""), since.get(event["agent"], index))
    return [number for number in sorted(first, key=first.__getitem__) if number in wanted]


def _rang(turns: Turns, moments: Sequence[PhoneMoment]) -> None:
    for one in sorted((one for one in moments if one.kind == "PhoneInvite"), key=lambda one: one.ms):
        number = one.caller if one.phone.startswith("agent-") else one.phone
        if not one.phone.startswith("agent-"):
            turns.dialled[number] = turns.dialled.get(number, 0) + 1
        if number in turns.came and number not in turns.tried:
            turns.tried.append(number)
            turns.tried_ms.append(one.ms)


def _waited(turns: Turns, feed: Told, number_of: dict[str, str]) -> None:
    on = {event["call"] for kind, event in feed if kind == "CallQueued" and event["callback"] is not None}
    turns.wait_on_ms = [
        1000 * float(event["waited_s"])
        for kind, event in feed
        if kind == "CallConnected" and event["call"] in on and number_of.get(event["call"]) in turns.away
    ]
