"""Erasure by number: the person is nowhere any more, and every figure is as it was."""

import dataclasses
from typing import Any, get_args, get_type_hints

import pytest
from sqlalchemy import select

from acd.callback_policy import CallbackPolicy
from acd.commands import DefineQueue
from acd.events import Event
from acd.ids import QueueId
from nobat.auth import Role
from nobat.storage import numbers, schema
from nobat.storage.database import Database
from tests.support.office import Office, Person, speak, until
from tests.support.recordings import kept_recording

NUMBER, NAME, NOTES = "09121234567", "Shirin Example", "wants the blue one"
WRITTEN_OTHERWISE, KNOWN, TRACE = "00989121234567", "+989121234567", "9121234567"
OTHER = "02188889999"


async def conversation(office: Office, admin: Person, number: str, name: str, notes: str) -> str:
    """Somebody rings, talks to 101 and goes."""
    call = office.pbx.caller("8000", number, name)
    await until(lambda: office.pbx.ringing(call), "a ringing phone")
    office.pbx.pick_up(call)
    await office.settled()
    await admin.ask("PATCH", f"/v1/calls/{call}", json={"notes": notes, "disposition": "sold"})
    office.pbx.agent_hangs_up(call)
    await until(lambda: office.pbx.stage(call) is None, "the end of a call")
    await office.settled()
    return str(call)


async def boss(office: Office) -> Person:
    """Sales calls back, and 101 is there."""
    person = await office.admin()
    spec = office.app.engine.read(lambda floor, _: floor.queues[QueueId("sales")].spec)
    await office.app.engine.ask(DefineQueue(dataclasses.replace(spec, callbacks=CallbackPolicy(enabled=True))))
    await person.chooses("101", "available")
    return person


@pytest.fixture
async def admin(office: Office) -> Person:
    return await boss(office)


async def figures(admin: Person) -> Any:
    stats = await admin.get("/v1/queues/sales/stats")
    (row,) = (await admin.get("/v1/reports/queues", queue="sales"))["items"]
    return {name: stats[name] for name in ("offered", "answered", "abandoned", "service_level", "asa_s")}, {
        name: row[name] for name in ("offered", "answered", "handled", "talk_s", "service_level")
    }


async def everything(database: Database) -> str:
    """All that the tables hold, as text; who erases may be named in the audit."""
    rows = []
    async with database.read() as connection:
        for table in schema.metadata.sorted_tables:
            rows += [repr(tuple(row)) for row in await connection.execute(select(table))]
    return "\n".join(rows)


async def test_the_person_is_nowhere_any_more(office: Office, admin: Person) -> None:
    await admin.ask("PUT", f"/v1/callers/{KNOWN}", json={"name": NAME})
    call = await conversation(office, admin, NUMBER, NAME, NOTES)
    other = await conversation(office, admin, OTHER, "Somebody Else", "keep this")
    left = office.pbx.caller("8000", WRITTEN_OTHERWISE, NAME)  # gives up, and the place would be kept
    await office.settled()
    office.pbx.caller_hangs_up(left)
    await office.settled()
    await kept_recording(office, "sales", call, KNOWN.lstrip("+"))
    message = office.voicemail_dir / f"sales.{call}.wav"
    speak(message)
    office.app.voicemail._wanted.set()
    await office.pass_time(30)
    later = {"queue": "sales", "number": KNOWN, "due_until": _moment(office.clock.now() + 7200)}
    await admin.ask("POST", "/v1/callbacks", json={**later, "name": NAME})
    await office.written()
    await office.app.figures.catch_up()
    before = await figures(admin)
    found = await everything(office.app.database)
    assert found.count(TRACE) > 8
    assert NAME in found
    assert NOTES in found

    response = await admin.ask("POST", "/v1/erasures", json={"number": NUMBER})
    assert response.status_code == 200, response.text
    erased = response.json()
    assert erased["calls"] == 2
    assert (erased["recordings"], erased["known_caller"], erased["opted_out"]) == (1, True, False)
    assert erased["events"] >= 4

    found = await everything(office.app.database)
    assert [word for word in (TRACE, NAME, NOTES) if word in found] == []
    assert "Somebody Else" in found
    assert "keep this" in found
    seen = await admin.get(f"/v1/calls/{call}")
    assert (seen["caller"]["number"], seen["caller"]["name"], seen["notes"]) == (None, None, None)
    assert (seen["disposition"], seen["outcome"], seen["agent"]) == ("sold", "answered", "101")
    assert (await admin.get("/v1/calls", number=NUMBER))["items"] == []
    assert [one["id"] for one in (await admin.get("/v1/calls", number="+982188889999"))["items"]] == [other]
    assert (await admin.ask("GET", f"/v1/callers/{KNOWN}")).status_code == 404
    assert (await admin.ask("GET", "/v1/recordings/sales/audio")).status_code == 404
    (promised,) = (await admin.get("/v1/callbacks"))["items"]
    assert (promised["number"], promised["name"], promised["ended"]) == (None, None, "cancelled")
    await office.app.figures.catch_up()
    assert await figures(admin) == before
    feed = b"".join(entry.frame for entry in office.app.feed.after(office.app.feed.begin, 100_000))
    assert TRACE.encode() not in feed
    assert NOTES.encode() not in feed
    again = await office.restarted()
    assert await figures(again) == before
    nothing = (await again.ask("POST", "/v1/erasures", json={"number": WRITTEN_OTHERWISE})).json()
    assert not any(nothing.values())


