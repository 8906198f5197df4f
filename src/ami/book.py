"""What the tracker remembers of the calls on one PBX, and nothing longer than they live.

Plain records and the indexes over them; ``ami.tracker`` decides what goes in and out. A ring of the last legs that went keeps
a late repetition of their events from bringing them back.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from acd.consult_port import ConsultStage
from acd.ids import AttemptId, CallId, DeviceId, LegId, OfferId
from acd.telephony import AgentLegGone, CallEntered, PbxSnapshot
from ami.events import Event
from ami.identity import CallName

GONE_KEPT = 8_192


@dataclass(slots=True)
class AgentLeg:
    """A phone's leg that an offer dialled."""

    leg: LegId
    channel: str
    device: DeviceId
    call: CallId
    offer: OfferId
    hangup_asked: bool = False
    refusal: int | None = None  # the HangupRequest's cause
    by_us: bool = False
    cancelled: bool = False  # its DialEnd said CANCEL, and why is not known yet
    held: bool = False  # it has put the other side on hold
    holds: deque[str] = field(default_factory=lambda: deque(maxlen=4))  # timestamps, to know a repetition


@dataclass(slots=True)
class LiveOffer:
    """The offer that is out for a call. ``open``: targets of which nothing final is known yet."""

    id: OfferId
    open: dict[DeviceId, LegId | None]
    answered: AgentLeg | None = None
    fallback: bool = False  # app_queue serves the caller: it rings whom it likes
    begun: bool = False  # a phone was dialled
    on_its_way: bool = False  # a look found it told to the channel, and the caller still in the wait loop
    talking: bool = False
    end: AgentLegGone | None = None  # heard before the caller's side of the story, and not said yet
    passed_to: str = ""  # the agent has passed the caller on, before it was heard that there is a conversation
    over: bool = False  # AcdAfter was seen
    freed: bool = False  # and said


@dataclass(slots=True)
class Aside:
    """A consult: the agent who has the caller asks somebody else. ``rung`` is that one's leg, from its first ringing on."""

    id: OfferId
    asked: str
    asker: AgentLeg
    target: DeviceId | None
    stage: ConsultStage
    in_line: bool = False
    rung: AgentLeg | None = None
    tried: bool = False  # this target: it was said that it will not be taken


@dataclass(slots=True)
class LiveCall:
    """A caller. While ``asked`` is set Asterisk is being asked about the channel and the call's events wait in ``inbox``."""

    name: CallName
    channel: str
    dialled: str
    entered: CallEntered | None = None  # what the domain was told of who it is
    asked: bool = False
    inbox: deque[Event] = field(default_factory=deque)
    offer: LiveOffer | None = None
    legs: set[LegId] = field(default_factory=set)  # the phones' legs of all its offers
    touched: int = 0  # the last look at everything that was begun before something was heard or asked of this call
    doubt: str | None = None  # what that look showed that events have not told
    bridge: str | None = None
    left_bridge: str | None = None
    held: bool = False  # and the domain knows it
    led: bool = False  # away from the line, for good
    aside: Aside | None = None
    ask: str | None = None  # the question that the caller has put, until it is answered or he is moved
    number: str = ""  # as the entry told it; what the channel itself says is better

    @property
    def id(self) -> CallId:
        return self.name.id

    @property
    def leg(self) -> LegId:
        return self.name.leg


@dataclass(frozen=True, slots=True)
class AskingPhone:
    """A phone that has dialled a code. ``since``: the look at everything that was the last before."""

    channel: str
    since: int = 0


