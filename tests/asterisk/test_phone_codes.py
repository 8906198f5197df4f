"""Agents sign in and out, take breaks and come back by phone codes; who they are is proven by a PIN."""

from functools import partial

from tests.support.serving import Serving
from tests.support.until import until


async def _sign_in(serving: Serving, phone: str, agent: str, pin: str) -> str:
    return await serving.bank.dial_from(phone, "*11", digits=f"{agent}#w{pin}#")


async def _wait_for_end(serving: Serving, phone: str) -> None:
    """The sentence is spoken and the phone is free again."""
    await serving.bank.until(lambda: phone not in serving.bank.dialling, f"{phone} is free", 15)


async def _hang_up(serving: Serving, phone: str) -> None:
    """Nobody has to hear every sentence to its end."""
    await serving.bank.ami.act("Hangup", Channel=f"/^PJSIP/{phone}-/", Cause="16")
    await _wait_for_end(serving, phone)


async def test_a_shift_by_phone(serving: Serving) -> None:
    await _sign_in(serving, "agent-101", "101", "101")
    await serving.until_agent("101", "idle", within_s=15)
    await serving.bank.dial_from("agent-101", "*132")
    await serving.until_agent("101", "break")
    assert (await serving.agent("101"))["reason"] == "2"
    await _hang_up(serving, "agent-101")
    await serving.bank.dial_from("agent-101", "*14")
    await serving.until_agent("101", "idle", within_s=15)
    await _hang_up(serving, "agent-101")
    await serving.bank.dial_from("agent-101", "*12")
    await serving.until_agent("101", "signed_out")


async def test_any_phone_becomes_the_agents(serving: Serving) -> None:
    await _sign_in(serving, "agent-105", "102", "102")
    await serving.until_agent("102", "idle", within_s=15)
    assert (await serving.agent("102"))["phone"] == "PJSIP/agent-105"
    await serving.bank.given_phone("agent-105", talk=0.3)
    customer = await serving.bank.call("8000")
    await serving.until_call(customer, state="ended", outcome="answered", agent="102")


async def test_three_wrong_pins_lock_the_sign_in_for_a_minute(serving: Serving) -> None:
    for tries in range(1, 4):
        await _sign_in(serving, "agent-103", "103", "999")
        await until(partial(_told, serving, " PIN", tries), f"wrong PIN number {tries} is logged", within_s=15)
        await _hang_up(serving, "agent-103")
    await _sign_in(serving, "agent-103", "103", "103")
    await until(partial(_told, serving, "a locked agent tried", 1), "the right PIN comes too late", within_s=15)
    assert (await serving.agent("103"))["status"] == "signed_out"
    assert "999" not in [word.strip('",') for word in serving.service.log_file.read_text().split()]


def _told(serving: Serving, what: str, times: int) -> bool:
    """Whether the service has logged so many warnings about agent 103 that say ``what``."""
    lines = serving.service.log_file.read_text().splitlines()
    return len([line for line in lines if what in line and '"agent": "103"' in line and "warning" in line]) == times


async def test_an_unknown_agent_cannot_sign_in(serving: Serving) -> None:
    await _sign_in(serving, "agent-104", "777", "777")
    await _wait_for_end(serving, "agent-104")
    assert (await serving.agent("104"))["status"] == "signed_out"
