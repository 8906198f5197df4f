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
PICTURE, LEVELS_PICTURE = "chart.png", "levels.png"

QUEUE_COLUMNS = (
    "queue",
    *("offered", "answered", "abandoned", "short_abandoned", "overflowed", "deferred", "lost", "waiting"),
    *("asa_s", "longest_wait_s", "aht_s"),
)
"""The whole equation: offered = answered + abandoned + overflowed + deferred + lost + waiting."""
LEVEL_COLUMNS = ("queue", *(column.key for column in tables.LEVELS))
"""All five definitions, side by side and by name."""
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
        "levels": "Service level",
        "agents": "Agents",
        "callbacks": "Callbacks",
        "none": "Nobody was at work.",
        "attached": "The whole table is attached.",
        "picture": "Answered (green), abandoned (red) and other calls",
        "levels_picture": "Service level in per cent",
    },
    "fa": {
        "day": "گزارش روزانه",
        "week": "گزارش هفتگی",
        "month": "گزارش ماهانه",
        "all": "همهٔ صف‌ها",
        "levels": "سطح خدمت",
        "agents": "کارشناسان",
        "callbacks": "تماس‌های مجدد",
        "none": "کسی مشغول کار نبوده است.",
        "attached": "جدول کامل پیوست است.",
        "picture": "تماس‌های پاسخ داده شده (سبز)، انصراف (قرمز) و دیگر تماس‌ها",
        "levels_picture": "سطح خدمت به درصد",
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
    shown = bars.of(content.parts, content.zone, content.every, content.calendar)
    for name_of, picture in ((PICTURE, chart.draw(shown)), (LEVELS_PICTURE, chart.draw_levels(shown))):
        page.add_related(picture, "image", "png", cid=f"<{name_of}>", filename=name_of)  # type: ignore[union-attr]
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


@dataclass(frozen=True, slots=True)
class _Part:
    """One table of the mail, below its heading."""

    heading: str | None
    columns: Sequence[sheets.Column]
    rows: Sequence[dict[str, sheets.Value]]
    picture: tuple[str, str] | None = None
    """Below it: its name and what it shows."""


def _parts(content: Content) -> list[_Part]:
    """What the mail says, in HTML and in plain text alike."""
    words, queues = _WORDS[content.language], _queue_rows(content)
    found = [
        _Part(None, _columns(tables.QUEUES, QUEUE_COLUMNS), queues, (PICTURE, words["picture"])),
        _Part(
            words["levels"],
            _columns(tables.QUEUES, LEVEL_COLUMNS),
            queues,
            (LEVELS_PICTURE, words["levels_picture"]),
        ),
    ]
    if content.callbacks:
        columns = _columns(callback_tables.CALLBACKS, CALLBACK_COLUMNS)
        found.append(_Part(words["callbacks"], columns, _callback_rows(content)))
    if content.agents is not None:
        found.append(_Part(words["agents"], _columns(tables.AGENTS, AGENT_COLUMNS), _agent_rows(content)))
    return found


def _html(content: Content) -> str:
    words, language = _WORDS[content.language], content.language
    way = "rtl" if language == "fa" else "ltr"
    lines = [f"<h2>{escape(words[content.every.value])}, <bdi>{escape(_days(content))}</bdi></h2>"]
    for part in _parts(content):
        if part.heading is not None:
            lines.append(f"<h3>{escape(part.heading)}</h3>")
        lines.append(_table(part.columns, part.rows, language) if part.rows else f"<p>{escape(words['none'])}</p>")
        if part.picture is not None:
            name, told = part.picture
            size = f'width="{chart.WIDTH}" height="{chart.HEIGHT}"'
            lines.append(f'<p><img src="cid:{name}" {size} alt="{escape(told)}"></p>')
    lines.append(f"<p>{escape(words['attached'])}</p>")
    style = "font-family:Tahoma,Arial,sans-serif;color:#212121"
    return f'<html lang="{language}" dir="{way}"><body style="{style}">{"".join(lines)}</body></html>'


def _text(content: Content) -> str:
    words, language = _WORDS[content.language], content.language
    lines = [f"{words[content.every.value]}, {_days(content)}"]
    for part in _parts(content):
        lines += ["", *([part.heading, ""] if part.heading is not None else [])]
        first, *others = part.columns
        for row in part.rows:
            lines.append(str(row[first.key]))
            lines += [f"  {one.title(language)}: {_shown(one.kind, row[one.key], language)}" for one in others]
        if not part.rows:
            lines.append(words["none"])
    return "\n".join([*lines, "", words["attached"], ""])


def _workbook(content: Content) -> bytes:
    def ends(span: Span) -> dict[str, sheets.Value]:
        return {
            "from": spans.written(span.begin, content.zone, content.calendar),
            "to": spans.written(span.end, content.zone, content.calendar),
            "utc_offset": spans.offset(span.begin, content.zone),
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
