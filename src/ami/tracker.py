"""From events to facts: which channels are one call, and what has become of it.

Pure: events and answers go in, facts and questions come out, in the order that ``acd.telephony`` promises for each call.
Asterisk's threads interleave the events of different channels freely and a link may repeat any of them, so nothing here
depends on more than the order on one channel, and every fact is said once. A channel we were never told of is somebody
else's and changes nothing.

Some things only Asterisk can say: who a new caller is, what a phone typed, whether a call really ended when something on
the wire was not to be believed. Then a ``Look`` comes out, and the call's later events wait until its answer is put in.

``ami.pbx`` feeds it; ``ami.translate`` asks it for channels; ``ami.resync`` gives it its first knowledge.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from acd.callback_port import AttemptNews
from acd.ids import AttemptId, CallId, DeviceId, LegId, OfferId, PbxId, device_on
from acd.telephony import DeviceChanged, DeviceState, Offer, OfferRinging, PbxDraining
from ami import causes, dialogue, names
from ami import events as e
from ami.attempts import fact_of
from ami.book import Aside, AskingPhone, AttemptLeg, Book, LiveCall, LiveOffer, Snapshot
from ami.compare import compare
from ami.course import Course
from ami.identity import entry, named
from ami.outputs import Look, Output, PhoneAsked, Purpose, SnapshotWanted
from ami.readings import ChannelReading, LookFailure
from ami.supervisors import Supervisors
from ami.targets import NO_PHONES, device_of

SUSPICION = 1_000
"""Events after a damaged one during which the end of a call is believed only when Asterisk confirms it.

