"""Whole calls: customers, phones, Asterisk and the service, and what REST says of each."""

import asyncio
from datetime import datetime
from itertools import pairwise

import pytest

from tests.support.serving import Serving
from tests.support.until import until

CALLER_TONE, AGENT_TONE = 440, 1200
LOUD, SILENT = 3000.0, 500.0  # a tone has an amplitude of 7000, hold music a few hundred at any frequency


async def test_an_answered_call_has_audio_both_ways(serving: Serving) -> None:
    bank = serving.bank
    await bank.given_phone("agent-101", ring=0.5, talk=1.5, tone=AGENT_TONE, record=True)
    await serving.given_available("101")
    customer = await bank.call("8000", name="Ali", tone=CALLER_TONE, record=True)
    await serving.until_call(customer, state="offered", offered_to=["101"])
    talking = await serving.until_call(customer, state="talking", agent="101")
    assert [leg["party"] for leg in talking["legs"]] == ["caller", "agent"]
    assert talking["caller"] == {"number": customer.number, "name": "Ali"}
    assert (await serving.agent("101"))["state"] == "talking"
    ended = await serving.until_call(customer, state="ended", outcome="answered")
    assert 1.0 < ended["talk_s"] < 2.5
    await serving.until_agent("101", "idle")
    at_caller = await bank.heard(customer.customer, (CALLER_TONE, AGENT_TONE))
    at_agent = await bank.heard(f"agent-101-{customer.number}", (CALLER_TONE, AGENT_TONE))
    assert at_caller[AGENT_TONE] > LOUD > SILENT > at_caller[CALLER_TONE]
    assert at_agent[CALLER_TONE] > LOUD > SILENT > at_agent[AGENT_TONE]


async def test_a_caller_who_hangs_up_while_waiting_has_abandoned(serving: Serving) -> None:
    before = (await serving.stats())["abandoned"]
    customer = await serving.bank.call("8000")
    await serving.until_line([customer])
    await serving.bank.leave(customer)
    ended = await serving.until_call(customer, state="ended", outcome="abandoned")
    assert ended["agent"] is None
    await serving.until_line([])
    assert (await serving.stats())["abandoned"] == before + 1


async def test_a_caller_who_hangs_up_while_the_phone_rings_frees_the_agent_without_blame(serving: Serving) -> None:
    await serving.bank.given_phone("agent-101", does="silent")
    await serving.set_queue(ring_s=30)
    await serving.given_available("101")
    customer = await serving.bank.call("8000")
    await serving.until_agent("101", "ringing")
    await serving.bank.leave(customer)
    await serving.until_call(customer, state="ended", outcome="abandoned")
    await serving.until_agent("101", "idle", within_s=1)
    await serving.bank.given_phone("agent-101", does="answer", talk=0.5)
    following = await serving.bank.call("8000")
    await serving.until_call(following, within_s=1, agent="101")


@pytest.mark.parametrize("after_ms", range(0, 60, 6))
async def test_a_caller_who_hangs_up_in_the_moment_of_answer_is_counted_once(serving: Serving, after_ms: int) -> None:
    before = await serving.stats()
    await serving.bank.given_phone("agent-101", ring=0.2)
    await serving.given_available("101")
    customer = await serving.bank.call("8000")
    await serving.bank.until(lambda: any(m.caller == customer.number for m in serving.bank.moments), "the phone rings")
    await asyncio.sleep(0.17 + after_ms / 1000)  # the moment itself is what this test is about
    await serving.bank.leave(customer)
    ended = await serving.until_call(customer, state="ended")
    assert ended["outcome"] in ("answered", "abandoned")
    assert (ended["connected_at"] is not None) == (ended["outcome"] == "answered")
    await serving.until_agent("101", "idle", within_s=2)
    after = await serving.stats()
    assert after["answered"] + after["abandoned"] == before["answered"] + before["abandoned"] + 1
    assert after["offered"] == before["offered"] + 1


