"""Figures of 15 minutes and the reports made of them."""

import asyncio
import csv
import gc
import io
import weakref
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from acd.agents import AgentSpec
from acd.breaks import BreakReason
from acd.events import VisitDecided
from acd.ids import AgentId, CallId, QueueId
from acd.outcomes import Outcome
from acd.queues import QueueSpec
from nobat.auth import Role
from nobat.figures import keeper, tables
from nobat.figures.stays import start_of
from nobat.storage import figures, schema
from nobat.storage.database import Database
from nobat.storage.migrate import migrate
from nobat.storage.recorder import write_notes
from nobat.storage.statements import Note
from tests.support import plain_figures
from tests.support.day import MIDNIGHT, Day, Plan
from tests.support.day_plan import Worker
from tests.support.office import Office, Person, TestClock, until

PLAN = Plan(
    calls=1500,
    hours=6,
    talk_s=150,
    patience_s=60,
    queues=(
        QueueSpec(QueueId("sales"), "8000", wrap_up_s=20.0, rest_s=1.0),
        QueueSpec(QueueId("support"), "8001", wrap_up_s=0.0, rest_s=5.0),
    ),
    staff=tuple(
        Worker(
            AgentSpec(AgentId(str(101 + n)), queues=(QueueId("sales"), QueueId("support"))),
            from_s=600.0 * (n % 3),
            until_s=5 * 3600.0 if n % 4 == 0 else None,
            breaks=((3600.0 + 60 * n, 4500.0 + 70 * n),),
        )
        for n in range(14)
    ),
)  # fmt: skip


async def stored(database: Database, table: Any) -> list[dict[str, Any]]:
    async with database.read() as connection:
        return [dict(row) for row in (await connection.execute(select(table))).mappings()]


async def test_a_day_worked_out_equals_a_plain_count_of_its_events(database_url: str) -> None:
    day = Day(PLAN, seed=7)
    day.floor.break_reasons = (BreakReason("1", "pause", productive=True),)
    day.run()
    until = max(event.at for event in day.events)
    database = Database(database_url)
    await migrate(database)
    notes = [Note(1, number, event) for number, event in enumerate(day.events)]
    for at in range(0, len(notes), 1000):
        await write_notes(database, notes[at : at + 1000])
    begin = start_of(MIDNIGHT)
    await figures.work_out(database, begin, until)
    for _ in range(2):
        queues, agents = await stored(database, schema.queue_figures), await stored(database, schema.agent_figures)
        assert len(queues) > 40
        assert sum(row["productive_s"] for row in agents) > 5 * 900
        assert plain_figures.differences(queues, "queue_id", plain_figures.of_queues(day.events)) == []
        assert plain_figures.differences(agents, "agent_id", plain_figures.of_agents(day.events, until)) == []
        await figures.work_out(database, begin + 2 * 3600, until)  # a part worked out again changes nothing
    await database.close()


async def test_a_database_that_is_closed_is_forgotten_with_all_that_it_knew_of_its_statements(
    database_url: str,
) -> None:
    database = Database(database_url)
    await migrate(database)
    day = Day(replace(PLAN, calls=5, hours=1), seed=7)
    day.run()
    notes = [Note(1, number, event) for number, event in enumerate(day.events)]
    for again in range(2):
        another = database.another()
        gone = weakref.ref(another)
        await write_notes(another, notes)
        await figures.work_out(another, start_of(MIDNIGHT), MIDNIGHT + 3600 + again)
        await another.close()
        del another
        gc.collect()
        assert gone() is None
    await database.close()


