"""Sessions end when the right to them does: the tokens of live sessions are looked at again and again.

Rights that change with agents and queues are noticed by ``whisper`` itself; a token lives in the database alone.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from nobat.engine import Engine
from nobat.storage import supervisions
from nobat.storage.database import Database
from nobat.storage.errors import StorageUnavailable
from whisper.commands import LimitSupervisor
from whisper.supervision import Supervision

log = structlog.get_logger(__name__)

LOOK_S = 0.5
"""A right that goes is gone from the conversation within this and the time of one query."""


@dataclass(slots=True)
class RightsWatch:
    """``look`` once, ``run`` until cancelled. While the database is away, what was valid goes on being valid."""

    engine: Engine
    supervision: Supervision
    database: Database
    now: Callable[[], float]

    async def run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self.look()
            except StorageUnavailable:
                continue  # the recorder and /readyz speak of it

    async def look(self) -> None:
        """Compare the rights of every live session with what its token has now."""
        held = {one.supervisor.token: one.supervisor for one in self.supervision.sessions.values()}
        if not held:
            return
        rights = await supervisions.supervisors(self.database, held, self.now())
        for token, supervisor in held.items():
            valid = rights.get(token)
            if valid is None or valid.queues != supervisor.queues:
                log.info("a supervisor's rights have changed", token=token, valid=valid is not None)
                await self.engine.ask(LimitSupervisor(token, valid))
