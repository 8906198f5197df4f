"""Supervisors in conversations, proven by tones: who hears whom in each mode, and that nobody's sound is cut by a change."""

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio

from tests.support.serving import Serving
from tests.support.supervising import (
    ABSENT,
    AGENT_TONE,
    AGENT_TONES,
    AUDIBLY,
    CALLER_TONE,
    EVERY_CHANGE,
    HEARD_AT,
    PRESENT,
    SUPERVISOR_TONE,
    Heard,
    Supervisor,
    Timeline,
    both_sides,
    gaps,
    given_a_talk,
    recordings,
    wrong,
)
from tests.support.tones import goertzel
from tests.support.until import until

TRIES = 3
"""A busy machine loses a packet of 20 ms now and then, and that is no gap of ours."""

GAP_S = 0.06
OTHER_CALLER, NEXT_CALLER = 2350, 1650
ONE_PACKET = 1200.0
"""What 20 ms of a tone are in a window of 100; the edges of other tones spread over a third of that."""


@pytest_asyncio.fixture(loop_scope="session")
async def supervisor(serving: Serving) -> AsyncIterator[Supervisor]:
    one = await Supervisor.given(serving)
    yield one
    await one.close()


async def walk(serving: Serving, supervisor: Supervisor) -> tuple[Timeline, dict[str, Heard]]:
    """One recorded call, one session, each change between two modes once."""
    await serving.set_queue(recording={"mode": "always"})
    customer = await given_a_talk(serving)
    call = (await serving.call_of(customer))["id"]
    timeline = Timeline()
    first, *others = EVERY_CHANGE
    await supervisor.joins(first, agent="101")
    await timeline.lasts(first)
    for mode in others:
        await supervisor.change(mode)
        await timeline.lasts(mode)
    timeline.end()
    await serving.bank.leave(customer)
    await supervisor.until(state="quiet")
    await supervisor.stop()
    await serving.set_queue(recording={"mode": "never"})
    said, heard = await both_sides(serving, call)
    return timeline, {**await recordings(serving, customer), "left": said, "right": heard}


def unrecorded(timeline: Timeline, heard: dict[str, Heard]) -> list[str]:
    """Every time at which the file lacks a voice. A PBX that drops frames after a conversation of three fails here."""
    return [
        f"{number} {name}: {side}"
        for number, (name, from_at, to_at) in enumerate(timeline.spans)
        for side, tone in (("left", CALLER_TONE), ("right", AGENT_TONE))
        if heard[side].steady(from_at, to_at, tone)[1] < PRESENT / 2
    ]


async def test_every_mode_and_every_change_between_two(serving: Serving, supervisor: Supervisor) -> None:
    before = len(serving.bank.moments)
    for walked in range(1, TRIES + 1):
        timeline, heard = await walk(serving, supervisor)
        assert unrecorded(timeline, heard) == []
        rung = [m.kind for m in serving.bank.moments[before:] if m.phone == supervisor.phone].count("PhoneInvite")
        assert rung == walked  # once a session, whatever modes follow
        found, longest = wrong(timeline, heard, HEARD_AT), gaps(timeline, heard)
        if not found and max(longest.values()) < GAP_S:
            return
    raise AssertionError(f"somebody's sound was cut, or heard where it should not be: {longest}, {found}")


