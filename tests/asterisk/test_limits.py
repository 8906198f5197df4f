"""Limits of queues on a real Asterisk: who is led where, what is heard on the way, and that the place is kept."""

import io
import wave
from datetime import datetime
from pathlib import Path

from lab.prompts import ready_prompts
from tests.support.heard_prompts import by_sound, heard_prompts
from tests.support.phonebank import Customer
from tests.support.serving import Json, Serving
from tests.support.team import CALLER_TONE, LOUD, Team
from tests.support.tones import heard_tones
from tests.support.until import until

SOUNDS = ready_prompts() / "en" / "nobat"
NEVER: Json = {"weekly": {}}
OTHER = "8011"


def to_queue(team: Team, **more: object) -> Json:
    return {"kind": "queue", "queue": f"{team.queue}b", **more}


async def heard(serving: Serving, customer: Customer) -> list[str]:
    """The prompts in what the customer heard, in order."""
    await serving.until_over([customer])
    return heard_prompts(await serving.bank.recording(customer.customer), SOUNDS)


def sounds(*prompts: str) -> list[str]:
    return by_sound(prompts, SOUNDS)


async def ended(serving: Serving, customer: Customer, limit: str, led_to: str) -> Json:
    """The call is over, and its record says why and where it was led."""
    call = await serving.until_call(customer, within_s=20, state="ended")
    assert (call["outcome"], call["visits"][0]["limit"], call["visits"][0]["led_to"]) == ("overflowed", limit, led_to)
    return call


async def listen(team: Team, number: str | None = None) -> Customer:
    """A customer who says nothing and listens."""
    return await team.serving.bank.call(number or team.number, record=True)


async def test_outside_its_hours_a_queue_says_so_and_hangs_up(serving: Serving) -> None:
    team = await Team.given(serving, "ann", hours=NEVER)
    await team.at_work()
    customer = await listen(team)
    assert await heard(serving, customer) == sounds("closed")
    call = await ended(serving, customer, "closed", "message")
    assert (call["ended_by"], team.rung(customer)) == ("service", [])
    assert (await team.why(customer))["overflows"][0]["limit"] == "closed"


async def test_a_holiday_of_the_jalali_calendar_is_said(serving: Serving) -> None:
    days = [{"date": f"{month:02}-{day:02}", "calendar": "jalali"} for month in range(1, 13) for day in range(1, 30)]
    days += [{"date": f"{month:02}-{day:02}", "calendar": "jalali"} for month in range(1, 13) for day in (30,)]
    days += [{"date": f"{month:02}-31", "calendar": "jalali"} for month in range(1, 7)]
    team = await Team.given(serving, "ann", hours={"holidays": days})
    await team.at_work()
    customer = await listen(team)
    assert await heard(serving, customer) == sounds("holiday")
    await ended(serving, customer, "holiday", "message")


async def test_a_full_queue_leads_to_another_with_the_place_of_the_first_entry(serving: Serving) -> None:
    team = await Team.given(serving, "ann")
    await team.set(overflow={"most_waiting": 1, "full": to_queue(team, say=[])})
    await team.opens(f"{team.queue}b", OTHER)
    waits = await team.call()
    await team.until_line([waits])
    overflowed = await team.call()
    await serving.until_call(overflowed, queue=f"{team.queue}b", state="waiting")
    call = await serving.call_of(overflowed)
    assert [visit["outcome"] for visit in call["visits"]] == ["overflowed", None]
    assert [visit["queue"] for visit in call["visits"]] == [team.queue, f"{team.queue}b"]


