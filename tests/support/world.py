"""A floor and the words to move it: what the tests of the core are written in.

``World`` holds a floor, a clock that only the test moves, and everything that came out of it. Each verb is one message.
"""

from dataclasses import dataclass, field

from acd import picture
from acd import telephony as t
from acd.agents import AgentSpec
from acd.commands import Command, DefineAgent, DefineQueue, SignIn
from acd.events import Event
from acd.floor import Floor
from acd.ids import AgentId, CallId, DeviceId, LegId, OfferId, PbxId, QueueId, device_on
from acd.queues import QueueSpec
from acd.telephony import DeviceState, Fact, MissCause, Offer, Request
from acd.turn import Effects
from acd.views import AgentView, CallView

PBX = PbxId("pbx1")
SALES = QueueId("sales")
START = 1_700_000_000.0


def device(agent: str) -> DeviceId:
    """The phone that agent ``101`` is signed in at."""
    return device_on(PBX, f"PJSIP/agent-{agent}")


@dataclass
class World:
    """One floor with its PBX up."""

    floor: Floor = field(default_factory=Floor)
    now: float = START
    events: list[Event] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    log: list[tuple[Fact | Command, float]] = field(default_factory=list)
    serial: int = 0

    @classmethod
    def with_agents(cls, *agents: str, **queue: object) -> "World":
        """A world with the queue ``sales``, these agents signed in and free, and their phones registered."""
        world = cls()
        world.do(t.PbxSnapshot(PBX, "boot-1", (), tuple((device(agent), DeviceState.NOT_IN_USE) for agent in agents)))
        world.do(DefineQueue(QueueSpec(SALES, "8000", **queue)))  # type: ignore[arg-type]
        for agent in agents:
            world.hire(agent)
            world.do(SignIn(AgentId(agent)))
            world.now += 1
        return world

    def hire(self, agent: str, *queues: str, **spec: object) -> None:
        """Define an agent with a phone of the own."""
        names = tuple(QueueId(name) for name in queues) or (SALES,)
        self.do(DefineAgent(AgentSpec(AgentId(agent), device=device(agent), queues=names, **spec)))  # type: ignore[arg-type]

    def do(self, message: Fact | Command) -> Effects:
        """Hand the floor one message."""
        self.log.append((message, self.now))
        due = self.floor.next_deadline()
        if due is not None and due <= self.now:
            self._keep(self.floor.tick(self.now))
        return self._keep(self.floor.handle(message, self.now))

    def wait(self, seconds: float) -> Effects:
        """Let time pass, stopping at each deadline as the engine would."""
        end = self.now + seconds
        effects = Effects()
        while (deadline := self.floor.next_deadline()) is not None and deadline <= end:
            self.now = max(self.now, deadline)
            effects = self._keep(self.floor.tick(self.now))
        self.now = end
        return effects

    def _keep(self, effects: Effects) -> Effects:
        self.events.extend(effects.events)
        self.requests.extend(effects.requests)
        return effects

    # ------------------------------------------------ callers

    def enter(
        self, queue: str = "sales", *, priority: int = 0, number: str = "0912000", entered_at: float | None = None
    ) -> CallId:
        """A caller joins a line."""
        self.serial += 1
        fact = self.entry(queue, priority=priority, number=number, entered_at=entered_at)
        self.do(fact)
        return fact.call

    def entry(
        self, queue: str = "sales", *, priority: int = 0, number: str = "0912000", entered_at: float | None = None
    ) -> t.CallEntered:
        """The fact of an entry, as the PBX would tell it."""
        at = self.now if entered_at is None else entered_at
        call = CallId(f"{PBX}-{int(at * 1000)}.{self.serial}")
        return t.CallEntered(
            call, LegId(f"{PBX}-{int(at)}.{self.serial}"), queue, at, self.serial, priority, number, "آرش"
        )

    def hang_up(self, call: CallId) -> Effects:
        """The caller leaves."""
        return self.do(t.CallGone(call, 16))

    # ------------------------------------------------ phones

    def offer_of(self, call: CallId) -> Offer:
        """The last offer made for a caller."""
        return next(one for one in reversed(self.requests) if isinstance(one, Offer) and one.call == call)

    def rung(self, call: CallId) -> tuple[str, ...]:
        """The agents whose phones ring for a caller now."""
        return self.call(call).offered_to

    def leg(self, call: CallId, agent: str) -> LegId:
        return LegId(f"{PBX}-99{agent}.{call.rpartition('.')[2]}")

    def ring(self, call: CallId, agent: str) -> Effects:
        return self.do(t.OfferRinging(call, self.offer_of(call).offer, device(agent), self.leg(call, agent)))

    def miss(self, call: CallId, agent: str, cause: MissCause = MissCause.NO_ANSWER) -> Effects:
        """One phone does not take the call, and with it the offer is over."""
        offer = self.offer_of(call).offer
        self.do(t.OfferMissed(call, offer, device(agent), cause))
        return self.do(t.OfferEnded(call, offer))

    def answer(self, call: CallId, agent: str) -> Effects:
        """A phone is picked up and the two hear each other."""
        offer = self.offer_of(call).offer
        self.ring(call, agent)
        self.do(t.OfferAnswered(call, offer, device(agent), self.leg(call, agent)))
        return self.do(t.TalkBegan(call, offer, device(agent), self.leg(call, agent)))

    def agent_hangs_up(self, call: CallId, agent: str) -> Effects:
        """The agent ends the conversation; the caller is hung up afterwards and is gone."""
        gone = self.do(t.AgentLegGone(call, self.leg(call, agent), device(agent), 16, hung_up=True, fault=False))
        self.do(t.CallerFreed(call, OfferId(self.offer_of(call).offer)))
        self.do(t.CallGone(call, 16))
        return gone

    def phone(self, agent: str, state: DeviceState) -> Effects:
        return self.do(t.DeviceChanged(device(agent), state))

    # ------------------------------------------------ looking

    def call(self, call: CallId) -> CallView:
        return picture.call(self.floor, call, self.now)

    def agent(self, agent: str) -> AgentView:
        return picture.agent(self.floor, AgentId(agent), self.now)

    def line(self, queue: str = "sales") -> list[CallId]:
        return [entry.call for entry in picture.line(self.floor, QueueId(queue), self.now)]

    def of(self, kind: type) -> list[Event]:
        """The events of one kind so far."""
        return [event for event in self.events if isinstance(event, kind)]
