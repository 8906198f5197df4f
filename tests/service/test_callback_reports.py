"""Reports of callbacks: every promise in its place, attempts by cause, waits, and the calls behind each."""

import csv
import io
from typing import Any

from openpyxl import load_workbook
from sqlalchemy import text

from acd.callback_commands import ScheduleCallback
from acd.callback_events import CallbackAttempted, CallbackAttemptEnded, CallbackEnd, CallbackEnded, CallbackPromised
from acd.callback_policy import AttemptResult, CallbackMode
from acd.ids import AttemptId, CallbackId, CallId, PbxId, QueueId
from nobat.auth import Role
from nobat.figures import reading
from nobat.figures.spans import Rows, Span
from nobat.storage.database import Database
from nobat.storage.migrate import migrate
from nobat.storage.recorder import write_notes
from nobat.storage.statements import Note
from tests.service.test_callbacks import NUMBER, dialled, promised
from tests.support.office import Office

DAY = 20_000 * 86_400
SALES, SUPPORT = QueueId("sales"), QueueId("support")


def a_day() -> list[Any]:
    """Eight hundred promises in two queues, with every end and every result, spread over a day."""
    events: list[Any] = []
    ends, results = list(CallbackEnd), list(AttemptResult)
    for n in range(800):
        queue = SALES if n % 3 else SUPPORT
        at = DAY + n * 100.0
        callback = CallbackId(f"pbx1-{n}.cb")
        window = (at, at + 600.0) if n % 5 else None
        events.append(
            CallbackPromised(
                at, callback, queue, PbxId("pbx1"), CallId(f"pbx1-{n}"), f"0912{n:07}", None, None, at - 30.0, n, 0, at + 9000.0,
                window=window,
            )
        )  # fmt: skip
        for attempt in range(n % 4):
            name = AttemptId(f"{callback}.{attempt + 1}")
            mode = CallbackMode.AGENT_FIRST
            events.append(CallbackAttempted(at + 60 * attempt, callback, queue, name, mode, None, "boot"))
            if (n + attempt) % 9:  # of the others nobody knows yet
                result = results[(n + attempt) % len(results)]
                events.append(CallbackAttemptEnded(at + 60 * attempt + 20, callback, queue, name, result, None))
        if n % 10:  # the others are open
            over = at + 10.0 * (n % 100)
            why = ends[n % len(ends)]
            events.append(CallbackEnded(over, callback, queue, why, n % 4, over - at + 30.0, CallId(f"pbx1-{n}.2")))
    return events


async def test_a_day_of_callbacks_equals_plain_sql(database_url: str) -> None:
    database = Database(database_url)
    await migrate(database)
    await write_notes(database, [Note(1, n, event) for n, event in enumerate(a_day())])
    cut = Rows(Span(DAY, DAY + 86_400), tuple(range(DAY, DAY + 86_400, 3_600)))
    found = await reading.callbacks_of_queues(database, {"sales": cut, "support": cut})
    assert len(found) == 48
    for queue in ("sales", "support"):
        mine = [one for name, _, one in found if name == queue]
        assert sum(one.ends[end.value] + one.ends["open"] for one in mine for end in CallbackEnd) > 0
        for one in mine:
            assert one.promised == sum(one.ends[name] for name in one.ends if name != "not_kept")
        for end in CallbackEnd:
            count = await _sql(database, f"SELECT count(*) FROM callbacks WHERE queue_id = '{queue}' AND why = '{end}'")
            assert sum(one.ends[end.value] for one in mine) == count > 0
        no_end = f"SELECT count(*) FROM callbacks WHERE queue_id = '{queue}' AND ended_at IS NULL"
        assert sum(one.ends["open"] for one in mine) == await _sql(database, no_end) > 0
        for result in (*AttemptResult, None):
            is_it = f"a.result = '{result}'" if result is not None else "a.result IS NULL"
            question = (
                "SELECT count(*) FROM callback_attempts a JOIN callbacks c ON c.id = a.callback_id"
                f" WHERE c.queue_id = '{queue}' AND {is_it}"
            )
            name = result.value if result is not None else "open"
            assert sum(one.attempts[name] for one in mine) == await _sql(database, question) > 0
        reached = f"FROM callbacks WHERE queue_id = '{queue}' AND why = 'reached'"
        assert round(sum(one.reached_wait_s for one in mine)) == round(
            await _sql(database, f"SELECT sum(waited_s) {reached}")
        )
        assert max(one.longest_wait_s for one in mine) == await _sql(database, f"SELECT max(waited_s) {reached}")
        late = f"SELECT count(*) {reached} AND ended_at > window_to"
        assert sum(one.late for one in mine) == await _sql(database, late) > 0
        assert all(one.late_s is None or 0 < one.late_s <= 400 for one in mine)
    await database.close()


