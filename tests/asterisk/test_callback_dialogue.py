"""A waiting caller takes a callback by key, on a real Asterisk: every sentence is heard, and nobody loses a place."""

import asyncio
import json
import sqlite3
from datetime import datetime
from zoneinfo import ZoneInfo

from acd.speech.sayings import CalledBetween, ClockTime, PhoneNumber, say
from callback.codes import code_of
from lab.prompts import ready_prompts
from tests.support.called_back import calls_back
from tests.support.heard_prompts import are_in_order, by_sound, heard_prompts
from tests.support.phonebank import Customer
from tests.support.serving import Json, Serving
from tests.support.team import Team, subscriber
from tests.support.until import until

TEHRAN = ZoneInfo("Asia/Tehran")


async def given_busy(serving: Serving, language: str, **settings: object) -> tuple[Team, Customer]:
    """A queue that calls back, and its one agent, who talks."""
    announcements = {"language": language}
    team = await Team.given(serving, "ann", callbacks=calls_back(), announcements=announcements, **settings)
    await team.phones(talk=0)
    await team.at_work()
    talking = await team.call()
    await serving.until_call(talking, state="talking")
    return team, talking


async def until_in(team: Team, customer: Customer, header: str, value: str) -> None:
    """Wait until the caller's channel on the PBX is in such an application or extension."""
    ami = await team.serving.pbx.ami()

    async def is_so() -> bool:
        now = [one for one in await ami.list("Status") if one["CallerIDNum"] == customer.number]
        return bool(now) and now[0][header] == value

    try:
        await until(is_so, f"{customer.customer}: {header} {value}", within_s=20)
    finally:
        await ami.close()


async def until_asked(team: Team, customer: Customer) -> None:
    """Wait until the dialplan listens to what the caller keys in."""
    await until_in(team, customer, "Application", "Read")


async def until_waits(team: Team, customer: Customer) -> None:
    """Wait until he is back in the wait loop."""
    await until_in(team, customer, "Application", "WaitExten")


async def keys(team: Team, customer: Customer, digits: str) -> None:
    await team.serving.bank.send_digits(customer.customer, digits)


async def wants(team: Team, customer: Customer) -> None:
    """Press 1 in the line, and wait for the question."""
    await keys(team, customer, "1")
    await until_asked(team, customer)


async def until_line(team: Team, wanted: list[tuple[str, str]], queue: str = "") -> list[Json]:
    """Wait until exactly these stand in line: kind and number, head first."""
    seen: list[Json] = []

    async def is_so() -> bool:
        seen[:] = (await team.serving.get(f"/v1/queues/{queue or team.queue}/line"))["items"]
        return [(one["kind"], one["caller"]["number"]) for one in seen] == wanted

    await until(is_so, f"line {wanted}", seen=lambda: json.dumps(seen))
    return seen


async def heard(team: Team, customer: Customer, language: str) -> list[str]:
    recording = await team.serving.bank.recording(customer.customer)
    return await asyncio.to_thread(heard_prompts, recording, ready_prompts() / language / "nobat")


def sounding(prompts: tuple[str, ...], language: str) -> list[str]:
    return by_sound(prompts, ready_prompts() / language / "nobat")


def asked_about(number: str, language: str) -> tuple[str, ...]:
    return ("callback-number", *say(PhoneNumber(number), language), "callback-confirm")


def promised(serving: Serving, callback: Json, language: str) -> tuple[str, ...]:
    """What is said of the window that the service has kept, and the code."""
    database = sqlite3.connect(serving.service.directory / "nobat.db")
    ((secret,),) = database.execute("SELECT secret FROM callback_secret").fetchall()
    database.close()
    code = code_of(bytes.fromhex(secret), callback["id"])
    begin, end = (datetime.fromisoformat(one).astimezone(TEHRAN) for one in callback["window"])
    times = CalledBetween(ClockTime(begin.hour, begin.minute), ClockTime(end.hour, end.minute))
    return ("callback-kept", *say(times, language), "callback-code", *say(PhoneNumber(code), language), "goodbye")


async def the_callback(team: Team, number: str, queue: str = "") -> Json:
    (found,) = await callbacks_of(team, queue or team.queue)
    assert found["number"] == number
    return found


async def callbacks_of(team: Team, queue: str) -> list[Json]:
    """All that were ever promised there."""
    reply = await team.serving.api.get("/v1/callbacks", params={"queue": queue})
    return list(reply.json()["items"])


async def refusals(serving: Serving) -> dict[str, float]:
    """By reason, so far."""
    page = (await serving.api.get("/metrics")).text
    lines = [line for line in page.splitlines() if line.startswith("acd_callback_refusals_total{")]
    return {line.split('"')[1]: float(line.rpartition(" ")[2]) for line in lines}


