"""An agent asks somebody else while the caller is on hold, over REST: who hears whom at each step, and what is written of it."""

from datetime import datetime

import pytest

from tests.support.consults import (
    ANN,
    BEN,
    at_agent,
    at_caller,
    change,
    consult,
    for_a_moment,
    given_talk,
    over,
    until_stage,
    without_edges,
)
from tests.support.moves import OUTSIDE, OUTSIDE_TONE, given_outside
from tests.support.phonebank import Customer
from tests.support.serving import Json, Serving
from tests.support.team import CALLER_TONE, Team

EXACT_S = 0.2


def clock(agent: Json) -> float:
    """When the agent's state began."""
    return datetime.fromisoformat(agent["state_since"]).timestamp()


def picked_up(team: Team, agent: str) -> float:
    """When the agent's phone was picked up last, as the phone bank saw it; seconds."""
    moments = reversed(team.serving.bank.moments)
    return next(one.ms for one in moments if (one.kind, one.phone) == ("PhoneAnswer", team.device(agent))) / 1000


async def test_swap_and_complete_to_an_agent(serving: Serving) -> None:
    team, customer = await given_talk(serving)
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
    left = clock(await serving.get("/v1/agents/ann"))
    await for_a_moment()
    ended = await over(serving, customer)
    assert [talk["agent"] for talk in ended["talks"]] == ["ann", "ben"]
    one = ended["transfers"][0]
    assert (one["by"], one["mode"], one["to"], one["result"]) == ("ann", "attended", {"agent": "ben"}, "connected")
    assert [visit["outcome"] for visit in ended["visits"]] == ["answered"]
    first, second = ended["talks"]
    assert abs(first["talk_s"] - (left - picked_up(team, "ann"))) < EXACT_S
    assert customer.gone_ms is not None
    assert abs(second["talk_s"] - (customer.gone_ms / 1000 - picked_up(team, "ben"))) < EXACT_S
    assert 1.5 < first["hold_s"] < first["talk_s"] - 1.5
    assert await at_caller(serving, customer) == [{ANN}, {ANN}, {BEN}]
    assert await at_agent(serving, "102", "101", ANN, CALLER_TONE) == [{ANN}, {ANN}, {CALLER_TONE}]


@pytest.mark.parametrize("swapped", [False, True])
async def test_merge_and_complete(serving: Serving, swapped: bool) -> None:
    _, customer = await given_talk(serving)
    await consult(serving, customer, {"agent": "ben"})
    await until_stage(serving, customer, "talking")
    await for_a_moment()
    if swapped:
        await change(serving, customer, "swap")
        await until_stage(serving, customer, "swapped")
        await for_a_moment()
    await change(serving, customer, "merge")
    await until_stage(serving, customer, "merged")
    await for_a_moment()
    await change(serving, customer, "complete")
    await serving.until_call(customer, state="talking", agent="ben")
    await for_a_moment()
    ended = await over(serving, customer)
    assert [talk["agent"] for talk in ended["talks"]] == ["ann", "ben"]
    assert without_edges(await at_caller(serving, customer)) == [{ANN}, {ANN, BEN}, {BEN}]


async def test_to_a_queue_in_whose_line_the_agent_waits(serving: Serving) -> None:
    team, customer = await given_talk(serving)
    await team.opens("experts", "8011")
    (await serving.api.patch("/v1/agents/ben", json={"queues": ["experts"]})).raise_for_status()
    await serving.choose("ben", "break")
    await consult(serving, customer, {"queue": "experts"})
    await until_stage(serving, customer, "waiting")
    await for_a_moment()
    await serving.choose("ben", "available")
    await until_stage(serving, customer, "talking")
    await for_a_moment()
    await change(serving, customer, "complete")
    await serving.until_call(customer, state="talking", agent="ben")
    await for_a_moment()
    ended = await over(serving, customer)
    assert ended["transfers"][0]["to"] == {"queue": "experts"}
    assert [talk["agent"] for talk in ended["talks"]] == ["ann", "ben"]
    assert await at_caller(serving, customer) == [{ANN}, {BEN}]


async def test_to_a_number_outside(serving: Serving) -> None:
    await given_outside(serving)
    _, customer = await given_talk(serving)
    await consult(serving, customer, {"number": OUTSIDE})
    await until_stage(serving, customer, "talking")
    await for_a_moment()
    await change(serving, customer, "complete")
    await serving.until_call(customer, state="talking", agent=None)
    await for_a_moment()
    ended = await over(serving, customer)
    assert [(talk["agent"], talk["number"]) for talk in ended["talks"]] == [("ann", None), (None, OUTSIDE)]
    assert [leg["party"] for leg in ended["legs"]] == ["caller", "agent", "outside"]
    assert await at_caller(serving, customer, ANN, OUTSIDE_TONE) == [{ANN}, {OUTSIDE_TONE}]


@pytest.mark.parametrize("when", ["ringing", "talking"])
async def test_cancelled_the_agent_has_the_caller_again(serving: Serving, when: str) -> None:
    team, customer = await given_talk(serving)
    if when == "ringing":
        await team.phone("ben", does="silent")
    await consult(serving, customer, {"agent": "ben"})
    await until_stage(serving, customer, when)
    await for_a_moment()
    await change(serving, customer, "cancel")
    await until_stage(serving, customer, None)
    await serving.until_agent("ben", "idle")
    await for_a_moment()
    ended = await over(serving, customer)
    assert ended["transfers"] == []
    assert ended["talks"][-1]["agent"] == "ann"
    assert await at_caller(serving, customer) == [{ANN}, {ANN}]


