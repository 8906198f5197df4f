"""``/v1/sla`` and ``/v1/reports/…``: history in figures, as JSON, CSV or XLSX."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime

from acd import picture
from acd.calls import CallState
from acd.errors import Invalid
from acd.hours import Calendar
from acd.ids import AgentId, QueueId
from acd.outcomes import Outcome
from acd.views import CallView, QueueView
from nobat.api.access import Access, SupervisorAccess
from nobat.api.call_models import CallOut
from nobat.api.paging import Cursor, Limit, Page, cut, decode
from nobat.api.report_models import AgentReportOut, AgentRowOut, QueueReportOut, QueueRowOut, SlaReportOut, SlaRowOut
from nobat.api.responses import errors
from nobat.api.text import PathId
from nobat.api.times import perhaps
from nobat.call_list import CallFilter
from nobat.figures import reading, sheets, spans, tables
from nobat.figures.report import QueueFigures, total
from nobat.figures.sheets import Column
from nobat.figures.spans import Interval, Rows, Span
from nobat.figures.stays import start_of
from nobat.storage import history
from nobat.storage.startup import midnight

router = APIRouter(prefix="/v1", tags=["reports"])

MOST_ROWS = 20_000
MOST_CALLS = 100_000
CALLS_AT_ONCE = 500
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


Wanted = Annotated[Form, Depends()]
_FILES: dict[int | str, dict[str, Any]] = {
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


# ------------------------------------------------------------ queues


@router.get("/sla", operation_id="getSla", responses=errors(404))
async def get_sla(
    access: SupervisorAccess,
    form: Wanted,
    queue: Annotated[list[PathId] | None, Query(description="Default: all.")] = None,
) -> SlaReportOut:
    """The promise of each queue and what came of it: five definitions of the service level side by side. JSON only."""
    views = _queues(access, queue)
    items = []
    for name, span, figures in await _queue_figures(access, form, views):
        row, promise = QueueRowOut.of(name, span, figures), views[name].spec.service_level
        primary = figures.levels.primary
        shared = {field: getattr(row, field) for field in SlaRowOut.model_fields if field in QueueRowOut.model_fields}
        met = primary >= promise.ratio if primary is not None else None
        items.append(SlaRowOut(**shared, target_s=promise.target_s, ratio=promise.ratio, met=met))
    return SlaReportOut(worked_out_at=_worked_out_at(access), items=items)


@router.get(
    "/reports/queues", operation_id="reportQueues", responses={**errors(404), **_FILES}, response_model=QueueReportOut
)
async def report_queues(
    access: SupervisorAccess,
    form: Wanted,
    queue: Annotated[list[PathId] | None, Query(description="Default: all.")] = None,
) -> QueueReportOut | Response:
    """Each queue by the time of entry: outcomes, service levels, waits, conversations."""
    views = _queues(access, queue)
    found = await _queue_figures(access, form, views)
    if form.format == "json":
        whole = total(figures for _, _, figures in found)
        span = Span(min(s.begin for _, s, _ in found), max(s.end for _, s, _ in found)) if found else None
        return QueueReportOut(
            worked_out_at=_worked_out_at(access),
            items=[QueueRowOut.of(*one) for one in found],
            total=QueueRowOut.of("", span, whole) if span is not None else None,
        )
    rows = (
        tables.in_order(
            tables.QUEUES,
            {"queue": name, **_ends(form, span, views[name].spec.timezone), **tables.queue_values(figures)},
        )
        for name, span, figures in found
    )
    return await _file(form, "queues", tables.QUEUES, rows)


async def _queue_figures(access: Access, form: Form, views: dict[str, QueueView]) -> reading.Found[QueueFigures]:
    now = access.service.now()
    wanted = {name: form.rows(view.spec.timezone, now) for name, view in views.items()}
    _not_too_many(wanted.values())
    waiting = access.service.engine.read(
        lambda floor, _: [
            (call.queue, call.visit.entered_at) for call in floor.calls.values() if call.visit.outcome is None
        ]
    )
    return await reading.of_queues(access.service.database, wanted, waiting)


def _queues(access: Access, asked: Sequence[str] | None) -> dict[str, QueueView]:
    """Raises ``unknown_queue`` for one that does not exist or may not be seen."""
    if asked is not None:
        return {queue: access.queue(queue) for queue in asked}
    views = access.service.engine.read(picture.queues)
    return {view.spec.id: view for view in views if access.sees_queue(view.spec.id)}


# ------------------------------------------------------------ agents


@router.get(
    "/reports/agents", operation_id="reportAgents", responses={**errors(404), **_FILES}, response_model=AgentReportOut
)
async def report_agents(
    access: SupervisorAccess,
    form: Wanted,
    agent: Annotated[list[PathId] | None, Query(description="Default: all.")] = None,
) -> AgentReportOut | Response:
    """Each agent: conversations, missed offers, the time in each state, occupancy."""
    everybody = access.service.engine.read(picture.agents) if agent is None else [access.agent(one) for one in agent]
    names = {view.id: view.name for view in everybody if access.sees_agent(view)}
    home = _home_zone(access)
    cut_up = form.rows(home, access.service.now())
    wanted: dict[str, Rows] = dict.fromkeys(names, cut_up)
    _not_too_many(wanted.values())
    found = await reading.of_agents(access.service.database, wanted)
    if form.format == "json":
        items = [AgentRowOut.of(one, names[AgentId(one)], span, figures) for one, span, figures in found]
        return AgentReportOut(worked_out_at=_worked_out_at(access), items=items)
    rows = (
        tables.in_order(
            tables.AGENTS,
            {"agent": one, "name": names[AgentId(one)], **_ends(form, span, home), **tables.agent_values(figures)},
        )
        for one, span, figures in found
    )
    return await _file(form, "agents", tables.AGENTS, rows)


def _home_zone(access: Access) -> str:
    """Agents have no zone of their own: that of the first queue that one may see."""
    views = access.service.engine.read(picture.queues)
    return next((view.spec.timezone for view in views if access.sees_queue(view.spec.id)), "UTC")


# ------------------------------------------------------------ calls


@router.get(
    "/reports/calls", operation_id="reportCalls", responses={**errors(404), **_FILES}, response_model=Page[CallOut]
)
async def report_calls(
    access: SupervisorAccess,
    form: Wanted,
    queue: Annotated[PathId | None, Query()] = None,
    agent: Annotated[PathId | None, Query()] = None,
    outcome: Outcome | None = None,
    limit: Limit = 200,
    cursor: Cursor = None,
) -> Page[CallOut] | Response:
    """Ended calls, newest entry first. JSON comes in pages; CSV and XLSX are whole, 100,000 calls at most."""
    if queue is not None:
        access.queue(queue)
    visible = access.queues
    home = _home_zone(access)
    span = form.rows(home, access.service.now()).span
    before = decode(cursor, (float, str))
    wanted = CallFilter(
        states=frozenset({CallState.ENDED}),
        queues=frozenset({QueueId(queue)}) if queue is not None else visible,
        agent=AgentId(agent) if agent is not None else None,
        entered_from=form.begin.timestamp() if form.begin is not None else span.begin,
        entered_to=form.end.timestamp() if form.end is not None else span.end,
        outcome=outcome,
        before=(float(before[0]), str(before[1])) if before is not None else None,
    )
    if form.format == "json":
        views = await history.calls(access.service.database, wanted, limit + 1)
        items, following = cut((((view.entered_at, view.id), CallOut.of(view)) for view in views), limit)
        return Page(items=items, next=following)
    lines = [
        tables.in_order(tables.CALLS, tables.call_values(view, form.shown(view.entered_at, home)))
        async for view in _all_calls(access, wanted)
    ]
    return await _file(form, "calls", tables.CALLS, lines)


async def _all_calls(access: Access, wanted: CallFilter) -> AsyncIterator[CallView]:
    for _ in range(MOST_CALLS // CALLS_AT_ONCE):
        part = await history.calls(access.service.database, wanted, CALLS_AT_ONCE)
        for view in part:
            yield view
        if len(part) < CALLS_AT_ONCE:
            return
        wanted = replace(wanted, before=(part[-1].entered_at, part[-1].id))


# ------------------------------------------------------------ all of them


def _worked_out_at(access: Access) -> Any:
    return perhaps(access.service.figures.worked_out_at)


def _ends(form: Form, span: Span, timezone: str) -> dict[str, sheets.Value]:
    return {"from": form.shown(span.begin, timezone), "to": form.shown(span.end, timezone)}


def _not_too_many(wanted: Iterable[Rows]) -> None:
    if sum(map(len, wanted)) > MOST_ROWS:
        raise Invalid("too_many_rows", f"more than {MOST_ROWS:,} rows: ask for a longer interval", field="interval")


async def _file(form: Form, name: str, columns: Sequence[Column], rows: Iterable[tables.Row]) -> Response:
    kept = list(rows)
    headers = {"content-disposition": f'attachment; filename="{name}.{form.format}"', "cache-control": "no-store"}
    if form.format == "xlsx":
        title = tables.TITLES[name][form.language == "fa"]
        whole = await asyncio.to_thread(sheets.xlsx, (sheets.Sheet(title, columns, kept),), form.language)
        return Response(whole, media_type=_SHEET, headers=headers)
    lines: Iterator[str] = sheets.csv_lines(columns, kept, form.language)
    return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)
