"""Recordings through the whole service, on both databases: made, paused, heard, kept for their time, and erased."""

import io
import wave
from array import array
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import select

from acd.ids import CallId
from acd.telephony import Offer, RequestFailure
from nobat.auth import Role
from nobat.recording import confirmation
from nobat.storage import schema
from tests.support.office import Office, Person, until
from tests.support.recordings import write_halves
from tests.support.tones import goertzel

NUMBER = "0912345678"


async def given_a_talk(office: Office, mode: str = "always", **policy: Any) -> tuple[Person, CallId, str]:
    """101 talks to a caller of sales; the administrator, the call and the name of its recording."""
    admin = await office.admin()
    changed = await admin.ask("PATCH", "/v1/queues/sales", json={"recording": {"mode": mode, **policy}})
    assert changed.status_code == 200, changed.text
    await admin.chooses("101", "available")
    call = office.pbx.caller("8000", NUMBER)
    await until(lambda: office.pbx.ringing(call), "a ringing phone")
    office.pbx.pick_up(call)
    await office.settled()
    offer = next(one for one in reversed(office.pbx.requests) if isinstance(one, Offer))
    return admin, call, offer.record


async def over(office: Office, call: CallId, seconds: float = 10.0) -> None:
    await office.pass_time(seconds)
    office.pbx.caller_hangs_up(call)
    await office.settled()
    await office.written()


async def recorded(office: Office, admin: Person, call: str) -> Any:
    """The recording when nothing more is done about it."""
    seen: list[Any] = []
    for _ in range(200):
        seen = (await admin.get("/v1/recordings", call=call))["items"]
        if seen and seen[0]["state"] != "open":
            return seen[0]
        office.app.recordings._wanted.set()
        await office.settled()
    raise AssertionError(seen)


async def control(person: Person, call: str, action: str) -> tuple[int, Any]:
    answer = await person.ask("POST", f"/v1/calls/{call}/recording", json={"action": action})
    return answer.status_code, answer.json()


def sides(content: bytes) -> tuple[Sequence[int], Sequence[int]]:
    with wave.open(io.BytesIO(content)) as file:
        samples = array("h")
        samples.frombytes(file.readframes(file.getnframes()))
    return samples[0::2], samples[1::2]


def longest_silence(side: Sequence[int]) -> tuple[float, float]:
    """Where it begins, and how long it is, in seconds."""
    best, since = (0, 0), 0
    for n, sample in enumerate((*side, 1)):
        if sample:
            best = max(best, (n - since, since))
            since = n + 1
    return best[1] / 8000, best[0] / 8000


async def test_two_halves_become_one_that_only_the_service_opens(office: Office) -> None:
    admin, call, name = await given_a_talk(office, keep_days=30)
    assert (await admin.get(f"/v1/calls/{call}"))["recording"]["state"] == "running"
    write_halves(office.recording_dir, name, 10.0)
    await over(office, call)
    await office.pass_time(5)
    one = await recorded(office, admin, call)
    assert (one["state"], one["agent"], one["queue"], one["number"]) == ("whole", "101", "sales", "98912345678")
    assert one["keep_until"] is not None
    await until(lambda: not list(office.recording_dir.iterdir()), "the halves are gone")
    heard = await admin.ask("GET", f"/v1/recordings/{one['id']}/audio")
    assert (heard.status_code, heard.headers["content-type"]) == (200, "audio/wav")
    left, right = sides(heard.content)
    assert goertzel(left, 8000, 500) > 6000
    assert goertzel(left, 8000, 1000) < 10
    assert goertzel(right, 8000, 1000) > 6000
    assert goertzel(right, 8000, 500) < 10
    assert office.vault.joinpath(f"{one['id']}.nbr").read_bytes().count(b"RIFF") == 0
    for wanted, status, content in (
        ("bytes=0-43", 206, heard.content[:44]),
        ("bytes=65000-66000", 206, heard.content[65_000:66_001]),
        ("bytes=-10", 206, heard.content[-10:]),
        (f"bytes={len(heard.content)}-", 416, b""),
        ("bytes=5-1", 416, b""),
        ("items=0-1", 206, heard.content),
    ):
        part = await admin.ask("GET", f"/v1/recordings/{one['id']}/audio", headers={"range": wanted})
        assert (part.status_code, part.content) == (status, content), wanted
    async with office.app.database.read() as connection:
        rows = (await connection.execute(select(schema.audit.c.action))).scalars()
        assert list(rows).count("hearRecording") == 5


