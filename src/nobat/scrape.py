"""What a scrape reads from the floor, one queue at a time."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from acd import picture
from acd.errors import NotFound
from acd.floor import Floor
from acd.ids import PbxId, QueueId
from acd.sla import INTERVAL_S
from callback.views import counts
from nobat.engine import Engine
from nobat.metrics import QueueReading
from nobat.ports import PbxLink
from whisper.supervision import Supervision

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
    pbxs: Mapping[PbxId, PbxLink]
    recordings: Callable[[], int] = lambda: 0
    supervision: Supervision | None = None

    def queues(self) -> Iterator[QueueReading]:
        """Each queue as it is, its service level over the last four intervals, and how right its expected waits were.

        One that goes meanwhile is left out.
        """
        for queue in self.engine.read(lambda floor, _: sorted(floor.queues)):
            try:
                yield self.engine.read(lambda floor, now, queue=queue: _read(floor, queue, now))  # type: ignore[misc]
            except NotFound:
                continue

    def supervisions(self) -> Counter[str]:
        live = self.supervision.sessions.values() if self.supervision is not None else ()
        return Counter(one.mode.value for one in live)

    def history_pending(self) -> int:
        return self.recorder.pending

    def history_lost(self) -> int:
        return self.recorder.lost

    def recordings_waiting(self) -> int:
        return self.recordings()

    def journal_works(self) -> bool:
        return self.recorder.journal_fails is None

    def remembered(self) -> Mapping[PbxId, int]:
        return {name: link.remembered() for name, link in self.pbxs.items()}


def _read(floor: Floor, queue: QueueId, now: float) -> QueueReading:
    since = (now // INTERVAL_S - (INTERVALS_SHOWN - 1)) * INTERVAL_S
    stats = picture.stats(floor, queue, since, now)
    waits = stats.expected_wait
    view, level = picture.queue(floor, queue, now), stats.service_level.primary
    return QueueReading(view, level, waits.error_s, waits.inside, counts(floor, queue))
