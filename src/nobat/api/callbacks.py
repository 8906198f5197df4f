"""``/v1/callbacks``: promises to call back, made, seen, changed and cancelled."""

from itertools import count
from typing import Annotated, Any

from fastapi import APIRouter, Query

from acd.callback_commands import CancelCallback, ChangeCallback, PromiseCallback, ScheduleCallback, callback_of
from acd.errors import illegal_transition, unknown
from acd.ids import AgentId, CallbackId, PbxId, QueueId
from callback import views
from callback.schedule import written
from nobat.api.access import Access, SupervisorAccess
from nobat.api.callback_admission import admitted, chosen, moved
from nobat.api.callback_models import CallbackIn, CallbackOut, CallbackPatch, States
from nobat.api.paging import Cursor, Limit, Page, cut, decode
from nobat.api.responses import errors
from nobat.api.text import PathId
from nobat.storage import callbacks
from nobat.storage.database import seconds

router = APIRouter(prefix="/v1/callbacks", tags=["callbacks"])

_serials = count(1)


async def _row(access: Access, callback: str) -> dict[str, Any]:
    """Raises ``unknown_callback``."""
    row = await callbacks.get(access.service.database, callback)
    if row is None or not access.sees_queue(QueueId(row["queue_id"])):
        raise unknown("callback", callback)
    return row


async def as_shown(access: Access, rows: list[dict[str, Any]]) -> list[CallbackOut]:
    attempts = await callbacks.attempts_of(access.service.database, [row["id"] for row in rows])
    read = access.service.engine.read
    return [
        CallbackOut.of(
            row,
            attempts.get(row["id"], []),
            read(lambda floor, now, row=row: views.live(floor, CallbackId(row["id"]), now)),  # type: ignore[misc]
        )
        for row in rows
    ]


@router.get("", operation_id="listCallbacks", responses=errors())
async def list_callbacks(
    access: SupervisorAccess,
    state: Annotated[list[States] | None, Query(description="`open`, or why it is over. Several times.")] = None,
    queue: Annotated[PathId | None, Query()] = None,
    number: Annotated[PathId | None, Query(description="Exactly as it was given.")] = None,
    limit: Limit = 200,
    cursor: Cursor = None,
) -> Page[CallbackOut]:
    """Callbacks, the latest promise first."""
    key = decode(cursor, (float, str))
    queues = access.queues
    if queue is not None:
        queues = frozenset({QueueId(queue)}) if access.sees_queue(QueueId(queue)) else frozenset()
    rows = await callbacks.listed(
        access.service.database,
        queues,
        states=frozenset(state) if state is not None else None,
        number=number,
        before=(float(key[0]), str(key[1])) if key is not None else None,
        limit=limit + 1,
    )
    shown = await as_shown(access, rows)
    keyed = (((seconds(row["promised_at"]), str(row["id"])), one) for row, one in zip(rows, shown, strict=True))
    items, following = cut(keyed, limit)
    return Page(items=items, next=following)


@router.post("", status_code=201, operation_id="createCallback", responses=errors(404, 409))
async def create_callback(access: SupervisorAccess, body: CallbackIn) -> CallbackOut:
    """Promise a waiting caller a callback, or schedule one. On disk when this answers; a caller who cannot be promised waits on."""
    if body.call is not None:
        view = await access.call(body.call)
        callback = callback_of(view.id, access.service.now())
        await access.audit("createCallback", callback)
        found = await admitted(access, view.queue, body.number, [access.service.now()])
        said = ("callback-booked", "goodbye")
        await access.service.engine.ask(PromiseCallback(view.id, found, said, id=callback))
    else:
        callback = await _schedule(access, body)
    (shown,) = await as_shown(access, [await _row(access, callback)])
    shown.code = access.service.callbacks.code(callback)
    return shown


async def _schedule(access: Access, body: CallbackIn) -> CallbackId:
    queue = access.queue(body.queue or "").spec.id
    if body.agent is not None:
        access.agent(body.agent)
    now = access.service.now()
    pbx: PbxId = access.service.home_pbx
    callback = CallbackId(f"{pbx}-{int(now * 1000)}.{next(_serials)}.cs")
    await access.audit("createCallback", callback)
    due_from, due_until = chosen(body, now)
    found = await admitted(access, queue, body.number, [due_from, due_until - 1])
    await access.service.engine.ask(
        ScheduleCallback(
            callback,
            pbx,
            queue,
            found,
            due_from,
            due_until,
            body.zone,
            AgentId(body.agent) if body.agent is not None else None,
            body.name,
            body.language,
            body.priority,
            written(body.window.window()) if body.window is not None else "",
        )
    )
    return callback


@router.get("/{callback}", operation_id="getCallback", responses=errors(404))
async def get_callback(access: SupervisorAccess, callback: PathId) -> CallbackOut:
    """One callback, open or over, with its attempts."""
    (shown,) = await as_shown(access, [await _row(access, callback)])
    return shown


@router.patch("/{callback}", operation_id="changeCallback", responses=errors(404, 409))
async def change_callback(access: SupervisorAccess, callback: PathId, body: CallbackPatch) -> CallbackOut:
    """Number, window or priority, judged like a new one; 409 while the customer is being dialled, or later."""
    row = await _open(access, callback, "changed")
    await access.audit("changeCallback", row["id"])
    calls_at = moved(body, row, access.service.now())
    number = body.number
    if number is not None:
        number = await admitted(access, QueueId(row["queue_id"]), number, calls_at, callback)
    elif body.due_from is not None or body.due_until is not None:
        access.service.callbacks.refuse_quiet(QueueId(row["queue_id"]), row["number"], calls_at)
    await access.service.engine.ask(
        ChangeCallback(
            CallbackId(callback),
            number,
            body.due_from.timestamp() if body.due_from is not None else None,
            body.due_until.timestamp() if body.due_until is not None else None,
            body.priority,
            "" if body.due_from is not None or body.due_until is not None else None,
        )
    )
    return await get_callback(access, callback)


@router.delete("/{callback}", status_code=204, operation_id="cancelCallback", responses=errors(404, 409))
async def cancel_callback(access: SupervisorAccess, callback: PathId) -> None:
    """Take the promise back. A phone that rings stops; 409 once the customer is on, or it is over."""
    row = await _open(access, callback, "cancelled")
    await access.audit("cancelCallback", row["id"])
    await access.service.engine.ask(CancelCallback(CallbackId(callback), access.principal.name))


async def _open(access: Access, callback: str, wanted: str) -> dict[str, Any]:
    row = await _row(access, callback)
    if row["ended_at"] is not None:
        raise illegal_transition(f"callback {callback}", row["why"], wanted)
    return row
