"""The part of the port (``acd.telephony``) that is about calling customers back.

An attempt is one try to reach a customer. Its id is the name of everything that belongs to it on the PBX, and the PBX keeps a
*marker* of it that outlives the channels: an attempt that has a marker is never dialled again.

    DialCustomer -> AttemptNews(DIALLING) -> AttemptNews(ANSWERED) -> CallEntered(attempt=...)     a person is on
                                          -> AttemptEnded(result)                                   or not
"""

from acd.callback_policy import AttemptResult
from acd.ids import AttemptId, CallbackId, PbxId, QueueId
from acd.record import record
from acd.words import Word


class AttemptStage(Word):
    """Where a live attempt is."""

    DIALLING = "dialling"
    ANSWERED = "answered"  # picked up, and asked to press a key
    ON = "on"  # a person has pressed 1 and is in the wait loop
    TALKED = "talked"  # an agent has answered him


@record
class AttemptNews:
    """An attempt has come so far."""

    attempt: AttemptId
    stage: AttemptStage


@record
class AttemptEnded:
    """Nobody has come on by this attempt."""

    attempt: AttemptId
    result: AttemptResult


@record
class AttemptRead:
    """What the PBX's marker says: how far it came, what became of it, or None: it was never dialled there."""

    attempt: AttemptId
    found: AttemptStage | AttemptResult | None


@record
class DialCustomer:
    """Dial a customer. Sent once for each attempt, after its intent is on disk; whoever answers and presses 1 comes in by
    ``CallEntered`` with this attempt, at the place that counts from ``since``.
    """

    pbx: PbxId
    attempt: AttemptId
    callback: CallbackId
    queue: QueueId
    dial: str
    number: str
    shows: str
    ring_s: int
    confirm_s: int
    confirm_times: int
    since: float
    priority: int
    language: str | None
    forget: tuple[AttemptId, ...] = ()  # attempts whose markers nobody will ask for any more


@record
class StopAttempt:
    """Hang up whatever there is of an attempt."""

    pbx: PbxId
    attempt: AttemptId


@record
class ReadAttempt:
    """Ask for the marker of an attempt that no channel belongs to; ``AttemptRead`` answers."""

    pbx: PbxId
    attempt: AttemptId


CallbackFact = AttemptNews | AttemptEnded | AttemptRead
CallbackRequest = DialCustomer | StopAttempt | ReadAttempt