@pytest.mark.parametrize("does", ["busy", "reject", "unavailable", "silent", "redirect"])
async def test_a_phone_that_does_not_take_the_call_passes_it_on(serving: Serving, does: str) -> None:
    """The next agent rings at once, and the caller has kept the place."""
    await serving.bank.given_phone("agent-101", does=does)
    await serving.bank.given_phone("agent-102", talk=0.5)
    await serving.given_available("101", "102")  # 101 is idle for longer, and first
    customer = await serving.bank.call("8000")
    ended = await serving.until_call(customer, within_s=6, state="ended", outcome="answered")
    assert ended["agent"] == "102"
    assert [moment.phone for moment in serving.bank.moments if moment.caller == customer.number][:2] == [
        "agent-101",
        "agent-102",
    ]


async def test_an_unregistered_agent_is_unreachable_and_not_offered(serving: Serving) -> None:
    await serving.given_available("101")
    await serving.bank.unregister(["agent-101"])
    await serving.until_agent("101", "unreachable", within_s=2)
    customer = await serving.bank.call("8000")
    await serving.until_line([customer])
    why = await serving.get("/v1/calls/" + (await serving.call_of(customer))["id"])
    assert why["offered_to"] == []
    await serving.bank.register(["agent-101"])
    await serving.until_call(customer, within_s=2, state="talking", agent="101")


async def test_an_agent_in_another_call_is_not_offered(serving: Serving) -> None:
    await serving.given_available("101")
    leg = await serving.bank.dial_from("agent-101", "102")
    await serving.until_agent("101", "busy_elsewhere")
    customer = await serving.bank.call("8000")
    await serving.until_line([customer])
    assert (await serving.call_of(customer))["offered_to"] == []
    await serving.bank.hang_up(leg)
    await serving.until_call(customer, within_s=2, state="talking", agent="101")


async def test_two_callers_and_one_agent(serving: Serving) -> None:
    await serving.bank.given_phone("agent-101", talk=0.7)
    first = await serving.bank.call("8000")
    await serving.until_line([first])
    second = await serving.bank.call("8000")
    await serving.until_line([first, second])
    await serving.choose("101", "available")
    await serving.until_call(first, state="talking", agent="101")
    await serving.until_line([second])
    await serving.until_over([first, second])
    one, two = await serving.call_of(first), await serving.call_of(second)
    assert one["outcome"] == two["outcome"] == "answered"
    # Not the end of the first call: the second may be answered while Asterisk still hangs the first caller up.
    talked = datetime.fromisoformat(two["connected_at"]) - datetime.fromisoformat(one["connected_at"])
    assert talked.total_seconds() >= one["talk_s"] - 0.002


async def test_thirty_callers_and_five_agents_are_served_in_order(serving: Serving) -> None:
    bank = serving.bank
    agents = ["101", "102", "103", "104", "105"]
    for agent in agents:
        await bank.given_phone(f"agent-{agent}", talk=(0.2, 0.6))
    customers = []
    for _ in range(30):
        customers.append(await bank.call("8000"))
        await bank.until(lambda: customers[-1].answered_ms is not None, "the call has entered")
    await serving.until_line(customers)
    for agent in agents:
        await serving.choose(agent, "available")
    await serving.until_over(customers, within_s=30)
    rung = {moment.caller: moment.ms for moment in reversed(bank.moments) if moment.kind == "PhoneInvite"}
    times = [rung[customer.number] for customer in customers]
    # Two agents who become free in the same moment ring in either order: Asterisk places both calls at once.
    assert all(earlier <= later + 30 for earlier, later in pairwise(times)), times
    for customer in customers:
        assert (await serving.until_call(customer, state="ended"))["outcome"] == "answered"


async def test_every_moment_adds_up(serving: Serving) -> None:
    """Entered = answered + abandoned + overflowed + deferred + lost + waiting, whatever is asked and when."""
    await serving.bank.given_phone("agent-101", talk=(0.1, 0.3))
    await serving.given_available("101")
    customers = [await serving.bank.call("8000", patience_s=0.3 + n / 10) for n in range(12)]

    async def adds_up_and_over() -> bool:
        stats = await serving.stats()
        parts = ("answered", "abandoned", "overflowed", "deferred", "lost", "waiting")
        assert stats["offered"] == sum(stats[part] for part in parts), stats
        return all(customer.is_over for customer in customers)

    await until(adds_up_and_over, "all calls are over", within_s=15)
