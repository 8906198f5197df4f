"""A PBX in memory behind the same interface as ``ami.pbx.Pbx``, for tests of the service.

The truth (callers, phones, offers, the order of facts) is ``tests.property.model_consult``; here it gets a link like the real
one's: a snapshot when it comes up, facts afterwards, nothing while it is down, requests carried out a moment after they were
sent and never inside ``send``. It outlives the service, as Asterisk does: ``link`` attaches the next one.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from enum import Enum

from acd import callback_port as cb
from acd import consult_port as p
from acd import telephony as t
from acd.callback_policy import AttemptResult
from acd.ids import AttemptId, CallId, DeviceId, LegId, OfferId, PbxId, device_on
from acd.recording_port import Silence, Silenced
from acd.supervision_port import EndSupervision, Quieten, RingSupervisor, Supervise, SupervisionRequest
from acd.surveys import AskCaller
from ami.health import Health, HealthState, Observer
from ami.outputs import Asked, CallerAsked, PhoneAsked
from nobat.ports import Deliver
from tests.property.model_consult import ConsultingPbx
from tests.property.model_pbx import Channel


class Manner(Enum):
    """What a phone does when it is rung."""

    SILENT = "silent"  # rings until somebody picks up
    ANSWERS = "answers"
    REJECTS = "rejects"
    BUSY = "busy"
    UNREGISTERED = "unregistered"


_REFUSALS = {
    Manner.REJECTS: t.MissCause.REJECTED,
    Manner.BUSY: t.MissCause.BUSY,
    Manner.UNREGISTERED: t.MissCause.UNREACHABLE,
}


class MemoryPbx:
    """One PBX. Methods named after people do what people do."""

    def __init__(self, now: Callable[[], float], name: str = "pbx1") -> None:
        self.name = PbxId(name)
        self.world = ConsultingPbx()
        self.manners: dict[DeviceId, Manner] = {}
        self.requests: list[t.Request] = []
        self.numbers: dict[str, str] = {}
        self.titles: dict[str, str] = {}
        self.told_numbers = False
        self.sounds: dict[str, tuple[str, str]] = {}
        self.pauses: dict[tuple[str, str], bool] = {}
        self.replies: dict[str, str] = {}
        self.silent: dict[CallId, bool] = {}  # whose recording keeps nothing now
        self.asked: list[CallId] = []  # what they thought of it
        self.markers: dict[
            AttemptId, cb.AttemptStage | AttemptResult
        ] = {}  # AstDB: what became of attempts to call back
        self.answers: dict[str, tuple[str, tuple[str, ...]]] = {}
        self.refuses: t.RequestFailure | None = None
        self._now = now
        self._serial = 0
        self._link: MemoryLink | None = None
        self._up = True

    # ------------------------------------------------------------ the link

    def link(self, deliver: Deliver, observer: Observer) -> "MemoryLink":
        """Attach a service."""
        self._link = MemoryLink(self, deliver, observer)
        return self._link

    def lose_link(self, reason: str = "connection_refused", state: HealthState = HealthState.DOWN) -> None:
        """The connection breaks; calls go on."""
        self._up = False
        if self._link is not None:
            self._link.down(state, reason)

    def restore_link(self) -> None:
        """The connection is back."""
        self._up = True
        if self._link is not None:
            self._link.up()

    def restart(self) -> None:
        """Asterisk is killed and started again: all calls are gone."""
        self.lose_link()
        self.world.restart()
        self.restore_link()

    @property
    def is_up(self) -> bool:
        return self._up

    def say(self, facts: Sequence[t.Fact | Asked]) -> None:
        """Facts reach the service only while the link is up."""
        if self._link is not None and self._up and self._link.running:
            for fact in (*facts, *self.world.supervisors.loosened(self.world.talking())):
                self._link.deliver(fact)

    # ------------------------------------------------------------ phones and callers

    def phone(self, dial_string: str, manner: Manner = Manner.SILENT) -> DeviceId:
        """Register a phone, or change its manner."""
        device = device_on(self.name, dial_string)
        self.manners[device] = manner
        self.world.registered[device] = manner is not Manner.UNREGISTERED
        self.say([self.world.changed(device)])
        return device

    def caller(
        self, dialled: str, number: str | None = "4930123456", name: str | None = None, priority: int = 0
    ) -> CallId:
        """Somebody dials in. As in the dialplan, a number that is nobody's is sent away before it is answered."""
        now_ms = int(self._now() * 1000)
        self._serial += 1
        call = CallId(f"{self.name}-{now_ms}.{self._serial}")
        if self.told_numbers and not self.numbers.get(dialled):
            return call
        leg = LegId(f"{self.name}-{now_ms // 1000}.{self._serial}")
        key = self.numbers.get(dialled, dialled)
        entered = t.CallEntered(call, leg, key, now_ms / 1000, self._serial, priority, number, name)
        self.world.channels[call] = Channel(entered)
        self.say([entered])
        return call

    def stage(self, call: CallId) -> t.LegStage | None:
        """Where the caller is in the dialplan; None when gone."""
        channel = self.world.channels.get(call)
        return channel.stage if channel is not None else None

    def ringing(self, call: CallId) -> list[DeviceId]:
        return list(self.world.channels[call].ringing)

    def pick_up(self, call: CallId, device: DeviceId | None = None) -> None:
        """A ringing phone is answered and both hear each other."""
        phone = device if device is not None else self.ringing(call)[0]
        self.say(self.world.pick_up(call, phone))
        self.say(self.world.bridge(call, self._now()))

    def let_ring_out(self, call: CallId) -> None:
        """The ring time is over."""
        for device in self.ringing(call):
            self.say(self.world.miss(call, device, t.MissCause.NO_ANSWER))

    def agent_hangs_up(self, call: CallId, *, fault: bool = False) -> None:
        self.say(self.world.agent_leaves(call, fault=fault))

    def caller_hangs_up(self, call: CallId) -> None:
        self.say(self.world.caller_leaves(call))

    # ------------------------------------------------------------ customers who are called back

    def dialled(self) -> list[cb.DialCustomer]:
        """All attempts that were asked for."""
        return [request for request in self.requests if isinstance(request, cb.DialCustomer)]

    def not_reached(self, attempt: AttemptId, result: AttemptResult) -> None:
        self.markers[attempt] = result
        self.say([cb.AttemptEnded(attempt, result)])

    def presses_one(self, dial: cb.DialCustomer) -> CallId:
        """The customer has picked up, and is a caller from now on."""
        self.markers[dial.attempt] = cb.AttemptStage.ON
        now_ms = int(self._now() * 1000)
        self._serial += 1
        call, leg = (
            CallId(f"{self.name}-{now_ms}.{self._serial}"),
            LegId(f"{self.name}-{now_ms // 1000}.{self._serial}"),
        )
        entered = t.CallEntered(
            call, leg, dial.queue, now_ms / 1000, self._serial, dial.priority, dial.number, None, place_since=dial.since,
            attempt=dial.attempt,
        )  # fmt: skip
        self.world.channels[call] = Channel(entered)
        self.say([entered])
        return call

    def dials_code(self, dial_string: str, kind: str, agent: str = "", pin: str = "", reason: str = "") -> str:
        """A phone dials ``*11`` … ``*15``; the id under which the answer will be found in ``replies``."""
        self._serial += 1
        ask = f"{self.name}-{int(self._now())}.{self._serial}"
        self.say([PhoneAsked(ask, device_on(self.name, dial_string), kind, agent, pin, reason)])
        return ask

    def caller_asks(self, call: CallId, kind: str, keyed: str = "", code: str = "") -> str:
        """A waiting caller has pressed keys; the id under which what he hears will be found in ``answers``."""
        self._serial += 1
        ask = f"{self.world.channels[call].entered.leg}.{self._serial}"
        self.say([CallerAsked(call, ask, kind, keyed, code)])
        return ask

    # ------------------------------------------------------------ requests

    def carry_out(self, request: t.Request) -> None:
        """What Asterisk does with a request, a moment after it was sent."""
        self.requests.append(request)
        if self.refuses is not None:
            self.say([t.RequestFailed(request, self.refuses)])
            return
        match request:
            case t.Offer():
                self._offer(request)
            case t.HangUp():
                self._hang_up(request)
            case t.Withdraw():
                self._withdraw(request.call, request.offer, request.legs)
            case t.ReturnToLine():
                self.say(self.world.back_in_line(request))
            case t.Place() | t.Lead():
                self._lead(request)
            case t.Resync():
                self.say([self.world.snapshot()])
            case t.Announce() if self.stage(request.call) is t.LegStage.WAITING:
                self.world.announce(request)
                self.say(self.world.speak())
            case t.Mark():
                self.world.mark(request)
            case cb.DialCustomer():
                self.markers[request.attempt] = cb.AttemptStage.DIALLING
                self.say([cb.AttemptNews(request.attempt, cb.AttemptStage.DIALLING)])
            case cb.ReadAttempt():
                self.say([cb.AttemptRead(request.attempt, self.markers.get(request.attempt))])
            case p.Consult():
                self.say(self.world.consult(request))
            case p.MoveConsult():
                self.say(self.world.move(request))
            case Silence():
                if request.call in self.world.channels:
                    self.silent[request.call] = request.silent
                self.say([Silenced(request.call, request.recording, request.silent)])
            case AskCaller():
                self.asked.append(request.call)
            case RingSupervisor() | Supervise() | Quieten() | EndSupervision():
                self._supervise(request)

    def _offer(self, request: t.Offer) -> None:
        self.say(self.world.offer(request))
        for device in request.targets:
            if request.call not in self.world.channels or self.stage(request.call) is not t.LegStage.OFFERED:
                return
            self.say(self.world.ring(request.call, device))
            if device not in self.world.channels[request.call].ringing:
                continue
            match self.manners.get(device, Manner.SILENT):
                case Manner.ANSWERS:
                    self.pick_up(request.call, device)
                case Manner.REJECTS:
                    self.say(self.world.miss(request.call, device, t.MissCause.REJECTED))
                case Manner.BUSY:
                    self.say(self.world.miss(request.call, device, t.MissCause.BUSY))

    def _lead(self, request: t.Place | t.Lead) -> None:
        self.say(self.world.lead(request))

    def hears_the_end(self, call: CallId, *, recorded: bool = False) -> None:
        """What a caller was led to is over, and with it the call."""
        self.say([t.LeadEnded(call, by_caller=False, recorded=recorded), *self.world.caller_leaves(call)])

    def _hang_up(self, request: t.HangUp) -> None:
        for call, channel in list(self.world.channels.items()):
            if channel.entered.leg == request.leg:
                self.say(self.world.caller_leaves(call))
                return
        self.say([t.RequestFailed(request, t.RequestFailure.NO_SUCH_LEG)])

    def _supervise(self, request: SupervisionRequest) -> None:
        manner = (
            self.manners.get(request.device, Manner.SILENT) if isinstance(request, RingSupervisor) else Manner.SILENT
        )
        refuses = _REFUSALS.get(manner)
        self.say(self.world.supervisors.carry_out(request, self.world.talking(), refuses))
        if manner is Manner.ANSWERS:
            self.say(self.world.supervisors.picks_up(request.session))

    def _withdraw(self, call: CallId, offer: OfferId, legs: tuple[LegId, ...]) -> None:
        channel = self.world.channels.get(call)
        if channel is None or channel.offer != offer:
            return
        for device in [device for device, leg in channel.ringing.items() if leg in legs]:
            self.say(self.world.miss(call, device, t.MissCause.CANCELLED))


