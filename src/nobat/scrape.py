"""What a scrape reads from the floor, one queue at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from acd import picture
from acd.errors import NotFound
from acd.floor import Floor
from acd.ids import QueueId
from acd.sla import INTERVAL_S
from callback.views import counts
from nobat.engine import Engine
from nobat.metrics import QueueReading

INTERVALS_SHOWN = 4


class History(Protocol):
    @property
    def pending(self) -> int: ...

    @property
    def lost(self) -> int: ...

    @property
    def journal_fails(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class FloorSource:
    """``nobat.metrics.Source`` over a running engine."""

    engine: Engine
    recorder: History

    def queues(self) -> Iterator[QueueReading]:
        """Each queue as it is, its service level over the last four intervals, and how right its expected waits were.

        One that goes meanwhile is left out.
        """
        for queue in self.engine.read(lambda floor, _: sorted(floor.queues)):
            try:
                yield self.engine.read(lambda floor, now, queue=queue: _read(floor, queue, now))  # type: ignore[misc]
            except NotFound:
                continue

    def history_pending(self) -> int:
        return self.recorder.pending

    def history_lost(self) -> int:
        return self.recorder.lost

    def journal_works(self) -> bool:
        return self.recorder.journal_fails is None


def _read(floor: Floor, queue: QueueId, now: float) -> QueueReading:
    since = (now // INTERVAL_S - (INTERVALS_SHOWN - 1)) * INTERVAL_S
    stats = picture.stats(floor, queue, since, now)
    waits = stats.expected_wait
    view, level = picture.queue(floor, queue, now), stats.service_level.primary
    return QueueReading(view, level, waits.error_s, waits.inside, counts(floor, queue))