async def test_nothing_of_it_is_left_in_the_files_of_sqlite(counter: Office) -> None:
    """PostgreSQL keeps dead rows until its vacuum (docs/guides/history.md)."""
    office, admin = counter, await boss(counter)
    for n in range(30):
        await conversation(
            office, admin, NUMBER if n % 3 else f"0218888{n:04}", NAME if n % 3 else "x", NOTES if n % 3 else "y"
        )
    await office.written()
    assert (await admin.ask("POST", "/v1/erasures", json={"number": NUMBER})).status_code == 200
    file = office.app.database.file
    assert file is not None
    folders = [office.journal, file.parent, office.vault]
    left = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert [
        path.name for path in left if any(word.encode() in path.read_bytes() for word in (TRACE, NAME, NOTES))
    ] == []


async def test_a_number_to_which_others_were_passed_on_goes_too(office: Office, admin: Person) -> None:
    call = office.pbx.caller("8000", OTHER)
    await until(lambda: office.pbx.ringing(call), "a ringing phone")
    office.pbx.pick_up(call)
    await office.settled()
    asked = await admin.ask("POST", f"/v1/calls/{call}/transfer", json={"to": {"number": NUMBER}})
    assert asked.status_code < 300, asked.text
    await office.settled()
    office.pbx.caller_hangs_up(call)
    await office.settled()
    await office.written()
    assert TRACE in await everything(office.app.database)
    erased = (await admin.ask("POST", "/v1/erasures", json={"number": NUMBER})).json()
    assert (erased["calls"], erased["events"]) == (0, 1)
    assert TRACE not in await everything(office.app.database)
    office.app.engine.read(lambda floor, _: floor.ended.clear())
    (passed,) = (await admin.get(f"/v1/calls/{call}"))["transfers"]
    assert passed["to"] == {"number": None}
    assert (await admin.get("/v1/calls", number=OTHER))["items"] != []


async def test_whoever_is_on_the_line_is_not_erased(counter: Office) -> None:
    admin = await counter.admin()
    call = counter.pbx.caller("8000", NUMBER)
    await counter.settled()
    refused = await admin.ask("POST", "/v1/erasures", json={"number": KNOWN})
    assert (refused.status_code, refused.json()["slug"]) == (409, "caller_on_the_line")
    assert NUMBER not in refused.text
    assert (await admin.get(f"/v1/calls/{call}"))["caller"]["number"] == NUMBER
    wrong = await admin.ask("POST", "/v1/erasures", json={"number": "*#"})
    assert (wrong.status_code, wrong.json()["slug"]) == (422, "invalid_number")


async def test_an_opt_out_stays_and_the_audit_says_who(office: Office) -> None:
    admin = await office.admin()
    await admin.ask("PUT", f"/v1/opt-outs/{KNOWN}")
    erased = (await admin.ask("POST", "/v1/erasures", json={"number": KNOWN})).json()
    assert erased["opted_out"] is True
    async with office.app.database.read() as connection:
        wanted = select(schema.audit.c.action, schema.audit.c.role, schema.audit.c.target)
        rows = [tuple(row) for row in await connection.execute(wanted)]
    assert ("eraseNumber", Role.ADMIN.value, "…567") in rows


def test_every_kind_of_event_that_tells_of_a_person_is_known() -> None:
    known = {kind: set(fields) for kind, fields in numbers.OF_CALLERS.items()}
    for kind, field in numbers.PASSED_ON.items():
        known.setdefault(kind, set()).add(field)
    of_staff = {("SupervisionBegun", "name"), ("PbxReady", "name")}
    for kind in get_args(Event):
        hints = get_type_hints(kind)
        personal = {name for name in hints if name in {"number", "caller", "to", "name", "notes"}}
        personal -= {name for name in personal if (kind.__name__, name) in of_staff}
        assert personal == known.get(kind, set()), kind


def _moment(at: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at, UTC).isoformat()
