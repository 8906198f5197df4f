"""What Asterisk holds: channels, the ``Dial`` that a caller is in, and the agents' phones. Also the words and causes for them."""

from dataclasses import dataclass, field

from ami import names as n

NORMAL, BUSY, REJECTED, UNAVAILABLE, MOVED, ELSEWHERE, DIED = 16, 17, 21, 19, 23, 26, 44
WAITS, DIALS, PICKED_UP, TALKS, AFTER, ALONE, LED = "waits", "dials", "picked up", "talks", "after", "alone", "led"
PASSED_ON = "is passed on"


@dataclass(eq=False)
class Channel:
    """``step`` counts its moves: what was planned before the last one is dropped."""

    name: str
    uniqueid: str
    number: str = "<unknown>"
    shown: str = "<unknown>"
    up: bool = True
    bridge: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    alive: bool = True
    dying: bool = False
    step: int = 0
    entered_at: float = 0.0
    doing: str = ""
    dial: "Dial | None" = None
    phone: "Phone | None" = None  # of an agent's leg
    caller: "Channel | None" = None  # of an agent's leg: for whom it was dialled
    gone_at: float | None = None
    cut: bool = False  # it ended with Asterisk itself
    talks: int = 0
    talked_s: float = 0.0  # the longest talk that was not cut off by a Hangup of the service's
    talk_began: float = 0.0
    goes_to: tuple[str, str] | None = None  # by a Redirect that it has not noticed yet

    @property
    def call(self) -> str:
        return self.variables.get(n.CALL, "")


@dataclass(eq=False)
class Dial:
    """One ``Dial`` of a caller's: its legs, and whether it still listens to them."""

    caller: Channel
    offer: str
    began_at: float
    legs: list[Channel] = field(default_factory=list)
    open: bool = True
    answered: Channel | None = None
    by_queue: bool = False
    status: str = "NOANSWER"


@dataclass(eq=False)
class Phone:
    """A phone of an agent."""

    device: str
    registered: bool = True
    dead: bool = False  # registered, and does not answer to anything
    legs: list[Channel] = field(default_factory=list)
    told: str = "NOT_INUSE"
    shows: bool = False  # a leg that rings or talks

    @property
    def state(self) -> str:
        if any(leg.alive and leg.up for leg in self.legs) or (self.shows and any(leg.alive for leg in self.legs)):
            return "BUSY"
        return "NOT_INUSE" if self.registered else "UNAVAILABLE"
