"""Frozen events: what Asterisk says, as far as it concerns us, each with exactly the headers that it must have.

``ami.decoder`` makes them from bytes, or puts a message that it does not believe into quarantine.
"""

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why a message was not believed. A closed set: it is a metric label."""

    MISSING_HEADER = "missing_header"
    DOUBLED_HEADER = "doubled_header"
    CONTROL_CHARACTER = "control_character"
    MALFORMED_VALUE = "malformed_value"
    OVERSIZED = "oversized"
    FRAGMENT = "fragment"  # neither an event nor a response: something in a value looked like an end of message


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A message that was not believed. ``channel`` and ``leg`` are set where they could be read without doubt."""

    reason: Reason
    name: str
    channel: str | None = None
    leg: str | None = None


@dataclass(frozen=True, slots=True)
class CallerCameIn:
    """UserEvent AcdEnter. ``exten`` is the number dialled and ``number`` the caller's, kept for one about whom Asterisk cannot be
    asked any more.
    """

    channel: str
    leg: str
    exten: str
    call: str
    number: str = ""


@dataclass(frozen=True, slots=True)
class _OfAnOffer:
    channel: str
    leg: str
    call: str
    offer: str


@dataclass(frozen=True, slots=True)
class PhonePickedUp(_OfAnOffer):
    """UserEvent AcdAnswer, raised by the agent's leg."""


@dataclass(frozen=True, slots=True)
class OfferOver(_OfAnOffer):
    """UserEvent AcdOfferEnded: nobody answered and the caller waits again."""

    status: str


@dataclass(frozen=True, slots=True)
class LeftAlone(_OfAnOffer):
    """UserEvent AcdFallback: a waiting caller has missed the heartbeat, and app_queue serves him."""


@dataclass(frozen=True, slots=True)
class TalkOver(_OfAnOffer):
    """UserEvent AcdAfter: the caller is still there after the conversation."""


@dataclass(frozen=True, slots=True)
class PhoneAsks:
    """UserEvent AcdAsk: somebody dialled a code."""

    channel: str
    leg: str
    ask: str
    kind: str


@dataclass(frozen=True, slots=True)
class LeadOver:
    """UserEvent AcdLeadEnded: a caller who was led away from the line is about to be gone. ``recorded``: RECORD_STATUS."""

    channel: str
    leg: str
    call: str
    by: str
    recorded: str


@dataclass(frozen=True, slots=True)
class PassedOn:
    """UserEvent AcdTransfer: the agent's phone has passed the caller on to ``to``."""

    channel: str
    leg: str
    call: str
    to: str


@dataclass(frozen=True, slots=True)
class ConsultStep(_OfAnOffer):
    """UserEvent AcdConsult, raised by any of the three legs of a consult. ``step`` as in ``dialplan/consult.conf``.

    ``to``: the digits, where an agent asks by the code.
    """

    step: str
    to: str = ""


@dataclass(frozen=True, slots=True)
class CallsJoined:
    """AttendedTransfer: a phone has joined what two legs of its own (``leg`` and ``other_leg``) led to, and leaves both.

    ``met_leg`` was in the conversation of the other leg, ``kept_leg`` in that of the first. Without ``met_leg`` nobody was: the
    other leg waited, or rang ``exten``, and whoever talked to the first leg does that now.
    """

    channel: str
    leg: str
    other_leg: str
    result: str
    met_channel: str = ""
    met_leg: str = ""
    kept_channel: str = ""
    kept_leg: str = ""
    exten: str = ""


@dataclass(frozen=True, slots=True)
class RecordingKey:
    """UserEvent AcdRecord, raised by the agent's leg: a code in the call that is about its recording."""

    channel: str
    leg: str
    call: str
    ask: str


@dataclass(frozen=True, slots=True)
class SurveyOver:
    """UserEvent AcdSurvey: the caller has answered the question after the conversation; 0: has not."""

    channel: str
    leg: str
    call: str
    score: int


