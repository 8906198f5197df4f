"""The service dies and comes back: callers and agents notice nothing, places and times are kept."""

import asyncio
from datetime import datetime

from tests.support.serving import Serving
from tests.support.until import until

CALLER_TONE, AGENT_TONE = 440, 1200
LOUD = 3000.0


async def test_a_killed_service_is_noticed_by_nobody(serving: Serving) -> None:
    """One talks, one is being rung, three wait; the service is killed and started again."""
    bank = serving.bank
    await serving.set_queue(ring_s=30)
    await bank.given_phone("agent-101", talk=0, tone=AGENT_TONE, record=True)
    await bank.given_phone("agent-102", does="silent")
    await serving.given_available("101")
    talking = await bank.call("8000", tone=CALLER_TONE, record=True)
    before = await serving.until_call(talking, state="talking", agent="101")
    await serving.given_available("102")
    ringing = await bank.call("8000")
    await serving.until_call(ringing, state="offered", offered_to=["102"])
    waiting = []
    for _ in range(3):
        waiting.append(await bank.call("8000"))
        await serving.until_line([ringing, *waiting])
    waiting_before = [await serving.call_of(customer) for customer in waiting]

    serving.service.kill()
    late = await bank.call("8000")  # comes in while there is no service
    await bank.until(lambda: late.answered_ms is not None, "a caller is answered without the service")
    serving.service.start()
    serving.service.wait_ready()

    after = await serving.until_call(talking, state="talking", agent="101")
    assert (after["id"], after["entered_at"]) == (before["id"], before["entered_at"])
    assert abs(_seconds(after["connected_at"]) - _seconds(before["connected_at"])) < 0.1
    await serving.until_call(ringing, state="offered")
    await serving.until_line([ringing, *waiting, late])
    for was, customer in zip(waiting_before, waiting, strict=True):
        now = await serving.call_of(customer)
        assert (now["id"], now["entered_at"]) == (was["id"], was["entered_at"])
    assert (await serving.agent("101"))["state"] == "talking"
    assert (await serving.agent("102"))["state"] in ("ringing", "busy_elsewhere")  # and so is offered nothing

    await bank.leave(talking)
    ended = await serving.until_call(talking, state="ended", outcome="answered")
    assert ended["agent"] == "101"
    await serving.until_call(ringing, state="offered")  # the other agent's phone still rings: never rung twice
    await serving.until_call(waiting[0], within_s=2, state="talking", agent="101")
    rung = [moment.caller for moment in bank.moments if moment.kind == "PhoneInvite" and moment.phone == "agent-102"]
    assert rung.count(ringing.number) == 1
    heard = await bank.heard(talking.customer, (AGENT_TONE,))
    assert heard[AGENT_TONE] > LOUD


async def test_a_conversation_that_ends_without_the_service_is_in_the_history(serving: Serving) -> None:
    bank = serving.bank
    await bank.given_phone("agent-101", talk=0)
    await serving.given_available("101")
    customer = await bank.call("8000")
    await serving.until_call(customer, state="talking")
    await asyncio.sleep(1)  # history is written a moment behind the call
    serving.service.kill()
    await bank.leave(customer)
    await until(serving.pbx.is_quiet, "the call is over")
    serving.service.start()
    serving.service.wait_ready()
    ended = await serving.until_call(customer, state="ended")
    assert (ended["outcome"], ended["agent"]) == ("answered", "101")
    await serving.until_agent("101", "idle")


async def test_a_caller_who_leaves_while_the_service_is_dead_is_accounted_for(serving: Serving) -> None:
    before = await serving.stats()
    customer = await serving.bank.call("8000")
    await serving.until_line([customer])
    await asyncio.sleep(1)  # as above
    serving.service.kill()
    await serving.bank.leave(customer)
    await until(serving.pbx.is_quiet, "the call is over")
    serving.service.start()
    serving.service.wait_ready()
    await serving.until_call(customer, state="ended")
    after = await serving.stats()
    parts = ("answered", "abandoned", "overflowed", "deferred", "lost", "waiting")
    assert after["offered"] == sum(after[part] for part in parts) == before["offered"] + 1


async def test_an_offer_outlives_the_service(serving: Serving) -> None:
    """The phone rings, the service dies, the agent answers: caller and agent talk, and the service learns of it."""
    bank = serving.bank
    await serving.set_queue(ring_s=30)
    await bank.given_phone("agent-101", ring=2, talk=0)
    await serving.given_available("101")
    customer = await bank.call("8000")
    await serving.until_call(customer, state="offered")
    serving.service.kill()
    await bank.until(
        lambda: any(m.kind == "PhoneAnswer" and m.caller == customer.number for m in bank.moments), "answered"
    )
    serving.service.start()
    serving.service.wait_ready()
    await serving.until_call(customer, state="talking", agent="101")
    await serving.until_agent("101", "talking")


async def test_stopping_leaves_every_call_untouched(serving: Serving) -> None:
    bank = serving.bank
    await bank.given_phone("agent-101", talk=0)
    await serving.given_available("101")
    talking = await bank.call("8000")
    await serving.until_call(talking, state="talking")
    waiting = await bank.call("8000")
    await serving.until_line([waiting])
    serving.service.stop()
    await asyncio.sleep(1.5)  # nothing happens, which only time can show
    assert not talking.is_over
    assert not waiting.is_over
    serving.service.start()
    serving.service.wait_ready()
    await serving.until_line([waiting])
    await bank.leave(talking)
    await serving.until_call(waiting, within_s=2, state="talking", agent="101")


async def test_a_pbx_that_dies_loses_its_calls_and_comes_back(serving: Serving) -> None:
    bank = serving.bank
    await bank.given_phone("agent-101", talk=0)
    await serving.given_available("101")
    talking = await bank.call("8000")
    await serving.until_call(talking, state="talking")
    waiting = await bank.call("8000")
    await serving.until_line([waiting])
    serving.pbx.instance.kill()
    await until(lambda: serving.service.readiness()[0] == 503, "/readyz says that the PBX is away", within_s=5)
    await serving.pbx.restart()
    serving.service.wait_ready()
    await serving.until_line([])
    assert (await serving.until_call(waiting, state="ended"))["outcome"] == "lost"
    assert (await serving.until_call(talking, state="ended"))["outcome"] == "answered"
    for customer in (talking, waiting):
        await bank.leave(customer)
    await bank.register([phone.endpoint for phone in bank.phones])
    following = await bank.call("8000")
    await serving.until_call(following, state="talking", agent="101")


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