async def test_who_has_waited_too_long_stands_elsewhere_as_of_the_first_entry_and_after_a_restart(
    serving: Serving,
) -> None:
    team = await Team.given(serving, "ann")
    other = f"{team.queue}b"
    await team.opens(other, OTHER)
    await team.set(overflow={"most_wait_s": 3.0, "waited": to_queue(team, say=["num-7", "num-30"])})
    patient = await listen(team)
    await team.until_line([patient])
    newer = await team.call(number=OTHER)  # comes later, and straight to the other queue

    async def line() -> list[str]:
        items = (await serving.get(f"/v1/queues/{other}/line"))["items"]
        return [item["caller"]["number"] for item in items]

    async def is_before() -> bool:
        return await line() == [patient.number, newer.number]

    await until(is_before, "who came first stands first")
    await until(lambda: _nobody_is_told(serving), "the sentence is over", within_s=20)
    serving.service.kill()
    serving.service.start()
    serving.service.wait_ready()
    await until(is_before, "and so after a restart")
    entry = (await serving.get(f"/v1/queues/{other}/line"))["items"][0]["entered_at"]
    call = await serving.call_of(patient)
    assert call["entered_at"] == entry
    assert datetime.fromisoformat(call["visits"][-1]["entered_at"]) > datetime.fromisoformat(entry)
    await serving.api.patch("/v1/agents/ann", json={"queues": [team.queue, other]})
    await team.phone("ann", talk=0.6)
    await team.at_work()
    await serving.until_call(patient, state="ended", outcome="answered")
    await serving.until_call(newer, state="ended", outcome="answered")
    told = await heard(serving, patient)
    assert [one for one in told if one in sounds("num-7", "num-30")] == sounds("num-7", "num-30"), told
    stats = await serving.get(f"/v1/queues/{team.queue}/stats", window="today")
    assert (stats["offered"], stats["overflowed"], stats["waiting"]) == (1, 1, 0)
    stats = await serving.get(f"/v1/queues/{other}/stats", window="today")
    assert (stats["offered"], stats["answered"], stats["waiting"]) == (2, 2, 0)


async def _nobody_is_told(serving: Serving) -> bool:
    """Whether every channel of the PBX is through with what is said on the way."""
    client = await serving.pbx.ami()
    contexts = [one["Context"] for one in await client.list("Status")]
    await client.close()
    return "acd-lead" not in contexts


async def test_a_free_agent_cuts_the_sentence_on_the_way_to_another_queue(serving: Serving) -> None:
    team = await Team.given(serving, "ann", hours=NEVER, overflow={})
    other = f"{team.queue}b"
    await team.opens(other, OTHER)
    await team.set(overflow={"closed": to_queue(team)})
    await serving.api.patch("/v1/agents/ann", json={"queues": [other]})
    await team.at_work()
    customer = await team.call()
    await team.until_rung(customer)
    call = await serving.until_call(customer, state="ended", outcome="answered")
    assert [visit["outcome"] for visit in call["visits"]] == ["overflowed", "answered"]


async def test_nobody_signed_in_and_then_the_last_one_leaves(serving: Serving) -> None:
    rules = {
        "joining_needs": "available",
        "waiting_needs": "signed_in",
        "empty_s": 0.5,
        "no_agent": {"kind": "message", "say": ["num-9"]},
    }
    team = await Team.given(serving, "ann", overflow=rules)
    refused = await listen(team)
    assert await heard(serving, refused) == sounds("num-9")
    await ended(serving, refused, "no_agent", "message")
    await team.phone("ann", talk=0)
    await team.at_work()
    talking = await team.call()
    await serving.until_call(talking, state="talking")
    waiting = await listen(team)
    await team.until_line([waiting])
    await serving.choose("ann", "break")
    on_break = await listen(team)
    await ended(serving, on_break, "no_agent", "message")
    await team.until_line([waiting])  # signed in is enough to wait on
    await serving.choose("ann", "signed_out")
    await ended(serving, waiting, "no_agent", "message")
    await serving.bank.leave(talking)


