"""Calls that change hands, on a real Asterisk: who hears whom, where the caller stands, how long each talked."""

from datetime import datetime

import pytest

from tests.support.moves import OUTSIDE, for_a_while, given_outside
from tests.support.phonebank import Customer
from tests.support.serving import Json, Serving
from tests.support.team import AGENT_TONES, CALLER_TONE, LOUD, SILENT, Team
from tests.support.until import until

EXACT_S = 0.2


async def transfer(serving: Serving, customer: Customer, to: Json, **more: str) -> None:
    call = (await serving.call_of(customer))["id"]
    (await serving.api.post(f"/v1/calls/{call}/transfer", json={"to": to, **more})).raise_for_status()


async def talking(team: Team, customer: Customer, agent: str) -> None:
    """Wait until the two have heard each other for long enough to prove it."""
    await team.serving.until_call(customer, state="talking", agent=agent)
    await for_a_while(team.serving, customer)


async def over(team: Team, customer: Customer) -> Json:
    """The customer hangs up; what is written of the call."""
    await team.serving.bank.leave(customer)
    return await team.serving.until_call(customer, state="ended")


async def heard_at(team: Team, customer: Customer, agent: str) -> dict[int, float]:
    return await team.serving.bank.heard(f"{team.device(agent)}-{customer.number}", (CALLER_TONE, *AGENT_TONES))


def measured(team: Team, customer: Customer, agent: str) -> float:
    """When the agent's phone was picked up, as the phone bank saw it; seconds."""
    moments = team.serving.bank.moments[team.since :]
    phone = team.device(agent)
    return next(m.ms for m in moments if (m.kind, m.phone, m.caller) == ("PhoneAnswer", phone, customer.number)) / 1000


def seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


async def given_two(serving: Serving, **settings: object) -> Team:
    """Ann is at work; Ben is not yet."""
    team = await Team.given(serving, "ann", "ben", **settings)
    await team.phones(talk=0)
    await serving.given_available("ann")
    return team


async def test_from_agent_to_agent_over_rest(serving: Serving) -> None:
    team = await given_two(serving, wrap_up_s=30)
    customer = await team.call()
    await talking(team, customer, "ann")
    await serving.given_available("ben")
    await transfer(serving, customer, {"agent": "ben"})
    await serving.until_agent("ann", "wrap_up")
    await talking(team, customer, "ben")
    ended = await over(team, customer)
    assert [(talk["agent"], talk["device"]) for talk in ended["talks"]] == [
        ("ann", "PJSIP/agent-101"),
        ("ben", "PJSIP/agent-102"),
    ]
    assert [(one["by"], one["mode"], one["to"], one["result"]) for one in ended["transfers"]] == [
        ("ann", "blind", {"agent": "ben"}, "connected")
    ]
    assert [visit["outcome"] for visit in ended["visits"]] == ["answered"]
    assert [leg["party"] for leg in ended["legs"]] == ["caller", "agent", "agent"]
    await _right_to_a_fifth_of_a_second(team, customer, ended)
    at_caller = await serving.bank.heard(customer.customer, (CALLER_TONE, *AGENT_TONES))
    assert at_caller[team.tone("ann")] > 1000  # for a part of the recording
    assert at_caller[team.tone("ben")] > 1000
    for agent, other in (("ann", "ben"), ("ben", "ann")):
        at_agent = await heard_at(team, customer, agent)
        assert at_agent[CALLER_TONE] > LOUD, (agent, at_agent)
        assert at_agent[team.tone(other)] < SILENT, (agent, at_agent)


async def _right_to_a_fifth_of_a_second(team: Team, customer: Customer, ended: Json) -> None:
    """Each talk as long as the phone bank saw it: from picking up to the next phone's ringing, or the caller's goodbye."""
    first, second = ended["talks"]
    passed_on_at = team.invites(customer)[1].ms / 1000
    assert customer.gone_ms is not None
    ann, ben = (measured(team, customer, agent) for agent in ("ann", "ben"))
    assert abs(first["talk_s"] - (passed_on_at - ann)) < EXACT_S
    assert abs(second["talk_s"] - (customer.gone_ms / 1000 - ben)) < EXACT_S
    assert seconds(first["ended_at"]) <= seconds(second["began_at"])
    assert abs(ended["talk_s"] - first["talk_s"] - second["talk_s"]) < 0.01


