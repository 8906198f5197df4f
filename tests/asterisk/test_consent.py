"""Callers who are asked first whether they may be recorded and listened to: their word holds."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.support.phonebank import Customer
from tests.support.serving import Serving
from tests.support.supervising import CALLER_TONE, Supervisor
from tests.support.until import until


@pytest_asyncio.fixture(loop_scope="session")
async def supervisor(serving: Serving) -> AsyncIterator[Supervisor]:
    one = await Supervisor.given(serving, "supervisor-201", 0)
    yield one
    await one.close()


async def given_an_answer(serving: Serving, key: str) -> tuple[Customer, str]:
    """A caller who has pressed ``key`` at the question talks to agent 101."""
    customer = await serving.bank.call("888000", tone=CALLER_TONE)

    async def is_asked() -> bool:
        client = await serving.pbx.ami()
        there = {(one["Context"], one["Application"]) for one in await client.list("Status")}
        await client.close()
        return ("acd-consent", "Read") in there

    await until(is_asked, "the question is put")
    await serving.bank.send_digits(customer.customer, key)
    call = await serving.until_call(customer, state="talking", agent="101")
    return customer, call["id"]


async def test_who_refuses_is_served_and_nothing_else(serving: Serving, supervisor: Supervisor) -> None:
    await serving.bank.given_phone("agent-101", talk=0)
    await serving.given_available("101")
    await serving.set_queue(recording={"mode": "always"})
    customer, call = await given_an_answer(serving, "2")
    refused = await supervisor.start("listen", call=call)
    assert (refused.status_code, refused.json()["slug"]) == (409, "no_consent")
    await supervisor.start("listen", agent="101")
    await supervisor.until(state="quiet")
    await serving.bank.leave(customer)
    await serving.until_call(customer, state="ended", outcome="answered")
    assert (await serving.get("/v1/recordings", call=call))["items"] == []
    customer, call = await given_an_answer(serving, "1")
    await supervisor.until(state="joined")

    async def is_recorded() -> bool:
        return len((await serving.get("/v1/recordings", call=call))["items"]) == 1

    await until(is_recorded, "the recording is in the list")
    await serving.bank.leave(customer)
    await serving.until_call(customer, state="ended", outcome="answered")
    await supervisor.stop()
    await serving.set_queue(recording={"mode": "never"})
