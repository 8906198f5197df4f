"""``/v1/reports/callbacks``: what was promised, what came of it, and each promise with the calls behind it."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from acd.callback_policy import AttemptResult
from nobat.api.access import Access, SupervisorAccess
from nobat.api.callback_models import CallbackOut
from nobat.api.callbacks import as_shown
from nobat.api.paging import Cursor, Limit, Page, cut, decode
from nobat.api.report_forms import FILES, MOST_LINES, Form, Wanted, ends, file, home_zone, not_too_many, queues_asked
from nobat.api.responses import errors
from nobat.api.text import PathId
from nobat.api.times import Moment, moment, rounded
from nobat.figures import callback_tables, tables
from nobat.figures.callbacks import ENDS, OPEN, CallbackFigures
from nobat.figures.reading import Found, callbacks_of_queues
from nobat.figures.spans import Span
from nobat.storage import callback_figures, callbacks
from nobat.storage.database import seconds

router = APIRouter(prefix="/v1/reports/callbacks", tags=["reports"])

AT_ONCE = 500
Queues = Annotated[list[PathId] | None, Query(description="Default: all.")]


class CallbackFiguresOut(BaseModel):
    """promised = reached + hung_up + gave_up + cancelled + expired + rang_again + refused + open, always."""

    requested: int = Field(description="Promised, and those that could not be written down.")
    promised: int
    reached: int = Field(description="Customer and agent have talked.")
    hung_up: int = Field(description="The customer was on and left before an agent was.")
    gave_up: int = Field(description="As many attempts as allowed.")
    cancelled: int
    expired: int
    rang_again: int = Field(description="The customer has the place back as a live caller.")
    refused: int = Field(description="The number or the hour was not to be called any more.")
    open: int
    attempts: int
    attempts_by_result: dict[AttemptResult, int]
    attempts_open: int
    wait_s: float | None = Field(description="From the original entry to the conversation: mean of those reached.")
    longest_wait_s: float
    with_window: int = Field(description="Of those reached, with a time until which they were promised to be called.")
    late: int = Field(description="Of these, after that time.")
    late_s: float | None = Field(description="By how much, on average.")

    @staticmethod
    def fields_of(figures: CallbackFigures) -> dict[str, Any]:
        return {
            "requested": figures.requested,
            "promised": figures.promised,
            **{name: figures.ends[name] for name in (*ENDS, OPEN)},
            "attempts": figures.tried,
            "attempts_by_result": {result: figures.attempts[result.value] for result in AttemptResult},
            "attempts_open": figures.attempts[callback_figures.GOES_ON],
            "wait_s": rounded(figures.wait_s) if figures.wait_s is not None else None,
            "longest_wait_s": rounded(figures.longest_wait_s),
            "with_window": figures.with_window,
            "late": figures.late,
            "late_s": rounded(figures.late_s) if figures.late_s is not None else None,
        }


class CallbackRowOut(CallbackFiguresOut):
    """A queue's callbacks that were promised in one row's span."""

    queue: str
    from_: Moment = Field(serialization_alias="from")
    to: Moment


class CallbackReportOut(BaseModel):
    """Rows by queue and time."""

    items: list[CallbackRowOut]
    total: CallbackFiguresOut


@router.get("", operation_id="reportCallbacks", responses={**errors(404), **FILES}, response_model=CallbackReportOut)
async def report_callbacks(
    access: SupervisorAccess, form: Wanted, queue: Queues = None
) -> CallbackReportOut | Response:
    """Each queue's callbacks by the time of the promise: what came of them, attempts by cause, waits, lateness."""
    found = await _figures(access, form, queue)
    if form.format == "json":
        whole = CallbackFigures()
        for _, _, figures in found:
            whole.add(figures)
        items = [
            CallbackRowOut(
                queue=name, from_=moment(span.begin), to=moment(span.end), **CallbackFiguresOut.fields_of(figures)
            )
            for name, span, figures in found
        ]
        return CallbackReportOut(items=items, total=CallbackFiguresOut(**CallbackFiguresOut.fields_of(whole)))
    zones = {name: view.spec.timezone for name, view in queues_asked(access, queue).items()}
    rows = (
        tables.in_order(
            callback_tables.CALLBACKS,
            {"queue": name, **ends(form, span, zones[name]), **callback_tables.callback_values(figures)},
        )
        for name, span, figures in found
    )
    return await file(form, "callbacks", callback_tables.CALLBACKS, rows)


async def _figures(access: Access, form: Form, queue: list[PathId] | None) -> Found[str, CallbackFigures]:
    now = access.service.now()
    wanted = {name: form.rows(view.spec.timezone, now) for name, view in queues_asked(access, queue).items()}
    not_too_many(wanted.values())
    return await callbacks_of_queues(access.service.database, wanted)


@router.get(
    "/each", operation_id="reportEachCallback", responses={**errors(404), **FILES}, response_model=Page[CallbackOut]
)
async def report_each_callback(
    access: SupervisorAccess, form: Wanted, queue: Queues = None, limit: Limit = 200, cursor: Cursor = None
) -> Page[CallbackOut] | Response:
    """Every callback promised in the span, the latest first, with the calls behind it. Files are whole, 100,000 at most."""
    queues = sorted(queues_asked(access, queue))
    span = form.rows(home_zone(access), access.service.now()).span
    if form.format == "json":
        key = decode(cursor, (float, str))
        before = (float(key[0]), str(key[1])) if key is not None else None
        rows = await _rows(access, queues, span, before, limit + 1)
        items, following = cut(
            (
                ((seconds(row["promised_at"]), row["id"]), one)
                for row, one in zip(rows, await as_shown(access, rows), strict=True)
            ),
            limit,
        )
        return Page(items=items, next=following)
    lines = [line async for line in _lines(access, form, queues, span)]
    return await file(form, "callbacks_each", callback_tables.EACH, lines)


async def _rows(
    access: Access, queues: list[str], span: Span, before: tuple[float, str] | None, limit: int
) -> list[dict[str, Any]]:
    return await callback_figures.each(access.service.database, queues, (span.begin, span.end), before, limit)


async def _lines(access: Access, form: Form, queues: list[str], span: Span) -> AsyncIterator[tables.Row]:
    home = home_zone(access)
    before: tuple[float, str] | None = None
    for _ in range(MOST_LINES // AT_ONCE):
        rows = await _rows(access, queues, span, before, AT_ONCE)
        attempts = await callbacks.attempts_of(access.service.database, [row["id"] for row in rows])
        for row in rows:
            yield _line(row, attempts.get(row["id"], []), form, home)
        if len(rows) < AT_ONCE:
            return
        before = (seconds(rows[-1]["promised_at"]), rows[-1]["id"])


def _line(row: dict[str, Any], attempts: list[dict[str, Any]], form: Form, home: str) -> tables.Row:
    def at(name: str) -> str | None:
        return form.shown(seconds(row[name]), home) if row[name] is not None else None

    values = {
        "id": row["id"],
        "queue": row["queue_id"],
        "number": row["number"],
        "name": row["name"],
        "entered_at": at("since"),
        "promised_at": at("promised_at"),
        "window_from": at("window_from"),
        "window_to": at("window_to"),
        "ended_at": at("ended_at"),
        "ended": row["why"],
        "waited_s": row["waited_s"],
        "tries": len(attempts),
        "results": ", ".join(one["result"] or callback_figures.GOES_ON for one in attempts),
        "call": row["call_id"],
        "reached_in": row["in_call"],
        "utc_offset": form.offset(seconds(row["promised_at"]), home),
    }
    return tables.in_order(callback_tables.EACH, values)
