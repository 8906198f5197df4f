"""Broken SIP and a flood of it, from anywhere and from the trunk's own address: calls go on, and nothing of it becomes one."""

import socket

from tests.support.malformed import TEMPLATES, flood, messages
from tests.support.rawsip import RawSip
from tests.support.serving import Serving
from tests.support.until import until

FLOOD = 300
TRUNK = "127.0.0.1"
"""Whoever else is on loopback is a stranger."""


async def _everything_is_read(stranger: RawSip) -> None:
    """An answer to a question that came behind all the rest."""

    async def is_answered() -> bool:
        try:
            return await stranger.ask("OPTIONS", "9", "9") == 401
        except TimeoutError:
            return False  # a datagram that was lost: nobody asks again for us

    await until(is_answered, "an answer of Asterisk's", within_s=20)


async def test_no_message_however_broken_harms_a_call(serving: Serving) -> None:
    pbx, bank = serving.pbx, serving.bank
    await serving.given_available("101")
    await bank.given_phone("agent-101", talk=0)
    talking = await bank.call("8000")
    await serving.until_agent("101", "talking")
    waiting = await bank.call("8000")
    await serving.until_line([waiting])
    known = {call["id"] for call in (await serving.get("/v1/calls", limit=200))["items"]}
    before, stranger = pbx.instance.running_pid(), await RawSip.open(pbx.sip, "127.0.0.2")
    host, _, port = pbx.sip.rpartition(":")
    for address in (TRUNK, "127.0.0.2"):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
            sending.bind((address, 0))
            sent = 0
            for _, message in messages(f"{address}:{sending.getsockname()[1]}", pbx.sip):
                sending.sendto(message, (host, int(port)))
                sent += 1
                if sent % 10 == 0:  # or the kernel's buffer would drop some
                    await _everything_is_read(stranger)
            assert sent == len(TEMPLATES)
            if address != TRUNK:
                for message in flood(f"{address}:{sending.getsockname()[1]}", pbx.sip, FLOOD):
                    sending.sendto(message, (host, int(port)))
            await _everything_is_read(stranger)
    stranger.close()

    assert pbx.instance.running_pid() == before
    assert (await serving.get("/readyz"))["status"] == "ready"
    assert (await serving.agent("101"))["state"] == "talking"
    assert await serving.line() == [waiting.number]
    assert {call["id"] for call in (await serving.get("/v1/calls", limit=200))["items"]} == known
    metrics = (await serving.api.get("/metrics")).text.splitlines()
    assert not [line for line in metrics if line.startswith("ami_quarantined_total{") and not line.endswith(" 0.0")]
    await bank.leave(talking)

    async def has_the_next() -> bool:
        return bool((await serving.agent("101"))["call"] == (await serving.call_of(waiting))["id"])

    await until(has_the_next, "the agent talks to the caller who waited")
