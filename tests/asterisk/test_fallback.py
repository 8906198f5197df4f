"""The service is gone and does not come back at once: Asterisk serves its callers alone, and gives them back."""

import asyncio
import os
import signal
import time

from tests.support.phonebank import Customer, PhoneBank
from tests.support.serving import Serving
from tests.support.until import until

CALLER_TONE, AGENT_TONE = 440, 1200
LOUD = 3000.0


def rung(bank: PhoneBank, kind: str = "PhoneInvite") -> list[str]:
    """The callers for whom phones rang, or answered, in order."""
    return [moment.caller for moment in bank.moments if moment.kind == kind]


async def three_in_line(serving: Serving) -> list[Customer]:
    waiting: list[Customer] = []
    for _ in range(3):
        waiting.append(await serving.bank.call("8000", tone=CALLER_TONE, record=True))
        await serving.until_line(waiting)
    return waiting


async def until_mirrored(serving: Serving, phone: str, *, paused: bool) -> None:
    client = await serving.pbx.ami()

    async def is_so() -> bool:
        told = await client.act("Getvar", Variable=f"QUEUE_MEMBER(sales,paused,PJSIP/{phone})")
        return bool(told["Value"] == str(int(paused)))

    await until(is_so, f"{phone} is paused: {paused}")
    await client.close()


async def until_alone(serving: Serving, customer: Customer) -> None:
    """The customer's channel has missed the heartbeat."""
    client = await serving.pbx.ami()

    async def is_so() -> bool:
        channels = await client.list("Status", Variables="ACD_STATE")
        return any(one["CallerIDNum"] == customer.number and "=fallback" in one["Variable"] for one in channels)

    await until(is_so, f"{customer.customer} is served by Asterisk alone", within_s=12)
    await client.close()


async def test_callers_of_a_dead_service_are_served_in_order_and_given_back(serving: Serving) -> None:
    """Three wait; one agent talks and is free soon after the kill, one is on a break, nobody else is signed in."""
    bank = serving.bank
    await bank.given_phone("any", tone=AGENT_TONE, record=True)
    await serving.given_available("101", "102")
    await serving.choose("102", "break")
    before = await bank.call("8000")
    await serving.until_call(before, state="talking", agent="101")
    waiting = await three_in_line(serving)
    places = [(call["id"], call["entered_at"]) for call in [await serving.call_of(one) for one in waiting]]
    await until_mirrored(serving, "agent-101", paused=False)
    await until_mirrored(serving, "agent-112", paused=True)
    await until_mirrored(serving, "agent-102", paused=True)
    already = len(bank.moments)

    serving.service.kill()
    killed = time.monotonic()
    await bank.leave(before)  # so that a phone is free when the callers are left alone: who comes first must get it
    await bank.until(lambda: waiting[0].number in rung(bank, "PhoneAnswer"), "an agent answers", within_s=20)
    assert time.monotonic() - killed < 15
    assert [moment.phone for moment in bank.moments[already:] if moment.kind == "PhoneInvite"] == ["agent-101"]
    late = await bank.call("8000")
    await bank.until(lambda: late.answered_ms is not None, "a caller is let in without the service")

    serving.service.start()
    serving.service.wait_ready()
    talking = await serving.until_call(waiting[0], state="talking", agent="101")
    assert (talking["id"], talking["entered_at"]) == places[0]
    await serving.until_agent("101", "talking")
    await serving.until_line([*waiting[1:], late], within_s=1)
    for customer, place in zip(waiting[1:], places[1:], strict=True):
        call = await serving.until_call(customer, state="waiting")
        assert (call["id"], call["entered_at"]) == place

    await bank.leave(waiting[0])
    await serving.until_call(waiting[0], state="ended", outcome="answered")
    await serving.until_call(waiting[1], within_s=5, state="talking", agent="101")
    heard = await bank.heard(waiting[0].customer, (AGENT_TONE,))
    assert heard[AGENT_TONE] > LOUD
    at_agent = await bank.heard(f"agent-101-{waiting[0].number}", (CALLER_TONE,))
    assert at_agent[CALLER_TONE] > LOUD
    await serving.until_line([waiting[2], late])
    assert not any(customer.is_over for customer in (*waiting[1:], late))
    assert "102" not in {moment.phone.removeprefix("agent-") for moment in bank.moments[already:]}


