"""A supervised agent asks a colleague: the supervisor stays with the agent, and neither hears nor reaches anybody else."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.support.consults import ANN, BEN, change, consult, given_talk, until_stage
from tests.support.serving import Serving
from tests.support.supervising import ABSENT, PRESENT, SUPERVISOR_TONE, Heard, Supervisor, Timeline
from tests.support.team import CALLER_TONE
from tests.support.tones import goertzel

OTHER_AGENT, OTHER_CALLER = 3220, 2350
ONE_PACKET = 1200.0
"""What 20 ms of a tone are in a window of 100; the edges of other tones spread over a third of that."""

SUP = SUPERVISOR_TONE
TOGETHER = {
    "talk": {CALLER_TONE, ANN, SUP},
    "asks": {ANN, BEN, SUP},
    "swapped": {CALLER_TONE, ANN, SUP},
    "three": {CALLER_TONE, ANN, BEN, SUP},
    "over": {CALLER_TONE, BEN},
}
"""Who hears each other in which part of the call."""

EVERYBODY = (CALLER_TONE, ANN, BEN, SUP)


@pytest_asyncio.fixture(loop_scope="session")
async def supervisor(serving: Serving) -> AsyncIterator[Supervisor]:
    one = await Supervisor.given(serving)
    yield one
    await one.close()


async def given_another_call(serving: Serving) -> None:
    """A call that nobody of this test may hear."""
    await serving.bank.given_phone("agent-109", talk=0, tone=OTHER_AGENT)
    await serving.given_available("109")
    customer = await serving.bank.call("8000", tone=OTHER_CALLER)
    await serving.until_call(customer, state="talking", agent="109")


async def test_the_session_goes_with_the_agent_through_a_consult(serving: Serving, supervisor: Supervisor) -> None:
    """As a full member: where two talk aside he breaks in, and nobody on hold hears him."""
    await given_another_call(serving)
    team, customer = await given_talk(serving)
    timeline = Timeline()
    await supervisor.joins("conference", agent="ann")
    await timeline.lasts("talk")
    timeline.now("")
    await consult(serving, customer, {"agent": "ben"})
    for name, action, stage in (("asks", "swap", "talking"), ("swapped", "merge", "swapped"), ("three", "", "merged")):
        await until_stage(serving, customer, stage)
        await supervisor.until(state="joined")
        await timeline.lasts(name)
        timeline.now("")
        if action:
            await change(serving, customer, action)
    await change(serving, customer, "complete")
    await serving.until_call(customer, state="talking", agent="ben")
    await supervisor.until(state="quiet")
    await timeline.lasts("over")
    timeline.end()
    await serving.bank.leave(customer)
    await supervisor.stop()
    bank = serving.bank
    rung = {(m.phone, m.caller): m.ms / 1000 for m in bank.moments if m.kind == "PhoneAnswer"}
    legs = {
        SUP: (f"{supervisor.phone}-nobat", rung[supervisor.phone, "nobat"]),
        ANN: (f"{team.device('ann')}-{customer.number}", rung[team.device("ann"), customer.number]),
        BEN: (f"{team.device('ben')}-101", rung[team.device("ben"), "101"]),
        CALLER_TONE: (customer.customer, (customer.answered_ms or 0) / 1000),
    }
    wrong: list[object] = []
    for own, (leg, answered) in legs.items():
        heard = Heard.of(await bank.recording(leg), answered)
        for name, from_at, to_at in timeline.spans:
            for tone in EVERYBODY if name else ():
                there = {own, tone} <= TOGETHER[name]
                low, high = heard.steady(from_at, to_at, tone)
                if own != tone and heard.between(from_at, to_at) and not (low > PRESENT if there else high < ABSENT):
                    wrong.append((name, f"{tone} at {own}", round(low), round(high)))
        size = heard.rate // 10
        for tone in (OTHER_AGENT, OTHER_CALLER) if own == SUP else ():  # not a single packet
            windows = (heard.samples[start : start + size] for start in range(0, len(heard.samples), size))
            assert max(goertzel(window, heard.rate, tone) for window in windows) < ONE_PACKET
    assert wrong == []
