"""Messages that callers left: found in the folder into which Asterisk writes them, kept as rows, and given out.

The folder is the truth of what there is, so that a message is not lost whoever was away when it was left: it is looked through
when a call has left one, at the start and from time to time. The names of the files are the service's own
(``<queue>.<call>.wav``); a file of any other name is nobody's.
"""

import asyncio
import contextlib
import re
import wave
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from acd.events import CallEnded, Event, VoicemailLeft
from acd.floor import Floor
from acd.ids import CallId, PbxId, QueueId, pbx_of
from nobat.engine import Engine, Gauge
from nobat.storage import history, voicemails
from nobat.storage.database import Database
from nobat.storage.errors import StorageUnavailable
from nobat.storage.voicemails import Voicemail

log = structlog.get_logger(__name__)

LOOK_S = 20.0
"""Between two looks into a folder that nothing was heard of."""

STILL_S = 3.0
"""A file that has not grown for so long is whole, whether its call is known or not."""

LEAST_S = 1.0
"""What is shorter is no message."""

_NAME = re.compile(r"(?P<queue>[a-z0-9][a-z0-9_-]{0,39})\.(?P<call>[a-z0-9-]+-[0-9]{10,15}\.[0-9]{1,10})")


@dataclass(slots=True)
class VoicemailKeeper:
    """``folders`` by PBX. Stands before the gauges, because it needs to hear that a call has ended."""

    gauge: Gauge
    database: Database
    folders: Mapping[PbxId, Path]
    now: Callable[[], float]
    engine: Engine | None = None
    _wanted: asyncio.Event = field(default_factory=asyncio.Event)
    _unheard: set[CallId] = field(default_factory=set)

    # ------------------------------------------------------------ what is told

    def observe(self, events: Sequence[Event], now: float) -> None:
        """Count, and look when a call has ended that left a message."""
        self.gauge.observe(events, now)
        for event in events:
            if isinstance(event, CallEnded) and event.call in self._unheard:
                self._unheard.discard(event.call)
                self._wanted.set()
            elif isinstance(event, VoicemailLeft):
                self._unheard.add(event.call)

    def inbox_lag(self, seconds: float) -> None:
        self.gauge.inbox_lag(seconds)

    def dispatched(self, pbx: PbxId, seconds: float) -> None:
        self.gauge.dispatched(pbx, seconds)

    # ------------------------------------------------------------ the folders

    async def follow(self) -> None:
        """Keep the rows in line with the folders. Runs until cancelled."""
        while True:
            self._wanted.clear()
            for pbx, folder in self.folders.items():
                with contextlib.suppress(StorageUnavailable):
                    await self._look_through(pbx, folder)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._wanted.wait()

    async def _look_through(self, pbx: PbxId, folder: Path) -> None:
        known = await voicemails.known(self.database, pbx)
        for name, changed_at in await asyncio.to_thread(_files, folder):
            match = _NAME.fullmatch(name)
            if match is None or name in known or pbx_of(CallId(match["call"])) != pbx:
                continue
            call = CallId(match["call"])
            if not self._is_whole(call, changed_at):
                asyncio.get_running_loop().call_later(STILL_S, self._wanted.set)
                continue
            await self._keep(pbx, QueueId(match["queue"]), call, folder / f"{name}.wav", changed_at)

    def _is_whole(self, call: CallId, changed_at: float) -> bool:
        live, ended = (
            self.engine.read(lambda floor, _: (call in floor.calls, call in floor.ended))
            if self.engine
            else (False, False)
        )
        return ended or (not live and self.now() - changed_at > STILL_S)

    async def _keep(self, pbx: PbxId, queue: QueueId, call: CallId, file: Path, changed_at: float) -> None:
        length = await asyncio.to_thread(_length, file)
        if length < LEAST_S:
            await asyncio.to_thread(file.unlink, missing_ok=True)
            return
        number, name = await self._who(call)
        await voicemails.add(self.database, Voicemail(file.stem, pbx, call, queue, number, name, changed_at, length))
        log.info("a caller has left a message", queue=queue, call=call, seconds=round(length))

    async def _who(self, call: CallId) -> tuple[str | None, str | None]:
        def view(floor: Floor, _now: float) -> tuple[str | None, str | None] | None:
            known = floor.ended.get(call)
            return (known.number, known.name) if known is not None else None

        seen = self.engine.read(view) if self.engine is not None else None
        if seen is not None:
            return seen
        stored = await history.call(self.database, call)
        return (stored.number, stored.name) if stored is not None else (None, None)

    def file_of(self, one: Voicemail) -> Path | None:
        """Where the sound is; None when this machine does not have it."""
        folder = self.folders.get(one.pbx)
        if folder is None or _NAME.fullmatch(one.id) is None:
            return None
        file = folder / f"{one.id}.wav"
        return file if file.is_file() else None

    async def remove(self, one: Voicemail, who: str) -> None:
        """Take it out of the lists and off the disk."""
        await voicemails.remove(self.database, one.id, who, self.now())
        file = self.file_of(one)
        if file is not None:
            try:
                await asyncio.to_thread(file.unlink, missing_ok=True)
            except OSError as error:
                log.warning("the file of a removed message stays", why=error.strerror)


def _files(folder: Path) -> list[tuple[str, float]]:
    """Names without their ending, and when each has last grown."""
    try:
        return [(one.stem, one.stat().st_mtime) for one in folder.glob("*.wav")]
    except OSError:
        return []


def _length(file: Path) -> float:
    """Seconds; of a file whose head was never finished, by its size."""
    try:
        with wave.open(str(file), "rb") as sound:
            if sound.getnframes():
                return sound.getnframes() / sound.getframerate()
    except (OSError, EOFError, wave.Error):
        pass
    with contextlib.suppress(OSError):
        return max(0, file.stat().st_size - 44) / 16_000
    return 0.0
