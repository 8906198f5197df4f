"""Callers who come and go while the service is away are accounted for when it is back, whatever they met meanwhile."""

import asyncio

from tests.support.ami_client import AmiError
from tests.support.serving import Serving
from tests.support.until import until


async def _notes(serving: Serving) -> list[str]:
    """Which calls Asterisk has notes of."""
    client = await serving.pbx.ami()
    try:
        return [one["Key"].rpartition("/")[2] for one in await client.list("DBGetTree", Family="acd-note")]
    except AmiError:
        return []
    finally:
        await client.close()


async def test_who_came_and_went_in_an_outage_is_in_the_history(serving: Serving) -> None:
    """One leaves within the first seconds, one is served by Asterisk alone; both have one record, and the figures hold."""
    bank = serving.bank
    await bank.given_phone("any", does="answer", talk=1)
    await serving.given_available("101")
    before = await serving.stats()
    await asyncio.sleep(2.5)  # who serves is told to app_queue once a second
    serving.service.kill()
    earlier = set(await _notes(serving))  # of other tests' callers, not forgotten yet
    brief = await bank.call("8000")
    await bank.until(lambda: brief.answered_ms is not None, "a caller is answered without the service")
    await bank.leave(brief)
    served = await bank.call("8000")
    await bank.until(lambda: served.is_over, "Asterisk has served a caller alone", 40)
    await until(serving.pbx.is_quiet, "both are over")
    assert len(set(await _notes(serving)) - earlier) == 2
    serving.service.start()
    serving.service.wait_ready()
    left = await serving.until_call(brief, state="ended")
    assert (left["outcome"], left["ended_by"]) == ("abandoned", "unseen")
    assert left["waited_s"] < 5
    talked = await serving.until_call(served, state="ended")
    rung = next(one.phone for one in bank.moments if one.kind == "PhoneAnswer" and one.caller == served.number)
    assert (talked["outcome"], f"agent-{talked['agent']}") == ("answered", rung)
    assert 0.9 < talked["talk_s"] < 1.2
    assert 6 < talked["waited_s"] < 30
    after = await serving.stats()
    parts = ("answered", "abandoned", "overflowed", "deferred", "lost", "waiting")
    assert after["offered"] == sum(after[part] for part in parts) == before["offered"] + 2

    notes: list[str] = []

    async def forgotten() -> bool:
        notes[:] = map(str, await _notes(serving))
        return not notes

    await until(forgotten, "what is in the database is forgotten", within_s=25, every_s=0.5, seen=lambda: notes)
