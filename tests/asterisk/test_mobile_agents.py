"""An agent at a mobile, reached through the trunk: nobody is given a caller who has not pressed 1."""

from lab.prompts import ready_prompts
from tests.support.heard_prompts import heard_prompts
from tests.support.serving import Json, Serving
from tests.support.team import CALLER_TONE, LOUD, SILENT, Team
from tests.support.until import until

MOBILE = "09121234567"
MOBILE_TONE = 3360


async def at_a_mobile(serving: Serving, team: Team, agent: str, **phone: object) -> None:
    """The agent signs in at the mobile."""
    await serving.bank.given_phone(MOBILE, tone=MOBILE_TONE, record=True, **phone)  # type: ignore[arg-type]
    signed_in = await serving.choose(agent, "available", device=f"PJSIP/{MOBILE}@trunk")
    assert signed_in["phone"] == f"PJSIP/{MOBILE}@trunk"
    await serving.until_agent(agent, "idle")


async def until_picked_up(serving: Serving, since: int) -> None:
    def picked_up() -> bool:
        return any(one.kind == "PhoneAnswer" and one.phone == MOBILE for one in serving.bank.moments[since:])

    await serving.bank.until(picked_up, "the mobile is picked up")


async def presses_one(serving: Serving, agent: str) -> None:
    """The agent presses 1, as often as it takes: the phone may be asking, or about to."""

    async def talks() -> bool:
        await serving.bank.send_digits(serving.bank.leg_of(MOBILE), "1")
        return bool((await serving.agent(agent))["state"] == "talking")

    await until(talks, f"{agent} has the call")


async def test_who_presses_one_has_the_caller_and_both_hear_each_other(serving: Serving) -> None:
    team, bank = await Team.given(serving, "ann", ring_s=30), serving.bank
    await at_a_mobile(serving, team, "ann", talk=0)
    customer = await team.call()
    await until_picked_up(serving, team.since)
    waiting = await serving.call_of(customer)
    assert (waiting["state"], waiting["offered_to"]) == ("offered", ["ann"])  # picked up, and nobody's yet
    assert (await serving.agent("ann"))["state"] == "ringing"
    await presses_one(serving, "ann")
    await serving.until_call(customer, state="talking", agent="ann")
    await team.until_heard(customer)
    await bank.hang_up(bank.leg_of(MOBILE))
    ended = await serving.until_call(customer, state="ended", outcome="answered", agent="ann")
    assert ended["ended_by"] == "agent"
    await serving.until_agent("ann", "idle")
    at_caller = await bank.heard(customer.customer, (MOBILE_TONE,))
    at_mobile = await bank.heard(f"{MOBILE}-{customer.number}", (CALLER_TONE,))
    assert at_caller[MOBILE_TONE] > LOUD, at_caller
    assert at_mobile[CALLER_TONE] > LOUD, at_mobile


async def test_a_voicemail_gets_no_caller_and_another_agent_does(serving: Serving) -> None:
    """It picks up, and presses nothing."""
    team = await Team.given(serving, "ann", "ben", ring_s=5, rest_s=30, strategy="linear", ranks={"ann": 1, "ben": 2})
    await at_a_mobile(serving, team, "ann", talk=0)
    await serving.given_available("ben")
    await team.phone("ben", talk=1)
    customer = await team.call()
    await until_picked_up(serving, team.since)
    ended = await serving.until_call(customer, within_s=20, state="ended", outcome="answered", agent="ben")
    why = await serving.get(f"/v1/calls/{ended['id']}/why")
    assert [one["chosen"] for one in why["decisions"]] == [["ann"], ["ben"]]
    await team.hear_each_other(customer, "ben")
    asked = await serving.bank.recording(f"{MOBILE}-{customer.number}")
    assert heard_prompts(asked, ready_prompts() / "en" / "nobat")[0] == "press-one-to-accept"
    heard = await serving.bank.heard(customer.customer, (MOBILE_TONE,))
    assert heard[MOBILE_TONE] < SILENT, heard
    assert (await team.why_idle("ann"))["bar"] == "resting"


async def test_a_mobile_that_asks_for_the_key_does_not_stop_other_phones(serving: Serving) -> None:
    team = await Team.given(serving, "ann", "ben", ring_s=20, strategy="ring_all")
    await at_a_mobile(serving, team, "ann", talk=0)
    await team.phone("ben", ring=4, talk=1)
    await serving.given_available("ben")
    customer = await team.call()
    await until_picked_up(serving, team.since)
    assert sorted((await serving.call_of(customer))["offered_to"]) == ["ann", "ben"]
    await serving.until_call(customer, within_s=20, state="ended", outcome="answered", agent="ben")
    await serving.until_agent("ann", "idle")
    await team.hear_each_other(customer, "ben")


async def test_a_mobile_that_refuses_or_hangs_up_while_it_is_asked_is_rung_no_more_at_once(serving: Serving) -> None:
    team, bank = await Team.given(serving, "ann", ring_s=30, rest_s=60), serving.bank
    await at_a_mobile(serving, team, "ann", does="reject")
    customer = await team.call()
    await until(lambda: _resting(team), "ann rests after the refusal")
    waiting = await serving.call_of(customer)
    assert (waiting["state"], waiting["position"]) == ("waiting", 1)
    await bank.given_phone(MOBILE, does="answer")
    await serving.choose("ann", "break")
    await serving.choose("ann", "available")  # back, and rested
    since = len(bank.moments)
    await until_picked_up(serving, since)
    await bank.hang_up(bank.leg_of(MOBILE))
    await until(lambda: _resting(team), "ann rests after the hang-up")
    waiting = await serving.until_call(customer, state="waiting", position=1)
    assert waiting["agent"] is None
    assert not customer.is_over


async def _resting(team: Team) -> bool:
    why: Json = await team.why_idle("ann")
    return bool(why["bar"] == "resting")


async def test_a_caller_who_leaves_while_the_mobile_is_asked(serving: Serving) -> None:
    team = await Team.given(serving, "ann", ring_s=30)
    await at_a_mobile(serving, team, "ann", talk=0)
    customer = await team.call()
    await until_picked_up(serving, team.since)
    await serving.bank.leave(customer)
    await serving.until_call(customer, state="ended", outcome="abandoned")
    await serving.until_agent("ann", "idle")
    await until(serving.pbx.is_quiet, "the mobile is let go", within_s=15, seen=lambda: serving.pbx.left)


async def test_a_conversation_at_a_mobile_outlives_the_service(serving: Serving) -> None:
    team = await Team.given(serving, "ann", ring_s=30)
    await at_a_mobile(serving, team, "ann", talk=0)
    customer = await team.call()
    await until_picked_up(serving, team.since)
    await presses_one(serving, "ann")
    before = await serving.until_call(customer, state="talking", agent="ann")
    serving.service.kill()
    serving.service.start()
    serving.service.wait_ready()
    after = await serving.until_call(customer, state="talking", agent="ann")
    assert (after["id"], after["entered_at"]) == (before["id"], before["entered_at"])
    assert (await serving.agent("ann"))["phone"] == f"PJSIP/{MOBILE}@trunk"
    await serving.until_agent("ann", "talking")
    await serving.bank.hang_up(serving.bank.leg_of(MOBILE))
    await serving.until_call(customer, state="ended", outcome="answered", agent="ann")
    await serving.until_agent("ann", "idle")