class MemoryLink:
    """One service's link to a ``MemoryPbx``; ``nobat.ports.PbxLink``."""

    def __init__(self, pbx: MemoryPbx, deliver: Deliver, observer: Observer) -> None:
        self.deliver = deliver
        self.running = False
        self._pbx, self._observer = pbx, observer
        self._health = Health(HealthState.CONNECTING, "connecting", 0.0)

    @property
    def health(self) -> Health:
        return self._health

    async def run(self) -> None:
        self.running = True
        try:
            if self._pbx.is_up:
                self.up()
            else:
                self.down(HealthState.DOWN, "connection_refused")
            await asyncio.get_running_loop().create_future()
        finally:
            self.running = False

    def remembered(self) -> int:
        return 0

    def up(self) -> None:
        if self.running:
            self._set(Health(HealthState.READY, "ready", 0.0, "22.10.1"))
            self.deliver(self._pbx.world.snapshot())

    def down(self, state: HealthState, reason: str) -> None:
        if self.running:
            self._set(Health(state, reason, 0.0))
            self.deliver(t.LinkDown(self._pbx.name, reason))

    def _set(self, health: Health) -> None:
        self._health = health
        self._observer.health(health)

    def send(self, requests: Sequence[t.Request]) -> None:
        for request in requests:
            if self._health.ready:
                asyncio.get_running_loop().call_soon(self._pbx.carry_out, request)
            else:
                self.deliver(t.RequestFailed(request, t.RequestFailure.LINK_DOWN))

    async def answer_phone(self, ask: str, reply: str) -> bool:
        self._pbx.replies[ask] = reply
        return True

    async def answer_caller(self, call: CallId, ask: str, step: str, prompts: Sequence[str]) -> bool:
        waits = call in self._pbx.world.channels and self._pbx.stage(call) is t.LegStage.WAITING
        if waits:
            self._pbx.answers[ask] = (step, tuple(prompts))
        return waits

    async def set_queue_sounds(self, sounds: Mapping[str, tuple[str, str]]) -> bool:
        self._pbx.sounds = dict(sounds)
        return self._health.ready

    def forget(self, calls: Sequence[CallId]) -> None:
        """It notes nobody."""

    async def markers(self) -> Sequence[AttemptId]:
        return list(self._pbx.markers)

    async def forget_markers(self, attempts: Sequence[AttemptId]) -> bool:
        for attempt in attempts:
            self._pbx.markers.pop(attempt, None)
        return self._health.ready

    def beat(self, pauses: Mapping[tuple[str, str], bool] | None) -> None:
        self._pbx.pauses = dict(pauses) if pauses is not None else self._pbx.pauses

    async def set_queue_numbers(self, numbers: Mapping[str, str], titles: Mapping[str, str]) -> bool:
        self._pbx.numbers = dict(numbers)
        self._pbx.titles = dict(titles)
        self._pbx.told_numbers = True
        return self._health.ready