async def test_a_pause_is_on_disk_first_and_outlives_the_service(office: Office) -> None:
    admin, call, name = await given_a_talk(office)
    await office.pass_time(2)
    assert (await control(admin, call, "pause"))[0] == 200
    assert office.pbx.silent[call] is True
    assert (await control(admin, call, "pause"))[1]["slug"] == "illegal_transition"
    assert (await control(admin, call, "stop"))[1]["slug"] == "recording_required"
    await office.die()  # nothing but the promise is written
    office.pbx.silent.clear()
    await office.start()
    await office.settled()
    admin = await office.admin()
    await until(lambda: office.pbx.silent.get(call), "silenced again")
    assert (await admin.get(f"/v1/calls/{call}"))["recording"]["state"] == "paused"
    await office.pass_time(3)
    assert (await control(admin, call, "resume"))[0] == 200
    assert office.pbx.silent[call] is False
    write_halves(office.recording_dir, name, 10.0)  # as of an Asterisk that was never told
    await over(office, call, 5.0)
    await office.pass_time(5)
    one = await recorded(office, admin, call)
    left, right = sides((await admin.ask("GET", f"/v1/recordings/{one['id']}/audio")).content)
    for side in (left, right):
        silent = longest_silence(side)
        assert silent[0] > 2.0
        assert abs(silent[1] - one["silent_s"]) < 0.01
    assert one["silent_s"] > 3.0


async def test_nobody_is_told_that_it_is_silent_before_it_is(counter: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confirmation, "CONFIRM_S", 0.05)
    admin, call, _ = await given_a_talk(counter)
    counter.pbx.refuses = RequestFailure.REFUSED
    status, body = await control(admin, call, "pause")
    assert (status, body["slug"]) == (503, "not_confirmed")
    live = (await admin.get(f"/v1/calls/{call}"))["recording"]
    assert (live["state"], live["confirmed"]) == ("paused", False)
    counter.pbx.refuses = None
    await counter.pass_time(1)
    assert counter.pbx.silent[call] is True
    assert (await admin.get(f"/v1/calls/{call}"))["recording"]["confirmed"] is True
    page = (await counter.client.get("/metrics")).text
    assert 'acd_recording_changes_total{action="disobeyed",queue="sales"} 1.0' in page


async def test_a_long_pause_is_counted(counter: Office) -> None:
    admin, call, _ = await given_a_talk(counter, most_pause_s=60.0)
    await control(admin, call, "pause")
    await counter.pass_time(61)
    page = (await counter.client.get("/metrics")).text
    assert 'acd_recording_changes_total{action="long_pause",queue="sales"} 1.0' in page


@pytest.mark.parametrize(("seconds", "state"), [(None, "missing"), (3.0, "short"), (0.0, "damaged")])
async def test_what_is_not_there_or_not_whole_is_told(counter: Office, seconds: float | None, state: str) -> None:
    admin, call, name = await given_a_talk(counter)
    if seconds == 0.0:
        for half in ("caller", "agent"):
            counter.recording_dir.joinpath(f"{name}-{half}.wav").write_bytes(b"no sound at all")
    elif seconds is not None:
        write_halves(counter.recording_dir, name, seconds, whole=False)
    await over(counter, call)
    await counter.pass_time(20)
    assert (await recorded(counter, admin, call))["state"] == state
    assert (await admin.get(f"/v1/calls/{call}"))["outcome"] == "answered"
    assert f'acd_recordings_total{{queue="sales",result="{state}"}} 1.0' in (await counter.client.get("/metrics")).text
    if state != "short":
        refused = await admin.ask("GET", f"/v1/recordings/{name}/audio")
        assert (refused.status_code, refused.json()["slug"]) == (404, "no_audio")


async def test_a_full_disk_costs_nothing_but_time(counter: Office) -> None:
    admin, call, name = await given_a_talk(counter)
    write_halves(counter.recording_dir, name, 10.0)
    moved = counter.vault.rename(counter.vault.with_name("elsewhere"))
    await over(counter, call)
    await counter.pass_time(5)

    async def told() -> bool:
        return (
            'acd_recordings_total{queue="sales",result="unwritten"} 1.0' in (await counter.client.get("/metrics")).text
        )

    for _ in range(100):
        if await told():
            break
        counter.app.recordings._wanted.set()
        await counter.settled()
    assert await told()
    assert len(list(counter.recording_dir.iterdir())) == 2
    moved.rename(counter.vault)
    assert (await recorded(counter, admin, call))["state"] == "whole"


