"""Makes recordings of what Asterisk has written: joined, encrypted, and kept until their time has come.

The row of a recording is begun by history when the conversation begins. When it is over and both halves are whole, they become one
encrypted file, the row gets its key, and then the halves go: whatever of this is interrupted is done again from the beginning. What
cannot be done (no file, a damaged one, a full disk) is told, and calls never wait for it.

Stands before the metrics, because it needs to hear that a conversation has ended.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from acd.events import Event
from acd.floor import Floor
from acd.ids import PbxId, QueueId
from acd.recording_events import RecordingDisobeyed, RecordingEnded, RecordingPauseLong
from nobat.engine import Engine, Gauge
from nobat.recording import stereo
from nobat.recording.spans import demanded, missing_s, silent_spans
from nobat.recording.stereo import Half, NotSound
from nobat.recording.vault import Vault, VaultError
from nobat.storage import recordings
from nobat.storage.database import Database
from nobat.storage.errors import StorageUnavailable
from nobat.storage.recordings import Finished, StoredRecording

log = structlog.get_logger(__name__)

LOOK_S = 20.0
"""Between two looks when nothing is waited for; ``SOON_S`` when something is."""

SOON_S = 0.5

BUSY_S = 5.0
"""So long after a conversation its row may still be on its way to the database."""

STILL_S = 1.0
"""A whole file that has not grown for so long is done."""

GIVE_UP_S = 15.0
"""So long after the conversation a half that is not there is missing, and one whose end was never written is taken as it is."""

SHORT = 0.9
"""A recording of less than this part of its conversation (and a second) lacks something."""

EMPTY_S, ORPHAN_S = 120.0, 86_400.0
"""Halves that belong to nobody are removed: empty ones, of offers that nobody took, soon; others, of which nobody could say who may
hear them, after a day.
"""

RETENTION_S = 60.0

DAY_S = 86_400.0

HALVES = ("caller", "agent")


@dataclass(slots=True)
class RecordingKeeper:
    """``folders`` by PBX: where Asterisk writes the halves. ``counted`` is told what has become of each recording."""

    gauge: Gauge
    database: Database
    folders: Mapping[PbxId, Path]
    vault: Vault | None
    now: Callable[[], float]
    counted: Callable[[QueueId, str], None] = lambda _queue, _state: None
    engine: Engine | None = None
    waiting: int = 0
    """Conversations that are over and whose sound is not encrypted yet."""
    _wanted: asyncio.Event = field(default_factory=asyncio.Event)
    _looked_for_old: float = 0.0
    _busy_until: float = 0.0
    _complained: set[str] = field(default_factory=set)

    # ------------------------------------------------------------ what is told

    def observe(self, events: Sequence[Event], now: float) -> None:
        """Count, sound the alarms, and go to work when a conversation has ended."""
        self.gauge.observe(events, now)
        for event in events:
            if isinstance(event, RecordingEnded):
                self._busy_until = now + BUSY_S
                self._wanted.set()
            elif isinstance(event, RecordingPauseLong):
                log.warning(
                    "a recording has been paused for long",
                    call=event.call,
                    queue=event.queue,
                    seconds=round(event.paused_s),
                )
            elif isinstance(event, RecordingDisobeyed):
                log.error("a recording is not as it was asked to be", call=event.call, queue=event.queue, why=event.why)

    def inbox_lag(self, seconds: float) -> None:
        self.gauge.inbox_lag(seconds)

    def dispatched(self, pbx: PbxId, seconds: float) -> None:
        self.gauge.dispatched(pbx, seconds)

    # ------------------------------------------------------------ the work

    async def follow(self) -> None:
        """Keep rows and files in line. Runs until cancelled."""
        if self.vault is None:
            return await asyncio.Event().wait()  # type: ignore[return-value]
        while True:
            self._wanted.clear()
            with contextlib.suppress(StorageUnavailable):
                waiting = 0
                for pbx, folder in self.folders.items():
                    waiting += await self._work(self.vault, pbx, folder)
                self.waiting = waiting
                await self._retain()
            with contextlib.suppress(TimeoutError):
                busy = self.waiting or self.now() < self._busy_until
                async with asyncio.timeout(SOON_S if busy else LOOK_S):
                    await self._wanted.wait()

    async def _work(self, vault: Vault, pbx: PbxId, folder: Path) -> int:
        """Finish what can be finished; how many could not be yet."""
        await asyncio.to_thread(_close, folder)
        waiting = 0
        for one in await recordings.unfinished(self.database, pbx):
            if one.id in self._live():
                continue
            what = await self._finished(vault, folder, one)
            if what is None:
                waiting += 1
                continue
            await recordings.finish(self.database, one.id, what)
            await asyncio.to_thread(_remove, folder, one.id)
            self.counted(one.queue, what.state)
            self._complained.discard(one.id)
            if what.state in (recordings.SHORT, recordings.MISSING, recordings.DAMAGED):
                log.error("a recording is not what it should be", state=what.state, call=one.call, queue=one.queue)
        return waiting

    def _live(self) -> set[str]:
        return self.engine.read(_live) if self.engine is not None else set()

    async def _finished(self, vault: Vault, folder: Path, one: StoredRecording) -> Finished | None:
        """What has become of one whose conversation is over; None: not yet."""
        asked = await recordings.asked_of(self.database, one.call, one.id)
        ended_at = one.ended_at or await asyncio.to_thread(_last_written, folder, one.id) or one.began_at
        late = self.now() - ended_at > GIVE_UP_S
        if one.ended_at is None and not late:
            return None  # history has not said it yet, or a service that was killed never will
        if not demanded(one.mode, asked):
            return Finished(recordings.UNWANTED, ended_at)
        try:
            halves = await asyncio.to_thread(_halves, folder, one.id)
            if not halves:
                return Finished(recordings.MISSING, ended_at) if late else None
            if not late and not await asyncio.to_thread(_are_whole, halves, self.now()):
                return None
            length = max(half.samples for half in halves) / halves[0].rate
            absent = await recordings.absent_of(self.database, one.call, ended_at)
            silent = silent_spans(one.mode, asked, one.began_at, length, absent)
            key, size = await asyncio.to_thread(vault.put, one.id, stereo.stereo(halves[0], halves[1], silent))
        except NotSound:
            return Finished(recordings.DAMAGED, ended_at) if late else None
        except OSError as error:
            self._complain(one, error)
            return None
        talk_s = ended_at - one.began_at - missing_s(absent, one.began_at, ended_at)
        shortest = min(half.samples for half in halves) / halves[0].rate
        return Finished(
            recordings.SHORT if shortest < SHORT * talk_s - 1.0 else recordings.WHOLE,
            ended_at,
            length,
            sum(end - start for start, end in silent),
            await recordings.supervised(self.database, one.call, one.began_at, ended_at),
            size,
            key,
            self._keep_until(one.queue, ended_at),
        )

    def _complain(self, one: StoredRecording, error: OSError) -> None:
        """Once for each recording: a full disk would else fill the log."""
        if one.id not in self._complained:
            self._complained.add(one.id)
            self.counted(one.queue, "unwritten")
            log.error("a recording cannot be kept yet; its halves stay until it can", call=one.call, why=error.strerror)

    def _keep_until(self, queue: QueueId, ended_at: float) -> float | None:
        def days(floor: Floor, _now: float) -> int:
            known = floor.queues.get(queue)
            return known.spec.recording.keep_days if known is not None else 0

        kept = self.engine.read(days) if self.engine is not None else 0
        return ended_at + kept * DAY_S if kept else None

    # ------------------------------------------------------------ the end of it

    async def _retain(self) -> None:
        """Erase what has been kept for as long as it may be, and sweep up what belongs to nobody."""
        if self.now() - self._looked_for_old < RETENTION_S:
            return
        self._looked_for_old = self.now()
        await self.erase(await recordings.due(self.database, self.now()), "retention")
        for folder in self.folders.values():
            there = await asyncio.to_thread(_nobodys, folder, self.now())
            for orphan in set(there) - await recordings.known(self.database, there) - self._live():
                await asyncio.to_thread(_remove, folder, orphan)

    async def erase(self, ids: Sequence[str], who: str) -> int:
        """Keys first, then files: from the first step on nobody can hear them. How many."""
        if ids:
            await recordings.erase(self.database, ids, who, self.now())
            for one in ids:
                await asyncio.to_thread(self._remove_everywhere, one)
        return len(ids)

    def _remove_everywhere(self, recording: str) -> None:
        try:
            if self.vault is not None:
                self.vault.remove(recording)
            for folder in self.folders.values():
                _remove(folder, recording)
        except OSError as error:
            log.warning("the file of an erased recording stays; nothing opens it any more", why=error.strerror)

    # ------------------------------------------------------------ hearing

    def has(self, recording: str) -> bool:
        """Whether the file is on this machine."""
        return self.vault is not None and self.vault.file_of(recording).is_file()

    async def audio(self, one: StoredRecording, start: int, end: int) -> AsyncIterator[bytes]:
        """A part of the sound. Raises ``VaultError`` or ``OSError`` before the first piece, or between two."""
        if self.vault is None or one.key is None or one.size is None:
            raise VaultError(f"{one.id}: there is no sound")
        pieces = self.vault.read(one.id, one.key, one.size, start, end)
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            yield piece


def _live(floor: Floor, _now: float) -> set[str]:
    """Names of recordings of conversations that go on, or may begin from an offer that is out."""
    live = {call.recording.id for call in floor.calls.values() if call.recording is not None}
    return live | {call.offer.record for call in floor.calls.values() if call.offer is not None}


def _file(folder: Path, recording: str, half: str) -> Path:
    return folder / f"{recording}-{half}.wav"


def _halves(folder: Path, recording: str) -> list[Half]:
    """Caller and agent; one that is not there, or is no sound, is silent, and nothing if neither is there.

    Raises ``NotSound`` if all that is there is no sound, ``OSError``.
    """
    files = [file for file in (_file(folder, recording, half) for half in HALVES) if file.exists()]
    if not files:
        return []
    found = [_sound(_file(folder, recording, half)) for half in HALVES]
    there = [half for half in found if half is not None]
    if not there:
        raise NotSound(recording)
    return [half if half is not None else Half(Path(os.devnull), there[0].rate, 0, whole=False) for half in found]


def _sound(file: Path) -> Half | None:
    try:
        return stereo.half(file)
    except (FileNotFoundError, NotSound):
        return None


def _are_whole(halves: Sequence[Half], now: float) -> bool:
    return all(half.whole and now - half.file.stat().st_mtime > STILL_S for half in halves)


def _last_written(folder: Path, recording: str) -> float | None:
    """When the PBX wrote last: of a recording whose end nobody saw."""
    moments = []
    for half in HALVES:
        with contextlib.suppress(OSError):
            moments.append(_file(folder, recording, half).stat().st_mtime)
    return max(moments, default=None)


def _remove(folder: Path, recording: str) -> None:
    for half in HALVES:
        _file(folder, recording, half).unlink(missing_ok=True)


def _close(folder: Path) -> None:
    """What Asterisk has written is nobody else's to read, whatever its umask; what cannot be changed is the operator's to see."""
    with contextlib.suppress(OSError):
        mode = folder.stat().st_mode & 0o7777
        if mode & 0o007:
            folder.chmod(mode & ~0o007)
        for file in folder.glob("*.wav"):
            if file.stat().st_mode & 0o077:
                file.chmod(0o600)


def _nobodys(folder: Path, now: float) -> list[str]:
    """Names of recordings that somebody should have fetched by now."""
    found = set()
    with contextlib.suppress(OSError):
        for file in folder.glob("*.wav"):
            seen = file.stat()
            if now - seen.st_mtime > (EMPTY_S if seen.st_size <= stereo.HEAD else ORPHAN_S):
                found.add(file.name.rpartition("-")[0])
    return sorted(found)
