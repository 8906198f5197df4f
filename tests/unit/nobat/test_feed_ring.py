"""What the live feed keeps: the last events, and of few of them the written form."""

from collections.abc import Sequence

from acd.events import CallHeld, Event
from acd.ids import CallId, PbxId, QueueId
from nobat.feed import WRITTEN, Feed


class Nobody:
    """Counts nothing."""

    def observe(self, events: Sequence[Event], now: float) -> None: ...

    def inbox_lag(self, seconds: float) -> None: ...

    def dispatched(self, pbx: PbxId, seconds: float) -> None: ...


def held(number: int) -> CallHeld:
    return CallHeld(1.0 + number, CallId(f"pbx1-1.{number}"), QueueId("sales"))


def test_only_new_events_are_kept_as_they_are_written_and_old_ones_are_written_again() -> None:
    feed = Feed(Nobody(), run=7, kept=3 * WRITTEN)
    seen = []
    for number in range(4 * WRITTEN):
        feed.observe([held(number)], 1.0)
        seen += [entry.frame for entry in feed.after(number, 1)]
    entries = list(feed.after(0, 4 * WRITTEN))
    assert len(entries) == 3 * WRITTEN
    assert sum(entry._frame is not None for entry in entries) == WRITTEN
    assert [entry.frame for entry in entries] == seen[WRITTEN:]