Text that looks like an event can only reach the wire inside a real one, which it damages; it cannot come earlier.
"""

DEVICES_KEPT = 20_000


@dataclass(frozen=True, slots=True)
class KnownDevice:
    """``seen``: the last timestamps, to know a repetition. ``touched``: the last look that was begun before the last event."""

    state: DeviceState
    seen: tuple[str, ...] = ()
    touched: int = 0


class Tracker:
    """All calls of one PBX."""

    def __init__(self, pbx: PbxId, epoch: str = "0") -> None:
        self.pbx, self.epoch = pbx, epoch
        self.book = Book()
        self._out: list[Output] = []
        self._course = Course(pbx, self.book, self._out.append)
        self.supervisors = Supervisors(self._out.append)
        self._suspicious = 0
        self._devices: dict[DeviceId, KnownDevice] = {}
        self._draining = False
        self._boot: str | None = None
        self.look = 0  # how many times everything was asked for

    # ------------------------------------------------------------ what goes in

    def feed(self, event: e.Event | e.Quarantined) -> Sequence[Output]:
        """One event. What comes out is in order, before anything of the next event."""
        self._suspicious = max(0, self._suspicious - 1)
        handler = _LOOSE.get(type(event))
        if handler is not None:
            handler(self, event)
        else:
            self._route(event)
        return self._take()

    def answer(self, look: Look, found: ChannelReading | LookFailure) -> Sequence[Output]:
        """What Asterisk said to a ``Look``."""
        if isinstance(found, ChannelReading) and found.leg != look.leg:
            found = LookFailure.NO_SUCH_CHANNEL
        _ANSWERS[look.purpose](self, look, found)
        return self._take()

    def prime(self, snapshot: Snapshot) -> Sequence[Output]:
        """Forget what was known and take a snapshot for the truth. Calls that it does not know are gone."""
        self.book.replace(snapshot.calls, snapshot.legs, snapshot.asking)
        self.book.attempts = dict(snapshot.attempts)
        if snapshot.fact.boot != self._boot:
            self._boot = snapshot.fact.boot
            self.book.forget_gone()
        self._devices = {device: KnownDevice(state) for device, state in snapshot.fact.devices}
        self._draining = False
        self.supervisors.forget()
        self.supervisors.replace(snapshot.fact.supervisors, snapshot.supervisors)
        self._say(snapshot.fact)
        self._tell_of(snapshot.calls)
        return self._take()

    def begin_look(self) -> None:
        """Everything is about to be asked for. What is heard from now on is younger than the answer may be."""
        self.look += 1
        self.supervisors.look = self.look

    def compare(self, snapshot: Snapshot, unsent: Mapping[CallId, Offer]) -> Sequence[Output]:
        """Set what a look shows against what events have told. ``unsent`` are offers that were not written yet."""
        compared = compare(self.book, snapshot, self.look, unsent)
        young = {attempt: leg for attempt, leg in self.book.attempts.items() if leg.since >= self.look}
        self.book.attempts = {**snapshot.attempts, **young}
        shown = {device: KnownDevice(state) for device, state in snapshot.fact.devices}
        younger = {device: known for device, known in self._devices.items() if known.touched >= self.look}
        self._devices = {**shown, **younger}
        devices = tuple((device, known.state) for device, known in self._devices.items())
        self.supervisors.replace(snapshot.fact.supervisors, snapshot.supervisors)
        self._say(replace(snapshot.fact, calls=compared.calls, devices=devices))
        self._tell_of(compared.changed)
        if compared.doubtful:
            self._say(SnapshotWanted("doubtful"))
        return self._take()

    def _tell_of(self, calls: Sequence[LiveCall]) -> None:
        """What a snapshot has no words for, of calls that were taken from it: whose phones ring, who waits for a verdict."""
        for call in calls:
            for leg in sorted(call.legs):
                agent = self.book.agents[leg]
                if call.offer is not None and not call.offer.fallback and agent.device in call.offer.open:
                    self._say(OfferRinging(call.id, call.offer.id, agent.device, leg))
            self._course.free_if_alone(call)

    def offered(self, call: LiveCall, offer: OfferId, targets: tuple[DeviceId, ...]) -> None:
        """An offer is on its way to Asterisk."""
        call.offer = LiveOffer(offer, dict.fromkeys(targets))
        call.bridge, call.held, call.aside, call.ask = None, False, None, None
        call.touched = self.look

    def not_offered(self, call: CallId, offer: OfferId) -> None:
        """That offer was certainly not placed."""
        found = self.book.calls.get(call)
        if found is not None and found.offer is not None and found.offer.id == offer and not found.offer.begun:
            found.offer = None
            found.touched = self.look

    def returned(self, call: LiveCall) -> None:
        """The caller is on the way back to the wait loop."""
        call.offer, call.bridge, call.held, call.led = None, None, False, False
        call.aside = call.ask = None
        call.touched = self.look

    def consults(self, call: LiveCall, aside: Aside | None) -> None:
        """A consult is on its way, or is told to end."""
        call.aside = aside
        call.touched = self.look

    def placed(self, call: LiveCall) -> None:
        """The caller's place is being changed: he hears so in the wait loop."""
        call.ask = None
        call.touched = self.look

    def led(self, call: LiveCall) -> None:
        """The caller is on the way out of the line."""
        call.led = True
        call.touched = self.look

    # ------------------------------------------------------------ events of no known call

    def _quarantined(self, _event: e.Quarantined) -> None:
        self._suspicious = SUSPICION
        self._say(SnapshotWanted("quarantined"))

    def _device_seen(self, event: e.DeviceStateSeen) -> None:
        if "/" not in event.device or event.device.startswith(NO_PHONES):
            return
        device, state = device_on(self.pbx, event.device), causes.device_state(event.state)
        known = self._devices.get(device)
        seen = known.seen if known is not None else ()
        if (event.at and event.at in seen) or (known is None and len(self._devices) >= DEVICES_KEPT):
            return
        self._devices[device] = KnownDevice(state, (*seen[-3:], event.at), self.look)
        if known is None or state is not known.state:
            self._say(DeviceChanged(device, state))

    def _shutting_down(self, _event: e.ShuttingDown) -> None:
        if not self._draining:
            self._draining = True
            self._say(PbxDraining(self.pbx))

    def _came_in(self, event: e.CallerCameIn) -> None:
        name = named(self.pbx, event.call, event.leg)
        if name is None or self.book.is_gone(name.leg) or name.id in self.book.calls or name.leg in self.book.callers:
            return
        self.book.add(LiveCall(name, event.channel, event.exten, asked=True, touched=self.look, number=event.number))
        self._say(Look(Purpose.WHO_CALLS, event.channel, name.leg, name.id))

    def _phone_asks(self, event: e.PhoneAsks) -> None:
        leg = LegId(event.leg)
        caller = self.book.callers.get(leg)
        if caller is not None:
            look = dialogue.asks(caller, event)
            if look is not None:
                self._say(look)
            return
        if event.ask != leg or leg in self.book.asking or self.book.is_gone(leg):
            return
        self.book.asking[leg] = AskingPhone(event.channel, self.look)
        self._say(Look(Purpose.WHAT_IS_ASKED, event.channel, leg))

    def _attempt_told(self, event: e.AttemptTold) -> None:
        """A customer is being called back, has picked up, or was not reached."""
        attempt, fact = AttemptId(event.attempt), fact_of(AttemptId(event.attempt), event.status)
        if isinstance(fact, AttemptNews):
            self.book.attempts[attempt] = AttemptLeg(event.channel, self.look)
        else:
            self.book.attempts.pop(attempt, None)
        self._say(fact)

    # ------------------------------------------------------------ events of a call

    def _route(self, event: Any) -> None:
        call = self._call_of(event)
        if call is not None:
            call.touched = self.look
        if call is None:
            if isinstance(event, e.HungUp) and event.leg in self.book.asking:
                self.book.remove_leg(LegId(event.leg))
            self.supervisors.follow(event)
        elif call.asked:
            call.inbox.append(event)
            if isinstance(event, e.DialBegan):
                self.book.expected[LegId(event.dest_leg)] = call
        elif self._suspicious and self._ends_something(call, event):
            call.asked = True
            leg = LegId(event.leg)
            self._say(Look(Purpose.REALLY, self.book.channel_of(leg) or event.channel, leg, call.id, event))
        else:
            self._course.eager = not self._suspicious
            self._course.follow(call, event)

    def _call_of(self, event: Any) -> LiveCall | None:
        if isinstance(event, e.PhonePickedUp):
            return self.book.calls.get(CallId(event.call))
        if isinstance(event, e.DialBegan) and LegId(event.leg) in self.book.callers:
            return self.book.callers[LegId(event.leg)]
        leg = LegId(event.dest_leg if isinstance(event, e.DialEnded) else event.leg)
        if isinstance(event, e.CallsJoined) and leg not in self.book.agents:
            leg = LegId(event.other_leg)
        caller = self.book.callers.get(leg)
        if caller is not None:
            return caller
        agent = self.book.agents.get(leg)
        return self.book.calls.get(agent.call) if agent is not None else self.book.expected.get(leg)

    def _ends_something(self, call: LiveCall, event: Any) -> bool:
        """Whether believing a forged ``event`` would end a live call or an offer."""
        if isinstance(event, e.HungUp):
            answered = call.offer.answered if call.offer is not None else None
            return event.leg == call.leg or (answered is not None and answered.leg == event.leg)
        alone = isinstance(event, e.ConsultStep) and event.step == "alone"
        return alone or isinstance(event, e.OfferOver | e.TalkOver | e.PassedOn)

    # ------------------------------------------------------------ answers

    def _who_calls(self, look: Look, found: ChannelReading | LookFailure) -> None:
        call = self.book.calls.get(look.call) if look.call is not None else None
        if call is None or not call.asked:
            return
        if call.entered is None:
            reading = found if isinstance(found, ChannelReading) else None
            call.entered = entry(call.name, call.dialled, reading, call.number)
            if call.entered.attempt is not None:
                self.book.attempts.pop(call.entered.attempt, None)
            self._say(call.entered)
        self._resume(call)

    def _what_is_asked(self, look: Look, found: ChannelReading | LookFailure) -> None:
        if look.leg not in self.book.asking or not isinstance(found, ChannelReading):
            return
        said = found.variables
        if said.get(names.ASK) != look.leg:
            return
        agent, pin, reason = (said.get(name, "") for name in (names.ASK_AGENT, names.ASK_PIN, names.ASK_REASON))
        digits = [value if value.isdecimal() and value.isascii() else "" for value in (agent, pin, reason)]
        self._say(PhoneAsked(look.leg, device_of(self.pbx, look.channel), said.get(names.ASK_KIND, ""), *digits))

    def _what_a_caller_asks(self, look: Look, found: ChannelReading | LookFailure) -> None:
        call = self.book.calls.get(look.call) if look.call is not None else None
        if call is not None and isinstance(found, ChannelReading):
            question = dialogue.asked(call, found)
            if question is not None:
                self._say(question)

    def _really(self, look: Look, found: ChannelReading | LookFailure) -> None:
        call = self.book.calls.get(look.call) if look.call is not None else None
        if call is None or not call.asked or look.event is None:
            return
        if found is LookFailure.NO_ANSWER:
            self._say(SnapshotWanted("unconfirmed"))
        elif _confirms(look.event, found):
            self._course.follow(call, look.event)
        self._resume(call)

    def _still_there(self, look: Look, found: ChannelReading | LookFailure) -> None:
        call = self.book.calls.get(look.call) if look.call is not None else None
        if call is not None:
            self._course.agent_left(call, look.leg, gone=found is LookFailure.NO_SUCH_CHANNEL)

    def _resume(self, call: LiveCall) -> None:
        """The answer is in: go on with the events that waited for it, until one raises a question again."""
        call.asked = False
        waiting = tuple(call.inbox)
        call.inbox.clear()
        for event in waiting:
            if isinstance(event, e.DialBegan):
                self.book.expected.pop(LegId(event.dest_leg), None)
            self._route(event)

    # ------------------------------------------------------------ small things

    def _say(self, output: Output) -> None:
        self._out.append(output)

    def _take(self) -> Sequence[Output]:
        out = tuple(self._out)
        self._out.clear()
        return out


