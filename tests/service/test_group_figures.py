"""Figures by skill and by segment: worked out from visits, equal to a plain count, and shown in reports."""

import csv
import io
from typing import Any

from openpyxl import load_workbook
from sqlalchemy import select, text

from acd.agents import AgentSpec
from acd.directory import CallerProfile
from acd.events import Event
from acd.ids import AgentId, QueueId
from acd.queues import QueueSpec
from acd.skills import RelaxStep
from nobat.auth import Role
from nobat.figures import reading
from nobat.figures.report import QueueFigures
from nobat.figures.spans import Rows, Span
from nobat.figures.stays import start_of
from nobat.storage import figures, schema
from nobat.storage.database import Database
from nobat.storage.groups import GroupKind
from nobat.storage.migrate import migrate
from nobat.storage.recorder import write_notes
from nobat.storage.statements import Note
from tests.support import plain_figures
from tests.support.day import MIDNIGHT, Day, Plan
from tests.support.day_plan import Kind, Worker
from tests.support.office import Office, until

SALES, SUPPORT = QueueId("sales"), QueueId("support")
VIPS = tuple(f"98912000{n:04}" for n in range(40))
FRENCH = tuple(f"98912111{n:04}" for n in range(40))
PLAN = Plan(
    calls=500,
    hours=2,
    talk_s=100,
    patience_s=50,
    queues=(
        QueueSpec(SALES, "8000", wrap_up_s=20.0, rest_s=1.0),
        QueueSpec(SUPPORT, "8001", skills=(("tech", 2),), relax=(RelaxStep(20.0, ()),), wrap_up_s=0.0),
    ),
    kinds=(Kind(SALES, 2.0), Kind(SALES, 1.0, numbers=VIPS), Kind(SUPPORT, 1.0), Kind(SUPPORT, 1.0, numbers=FRENCH)),
    directory=(
        *((number, CallerProfile(segment="vip")) for number in VIPS),
        *((number, CallerProfile(segment="عادی", skills=(("french", 1),))) for number in FRENCH),
    ),
    staff=tuple(
        Worker(AgentSpec(AgentId(str(101 + n)), queues=(SALES, SUPPORT), skills=skills))
        for n, skills in enumerate([(), (("tech", 2),), (("french", 1), ("tech", 3))] * 3)
    ),
)  # fmt: skip
GROUPS = {
    GroupKind.SEGMENT: ("vip", "عادی", ""),
    GroupKind.SKILL: ("french", "tech", ""),
}


async def kept(url: str) -> tuple[Database, list[Event], float]:
    """A simulated day in a database, as a service leaves it."""
    day = Day(PLAN, seed=3).run()
    database = Database(url)
    await migrate(database)
    notes = [Note(1, number, event) for number, event in enumerate(day.events)]
    for at in range(0, len(notes), 1000):
        await write_notes(database, notes[at : at + 1000])
    until_ = max(event.at for event in day.events)
    await figures.work_out(database, start_of(MIDNIGHT), until_)
    return database, day.events, until_


async def test_a_day_by_skill_and_segment_equals_a_plain_count_of_its_events_and_plain_sql(database_url: str) -> None:
    database, events, until_ = await kept(database_url)
    async with database.read() as connection:
        rows = [dict(row) for row in (await connection.execute(select(schema.group_figures))).mappings()]
    for kind, names in GROUPS.items():
        assert {row["name"] for row in rows if row["kind"] == kind.value} == set(names)
        for name in names:
            mine = [row for row in rows if (row["kind"], row["name"]) == (kind.value, name)]
            assert len(mine) > 5
            plain = plain_figures.of_group(
                events,
                lambda visit, kind=kind, name=name: (
                    name  # type: ignore[misc]
                    in ((visit.segment or "",) if kind is GroupKind.SEGMENT else visit.skills or ("",))
                ),
            )
            assert plain_figures.differences(mine, "queue_id", plain) == []
    whole = Rows(Span(start_of(MIDNIGHT), start_of(until_) + 900), (start_of(MIDNIGHT),))
    for kind, names in GROUPS.items():
        found = await reading.of_groups(database, kind, {"sales": whole, "support": whole}, ())
        told = {name: one for name, _, one in reading.over_all_queues(found)}
        assert list(told) == list(names)
        for name, one in told.items():
            assert _figures(one) == await _counted(database, kind, name), (kind, name)
    segments = await reading.of_groups(database, GroupKind.SEGMENT, {"sales": whole, "support": whole}, ())
    queues = await reading.of_queues(database, {"sales": whole, "support": whole}, ())
    for queue, _, one in queues:  # each visit is of one segment: they add up to the queue
        assert sum(part.offered for (of, _), _, part in segments if of == queue) == one.offered > 0
    await database.close()


def _figures(one: QueueFigures) -> tuple[int, ...]:
    counts = one.counts
    return (
        one.offered, counts.answered, counts.abandoned, counts.answered_in_target, counts.abandoned_in_target,
        one.talks.handled, round(one.talks.talk_s),
    )  # fmt: skip


