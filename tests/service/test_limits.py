"""Hours, limits, closings and messages through the whole service, on both databases, and through restarts."""

import os
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from nobat.auth import Role
from nobat.holiday_lists import HolidayListSettings
from nobat.storage import schema
from nobat.timetables import jalali
from tests.support.office import Office, Person, speak

NEVER: dict[str, Any] = {"weekly": {}}
TO_SUPPORT = {"kind": "queue", "queue": "support"}
LED = {"closed": TO_SUPPORT, "most_waiting": 3, "full": {"kind": "voicemail", "most_s": 60}, "most_wait_s": 30.0}


async def change(admin: Person, queue: str = "sales", **settings: Any) -> Any:
    response = await admin.ask("PATCH", f"/v1/queues/{queue}", json=settings)
    assert response.status_code == 200, response.text
    return response.json()


def way(call: Any) -> list[tuple[str, str | None, str | None, str | None]]:
    return [(visit["queue"], visit["outcome"], visit["limit"], visit["led_to"]) for visit in call["visits"]]


async def test_settings_are_kept_as_given_and_a_patch_changes_what_it_names(office: Office) -> None:
    admin = await office.admin()
    hours = {
        "weekly": {"mon": ["09:00-17:00"], "fri": ["22:00-06:00", "08:00-24:00"]},
        "holidays": [{"date": "01-01", "calendar": "jalali", "name": "نوروز"}, {"date": "2026-12-25"}],
        "exceptions": [{"date": "1405-06-31", "calendar": "jalali", "open": ["10:00-14:00"]}],
    }
    await change(admin, hours=hours, overflow=LED)
    await change(admin, overflow={"most_wait_s": None, "empty_s": 9.0})
    admin = await office.restarted()
    told = await admin.get("/v1/queues/sales")
    assert told["hours"]["weekly"]["fri"] == ["08:00-24:00", "22:00-06:00"]
    assert told["hours"]["holidays"][0] == {"date": "01-01", "calendar": "jalali", "name": "نوروز"}
    assert told["hours"]["exceptions"][0]["open"] == ["10:00-14:00"]
    rules = told["overflow"]
    assert (rules["most_waiting"], rules["most_wait_s"], rules["empty_s"]) == (3, None, 9.0)
    assert rules["closed"] == {"kind": "queue", "queue": "support", "keep_place": True, "say": None}


@pytest.mark.parametrize(
    ("settings", "slug"),
    [
        ({"hours": {"weekly": {"mon": ["9-17"]}}}, "invalid"),
        ({"hours": {"weekly": {"someday": []}}}, "invalid"),
        ({"hours": {"holidays": [{"date": "1404-12-30", "calendar": "jalali"}]}}, "invalid"),
        ({"hours": {"holidays": [{"date": "2026-02-29"}]}}, "invalid"),
        ({"hours": {"holidays": [{"date": "tomorrow"}]}}, "invalid"),
        ({"hours": {"lists": ["nowhere"]}}, "unknown_holiday_list"),
        ({"overflow": {"full": {"kind": "queue", "queue": "sales"}}}, "leads_nowhere"),
        ({"overflow": {"full": {"kind": "number", "number": "0900123456"}}}, "number_not_allowed"),
        ({"overflow": {"full": {"kind": "message", "say": ["../../etc/passwd"]}}}, "invalid"),
        ({"overflow": {"full": {"kind": "message", "say": ["a&b"]}}}, "invalid"),
        ({"overflow": {"full": {"kind": "nowhere"}}}, "invalid"),
        ({"overflow": {"most_waiting": 0}}, "invalid"),
    ],
)
async def test_what_makes_no_sense_is_refused(counter: Office, settings: Any, slug: str) -> None:
    response = await (await counter.admin()).ask("PATCH", "/v1/queues/sales", json=settings)
    assert response.status_code == 422, response.text
    assert slug in ("invalid", response.json()["slug"])


