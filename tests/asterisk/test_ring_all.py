"""``ring_all``: several phones ring, two are picked up in the same instant, and one agent talks."""

from itertools import permutations

import pytest

from tests.support.serving import Serving
from tests.support.team import Team

ONE_MISS_IS_TOO_MANY = {"no_answer": 1, "busy": 1, "rejected": 1, "failed": 1}
RACES = [*permutations(("ann", "ben", "cem"), 2), *permutations(("ann", "dia")), *permutations(("ben", "dia"))]


async def ring_all_team(serving: Serving) -> Team:
    """Four agents of whom nobody could miss an offer without going on a break, or without a rest of a minute."""
    agents = ("ann", "ben", "cem", "dia")
    team = await Team.given(serving, *agents, strategy="ring_all", misses=ONE_MISS_IS_TOO_MANY, rest_s=60.0)
    await team.phones(does="silent")
    await team.at_work()
    return team


async def until_unblamed(team: Team, agent: str) -> None:
    """The phone is still, and the agent is as free as before."""
    await team.until_still(agent)
    await team.serving.until_agent(agent, "idle")
    why = await team.why_idle(agent)
    assert (why["state"], why["bar"], why["rests_until"]) == ("idle", None, None)
    assert (await team.serving.agent(agent))["status"] == "available"


async def test_two_who_answer_in_the_same_instant(serving: Serving) -> None:
    team = await ring_all_team(serving)
    await team.phones(talk=0)
    both = 0
    for pair in RACES:
        customer = await team.call()
        await team.until_rung(customer, times=len(team.agents))
        assert sorted(team.rung(customer)) == list(team.agents)  # whoever lost the race before
        await serving.bank.answer_together(*map(team.device, pair))
        winner = (await serving.until_call(customer, state="talking"))["agent"]
        assert winner in pair
        for agent in team.agents:
            if agent != winner:
                await until_unblamed(team, agent)
        await team.until_heard(customer)
        await serving.bank.leave(customer)
        ended = await serving.until_call(customer, state="ended", outcome="answered")
        assert ended["agent"] == winner
        await until_unblamed(team, winner)
        await team.hear_each_other(customer, winner)
        (decision,) = (await team.why(customer))["decisions"]
        assert sorted(decision["chosen"]) == list(team.agents)
        assert {winner} <= set(team.picked_up(customer)) <= set(pair)
        both += team.picked_up(customer) == sorted(pair)
    print(f"in {both} of {len(RACES)} races both had picked up")
    assert both  # else nothing was proven here
    stats = await serving.get(f"/v1/queues/{team.queue}/stats", window="today")
    assert (stats["offered"], stats["answered"], stats["agents"]["idle"]) == (len(RACES), len(RACES), len(team.agents))


async def test_one_who_rejects_leaves_the_others_ringing(serving: Serving) -> None:
    team = await ring_all_team(serving)
    await team.phone("ann", does="reject")
    await team.phone("ben", does="answer", ring=0.4, talk=0)
    customer = await team.call()
    await serving.until_agent("ann", "break")
    await serving.until_call(customer, state="talking", agent="ben")
    for agent in ("cem", "dia"):
        await until_unblamed(team, agent)
    assert (await serving.agent("ann"))["reason"] == "rejected"
    await team.until_heard(customer)
    await serving.bank.leave(customer)
    await serving.until_call(customer, state="ended", outcome="answered")
    await team.hear_each_other(customer, "ben")
    assert sorted(team.rung(customer)) == list(team.agents)


@pytest.mark.parametrize("leaves", [True, False])
async def test_nobody_is_blamed_when_the_caller_leaves_and_all_when_nobody_answers(
    serving: Serving, leaves: bool
) -> None:
    team = await ring_all_team(serving)
    await team.set(ring_s=1)
    customer = await team.call()
    await team.until_rung(customer, times=len(team.agents))
    if leaves:
        await serving.bank.leave(customer)
    for agent in team.agents:
        if leaves:
            await until_unblamed(team, agent)
        else:
            await serving.until_agent(agent, "break")
            assert (await serving.agent(agent))["reason"] == "no_answer"
