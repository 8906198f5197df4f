"""A report as a mail: what people called things is shown as they wrote it and never as HTML."""

from zoneinfo import ZoneInfo

from acd.hours import Calendar
from nobat.figures.report import AgentFigures, QueueFigures
from nobat.figures.spans import Interval, Span
from nobat.mail.letter import Content, written

T = 1_795_000_500 // 900 * 900


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
