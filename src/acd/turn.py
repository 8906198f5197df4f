"""One turn of the floor: the moment at which a message is handled, and what handling it brings about."""

from dataclasses import dataclass, field

from acd.events import Event
from acd.telephony import Request


@dataclass(slots=True)
class Turn:
    """Collects what one message causes, in order. ``now`` is the same for the whole turn."""

    now: float
    events: list[Event] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)

    def emit(self, event: Event) -> None:
        self.events.append(event)

    def ask(self, request: Request) -> None:
        self.requests.append(request)


@dataclass(frozen=True, slots=True)
class Effects:
    """What a turn brought about: events for the record, requests for the PBX."""

    events: tuple[Event, ...] = ()
    requests: tuple[Request, ...] = ()