async def test_figures_follow_what_happens_and_reports_show_them(office: Office) -> None:
    admin = await office.admin()
    for agent in ("101", "103"):
        await admin.chooses(agent, "available")
    answered = office.pbx.caller("8000", "4930123456", "=cmd|' /C calc'!A0")
    await until(lambda: office.pbx.ringing(answered), "a ringing phone")
    office.pbx.pick_up(answered)
    await office.settled()
    await office.pass_time(30)
    office.pbx.agent_hangs_up(answered)
    await until(lambda: office.pbx.stage(answered) is None, "the caller's hang-up")
    await admin.chooses("101", "break")
    left = office.pbx.caller("8000", "111")
    await office.pass_time(6)
    office.pbx.caller_hangs_up(left)
    await office.settled()
    office.pbx.caller("8000", "222")
    await office.pass_time(40)
    await office.settled()
    await office.written()
    await office.app.figures.catch_up()

    report = await admin.get("/v1/reports/queues", queue="sales", interval="total")
    (row,) = report["items"]
    assert (row["offered"], row["answered"], row["abandoned"], row["waiting"]) == (3, 1, 1, 1)
    assert row["service_level"]["primary"] == 1.0
    assert row["service_level"]["strict"] == 0.5
    assert (row["handled"], round(row["talk_s"])) == (1, 30)
    assert report["total"]["offered"] == 3
    assert report["worked_out_at"] is not None
    (promise,) = (await admin.get("/v1/sla", queue="sales"))["items"]
    assert (promise["target_s"], promise["met"], promise["service_level"]) == (20, True, row["service_level"])
    people = {one["agent"]: one for one in (await admin.get("/v1/reports/agents"))["items"]}
    assert (people["101"]["handled"], round(people["101"]["talking_s"]), people["101"]["missed"]) == (1, 30, 0)
    assert people["101"]["break_s"] >= 46
    assert people["103"]["idle_s"] >= 76
    assert "102" not in people  # never there

    text = (await admin.ask("GET", "/v1/reports/calls", params={"format": "csv", "language": "fa"})).text
    lines = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert text.startswith("\ufeff")
    assert lines[0][3] == "شماره"
    assert {line[3]: line[4] for line in lines[1:]} == {"4930123456": "'=cmd|' /C calc'!A0", "111": ""}
    assert [one["caller"]["number"] for one in (await admin.get("/v1/reports/calls"))["items"]] == ["111", "4930123456"]

    sheet = await admin.ask(
        "GET", "/v1/reports/queues", params={"format": "xlsx", "language": "fa", "calendar": "jalali"}
    )
    page = load_workbook(io.BytesIO(sheet.content)).active
    assert page is not None
    assert page.sheet_view.rightToLeft
    values = [[cell.value for cell in line] for line in page.iter_rows()]
    assert values[0][3] == "ورودی"
    assert {line[0]: line[3] for line in values[1:]} == {"sales": 3, "support": 0}
    assert str(values[1][1]).startswith("140")  # a Jalali year
    calls = await admin.ask("GET", "/v1/reports/calls", params={"format": "xlsx"})
    cells = [cell for line in load_workbook(io.BytesIO(calls.content)).active.iter_rows() for cell in line]  # type: ignore[union-attr]
    assert all(cell.data_type != "f" for cell in cells)


async def test_what_was_missed_while_the_service_was_away_is_worked_out_at_the_start(office: Office) -> None:
    admin = await office.admin()
    await admin.chooses("101", "available")
    call = office.pbx.caller("8000", "111")
    await until(lambda: office.pbx.ringing(call), "a ringing phone")
    office.pbx.pick_up(call)
    await office.settled()
    office.pbx.caller_hangs_up(call)
    await office.settled()
    await office.written()
    await office.die()
    await office.start()
    again = await office.admin()
    await office.app.figures.catch_up()
    (row,) = (await again.get("/v1/reports/queues", queue="sales"))["items"]
    assert (row["offered"], row["answered"], row["waiting"]) == (1, 1, 0)


async def test_a_promise_that_is_changed_does_not_change_the_past_not_even_over_a_restart(office: Office) -> None:
    admin = await office.admin()
    call = office.pbx.caller("8000", "111")
    await office.pass_time(30)
    office.pbx.caller_hangs_up(call)
    await office.settled()
    await admin.ask("PATCH", "/v1/queues/sales", json={"service_level": {"target_s": 60}, "short_abandon_s": 40})
    before = await admin.get("/v1/queues/sales/stats")
    assert before["service_level"]["primary"] == 0.0
    assert before["short_abandoned"] == 0
    admin = await office.restarted()
    after = await admin.get("/v1/queues/sales/stats")
    for name in ("offered", "abandoned", "short_abandoned", "service_level"):
        assert after[name] == before[name], name
    await office.app.figures.catch_up()
    (row,) = (await admin.get("/v1/sla", queue="sales"))["items"]
    assert (row["service_level"], row["short_abandoned"]) == (before["service_level"], 0)


async def test_nobody_was_idle_while_nobody_looked(office: Office) -> None:
    admin = await office.admin()
    await admin.chooses("101", "available")
    await office.pass_time(600)
    await office.written()
    await office.app.figures.catch_up()
    await office.die()
    office.clock.move(10 * 3600)
    await office.start()
    await office.settled()
    admin = await office.admin()
    await office.pass_time(1200)
    await office.written()
    for _ in range(2):
        await office.app.figures.catch_up()
        (row,) = (await admin.get("/v1/reports/agents", **{"from": day_before(office), "agent": "101"}))["items"]
        assert 1700 < row["idle_s"] <= row["signed_in_s"] < 1900
        await office.pass_time(10)