async def test_a_session_goes_with_its_agent_and_hears_nobody_else(serving: Serving, supervisor: Supervisor) -> None:
    """From call to call, across a hold, while a colleague talks to somebody else; no key leads anywhere."""
    bank = serving.bank
    first = await given_a_talk(serving)
    await bank.given_phone("agent-102", talk=0, tone=AGENT_TONES[1], record=True)
    await serving.given_available("102")
    other = await bank.call("8000", tone=OTHER_CALLER)
    await serving.until_call(other, state="talking", agent="102")
    timeline = Timeline()
    await supervisor.joins("listen", agent="101")
    await timeline.lasts("first")
    timeline.now("typing")
    await bank.send_digits(bank.leg_of(supervisor.phone), "*1")
    await timeline.lasts("keys")
    timeline.now("hold")
    await bank.hold("agent-101")
    await asyncio.sleep(0.3)  # nothing but time shows that a hold changes nothing
    await bank.unhold("agent-101")
    await timeline.lasts("held")
    timeline.now("between")
    await bank.leave(first)
    await supervisor.until(state="quiet")
    await timeline.lasts("quiet", 2 * AUDIBLY)
    timeline.now("between")
    following = await bank.call("8000", tone=NEXT_CALLER, record=True)
    await serving.until_call(following, state="talking", agent="101")
    await supervisor.until(state="joined")
    await timeline.lasts("next")
    timeline.end()
    await bank.leave(following)
    await supervisor.stop()
    found = (await recordings(serving, first))["supervisor"]
    heard = {
        (name, tone): found.steady(from_at, to_at, tone)
        for name, from_at, to_at in timeline.spans
        for tone in (CALLER_TONE, NEXT_CALLER, AGENT_TONE)
    }
    for name, caller in (("first", CALLER_TONE), ("keys", CALLER_TONE), ("held", CALLER_TONE), ("next", NEXT_CALLER)):
        assert min(heard[name, caller][0], heard[name, AGENT_TONE][0]) > PRESENT, name
    for name, tone in (("quiet", CALLER_TONE), ("quiet", AGENT_TONE), ("quiet", NEXT_CALLER), ("next", CALLER_TONE)):
        assert heard[name, tone][1] < ABSENT, name
    size = found.rate // 10
    for tone in (OTHER_CALLER, AGENT_TONES[1]):  # not a single packet, not even between two calls
        windows = (found.samples[start : start + size] for start in range(0, len(found.samples), size))
        assert max(goertzel(window, found.rate, tone) for window in windows) < ONE_PACKET


async def test_the_agent_leaves_a_conference(serving: Serving, supervisor: Supervisor) -> None:
    """Caller and supervisor talk on, until one of them hangs up."""
    customer = await given_a_talk(serving)
    timeline = Timeline()
    await supervisor.joins("conference", agent="101")
    await timeline.lasts("conference")
    timeline.now("")
    await serving.bank.hang_up(serving.bank.leg_of("agent-101"))
    await supervisor.until(taken_over=True)
    await serving.until_agent("101", "idle")
    await timeline.lasts("taken")
    timeline.end()
    talking = await serving.call_of(customer)
    assert (talking["state"], talking["agent"], len(talking["talks"])) == ("talking", None, 2)
    await serving.bank.hang_up(serving.bank.leg_of(supervisor.phone))
    ended = await serving.until_call(customer, state="ended", outcome="answered")
    assert ended["talks"][0]["agent"] == "101"
    await supervisor.until(state="ended", reason="supervisor")
    heard = await recordings(serving, customer)
    both = {"caller": {"conference": "as", "taken": "s"}, "supervisor": {"conference": "ca", "taken": "c"}}
    assert wrong(timeline, heard, both) == []


async def test_the_caller_leaves_a_conference(serving: Serving, supervisor: Supervisor) -> None:
    """Agent and supervisor talk on; when the agent hangs up, the session waits for his next call."""
    customer = await given_a_talk(serving)
    timeline = Timeline()
    await supervisor.joins("conference", agent="101")
    await timeline.lasts("conference")
    timeline.now("")
    await serving.bank.leave(customer)
    await serving.until_call(customer, state="ended", outcome="answered")
    await timeline.lasts("alone")
    timeline.end()
    assert (await supervisor.seen())["state"] == "joined"
    await serving.bank.hang_up(serving.bank.leg_of("agent-101"))
    await supervisor.until(state="quiet")
    await supervisor.stop()
    heard = await recordings(serving, customer)
    both = {"agent": {"conference": "cs", "alone": "s"}, "supervisor": {"conference": "ca", "alone": "a"}}
    assert wrong(timeline, heard, both) == []


