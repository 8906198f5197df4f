"""Attempts to call customers back, as they are on one Asterisk: their channels, their markers, and Asterisk's words for results.

An attempt is ``Local/<attempt>@acd-callback/n``, then the customer's own channel until he has pressed 1; after that he is a caller.
Its marker is a row of AstDB that the dialplan writes, so it says the same after a restart of anything.
"""

import asyncio
import re
from collections.abc import Callable
from typing import Protocol

from acd.callback_policy import AttemptResult
from acd.callback_port import AttemptEnded, AttemptNews, AttemptRead, AttemptStage, ReadAttempt
from acd.ids import AttemptId
from ami import actions, callback_actions
from ami.answers import Answer
from ami.decoder import only_value

_UNREACHABLE = frozenset({1, 2, 3, 20, 22, 25, 27, 28, 31, 38, 41, 42, 44, 102})
"""Q.850 causes of a number that cannot be reached now, or at all."""

_BY_STATUS = {
    "BUSY": AttemptResult.BUSY,
    "NOANSWER": AttemptResult.NO_ANSWER,
    "CANCEL": AttemptResult.CANCELLED,
    "CHANUNAVAIL": AttemptResult.UNREACHABLE,
}
_DIALLED = re.compile(r"([A-Z]+)-([0-9]*)")


def told(status: str) -> AttemptStage | AttemptResult:
    """What a marker or an event says: a stage, a result, or what ``Dial`` left (``BUSY-17``), where the cause says more."""
    for kind in (AttemptStage, AttemptResult):
        if status in frozenset(one.value for one in kind):
            return kind(status)
    parts = _DIALLED.fullmatch(status)
    if parts is None:
        return AttemptResult.FAILED
    cause = int(parts[2] or 0)
    if cause == 17:
        return AttemptResult.BUSY
    if cause == 21:
        return AttemptResult.REJECTED
    if cause in (18, 19):
        return AttemptResult.NO_ANSWER
    if cause in _UNREACHABLE:
        return AttemptResult.UNREACHABLE
    return _BY_STATUS.get(parts[1], AttemptResult.FAILED)


def fact_of(attempt: AttemptId, status: str) -> AttemptNews | AttemptEnded:
    """What an event of an attempt means."""
    found = told(status)
    return AttemptNews(attempt, found) if isinstance(found, AttemptStage) else AttemptEnded(attempt, found)


class Asker(Protocol):
    """The link, as far as markers need it."""

    def send(self, *wanted: actions.Action, deadline_s: float | None = None) -> "list[asyncio.Future[Answer]]": ...


def read_marker(link: Asker, request: ReadAttempt, deliver: Callable[[AttemptRead], None]) -> None:
    """Ask for a marker. An answer that does not come, or an error, delivers nothing: it is asked again after the next look."""
    try:
        (answer,) = link.send(callback_actions.ReadMarker(request.attempt))
    except actions.ActionRefused:
        return

    def answered(future: "asyncio.Future[Answer]") -> None:
        known, value = _value(future.result())
        if known:
            deliver(AttemptRead(request.attempt, told(value) if value is not None else None))

    answer.add_done_callback(answered)


def _value(answer: Answer) -> tuple[bool, str | None]:
    """Whether Asterisk has said it, and what: only its own words that there is no such row are believed to mean none."""
    if answer.ok:
        values = [only_value(raw, b"Val") for raw in answer.items if raw.startswith(b"Event: DBGetResponse")]
        return len(values) == 1 and values[0] is not None, values[0] if values else None
    return not answer.unknown and "entry not found" in answer.message.lower(), None
