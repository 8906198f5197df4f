"""The dialplan without a service: what caller and agent hear and see from the first ring to the end of the call."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.support.hands import Hands
from tests.support.pbx import TestPbx
from tests.support.phonebank import PhoneBank

CALLER_TONE, AGENT_TONE = 440, 1200
LOUD = 3000.0  # a tone has an amplitude of 7000, hold music a few hundred at any frequency
SILENT = 500.0


@pytest_asyncio.fixture(loop_scope="session")
async def hands(pbx: TestPbx) -> AsyncIterator[Hands]:
    opened = await Hands.on(pbx)
    yield opened
    await opened.close()


async def test_caller_and_agent_hear_each_other(bank: PhoneBank, hands: Hands) -> None:
    await bank.given_phone("agent-101", ring=0.3, talk=2, tone=AGENT_TONE, record=True)
    customer = await bank.call("8000", tone=CALLER_TONE, record=True)
    await hands.offer(await hands.event("AcdEnter"), "PJSIP/agent-101")
    await bank.until(lambda: customer.is_over, "the call is over", 10)
    at_caller = await bank.heard(customer.customer, [AGENT_TONE, CALLER_TONE])
    at_agent = await bank.heard(f"agent-101-{customer.number}", [AGENT_TONE, CALLER_TONE])
    assert at_caller[AGENT_TONE] > LOUD
    assert at_caller[CALLER_TONE] < SILENT
    assert at_agent[CALLER_TONE] > LOUD
    assert at_agent[AGENT_TONE] < SILENT
