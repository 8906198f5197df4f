"""Reports by mail, through a real mail server."""

import asyncio
import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from openpyxl import load_workbook
from PIL import Image

from nobat.figures import tables
from nobat.mail.chart import ANSWERED
from nobat.mail.keeper import FIRST_RETRY_S
from nobat.mail.settings import MailReportSettings, MailSettings
from nobat.storage import mails
from tests.service.test_callback_reports import one_reached_one_cancelled_one_open
from tests.support.office import Office, agent, queue, until
from tests.support.postbox import Postbox, postbox

TEHRAN = ZoneInfo("Asia/Tehran")


@pytest.fixture
def counter_url(tmp_path: Path) -> str:
    """For what no database decides."""
    return f"sqlite:///{tmp_path / 'nobat.db'}"


def settings(box: Postbox, **more: Any) -> tuple[MailSettings, tuple[MailReportSettings, ...]]:
    report = {"name": "daily", "to": ("boss@example.org", "deputy@example.org"), **more}
    server = MailSettings(host="127.0.0.1", port=box.port, security="none", sender="nobat@example.org")
    return server, (MailReportSettings(**report),)


async def a_day_passes(office: Office) -> None:
    """One caller is answered and one gives up; then it is eight o'clock on the next day, and the figures are worked out."""
    admin = await office.admin()
    await admin.chooses("101", "available")
    call = office.pbx.caller("8000", "111")
    await until(lambda: office.pbx.ringing(call), "a ringing phone")
    office.pbx.pick_up(call)
    await office.settled()
    other = office.pbx.caller("8000", "222")
    await office.pass_time(30)
    office.pbx.caller_hangs_up(other)
    office.pbx.caller_hangs_up(call)
    await the_next_morning(office)


async def the_next_morning(office: Office, zone: tzinfo = TEHRAN, hour: int = 8) -> None:
    await office.settled()
    await office.written()
    now = datetime.fromtimestamp(office.clock.now(), zone)
    morning = (now + timedelta(days=1)).replace(hour=hour, minute=0, second=30)
    await office.pass_time(morning.timestamp() - now.timestamp())
    await office.written()
    await office.app.figures.catch_up()


async def prepared(office: Office) -> None:
    await office.prepare([queue("sales", "8000")], [agent("101", "sales")])
    office.pbx.phone("PJSIP/agent-101")


async def test_a_report_is_sent_once_and_says_what_happened(database_url: str) -> None:
    async with postbox() as box:
        office = Office(database_url, mail=settings(box, language="fa", calendar="jalali"))
        await prepared(office)
        async with office.open():
            await a_day_passes(office)
            await office.app.mails.look()
            await office.app.mails.look()
            assert len(box.mails) == 1
            await office.die()
            await office.start()
            await office.app.figures.catch_up()
            await office.app.mails.look()
            assert len(box.mails) == 1
            (sent,) = (await (await office.admin()).get("/v1/mails"))["items"]
            assert (sent["state"], sent["attempts"], sent["error"]) == ("sent", 1, None)
            again = (await (await office.admin()).ask("POST", "/v1/mails/daily")).json()
            assert (again["state"], again["attempts"]) == ("sent", 2)
    mail, second = box.mails
    assert box.recipients[0] == ["boss@example.org", "deputy@example.org"]
    assert mail["Message-ID"] == second["Message-ID"]
    assert str(mail["Subject"]).startswith("گزارش روزانه daily: 140")
    html = mail.get_body(("html",))
    text = mail.get_body(("plain",))
    assert html is not None
    assert text is not None
    page = html.get_content()
    assert 'dir="rtl"' in page
    assert "ورودی: ۲" in text.get_content()
    assert "پاسخ داده شده: ۱" in text.get_content()
    picture = next(part for part in mail.walk() if part.get_content_type() == "image/png")
    assert picture["Content-ID"] == "<chart.png>"
    assert "cid:chart.png" in page
    image = Image.open(io.BytesIO(picture.get_content()))
    assert ANSWERED in {colour for _, colour in image.getcolors(1 << 20)}
    (book,) = mail.iter_attachments()
    sheets = load_workbook(io.BytesIO(book.get_content()))
    assert sheets.sheetnames == ["صف‌ها", "کارشناسان"]
    rows = [[cell.value for cell in line] for line in sheets["صف‌ها"].iter_rows()]
    assert (len(rows), sum(row[3] for row in rows[1:]), sum(row[4] for row in rows[1:])) == (25, 2, 1)


