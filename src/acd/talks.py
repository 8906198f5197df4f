"""The conversations of a call, one record for each party who talked to the caller, and how it was passed on between them.

A call may pass through several hands. Each of them has a talk of his own with its own hold, so that talk time is right for each
agent; the call's figures are sums over them. ``acd.calls`` keeps the tuple, ``acd.calling`` and ``acd.moving`` begin and end. The
talk of whoever is asked in a consult stands in the ``Consult`` until it ends or becomes the call's own.
"""

from dataclasses import dataclass, field

from acd.consult_port import ConsultStage
from acd.ids import AgentId, DeviceId, LegId, OfferId, QueueId
from acd.words import Word


class TransferMode(Word):
    """How a call is passed on: unannounced, or after a word with whoever takes it."""

    BLIND = "blind"
    ATTENDED = "attended"


class TargetKind(Word):
    """What a call is passed on to."""

    QUEUE = "queue"
    AGENT = "agent"
    NUMBER = "number"


class PlacePolicy(Word):
    """Where a caller who is passed on to a queue comes to stand: at its head, by the original time of entry, or at its end."""

    FRONT = "front"
    KEPT = "kept"
    END = "end"


class TransferResult(Word):
    """What has come of a transfer. A caller whose transfer failed stands at the head of the line."""

    RINGING = "ringing"
    QUEUED = "queued"
    CONNECTED = "connected"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Transfer:
    """A call was passed on at ``at``. ``by`` is the agent who had it; None where nobody had."""

    at: float
    by: AgentId | None
    mode: TransferMode
    kind: TargetKind
    to: str
    result: TransferResult


@dataclass(slots=True)
class Talk:
    """One party's conversation with the caller.

    ``agent`` is None where an outside ``number`` talks, or a phone answered at which nobody is known to be signed in.
    """

    queue: QueueId
    began_at: float
    agent: AgentId | None = None
    device: DeviceId | None = None
    leg: LegId | None = None
    number: str | None = None
    offer: OfferId | None = None  # from which it came
    ended_at: float | None = None
    held_since: float | None = None
    hold_s: float = 0.0

    def talk_s(self, now: float) -> float:
        """Seconds so far, hold included."""
        return max(0.0, (self.ended_at if self.ended_at is not None else now) - self.began_at)

    def held_s(self, now: float) -> float:
        """Seconds on hold so far."""
        return self.hold_s + (max(0.0, now - self.held_since) if self.held_since is not None else 0.0)

    def resume(self, now: float) -> None:
        """End a hold, if there is one."""
        self.hold_s, self.held_since = self.held_s(now), None

    def end(self, now: float) -> None:
        """It is over, and so is a hold in it."""
        self.resume(now)
        self.ended_at = now


@dataclass(slots=True)
class Consult:
    """``by`` has the caller and asks somebody else. ``id`` is that of the offer that is out, or was last; it changes in a line."""

    id: OfferId
    by: AgentId | None
    kind: TargetKind
    to: str
    since: float
    stage: ConsultStage
    agent: AgentId | None = None  # rung, or talked to
    device: DeviceId | None = None
    leg: LegId | None = None
    talk: Talk | None = None  # of whoever was asked, once it was picked up
    tried: set[AgentId] = field(default_factory=set)  # in a line: did not take it
    changed_at: float = 0.0
    busy_until: float = 0.0  # something was asked of the PBX, and it has not said yet that it was done

    @property
    def asked(self) -> str:
        """As the agent's leg keeps it."""
        return f"{self.kind}-{self.to}"