async def _sql(database: Database, question: str) -> Any:
    async with database.read() as connection:
        return (await connection.execute(text(question))).scalar_one()


async def one_reached_one_cancelled_one_open(office: Office, admin: Any) -> tuple[str, str]:
    """The callback of the one who was reached, and the call in which he was."""
    reached = await promised(office, admin)
    await admin.chooses("101", "available")
    await dialled(office)
    office.pbx.not_reached(office.pbx.dialled()[0].attempt, AttemptResult.BUSY)
    await office.settled()
    await office.pass_time(31)
    await dialled(office, 2)
    call = office.pbx.presses_one(office.pbx.dialled()[1])
    await office.settled()
    office.pbx.pick_up(call)
    await office.settled()
    cancelled = await promised(office, admin, "09121110001")
    assert (await admin.ask("DELETE", f"/v1/callbacks/{cancelled}")).status_code == 204
    await promised(office, admin, "09121110002")
    return reached, call


async def test_the_report_and_each_with_its_calls(office: Office) -> None:
    admin = await office.admin()
    reached, call = await one_reached_one_cancelled_one_open(office, admin)
    await office.written()
    report = await admin.get("/v1/reports/callbacks", queue="sales")
    (row,) = report["items"]
    assert (row["requested"], row["promised"], row["reached"], row["cancelled"], row["open"]) == (3, 3, 1, 1, 1)
    assert (row["attempts"], row["attempts_by_result"]["busy"], row["attempts_by_result"]["connected"]) == (2, 1, 1)
    assert row["wait_s"] >= 31
    assert {name: value for name, value in row.items() if name in report["total"]} == report["total"]

    each = await admin.get("/v1/reports/callbacks/each", limit=2)
    rest = await admin.get("/v1/reports/callbacks/each", limit=2, cursor=each["next"])
    lines = [*each["items"], *rest["items"]]
    assert [one["ended"] for one in lines] == [None, "cancelled", "reached"]
    assert rest["next"] is None
    last = lines[-1]
    assert (last["id"], last["reached_in"], [one["result"] for one in last["attempts"]]) == (
        reached,
        call,
        ["busy", "connected"],
    )
    first, second = [await admin.get(f"/v1/calls/{last[name]}") for name in ("call", "reached_in")]
    assert (first["outcome"], second["outcome"], second["callback"]) == ("deferred", "answered", reached)

    answer = await admin.ask("GET", "/v1/reports/callbacks", params={"format": "csv", "language": "fa"})
    table = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [(line["صف"], line["قول داده شده"], line["از این تلاش‌ها: مشغول"]) for line in table] == [
        ("sales", "3", "1"),
        ("support", "0", "0"),
    ]
    sheet = await admin.ask(
        "GET", "/v1/reports/callbacks/each", params={"format": "xlsx", "language": "fa", "calendar": "jalali"}
    )
    page = load_workbook(io.BytesIO(sheet.content)).active
    assert page is not None
    assert page.sheet_view.rightToLeft
    values = [[cell.value for cell in line] for line in page.iter_rows()]
    found = dict(zip(values[0], values[-1], strict=True))
    assert (found["نتیجهٔ تلاش‌ها"], found["شماره"], found["تماس انجام‌شده"]) == ("busy, connected", NUMBER, call)
    assert str(found["زمان قول"]).startswith("140")


async def test_a_supervisor_sees_the_callbacks_of_the_own_queues(counter: Office) -> None:
    admin = await counter.admin()
    await promised(counter, admin)
    await counter.written()
    other = await counter.person(Role.SUPERVISOR, queues=("support",))
    assert [row["queue"] for row in (await other.get("/v1/reports/callbacks"))["items"]] == ["support"]
    assert (await other.get("/v1/reports/callbacks"))["total"]["requested"] == 0
    assert (await other.get("/v1/reports/callbacks/each"))["items"] == []
    for path in ("/v1/reports/callbacks", "/v1/reports/callbacks/each"):
        assert (await other.ask("GET", path, params={"queue": "sales"})).status_code == 404
        bad = await admin.ask("GET", path, params={"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"})
        assert (bad.status_code, bad.json()["slug"]) == (422, "invalid_span")


async def test_who_rings_again_and_whose_time_is_over(office: Office) -> None:
    admin = await office.admin()
    await promised(office, admin)
    office.pbx.caller("8000", number=NUMBER)
    await office.settled()
    soon = office.clock.now() + 60
    command = ScheduleCallback(CallbackId("pbx1-later.cb"), PbxId("pbx1"), SALES, "09121110009", 0.0, soon)
    await office.app.engine.ask(command)
    await office.pass_time(120)
    await office.written()
    (row,) = (await admin.get("/v1/reports/callbacks", queue="sales"))["items"]
    assert (row["promised"], row["rang_again"], row["expired"], row["open"]) == (2, 1, 1, 0)
