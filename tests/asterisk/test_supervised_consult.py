"""A supervised agent asks a colleague: the supervisor stays with the agent, and hears nobody else's call."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.support.consults import ANN, BEN, change, consult, given_talk, until_stage
from tests.support.serving import Serving
from tests.support.supervising import ABSENT, PRESENT, Heard, Supervisor, Timeline
from tests.support.team import CALLER_TONE
from tests.support.tones import goertzel

OTHER_AGENT, OTHER_CALLER = 3220, 2350
ONE_PACKET = 1200.0
"""What 20 ms of a tone are in a window of 100; the edges of other tones spread over a third of that."""

HEARD = {"talk": {CALLER_TONE, ANN}, "asks": {ANN, BEN}, "three": {CALLER_TONE, ANN, BEN}, "over": set[int]()}


@pytest_asyncio.fixture(loop_scope="session")
async def supervisor(serving: Serving) -> AsyncIterator[Supervisor]:
    one = await Supervisor.given(serving, "supervisor-201", 0)
    yield one
    await one.close()


async def given_another_call(serving: Serving) -> None:
    """A call that nobody of this test may hear."""
    await serving.bank.given_phone("agent-109", talk=0, tone=OTHER_AGENT)
    await serving.given_available("109")
    customer = await serving.bank.call("8000", tone=OTHER_CALLER)
    await serving.until_call(customer, state="talking", agent="109")


async def test_the_session_goes_with_the_agent_through_a_consult(serving: Serving, supervisor: Supervisor) -> None:
    await given_another_call(serving)
    _, customer = await given_talk(serving)
    timeline = Timeline()
    await supervisor.joins("listen", agent="ann")
    await timeline.lasts("talk")
    timeline.now("")
    await consult(serving, customer, {"agent": "ben"})
    await until_stage(serving, customer, "talking")
    await timeline.lasts("asks")
    timeline.now("")
    await change(serving, customer, "merge")
    await until_stage(serving, customer, "merged")
    await timeline.lasts("three")
    timeline.now("")
    await change(serving, customer, "complete")
    await serving.until_call(customer, state="talking", agent="ben")
    await supervisor.until(state="quiet")
    await timeline.lasts("over")
    timeline.end()
    await serving.bank.leave(customer)
    await supervisor.stop()
    answered = [m.ms for m in serving.bank.moments if (m.kind, m.phone) == ("PhoneAnswer", supervisor.phone)]
    heard = Heard.of(await serving.bank.recording(f"{supervisor.phone}-nobat"), answered[-1] / 1000)
    for name, from_at, to_at in timeline.spans:
        for tone in (CALLER_TONE, ANN, BEN) if name else ():
            low, high = heard.steady(from_at, to_at, tone)
            assert low > PRESENT if tone in HEARD[name] else high < ABSENT, (name, tone, low, high)
    size = heard.rate // 10
    for tone in (OTHER_AGENT, OTHER_CALLER):  # not a single packet
        windows = (heard.samples[start : start + size] for start in range(0, len(heard.samples), size))
        assert max(goertzel(window, heard.rate, tone) for window in windows) < ONE_PACKET