async def _counted(database: Database, kind: GroupKind, name: str) -> tuple[int, ...]:
    """The same by plain SQL; on this day nobody comes into a queue twice."""
    column = "segment" if kind is GroupKind.SEGMENT else "skills"
    belongs = f"',' || v.{column} || ',' LIKE '%,{name},%'" if name else f"v.{column} IS NULL"
    question = f"""SELECT count(*), sum(CASE WHEN v.outcome = 'answered' THEN 1 ELSE 0 END),
        sum(CASE WHEN v.outcome = 'abandoned' THEN 1 ELSE 0 END),
        sum(CASE WHEN v.outcome = 'answered' AND v.waited_s <= 20 THEN 1 ELSE 0 END),
        sum(CASE WHEN v.outcome = 'abandoned' AND v.waited_s <= 20 THEN 1 ELSE 0 END), count(t.call_id), sum(t.talk_s)
        FROM visits v LEFT JOIN talks t ON t.call_id = v.call_id AND t.queue_id = v.queue_id WHERE {belongs}"""
    async with database.read() as connection:
        row = (await connection.execute(text(question))).one()
    return (*(int(value) for value in row[:6]), round(row[6]))


async def test_working_out_a_part_again_changes_nothing(database_url: str) -> None:
    database, _, until_ = await kept(database_url)

    async def stored() -> list[Any]:
        async with database.read() as connection:
            order = select(schema.group_figures).order_by(*schema.group_figures.primary_key.columns)
            return [tuple(row) for row in await connection.execute(order)]

    before = await stored()
    await figures.work_out(database, start_of(MIDNIGHT) + 3600, until_)
    assert await stored() == before
    await figures.forget(database, MIDNIGHT + 3600)
    assert 0 < len(await stored()) < len(before)
    await database.close()


async def called(office: Office, number: str | None, answered: bool, queue: str = "8000") -> None:
    call = office.pbx.caller(queue, number)
    if answered:
        await until(lambda: office.pbx.ringing(call), "a ringing phone")
        office.pbx.pick_up(call)
        await office.settled()
        await office.pass_time(30)
    else:
        await office.pass_time(6)
    office.pbx.caller_hangs_up(call)
    await office.settled()


async def test_reports_by_skill_and_segment(office: Office) -> None:
    admin = await office.admin()
    asked = {"segment": "طلایی", "skills": {"french": 1}}
    assert (await admin.ask("PUT", "/v1/callers/09120001111", json=asked)).status_code in (200, 201)
    assert (await admin.ask("PATCH", "/v1/agents/101", json={"skills": {"french": 1}})).status_code == 200
    await admin.chooses("101", "available")
    await called(office, "09120001111", answered=True)
    await called(office, "4930123456", answered=True)
    await admin.chooses("101", "break")
    await called(office, "4930123456", answered=False)
    office.pbx.caller("8000", "09120001111")  # waits
    office.pbx.caller("8001", "4930123456")
    await office.pass_time(25)
    await office.written()
    await office.app.figures.catch_up()

    skills = (await admin.get("/v1/reports/skills"))["items"]
    assert [(row["skill"], row["offered"], row["answered"], row["abandoned"], row["waiting"]) for row in skills] == [
        ("french", 2, 1, 0, 1),
        (None, 3, 1, 1, 1),
    ]
    segments = (await admin.get("/v1/reports/segments", queue="sales"))["items"]
    assert [(row["segment"], row["offered"], row["handled"], round(row["talk_s"])) for row in segments] == [
        ("طلایی", 2, 1, 30),
        (None, 2, 1, 30),
    ]
    for row in (*skills, *segments):
        outcomes = ("answered", "abandoned", "overflowed", "deferred", "lost", "waiting")
        assert row["offered"] == sum(row[name] for name in outcomes)
    promises = (await admin.get("/v1/sla", by="segment"))["items"]
    assert [(row["queue"], row["segment"], row["met"]) for row in promises] == [
        ("sales", "طلایی", True),
        ("sales", None, True),
        ("support", None, None),
    ]
    assert promises[0]["service_level"]["primary"] == 1.0
    assert [row["skill"] for row in (await admin.get("/v1/sla", by="skill", queue="sales"))["items"]] == [
        "french",
        None,
    ]

    answer = await admin.ask("GET", "/v1/reports/segments", params={"format": "csv", "language": "fa"})
    lines = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert (lines[0][0], lines[1][0], lines[1][3]) == ("گروه مشتری", "طلایی", "2")
    sheet = await admin.ask("GET", "/v1/reports/skills", params={"format": "xlsx", "calendar": "jalali"})
    page = load_workbook(io.BytesIO(sheet.content)).active
    assert page is not None
    values = [[cell.value for cell in line] for line in page.iter_rows()]
    assert (values[0][0], values[1][0], values[1][3]) == ("Skill", "french", 2)
    assert str(values[1][1]).startswith("140")

    own = await office.person(Role.SUPERVISOR, queues=("support",))
    assert [(row["skill"], row["offered"]) for row in (await own.get("/v1/reports/skills"))["items"]] == [(None, 1)]
    assert (await own.ask("GET", "/v1/reports/segments", params={"queue": "sales"})).status_code == 404
