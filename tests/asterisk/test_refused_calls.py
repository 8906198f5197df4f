"""Agents who do not take an offer: who is rung next and how soon, whom a caller is not offered again, and when a break begins."""

import pytest

from tests.support.serving import Serving
from tests.support.team import AUDIBLY, Team, ms_of


@pytest.mark.parametrize("does", ["busy", "reject"])
async def test_the_caller_goes_to_another_agent_at_once(serving: Serving, does: str) -> None:
    team = await Team.given(serving, "ann", "ben", "cem")
    await team.phones(talk=AUDIBLY)
    await team.phone("ann", does=does)
    await team.at_work()
    customer = await team.call()
    await serving.until_call(customer, state="ended", outcome="answered", agent="ben")
    why = await team.why(customer)
    assert [one["chosen"] for one in why["decisions"]] == [["ann"], ["ben"]]
    assert [one["agent"] for one in why["decisions"][1]["order"]] == ["ben", "cem"]
    refused, following = team.invites(customer)
    assert team.rung(customer) == ["ann", "ben"]
    print(f"{does}: the next phone rang {following.ms - refused.ms:.1f} ms after the one that refused")
    assert following.ms - refused.ms < 2_000  # 300 ms are promised; a busy machine may take longer
    await team.hear_each_other(customer, "ben")


async def test_who_rejected_a_caller_is_not_offered_him_again_while_another_could(serving: Serving) -> None:
    team = await Team.given(serving, "ann", "ben", rest_s=1.5)
    await team.phones(talk=0)
    await serving.given_available("ben")
    first = await team.call()
    await serving.until_call(first, state="talking", agent="ben")
    await team.phone("ann", does="reject")
    await serving.given_available("ann")
    rejected = await team.call()
    await team.until_rung(rejected)
    await team.until_line([rejected])
    resting = await team.why_idle("ann")
    assert (resting["bar"], resting["lines"][0]["first"][0]["bar"]) == ("resting", "rejected_by_this_agent")
    await team.phones(does="answer", talk=AUDIBLY)
    passing = await team.call()  # comes later, and is ann's as soon as she has rested
    await serving.until_call(passing, state="ended", outcome="answered", agent="ann")
    assert team.invites(passing)[0].ms > ms_of(resting["rests_until"]) - 50
    await serving.until_agent("ann", "idle")
    why = await team.why(rejected)
    assert {one["agent"]: (one["state"], one["bar"]) for one in why["candidates"]} == {
        "ann": ("idle", "rejected_by_this_agent"),
        "ben": ("talking", "not_idle"),
    }
    idle = await team.why_idle("ann")
    assert (idle["bar"], idle["lines"][0]["first"][0]["bar"]) == (None, "rejected_by_this_agent")
    await serving.bank.leave(first)
    await serving.until_call(rejected, state="ended", outcome="answered", agent="ben")
    assert team.rung(rejected) == ["ann", "ben"]
    await team.hear_each_other(passing, "ann")
    await team.hear_each_other(rejected, "ben")


async def test_who_rejected_a_caller_gets_him_when_nobody_else_is_left(serving: Serving) -> None:
    team = await Team.given(serving, "ann", "ben")
    await team.phone("ann", does="reject")
    await team.phone("ben", talk=0)
    await serving.given_available("ben")
    first = await team.call()
    await serving.until_call(first, state="talking", agent="ben")
    await serving.given_available("ann")
    rejected = await team.call()
    await team.until_rung(rejected)
    await team.until_line([rejected])
    await team.phone("ann", does="answer", talk=AUDIBLY)
    await serving.choose("ben", "break")  # asked for in mid-call: he takes no more
    await serving.until_call(rejected, state="ended", outcome="answered", agent="ann")
    assert team.rung(rejected) == ["ann", "ann"]
    await team.hear_each_other(rejected, "ann")


@pytest.mark.parametrize(("does", "cause"), [("reject", "rejected"), ("busy", "busy"), ("silent", "no_answer")])
async def test_so_many_in_a_row_are_a_break_with_that_reason(serving: Serving, does: str, cause: str) -> None:
    misses = {"no_answer": 0, "busy": 0, "rejected": 0, "failed": 0, cause: 2}
    team = await Team.given(serving, "ann", misses=misses, ring_s=1)
    await team.phone("ann", does=does)
    await team.at_work()
    customer = await team.call()
    await serving.until_agent("ann", "break")
    assert team.rung(customer) == ["ann", "ann"]
    agent = await serving.agent("ann")
    assert (agent["status"], agent["reason"]) == ("break", cause)
    idle = await team.why_idle("ann")
    assert (idle["state"], idle["bar"]) == ("break", "not_idle")
    assert (await team.why(customer))["position"] == 1
    await team.phone("ann", does="answer")
    await serving.choose("ann", "available")
    await serving.until_call(customer, state="ended", outcome="answered", agent="ann")
