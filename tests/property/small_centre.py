"""A small contact centre that is driven at random: two PBXs, three queues, six agents, and everything that can be redefined.

It is the PBXs' side of ``test_routing_model``: it holds who is there, tells the floor's facts, and keeps what came back.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from acd import commands as c
from acd import telephony as t
from acd.agents import AgentSpec
from acd.directory import CallerProfile
from acd.errors import AcdError
from acd.floor import Floor
from acd.ids import AgentId, CallId, DeviceId, LegId, OfferId, PbxId, QueueId, device_on
from acd.queues import MissPolicy, QueueSpec
from acd.skills import Needs, RelaxStep
from acd.strategies import STRATEGIES
from acd.telephony import DeviceState, Fact, LegStage, MissCause, SnapshotCall
from acd.turn import Effects

PBXS = (PbxId("p1"), PbxId("p2"))
NUMBERS = {QueueId("q1"): "8001", QueueId("q2"): "8002", QueueId("q3"): "8003"}
AGENTS = tuple(AgentId(str(number)) for number in range(101, 107))
CALLERS = tuple(f"091200000{number}" for number in range(5))
SKILLS: tuple[Needs, ...] = ((), (), (), (("en", 1),), (("en", 2),), (("de", 1), ("en", 1)))
START = 1_700_000_000.0


@dataclass
class Caller:
    """A caller's channel, as its PBX knows it."""

    entered: t.CallEntered
    stage: LegStage = LegStage.WAITING
    offer: OfferId | None = None
    ringing: list[DeviceId] = field(default_factory=list)
    talking_to: DeviceId | None = None


Script = list[tuple[Fact | c.Command | None, float]]