def day_before(office: Office) -> str:
    return datetime.fromtimestamp(office.clock.now() - 86_400, UTC).isoformat()


async def test_a_caller_is_in_every_report_from_the_entry_on_and_once(office: Office) -> None:
    """Also in the minute before the figures are worked out, whoever of floor and figures knows of the visit by then."""
    admin = await office.admin()
    await admin.ask("PUT", "/v1/callers/111", json={"segment": "vip"})
    await office.app.figures.catch_up()

    async def seen() -> list[tuple[int, ...]]:
        found = []
        for path in ("/v1/sla", "/v1/reports/queues", "/v1/reports/segments"):
            (row,) = [one for one in (await admin.get(path, queue="sales"))["items"] if one["offered"]] or [None]
            names = ("offered", "answered", "abandoned", "overflowed", "deferred", "lost", "waiting")
            found.append(tuple(row[name] for name in names) if row is not None else ())
        return found

    call = office.pbx.caller("8000", "111")
    await office.settled()
    assert await seen() == [(1, 0, 0, 0, 0, 0, 1)] * 3
    await office.written()
    await office.app.figures.catch_up()
    assert await seen() == [(1, 0, 0, 0, 0, 0, 1)] * 3
    await office.pass_time(30)
    office.pbx.caller_hangs_up(call)
    await office.settled()
    assert await seen() == [(1, 0, 1, 0, 0, 0, 0)] * 3
    await office.written()
    assert await seen() == [(1, 0, 1, 0, 0, 0, 0)] * 3
    await office.pass_time(10)
    at_once = await asyncio.gather(office.app.figures.catch_up(), *(seen() for _ in range(4)))
    assert at_once[1:] == [[(1, 0, 1, 0, 0, 0, 0)] * 3] * 4
    assert await seen() == [(1, 0, 1, 0, 0, 0, 0)] * 3


@dataclass
class HistoryThatWaits:
    """What a recorder says whose database was away."""

    noted: int = 0
    pending: int = 0


async def test_what_is_written_three_days_late_is_in_the_figures(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "LOOKS", 1)
    database = Database(database_url)
    await migrate(database)
    clock, history = TestClock(), HistoryThatWaits()
    began = clock.now()
    figures_keeper = keeper.FiguresKeeper(database.another(), clock.now, history)

    def visit(at: float) -> VisitDecided:
        return VisitDecided(at + 10, CallId(f"pbx1-{at}"), QueueId("sales"), Outcome.ANSWERED, at, 10.0)

    async def offered() -> int:
        return sum(row["answered"] for row in await stored(database, schema.queue_figures))

    await write_notes(database, [Note(1, 1, visit(began - 100))])
    await figures_keeper.catch_up()
    assert await offered() == 1
    history.noted, history.pending = 1, 1
    for _ in range(3):
        clock.move(24 * 3600)
        await figures_keeper.catch_up()
    assert figures_keeper.worked_out_at is not None
    assert figures_keeper.worked_out_at < began + 60  # it does not say that it knows what came since
    await write_notes(database, [Note(1, 2, visit(began + 1800))])
    history.pending = 0
    await figures_keeper.catch_up()
    assert await offered() == 2
    await database.close()


async def test_who_has_left_and_queues_that_are_no_more_stay_in_reports(office: Office) -> None:
    admin = await office.admin()
    await admin.chooses("101", "available")
    call = office.pbx.caller("8000", "111")
    await until(lambda: office.pbx.ringing(call), "a ringing phone")
    office.pbx.pick_up(call)
    await office.settled()
    await office.pass_time(30)
    office.pbx.caller_hangs_up(call)
    await office.settled()
    await admin.chooses("101", "signed_out")
    await office.written()
    await office.pass_time(10)
    await office.app.figures.catch_up()
    for path in ("/v1/agents/101", "/v1/agents/102", "/v1/queues/sales"):
        assert (await admin.ask("DELETE", path)).status_code == 204
    agents = (await admin.get("/v1/reports/agents"))["items"]
    assert [(one["agent"], one["name"], one["handled"]) for one in agents] == [("101", "101", 1)]
    report = await admin.get("/v1/reports/queues")
    assert {one["queue"]: one["answered"] for one in report["items"]} == {"support": 0, "sales": 1}
    assert report["total"]["answered"] == 1
    lines = list(csv.DictReader(io.StringIO((await file_of(admin, "queues", "csv")).decode("utf-8-sig"))))
    assert {line["Queue"]: line["Answered"] for line in lines} == {"support": "0", "sales": "1"}
    supervisor = await office.person(Role.SUPERVISOR, queues=("support",))
    assert (await supervisor.get("/v1/reports/agents"))["items"] == []
    assert [one["queue"] for one in (await supervisor.get("/v1/reports/queues"))["items"]] == ["support"]


