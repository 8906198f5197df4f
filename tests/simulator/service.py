"""One life of the service: the real one, from the composition root down, in a played process.

Everything is real but the thread of the recorder, the sockets and the clock. ``die`` is SIGKILL: nothing more leaves, nothing more
is written, and what the next life knows is what was committed to the database or handed to the journal's file.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, MutableMapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import structlog

from acd.commands import Command
from acd.errors import AcdError
from acd.events import Event
from acd.floor import Floor
from acd.ids import PbxId
from acd.views import CallView
from ami.health import Observer
from ami.link import LinkConfig
from ami.pbx import Pbx, PbxConfig
from nobat.app import App
from nobat.clock import Clock
from nobat.engine import StorageUnavailable
from nobat.ports import Deliver, PbxLink
from nobat.settings import DatabaseSettings, HistorySettings, PbxSettings, Settings
from nobat.storage.audit import AuditEntry
from nobat.storage.recorder import Recorder
from nobat.storage.recorder_thread import RecorderThread
from tests.simulator.clockwork import Clockwork, ProcessLoop, Wires
from tests.simulator.disk import Disk

CROSSING_S = 0.1


class PlayedClock(Clock):
    """Reads the clockwork."""

    def __init__(self, clockwork: Clockwork) -> None:
        self._clockwork = clockwork

    def now(self) -> float:
        return self._clockwork.now

    def follow(self) -> float:
        return 0.0


class RecorderHere(RecorderThread):
    """The recorder in the process's own loop: rows cross over after the same tenth of a second, to no thread."""

    def __init__(self, make: Callable[[], Recorder]) -> None:
        self._recorder = make()
        self._sent = self._arrived = self.noted = 0
        self._gathered: tuple[list[Event], list[CallView]] = ([], [])

    def _cross(self) -> None:
        (events, ended), self._gathered = self._gathered, ([], [])
        if events:
            self._recorder.note(events, ended)

    async def commit(self, events: Sequence[Event | AuditEntry]) -> None:
        await self._recorder.commit(tuple(events))

    async def run(self) -> None:
        try:
            await self._recorder.run()
        finally:
            await self._recorder.database.close()

    async def close(self, deadline_s: float) -> None:
        self._cross()
        await self._recorder.close(deadline_s)

    def release(self) -> None:
        """It has no loop of its own."""


class Troubles:
    """What the service logs as an error of its own: a failure that it contained and that should not have been."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._handler = _ToTroubles(self)

    def __enter__(self) -> "Troubles":
        self._before = structlog.get_config()
        structlog.configure(processors=[self._take], cache_logger_on_first_use=False)
        logging.getLogger().addHandler(self._handler)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger().removeHandler(self._handler)
        structlog.configure(**self._before)

    def _take(self, _logger: Any, method: str, said: MutableMapping[str, Any]) -> Any:
        if said.get("exc_info"):
            import traceback

            self.found.append(f"{said['event']}: {traceback.format_exc()}")
        if "was not believed" in str(said.get("event")):
            self.found.append(f"Asterisk was not believed: {said}")
        raise structlog.DropEvent


class _ToTroubles(logging.Handler):
    def __init__(self, troubles: Troubles) -> None:
        super().__init__(logging.ERROR)
        self._troubles = troubles

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.name.startswith(("ami", "nobat", "acd")):
            self._troubles.found.append(self.format(record))


async def _left_out() -> None:
    """Figures of reports are worked out in a thread with a loop of its own, beside the calls; no call depends on them."""


class Life:
    """From a start to the end of it."""

    def __init__(self, clockwork: Clockwork, wires: Wires, seed: int, folder: Path) -> None:
        self.clockwork, self._dice, self._folder = clockwork, Random(seed), folder
        self.loop = ProcessLoop(clockwork, wires)
        self.disk = Disk(self._dice)
        self.app: App | None = None
        self.over = False  # and the next one is on its way
        self.started = self._do(self._start())

    def _do(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """Begin something in the process."""
        task = self.loop.create_task(work)
        self.clockwork.after(0.0, self.loop.turn)
        return task

    async def _start(self) -> None:
        clock = PlayedClock(self.clockwork)
        settings = Settings(
            database=DatabaseSettings(url=f"sqlite:///{self._folder / 'nobat.db'}"),
            pbx=(PbxSettings(name="pbx1", secret="not needed here"),),
            history=HistorySettings(journal=self._folder / "journal"),
        )
        epoch = str(int(clock.now() * 1000))

        def make(name: PbxId, deliver: Deliver, observer: Observer) -> PbxLink:
            config = PbxConfig(name, LinkConfig("127.0.0.1", 5038, "nobat", "secret"), epoch)
            return Pbx(config, deliver, observer, clock.now, self._dice)

        app = App.build(settings, clock, make, RecorderHere)
        app.engine._stopwatch = clock.now
        app.figures.catch_up = _left_out  # type: ignore[method-assign]
        app.risks.look_around = _left_out  # type: ignore[method-assign]
        self.disk.attach(app.database.engine)
        self.disk.attach(app.recorder._recorder.database.engine)
        self.app = app
        await app.start()

    def ask(self, command: Command) -> None:
        """Somebody asks for something; what becomes of it is theirs."""
        if self.app is not None and not self.loop.dead:
            self._do(self._asked(self.app, command))

    async def _asked(self, app: App, command: Command) -> None:
        try:
            await app.engine.ask(command)
        except (AcdError, StorageUnavailable):
            return

    @property
    def floor(self) -> Floor | None:
        """What the service believes; None when there is none."""
        return self.app.engine._floor if self.app is not None and not self.loop.dead else None

    @property
    def ready(self) -> bool:
        return self.app is not None and not self.loop.dead and all(one.health.ready for one in self.app.pbxs.values())

    def die(self) -> None:
        """SIGKILL."""
        self.loop.dead = True
        self.disk.die()
        if self.app is not None:
            recorder = self.app.recorder._recorder
            if recorder.journal is not None:
                recorder.journal._let_go()  # its files stay as they are
            recorder._backlog.journal = None
            if self.app.node._file is not None:
                self.app.node._file.close()

    def stop(self) -> "asyncio.Task[Any]":
        """SIGTERM."""
        assert self.app is not None
        return self._do(self.app.stop())

    def bury(self) -> None:
        """After the run: let go of what a process would have let go of by dying."""
        self.disk.buried = True
        self.loop.bury()
        self.disk.release()