async def test_a_list_of_holidays_is_kept_by_the_queues_that_name_it(counter: Office) -> None:
    today = datetime.fromtimestamp(counter.clock.now(), UTC)
    year, month, day = jalali(today.date())
    lists = {
        "iran": HolidayListSettings(name="iran", jalali=(f"{year:04}-{month:02}-{day:02}",)).days(),
        "others": HolidayListSettings(name="others", gregorian=(f"{(today + timedelta(days=3)):%m-%d}",)).days(),
    }
    counter.app.keeper.holiday_lists = lists
    admin = await counter.admin()
    told = await change(
        admin, hours={"lists": ["iran", "others"]}, timezone="UTC", overflow={"holiday": {"kind": "message"}}
    )
    assert told["closed"] == "holiday"
    assert (await admin.get("/v1/queues/sales"))["hours"]["lists"] == ["iran", "others"]
    assert (await change(admin, hours={"lists": ["others"]}))["closed"] is None
    assert (await admin.get("/v1/queues/support"))["closed"] is None


async def test_a_closed_queue_leads_to_the_other_and_all_of_it_is_known_after_a_restart(office: Office) -> None:
    admin = await office.admin()
    told = await change(admin, hours=NEVER, overflow=LED)
    assert (told["closed"], told["changes_at"]) == ("closed", None)
    call = office.pbx.caller("8000")
    await office.settled()
    place = (await admin.get("/v1/queues/support/line"))["items"][0]
    live = await admin.get(f"/v1/calls/{call}")
    assert way(live) == [("sales", "overflowed", "closed", "queue:support"), ("support", None, None, None)]
    assert place["entered_at"] == live["entered_at"]
    office.clock.move(20)
    admin = await office.restarted()
    again = (await admin.get("/v1/queues/support/line"))["items"][0]
    assert (again["call_id"], again["entered_at"]) == (call, place["entered_at"])
    office.pbx.caller_hangs_up(call)
    await office.settled()
    await office.written()
    office.app.engine.read(lambda floor, _: floor.ended.clear())
    stored = await admin.get(f"/v1/calls/{call}")
    assert way(stored) == [("sales", "overflowed", "closed", "queue:support"), ("support", "abandoned", None, None)]
    for queue, outcome in (("sales", "overflowed"), ("support", "abandoned")):
        figures = await admin.get(f"/v1/queues/{queue}/stats", window="today")
        assert (figures["offered"], figures[outcome], figures["waiting"]) == (1, 1, 0), figures


async def test_a_call_that_ended_unseen_is_abandoned_in_its_last_queue(office: Office) -> None:
    admin = await office.admin()
    await change(admin, hours=NEVER, overflow=LED)
    call = office.pbx.caller("8000")
    await office.settled()
    await office.written()
    await office.die()
    del office.pbx.world.channels[call]
    await office.start()
    admin = await office.admin()

    async def stored() -> Any:
        return await admin.ask("GET", f"/v1/calls/{call}")

    while (await stored()).status_code != 200:
        await office.settled()
    await office.written()
    found = (await stored()).json()
    assert way(found) == [("sales", "overflowed", "closed", "queue:support"), ("support", "abandoned", None, None)]
    figures = await admin.get("/v1/queues/support/stats", window="today")
    assert (figures["offered"], figures["abandoned"], figures["waiting"]) == (1, 1, 0)


async def test_who_waits_too_long_is_led_on_and_why_tells_it(office: Office) -> None:
    admin = await office.admin()
    await change(admin, overflow=LED | {"waited": {"kind": "message", "say": ["site/sorry"]}})
    call = office.pbx.caller("8000")
    await office.settled()
    await office.pass_time(31)
    assert office.pbx.requests[-1].say == ("site/sorry",)  # type: ignore[union-attr]
    why = await admin.get(f"/v1/calls/{call}/why")
    assert [(one["queue"], one["limit"], one["led_to"]) for one in why["overflows"]] == [
        ("sales", "waited_too_long", "message")
    ]