async def test_a_call_is_taken_over_and_handed_back(serving: Serving, supervisor: Supervisor) -> None:
    """The agent has work to do after the call; it ends when the caller comes back to him."""
    await serving.set_queue(wrap_up_s=60.0, recording={"mode": "always"})
    customer = await given_a_talk(serving)
    call = (await serving.call_of(customer))["id"]
    timeline = Timeline()
    await supervisor.joins("barge", call=call)
    refused = await supervisor.act("take-over")
    assert (refused.status_code, refused.json()["slug"]) == (409, "not_in_conference")
    await supervisor.change("conference")
    assert (await supervisor.act("take-over")).status_code == 202
    await supervisor.until(taken_over=True)
    await serving.until_agent("101", "wrap_up")
    await timeline.lasts("taken")
    timeline.now("")
    refused = await supervisor.api.patch(f"/v1/supervisions/{supervisor.session}", json={"mode": "listen"})
    assert (refused.status_code, refused.json()["slug"]) == (409, "taken_over")
    handed = await supervisor.act("hand-back")
    assert handed.status_code == 202, handed.text
    await serving.until_call(customer, state="talking", agent="101")
    await supervisor.until(state="joined", mode="listen", taken_over=False)
    await timeline.lasts("listen")
    timeline.end()
    await serving.bank.leave(customer)
    await supervisor.until(state="ended", reason="call_ended")
    ended = await serving.until_call(customer, state="ended")
    assert [talk["agent"] for talk in ended["talks"]] == ["101", None, "101"]
    heard = await recordings(serving, customer)
    both = {"caller": {"taken": "s", "listen": "a"}, "supervisor": {"taken": "c", "listen": "ca"}}
    assert wrong(timeline, heard, both) == []
    heard_by_hour = (await supervisor.seen())["heard"]
    assert [one["mode"] for one in heard_by_hour] == ["barge", "conference", "listen"]
    await serving.set_queue(recording={"mode": "never"})
    said, answered = await both_sides(serving, call, -1)  # the first: it went on with whoever took the call over
    taken = next(span for span in timeline.spans if span[0] == "taken")
    assert said.steady(*taken[1:], CALLER_TONE)[0] > PRESENT
    assert answered.steady(*taken[1:], SUPERVISOR_TONE)[0] > PRESENT


async def test_a_conference_ends_when_the_call_is_passed_on(serving: Serving, supervisor: Supervisor) -> None:
    """The caller is with the next agent, the one before is free, and a session of the call is with both of them."""
    customer = await given_a_talk(serving)
    await serving.bank.given_phone("agent-102", talk=0, tone=AGENT_TONE, record=True)
    await serving.given_available("102")
    call = (await serving.call_of(customer))["id"]
    await supervisor.joins("conference", call=call)
    (await serving.api.post(f"/v1/calls/{call}/transfer", json={"to": {"agent": "102"}})).raise_for_status()
    await serving.until_call(customer, state="talking", agent="102")
    await serving.until_agent("101", "idle")
    timeline = Timeline()
    await supervisor.until(state="joined", conversation={"call": call, "queue": "sales", "agent": "102"})
    await timeline.lasts("conference")
    timeline.end()
    await serving.bank.leave(customer)
    await serving.until_call(customer, state="ended")
    await serving.bank.hang_up(serving.bank.leg_of("agent-102"))
    await supervisor.until(state="ended")
    heard = await recordings(serving, customer, "agent-102")
    assert wrong(timeline, heard, HEARD_AT) == []


async def test_five_supervisors_in_one_conversation(serving: Serving, supervisor: Supervisor) -> None:
    """Each is where his mode says; none of their phones can be in a second session."""
    customer = await given_a_talk(serving)
    extra = [await Supervisor.given(serving, f"supervisor-{number}", tone=0) for number in range(202, 206)]
    try:
        modes = ("listen", "whisper", "conference", "barge")
        for one, mode in zip(extra, modes, strict=True):
            await one.joins(mode, agent="101")
        timeline = Timeline()
        await supervisor.joins("barge", agent="101")
        await timeline.lasts("barge")
        timeline.end()
        refused = await supervisor.start("listen", agent="102")
        assert (refused.status_code, refused.json()["slug"]) == (409, "already_supervising")
        await serving.bank.leave(customer)
        await serving.until_call(customer, state="ended")
        for one in (supervisor, *extra):
            await one.stop()
        await until(serving.pbx.is_quiet, "no leg is left", within_s=5, seen=lambda: serving.pbx.left)
    finally:
        for one in extra:
            await one.close()
    heard = await recordings(serving, customer)
    assert wrong(timeline, heard, {who: HEARD_AT[who] for who in ("caller", "agent", "supervisor")}) == []


async def test_a_supervisor_who_is_lost_with_the_caller_loses_nobody(serving: Serving, supervisor: Supervisor) -> None:
    """His phone's network goes while he has the caller alone: the caller is the next in line, and hears why."""
    customer = await given_a_talk(serving)
    await supervisor.joins("conference", agent="101")
    assert (await supervisor.act("take-over")).status_code == 202
    await supervisor.until(taken_over=True)
    await serving.until_agent("101", "idle")
    await serving.choose("101", "break")
    await serving.bank.die(supervisor.phone)
    await supervisor.until(within_s=15, state="ended", reason="leg_lost")
    again = await serving.until_call(customer, state="waiting")
    assert len(again["visits"]) == 2
    await serving.choose("101", "available")
    await serving.until_call(customer, state="talking", agent="101")
    await serving.bank.leave(customer)
    await serving.until_call(customer, state="ended", outcome="answered")