async def test_a_server_that_refuses_is_asked_again_later(database_url: str) -> None:
    async with postbox() as box:
        office = Office(database_url, mail=settings(box))
        await prepared(office)
        async with office.open():
            await a_day_passes(office)
            box.answer = "451 try again later"
            await office.app.mails.look()
            admin = await office.admin()
            (mail,) = (await admin.get("/v1/mails"))["items"]
            assert (mail["state"], mail["attempts"]) == ("failing", 1)
            assert "451" in mail["error"]
            box.answer = None
            await office.app.mails.look()
            assert box.mails == []  # not yet
            await office.pass_time(FIRST_RETRY_S)
            await office.app.mails.look()
            (mail,) = (await admin.get("/v1/mails"))["items"]
            assert (mail["state"], mail["attempts"], len(box.mails)) == ("sent", 2, 1)
            assert (await admin.ask("POST", "/v1/mails/weekly")).json()["slug"] == "unknown_report"


async def test_callbacks_are_in_the_mail_that_arrives(database_url: str) -> None:
    async with postbox() as box:
        office = Office(database_url, mail=settings(box))
        await prepared(office)
        async with office.open():
            await one_reached_one_cancelled_one_open(office, await office.admin())
            await the_next_morning(office)
            await office.app.mails.look()
    (mail,) = box.mails
    html, text = mail.get_body(("html",)), mail.get_body(("plain",))
    assert html is not None
    assert text is not None
    assert "<h3>Callbacks</h3>" in html.get_content()
    lines = text.get_content().splitlines()
    for line in ("  Promised: 3", "  Reached: 1", "  Cancelled: 1", "  Expired: 1", "  Open: 0", "  Attempts: 2"):
        assert line in lines
    (book,) = mail.iter_attachments()
    sheet = load_workbook(io.BytesIO(book.get_content()))["Callbacks"]
    titles, values = ([cell.value for cell in line] for line in sheet.iter_rows())
    found = dict(zip(titles, values, strict=True))
    assert (found["Promised"], found["Reached"], found["of these busy"], found["Expired"]) == (3, 1, 1, 1)


async def test_every_level_and_the_whole_equation_are_in_a_mail(database_url: str) -> None:
    """A caller who stays on the line past midnight is waiting in the report of the day on which he came."""
    async with postbox() as box:
        office = Office(database_url, mail=settings(box, timezone="UTC", at="00:00"))
        await prepared(office)
        async with office.open():
            office.pbx.caller("8000", "111")
            left = office.pbx.caller("8000", "222")
            await office.pass_time(30)
            office.pbx.caller_hangs_up(left)
            await the_next_morning(office, UTC, 0)
            await office.app.mails.look()
    (mail,) = box.mails
    html, text = mail.get_body(("html",)), mail.get_body(("plain",))
    assert html is not None
    assert text is not None
    page, lines = html.get_content(), text.get_content().splitlines()
    for column in tables.LEVELS:
        assert f">{column.en}</th>" in page
    equation = ("Offered: 2", "Answered: 0", "Abandoned: 1", "Overflowed: 0", "Deferred: 0", "Lost: 0", "Waiting: 1")
    assert [line.strip() for line in lines if line.strip() in equation] == list(equation)
    assert {"  Service level: 0.0%", "  SL, answered only: –", "  SL, strict: 0.0%"} <= set(lines)
    assert [part.get_filename() for part in mail.walk() if part.get_content_type() == "image/png"] == [
        "chart.png",
        "levels.png",
    ]


async def test_who_was_refused_is_told_and_the_others_get_it_once(counter_url: str) -> None:
    async with postbox() as box:
        box.unknown = {"deputy@example.org"}
        office = Office(counter_url, mail=settings(box))
        await prepared(office)
        async with office.open():
            await a_day_passes(office)
            await asyncio.gather(office.app.mails.look(), office.app.mails.look())
            (mail,) = (await (await office.admin()).get("/v1/mails"))["items"]
    assert box.recipients == [["boss@example.org"]]
    assert (mail["state"], mail["recipients"]) == ("sent", ["boss@example.org"])
    assert mail["error"] == "refused for deputy@example.org"


async def test_a_report_that_is_being_sent_by_hand_is_not_sent_again_beside_it(counter_url: str) -> None:
    async with postbox() as box:
        office = Office(counter_url, mail=settings(box))
        await prepared(office)
        async with office.open():
            await a_day_passes(office)
            await asyncio.gather(office.app.mails.send_now("daily"), office.app.mails.look())
    assert len(box.mails) == 1


async def test_who_was_killed_while_sending_sends_again_with_the_same_name(counter_url: str) -> None:
    async with postbox() as box:
        office = Office(counter_url, mail=settings(box))
        await prepared(office)
        async with office.open():
            await a_day_passes(office)
            sent = await office.app.mails.send_now("daily")
            await mails.put(
                office.app.database, replace(sent, state="sending")
            )  # the server's yes was not written down
            await office.die()
            await office.start()
            await office.app.figures.catch_up()
            await office.app.mails.look()
            (now,) = (await (await office.admin()).get("/v1/mails"))["items"]
    assert (now["state"], now["attempts"]) == ("sent", 2)
    assert len({mail["Message-ID"] for mail in box.mails}) == 1
