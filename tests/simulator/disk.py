"""The database of a played process: real SQLite through the real driver, without its thread.

aiosqlite hands every call to a thread through a queue; here the queue carries the call out at once, or after the seconds that the
disk is said to take, in played time. So transactions interleave as they would, a database can be away, and one that belonged to a
dead process does nothing any more: what was not committed is gone.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable
from random import Random
from typing import Any

import aiosqlite
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

RETRY_S = 0.005
PATIENCE_S = 5.0
NEED_NO_DISK = frozenset({"rollback", "close", "close_and_stop"})


class Disk:
    """What the databases of one process have in common."""

    def __init__(self, dice: Random) -> None:
        self.dice = dice
        self.away = False
        self.dead = self.buried = False
        self.slow_s = 0.0
        self._connections: list[sqlite3.Connection] = []
        self._made: list[aiosqlite.Connection] = []

    def attach(self, engine: AsyncEngine) -> None:
        """Let every connection of this engine be one of ours."""
        event.listen(engine.sync_engine, "do_connect", self._parameters)
        event.listen(engine.sync_engine, "connect", _never_busy)

    def _parameters(self, _dialect: Any, _record: Any, _args: Any, parameters: dict[str, Any]) -> None:
        parameters["async_creator_fn"] = self._connect

    def _connect(self, *args: Any, **options: Any) -> aiosqlite.Connection:
        options.pop("check_same_thread", None)

        def opened() -> sqlite3.Connection:
            connection = sqlite3.connect(*args, check_same_thread=False, **options)
            self._connections.append(connection)
            return connection

        made = aiosqlite.Connection(opened, 64)
        made._thread = _NoThread()  # type: ignore[assignment]
        self._made.append(made)
        made._tx = _AtOnce(self)  # type: ignore[assignment]
        return made

    def release(self) -> None:
        """After everything: nothing is left to be closed."""
        for made in self._made:
            made._connection = None
        self._made.clear()

    def die(self) -> None:
        """The process is gone: whatever was not committed never was."""
        self.dead = True
        for connection in self._connections:
            with contextlib.suppress(sqlite3.ProgrammingError):  # it was closed before
                connection.rollback()  # or statements that were never finished would hold its lock
                connection.close()  # closing it once more does nothing
        self._connections.clear()


def _never_busy(connection: Any, _record: object) -> None:
    """SQLite must not wait for a lock in real time: ``_AtOnce`` waits for it in played time."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA busy_timeout=0")
    cursor.close()


class _NoThread:
    daemon = True

    def start(self) -> None:
        """There is none."""


class _AtOnce:
    """The queue to aiosqlite's thread."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    def put_nowait(self, item: tuple[asyncio.Future[Any] | None, Callable[[], Any]]) -> None:
        future, do = item
        disk = self._disk
        if disk.slow_s and future is not None:
            wait = disk.slow_s * disk.dice.uniform(0.2, 1.8)
            future.get_loop().call_later(wait, self._do, future, do, 0.0)
        else:
            self._do(future, do, 0.0)

    def _do(self, future: asyncio.Future[Any] | None, do: Callable[[], Any], waited: float) -> None:
        """Done even when nobody waits for it any more, as by aiosqlite's thread."""
        if self._disk.dead and not self._disk.buried:
            return  # a dead process gets no answers
        try:
            result = self._carry_out(do)
        except Exception as error:  # noqa: BLE001 - it belongs to who asked
            if "locked" in str(error) and waited < PATIENCE_S and future is not None:
                future.get_loop().call_later(RETRY_S, self._do, future, do, waited + RETRY_S)
            elif future is not None and not future.done():
                future.set_exception(error)
                future.exception()
        else:
            if future is not None and not future.done():
                future.set_result(result)

    def _carry_out(self, do: Callable[[], Any]) -> Any:
        needs_disk = getattr(do, "func", do).__name__ not in NEED_NO_DISK
        if needs_disk and (self._disk.dead or self._disk.away):
            raise sqlite3.OperationalError("disk I/O error")
        return do()
