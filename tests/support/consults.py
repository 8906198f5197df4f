"""Consults over REST, for tests on a real Asterisk: ask, change, wait for what comes of it, and prove who heard whom when.

The recordings of a leg run through: what was heard in which part of a call is told by windows (``Hearing``).
"""

from dataclasses import dataclass
from itertools import pairwise
from time import monotonic

from tests.support.phonebank import Customer
from tests.support.serving import Json, Serving
from tests.support.team import AGENT_TONES, Team
from tests.support.tones import goertzel, samples_of
from tests.support.until import until

WINDOW_S = 0.2
ANN, BEN = AGENT_TONES[:2]
HEARD = 2000.0  # a tone alone has an amplitude of 7000; of two that are mixed each has as much, or nearly


async def given_talk(serving: Serving, **settings: object) -> tuple[Team, Customer]:
    """Ann talks to a customer, Ben is free."""
    team = await Team.given(serving, "ann", "ben", **{"wrap_up_s": 0.0, **settings})
    await team.phones(talk=0)
    await serving.given_available("ann")
    customer = await team.call()
    await serving.until_call(customer, state="talking", agent="ann")
    await serving.given_available("ben")
    await for_a_moment()
    return team, customer


async def over(serving: Serving, customer: Customer) -> Json:
    await serving.bank.leave(customer)
    return await serving.until_call(customer, state="ended")


async def consult(serving: Serving, customer: Customer, to: Json) -> None:
    """The agent who has the customer asks somebody else."""
    call = (await serving.call_of(customer))["id"]
    (await serving.api.post(f"/v1/calls/{call}/consult", json={"to": to})).raise_for_status()


async def change(serving: Serving, customer: Customer, action: str) -> None:
    """swap, merge, complete or cancel."""
    call = (await serving.call_of(customer))["id"]
    (await serving.api.patch(f"/v1/calls/{call}/consult", json={"action": action})).raise_for_status()


async def until_stage(serving: Serving, customer: Customer, stage: str | None, within_s: float = 10) -> Json:
    """Wait until the consult stands there; None: until it is over."""
    seen: Json = {}

    async def is_so() -> bool:
        now = await serving.call_of(customer)
        seen.clear()
        seen.update(now)
        return bool((now["consult"] or {}).get("stage") == stage)

    await until(
        is_so,
        f"consult is {stage}",
        within_s=within_s,
        seen=lambda: {name: seen.get(name) for name in ("state", "consult", "talks", "transfers")},
    )
    return seen


async def for_a_moment(seconds: float = 0.8) -> None:
    """Let those who talk be heard for as long as it takes to prove it: real sound takes real time."""
    began = monotonic()
    await until(lambda: monotonic() - began >= seconds, "heard for a moment")


@dataclass(frozen=True, slots=True)
class Hearing:
    """What one leg heard, window by window."""

    windows: tuple[dict[int, float], ...]

    @classmethod
    async def of(cls, serving: Serving, leg: str, tones: tuple[int, ...]) -> "Hearing":
        """For a leg that is over."""
        rate, samples = samples_of(await serving.bank.recording(leg))
        size = round(rate * WINDOW_S)
        starts = range(0, max(len(samples) - size, 0) + 1, size)
        return cls(
            tuple({tone: goertzel(samples[start : start + size], rate, tone) for tone in tones} for start in starts)
        )

    def order(self, loud: float) -> list[frozenset[int]]:
        """Which tones were heard together, in order, each for two windows at least."""
        heard = [frozenset(tone for tone, level in window.items() if level > loud) for window in self.windows]
        steady = [now for before, now in pairwise(heard) if now == before]
        return [now for before, now in zip([None, *steady], steady, strict=False) if now != before]


async def at_agent(serving: Serving, agent: str, shown: str, *tones: int) -> list[frozenset[int]]:
    """What the agent's phone heard, in order; ``shown`` is the number that it was rung with."""
    hearing = await Hearing.of(serving, f"agent-{agent}-{shown}", tones)
    return [one for one in hearing.order(HEARD) if one]


async def at_caller(serving: Serving, customer: Customer, *tones: int) -> list[frozenset[int]]:
    hearing = await Hearing.of(serving, customer.customer, tones or (ANN, BEN))
    return [one for one in hearing.order(HEARD) if one]


def without_edges(heard: list[frozenset[int]]) -> list[frozenset[int]]:
    """A window in which one joins or leaves holds a part of each: what is heard twice in a row is once."""
    return [now for before, now in zip([None, *heard], heard, strict=False) if now != before]
