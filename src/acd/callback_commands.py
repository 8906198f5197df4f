"""What people ask about callbacks. ``acd.commands`` joins these to its own; ``callback`` carries them out."""

from dataclasses import dataclass

from acd.callback_policy import AttemptResult
from acd.ids import AgentId, AttemptId, CallbackId, CallId, PbxId, QueueId


@dataclass(frozen=True, slots=True)
class PromiseCallback:
    """Let a caller who waits go and call ``number`` when it is his turn. ``say`` is what he hears last.

    The caller is let go when the promise is on disk, and stays in line otherwise (``CallbackEnded`` with ``not_kept``). The id is
    ``callback_of(call)`` unless one is given: whoever was promised one in vain may be promised another. Conflict
    ``illegal_transition`` unless the call waits, ``callback_pending`` when the number has one in this queue, ``no_callbacks`` when
    the queue makes none; Invalid ``invalid_number``.
    """

    call: CallId
    number: str
    say: tuple[str, ...] = ()
    window: tuple[float, float] | None = None  # when it was said to be; kept to be compared with
    id: CallbackId | None = None
    proved: bool = False  # he is the one whose callback he has rung into: with another number it is changed


@dataclass(frozen=True, slots=True)
class ScheduleCallback:
    """Call ``number`` between two moments. The place in line counts from the first of them.

    ``zone`` is the IANA name in which the window was chosen, ``chosen`` what was chosen on its clocks (``2026-11-25 10:00 11:00``),
    if anything was: its moments move with the rules of the zone. Conflict ``callback_pending``, ``no_callbacks``; Invalid
    ``invalid_number``, ``invalid_window``.
    """

    id: CallbackId
    pbx: PbxId
    queue: QueueId
    number: str
    due_from: float
    due_until: float
    zone: str = "UTC"
    agent: AgentId | None = None
    name: str | None = None
    language: str | None = None
    priority: int = 0
    chosen: str = ""


@dataclass(frozen=True, slots=True)
class CancelCallback:
    """``by`` is who asked: a role or ``caller``. Conflict ``illegal_transition`` once the customer is on or it has ended."""

    callback: CallbackId
    by: str = ""


@dataclass(frozen=True, slots=True)
class ChangeCallback:
    """None leaves a field as it is. Conflict ``illegal_transition`` while the customer is dialled, or later."""

    callback: CallbackId
    number: str | None = None
    due_from: float | None = None
    due_until: float | None = None
    priority: int | None = None
    chosen: str | None = None


@dataclass(frozen=True, slots=True)
class RestoreAttempt:
    """An attempt that was planned before a restart; ``result`` None: nobody has heard what became of it."""

    id: AttemptId
    planned_at: float
    boot: str = ""
    agent: AgentId | None = None
    result: AttemptResult | None = None
    ended_at: float | None = None


@dataclass(frozen=True, slots=True)
class RestoreCallback:
    """A callback that was open before a restart, with its attempts in order; or one that goes on if the caller who has
    ``rung_into`` its place, and was in line then, leaves before an agent is there for him.
    """

    id: CallbackId
    pbx: PbxId
    queue: QueueId
    number: str
    since: float
    serial: int
    priority: int
    promised_at: float
    expires_at: float
    call: CallId | None = None
    name: str | None = None
    language: str | None = None
    due_from: float | None = None
    zone: str = "UTC"
    agent: AgentId | None = None
    window: tuple[float, float] | None = None
    chosen: str = ""
    attempts: tuple[RestoreAttempt, ...] = ()
    rung_into: CallId | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """From the engine: what was promised is on disk, and what depends on it may be done."""

    id: str


@dataclass(frozen=True, slots=True)
class NotKept:
    """From the engine: it could not be made durable in time, and nothing that depends on it may be done."""

    id: str


CallbackCommand = (
    PromiseCallback | ScheduleCallback | CancelCallback | ChangeCallback | RestoreCallback | Kept | NotKept
)


def callback_of(call: CallId, at: float | None = None) -> CallbackId:
    """The id of the callback that a waiting caller is promised; ``at`` tells one promise of the same caller from another."""
    return CallbackId(f"{call}.cb" if at is None else f"{call}.{round(at * 1000)}.cb")


_AGAIN = ".again"


def again_of(callback: CallbackId) -> CallbackId:
    """The id under which a callback goes on whose customer has rung in, and left before anybody was there for him."""
    first, _, times = callback.partition(_AGAIN)
    return CallbackId(f"{first}{_AGAIN}{int(times or 0) + 1}")


def first_of(callback: CallbackId) -> CallbackId:
    """The id under which it was promised."""
    return CallbackId(callback.partition(_AGAIN)[0])


def goes_on(callback: CallbackId) -> bool:
    """Whether it is an earlier promise that goes on, and no new one."""
    return _AGAIN in callback
