"""Waits until the PBX has said that a recording is as it was asked to be: whoever reads out a card number waits for that."""

import asyncio

from acd.floor import Floor
from acd.ids import CallId
from nobat.engine import Engine

CONFIRM_S = 2.0
LOOK_S = 0.01


class NotConfirmed(Exception):
    """It is promised, and not confirmed in time."""


async def confirmed(engine: Engine, call: CallId) -> None:
    """Come back when it is so, or the conversation is over. Raises ``NotConfirmed``."""

    def told(floor: Floor, _now: float) -> bool:
        known = floor.calls.get(call)
        return known is None or known.recording is None or known.recording.told is True

    try:
        async with asyncio.timeout(CONFIRM_S):
            while not engine.read(told):  # noqa: ASYNC110 - a floor has no events to wait for
                await asyncio.sleep(LOOK_S)
    except TimeoutError:
        raise NotConfirmed(call) from None