async def test_passed_on_while_on_hold_the_two_hear_each_other(serving: Serving) -> None:
    team = await given_two(serving)
    customer = await team.call()
    await talking(team, customer, "ann")
    await serving.bank.hold("agent-101")

    async def is_held() -> bool:
        return float((await serving.call_of(customer))["hold_s"]) > 0

    await until(is_held, "the caller is on hold")
    await serving.given_available("ben")
    await transfer(serving, customer, {"agent": "ben"})
    await talking(team, customer, "ben")
    ended = await over(team, customer)
    assert ended["talks"][0]["hold_s"] > 0
    assert ended["talks"][1]["hold_s"] == 0
    assert (await heard_at(team, customer, "ben"))[CALLER_TONE] > LOUD
    at_caller = await serving.bank.heard(customer.customer, (team.tone("ben"),))
    assert at_caller[team.tone("ben")] > 1000  # for a part of the recording


@pytest.mark.parametrize(("place", "order"), [("front", [0, 1, 2]), ("kept", [1, 0, 2]), ("end", [1, 2, 0])])
async def test_from_an_agent_to_a_queue_by_place(serving: Serving, place: str, order: list[int]) -> None:
    team = await given_two(serving)
    other = f"{team.queue}x"
    await team.opens(other, "8011")
    early = await team.call(number="8011")
    await team.serving.until_call(early, state="waiting")
    passed = await team.call()
    await talking(team, passed, "ann")
    late = await team.call(number="8011")
    await team.serving.until_call(late, state="waiting")
    await transfer(serving, passed, {"queue": other}, place=place)
    await serving.until_call(passed, state="waiting", queue=other)
    await serving.until_agent("ann", "idle")
    items = (await serving.get(f"/v1/queues/{other}/line"))["items"]
    callers = [passed, early, late]
    assert [item["caller"]["number"] for item in items] == [callers[position].number for position in order]
    ended = await over(team, passed)
    assert [(visit["queue"], visit["outcome"]) for visit in ended["visits"]] == [
        (team.queue, "answered"),
        (other, "abandoned"),
    ]
    assert ended["transfers"][0]["result"] == "queued"
    stats = await serving.get(f"/v1/queues/{other}/stats", window="today")
    assert stats["offered"] == stats["abandoned"] + stats["waiting"] == 3


async def test_to_a_queue_where_somebody_is_free_he_is_rung_at_once(serving: Serving) -> None:
    team = await given_two(serving)
    other = f"{team.queue}x"
    await team.opens(other, "8011")
    (await serving.api.patch("/v1/agents/ben", json={"queues": [other]})).raise_for_status()
    await serving.given_available("ben")
    customer = await team.call()
    await talking(team, customer, "ann")
    await transfer(serving, customer, {"queue": other})
    await talking(team, customer, "ben")
    ended = await over(team, customer)
    assert [(visit["queue"], visit["outcome"]) for visit in ended["visits"]] == [
        (team.queue, "answered"),
        (other, "answered"),
    ]
    assert [talk["queue"] for talk in ended["talks"]] == [team.queue, other]
    assert (await heard_at(team, customer, "ben"))[CALLER_TONE] > LOUD


async def test_to_a_number_outside(serving: Serving) -> None:
    team = await given_two(serving)
    await given_outside(serving)
    customer = await team.call()
    await talking(team, customer, "ann")
    await transfer(serving, customer, {"number": OUTSIDE})
    await serving.until_call(customer, state="talking", agent=None)
    await serving.until_agent("ann", "idle")
    await for_a_while(serving, customer)
    ended = await over(team, customer)
    assert [(talk["agent"], talk["number"]) for talk in ended["talks"]] == [("ann", None), (None, OUTSIDE)]
    assert [leg["party"] for leg in ended["legs"]] == ["caller", "agent", "outside"]
    at_number = await serving.bank.heard(f"{OUTSIDE}-{customer.number}", (CALLER_TONE, *AGENT_TONES))
    assert at_number[CALLER_TONE] > LOUD
    assert at_number[team.tone("ann")] < SILENT


