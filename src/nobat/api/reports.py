"""``/v1/sla`` and ``/v1/reports/…``: history in figures, as JSON, CSV or XLSX."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from acd import picture
from acd.calls import CallState
from acd.ids import AgentId, QueueId
from acd.outcomes import Outcome
from acd.views import CallView, QueueView
from nobat.api.access import Access, SupervisorAccess
from nobat.api.call_models import CallOut
from nobat.api.paging import Cursor, Limit, Page, cut, decode
from nobat.api.report_forms import (
    FILES,
    MOST_LINES,
    Form,
    Wanted,
    ends,
    file,
    home_zone,
    not_too_many,
    queues_asked,
    worked_out_at,
)
from nobat.api.report_models import (
    AgentReportOut,
    AgentRowOut,
    GroupReportOut,
    GroupRowOut,
    QueueReportOut,
    QueueRowOut,
    SlaReportOut,
    SlaRowOut,
)
from nobat.api.responses import errors
from nobat.api.text import PathId
from nobat.call_list import CallFilter
from nobat.figures import reading, tables
from nobat.figures.report import QueueFigures, total
from nobat.figures.spans import Rows, Span
from nobat.storage import history
from nobat.storage.groups import GroupKind

router = APIRouter(prefix="/v1", tags=["reports"])

CALLS_AT_ONCE = 500

# ------------------------------------------------------------ queues


By = Annotated[
    Literal["queue", "skill", "segment"],
    Query(description="`skill`, `segment`: each queue by those, for visits of this version on."),
]


@router.get("/sla", operation_id="getSla", responses={**errors(404), **FILES}, response_model=SlaReportOut)
async def get_sla(
    access: SupervisorAccess,
    form: Wanted,
    queue: Annotated[list[PathId] | None, Query(description="Default: all.")] = None,
    by: By = "queue",
) -> SlaReportOut | Response:
    """The promise of each queue and what came of it: five definitions of the service level side by side."""
    views = queues_asked(access, queue)
    found: list[tuple[str, dict[str, str | None], Span, QueueFigures]]
    if by == "queue":
        found = [(name, {}, span, figures) for name, span, figures in await _queue_figures(access, form, views)]
    else:
        groups = await _group_figures(
            access, GroupKind(by), {one: _rows(access, form, view) for one, view in views.items()}
        )
        found = [(name, {by: group or None}, span, figures) for (name, group), span, figures in groups]
    if form.format == "json":
        items = [_promise_kept(views[name], group, span, figures) for name, group, span, figures in found]
        return SlaReportOut(worked_out_at=worked_out_at(access), items=items)
    columns = tables.SLA[by]
    rows = (
        tables.in_order(
            columns,
            {
                "queue": name,
                **group,
                **ends(form, span, views[name].spec.timezone),
                **tables.promise_values(figures, views[name].spec.service_level, form.language),
            },
        )
        for name, group, span, figures in found
    )
    return await file(form, "sla", columns, rows)


def _promise_kept(view: QueueView, group: dict[str, str | None], span: Span, figures: QueueFigures) -> SlaRowOut:
    row, promise = QueueRowOut.of(view.spec.id, span, figures), view.spec.service_level
    shared = {field: getattr(row, field) for field in SlaRowOut.model_fields if field in QueueRowOut.model_fields}
    met = tables.is_met(figures, promise)
    return SlaRowOut(**shared, **group, target_s=promise.target_s, ratio=promise.ratio, met=met)


def _rows(access: Access, form: Form, view: QueueView) -> Rows:
    return form.rows(view.spec.timezone, access.service.now())


@router.get(
    "/reports/queues", operation_id="reportQueues", responses={**errors(404), **FILES}, response_model=QueueReportOut
)
async def report_queues(
    access: SupervisorAccess,
    form: Wanted,
    queue: Annotated[list[PathId] | None, Query(description="Default: all.")] = None,
) -> QueueReportOut | Response:
    """Each queue by the time of entry: outcomes, service levels, waits, conversations.

    Who sees all queues also sees those that are no more, for what they did.
    """
    views = queues_asked(access, queue)
    gone = form.rows(home_zone(access), access.service.now()) if queue is None and access.queues is None else None
    found = await _queue_figures(access, form, views, gone)
    if form.format == "json":
        whole = total(figures for _, _, figures in found)
        span = Span(min(s.begin for _, s, _ in found), max(s.end for _, s, _ in found)) if found else None
        return QueueReportOut(
            worked_out_at=worked_out_at(access),
            items=[QueueRowOut.of(*one) for one in found],
            total=QueueRowOut.of("", span, whole) if span is not None else None,
        )
    home = home_zone(access)
    zones = {name: view.spec.timezone for name, view in views.items()}
    rows = (
        tables.in_order(
            tables.QUEUES, {"queue": name, **ends(form, span, zones.get(name, home)), **tables.queue_values(figures)}
        )
        for name, span, figures in found
    )
    return await file(form, "queues", tables.QUEUES, rows)


async def _queue_figures(
    access: Access, form: Form, views: dict[str, QueueView], gone: Rows | None = None
) -> reading.Found[str, QueueFigures]:
    now = access.service.now()
    wanted = {name: form.rows(view.spec.timezone, now) for name, view in views.items()}
    not_too_many(wanted.values())

    async def read(until: float | None) -> reading.Found[str, QueueFigures]:
        live = access.service.engine.read(lambda floor, _: reading.live(floor, until))
        return await reading.of_queues(access.service.database, wanted, live, gone)

    found = await access.service.figures.seen(read)
    not_too_many(found)
    return found


# ------------------------------------------------------------ skills, segments


@router.get(
    "/reports/skills", operation_id="reportSkills", responses={**errors(404), **FILES}, response_model=GroupReportOut
)
async def report_skills(
    access: SupervisorAccess,
    form: Wanted,
    queue: Annotated[list[PathId] | None, Query(description="Default: all.")] = None,
) -> GroupReportOut | Response:
    """Visits by what was asked of agents, over all queues. One that asked for two skills counts in both."""
    return await _group_report(access, form, GroupKind.SKILL, queue)


@router.get(
    "/reports/segments",
    operation_id="reportSegments",
    responses={**errors(404), **FILES},
    response_model=GroupReportOut,
)
async def report_segments(
    access: SupervisorAccess,
    form: Wanted,
    queue: Annotated[list[PathId] | None, Query(description="Default: all.")] = None,
) -> GroupReportOut | Response:
    """Visits by the segment of the caller, over all queues."""
    return await _group_report(access, form, GroupKind.SEGMENT, queue)


async def _group_report(
    access: Access, form: Form, kind: GroupKind, queue: list[PathId] | None
) -> GroupReportOut | Response:
    home = home_zone(access)
    cut_up = form.rows(home, access.service.now())
    found = reading.over_all_queues(
        await _group_figures(access, kind, dict.fromkeys(queues_asked(access, queue), cut_up))
    )
    if form.format == "json":
        items = [GroupRowOut.of(kind, name, span, figures) for name, span, figures in found]
        return GroupReportOut(worked_out_at=worked_out_at(access), items=items)
    columns = tables.GROUPS[kind.value]
    rows = (
        tables.in_order(columns, {kind.value: name, **ends(form, span, home), **tables.queue_values(figures)})
        for name, span, figures in found
    )
    return await file(form, f"{kind.value}s", columns, rows)


async def _group_figures(
    access: Access, kind: GroupKind, wanted: dict[str, Rows]
) -> reading.Found[tuple[str, str], QueueFigures]:
    not_too_many(wanted.values())

    async def read(until: float | None) -> reading.Found[tuple[str, str], QueueFigures]:
        live = access.service.engine.read(lambda floor, _: reading.live(floor, until))
        return await reading.of_groups(access.service.database, kind, wanted, live)

    found = await access.service.figures.seen(read)
    not_too_many(found)
    return found


# ------------------------------------------------------------ agents


@router.get(
    "/reports/agents", operation_id="reportAgents", responses={**errors(404), **FILES}, response_model=AgentReportOut
)
async def report_agents(
    access: SupervisorAccess,
    form: Wanted,
    agent: Annotated[list[PathId] | None, Query(description="Default: all.")] = None,
    queue: Annotated[list[PathId] | None, Query(description="Only agents who serve one of these queues.")] = None,
) -> AgentReportOut | Response:
    """Each agent: conversations, missed offers, the time in each state, occupancy.

    Who sees all queues also sees agents who have left, for what they did; of those only the id is known.
    """
    everybody = access.service.engine.read(picture.agents) if agent is None else [access.agent(one) for one in agent]
    serving = frozenset(QueueId(one) for one in queues_asked(access, queue)) if queue is not None else None
    names: dict[str, str] = {
        view.id: view.name
        for view in everybody
        if access.sees_agent(view) and (serving is None or not serving.isdisjoint(view.queues))
    }
    home = home_zone(access)
    cut_up = form.rows(home, access.service.now())
    wanted: dict[str, Rows] = dict.fromkeys(names, cut_up)
    not_too_many(wanted.values())
    gone = cut_up if agent is None and queue is None and access.queues is None else None
    found = await reading.of_agents(access.service.database, wanted, gone)
    not_too_many(found)
    if form.format == "json":
        items = [AgentRowOut.of(one, names.get(one, one), span, figures) for one, span, figures in found]
        return AgentReportOut(worked_out_at=worked_out_at(access), items=items)
    rows = (
        tables.in_order(
            tables.AGENTS,
            {"agent": one, "name": names.get(one, one), **ends(form, span, home), **tables.agent_values(figures)},
        )
        for one, span, figures in found
    )
    return await file(form, "agents", tables.AGENTS, rows)


# ------------------------------------------------------------ calls


@router.get(
    "/reports/calls", operation_id="reportCalls", responses={**errors(404), **FILES}, response_model=Page[CallOut]
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
    home = home_zone(access)
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

    def line(view: CallView) -> tables.Row:
        entered = view.entered_at
        values = tables.call_values(view, form.shown(entered, home), form.offset(entered, home))
        return tables.in_order(tables.CALLS, values)

    lines = [line(view) async for view in _all_calls(access, wanted)]
    return await file(form, "calls", tables.CALLS, lines)


async def _all_calls(access: Access, wanted: CallFilter) -> AsyncIterator[CallView]:
    for _ in range(MOST_LINES // CALLS_AT_ONCE):
        part = await history.calls(access.service.database, wanted, CALLS_AT_ONCE)
        for view in part:
            yield view
        if len(part) < CALLS_AT_ONCE:
            return
        wanted = replace(wanted, before=(part[-1].entered_at, part[-1].id))
