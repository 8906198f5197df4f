"""Each strategy with real phones: whose phone rings, in which order, and that caller and chosen agent hear each other."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from hashlib import blake2b
from math import log

import pytest

from tests.support.phonebank import Customer
from tests.support.serving import Json, Serving
from tests.support.team import AUDIBLY, BRIEFLY, Team


async def audible_call(team: Team) -> str:
    """One call in which caller and agent hear each other; the agent."""
    await team.phones(talk=AUDIBLY)
    customer = await team.call()
    agent: str = (await team.serving.until_call(customer, state="ended", outcome="answered"))["agent"]
    await team.hear_each_other(customer, agent)
    await team.serving.until_agent(agent, "idle")
    await team.phones(talk=BRIEFLY)
    return agent


async def test_longest_idle(serving: Serving) -> None:
    team = await Team.given(serving, "ann", "ben", "cem", strategy="longest_idle")
    await team.at_work()
    assert [await audible_call(team), *await team.one_by_one(2)] == ["ann", "ben", "cem"]
    await team.phone("ann", talk=1)
    assert await team.at_once(2) == ["ann", "ben"]  # ben is done before ann
    assert await team.one_by_one(2) == ["cem", "ben"]
    await serving.choose("ann", "break")
    await serving.given_available("ann")  # a break begins idleness anew
    assert await team.one_by_one(3) == ["cem", "ben", "ann"]


async def test_round_robin_goes_on_through_a_restart(serving: Serving) -> None:
    team = await Team.given(serving, "ann", "ben", "cem", strategy="round_robin")
    await team.at_work()
    assert [await audible_call(team), *await team.one_by_one(1)] == ["ann", "ben"]
    serving.service.stop()
    serving.service.start()
    serving.service.wait_ready()
    for agent in team.agents:
        await serving.until_agent(agent, "idle")
    await team.phone("cem", talk=1)
    assert await team.at_once(2) == ["cem", "ann"]  # cem is done last; whose turn it is does not depend on that
    assert await team.one_by_one(3) == ["ben", "cem", "ann"]


async def test_linear(serving: Serving) -> None:
    ranks = {"ann": 3, "ben": 1, "cem": 2}
    team = await Team.given(serving, "ann", "ben", "cem", ranks=ranks, strategy="linear")
    await team.at_work()
    assert [await audible_call(team), *await team.one_by_one(2)] == ["ben", "ben", "ben"]
    await team.phones(talk=1)
    assert await team.at_once(3) == ["ben", "cem", "ann"]


async def test_fewest_calls(serving: Serving) -> None:
    team = await Team.given(serving, "ann", "ben", "cem", strategy="fewest_calls")
    await serving.given_available("ann")
    assert [await audible_call(team), *await team.one_by_one(1)] == ["ann", "ann"]
    await serving.given_available("ben", "cem")  # ann is idle for longest, and has had the most
    assert await team.one_by_one(5) == ["ben", "cem", "ben", "cem", "ann"]


async def test_least_talk_time(serving: Serving) -> None:
    team = await Team.given(serving, "ann", "ben", "cem", strategy="least_talk_time")
    await team.at_work()
    assert await audible_call(team) == "ann"
    for agent, talk in (("ann", 0.1), ("ben", 0.25), ("cem", 0.6)):
        await team.phone(agent, talk=talk)
    talked = {agent: await talk_of(team, agent) for agent in team.agents}
    order = []
    for _ in range(6):
        (rung,) = await team.one_by_one(1)
        assert talked[rung] <= min(talked.values()) + 0.002, talked  # what REST tells is rounded to the millisecond
        order.append(rung)
        talked[rung] = await talk_of(team, rung)
    assert order.count("ben") > order.count("cem")


async def talk_of(team: Team, agent: str) -> float:
    """Seconds that the agent has talked, by the calls' records."""
    return sum(call["talk_s"] for call in (await team.serving.get("/v1/calls", agent=agent, queue=team.queue))["items"])


async def test_who_has_just_signed_in_is_not_flooded(serving: Serving) -> None:
    """Two are in for an hour and have had one call each; who has had none gets one, and not one more.

    They have names of their own: what others of these tests have done today counts after a restart, too.
    """
    team = await Team.given(serving, "eva", "leo", "ida", "max", strategy="fewest_calls")
    await serving.given_available("eva", "leo")
    serving.service.stop()
    with closing(sqlite3.connect(serving.service.directory / "nobat.db")) as database, database:
        database.execute("UPDATE agent_status SET since = datetime(since, '-1 hour') WHERE agent_id IN ('eva', 'leo')")
        database.execute(
            "UPDATE events SET at = datetime(at, '-1 hour') WHERE kind = 'AgentStatusChosen' AND agent_id IN ('eva', 'leo')"
        )
    serving.service.start()
    serving.service.wait_ready()
    await serving.until_agent("eva", "idle")
    await serving.until_agent("leo", "idle")
    assert await team.one_by_one(2) == ["eva", "leo"]
    for newcomer, strategy in (("ida", "fewest_calls"), ("max", "least_talk_time")):
        await team.set(strategy=strategy)
        await serving.given_available(newcomer)
        first, *following = await team.one_by_one(4)
        assert first == newcomer
        assert set(following) == {"eva", "leo"}


async def ring(team: Team) -> tuple[Customer, Json]:
    """A caller who leaves as soon as a phone rings, and what was said of the decision meanwhile."""
    customer = await team.call()
    await team.until_rung(customer)
    why = await team.why(customer)
    await team.serving.bank.leave(customer)
    for agent in team.agents:
        await team.serving.until_agent(agent, "idle")
    return customer, why


@pytest.mark.parametrize(("strategy", "weights"), [("random", {}), ("weighted", {"ann": 1, "ben": 2, "cem": 5})])
async def test_chance_can_be_computed_again(serving: Serving, strategy: str, weights: Mapping[str, int]) -> None:
    """Everybody gets calls, and who got one follows from the ids of call and agent alone."""
    team = await Team.given(serving, "ann", "ben", "cem", weights=weights, strategy=strategy)
    await team.at_work()
    await audible_call(team)
    await team.phones(does="silent")
    rung: list[str] = []
    while set(rung) != set(team.agents) or len(rung) < 5:
        customer, why = await ring(team)
        (decision,) = why["decisions"]
        order = [one["agent"] for one in decision["order"]]
        keys = {agent: chance(why["call"], agent, weights.get(agent)) for agent in team.agents}
        assert order == sorted(team.agents, key=keys.__getitem__)
        assert [one["terms"] for one in decision["order"]] == [[0, pytest.approx(keys[agent])] for agent in order]
        assert team.rung(customer) == order[:1] == decision["chosen"]
        rung += order[:1]
        assert len(rung) < 200  # (7/8)^200 for somebody who is never rung


def chance(call: str, agent: str, weight: int | None) -> float:
    """A uniform draw from the ids of a call's first offer; with a weight, the exponential variate made of it."""
    digest = blake2b(f"{call}/0/{agent}".encode(), digest_size=7).digest()
    uniform = (int.from_bytes(digest, "big") + 0.5) / 2**56
    return uniform if weight is None else -log(uniform) / weight