async def test_a_supervisor_closes_and_opens_and_both_are_on_record(office: Office) -> None:
    supervisor = await office.person(Role.SUPERVISOR, queues=("sales",))
    body = {"reason": "fire alarm", "to": {"kind": "message", "say": ["closed-for-now"]}}
    closed = (await supervisor.ask("PUT", "/v1/queues/sales/closing", json=body)).json()
    assert (closed["closed"], closed["closing"]["reason"]) == ("closed_now", "fire alarm")
    admin = await office.restarted()
    again = await admin.get("/v1/queues/sales")
    assert (again["closed"], again["closing"]) == ("closed_now", closed["closing"])
    call = office.pbx.caller("8000")
    await office.settled()
    assert (await admin.get(f"/v1/calls/{call}"))["visits"][0]["limit"] == "closed_now"
    supervisor = await office.person(Role.SUPERVISOR, queues=("sales",))
    assert (await supervisor.ask("DELETE", "/v1/queues/sales/closing")).json()["closed"] is None
    assert (await supervisor.ask("DELETE", "/v1/queues/sales/closing")).json()["slug"] == "queue_not_closed"
    admin = await office.restarted()
    assert (await admin.get("/v1/queues/sales"))["closed"] is None
    async with office.app.database.read() as connection:
        kinds = select(schema.events.c.kind, schema.events.c.queue_id, schema.events.c.data)
        rows = [row for row in await connection.execute(kinds) if row.kind in ("QueueClosed", "QueueOpened")]
    assert [(row.kind, row.queue_id) for row in rows] == [("QueueClosed", "sales"), ("QueueOpened", "sales")]
    assert (rows[0].data["closing"]["by"], rows[1].data["by"]) == ("a supervisor", "a supervisor")


async def test_messages_are_found_listed_and_removed_whoever_was_away(office: Office) -> None:
    admin = await office.admin()
    await change(admin, hours=NEVER, overflow={"closed": {"kind": "voicemail"}})
    call = office.pbx.caller("8000", number="02112345678")
    await office.settled()
    file = office.voicemail_dir / f"sales.{call}.wav"
    speak(file, 3.0)
    for strange in ("../x.wav", "sales.pbx1-1.wav", "nobody.wav"):
        speak(office.voicemail_dir / strange.replace("/", "_"))
    office.pbx.hears_the_end(call, recorded=True)
    await office.settled()
    (message,) = await listed(admin)
    assert (message["call"], message["caller"]["number"], message["duration_s"]) == (call, "02112345678", 3.0)
    sound = await admin.ask("GET", f"/v1/voicemails/{message['id']}/audio", headers={"range": "bytes=4-7"})
    assert (sound.status_code, sound.content) == (206, file.read_bytes()[4:8])
    assert (await admin.get(f"/v1/voicemails/{message['id']}"))["heard_by"] == "a admin"
    await office.die()
    late = office.voicemail_dir / f"support.pbx1-{int(office.clock.now() * 1000)}.77.wav"
    speak(late)
    os.utime(late, (office.clock.now() - 60, office.clock.now() - 60))  # left while the service was away
    await office.start()
    admin = await office.admin()
    assert {one["queue"] for one in await listed(admin, 2)} == {"sales", "support"}
    assert (await admin.ask("DELETE", f"/v1/voicemails/{message['id']}")).status_code == 204
    assert not file.exists()
    assert len(await listed(admin)) == 1
    assert (await admin.ask("GET", f"/v1/voicemails/{message['id']}/audio")).json()["slug"] == "unknown_voicemail"
    late.unlink()
    assert (await admin.ask("GET", f"/v1/voicemails/{late.stem}/audio")).json()["slug"] == "no_audio"


async def listed(person: Person, count: int = 1) -> list[Any]:
    """The messages, when there are so many."""
    for _ in range(2000):
        items: list[Any] = (await person.get("/v1/voicemails"))["items"]
        if len(items) >= count:
            return items
    raise AssertionError(f"there are not {count} messages")


async def test_an_agent_hears_the_messages_of_his_queues_and_deletes_none(office: Office) -> None:
    agent = await office.person(Role.AGENT, agent="101")
    for queue in ("sales", "support"):
        file = office.voicemail_dir / f"{queue}.pbx1-1700000000000.7.wav"
        speak(file)
        os.utime(file, (1e9, 1e9))
    office.app.voicemail._wanted.set()
    assert [one["queue"] for one in await listed(await office.admin(), 2)]
    assert [one["queue"] for one in (await agent.get("/v1/voicemails"))["items"]] == ["sales"]
    assert (await agent.ask("DELETE", "/v1/voicemails/sales.pbx1-1700000000000.7")).status_code == 403


async def test_hours_are_worked_out_anew_as_time_goes_on(office: Office) -> None:
    admin = await office.admin()
    await change(admin, hours={"weekly": {"mon": ["09:00-17:00"]}})
    first = (await admin.get("/v1/queues/sales"))["changes_at"]
    office.clock.move(60 * 86_400)
    await office.app.keeper._look_ahead()
    later = (await admin.get("/v1/queues/sales"))["changes_at"]
    assert later > first