async def test_what_was_cut_off_in_the_middle_is_done_again(counter: Office) -> None:
    admin, call, name = await given_a_talk(counter)
    write_halves(counter.recording_dir, name, 10.0)
    counter.vault.joinpath(f"{name}.nbr").write_bytes(b"of a service that died before it could say so")
    await over(counter, call)
    await counter.pass_time(5)
    one = await recorded(counter, admin, call)
    assert (await admin.ask("GET", f"/v1/recordings/{one['id']}/audio")).status_code == 200


async def test_halves_that_belong_to_nobody_go(counter: Office) -> None:
    write_halves(counter.recording_dir, "empty", 0.0)
    write_halves(counter.recording_dir, "lost", 1.0)
    await counter.pass_time(200)
    counter.app.recordings._wanted.set()
    await until(lambda: len(list(counter.recording_dir.iterdir())) == 2, "empty ones are gone")
    await counter.pass_time(90_000)
    counter.app.recordings._wanted.set()
    await until(lambda: not list(counter.recording_dir.iterdir()), "all are gone")


async def test_what_nobody_asked_for_is_not_kept(counter: Office) -> None:
    admin, call, name = await given_a_talk(counter, "on_demand")
    assert counter.pbx.silent[call] is True
    write_halves(counter.recording_dir, name, 10.0)
    await over(counter, call)
    await counter.pass_time(5)
    counter.app.recordings._wanted.set()
    await until(lambda: not list(counter.recording_dir.iterdir()), "the halves are gone")
    assert (await admin.get("/v1/recordings", call=call))["items"] == []


async def test_a_recordings_time_comes(office: Office) -> None:
    admin, call, name = await given_a_talk(office, keep_days=1)
    write_halves(office.recording_dir, name, 10.0)
    await over(office, call)
    await office.pass_time(5)
    one = await recorded(office, admin, call)
    await office.pass_time(2 * 86_400)
    office.app.recordings._wanted.set()
    await until(lambda: not office.vault.joinpath(f"{one['id']}.nbr").exists(), "the file is gone")
    gone = await admin.get(f"/v1/recordings/{one['id']}")
    assert (gone["state"], gone["erased_by"], gone["number"]) == ("erased", "retention", None)
    assert (await admin.ask("GET", f"/v1/recordings/{one['id']}/audio")).status_code == 404
    async with office.app.database.read() as connection:
        assert (await connection.execute(select(schema.recordings.c.key))).scalar_one() is None


async def test_all_of_one_caller_are_erased_whatever_way_the_number_is_written(office: Office) -> None:
    admin, call, name = await given_a_talk(office)
    write_halves(office.recording_dir, name, 10.0)
    await over(office, call)
    await office.pass_time(5)
    await recorded(office, admin, call)
    assert (await admin.ask("POST", "/v1/recordings/erase", json={"number": "+98911"})).json() == {"erased": 0}
    assert (await admin.ask("POST", "/v1/recordings/erase", json={"number": "0098912345678"})).json() == {"erased": 1}
    assert (await admin.get("/v1/recordings"))["items"][0]["state"] == "erased"
    assert not list(office.vault.glob("*.nbr"))


async def test_an_agent_pauses_the_own_call_and_hears_nothing(counter: Office) -> None:
    _, call, _ = await given_a_talk(counter)
    own = await counter.person(Role.AGENT, agent="101")
    other = await counter.person(Role.AGENT, agent="103")
    foreign = await counter.person(Role.SUPERVISOR, queues=("support",))
    assert (await control(other, call, "pause"))[0] == 404
    assert (await control(foreign, call, "pause"))[0] == 404
    assert (await control(own, call, "pause"))[0] == 200
    assert (await own.ask("GET", "/v1/recordings")).status_code == 403
    assert (await foreign.get("/v1/recordings"))["items"] == []


async def test_settings_are_kept_and_a_share_needs_one(office: Office) -> None:
    admin = await office.admin()
    wrong = await admin.ask("PATCH", "/v1/queues/sales", json={"recording": {"mode": "share"}})
    assert wrong.status_code == 422
    good = {"recording": {"mode": "share", "share": 0.25}, "survey": {"offered": True}}
    assert (await admin.ask("PATCH", "/v1/queues/sales", json=good)).status_code == 200
    admin = await office.restarted()
    told = await admin.get("/v1/queues/sales")
    assert told["recording"] == {"mode": "share", "share": 0.25, "most_pause_s": 300.0, "keep_days": 90}
    assert told["survey"] == {"offered": True}