async def file_of(admin: Person, report: str, form: str, **more: str) -> bytes:
    path = "/v1/sla" if report == "sla" else f"/v1/reports/{report}"
    response = await admin.ask("GET", path, params={"format": form, **more})
    assert response.status_code == 200, response.text
    return response.content


async def test_the_service_level_and_the_equation_are_in_every_file(counter: Office) -> None:
    admin = await counter.admin()
    await admin.ask("PUT", "/v1/callers/222", json={"segment": "vip"})
    counter.pbx.caller("8000", "111")
    left = counter.pbx.caller("8000", "222")
    await counter.pass_time(30)
    counter.pbx.caller_hangs_up(left)
    await counter.settled()
    await counter.written()
    await counter.pass_time(10)
    await counter.app.figures.catch_up()
    parts = ("Answered", "Abandoned", "Overflowed", "Deferred", "Lost", "Waiting")
    reports = [
        ("sla", {}),
        ("sla", {"by": "segment"}),
        ("sla", {"by": "skill"}),
        ("queues", {}),
        ("segments", {}),
        ("skills", {}),
    ]
    for report, more in reports:
        text = (await file_of(admin, report, "csv", **more)).decode("utf-8-sig")
        book = load_workbook(io.BytesIO(await file_of(admin, report, "xlsx", **more))).active
        assert book is not None
        titles, *lines = [[cell.value for cell in line] for line in book.iter_rows()]
        for table in (
            list(csv.DictReader(io.StringIO(text))),
            [dict(zip(titles, line, strict=True)) for line in lines],
        ):
            assert {column.en for column in tables.LEVELS} <= set(table[0])
            assert sum(int(row["Offered"]) for row in table) == 2, report
            for row in table:
                assert int(row["Offered"]) == sum(int(row[part]) for part in parts)
            if report == "sla":
                assert {row["Met"] for row in table if row["Queue"] == "sales"} <= {"no", "", None}
                assert float(table[0]["Promised share"]) == 0.8
            assert {row["Clock"] for row in table} == {"UTC+00:00"}
    persian = load_workbook(io.BytesIO(await file_of(admin, "sla", "xlsx", language="fa"))).active
    assert persian is not None
    assert persian.sheet_view.rightToLeft
    assert "خیر" in [cell.value for cell in persian[2]]


@pytest.mark.parametrize(
    ("query", "slug"),
    [
        ({"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "invalid_span"),
        ({"from": "1970-01-01T00:00:00Z"}, "invalid_span"),
        ({"zone": "../../etc/passwd"}, "unknown_timezone"),
        ({"zone": "Mars/Olympus"}, "unknown_timezone"),
        ({"from": "2026-01-01T00:00:00Z", "to": "2026-12-31T00:00:00Z", "interval": "15m"}, "too_many_rows"),
        ({"interval": "decade"}, "invalid_request"),
        ({"from": "2026-01-01"}, "invalid_request"),
    ],
)
async def test_what_cannot_be_reported_is_said(counter: Office, query: dict[str, str], slug: str) -> None:
    admin = await counter.admin()
    for path in ("/v1/sla", "/v1/reports/queues", "/v1/reports/agents"):
        response = await admin.ask("GET", path, params=query)
        assert (response.status_code, response.json()["slug"]) == (422, slug), path


async def test_a_supervisor_sees_the_figures_of_the_own_queues(counter: Office) -> None:
    supervisor = await counter.person(Role.SUPERVISOR, queues=("sales",))
    agent = await counter.person(Role.AGENT, agent="101")
    report = await supervisor.get("/v1/reports/queues")
    assert [row["queue"] for row in report["items"]] == ["sales"]
    assert (await supervisor.ask("GET", "/v1/reports/queues", params={"queue": "support"})).status_code == 404
    assert (await supervisor.ask("GET", "/v1/reports/calls", params={"queue": "support"})).status_code == 404
    assert (await agent.ask("GET", "/v1/reports/queues")).status_code == 403
