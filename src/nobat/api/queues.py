"""``/v1/queues``: queues, their lines and their figures."""

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from acd import picture
from acd.ids import CallId, QueueId
from acd.queues import Place
from acd.views import LineEntry, QueueStats, QueueView
from nobat.api.access import Access, AdminAccess, AgentAccess
from nobat.api.paging import Cursor, Key, Limit, Page, cut, decode
from nobat.api.queue_models import LineEntryOut, QueueIn, QueueOut, QueuePatch, QueueStatsOut
from nobat.api.recording_models import SurveyOut
from nobat.api.responses import errors
from nobat.api.risk_models import BreachRiskOut
from nobat.api.text import PathId
from nobat.api.times import rounded
from nobat.auth import Role
from nobat.storage import surveys
from nobat.storage.errors import StorageUnavailable
from nobat.storage.startup import midnight

router = APIRouter(prefix="/v1/queues", tags=["queues"])

Window = Literal["today", "15m", "1h"]
LINE_AT_ONCE = 50
_SPANS: dict[str, float] = {"15m": 900.0, "1h": 3600.0}


@router.get("", operation_id="listQueues", responses=errors())
async def list_queues(access: AgentAccess, limit: Limit = 200, cursor: Cursor = None) -> Page[QueueOut]:
    """All queues that the token may see, by id."""
    after = decode(cursor, (str,))
    views = access.service.engine.read(picture.queues)
    rows = (
        ((view.spec.id,), QueueOut.of(view))
        for view in views
        if access.sees_queue(view.spec.id) and (after is None or (view.spec.id,) > after)
    )
    items, following = cut(rows, limit)
    return Page(items=items, next=following)


@router.post("", status_code=201, operation_id="createQueue", responses=errors(409))
async def create_queue(access: AdminAccess, body: QueueIn, response: Response) -> QueueOut:
    """Make a queue. Callers reach it at once under its number."""
    await access.audit("createQueue", body.id)
    await access.service.catalogue.put_queue(body.spec(), new=True)
    response.headers["location"] = f"/v1/queues/{body.id}"
    return QueueOut.of(access.queue(body.id))


@router.get("/{queue}", operation_id="getQueue", responses=errors(404))
async def get_queue(access: AgentAccess, queue: PathId) -> QueueOut:
    """One queue and how it stands."""
    return QueueOut.of(access.queue(queue))


@router.patch("/{queue}", operation_id="changeQueue", responses=errors(404, 409))
async def change_queue(access: AdminAccess, queue: PathId, body: QueuePatch) -> QueueOut:
    """Change what is named; callers in line keep their places."""
    spec = body.onto(access.queue(queue).spec)
    await access.audit("changeQueue", queue)
    await access.service.catalogue.put_queue(spec, new=False)
    return QueueOut.of(access.queue(queue))


@router.delete("/{queue}", status_code=204, operation_id="deleteQueue", responses=errors(404, 409))
async def delete_queue(access: AdminAccess, queue: PathId) -> None:
    """Take a queue away. 409 while callers are in it."""
    access.queue(queue)
    await access.audit("deleteQueue", queue)
    await access.service.catalogue.remove_queue(QueueId(queue))


@router.get("/{queue}/line", operation_id="getLine", responses=errors(404))
async def get_line(access: AgentAccess, queue: PathId, limit: Limit = 200, cursor: Cursor = None) -> Page[LineEntryOut]:
    """Who waits, head first."""
    after = _place(decode(cursor, (float, float, int, str)))
    access.queue(queue)
    entries: list[LineEntry] = []
    while len(entries) <= limit:  # in parts: what each may expect takes some computing, and calls go on meanwhile
        most = min(LINE_AT_ONCE, limit + 1 - len(entries))
        part = access.service.engine.read(
            lambda floor, now, after=after, most=most: picture.line(floor, QueueId(queue), now, after, most)  # type: ignore[misc]
        )
        entries += part
        if len(part) < most:
            break
        after = part[-1].place
        await asyncio.sleep(0)
    items, following = cut(((entry.place, LineEntryOut.of(entry)) for entry in entries), limit)
    return Page(items=items, next=following)


def _place(key: Key | None) -> Place | None:
    """The place that a cursor of the line names."""
    return (float(key[0]), float(key[1]), int(key[2]), CallId(str(key[3]))) if key is not None else None


@router.get("/{queue}/stats", operation_id="getQueueStats", responses=errors(404))
async def get_stats(
    access: AgentAccess,
    queue: PathId,
    window: Annotated[Window, Query(description="Which callers count, by their time of entry.")] = "today",
) -> QueueStatsOut:
    """What the queue has done, and whether the interval that goes on will miss its service level.

    The live service level counts a caller who waits past the target as missed already.
    """
    stats = _stats(access, access.queue(queue), window)
    risk = await access.service.risks.of(stats.queue)
    told = BreachRiskOut.of(risk, whole=access.principal.role is not Role.AGENT) if risk is not None else None
    return QueueStatsOut.of(stats, window, await _survey(access, stats), told)


async def _survey(access: Access, stats: QueueStats) -> SurveyOut | None:
    try:
        asked = await surveys.figures(access.service.database, stats.queue, stats.since)
    except StorageUnavailable:
        return None
    return SurveyOut(asked=asked.asked, answered=asked.answered, mean=rounded(asked.mean) if asked.mean else None)


def _stats(access: Access, view: QueueView, window: Window) -> QueueStats:
    now = access.service.now()
    since = now - _SPANS[window] if window in _SPANS else midnight(view.spec.timezone, now)
    return access.service.engine.read(lambda floor, at: picture.stats(floor, view.spec.id, since, at))
