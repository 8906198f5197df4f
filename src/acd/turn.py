"""One turn of the floor: the moment at which a message is handled, and what handling it brings about."""

from acd.events import Event
from acd.record import record
from acd.telephony import Request


class Turn:
    """Collects what one message causes, in order. ``now`` is the same for the whole turn."""

    __slots__ = ("events", "now", "requests")

    def __init__(self, now: float) -> None:
        self.now = now
        self.events: list[Event] = []
        self.requests: list[Request] = []

    def emit(self, event: Event) -> None:
        self.events.append(event)

    def ask(self, request: Request) -> None:
        self.requests.append(request)

    def effects(self) -> "Effects":
        """What has come of it."""
        return Effects(tuple(self.events), tuple(self.requests)) if self.events or self.requests else NOTHING


@record
class Effects:
    """What a turn brought about: events for the record, requests for the PBX."""

    events: tuple[Event, ...] = ()
    requests: tuple[Request, ...] = ()


NOTHING = Effects()
