"""An agent asks somebody else with the phone alone: by its own keys (hold, a second call, REFER with Replaces), or by a code."""

from tests.support.consults import ANN, BEN, at_agent, at_caller, for_a_moment, given_talk, over, until_stage
from tests.support.serving import Serving
from tests.support.team import CALLER_TONE


async def test_to_a_colleague(serving: Serving) -> None:
    _, customer = await given_talk(serving)
    bank = serving.bank
    await bank.hold("agent-101")
    second = await bank.dial_from("agent-101", "102")
    await serving.until_agent("ben", "busy_elsewhere")
    await for_a_moment()
    await bank.join_calls("agent-101", second)
    await serving.until_call(customer, state="talking", agent="ben")
    await serving.until_agent("ben", "talking")
    await serving.until_agent("ann", "idle")
    await for_a_moment()
    ended = await over(serving, customer)
    one = ended["transfers"][0]
    assert (one["by"], one["mode"], one["to"], one["result"]) == ("ann", "attended", {"agent": "ben"}, "connected")
    assert [talk["agent"] for talk in ended["talks"]] == ["ann", "ben"]
    assert ended["talks"][0]["hold_s"] > 0.8
    assert [visit["outcome"] for visit in ended["visits"]] == ["answered"]
    assert await at_caller(serving, customer) == [{ANN}, {BEN}]
    assert await at_agent(serving, "102", "101", ANN, CALLER_TONE) == [{CALLER_TONE}]
    await serving.until_agent("ben", "idle")


async def test_to_a_queue_that_answers(serving: Serving) -> None:
    team, customer = await given_talk(serving)
    bank = serving.bank
    await team.opens("experts", "8011")
    (await serving.api.patch("/v1/agents/ben", json={"queues": ["experts"]})).raise_for_status()
    await bank.hold("agent-101")
    second = await bank.dial_from("agent-101", "8011")
    await serving.until_agent("ben", "talking")
    await for_a_moment()
    await bank.join_calls("agent-101", second)
    await serving.until_call(customer, state="talking", agent="ben")
    await for_a_moment()
    ended = await over(serving, customer)
    assert [(one["mode"], one["to"]) for one in ended["transfers"]] == [("attended", {"queue": "experts"})]
    assert [talk["agent"] for talk in ended["talks"]] == ["ann", "ben"]
    assert await at_caller(serving, customer) == [{ANN}, {BEN}]
    await serving.until_agent("ben", "idle")


async def test_to_a_queue_while_the_phone_waits_there(serving: Serving) -> None:
    team, customer = await given_talk(serving)
    bank = serving.bank
    await team.opens("experts", "8011")
    (await serving.api.patch("/v1/agents/ben", json={"queues": ["experts"]})).raise_for_status()
    await serving.choose("ben", "break")
    await bank.hold("agent-101")
    second = await bank.dial_from("agent-101", "8011")
    await for_a_moment(1.5)
    await bank.join_calls("agent-101", second)
    await serving.until_call(customer, state="waiting", queue="experts")
    await serving.choose("ben", "available")
    await serving.until_call(customer, state="talking", agent="ben")
    await for_a_moment()
    ended = await over(serving, customer)
    assert [(one["mode"], one["result"]) for one in ended["transfers"]] == [("attended", "queued")]
    assert [(visit["queue"], visit["outcome"]) for visit in ended["visits"]] == [
        (team.queue, "answered"),
        ("experts", "answered"),
    ]
    assert await at_caller(serving, customer) == [{ANN}, {BEN}]


async def test_refer_after_the_phones_own_hold(serving: Serving) -> None:
    """Unannounced, but on hold while the agent looks up the number."""
    team, customer = await given_talk(serving)
    await team.opens("experts", "8011")
    (await serving.api.patch("/v1/agents/ben", json={"queues": ["experts"]})).raise_for_status()
    await serving.bank.hold("agent-101")
    await for_a_moment()
    await serving.bank.refer("agent-101", "8011")
    await serving.until_call(customer, state="talking", agent="ben")
    await for_a_moment()
    ended = await over(serving, customer)
    assert [(one["mode"], one["to"]) for one in ended["transfers"]] == [("blind", {"queue": "experts"})]
    first, second = ended["talks"]
    assert first["hold_s"] > 0.5
    assert second["hold_s"] == 0
    assert await at_caller(serving, customer) == [{ANN}, {BEN}]


async def test_the_caller_leaves_while_the_phone_asks(serving: Serving) -> None:
    _, customer = await given_talk(serving)
    await serving.bank.hold("agent-101")
    await serving.bank.dial_from("agent-101", "102")
    await serving.until_agent("ben", "busy_elsewhere")
    ended = await over(serving, customer)
    assert [talk["agent"] for talk in ended["talks"]] == ["ann"]
    await serving.until_agent("ann", "busy_elsewhere")


async def test_by_code(serving: Serving) -> None:
    """``*2`` and whom to ask, ``*21`` back and forth, and the receiver put down."""
    team, customer = await given_talk(serving)
    await team.opens("experts", "8011")
    (await serving.api.patch("/v1/agents/ben", json={"queues": ["experts"]})).raise_for_status()
    ann = serving.bank.leg_of("agent-101")
    await serving.bank.send_digits(ann, "*28011")
    await until_stage(serving, customer, "talking")
    await for_a_moment()
    await serving.bank.send_digits(ann, "*21")
    await until_stage(serving, customer, "swapped")
    await for_a_moment()
    await serving.bank.send_digits(ann, "*21")
    await until_stage(serving, customer, "talking")
    await serving.bank.hang_up(ann)
    await serving.until_call(customer, state="talking", agent="ben")
    await for_a_moment()
    ended = await over(serving, customer)
    assert [(one["mode"], one["by"], one["to"]) for one in ended["transfers"]] == [
        ("attended", "ann", {"queue": "experts"})
    ]
    assert (await at_caller(serving, customer))[-1] == {BEN}