@dataclass(frozen=True, slots=True)
class AttemptLeg:
    """A channel by which a customer is being called back. ``since``: the look at everything that was the last before."""

    channel: str
    since: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that Asterisk holds now: what the domain is told, and the records to go on from."""

    fact: PbxSnapshot
    calls: tuple[LiveCall, ...]
    legs: tuple[AgentLeg, ...]
    asking: Mapping[LegId, AskingPhone]
    supervisors: Mapping[LegId, str] = field(default_factory=dict)  # their channels
    attempts: Mapping[AttemptId, AttemptLeg] = field(default_factory=dict)


class Book:
    """The calls and legs that live, found by any of their names."""

    def __init__(self) -> None:
        self.calls: dict[CallId, LiveCall] = {}
        self.callers: dict[LegId, LiveCall] = {}
        self.agents: dict[LegId, AgentLeg] = {}
        self.asking: dict[LegId, AskingPhone] = {}
        self.attempts: dict[AttemptId, AttemptLeg] = {}
        self.expected: dict[LegId, LiveCall] = {}  # legs whose DialBegin waits in their call's inbox
        self._gone: dict[LegId, None] = {}  # the latest at the end

    def add(self, call: LiveCall) -> None:
        self.calls[call.id] = call
        self.callers[call.leg] = call

    def replace(self, calls: Sequence[LiveCall], legs: Sequence[AgentLeg], asking: Mapping[LegId, AskingPhone]) -> None:
        """Only these live. Every other leg that was known is gone, so that nothing late can bring it back."""
        for call in calls:
            _carry_over(self.calls.get(call.id), call)
        for agent in legs:
            _carry_over_leg(self.agents.get(agent.leg), agent)
        alive = {*(call.leg for call in calls), *(leg.leg for leg in legs), *asking}
        for leg in (*self.callers, *self.agents, *self.asking):
            if leg not in alive:
                self._remember(leg)
        for index in (self.calls, self.callers, self.agents, self.asking, self.expected):
            index.clear()
        for call in calls:
            self.add(call)
        for agent in legs:
            self.add_leg(self.calls[agent.call], agent)
        self.asking.update(asking)

    def add_leg(self, call: LiveCall, leg: AgentLeg) -> None:
        self.agents[leg.leg] = leg
        call.legs.add(leg.leg)

    def swap(self, old: LiveCall, new: LiveCall, legs: Sequence[AgentLeg]) -> None:
        """Take ``new`` with ``legs`` in the place of ``old``, the same caller."""
        _carry_over(old, new)
        alive = {leg.leg for leg in legs}
        for agent in legs:
            _carry_over_leg(self.agents.get(agent.leg), agent)
        for leg in tuple(old.legs - alive):
            self.remove_leg(leg)
        self.add(new)
        for agent in legs:
            self.add_leg(new, agent)

    def remove_call(self, call: LiveCall) -> None:
        """Forget a call and every leg of it."""
        self.calls.pop(call.id, None)
        self.callers.pop(call.leg, None)
        self._remember(call.leg)
        for leg in tuple(call.legs):
            self.remove_leg(leg)

    def remove_leg(self, leg: LegId) -> None:
        agent = self.agents.pop(leg, None)
        if agent is not None and agent.call in self.calls:
            self.calls[agent.call].legs.discard(leg)
        self.asking.pop(leg, None)
        self._remember(leg)

    def is_gone(self, leg: LegId) -> bool:
        """Whether this leg was seen to go, not too long ago."""
        return leg in self._gone

    def channel_of(self, leg: LegId) -> str | None:
        """The channel's exact name of a leg that lives."""
        caller = self.callers.get(leg)
        if caller is not None:
            return caller.channel
        agent = self.agents.get(leg) or self.asking.get(leg)
        return agent.channel if agent is not None else None

    def forget_gone(self) -> None:
        """Asterisk was restarted: its ids may come again."""
        self._gone.clear()

    def size(self) -> int:
        """Records of living things: zero on an idle PBX."""
        return (
            len(self.calls)
            + len(self.callers)
            + len(self.agents)
            + len(self.asking)
            + len(self.expected)
            + len(self.attempts)
        )

    def _remember(self, leg: LegId) -> None:
        self._gone[leg] = None
        if len(self._gone) > GONE_KEPT:  # some at once: a dict is slow to find its oldest
            for old in list(islice(self._gone, GONE_KEPT // 16)):
                del self._gone[old]


def _carry_over(old: LiveCall | None, new: LiveCall) -> None:
    """What a snapshot cannot see of a call that was known before: hold, and what was already said of its offer."""
    if old is None or old.offer is None:
        return
    new.held = new.held or (old.held and old.aside is None)
    if new.offer is not None and new.offer.id == old.offer.id:
        new.offer.open = {device: leg for device, leg in new.offer.open.items() if device in old.offer.open}
        new.offer.begun = new.offer.begun or old.offer.begun
        new.offer.talking = new.offer.talking or old.offer.talking
        new.offer.over, new.offer.freed, new.offer.end = old.offer.over, old.offer.freed, old.offer.end


def _carry_over_leg(old: AgentLeg | None, new: AgentLeg) -> None:
    if old is not None:
        new.hangup_asked, new.refusal, new.by_us, new.cancelled = (
            old.hangup_asked,
            old.refusal,
            old.by_us,
            old.cancelled,
        )
        new.held, new.holds = old.held, old.holds