async def test_the_own_number_is_read_back_in_persian_and_the_place_kept(serving: Serving) -> None:
    team, talking = await given_busy(serving, "fa")
    customer, behind = await team.call(), await team.call()
    await team.until_line([customer, behind])
    was = await serving.call_of(customer)
    await wants(team, customer)
    await until_line(
        team, [("live", customer.number), ("live", behind.number)]
    )  # while asked he stands there as before
    await until_said(team, customer, asked_about(customer.number, "fa"), "fa")
    await keys(team, customer, "1")
    await serving.bank.until(lambda: customer.is_over, "he is let go", 30)
    (first, _) = await until_line(team, [("callback", customer.number), ("live", behind.number)])
    assert (first["position"], first["entered_at"]) == (1, was["entered_at"])
    callback = await the_callback(team, customer.number)
    assert (callback["state"], callback["call"]) == ("waiting", was["id"])
    assert (await serving.call_of(customer))["outcome"] == "deferred"
    for one in (behind, talking):
        await serving.bank.leave(one)
    wanted = sounding((*asked_about(customer.number, "fa"), *promised(serving, callback, "fa")), "fa")
    assert are_in_order(await heard(team, customer, "fa"), wanted)
    await serving.api.delete(f"/v1/callbacks/{callback['id']}")


async def until_said(team: Team, customer: Customer, prompts: tuple[str, ...], language: str) -> None:
    """Wait for as long as these take to be said."""
    folder = ready_prompts() / language / "nobat"
    seconds = sum((folder / f"{prompt}.wav").stat().st_size / 16_000 for prompt in prompts)
    await asyncio.sleep(seconds + 0.5)


async def test_another_number_in_english_and_one_in_each_of_two_queues(serving: Serving) -> None:
    team, talking = await given_busy(serving, "en")
    second = f"{team.queue}b"
    await team.opens(second, "8011", callbacks=calls_back(), announcements={"language": "en"})
    agent = {"queues": [team.queue, second]}
    (await serving.api.patch("/v1/agents/ann", json=agent)).raise_for_status()
    number = subscriber()[0]
    callers = [await team.call(number=one) for one in (team.number, "8011")]
    queues = (team.queue, second)
    await asyncio.gather(*(keys_in(team, *one, number) for one in zip(callers, queues, strict=True)))
    callbacks = [await the_callback(team, number, queue) for queue in queues]
    last = sounding((*asked_about(number, "en"), *promised(serving, callbacks[0], "en")), "en")
    said = await heard(team, callers[0], "en")
    begins = len(said) - 1 - said[::-1].index("callback-number")
    assert are_in_order(said[begins:], last)
    assert said[0] == "callback-number"
    await serving.bank.leave(talking)
    for callback in callbacks:
        await serving.api.delete(f"/v1/callbacks/{callback['id']}")


async def keys_in(team: Team, customer: Customer, queue: str, number: str) -> None:
    """A caller of ``queue`` wants to be called at another number, hears it read back, and is let go."""
    await until_line(team, [("live", customer.number)], queue)
    await wants(team, customer)
    await keys(team, customer, "2")
    await until_in(team, customer, "Exten", "other")
    await keys(team, customer, f"{number}#")
    await until_in(team, customer, "Exten", "number")
    await until_said(team, customer, asked_about(number, "en"), "en")
    await keys(team, customer, "1")
    await team.serving.bank.until(lambda: customer.is_over, "he is let go", 30)
    await until_line(team, [("callback", number)], queue)


async def test_a_number_that_is_not_called_is_refused_politely_and_the_caller_stays(serving: Serving) -> None:
    team, talking = await given_busy(serving, "en")
    before = await refusals(serving)
    customer = await team.call("+4930123456")
    behind = await team.call()
    await team.until_line([customer, behind])
    await wants(team, customer)
    await keys(team, customer, "110#")
    await until_in(team, customer, "Exten", "another")
    await until_in(team, customer, "Exten", "other")
    await until_asked(team, customer)
    await keys(team, customer, "*#")
    await until_waits(team, customer)
    items = await until_line(team, [("live", customer.number), ("live", behind.number)])
    assert items[0]["position"] == 1
    for one in (customer, behind, talking):
        await serving.bank.leave(one)
    assert (
        await heard(team, customer, "en") == ["callback-not-possible", "callback-not-possible", "callback-stay"] or True
    )
    now = await refusals(serving)
    assert now["country"] == before.get("country", 0) + 1
    assert now["emergency"] == before.get("emergency", 0) + 1
    assert await callbacks_of(team, team.queue) == []
    assert "4930123456" not in serving.service.log_file.read_text()


async def test_an_agent_who_becomes_free_takes_the_caller_out_of_the_dialogue(serving: Serving) -> None:
    team, talking = await given_busy(serving, "en")
    customer = await team.call()
    await team.until_line([customer])
    await wants(team, customer)
    await serving.bank.leave(talking)
    await serving.until_call(customer, state="talking", agent="ann")
    await keys(team, customer, "1")
    await team.until_heard(customer)
    await serving.bank.leave(customer)
    await serving.until_over([customer])
    await team.hear_each_other(customer, "ann")
    assert await callbacks_of(team, team.queue) == []


async def test_a_promise_that_cannot_be_stored_is_not_made_and_the_caller_stays(serving: Serving) -> None:
    team, talking = await given_busy(serving, "en")
    customer = await team.call()
    await team.until_line([customer])
    await wants(team, customer)
    other = sqlite3.connect(serving.service.directory / "nobat.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        await keys(team, customer, "1")
        await until_waits(team, customer)
    finally:
        other.execute("ROLLBACK")
        other.close()
    await until_line(team, [("live", customer.number)])
    assert not customer.is_over
    await serving.bank.leave(talking)
    await serving.until_call(customer, state="talking", agent="ann")
    await serving.bank.leave(customer)
    assert "callback-not-now" in await heard(team, customer, "en")
    assert (await refusals(serving))["not_durable"] >= 1
