"""The local journal: history on this machine's own disk until the database has it.

A queue of lines in segment files, in order: ``append`` at the end, ``confirm`` at the front what the database has; a segment whose
notes are all confirmed is removed. From ``mark`` on notes can be read back with ``take``, for those that memory does not hold. What
an earlier run left is read by ``left`` before anything of this run.

``nobat.storage.backlog`` calls it. ``OSError`` means that the disk refuses.
"""

import os
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from ami import failpoints
from nobat.storage.codec import Unreadable, decode, encode
from nobat.storage.statements import Note

log = structlog.get_logger(__name__)

SUFFIX = ".journal"
SEGMENT_NOTES = 20_000


@dataclass(slots=True)
class _Segment:
    path: Path
    notes: int = 0
    confirmed: int = 0
    size: int = 0


@dataclass(slots=True)
class _Reader:
    """Where ``take`` goes on: a segment, and the byte in it."""

    segment: _Segment
    offset: int


class Journal:
    """One run's. ``folder`` is made when it is needed, for the owner's eyes only."""

    def __init__(self, folder: Path, run: int, segment_notes: int = SEGMENT_NOTES) -> None:
        self._folder, self._prefix, self._segment_notes = folder, f"{run:016d}-", segment_notes
        self._segments: deque[_Segment] = deque()
        self._out: int | None = None  # a file descriptor: lines go to the operating system, not into a buffer
        self._reader: _Reader | None = None
        self._made = 0

    def append(self, notes: Sequence[Note]) -> None:
        """Write notes down at the end; the operating system has them when this returns. All of them or none."""
        lines = b"".join(map(encode, notes))
        segment, out = self._room()
        try:
            _write_all(out, lines)
        except OSError:
            os.ftruncate(out, segment.size)
            raise
        segment.notes += len(notes)
        segment.size += len(lines)
        if failpoints.passed is not None:
            failpoints.passed("journal.appended", [note.what for note in notes])

    def mark(self) -> None:
        """What is appended from now on will be read back with ``take``."""
        segment, _ = self._room()
        self._reader = _Reader(segment, segment.size)

    def take(self, most: int) -> tuple[list[Note], int]:
        """The next notes since ``mark``, and how many lines they were: one that cannot be read counts as confirmed."""
        notes: list[Note] = []
        lines = 0
        while self._reader is not None and lines < most:
            reader = self._reader
            with reader.segment.path.open("rb") as file:
                file.seek(reader.offset)
                while lines < most and reader.offset < reader.segment.size:
                    line = file.readline()
                    reader.offset += len(line)
                    lines += 1
                    note = _read(line)
                    if note is None:
                        reader.segment.confirmed += 1
                    else:
                        notes.append(note)
            if reader.offset < reader.segment.size or reader.segment is self._segments[-1]:
                break
            after = self._segments.index(reader.segment) + 1
            self._reader = _Reader(self._segments[after], 0)
        return notes, lines

    def confirm(self, count: int) -> None:
        """The database has the next ``count`` notes."""
        while self._segments:
            head = self._segments[0]
            step = min(count, head.notes - head.confirmed)
            head.confirmed += step
            count -= step
            if head.confirmed < head.notes:
                return
            if len(self._segments) == 1:
                self._begin_anew(head)
                return
            head.path.unlink(missing_ok=True)
            self._segments.popleft()

    def left(self) -> Iterator[list[Note]]:
        """What earlier runs left, a segment at a time, oldest first; a segment is removed when the next one is asked for."""
        for path in sorted(self._folder.glob(f"*{SUFFIX}")) if self._folder.is_dir() else ():
            if path.name.startswith(self._prefix):
                continue
            with path.open("rb") as lines:
                notes = [note for note in map(_read, lines) if note is not None]
            if notes:
                log.info("history of an earlier run is read from the journal", file=path.name, notes=len(notes))
                yield notes
            path.unlink(missing_ok=True)

    def sync(self) -> None:
        """What is here now outlives a power cut, too."""
        if self._out is not None:
            os.fsync(self._out)

    def clear(self) -> None:
        """Forget everything and remove it."""
        for segment in self._segments:
            segment.path.unlink(missing_ok=True)
        self._let_go()

    def close(self) -> None:
        """Let go of the files. What is confirmed leaves nothing behind."""
        for segment in self._segments:
            if segment.confirmed == segment.notes:
                segment.path.unlink(missing_ok=True)
        self._let_go()

    def _let_go(self) -> None:
        self._segments.clear()
        self._reader = None
        if self._out is not None:
            os.close(self._out)
            self._out = None

    def _room(self) -> tuple[_Segment, int]:
        """The segment that is written to; a new one when there is none, or it is full."""
        if self._out is not None and self._segments[-1].notes < self._segment_notes:
            return self._segments[-1], self._out
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._folder / f"{self._prefix}{self._made + 1:08d}{SUFFIX}"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        if self._out is not None:
            os.close(self._out)
        self._made += 1
        self._out = descriptor
        self._segments.append(_Segment(path))
        return self._segments[-1], self._out

    def _begin_anew(self, segment: _Segment) -> None:
        """Everything is in the database, and the file is emptied."""
        self._reader = None
        if self._out is not None and segment.size:
            os.ftruncate(self._out, 0)
        segment.notes = segment.confirmed = segment.size = 0


def _write_all(out: int, data: bytes) -> None:
    """The disk may take a part only, and says why when it is asked again."""
    while data:
        data = data[os.write(out, data) :]


def _read(line: bytes) -> Note | None:
    try:
        return decode(line)
    except Unreadable as error:
        log.error("a line of the journal cannot be read and is left out", why=str(error))  # noqa: TRY400
        return None
