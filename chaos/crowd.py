"""People: callers who come, wait and lose patience, agents who take breaks and come back. All drawn from the seed.

``Crowd.run`` until it is cancelled, then ``over`` tells whether all have hung up.
"""

import asyncio
import random
from dataclasses import dataclass, field

import httpx

from chaos.centre import NUMBER, Centre
from tests.support.ami_client import AmiError
from tests.support.phonebank import Customer


@dataclass(slots=True)
class Crowd:
    """``rate``: new callers a second."""

    centre: Centre
    seed: str
    rate: float
    customers: list[Customer] = field(default_factory=list)
    came_at: dict[str, float] = field(default_factory=dict)
    """A caller's number, and when the call was begun, by the loop's clock."""

    async def run(self) -> None:
        """Until cancelled."""
        await asyncio.gather(self._callers(), self._agents())

    async def _callers(self) -> None:
        chance = random.Random(f"{self.seed}/callers")
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due += chance.expovariate(self.rate)
            patience = chance.uniform(0.3, 15) if chance.random() < 0.3 else chance.uniform(30, 60)
            await asyncio.sleep(max(0.0, due - loop.time()))
            await self.call(patience)

    async def call(self, patience_s: float) -> Customer | None:
        """One more caller."""
        began = asyncio.get_running_loop().time()
        try:
            customer = await self.centre.bank.call(NUMBER, patience_s=round(patience_s, 2))
        except (AmiError, TimeoutError):
            return None
        self.customers.append(customer)
        self.came_at[customer.number] = began
        return customer

    async def _agents(self) -> None:
        """Every second one agent chooses; whoever was set on a break by missed calls comes back so, too."""
        chance = random.Random(f"{self.seed}/agents")
        while True:
            await asyncio.sleep(1)
            agent, status = chance.choice(self.centre.agents), "break" if chance.random() < 0.15 else "available"
            try:
                await asyncio.wait_for(self.centre.choose(agent, status), 2)
            except (httpx.HTTPError, TimeoutError):
                continue  # the service is away, or its database: the agent tries again some other time

    async def everybody_works(self) -> None:
        """All agents are available, as at first."""
        for agent in self.centre.agents:
            await self.centre.choose(agent, "available")

    def over(self) -> bool:
        """Whether every caller has hung up."""
        return all(customer.is_over for customer in self.customers)