def _confirms(event: e.Event, found: ChannelReading | LookFailure) -> bool:
    """Whether the channel is as the event says."""
    match event:
        case e.HungUp():
            return found is LookFailure.NO_SUCH_CHANNEL
        case e.OfferOver() | e.ConsultStep():
            return isinstance(found, ChannelReading) and found.variables.get(names.STATE) == "waiting"
        case e.PassedOn():
            return isinstance(found, ChannelReading) and found.variables.get(names.STATE) == "passed_on"
        case e.TalkOver():
            return isinstance(found, ChannelReading) and found.variables.get(names.STATE) == "after"
        case _:
            return False


_Handler = Callable[[Tracker, Any], None]

_LOOSE: dict[type, _Handler] = {
    e.Quarantined: Tracker._quarantined,
    e.DeviceStateSeen: Tracker._device_seen,
    e.ShuttingDown: Tracker._shutting_down,
    e.FullyBooted: lambda _tracker, _event: None,
    e.CallerCameIn: Tracker._came_in,
    e.PhoneAsks: Tracker._phone_asks,
    e.SupervisorAt: lambda tracker, event: tracker.supervisors.at(event),
    e.Originated: lambda tracker, event: tracker.supervisors.originated(event),
    e.AttemptTold: Tracker._attempt_told,
}
_ANSWERS: dict[Purpose, Callable[[Tracker, Look, ChannelReading | LookFailure], None]] = {
    Purpose.WHO_CALLS: Tracker._who_calls,
    Purpose.WHAT_IS_ASKED: Tracker._what_is_asked,
    Purpose.WHAT_A_CALLER_ASKS: Tracker._what_a_caller_asks,
    Purpose.REALLY: Tracker._really,
    Purpose.STILL_THERE: Tracker._still_there,
}
