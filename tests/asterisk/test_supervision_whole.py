"""Supervision stays whole: phones that do not answer, rights that go, a service that dies, help that is asked for."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.serving import Serving
from tests.support.supervising import (
    AGENT_TONE,
    HEARD_AT,
    MODES,
    Supervisor,
    Timeline,
    given_a_talk,
    recordings,
    wrong,
)
from tests.support.tones import heard_tones
from tests.support.until import until

JOINING_TONE = 700  # of Asterisk's own beep


@pytest_asyncio.fixture(loop_scope="session")
async def supervisor(serving: Serving) -> AsyncIterator[Supervisor]:
    one = await Supervisor.given(serving)
    yield one
    await one.close()


# ---------------------------------------------------------------- phones


@pytest.mark.parametrize(("does", "slug"), [("busy", "phone_busy"), ("reject", "phone_rejected")])
async def test_a_phone_that_refuses_is_an_error(serving: Serving, supervisor: Supervisor, does: str, slug: str) -> None:
    await serving.bank.given_phone(supervisor.phone, does=does)
    answer = await supervisor.start("listen", agent="101")
    assert (answer.status_code, answer.json()["slug"]) == (409, slug)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_phone_that_is_not_there_is_an_error(serving: Serving, supervisor: Supervisor) -> None:
    await serving.bank.unregister([supervisor.phone])
    answer = await supervisor.start("listen", agent="101")
    assert (answer.status_code, answer.json()["slug"]) == (409, "phone_unreachable")


async def test_a_phone_that_rings_in_vain_ends_the_session(serving: Serving, supervisor: Supervisor) -> None:
    await serving.bank.given_phone(supervisor.phone, does="silent")
    answer = await supervisor.start("listen", agent="101", ring_s=1)
    assert answer.status_code in (201, 409)  # a second is about as long as the answer waits for the phone
    if answer.status_code == 201:
        await supervisor.until(state="ended", reason="phone_no_answer")
    else:
        assert answer.json()["slug"] == "phone_no_answer"
    answer = await supervisor.start("listen", agent="101")
    assert answer.json()["state"] == "ringing"
    await supervisor.stop()
    await until(serving.pbx.is_quiet, "the phone rings no more", within_s=5, seen=lambda: serving.pbx.left)


# ---------------------------------------------------------------- ends


async def test_the_phone_is_free_when_its_call_is_over(serving: Serving, supervisor: Supervisor) -> None:
    customer = await given_a_talk(serving)
    await supervisor.joins("whisper", call=(await serving.call_of(customer))["id"])
    await serving.bank.leave(customer)
    await supervisor.until(state="ended", reason="call_ended")
    await until(serving.pbx.is_quiet, "no leg is left", within_s=2, seen=lambda: serving.pbx.left)


async def test_rights_go_with_the_call(serving: Serving) -> None:
    """A supervisor of sales is out as soon as the call is in another queue's line; the call goes on."""
    (await serving.api.post("/v1/queues", json={"id": "other", "number": "8011"})).raise_for_status()
    bound = await Supervisor.given(serving, "supervisor-202", 0, "sales")
    customer = await given_a_talk(serving)
    call = (await serving.call_of(customer))["id"]
    try:
        await bound.joins("barge", call=call)
        (await serving.api.post(f"/v1/calls/{call}/transfer", json={"to": {"queue": "other"}})).raise_for_status()
        await bound.until(state="ended", reason="right_lost")
        assert (await serving.call_of(customer))["state"] == "waiting"
        refused = await bound.start("listen", call=call)
        assert (refused.status_code, refused.json()["slug"]) == (409, "illegal_transition")
    finally:
        await serving.bank.leave(customer)
        await serving.until_call(customer, state="ended")
        await bound.close()


async def test_a_session_ends_with_its_token(serving: Serving, supervisor: Supervisor) -> None:
    """Within the two looks that are five seconds; the caller and the agent talk on."""
    customer = await given_a_talk(serving)
    await supervisor.joins("conference", agent="101")
    newest = [line.split()[0] for line in serving.service.nobat("token", "list").splitlines() if " sup" in line][-1]
    serving.service.nobat("token", "revoke", newest)

    async def is_out() -> bool:
        found = await serving.get(f"/v1/supervisions/{supervisor.session}")
        return (found["state"], found["reason"]) == ("ended", "right_lost")

    await until(is_out, "the session is over", within_s=5)
    assert (await serving.call_of(customer))["state"] == "talking"
    await serving.bank.leave(customer)


# ---------------------------------------------------------------- a service that dies