@pytest.mark.parametrize("does", ["reject", "busy"])
async def test_not_taken_the_agent_has_the_caller_again(serving: Serving, does: str) -> None:
    team, customer = await given_talk(serving)
    await team.phone("ben", does=does)
    await consult(serving, customer, {"agent": "ben"})
    await until_stage(serving, customer, None)
    await for_a_moment()
    ended = await over(serving, customer)
    assert [talk["agent"] for talk in ended["talks"]] == ["ann"]
    assert await at_caller(serving, customer) in ([{ANN}], [{ANN}, {ANN}])


STAGES = ["ringing", "talking", "swapped", "merged"]


async def given_stage(serving: Serving, team: Team, customer: Customer, stage: str) -> None:
    if stage == "ringing":
        await team.phone("ben", does="silent")
    await consult(serving, customer, {"agent": "ben"})
    await until_stage(serving, customer, "ringing" if stage == "ringing" else "talking")
    if stage in ("swapped", "merged"):
        await change(serving, customer, "swap" if stage == "swapped" else "merge")
        await until_stage(serving, customer, stage)
    await for_a_moment(0.5)


@pytest.mark.parametrize("stage", STAGES)
async def test_the_caller_hangs_up(serving: Serving, stage: str) -> None:
    team, customer = await given_talk(serving)
    await given_stage(serving, team, customer, stage)
    ended = await over(serving, customer)
    assert (ended["ended_by"], ended["consult"]) == ("caller", None)
    assert {talk["agent"] for talk in ended["talks"]} == ({"ann"} if stage == "ringing" else {"ann", "ben"})
    if stage in ("talking", "merged"):  # the two talk on
        await serving.until_agent("ann", "busy_elsewhere")
        await serving.bank.hang_up(serving.bank.leg_of("agent-102"))
    for agent in ("ann", "ben"):
        await serving.until_agent(agent, "idle")


@pytest.mark.parametrize("stage", STAGES[1:])
async def test_whoever_is_asked_hangs_up(serving: Serving, stage: str) -> None:
    team, customer = await given_talk(serving)
    await given_stage(serving, team, customer, stage)
    await serving.bank.hang_up(serving.bank.leg_of("agent-102"))
    await until_stage(serving, customer, None)
    await serving.until_agent("ben", "idle")
    assert (await serving.call_of(customer))["agent"] == "ann"
    await for_a_moment()
    ended = await over(serving, customer)
    assert [talk["agent"] for talk in ended["talks"]] == ["ben", "ann"]  # in the order in which they ended
    assert (await at_caller(serving, customer))[-1] == {ANN}


@pytest.mark.parametrize("stage", STAGES)
async def test_the_agent_hangs_up(serving: Serving, stage: str) -> None:
    """Whoever was asked has the caller; where nobody has picked up yet, the caller stands at the head of the line."""
    team, customer = await given_talk(serving)
    await given_stage(serving, team, customer, stage)
    await serving.choose("ann", "break")
    await serving.bank.hang_up(serving.bank.leg_of("agent-101"))
    if stage == "ringing":
        await team.phone("ben", does="answer", talk=0)
    await serving.until_call(customer, state="talking", agent="ben")
    await for_a_moment()
    ended = await over(serving, customer)
    assert [talk["agent"] for talk in ended["talks"]] == ["ann", "ben"]
    assert len(ended["visits"]) == (2 if stage == "ringing" else 1)
    assert (await at_caller(serving, customer))[-1] == {BEN}


@pytest.mark.parametrize("stage", ["waiting", "ringing", "swapped"])
async def test_the_service_dies_and_comes_back(serving: Serving, stage: str) -> None:
    team, customer = await given_talk(serving, ring_s=30)
    if stage == "waiting":
        await team.opens("experts", "8011")
        await consult(serving, customer, {"queue": "experts"})
        await until_stage(serving, customer, "waiting")
    else:
        await given_stage(serving, team, customer, stage)
    before = await serving.call_of(customer)
    serving.service.kill()
    serving.service.start()
    serving.service.wait_ready()
    after = await until_stage(serving, customer, stage)
    for name in ("by", "to", "stage", "agent"):
        assert after["consult"][name] == before["consult"][name], name
    if stage in ("waiting", "ringing"):
        await change(serving, customer, "cancel")
        await until_stage(serving, customer, None)
    else:
        await change(serving, customer, "complete")
        await serving.until_call(customer, state="talking", agent="ben")
    await for_a_moment()
    ended = await over(serving, customer)
    had = ["ann"] if stage in ("waiting", "ringing") else ["ann", "ben"]
    assert [talk["agent"] for talk in ended["talks"]] == had
    assert (await at_caller(serving, customer))[-1] == ({ANN} if had == ["ann"] else {BEN})


async def test_while_the_service_is_gone_nobody_is_lost(serving: Serving) -> None:
    team, customer = await given_talk(serving)
    await given_stage(serving, team, customer, "talking")
    serving.service.kill()
    await serving.bank.hang_up(serving.bank.leg_of("agent-102"))
    await for_a_moment()
    serving.service.start()
    serving.service.wait_ready()
    await serving.until_call(customer, state="talking", agent="ann", consult=None)
    await over(serving, customer)
    assert await at_caller(serving, customer) == [{ANN}, {ANN}]
