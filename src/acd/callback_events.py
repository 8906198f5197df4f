"""What happened to callbacks. ``acd.events`` joins these to its own.

``CallbackPromised`` and ``CallbackAttempted`` are *bound*: what depends on them is done when they are on disk, and not otherwise.
All of them are written as they happen, not with the rest of history.
"""

from acd.callback_policy import AttemptResult, CallbackMode
from acd.ids import AgentId, AttemptId, CallbackId, CallId, PbxId, QueueId
from acd.record import record
from acd.words import Word


class CallbackEnd(Word):
    """Why a callback is over. A closed set: it is a metric label."""

    REACHED = "reached"  # customer and agent have talked
    HUNG_UP = "hung_up"  # the customer was on and left before an agent was
    GAVE_UP = "gave_up"  # as many attempts as allowed
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    RANG_AGAIN = "rang_again"  # the customer has the place back as a live caller
    NOT_KEPT = "not_kept"  # the promise could not be made durable: the caller waits on
    REFUSED = "refused"  # the number or the hour is not to be called any more


@record
class CallbackPromised:
    """Bound. ``call`` is the caller who was promised it; None of one that was scheduled. The place counts from ``since``."""

    at: float
    callback: CallbackId
    queue: QueueId
    pbx: PbxId
    call: CallId | None
    number: str
    name: str | None
    language: str | None
    since: float
    serial: int
    priority: int
    expires_at: float
    due_from: float | None = None
    zone: str = "UTC"
    agent: AgentId | None = None
    window: tuple[float, float] | None = None
    chosen: str = ""  # on the clocks of the zone


@record
class CallbackChanged:
    """The callback as it is now."""

    at: float
    callback: CallbackId
    queue: QueueId
    number: str
    since: float
    priority: int
    expires_at: float
    due_from: float | None
    chosen: str = ""


@record
class CallbackAttempted:
    """Bound. The intent to dial; ``agent`` is reserved for it, if any."""

    at: float
    callback: CallbackId
    queue: QueueId
    attempt: AttemptId
    mode: CallbackMode
    agent: AgentId | None
    boot: str


@record
class CallbackAttemptEnded:
    """``next_at``: not before then again; None: there is no other."""

    at: float
    callback: CallbackId
    queue: QueueId
    attempt: AttemptId
    result: AttemptResult
    next_at: float | None


@record
class CallbackEnded:
    """``call`` is the call in which the customer was on, or has rung again. ``waited_s`` counts from the original entry."""

    at: float
    callback: CallbackId
    queue: QueueId
    why: CallbackEnd
    attempts: int
    waited_s: float
    call: CallId | None = None
    by: str = ""


CallbackEvent = CallbackPromised | CallbackChanged | CallbackAttempted | CallbackAttemptEnded | CallbackEnded
