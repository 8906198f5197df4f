"""What a queue's limits are, and where each of them leads a caller. Configuration only; ``acd.overflow`` does it.

A limit either keeps a caller from joining (closed, holiday, full, no agent, expected wait) or ends the wait (no agent, waited too
long, closed meanwhile). Where it leads is a value of its own type.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from acd.ids import QueueId
from acd.record import record
from acd.words import Word


class Limit(Word):
    """Why a caller was led away. A closed set: people read it, programs compare it."""

    CLOSED_NOW = "closed_now"  # by a supervisor
    CLOSED = "closed"
    HOLIDAY = "holiday"
    FULL = "full"
    NO_AGENT = "no_agent"
    WAITED = "waited_too_long"
    EXPECTED = "expected_wait_too_long"


class Presence(Word):
    """How much of an agent must be there. Each includes those before it."""

    SIGNED_IN = "signed_in"
    AVAILABLE = "available"
    REACHABLE = "reachable"


LEVEL: dict[Presence, int] = {Presence.SIGNED_IN: 1, Presence.AVAILABLE: 2, Presence.REACHABLE: 3}
"""As ``Agent.presence`` counts; 0 is signed out."""

Say = tuple[str, ...]
"""Names of prompts, said one after the other."""


@dataclass(frozen=True, slots=True)
class ToQueue:
    """Another line. ``keep_place``: the caller stands there as one who has come when this call came in. ``say`` None: the usual."""

    queue: QueueId
    keep_place: bool = True
    say: Say | None = None


@dataclass(frozen=True, slots=True)
class ToNumber:
    """A number, inside or outside; only one that the settings allow."""

    number: str
    ring_s: int = 30
    say: Say | None = None


@dataclass(frozen=True, slots=True)
class ToVoicemail:
    """A message of the caller's, of at most ``most_s`` seconds; ``silence_s`` of silence end it."""

    most_s: int = 120
    silence_s: int = 6
    say: Say | None = None


@dataclass(frozen=True, slots=True)
class ToMessage:
    """Something is said, and the call is over."""

    say: Say | None = None


Destination = ToQueue | ToNumber | ToVoicemail | ToMessage

KINDS: dict[type[Destination], str] = {
    ToQueue: "queue",
    ToNumber: "number",
    ToVoicemail: "voicemail",
    ToMessage: "message",
}

_WHY: dict[Limit, str] = {
    Limit.CLOSED_NOW: "closed-for-now",
    Limit.CLOSED: "closed",
    Limit.HOLIDAY: "holiday",
    Limit.FULL: "queue-full",
    Limit.NO_AGENT: "no-agent",
    Limit.WAITED: "waited-too-long",
    Limit.EXPECTED: "wait-too-long",
}
_SAYS_ALL = frozenset({Limit.CLOSED_NOW, Limit.CLOSED, Limit.HOLIDAY})
_WHERE: dict[type[Destination], str] = {
    ToQueue: "to-other-queue",
    ToNumber: "to-number",
    ToVoicemail: "leave-message",
    ToMessage: "call-later",
}


def said(limit: Limit, to: Destination) -> Say:
    """The prompts: those that were chosen, or why and where."""
    if to.say is not None:
        return to.say
    if isinstance(to, ToMessage) and limit in _SAYS_ALL:
        return (_WHY[limit],)  # asks to call later by itself
    return (_WHY[limit], _WHERE[type(to)])


def described(to: Destination) -> str:
    """Where it leads, in one word: ``queue:support``, ``number:4711``, ``voicemail``, ``message``."""
    match to:
        case ToQueue():
            return f"queue:{to.queue}"
        case ToNumber():
            return f"number:{to.number}"
        case _:
            return KINDS[type(to)]


@dataclass(frozen=True, slots=True)
class Overflow:
    """A queue's limits: a number or None (no such limit), and where each leads. Seconds.

    ``leave_on_close``: whoever waits at closing time is led away too; else the line is served to its end. ``joining_needs`` and
    ``waiting_needs``: how much of at least one agent must be there to join, and to go on waiting; the latter only when it has
    been missing for ``empty_s``.
    """

    closed: Destination = ToMessage()
    holiday: Destination = ToMessage()
    leave_on_close: bool = False
    most_waiting: int | None = None
    full: Destination = ToMessage()
    joining_needs: Presence | None = None
    waiting_needs: Presence | None = None
    empty_s: float = 5.0
    no_agent: Destination = ToMessage()
    most_wait_s: float | None = None
    waited: Destination = ToMessage()
    most_expected_s: float | None = None
    expected: Destination = ToMessage()

    @property
    def destinations(self) -> tuple[Destination, ...]:
        """All of them."""
        return (self.closed, self.holiday, self.full, self.no_agent, self.waited, self.expected)


NONE = Overflow()


@record
class Closing:
    """A queue that a supervisor has closed: by whom and since when, for what reason, and where callers are led."""

    by: str
    since: float
    reason: str = ""
    to: Destination | None = None
    leave: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """Numbers that callers may be led to: one, or with ``*`` at its end all that begin so; and how the PBX dials them."""

    pattern: str
    dial: str

    def takes(self, number: str) -> bool:
        """Whether ``number`` is one of them."""
        if self.pattern.endswith("*"):
            return number.startswith(self.pattern[:-1])
        return number == self.pattern


def dialled(routes: Iterable[Route], number: str) -> str | None:
    """How ``number`` is dialled; None if it is not allowed. The first route that takes it is the one."""
    for route in routes:
        if route.takes(number):
            return route.dial.replace("{number}", number)
    return None
