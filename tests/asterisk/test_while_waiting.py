"""What callers hear while they wait, on a real Asterisk: the recordings are compared with every prompt and told what they hold."""

import asyncio
import json
from collections.abc import Callable

from acd.forecast import Growth, Promise
from acd.speech.sayings import Announcement, say
from lab.prompts import ready_prompts
from tests.support.heard_prompts import by_sound, heard_prompts
from tests.support.pbx import MUSIC_TONE
from tests.support.phonebank import Customer
from tests.support.serving import Json, Serving
from tests.support.team import CALLER_TONE, LOUD, SILENT, Team, subscriber
from tests.support.until import until

PLACE_AND_WAIT = {"position": True, "expected_wait": True, "first_after_s": 0, "every_s": 3600}


async def busy(team: Team) -> Customer:
    """Everybody is at work and talks, so that there is something to wait for."""
    await team.phones(talk=0)
    await team.at_work()
    customer = await team.call()
    await team.serving.until_call(customer, state="talking")
    return customer


async def speaks(serving: Serving, number: str, language: str) -> None:
    """The directory knows the language of a caller."""
    (await serving.api.put(f"/v1/callers/{number}", json={"language": language})).raise_for_status()


async def until_told(team: Team, customer: Customer, times: int = 1) -> Json:
    """Wait until so many announcements have begun; what the service says of the call."""
    why: Json = {}

    async def is_so() -> bool:
        if not (await team.serving.call_of(customer)):
            return False
        why.update(await team.why(customer))
        return len(why["announced"]) >= times

    await until(
        is_so, f"{customer.customer} was told something {times} times", within_s=35, seen=lambda: json.dumps(why)
    )
    return why


async def until_music(team: Team, customers: list[Customer]) -> None:
    """Wait until what is being said to these callers has been said."""
    ami = await team.serving.pbx.ami()
    numbers = {customer.number for customer in customers}

    async def is_so() -> bool:
        now = [one for one in await ami.list("Status") if one["CallerIDNum"] in numbers]
        return len(now) == len(numbers) and all(one["Application"] == "WaitExten" for one in now)

    try:
        await until(is_so, "all is said", within_s=20)
    finally:
        await ami.close()


async def heard(team: Team, customer: Customer, language: str) -> list[str]:
    recording = await team.serving.bank.recording(customer.customer)
    return await asyncio.to_thread(heard_prompts, recording, ready_prompts() / language / "nobat")


def sounding(prompts: list[str], language: str) -> list[str]:
    return by_sound(prompts, ready_prompts() / language / "nobat")


def are_in_order(found: list[str], wanted: list[str]) -> bool:
    """Whether nothing else was heard and nothing in another order. One short word may be missing: a busy machine loses packets."""
    left = iter(wanted)
    return len(found) >= len(wanted) - 1 and all(one in left for one in found)


def said(why: Json, language: str) -> list[str]:
    """What a place and a wait must sound like, worked out from the promise that the service says it made."""
    told = why["told"][-1]
    because = Growth(told["because"]) if told["because"] else None
    promise = Promise(0.0, told["low_s"], told["high_s"], told["ahead"], told["agents"], because)
    return sounding(list(say(Announcement.of(promise), language)), language)


async def test_place_and_wait_are_told_in_the_language_of_queue_or_caller(serving: Serving) -> None:
    team = await Team.given(serving, "ann", announcements={**PLACE_AND_WAIT, "language": "fa", "first_after_s": 1})
    talking = await busy(team)
    number, *_ = subscriber()
    await speaks(serving, number, "en")
    persian = await team.call()
    await team.until_line([persian])
    english = await team.call(number)
    whys = [await until_told(team, one) for one in (persian, english)]
    assert [why["language"] for why in whys] == ["fa", "en"]
    assert [why["announced"][0]["promise"]["ahead"] for why in whys] == [0, 1]
    await until_music(team, [persian, english])
    for one in (persian, english, talking):
        await serving.bank.leave(one)
    await serving.until_over([persian, english, talking])
    assert are_in_order(await heard(team, persian, "fa"), said(whys[0], "fa"))
    assert are_in_order(await heard(team, english, "en"), said(whys[1], "en"))
    assert (await serving.call_of(english))["language"] == "en"


async def test_welcome_messages_and_the_queues_own_music(serving: Serving) -> None:
    policy = {
        "welcome": "all-busy",
        "messages": ["please-hold"],
        "message_every_s": 10,
        "music": "tone",
        "language": "en",
    }
    team = await Team.given(serving, announcements=policy)
    customer = await team.call()
    why = await until_told(team, customer, 2)
    assert [one["prompts"] for one in why["announced"]] == [["pause", "all-busy"], ["please-hold"]]
    await until_music(team, [customer])
    await serving.bank.leave(customer)
    await serving.until_over([customer])
    assert await heard(team, customer, "en") == ["all-busy", "please-hold"]
    tones = await serving.bank.heard(customer.customer, (MUSIC_TONE, CALLER_TONE))
    assert tones[MUSIC_TONE] > LOUD
    assert tones[CALLER_TONE] < SILENT


async def test_a_free_agent_cuts_an_announcement_off(serving: Serving) -> None:
    team = await Team.given(
        serving,
        "ann",
        "ben",
        announcements={**PLACE_AND_WAIT, "messages": ["system-restarting"], "message_every_s": 10},
    )
    await team.phones(talk=0)
    await serving.given_available("ann")
    talking = await team.call()
    await serving.until_call(talking, state="talking")
    customer = await team.call()
    why = await until_told(team, customer)
    await serving.choose("ben", "available")
    await serving.until_call(customer, state="talking", agent="ben")
    await team.until_heard(customer)
    for one in (customer, talking):
        await serving.bank.leave(one)
    await serving.until_over([customer, talking])
    await team.hear_each_other(customer, "ben")
    whole = said(why, "en")
    begun = await heard(team, customer, "en")
    assert len(begun) < len(whole)
    assert begun == whole[: len(begun)]


async def test_who_was_cut_off_has_the_place_again_and_hears_so(serving: Serving) -> None:
    team = await Team.given(serving, announcements={"rejoin_s": 600, "language": "en"})
    number, abroad, _ = subscriber()
    first = await team.call(number)
    await team.until_line([first])
    second = await team.call()
    await team.until_line([first, second])
    was = await serving.call_of(first)
    await serving.bank.leave(first)
    await team.until_line([second])
    again = await team.call(abroad)  # the same subscriber, written otherwise
    await team.until_line([again, second])
    now = await serving.call_of(again)
    assert now["place_since"] == was["entered_at"]
    assert (await serving.call_of(first))["outcome"] == "abandoned"
    assert now["entered_at"] > was["entered_at"]
    await until_told(team, again)
    await until_music(team, [again])

    await restarted(serving, serving.service.kill)
    await team.until_line([again, second])  # the place is on the channel
    await serving.bank.leave(again)
    await team.until_line([second])
    await asyncio.sleep(1.2)  # history is written a moment behind the call
    await restarted(serving, serving.service.kill)
    third = await team.call(number)
    await team.until_line([third, second])  # and the kept place is in the database
    assert (await serving.call_of(third))["place_since"] == was["entered_at"]
    await serving.bank.leave(third)
    await serving.bank.leave(second)
    await serving.until_over([first, second, again, third])
    assert await heard(team, again, "en") == ["place-regained"]
    assert await heard(team, second, "en") == []


async def restarted(serving: Serving, end: Callable[[], None]) -> None:
    end()
    serving.service.start()
    serving.service.wait_ready()
