"""A report as a mail: what people called things is shown as they wrote it and never as HTML."""

import io
from collections import Counter
from zoneinfo import ZoneInfo

from openpyxl import load_workbook

from acd.hours import Calendar
from nobat.figures.callbacks import CallbackFigures
from nobat.figures.report import AgentFigures, QueueFigures
from nobat.figures.spans import Interval, Span
from nobat.mail.letter import Content, written

T = 1_795_000_500 // 900 * 900


def test_queues_that_promised_callbacks_have_a_table_and_a_sheet() -> None:
    promised = CallbackFigures(Counter({"reached": 2, "open": 1}), Counter({"busy": 1, "connected": 2}), 120.0, 90.0)
    span = Span(T, T + 86_400)
    content = Content(
        Interval.DAY, span, ZoneInfo("UTC"), Calendar.GREGORIAN, "en", [("sales", QueueFigures())],
        [("sales", span, QueueFigures())], None, [("sales", promised)],
    )  # fmt: skip
    letter = written(content, "daily", "nobat@example.org", ("boss@example.org",), T)
    html = letter.get_body(("html",))
    assert html is not None
    page = html.get_content()
    assert "<h3>Callbacks</h3>" in page
    assert ">1:00<" in page  # the mean wait of two
    (book,) = letter.iter_attachments()
    sheet = load_workbook(io.BytesIO(book.get_content()))["Callbacks"]
    titles, values = ([cell.value for cell in line] for line in sheet.iter_rows())
    found = dict(zip(titles, values, strict=True))
    assert (found["Promised"], found["Reached"], found["of these busy"], found["Open"]) == (3, 2, 1, 1)


def test_names_are_escaped_and_figures_are_those_of_the_language() -> None:
    figures = QueueFigures()
    figures.counts.answered, figures.counts.answered_in_target, figures.counts.abandoned = 3, 2, 1
    figures.talks.handled, figures.talks.talk_s = 3, 3725.0
    agent = AgentFigures()
    span = Span(T, T + 86_400)
    content = Content(
        Interval.DAY, span, ZoneInfo("Asia/Tehran"), Calendar.JALALI, "fa",
        [("<script>", figures), ("sales", QueueFigures())], [("<script>", span, figures)],
        [("101", "مریم & <i>علی", agent)],
    )  # fmt: skip
    html = written(content, "daily", "nobat@example.org", ("boss@example.org",), T).get_body(("html",))
    assert html is not None
    page = html.get_content()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "مریم &amp; &lt;i&gt;علی" in page
    assert "۵۰٫۰٪" in page  # primary: 2 of 4
    assert "۲۰:۴۲" in page  # average handle time of 1,241.67 s
    assert "همهٔ صف‌ها" in page
