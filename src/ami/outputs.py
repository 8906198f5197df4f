"""What comes out of a PBX: facts for the domain, and what is nobody's fact."""

from dataclasses import dataclass
from enum import StrEnum

from acd.ids import CallId, DeviceId, LegId
from acd.telephony import Fact
from ami.events import Event


class Purpose(StrEnum):
    """Why Asterisk is asked about a channel."""

    WHO_CALLS = "who_calls"
    WHAT_IS_ASKED = "what_is_asked"
    WHAT_A_CALLER_ASKS = "what_a_caller_asks"
    REALLY = "really"  # is it so, what the event says?
    STILL_THERE = "still_there"  # does the agent's leg live on after the conversation?


@dataclass(frozen=True, slots=True)
class Look:
    """A question about one channel. It must be answered, if only with a ``LookFailure``."""

    purpose: Purpose
    channel: str
    leg: LegId
    call: CallId | None = None
    event: Event | None = None


@dataclass(frozen=True, slots=True)
class PhoneAsked:
    """Somebody dialled a code. ``kind``: sign_in, sign_out, break, available, end_wrap_up. The rest is digits, or empty."""

    id: str
    device: DeviceId
    kind: str
    agent: str
    pin: str
    reason: str

    def __repr__(self) -> str:
        return f"PhoneAsked(id={self.id!r}, device={self.device!r}, kind={self.kind!r})"


@dataclass(frozen=True, slots=True)
class CallerAsked:
    """A caller who waits has a question. ``kind``: callback, callback_number, callback_confirm, callback_change, callback_cancel.

    ``keyed`` is a number, ``code`` that of a callback: digits, or empty.
    """

    call: CallId
    id: str
    kind: str
    keyed: str
    code: str = ""

    def __repr__(self) -> str:
        return f"CallerAsked(call={self.call!r}, id={self.id!r}, kind={self.kind!r})"


@dataclass(frozen=True, slots=True)
class Note:
    """What the dialplan has written down of a caller. ``gone_at`` None: he was served by Asterisk alone, and his
    end was not written.

    ``ended_at``: when his last conversation ended by the agent's side. ``device`` is the phone that Asterisk chose by itself.
    """

    call: CallId
    leg: LegId
    queue: str
    entered_at: float
    priority: int
    number: str | None
    connected_at: float | None
    ended_at: float | None
    gone_at: float | None
    device: DeviceId | None

    def __repr__(self) -> str:
        return f"Note(call={self.call!r})"


@dataclass(frozen=True, slots=True)
class NotesFound:
    """All that there are on one Asterisk."""

    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class SnapshotWanted:
    """Something on the wire was not to be believed: look at everything."""

    reason: str


Asked = PhoneAsked | CallerAsked | NotesFound
"""What is not for the floor: questions that the dialplan puts, to be answered within seconds, and what it has written down."""

Output = Fact | Asked | Look | SnapshotWanted
