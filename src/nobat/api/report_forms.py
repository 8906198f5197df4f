"""How a report is asked for and handed over: what all reports have in common."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import Depends, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime

from acd import picture
from acd.errors import Invalid
from acd.hours import Calendar
from acd.views import QueueView
from nobat.api.access import Access
from nobat.api.times import perhaps
from nobat.figures import sheets, spans, tables
from nobat.figures.sheets import Column
from nobat.figures.spans import Interval, Rows, Span
from nobat.figures.stays import start_of
from nobat.storage.startup import midnight

MOST_ROWS = 20_000
MOST_LINES = 100_000
LONGEST_S = 400 * 86_400
Format = Literal["json", "csv", "xlsx"]
_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True)
class Form:
    """How a report is cut and written; what most reports ask for alike."""

    begin: Annotated[AwareDatetime | None, Query(alias="from", description="Default: the last midnight.")] = None
    end: Annotated[AwareDatetime | None, Query(alias="to", description="Default: now.")] = None
    interval: Annotated[Interval, Query(description="How long one row is.")] = Interval.TOTAL
    zone: Annotated[
        str | None, Query(max_length=64, description="Whose days and hours; default: those of each queue.")
    ] = None
    calendar: Annotated[Calendar, Query(description="Whose weeks and months.")] = Calendar.GREGORIAN
    format: Annotated[Format, Query()] = "json"
    language: Annotated[Literal["en", "fa"], Query(description="Of the headings in CSV and XLSX.")] = "en"

    def rows(self, timezone: str, now: float) -> Rows:
        """The rows by the clock of ``zone``, or else of ``timezone``. Raises ``invalid_span`` and ``unknown_timezone``."""
        zone = _zone(self.zone if self.zone is not None else timezone)
        begin = self.begin.timestamp() if self.begin is not None else midnight(zone.key, now)
        end = self.end.timestamp() if self.end is not None else now
        if not 0 <= begin < end <= begin + LONGEST_S:
            raise Invalid("invalid_span", f"from is before to, and {LONGEST_S // 86_400} days at most", field="from")
        return spans.rows(_quarters(begin, end), self.interval, zone, self.calendar)

    def shown(self, at: float, timezone: str) -> str:
        """A moment for people."""
        return spans.written(int(at), _zone(self.zone if self.zone is not None else timezone), self.calendar)

    def offset(self, at: float, timezone: str) -> str:
        """How far that clock is ahead of UTC then."""
        return spans.offset(int(at), _zone(self.zone if self.zone is not None else timezone))


Wanted = Annotated[Form, Depends()]
FILES: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            "text/csv": {"schema": {"type": "string"}},
            _SHEET: {"schema": {"type": "string", "format": "binary"}},
        }
    }
}


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid("unknown_timezone", f"no time zone is called {name}", field="zone") from None


def _quarters(begin: float, end: float) -> Span:
    return Span(start_of(begin), spans.ceiling(end))


def queues_asked(access: Access, asked: Sequence[str] | None) -> dict[str, QueueView]:
    """Raises ``unknown_queue`` for one that does not exist or may not be seen."""
    if asked is not None:
        return {queue: access.queue(queue) for queue in asked}
    views = access.service.engine.read(picture.queues)
    return {view.spec.id: view for view in views if access.sees_queue(view.spec.id)}


def home_zone(access: Access) -> str:
    """Agents have no zone of their own: that of the first queue that one may see."""
    views = access.service.engine.read(picture.queues)
    return next((view.spec.timezone for view in views if access.sees_queue(view.spec.id)), "UTC")


def worked_out_at(access: Access) -> Any:
    return perhaps(access.service.figures.worked_out_at)


def ends(form: Form, span: Span, timezone: str) -> dict[str, sheets.Value]:
    return {
        "from": form.shown(span.begin, timezone),
        "to": form.shown(span.end, timezone),
        "utc_offset": form.offset(span.begin, timezone),
    }


def not_too_many(wanted: Iterable[Rows] | Sequence[object]) -> None:
    """Raises ``too_many_rows``. Rows that are cut, or rows that were found."""
    if sum(len(one) if isinstance(one, Rows) else 1 for one in wanted) > MOST_ROWS:
        raise Invalid("too_many_rows", f"more than {MOST_ROWS:,} rows: ask for a longer interval", field="interval")


async def file(form: Form, name: str, columns: Sequence[Column], rows: Iterable[tables.Row]) -> Response:
    kept = list(rows)
    headers = {"content-disposition": f'attachment; filename="{name}.{form.format}"', "cache-control": "no-store"}
    if form.format == "xlsx":
        title = tables.TITLES[name][form.language == "fa"]
        whole = await asyncio.to_thread(sheets.xlsx, (sheets.Sheet(title, columns, kept),), form.language)
        return Response(whole, media_type=_SHEET, headers=headers)
    lines: Iterator[str] = sheets.csv_lines(columns, kept, form.language)
    return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)