class SmallCentre:
    """``steps`` random steps. ``heard`` is called after each turn with its effects."""

    def __init__(self, seed: int, heard: Callable[[Effects], None] = lambda _: None) -> None:
        self.dice, self.heard = Random(seed), heard
        self.floor, self.now, self.serial = Floor(), START, 0
        self.callers: dict[CallId, Caller] = {}
        self.elsewhere: dict[DeviceId, DeviceState] = {}
        self.linked: set[PbxId] = set()
        self.queues: dict[QueueId, QueueSpec] = {}
        self.agents: dict[AgentId, AgentSpec] = {}
        self.script: Script = []
        self.look: Callable[[], None] = lambda: None
        for number, agent in enumerate(CALLERS[:2]):
            skills = SKILLS[self.dice.randrange(len(SKILLS))]
            profile = CallerProfile(
                None, "vip", number, skills, None, AGENTS[number] if self.dice.random() < 0.5 else None
            )
            self.tell(c.PutCallers(((agent, profile),)))
        for pbx in PBXS:
            self.link(pbx)
        for queue in NUMBERS:
            self.define_queue(queue)
        for agent in AGENTS:
            self.define_agent(agent)
            self.tell(c.SignIn(agent))

    # ------------------------------------------------ plumbing

    def tell(self, *messages: Fact | c.Command) -> None:
        """Hand over messages; what is due is done before each, and what the turn asked for is carried out."""
        for message in messages:
            due = self.floor.next_deadline()
            if due is not None and due <= self.now:
                self.tick()
            try:
                effects = self.floor.handle(message, self.now)
            except AcdError:
                assert isinstance(message, c.Command)
                continue
            self.script.append((message, self.now))
            self.carry_out(effects)

    def tick(self) -> None:
        """One turn for what is due."""
        effects = self.floor.tick(self.now)
        self.script.append((None, self.now))
        self.carry_out(effects)

    def carry_out(self, effects: Effects) -> None:
        """The offers reach the PBX at once; then the looker looks, and readers may read."""
        for request in effects.requests:
            if isinstance(request, t.Offer):
                caller = self.callers[request.call]
                assert caller.stage is LegStage.WAITING, "a Redirect would cut this caller off"
                caller.stage, caller.offer, caller.ringing = LegStage.OFFERED, request.offer, list(request.targets)
        self.heard(effects)
        self.look()
        for request in effects.requests:
            if isinstance(request, t.Withdraw):
                self.drop(request.call, self.some(self.callers[request.call].ringing), MissCause.CANCELLED)
            elif isinstance(request, t.ReturnToLine):
                self.callers[request.call].stage = LegStage.WAITING
            elif isinstance(request, t.HangUp):
                self.leave(next((call for call, one in self.callers.items() if one.entered.leg == request.leg), None))

    def some(self, among: "list[DeviceId]") -> DeviceId | None:
        return self.dice.choice(among) if among else None

    def caller(self, *stages: LegStage) -> CallId | None:
        """Any caller whose PBX can be heard."""
        found = [one for one, it in self.callers.items() if it.stage in stages and self.pbx(one) in self.linked]
        return self.dice.choice(found) if found else None

    @staticmethod
    def pbx(call: CallId) -> PbxId:
        return PbxId(call.partition("-")[0])

    def state(self, device: DeviceId) -> DeviceState:
        """What the PBX says of a phone."""
        for caller in self.callers.values():
            if device in caller.ringing:
                return DeviceState.RINGING
            if device == caller.talking_to:
                return DeviceState.IN_USE
        return self.elsewhere.get(device, DeviceState.NOT_IN_USE)

    def changed(self, device: DeviceId) -> None:
        if device.partition("/")[0] in self.linked:
            self.tell(t.DeviceChanged(device, self.state(device)))

    # ------------------------------------------------ what can happen

    def step(self) -> None:
        """One thing happens."""
        names = [name for name, weight in STEPS.items() for _ in range(weight)]
        getattr(self, self.dice.choice(names))()

    def enter(self) -> None:
        dice, pbx = self.dice, self.dice.choice(sorted(self.linked) or PBXS)
        for _ in range(dice.choice((1, 1, 1, 4))):
            self.serial += 1
            call = CallId(f"{pbx}-{int(self.now * 1000)}.{self.serial}")
            leg = LegId(f"{pbx}-{int(self.now)}.{self.serial}")
            number = dice.choice((*CALLERS, None))
            at = self.now - dice.choice((0.0, 0.0, 1.0, 40.0))
            fact = t.CallEntered(
                call, leg, dice.choice(list(NUMBERS)), at, self.serial, dice.choice((0, 0, 1)), number, None
            )
            if fact.queue_key not in self.queues:
                continue
            self.callers[call] = Caller(fact)
            if pbx in self.linked:
                self.tell(fact)

    def leave(self, call: CallId | None = None) -> None:
        call = call or self.caller(*LegStage)
        if call is not None and call in self.callers:
            caller = self.callers.pop(call)
            self.tell(t.CallGone(call, 16))
            for device in filter(None, (*caller.ringing, caller.talking_to)):
                self.changed(device)

    def drop(self, call: CallId | None, device: DeviceId | None, cause: MissCause) -> None:
        if call is None or device is None or call not in self.callers:
            return
        caller = self.callers[call]
        assert caller.offer is not None
        caller.ringing.remove(device)
        facts: list[Fact] = [t.OfferMissed(call, caller.offer, device, cause)]
        if not caller.ringing:
            caller.stage = LegStage.WAITING
            facts.append(t.OfferEnded(call, caller.offer))
        facts.append(t.DeviceChanged(device, self.state(device)))
        if self.pbx(call) in self.linked:
            self.tell(*facts)

    def miss(self) -> None:
        call = self.caller(LegStage.OFFERED)
        if call is not None:
            cause = self.dice.choice((MissCause.NO_ANSWER, MissCause.REJECTED, MissCause.REJECTED, MissCause.BUSY))
            self.drop(call, self.some(self.callers[call].ringing), cause)

    def answer(self) -> None:
        call = self.caller(LegStage.OFFERED)
        if call is None:
            return
        caller = self.callers[call]
        device = self.dice.choice(caller.ringing)
        others = [other for other in caller.ringing if other != device]
        caller.ringing, caller.stage, caller.talking_to = [], LegStage.TALKING, device
        assert caller.offer is not None
        leg = LegId(f"{self.pbx(call)}-9.{self.serial}")
        for other in others:
            self.tell(t.OfferMissed(call, caller.offer, other, MissCause.CANCELLED))
            self.changed(other)
        if call in self.callers and caller.stage is LegStage.TALKING:
            self.tell(t.TalkBegan(call, caller.offer, device, leg))
            self.changed(device)

    def agent_ends(self) -> None:
        call = self.caller(LegStage.TALKING)
        if call is not None:
            caller = self.callers[call]
            device, caller.talking_to, caller.stage = caller.talking_to, None, LegStage.AFTER
            assert device is not None
            assert caller.offer is not None
            self.changed(device)
            self.tell(t.CallerFreed(call, caller.offer))

    def refuse(self) -> None:
        """The PBX did not take an offer."""
        call = self.caller(LegStage.OFFERED)
        if call is not None:
            caller = self.callers[call]
            assert caller.offer is not None
            request = t.Offer(call, caller.entered.leg, caller.offer, tuple(caller.ringing), 15)
            caller.stage, caller.ringing = LegStage.WAITING, []
            self.tell(t.RequestFailed(request, t.RequestFailure.REFUSED))

    def phone(self) -> None:
        device = device_on(self.dice.choice(PBXS), f"PJSIP/{self.dice.choice(AGENTS)}")
        free, busy, away = DeviceState.NOT_IN_USE, DeviceState.IN_USE, DeviceState.UNAVAILABLE
        state = self.dice.choice((free, free, free, busy, away))
        self.elsewhere[device] = state
        self.changed(device)

    def choose(self) -> None:
        agent = self.dice.choice(AGENTS)
        self.tell(
            self.dice.choice(
                (
                    c.SignOut(agent),
                    c.TakeBreak(agent, "tea"),
                    c.BecomeAvailable(agent),
                    c.BecomeAvailable(agent),
                    c.EndWrapUp(agent),
                )
            )
        )

    def sign_in(self) -> None:
        agent = self.dice.choice(AGENTS)
        device = device_on(self.dice.choice(PBXS), f"PJSIP/{agent}")
        self.tell(c.SignIn(agent, device if self.dice.random() < 0.5 else None))

    def amend(self) -> None:
        if self.callers:
            self.tell(c.AmendCall(self.dice.choice(list(self.callers)), self.dice.choice((0, 1, 2, -1))))

    def define_queue(self, queue: QueueId | None = None) -> None:
        dice = self.dice
        queue = queue or dice.choice(list(NUMBERS))
        relax = tuple(RelaxStep(after, dice.choice(SKILLS)) for after in (2.0, 30.0)[: dice.choice((0, 1, 2))])
        spec = QueueSpec(
            queue, NUMBERS[queue], strategy=dice.choice(sorted(STRATEGIES)), priority_s=dice.choice((0.0, 3.0, 300.0)),
            wrap_up_s=dice.choice((0.0, 2.0)), rest_s=dice.choice((0.0, 2.0, 5.0)), skills=dice.choice(SKILLS), relax=relax,
            sticky_s=dice.choice((0.0, 0.0, 5.0)), misses=MissPolicy(0, 0, dice.choice((0, 3)), 0),
        )  # fmt: skip
        self.queues[queue] = spec
        self.tell(c.DefineQueue(spec))

    def remove_queue(self) -> None:
        queue = self.dice.choice(list(NUMBERS))
        self.tell(c.RemoveQueue(queue))
        if queue not in self.floor.queues:
            self.queues.pop(queue, None)

    def define_agent(self, agent: AgentId | None = None) -> None:
        dice = self.dice
        agent = agent or dice.choice(AGENTS)
        queues = tuple(queue for queue in NUMBERS if dice.random() < 0.6)
        spec = AgentSpec(
            agent, device=device_on(dice.choice(PBXS), f"PJSIP/{agent}"), queues=queues,
            skills=(("de", dice.randrange(3)), ("en", dice.randrange(3))),
            weights=tuple((queue, 3) for queue in queues[:1]), ranks=tuple((queue, dice.randrange(3)) for queue in queues),
        )  # fmt: skip
        self.agents[agent] = spec
        self.tell(c.DefineAgent(spec))

    def remove_agent(self) -> None:
        agent = self.dice.choice(AGENTS)
        self.tell(c.RemoveAgent(agent))
        if agent not in self.floor.agents:
            self.agents.pop(agent, None)

    def link(self, pbx: PbxId | None = None) -> None:
        """A PBX is heard again, or looked at anew: the snapshot says what is true."""
        pbx = pbx or self.dice.choice(PBXS)
        self.linked.add(pbx)
        there = {call: one for call, one in self.callers.items() if self.pbx(call) == pbx}
        calls = tuple(
            SnapshotCall(one.entered, one.stage, one.offer, one.talking_to, None, self.now if one.talking_to else None)
            for one in there.values()
            if one.entered.queue_key in self.queues
        )
        phones = [device_on(pbx, f"PJSIP/{agent}") for agent in AGENTS]
        self.tell(t.PbxSnapshot(pbx, "boot", calls, tuple((phone, self.state(phone)) for phone in phones)))
        for call, one in there.items():
            for device in list(one.ringing):
                if one.offer is not None:
                    self.tell(t.OfferRinging(call, one.offer, device, LegId(f"{pbx}-8.{self.serial}")))

    def unlink(self) -> None:
        pbx = self.dice.choice(PBXS)
        if pbx in self.linked and self.dice.random() < 0.5:
            self.linked.discard(pbx)
            self.tell(t.LinkDown(pbx, "reset"))

    def wait(self) -> None:
        """Time passes, from deadline to deadline or in one leap over several."""
        end = self.now + self.dice.choice((0.1, 1.0, 1.0, 3.0, 31.0))
        if self.dice.random() < 0.3:
            self.now = end
        self.quiet(end)
        self.now = end

    def quiet(self, end: float) -> None:
        """Turn after turn, until nothing is due."""
        for _ in range(10_000):
            due = self.floor.next_deadline()
            if due is None or due > end:
                return
            self.now = max(self.now, due)
            self.tick()
        raise AssertionError("the floor never comes to rest")


STEPS = {
    "enter": 12, "leave": 3, "miss": 5, "answer": 9, "agent_ends": 9, "refuse": 1, "phone": 3, "choose": 3, "sign_in": 6,
    "amend": 2, "define_queue": 1, "remove_queue": 1, "define_agent": 2, "remove_agent": 1, "link": 1, "unlink": 1, "wait": 9,
}  # fmt: skip


def replayed(
    script: Script, read: Callable[[Floor, float], None] = lambda _floor, _now: None
) -> tuple[Floor, list[Effects]]:
    """The same messages told to a new floor, with a reader who reads after each."""
    floor, effects = Floor(), []
    for message, now in script:
        effects.append(floor.tick(now) if message is None else floor.handle(message, now))
        read(floor, now)
    return floor, effects


__all__ = ["AGENTS", "NUMBERS", "PBXS", "START", "Caller", "Script", "SmallCentre", "replayed"]
