"""What waits to be written into the database, in order: in memory, and on the local disk.

Every note goes to the journal first, so it outlives the process, and is kept in memory too as long as there is room; beyond that
it is read back from the journal when its turn comes. If the disk refuses, notes are kept in memory alone, and when even that is
full the oldest are lost, counted. ``done`` forgets what the database has.

The recorder calls it.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice

import structlog

from nobat.storage.journal import Journal
from nobat.storage.statements import Note

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Backlog:
    """``memory_rows`` notes are held in memory at most, as long as the journal takes the others."""

    journal: Journal | None
    memory_rows: int
    journal_fails: str | None = None
    """Why the journal cannot be written, in words; None while all is well."""
    lost: int = 0
    _notes: deque[Note] = field(default_factory=deque)
    _on_disk: int = 0  # lines that come after those in memory
    _after: deque[Note] = field(default_factory=deque)  # behind those on disk, since the journal fails
    _alarmed: bool = False

    def __len__(self) -> int:
        return len(self._notes) + self._on_disk + len(self._after)

    def add(self, notes: Sequence[Note]) -> None:
        """Put notes at the end. Never raises."""
        if not notes:
            return
        spill = self._on_disk > 0 or len(self._notes) + len(notes) > self.memory_rows
        if self._write_down(notes, spill=spill) and spill:
            self._on_disk += len(notes)
        else:
            (self._after if self._on_disk else self._notes).extend(notes)
            while len(self._notes) + len(self._after) > self.memory_rows and self.journal_fails is not None:
                (self._notes or self._after).popleft()
                self.lost += 1
        self._watch()

    def first(self, most: int) -> list[Note]:
        """The oldest notes; they stay until ``done``."""
        if not self._notes and self._on_disk and self.journal is not None:
            notes, lines = self.journal.take(min(self._on_disk, max(most, self.memory_rows // 2)))
            self._notes.extend(notes)
            self._on_disk -= lines
            self.lost += lines - len(notes)
        if not self._on_disk and self._after:
            self._notes.extend(self._after)
            self._after.clear()
        return list(islice(self._notes, most))

    def done(self, count: int) -> None:
        """The database has the oldest ``count``."""
        for _ in range(min(count, len(self._notes))):
            self._notes.popleft()
        if self.journal is None:
            return
        if self.journal_fails is None:
            self.journal.confirm(count)
        elif not len(self):  # all that was written down and all that was not is in the database: begin anew
            self.journal.clear()
            self.journal_fails = None
        self._watch()

    def sync(self) -> None:
        """Make what was added safe from a power cut."""
        if self.journal is not None and self.journal_fails is None:
            try:
                self.journal.sync()
            except OSError as error:
                self._fails(error)

    def close(self) -> None:
        """Let go of the journal; what is not done is found by the next run."""
        if self.journal is not None:
            self.journal.close()

    def _write_down(self, notes: Sequence[Note], *, spill: bool) -> bool:
        if self.journal is None or self.journal_fails is not None:
            return False
        try:
            if spill and not self._on_disk:
                self.journal.mark()
            self.journal.append(notes)
        except OSError as error:
            self._fails(error)
            return False
        return True

    def _fails(self, error: OSError) -> None:
        self.journal_fails = error.strerror or str(error)
        log.error("the journal cannot be written: history is kept in memory alone", why=self.journal_fails)

    def _watch(self) -> None:
        """Say once when history piles up, and be ready to say it again when that is over."""
        if not self._alarmed and len(self) > self.memory_rows // 10:
            self._alarmed = True
            log.error("history piles up on this machine: bring the database back", rows=len(self))
        elif self._alarmed and len(self) < self.memory_rows // 20:
            self._alarmed = False