async def test_an_agent_who_hangs_up_without_the_service_gets_the_next_caller(serving: Serving) -> None:
    bank = serving.bank
    await bank.given_phone("agent-101", talk=1)
    await serving.given_available("101")
    await serving.choose("101", "break")
    waiting = await three_in_line(serving)
    await serving.choose("101", "available")
    await serving.until_call(waiting[0], state="talking", agent="101")
    await until_mirrored(serving, "agent-101", paused=False)
    await until_mirrored(serving, "agent-112", paused=True)
    serving.service.kill()
    await serving.until_over(waiting, within_s=30)
    assert rung(bank, "PhoneAnswer")[-3:] == [customer.number for customer in waiting]
    serving.service.start()
    serving.service.wait_ready()
    await serving.until_line([])
    parts = ("answered", "abandoned", "overflowed", "deferred", "lost", "waiting")
    stats = await serving.stats()
    assert stats["offered"] == sum(stats[part] for part in parts)


async def test_a_service_that_stands_still_finds_its_callers_again(serving: Serving) -> None:
    """Stopped for ten seconds, in the middle of everything: nobody is torn from a conversation, nobody is lost."""
    bank = serving.bank
    await serving.given_available("101", "102")
    await serving.choose("102", "break")
    before = await bank.call("8000")
    await serving.until_call(before, state="talking", agent="101")
    waiting = await three_in_line(serving)
    await until_mirrored(serving, "agent-101", paused=False)
    await until_mirrored(serving, "agent-112", paused=True)
    pid = serving.service.running_pid()
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        await bank.leave(before)
        await bank.until(lambda: waiting[0].number in rung(bank, "PhoneAnswer"), "an agent answers", within_s=20)
    finally:
        os.kill(pid, signal.SIGCONT)
    await serving.choose("102", "available")  # at once: while it does not know yet what has happened
    await serving.until_call(waiting[0], state="talking", agent="101")
    await serving.until_call(waiting[1], within_s=10, state="talking", agent="102")
    await serving.until_line(waiting[2:])
    await asyncio.sleep(1)  # nothing more happens, which only time can show
    assert not any(customer.is_over for customer in waiting)


async def test_asterisk_starts_without_the_service_and_serves(serving: Serving) -> None:
    bank = serving.bank
    await serving.given_available("101", "102")
    serving.service.kill()
    serving.pbx.instance.kill()
    await serving.pbx.restart()
    await bank.register([phone.endpoint for phone in bank.phones])
    customer = await bank.call("8000")
    await bank.until(lambda: customer.number in rung(bank, "PhoneAnswer"), "somebody answers", within_s=15)
    second = await bank.call("8000")
    serving.service.start()
    serving.service.wait_ready()
    await serving.until_call(
        customer, state="talking"
    )  # of everybody whose phone is there: the pauses died with Asterisk
    await serving.until_call(second, within_s=5, state="talking")


async def test_a_queue_that_asterisk_does_not_have_keeps_its_callers(serving: Serving) -> None:
    """No fallback queue of that name: music, no hang-up; the log has said so."""
    made = {"id": "rare", "number": "8077", "ring_s": 5}
    (await serving.api.post("/v1/queues", json=made)).raise_for_status()
    seldom = {"id": "seldom", "device": "PJSIP/agent-112", "queues": ["rare"]}
    (await serving.api.post("/v1/agents", json=seldom)).raise_for_status()
    customer = await serving.bank.call("8077")
    await serving.until_call(customer, state="waiting", queue="rare")
    serving.service.kill()
    await until_alone(serving, customer)
    await asyncio.sleep(4)  # nothing happens, which only time can show
    assert not customer.is_over
    serving.service.start()
    serving.service.wait_ready()
    await serving.until_call(customer, state="waiting", queue="rare")
    log = serving.service.log_file
    await until(lambda: "lacks a fallback queue" in log.read_text(), "the operator is told")
