"""A floor with supervisors beside it: a ``World`` whose messages go through the reactor."""

from dataclasses import dataclass, field
from typing import Any

from acd import telephony as t
from acd.commands import DefineQueue, SignIn
from acd.ids import AgentId, CallId, DeviceId, LegId, QueueId, SupervisionId, device_on
from acd.queues import QueueSpec
from acd.supervision_port import Mode, RingSupervisor, Supervise, SupervisorHears, SupervisorUp
from acd.telephony import DeviceState
from acd.turn import Effects
from nobat.reactor import Message, Reactor
from tests.support.world import PBX, World, device
from whisper.commands import StartSupervision
from whisper.policy import Supervisor
from whisper.sessions import Session
from whisper.supervision import Supervision

ANYBODY = Supervisor("t1", "sara", "supervisor")


def phone(number: int) -> DeviceId:
    """A supervisor's."""
    return device_on(PBX, f"PJSIP/supervisor-{number}")


@dataclass
class Shift(World):
    """One floor, its supervisors, and a PBX that is up."""

    supervision: Supervision = field(init=False)
    reactor: Reactor = field(init=False)
    said: list[Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.supervision = Supervision(self.floor)
        self.reactor = Reactor(self.floor, self.supervision)

    @classmethod
    def of(cls, *agents: str, queues: tuple[str, ...] = ("sales",), **queue: object) -> "Shift":
        """Queues, agents who serve all of them and are free, and supervisors' phones 201 to 205."""
        shift = cls()
        phones = [device(agent) for agent in agents] + [phone(number) for number in range(201, 206)]
        shift.do(t.PbxSnapshot(PBX, "boot-1", (), tuple((one, DeviceState.NOT_IN_USE) for one in phones)))
        for position, name in enumerate(queues):
            shift.do(DefineQueue(QueueSpec(QueueId(name), f"80{position:02}", wrap_up_s=0.0, **queue)))  # type: ignore[arg-type]
        for agent in agents:
            shift.hire(agent, *queues)
            shift.do(SignIn(AgentId(agent)))
            shift.now += 1
        return shift

    def do(self, message: Message) -> Effects:  # type: ignore[override]
        self.said.append(message)
        due = self.reactor.next_deadline()
        if due is not None and due <= self.now:
            self._keep(self.reactor.tick(self.now))
        return self._keep(self.reactor.handle(message, self.now))

    def talk(self, agent: str, queue: str = "sales") -> CallId:
        """A caller talks to the agent."""
        call = self.enter(queue)
        self.answer(call, agent)
        self.now += 1
        return call

    def begin(
        self, mode: Mode = Mode.LISTEN, at: int = 201, supervisor: Supervisor = ANYBODY, **target: str
    ) -> SupervisionId:
        """A session whose phone was picked up."""
        wanted = {"agent": AgentId(target["agent"])} if "agent" in target else {"call": CallId(target["call"])}
        self.do(StartSupervision(supervisor, phone(at), mode, **wanted))  # type: ignore[arg-type]
        session = next(reversed(self.supervision.sessions))
        self.do(SupervisorUp(session))
        return session

    def hears(self, session: SupervisionId) -> None:
        """The PBX has done what it was last told."""
        told = self.told(session)
        self.do(SupervisorHears(session, told.mode, told.leg))

    def session(self, session: SupervisionId) -> Session:
        return self.supervision.sessions.get(session) or self.supervision.ended[session]

    def told(self, session: SupervisionId) -> Supervise:
        """The last conversation that it was sent into."""
        return next(one for one in reversed(self.requests) if isinstance(one, Supervise) and one.session == session)

    def asked(self, kind: type, session: SupervisionId) -> int:
        """How often the PBX was asked for something of that kind."""
        return sum(isinstance(one, kind) and getattr(one, "session", None) == session for one in self.requests)

    def phones_rung(self) -> int:
        return sum(isinstance(one, RingSupervisor) for one in self.requests)

    def of_session(self, *kinds: type) -> list[Any]:
        """What happened, of these kinds."""
        return [one for one in self.events if isinstance(one, kinds)]

    def answer_again(self, call: CallId, agent: str) -> None:
        """The agent takes the caller back, on another leg than before."""
        offer = self.offer_of(call).offer
        leg = LegId(f"{PBX}-98{agent}.{call.rpartition('.')[2]}")
        for fact in (
            t.OfferRinging(call, offer, device(agent), leg),
            t.OfferAnswered(call, offer, device(agent), leg),
            t.TalkBegan(call, offer, device(agent), leg),
        ):
            self.do(fact)
