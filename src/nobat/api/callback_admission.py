"""What stands before a request for a callback: whether this token may ask so often, whether the number may be called, and when.

The role is the route's, the audit row has been written when this is asked, so refusals leave one too.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from acd.errors import Invalid
from acd.ids import QueueId
from callback.schedule import Instants, instants, may_be_promised
from nobat.api.access import Access
from nobat.api.callback_models import CallbackIn, CallbackPatch
from nobat.callback_desk import zones_of
from nobat.storage.database import seconds


async def admitted(
    access: Access, queue: QueueId, number: str, calls_at: Iterable[float], changed: str | None = None
) -> str:
    """The number as it is dialled. Raises ``callback_refused``. ``changed``: the open callback whose number this is to become."""
    desk = access.service.callbacks
    return desk.dialled(await desk.admit(access.principal.token, queue, number, calls_at, changed))


def chosen(body: CallbackIn, now: float) -> tuple[float, float]:
    """The window as two moments. Raises ``invalid_window``: an unknown zone, or out of bounds."""
    if body.window is not None:
        zone = next(iter(zones_of([body.zone])), None)
        if zone is None:
            raise Invalid("invalid_window", "this machine does not know the time zone", field="zone")
        found = instants(body.window.window(), zone)
    else:
        due_from = body.due_from.timestamp() if body.due_from is not None else now
        found = Instants(due_from, body.due_until.timestamp() if body.due_until is not None else now)
    if not may_be_promised(found, now):
        raise Invalid("invalid_window", "the window is over, too long, or too far away", field="window")
    return found.due_from, found.due_until


def moved(body: CallbackPatch, row: Mapping[str, Any], now: float) -> list[float]:
    """About when an open callback is to be called once it is changed. Raises ``invalid_window``, as for a new one."""
    due_from = body.due_from.timestamp() if body.due_from is not None else None
    if due_from is None and row["due_from"] is not None:
        due_from = seconds(row["due_from"])
    begin = max(now, due_from or now)
    end = body.due_until.timestamp() if body.due_until is not None else seconds(row["expires_at"])
    named = body.due_from is not None or body.due_until is not None
    if named and (end <= begin or not may_be_promised(Instants(begin, end), now)):
        raise Invalid("invalid_window", "the window is over, too long, or too far away", field="window")
    return [begin, end - 1] if due_from is not None else [begin]
