"""A queue and agents of a test's own, on the phones of a call centre that runs: no other test is in their figures.

``Team.given(serving, "ann", "ben", strategy="linear")`` makes them over REST; ``Serving.quiet`` takes them away. The first
agent has the phone ``agent-101``, the second ``agent-102`` …, and each phone plays a tone of its own and records. A queue's
id is new each time, for history remembers whose turn it was in a queue.
Used by the tests of ``tests/asterisk`` about who gets the call.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any

from tests.support.phonebank import Customer, PhoneMoment
from tests.support.serving import Json, Serving
from tests.support.until import until

CALLER_TONE = 2000
AGENT_TONES = (2680, 2860, 3040, 3200, 2500)
LOUD, SILENT = 3000.0, 500.0  # a tone has an amplitude of 7000, the hold music at most 210 at any of these frequencies
BRIEFLY, AUDIBLY = 0.15, 0.6  # seconds of a talk: to count it, and to hear each other in it

_serials = count(1)


@dataclass(frozen=True, slots=True)
class Team:
    """One queue and those who serve it."""

    serving: Serving
    agents: tuple[str, ...]
    queue: str
    since: int  # how many moments the phone bank had seen before
    number: str = "8010"

    @classmethod
    async def given(
        cls,
        serving: Serving,
        *agents: str,
        able: Mapping[str, Mapping[str, int]] | None = None,
        ranks: Mapping[str, int] | None = None,
        weights: Mapping[str, int] | None = None,
        **settings: object,
    ) -> "Team":
        """Make queue and agents, nobody signed in. By agent: ``able`` (skills), ranks, weights; ``settings`` of the queue."""
        team = cls(serving, agents, f"own{next(_serials)}", len(serving.bank.moments))
        await team.opens(team.queue, team.number, **settings)
        for position, agent in enumerate(agents):
            body: Json = {"id": agent, "device": f"PJSIP/agent-{101 + position}", "queues": [team.queue]}
            body["skills"] = (able or {}).get(agent, {})
            for name, given in (("ranks", ranks), ("weights", weights)):
                body[name] = {team.queue: given[agent]} if given else {}
            (await serving.api.post("/v1/agents", json=body)).raise_for_status()
            await team.phone(agent, talk=BRIEFLY, tone=AGENT_TONES[position], record=True)
        return team

    async def opens(self, queue: str, number: str, **settings: object) -> None:
        """One more queue."""
        body = {"id": queue, "number": number, "ring_s": 5, "wrap_up_s": 0.0, "rest_s": 0.0, **settings}
        (await self.serving.api.post("/v1/queues", json=body)).raise_for_status()

    async def set(self, **settings: object) -> None:
        """Change the queue."""
        (await self.serving.api.patch(f"/v1/queues/{self.queue}", json=settings)).raise_for_status()

    # ------------------------------------------------ what they do

    async def at_work(self) -> None:
        """All are signed in, in their order."""
        await self.serving.given_available(*self.agents)

    async def phone(self, agent: str, **behaviour: Any) -> None:
        """As ``PhoneBank.given_phone``."""
        await self.serving.bank.given_phone(self.device(agent), **behaviour)

    async def phones(self, **behaviour: Any) -> None:
        for agent in self.agents:
            await self.phone(agent, **behaviour)

    async def call(self, caller: str | None = None, number: str | None = None) -> Customer:
        """A customer calls the queue, with a tone and a recording. Who calls next has entered after this one."""
        bank = self.serving.bank
        customer = await bank.call(number or self.number, caller=caller, tone=CALLER_TONE, record=True)
        await bank.until(lambda: customer.answered_ms is not None or customer.is_over, "the call has entered")
        return customer

    async def one_by_one(self, calls: int) -> list[str]:
        """So many calls, each when all who were free before are free again; the agents who had them."""
        free = [agent["id"] for agent in await self.serving.agents() if agent["state"] == "idle"]
        order: list[str] = []
        for _ in range(calls):
            customer = await self.call()
            ended = await self.serving.until_call(customer, state="ended", outcome="answered")
            assert self.rung(customer) == [ended["agent"]]
            order.append(ended["agent"])
            for agent in free:
                await self.serving.until_agent(agent, "idle")
        return order

    async def at_once(self, calls: int) -> list[str]:
        """So many calls, each as soon as a phone has rung for the one before; the agents who were rung first."""
        customers = []
        for _ in range(calls):
            customers.append(await self.call())
            await self.until_rung(customers[-1])
        await self.serving.until_over(customers)
        for agent in self.agents:
            await self.serving.until_agent(agent, "idle")
        return [self.rung(customer)[0] for customer in customers]

    # ------------------------------------------------ what is seen and heard

    def device(self, agent: str) -> str:
        return f"agent-{101 + self.agents.index(agent)}"

    def tone(self, agent: str) -> int:
        return AGENT_TONES[self.agents.index(agent)]

    def invites(self, customer: Customer) -> list[PhoneMoment]:
        """Each ringing of a phone for this customer's number, in order."""
        seen = self.serving.bank.moments[self.since :]
        return [one for one in seen if one.kind == "PhoneInvite" and one.caller == customer.number]

    def rung(self, customer: Customer) -> list[str]:
        """The agents whose phones rang for this customer's number, in order."""
        return [self._agent_at(one.phone) for one in self.invites(customer)]

    def picked_up(self, customer: Customer) -> list[str]:
        """The agents whose phones were picked up for this customer's number, of those that are still again."""
        up = self.serving.bank.were_up
        return sorted(self._agent_at(one.phone) for one in self.invites(customer) if one.leg in up)

    def _agent_at(self, phone: str) -> str:
        return self.agents[int(phone.removeprefix("agent-")) - 101]

    async def until_rung(self, customer: Customer, times: int = 1) -> None:
        await self.serving.bank.until(lambda: len(self.rung(customer)) >= times, f"rung for {customer.customer}")

    async def until_heard(self, customer: Customer) -> None:
        """Wait until a conversation has lasted for as long as it takes to prove who hears whom."""

        async def is_so() -> bool:
            return float((await self.serving.call_of(customer))["talk_s"] or 0.0) >= AUDIBLY

        await until(is_so, f"{customer.customer} has talked for a while")

    async def until_still(self, agent: str) -> None:
        """Wait until the agent's phone neither rings nor talks: its last leg is gone."""
        leg = self.serving.bank.leg_of(self.device(agent))

        async def is_so() -> bool:
            return leg not in [one["Channel"] for one in await self.serving.bank.ami.list("Status")]

        await until(is_so, f"the phone of {agent} is still")

    async def why(self, customer: Customer) -> Json:
        """What the service says of the customer's call, the latest with that number."""
        return await self.serving.get(f"/v1/calls/{(await self.serving.call_of(customer))['id']}/why")

    async def why_idle(self, agent: str) -> Json:
        return await self.serving.get(f"/v1/agents/{agent}/why-idle")

    async def until_line(self, customers: Sequence[Customer]) -> None:
        """Wait until exactly these are in line, in this order."""
        wanted, seen = [customer.number for customer in customers], []

        async def is_so() -> bool:
            items = (await self.serving.get(f"/v1/queues/{self.queue}/line"))["items"]
            seen[:] = [item["caller"]["number"] for item in items]
            return seen == wanted

        await until(is_so, f"line {wanted}", seen=lambda: seen)

    async def hear_each_other(self, customer: Customer, agent: str) -> None:
        """After their talk: caller and agent heard each other, and the caller heard no other agent."""
        at_caller = await self.serving.bank.heard(customer.customer, (CALLER_TONE, *AGENT_TONES))
        at_agent = await self.serving.bank.heard(f"{self.device(agent)}-{customer.number}", (CALLER_TONE, *AGENT_TONES))
        assert at_caller.pop(self.tone(agent)) > LOUD, at_caller
        assert at_agent.pop(CALLER_TONE) > LOUD, at_agent
        assert max(at_caller.values()) < SILENT, at_caller
        assert max(at_agent.values()) < SILENT, at_agent


def subscriber() -> tuple[str, str, str]:
    """A number that nobody has called from yet: as written in its own country, with a plus, and with the prefix for abroad."""
    rest = f"21{next(_serials):08d}"
    return f"0{rest}", f"+98{rest}", f"0098{rest}"


def ms_of(moment: str) -> float:
    """A time of the API as the phone bank counts: milliseconds since the epoch."""
    return datetime.fromisoformat(moment).timestamp() * 1000