@pytest.mark.parametrize("mode", MODES)
async def test_a_killed_service_knows_its_sessions_again(serving: Serving, supervisor: Supervisor, mode: str) -> None:
    """Whatever the mode, nobody's sound changes; afterwards the session can be moved and goes on with the agent."""
    customer = await given_a_talk(serving)
    timeline = Timeline()
    await supervisor.joins(mode, agent="101")
    timeline.now(mode)
    serving.service.kill()
    serving.service.start()
    serving.service.wait_ready()
    await supervisor.until(state="joined", mode=mode)
    following = MODES[(MODES.index(mode) + 1) % len(MODES)]
    timeline.now("")
    await supervisor.change(following)
    await timeline.lasts(following)
    timeline.end()
    await supervisor.stop()
    assert (await serving.call_of(customer))["state"] == "talking"
    await serving.bank.leave(customer)
    await serving.until_call(customer, state="ended")
    assert wrong(timeline, await recordings(serving, customer), HEARD_AT) == []


async def test_a_caller_who_was_taken_over_is_known_again(serving: Serving, supervisor: Supervisor) -> None:
    customer = await given_a_talk(serving)
    await supervisor.joins("conference", agent="101")
    await supervisor.act("take-over")
    await supervisor.until(taken_over=True)
    await serving.until_agent("101", "idle")
    serving.service.kill()
    serving.service.start()
    serving.service.wait_ready()
    await supervisor.until(taken_over=True, mode="conference")
    await serving.until_agent("101", "idle")
    handed = await supervisor.act("hand-back")
    assert handed.status_code == 202, handed.text
    await serving.until_call(customer, state="talking", agent="101")
    await supervisor.until(state="joined", mode="listen")
    await serving.bank.leave(customer)
    await supervisor.until(state="quiet")
    await supervisor.stop()


async def test_a_session_that_ended_without_the_service_is_said_so(serving: Serving, supervisor: Supervisor) -> None:
    customer = await given_a_talk(serving)
    await supervisor.joins("listen", agent="101")
    serving.service.kill()
    await serving.bank.leave(customer)
    await until(
        serving.pbx.is_quiet, "no leg is left, the supervisor's either", within_s=5, seen=lambda: serving.pbx.left
    )
    serving.service.start()
    serving.service.wait_ready()
    ended = await supervisor.until(state="ended", reason="unseen")
    assert [one["mode"] for one in ended["heard"]] == ["listen"]

    async def is_written() -> bool:
        return bool((await supervisor.seen())["heard"][0]["to_at"])

    await until(is_written, "until when it was heard")


# ---------------------------------------------------------------- what queues and agents want


async def test_an_agent_asks_for_help_by_phone(serving: Serving, supervisor: Supervisor) -> None:
    bank = serving.bank
    customer = await given_a_talk(serving)
    await bank.hold("agent-101")
    await bank.dial_from("agent-101", "*18", stay_s=3)
    call = (await serving.call_of(customer))["id"]

    async def asked() -> list[tuple[str, str]]:
        answer = (await supervisor.api.get("/v1/help-requests")).json()
        return [(one["agent"], one["call"]) for one in answer["items"]]

    async def is_asked() -> bool:
        return await asked() == [("101", call)]

    await until(is_asked, "the supervisors see it")
    await bank.until(lambda: "agent-101" not in bank.dialling, "the phone is back", 15)
    await bank.unhold("agent-101")
    await supervisor.joins("whisper", agent="101")
    assert await asked() == []
    await bank.leave(customer)
    await supervisor.stop()


async def test_a_tone_where_the_queue_wants_it_and_agents_who_are_left_alone(
    serving: Serving, supervisor: Supervisor
) -> None:
    await serving.set_queue(supervision={"tone": True, "exempt": ["102"]})
    try:
        customer = await given_a_talk(serving)
        await serving.given_available("102")
        refused = await supervisor.start("listen", agent="102")
        assert (refused.status_code, refused.json()["slug"]) == (409, "supervision_forbidden")
        timeline = Timeline()
        await supervisor.joins("listen", agent="101")
        await timeline.lasts("listen")
        timeline.end()
        await supervisor.stop()
        await serving.bank.leave(customer)
        await serving.until_call(customer, state="ended")
    finally:
        await serving.set_queue(supervision={"tone": False, "exempt": []})
    for leg in (customer.customer, f"agent-101-{customer.number}"):
        assert heard_tones(await serving.bank.recording(leg), [JOINING_TONE])[JOINING_TONE] > 1000, leg
    assert heard_tones(await serving.bank.recording(customer.customer), [AGENT_TONE])[AGENT_TONE] > 5000
