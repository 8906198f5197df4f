"""``/v1/queues/{queue}/closing``: a supervisor closes a queue now, and opens it again."""

from fastapi import APIRouter

from acd.commands import CloseQueue, OpenQueue
from nobat.api.access import SupervisorAccess
from nobat.api.limit_models import ClosingIn
from nobat.api.queue_models import QueueOut
from nobat.api.responses import errors
from nobat.api.text import PathId
from nobat.catalogue import check_destination
from nobat.limit_json import destination_of

router = APIRouter(prefix="/v1/queues/{queue}/closing", tags=["queues"])


@router.put("", operation_id="closeQueue", responses=errors(404))
async def close_queue(access: SupervisorAccess, queue: PathId, body: ClosingIn) -> QueueOut:
    """Take no more callers, now and until it is opened again, through restarts. Closing it anew changes how it is closed."""
    view = access.queue(queue)
    to = destination_of(body.to.model_dump()) if body.to is not None else None
    if to is not None:
        access.service.engine.read(lambda floor, _: check_destination(floor, view.spec.id, to))
    await access.audit("closeQueue", queue)
    by = access.principal.name
    await access.service.engine.ask(CloseQueue(view.spec.id, by, body.reason, to, body.leave))
    return QueueOut.of(access.queue(queue))


@router.delete("", operation_id="openQueue", responses=errors(404, 409))
async def open_queue(access: SupervisorAccess, queue: PathId) -> QueueOut:
    """Let the queue's hours hold again. 409 `queue_not_closed`."""
    view = access.queue(queue)
    await access.audit("openQueue", queue)
    await access.service.engine.ask(OpenQueue(view.spec.id, access.principal.name))
    return QueueOut.of(access.queue(queue))
