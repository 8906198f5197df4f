"""Where a queue wants it, an agent is told that he is listened to: by his phone, without a gap, and by his own application."""

import re

import httpx

from tests.support.overheard import Overheard
from tests.support.serving import Json, Serving
from tests.support.supervising import HEARD_AT, Supervisor, Timeline, gaps, given_a_talk, recordings, wrong
from tests.support.until import until

TEXT = "شنود می‌شود"
GAP_S = 0.06
TRIES = 3


ASSERTED = re.compile(r'^P-Asserted-Identity: "(.*)" <', re.MULTILINE)


def told(overheard: Overheard, phone: str) -> list[str]:
    """The names that the phone was told in its conversation, in order. Nothing was said of the sound with any of them."""
    updates = [one for one in overheard.messages() if one.startswith("UPDATE ") and f"<sip:{phone}@" in one]
    assert all("application/sdp" not in one for one in updates)
    return [found[1] for one in updates if (found := ASSERTED.search(one))]


async def test_the_phone_shows_it_and_the_agents_own_application_knows(serving: Serving) -> None:
    supervisor = await Supervisor.given(serving)
    token = serving.service.token(
        serving.service.directory / "own", "--role", "agent", "--name", "own", "--agent", "101"
    )
    own = httpx.AsyncClient(base_url=serving.service.url, headers={"Authorization": f"Bearer {token}"}, timeout=20)

    async def current(api: httpx.AsyncClient) -> Json:
        return dict((await api.get("/v1/agents/101")).json()["current"])

    await serving.set_queue(supervision={"display": TEXT})
    try:
        for attempt in range(1, TRIES + 1):
            customer = await given_a_talk(serving)
            assert (await current(own))["listened_to"] is False
            timeline = Timeline()
            with Overheard(serving.bank.ports.sip) as overheard:
                timeline.now("unheard")
                await supervisor.joins("listen", agent="101")
                await until(lambda: told(overheard, "agent-101") == [TEXT], "the phone shows it")
                assert (await current(own))["listened_to"] is True
                assert (await current(serving.api))["listened_to"] is None
                await timeline.lasts("listen")
                await supervisor.stop()
                await until(lambda: told(overheard, "agent-101") == [TEXT, "sales"], "and then not")
                timeline.end()
            assert (await current(own))["listened_to"] is False
            await serving.bank.leave(customer)
            await serving.until_call(customer, state="ended")
            heard = await recordings(serving, customer)
            longest = gaps(timeline, heard, ("unheard", "listen"))
            found = wrong(timeline, heard, HEARD_AT)
            if max(longest.values()) < GAP_S and not found:
                break
            assert attempt < TRIES, (longest, found)
    finally:
        await serving.set_queue(supervision={"display": ""})
        await own.aclose()
        await supervisor.close()