@dataclass(frozen=True, slots=True)
class AnnouncementBegan:
    """UserEvent AcdSaid: a waiting caller begins to hear an announcement."""

    channel: str
    leg: str
    call: str
    say: str


@dataclass(frozen=True, slots=True)
class AttemptTold:
    """UserEvent AcdAttempt: how far an attempt to call a customer back has come, or what became of it."""

    channel: str
    leg: str
    attempt: str
    status: str


@dataclass(frozen=True, slots=True)
class DialBegan:
    """``leg`` dials ``dest_leg``; it is empty for a leg that nobody dials (Originate)."""

    dest_channel: str
    dest_leg: str
    leg: str = ""


@dataclass(frozen=True, slots=True)
class DialEnded:
    """What became of a dialled leg: ANSWER, BUSY, NOANSWER, CHANUNAVAIL, CONGESTION, CANCEL, ..."""

    dest_channel: str
    dest_leg: str
    status: str
    leg: str = ""


@dataclass(frozen=True, slots=True)
class BridgeEntered:
    bridge: str
    channel: str
    leg: str


@dataclass(frozen=True, slots=True)
class BridgeLeft:
    bridge: str
    channel: str
    leg: str


@dataclass(frozen=True, slots=True)
class HungUp:
    """The channel is gone. ``cause`` is Q.850, 0 where Asterisk knows none."""

    channel: str
    leg: str
    cause: int


@dataclass(frozen=True, slots=True)
class HangupAsked:
    """Somebody hung up or refused: BYE, CANCEL, 486. A leg that goes without it, died. ``cause`` is Q.850, often empty."""

    channel: str
    leg: str
    cause: str = ""


@dataclass(frozen=True, slots=True)
class HoldBegan:
    channel: str
    leg: str
    at: str = ""


@dataclass(frozen=True, slots=True)
class HoldEnded:
    channel: str
    leg: str
    at: str = ""


@dataclass(frozen=True, slots=True)
class DeviceStateSeen:
    """``device`` is a dial string, ``state`` Asterisk's word for its state."""

    device: str
    state: str
    at: str = ""  # Asterisk's timestamp, to know a repetition


@dataclass(frozen=True, slots=True)
class SupervisorAt:
    """UserEvent AcdSpy: a supervisor's leg is ``now`` up, over (a mode: ``how``), or in a mode, with the leg ``at``."""

    channel: str
    leg: str
    spy: str
    now: str
    at: str
    how: str


@dataclass(frozen=True, slots=True)
class Originated:
    """What became of an Originate: ``response`` is Success or Failure, ``reason`` 3 when the time ran out."""

    leg: str
    response: str
    reason: str


@dataclass(frozen=True, slots=True)
class FullyBooted:
    """Sent once after a login, at once or when the start of Asterisk is through."""

    status: str


@dataclass(frozen=True, slots=True)
class ShuttingDown:
    kind: str


Event = (
    CallerCameIn
    | PhonePickedUp
    | OfferOver
    | LeftAlone
    | TalkOver
    | PhoneAsks
    | LeadOver
    | PassedOn
    | ConsultStep
    | CallsJoined
    | AnnouncementBegan
    | RecordingKey
    | SurveyOver
    | AttemptTold
    | DialBegan
    | DialEnded
    | BridgeEntered
    | BridgeLeft
    | HungUp
    | HangupAsked
    | HoldBegan
    | HoldEnded
    | DeviceStateSeen
    | SupervisorAt
    | Originated
    | FullyBooted
    | ShuttingDown
)


@dataclass(frozen=True, slots=True)
class ListItem:
    """One event of the answer to an action. It stays bytes: a snapshot of thousands is parsed in slices."""

    raw: bytes


@dataclass(frozen=True, slots=True)
class Response:
    """The answer to an action, as bytes."""

    raw: bytes


Message = Event | Quarantined | ListItem | Response