@pytest.mark.parametrize("to", ["agent", "number"])
async def test_who_does_not_answer_brings_the_caller_to_the_head_of_the_line(serving: Serving, to: str) -> None:
    team = await given_two(serving, ring_s=1)
    await team.phone("ben", does="reject")
    await given_outside(serving, does="busy")
    await team.opens(f"{team.queue}x", "8011")
    (await serving.api.patch("/v1/agents/ben", json={"queues": [f"{team.queue}x"]})).raise_for_status()
    await serving.given_available("ben")
    customer = await team.call()
    await talking(team, customer, "ann")
    waiting = await team.call()
    await serving.choose("ann", "break")
    await transfer(serving, customer, {"agent": "ben"} if to == "agent" else {"number": OUTSIDE})
    await team.until_line([customer, waiting])
    ended = await over(team, customer)
    assert ended["transfers"][0]["result"] == "failed"
    assert [visit["outcome"] for visit in ended["visits"]] == ["answered", "abandoned"]


async def test_a_supervisor_hands_a_waiting_call_to_an_agent(serving: Serving) -> None:
    team = await given_two(serving)
    await serving.choose("ann", "break")
    await team.opens(f"{team.queue}x", "8011")
    (await serving.api.patch("/v1/agents/ben", json={"queues": [f"{team.queue}x"]})).raise_for_status()
    first, second = await team.call(), await team.call()
    await team.until_line([first, second])
    call = (await serving.call_of(second))["id"]
    refused = await serving.api.post(f"/v1/calls/{call}/offer", json={"agent": "ann"})
    assert (refused.status_code, refused.json()["slug"], refused.json()["bar"]) == (409, "agent_not_free", "not_idle")
    await serving.given_available("ben")
    assert (await serving.api.post(f"/v1/calls/{call}/offer", json={"agent": "ben"})).status_code == 202
    await talking(team, second, "ben")
    await over(team, second)
    assert (await heard_at(team, second, "ben"))[CALLER_TONE] > LOUD
    await team.until_line([first])


async def test_after_a_fault_the_caller_stands_at_the_head_of_the_line(serving: Serving) -> None:
    team = await given_two(serving)
    customer = await team.call()
    await talking(team, customer, "ann")
    waiting = await team.call()
    await team.until_line([waiting])
    await serving.choose("ann", "break")
    await serving.bank.die("agent-101")
    await serving.until_call(customer, state="waiting", within_s=20)  # five seconds without a sound
    await team.until_line([customer, waiting])
    await serving.choose("ben", "available")
    await talking(team, customer, "ben")
    ended = await over(team, customer)
    assert [visit["outcome"] for visit in ended["visits"]] == ["answered", "answered"]
    assert [talk["agent"] for talk in ended["talks"]] == ["ann", "ben"]
    assert (await heard_at(team, customer, "ben"))[CALLER_TONE] > LOUD


async def test_a_restart_in_the_middle_loses_nobody(serving: Serving) -> None:
    team = await given_two(serving)
    other = f"{team.queue}x"
    await team.opens(other, "8011")
    passed, waits = await team.call(), await team.call(number="8011")
    await talking(team, passed, "ann")
    await serving.given_available("ben")
    await transfer(serving, passed, {"agent": "ben"})
    await talking(team, passed, "ben")
    again = await team.call()
    await talking(team, again, "ann")
    await transfer(serving, again, {"queue": other}, place="front")
    await serving.until_call(again, state="waiting", queue=other)
    await serving.choose("ann", "signed_out")
    serving.service.kill()
    serving.service.start()
    serving.service.wait_ready()
    await serving.until_call(passed, state="talking", agent="ben")
    items = (await serving.get(f"/v1/queues/{other}/line"))["items"]
    assert [item["caller"]["number"] for item in items] == [again.number, waits.number]
    ended = await over(team, passed)
    assert [visit["outcome"] for visit in ended["visits"]] == ["answered"]
    assert [talk["agent"] for talk in ended["talks"]] == ["ann", "ben"]
    assert [one["result"] for one in ended["transfers"]] == ["connected"]
    gone = await over(team, again)
    assert [(one["queue"], one["outcome"]) for one in gone["visits"]][-1] == (other, "abandoned")
    stats = await serving.get(f"/v1/queues/{other}/stats", window="today")
    assert (stats["offered"], stats["abandoned"], stats["waiting"]) == (2, 1, 1)
