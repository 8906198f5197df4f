"""The live feed: what happened on the floor, as it happens, for everybody who watches.

Everything is kept once, in a ring of the last events, and written out once, whoever reads it. A reader is a number: how far it
has come. So a reader who is slow costs nothing; one whose place has left the ring is told that something is missing.
``nobat.api.feed`` is the stream of one reader; the engine's events come in by ``observe``.
"""

import asyncio
import dataclasses
import json
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from itertools import islice
from typing import Any

from acd.breach import BreachRiskTold
from acd.events import Event
from acd.ids import PbxId
from nobat.engine import Gauge

KEPT = 10_000
"""Events in the ring: at 50 calls a second about half a minute."""

WRITTEN = 1_000
"""Of so many, the last ones, the written form is kept: readers are seconds apart, and whoever comes back later is alone."""

GATHERED_S = 0.02
"""How long readers are let sleep after an event, so that a burst wakes them once."""

BEAT_S = 2.0
"""How long a reader sleeps at most."""

FORGET_AT_ONCE = 500

_NUMBERS, _WORDS = ("number", "caller", "to"), ("name", "notes")

Seen = Event | BreachRiskTold
"""What a reader gets: events, and what follows from them and is in no history."""

_MOMENTS = frozenset({"at", "until", "since"})


class Entry:
    """One event with its number. ``frame`` is its form in the stream (``text/event-stream``, HTML's section 9.2), made once
    while it is new.
    """

    __slots__ = ("_frame", "event", "number", "run")

    def __init__(self, run: int, number: int, event: Seen) -> None:
        self.run, self.number, self.event = run, number, event
        self._frame: bytes | None = None

    @property
    def frame(self) -> bytes:
        if self._frame is None:
            kind = type(self.event).__name__
            data = json.dumps(described(self.event), ensure_ascii=True, separators=(",", ":"))
            self._frame = f"id: {self.run}-{self.number}\nevent: {kind}\ndata: {data}\n\n".encode("ascii")
        return self._frame

    def unwrite(self) -> None:
        """It is old: whoever still wants it has it written again."""
        self._frame = None

    def forget(self, writings: frozenset[str], calls: frozenset[str]) -> None:
        """Leave the caller out, if it is one of these numbers or calls."""
        event: Any = self.event
        fields = [name for name in _NUMBERS if getattr(event, name, None) in writings]
        if fields or getattr(event, "call", None) in calls:
            fields += [name for name in _WORDS if getattr(event, name, None) is not None]
        if fields:
            self.event, self._frame = dataclasses.replace(event, **dict.fromkeys(fields)), None


class Feed:
    """``run`` tells one run of the service from another. Stands before ``gauge`` and lets everything through."""

    def __init__(self, gauge: Gauge, run: int, kept: int = KEPT) -> None:
        self._gauge = gauge
        self._ring: deque[Entry] = deque(maxlen=kept)
        self._count = 0
        self._waiting: list[asyncio.Future[None]] = []
        self._waking = False
        self._beat: asyncio.TimerHandle | None = None
        self.run = run
        self.readers = 0
        self.readers_of: Counter[str] = Counter()  # by token
        self.closed = False

    # ------------------------------------------------------------ what happens

    def observe(self, events: Sequence[Event], now: float) -> None:
        """Keep what happened, and wake who reads."""
        self._gauge.observe(events, now)
        self.tell(*events)

    def tell(self, *events: Seen) -> None:
        """Keep what readers alone are told, and wake them."""
        for event in events:
            self._ring.append(Entry(self.run, self._count, event))
            self._count += 1
            if len(self._ring) > WRITTEN:
                self._ring[-1 - WRITTEN].unwrite()
        if self._waiting and not self._waking:
            self._waking = True
            asyncio.get_running_loop().call_later(GATHERED_S, self._wake)

    async def forget(self, writings: frozenset[str], calls: frozenset[str]) -> None:
        """Events that tell of a caller are shown without number, name and notes from now on. The loop is not held for that."""
        for at, entry in enumerate(list(self._ring)):
            entry.forget(writings, calls)
            if at % FORGET_AT_ONCE == 0:
                await asyncio.sleep(0)

    def inbox_lag(self, seconds: float) -> None:
        self._gauge.inbox_lag(seconds)

    def dispatched(self, pbx: PbxId, seconds: float) -> None:
        self._gauge.dispatched(pbx, seconds)

    def close(self) -> None:
        """All streams end."""
        self.closed = True
        self._wake()

    # ------------------------------------------------------------ who reads

    @property
    def end(self) -> int:
        """The number that the next event will have."""
        return self._count

    @property
    def begin(self) -> int:
        """The number of the oldest event that is still there."""
        return self._count - len(self._ring)

    def after(self, number: int, most: int) -> Iterator[Entry]:
        """Events from ``number`` on that are still there, oldest first."""
        skipped = max(0, number - self.begin)
        if skipped > len(self._ring) // 2:  # nearer from the end: a deque has no middle
            count = len(self._ring) - skipped
            newest = list(islice(reversed(self._ring), count))
            return iter(newest[::-1][:most])
        return islice(list(islice(self._ring, skipped, skipped + most)), most)

    async def wait(self) -> None:
        """Return when there is something new, or after ``BEAT_S``. One timer wakes all: a thousand cost more than the news."""
        if self.closed:
            return
        loop = asyncio.get_running_loop()
        if self._beat is None:
            self._beat = loop.call_later(BEAT_S, self._wake)
        awake: asyncio.Future[None] = loop.create_future()
        self._waiting.append(awake)
        await awake

    def _wake(self) -> None:
        waiting, self._waiting, self._waking = self._waiting, [], False
        if self._beat is not None:
            self._beat.cancel()
            self._beat = None
        for awake in waiting:
            if not awake.done():
                awake.set_result(None)


# ------------------------------------------------------------ what an event looks like


def described(event: Seen) -> dict[str, Any]:
    """An event as the interface writes things: moments in RFC 3339, words for enumerations."""
    kind: type = type(event)
    return {name: plain(getattr(event, name), name) for name in _fields(kind)}


@cache
def _fields(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind))


def plain(value: Any, name: str = "") -> Any:
    """One field. ``nobat.api.call_history`` shows the same of events that were kept."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return _moment(value) if name in _MOMENTS or name.endswith("_at") else round(value, 3)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, tuple | list | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item, key) for key, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {name: plain(getattr(value, name), name) for name in _fields(type(value))}
    return str(value)


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
