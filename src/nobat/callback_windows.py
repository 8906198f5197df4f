"""Windows that were chosen on somebody's clocks, by the rules that the clocks have now.

Countries change when their clocks are set, and machines learn it with new zone data. Whoever was promised a call at ten is called
at ten: each start of the service works out again when the windows are that have not begun. ``nobat.app`` calls this after the
callbacks have been taken up.
"""

import contextlib
from collections.abc import Sequence

import structlog

from acd.callback_commands import ChangeCallback, RestoreCallback
from acd.errors import AcdError
from callback.schedule import instants, read
from nobat.callback_desk import zones_of
from nobat.engine import Engine

log = structlog.get_logger(__name__)


def moved(callbacks: Sequence[RestoreCallback], now: float) -> list[ChangeCallback]:
    """Those whose windows are at other moments than were written down, and have not begun by either."""
    changes = []
    for one in callbacks:
        zone = next(iter(zones_of([one.zone])), None)
        if not one.chosen or zone is None or one.due_from is None or one.rung_into is not None:
            continue
        window = instants(read(one.chosen), zone)
        if window.due_from != one.due_from and min(window.due_from, one.due_from) > now:
            changes.append(ChangeCallback(one.id, due_from=window.due_from, due_until=window.due_until))
    return changes


async def follow_the_clocks(engine: Engine, callbacks: Sequence[RestoreCallback], now: float) -> None:
    """Change them."""
    for change in moved(callbacks, now):
        with contextlib.suppress(AcdError):
            await engine.ask(change)
            log.info("a window was moved with its zone's clocks", callback=change.callback)