async def test_a_message_is_recorded_and_heard_over_the_api_and_gone_when_deleted(serving: Serving) -> None:
    voicemail = {"kind": "voicemail", "most_s": 5, "silence_s": 5, "say": []}
    team = await Team.given(serving, "ann", hours=NEVER, overflow={"closed": voicemail})
    speaks = await team.call()  # plays a tone
    call = await ended(serving, speaks, "closed", "voicemail")
    (message,) = await _messages(serving, call["id"])
    assert (message["queue"], message["caller"]["number"]) == (team.queue, speaks.number)
    assert 4.5 < message["duration_s"] < 5.6
    hangs_up = await team.call()
    await serving.until_call(hangs_up, state="after")
    await serving.bank.until(lambda: hangs_up.answered_ms is not None, "answered")
    await until(lambda: _grows(serving, team.queue), "2 s are recorded")
    await serving.bank.leave(hangs_up)
    cut = await ended(serving, hangs_up, "closed", "voicemail")
    assert cut["ended_by"] == "caller"
    (other,) = await _messages(serving, cut["id"])
    assert other["duration_s"] > 1.5
    sound = await serving.api.get(f"/v1/voicemails/{message['id']}/audio")
    assert (sound.status_code, sound.headers["content-type"]) == (200, "audio/wav")
    file = Path(serving.service.directory) / "heard.wav"
    file.write_bytes(sound.content)
    assert heard_tones(file, [CALLER_TONE])[CALLER_TONE] > LOUD
    with wave.open(io.BytesIO(sound.content)) as opened:
        assert opened.getframerate() == 8000
    part = await serving.api.get(f"/v1/voicemails/{message['id']}/audio", headers={"range": "bytes=0-43"})
    assert (part.status_code, part.content) == (206, sound.content[:44])
    assert (await serving.get(f"/v1/voicemails/{message['id']}"))["heard_by"] == "tests"
    serving.service.kill()
    serving.service.start()
    serving.service.wait_ready()
    assert await _messages(serving, call["id"])
    assert (await serving.api.delete(f"/v1/voicemails/{message['id']}")).status_code == 204
    assert (await serving.get("/v1/voicemails", call=call["id"]))["items"] == []
    assert not (serving.pbx.instance.voicemail / f"{message['id']}.wav").exists()


def _grows(serving: Serving, queue: str) -> bool:
    files = serving.pbx.instance.voicemail.glob(f"{queue}.*.wav")
    return any(32_000 < file.stat().st_size < 70_000 for file in files)


async def _messages(serving: Serving, call: str) -> list[Json]:
    found: list[Json] = []

    async def is_there() -> bool:
        found[:] = (await serving.get("/v1/voicemails", call=call))["items"]
        return bool(found)

    await until(is_there, "the message is listed", within_s=15)
    return found


async def test_an_allowed_number_is_dialled_and_no_other(serving: Serving) -> None:
    team = await Team.given(serving, "ann", hours=NEVER)
    refused = await serving.api.patch(
        f"/v1/queues/{team.queue}", json={"overflow": {"closed": {"kind": "number", "number": "0900123456"}}}
    )
    assert (refused.status_code, refused.json()["slug"]) == (422, "number_not_allowed")
    number = "02199887766"
    await team.set(overflow={"closed": {"kind": "number", "number": number, "say": []}})
    await serving.bank.given_phone(number, does="answer", talk=1, tone=2860, record=True)
    customer = await team.call()
    call = await ended(serving, customer, "closed", f"number:{number}")
    assert call["ended_by"] == "service"
    assert (await serving.bank.heard(customer.customer, [2860]))[2860] > LOUD
    assert (await serving.bank.heard(f"{number}-{customer.number}", [CALLER_TONE]))[CALLER_TONE] > LOUD


async def test_a_supervisor_closes_a_queue_and_opens_it_again(serving: Serving) -> None:
    team = await Team.given(serving, "ann")
    waits = await listen(team)
    await team.until_line([waits])
    path = f"/v1/queues/{team.queue}/closing"
    closed = await serving.api.put(path, json={"reason": "fire alarm", "leave": True})
    assert (closed.status_code, closed.json()["closed"], closed.json()["closing"]["by"]) == (200, "closed_now", "tests")
    assert await heard(serving, waits) == sounds("closed-for-now")
    await ended(serving, waits, "closed_now", "message")
    serving.service.kill()
    serving.service.start()
    serving.service.wait_ready()
    late = await listen(team)
    await ended(serving, late, "closed_now", "message")
    assert (await serving.api.delete(path)).json()["closed"] is None
    assert (await serving.api.delete(path)).status_code == 409
    team_of = await team.call()
    await team.at_work()
    await serving.until_call(team_of, state="ended", outcome="answered")
