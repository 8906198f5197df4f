"""An agent asks somebody else while the caller is on hold, over REST: who hears whom at each step, and what is written of it."""

import pytest

from tests.support.consults import Hearing, change, consult, for_a_moment, until_stage
from tests.support.moves import OUTSIDE, OUTSIDE_TONE, given_outside
from tests.support.phonebank import Customer
from tests.support.serving import Json, Serving
from tests.support.team import AGENT_TONES, CALLER_TONE, Team
from tests.support.until import until

ANN, BEN = AGENT_TONES[:2]
EXACT_S = 0.2
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


async def at_caller(serving: Serving, customer: Customer, *tones: int) -> list[frozenset[int]]:
    hearing = await Hearing.of(serving, customer.customer, tones or (ANN, BEN))
    return [one for one in hearing.order(HEARD) if one]


async def test_swap_and_complete_to_an_agent(serving: Serving) -> None:
    _, customer = await given_talk(serving)
    await consult(serving, customer, {"agent": "ben"})
    asked = await until_stage(serving, customer, "talking")
    assert (asked["consult"]["by"], asked["consult"]["agent"]) == ("ann", "ben")
    await serving.until_agent("ben", "talking")
    await for_a_moment()
    await change(serving, customer, "swap")
    await until_stage(serving, customer, "swapped")
    await for_a_moment()
    await change(serving, customer, "swap")
    await until_stage(serving, customer, "talking")
    await for_a_moment()
    await change(serving, customer, "complete")
    await serving.until_call(customer, state="talking", agent="ben")
    await serving.until_agent("ann", "idle")
    await for_a_moment()
    ended = await over(serving, customer)
    assert [talk["agent"] for talk in ended["talks"]] == ["ann", "ben"]
    one = ended["transfers"][0]
    assert (one["by"], one["mode"], one["to"], one["result"]) == ("ann", "attended", {"agent": "ben"}, "connected")
    assert ended["talks"][0]["hold_s"] > 1.5
    assert [visit["outcome"] for visit in ended["visits"]] == ["answered"]
    assert await at_caller(serving, customer) == [{ANN}, {ANN}, {BEN}]
