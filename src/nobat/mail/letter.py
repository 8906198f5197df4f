"""A report as a mail: figures and a picture to look at, the whole table attached as XLSX. English or Persian.

The text is plain HTML with its styles inline, as mail programs want it, and there is a text without any; names of queues and agents
come from people and are escaped.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from html import escape
from zoneinfo import ZoneInfo

from acd.hours import Calendar
from nobat.figures import callback_tables, sheets, spans, tables
from nobat.figures.callbacks import CallbackFigures
from nobat.figures.report import AgentFigures, QueueFigures, total
from nobat.figures.spans import Interval, Span
from nobat.mail import bars, chart

_XLSX = ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet")
_PERSIAN = str.maketrans("0123456789.%", "۰۱۲۳۴۵۶۷۸۹٫٪")
_CELL = "padding:4px 10px;border-bottom:1px solid #e0e0e0"
PICTURE = "chart.png"

QUEUE_COLUMNS = ("queue", "offered", "answered", "abandoned", "lost", "primary", "asa_s", "longest_wait_s", "aht_s")
CALLBACK_COLUMNS = (
    "queue",
    "promised",
    "reached",
    "gave_up",
    "expired",
    "cancelled",
    "open",
    "attempts",
    "wait_s",
    "late",
)
AGENT_COLUMNS = ("agent", "name", "handled", "missed", "talk_s", "aht_s", "signed_in_s", "break_s", "occupancy")

_WORDS = {
    "en": {
        "day": "Daily report",
        "week": "Weekly report",
        "month": "Monthly report",
        "all": "All queues",
        "agents": "Agents",
        "callbacks": "Callbacks",
        "none": "Nobody was at work.",
        "attached": "The whole table is attached.",
        "picture": "Answered (green), abandoned (red) and other calls",
    },
    "fa": {
        "day": "گزارش روزانه",
        "week": "گزارش هفتگی",
        "month": "گزارش ماهانه",
        "all": "همهٔ صف‌ها",
        "agents": "کارشناسان",
        "callbacks": "تماس‌های مجدد",
        "none": "کسی مشغول کار نبوده است.",
        "attached": "جدول کامل پیوست است.",
        "picture": "تماس‌های پاسخ داده شده (سبز)، انصراف (قرمز) و دیگر تماس‌ها",
    },
}


@dataclass(frozen=True, slots=True)
class Content:
    """What a report says. ``queues`` are whole spans and ``parts`` their hours or days; ``agents`` by id with the name."""

    every: Interval
    span: Span
    zone: ZoneInfo
    calendar: Calendar
    language: str
    queues: Sequence[tuple[str, QueueFigures]]
    parts: Sequence[tuple[str, Span, QueueFigures]]
    agents: Sequence[tuple[str, str, AgentFigures]] | None
    callbacks: Sequence[tuple[str, CallbackFigures]] = ()
    """Of queues that promised any."""


def written(content: Content, name: str, sender: str, to: Sequence[str], now: float) -> EmailMessage:
    """The mail. The same report of the same span has the same Message-ID, by which a second one is known as such."""
    words = _WORDS[content.language]
    mail = EmailMessage()
    days = _days(content)
    mail["Subject"] = f"{words[content.every.value]} {name}: {days}"
    mail["From"] = sender
    mail["To"] = ", ".join(to)
    mail["Date"] = datetime.fromtimestamp(now, content.zone)
    mail["Message-ID"] = f"<{name}.{content.span.begin}.{content.span.end}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(_text(content))
    mail.add_alternative(_html(content), subtype="html")
    page = mail.get_payload()[1]  # type: ignore[index] # the alternative that was just added
    picture = chart.draw(bars.of(content.parts, content.zone, content.every))
    page.add_related(picture, "image", "png", cid=f"<{PICTURE}>", filename=PICTURE)  # type: ignore[union-attr]
    mail.add_attachment(_workbook(content), *_XLSX, filename=f"{name}-{days.replace(' ', '')}.xlsx")
    return mail


def _days(content: Content) -> str:
    first = spans.written(content.span.begin, content.zone, content.calendar)[:10]
    last = spans.written(content.span.end - 1, content.zone, content.calendar)[:10]
    return first if first == last else f"{first} – {last}"


# ------------------------------------------------------------ tables


def _queue_rows(content: Content) -> list[dict[str, sheets.Value]]:
    rows: list[dict[str, sheets.Value]] = [{"queue": name, **tables.queue_values(of)} for name, of in content.queues]
    if len(rows) > 1:
        whole = total(of for _, of in content.queues)
        rows.append({"queue": _WORDS[content.language]["all"], **tables.queue_values(whole)})
    return rows


def _agent_rows(content: Content) -> list[dict[str, sheets.Value]]:
    return [{"agent": one, "name": name, **tables.agent_values(of)} for one, name, of in content.agents or ()]


def _callback_rows(content: Content) -> list[dict[str, sheets.Value]]:
    return [{"queue": name, **callback_tables.callback_values(of)} for name, of in content.callbacks]


def _shown(kind: sheets.Kind, value: sheets.Value, language: str) -> str:
    """A figure for eyes."""
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    if kind is sheets.Kind.SHARE:
        text = f"{value:.1%}"
    elif kind is sheets.Kind.SECONDS:
        minutes, seconds = divmod(round(value), 60)
        text = f"{minutes // 60}:{minutes % 60:02}:{seconds:02}" if minutes >= 60 else f"{minutes}:{seconds:02}"
    else:
        text = str(value)
    return text.translate(_PERSIAN) if language == "fa" else text


def _columns(of: Sequence[sheets.Column], keys: Sequence[str]) -> list[sheets.Column]:
    named = {column.key: column for column in of}
    return [named[key] for key in keys]


def _table(columns: Sequence[sheets.Column], rows: Sequence[dict[str, sheets.Value]], language: str) -> str:
    heads = "".join(f'<th style="{_CELL};text-align:start">{escape(one.title(language))}</th>' for one in columns)
    lines = "".join(
        "<tr>"
        + "".join(
            f'<td style="{_CELL};text-align:{"start" if one.kind is sheets.Kind.TEXT else "end"}">'
            f"{escape(_shown(one.kind, row[one.key], language))}</td>"
            for one in columns
        )
        + "</tr>"
        for row in rows
    )
    return f'<table style="border-collapse:collapse;font-size:14px"><tr>{heads}</tr>{lines}</table>'


def _html(content: Content) -> str:
    words, language = _WORDS[content.language], content.language
    way = "rtl" if language == "fa" else "ltr"
    parts = [
        f"<h2>{escape(words[content.every.value])}, <bdi>{escape(_days(content))}</bdi></h2>",
        _table(_columns(tables.QUEUES, QUEUE_COLUMNS), _queue_rows(content), language),
        f'<p><img src="cid:{PICTURE}" width="{chart.WIDTH}" height="{chart.HEIGHT}" alt="{escape(words["picture"])}"></p>',
    ]
    if content.callbacks:
        parts.append(f"<h3>{escape(words['callbacks'])}</h3>")
        columns = _columns(callback_tables.CALLBACKS, CALLBACK_COLUMNS)
        parts.append(_table(columns, _callback_rows(content), language))
    if content.agents is not None:
        parts.append(f"<h3>{escape(words['agents'])}</h3>")
        rows = _agent_rows(content)
        table = _table(_columns(tables.AGENTS, AGENT_COLUMNS), rows, language)
        parts.append(table if rows else f"<p>{escape(words['none'])}</p>")
    parts.append(f"<p>{escape(words['attached'])}</p>")
    style = "font-family:Tahoma,Arial,sans-serif;color:#212121"
    return f'<html lang="{language}" dir="{way}"><body style="{style}">{"".join(parts)}</body></html>'


def _text(content: Content) -> str:
    words, language = _WORDS[content.language], content.language
    lines = [f"{words[content.every.value]}, {_days(content)}", ""]
    columns = _columns(tables.QUEUES, QUEUE_COLUMNS)
    for row in _queue_rows(content):
        lines.append(str(row["queue"]))
        lines += [f"  {one.title(language)}: {_shown(one.kind, row[one.key], language)}" for one in columns[1:]]
    return "\n".join([*lines, "", words["attached"], ""])


def _workbook(content: Content) -> bytes:
    def ends(span: Span) -> dict[str, sheets.Value]:
        return {
            "from": spans.written(span.begin, content.zone, content.calendar),
            "to": spans.written(span.end, content.zone, content.calendar),
        }

    persian = content.language == "fa"
    queues = [
        tables.in_order(tables.QUEUES, {"queue": name, **ends(span), **tables.queue_values(of)})
        for name, span, of in content.parts
    ]
    pages = [sheets.Sheet(tables.TITLES["queues"][persian], tables.QUEUES, queues)]
    if content.agents is not None:
        agents = [tables.in_order(tables.AGENTS, {**row, **ends(content.span)}) for row in _agent_rows(content)]
        pages.append(sheets.Sheet(tables.TITLES["agents"][persian], tables.AGENTS, agents))
    if content.callbacks:
        rows = [
            tables.in_order(callback_tables.CALLBACKS, {**row, **ends(content.span)}) for row in _callback_rows(content)
        ]
        pages.append(sheets.Sheet(tables.TITLES["callbacks"][persian], callback_tables.CALLBACKS, rows))
    return sheets.xlsx(pages, content.language)
