"""Asterisk as it was measured, played: channels that run the dialplan, phones that ring, and the events that tell of it.

Each channel is a thread: what it does next is planned some fractions of a millisecond ahead, and dropped when the channel is moved
or hung up meanwhile. Events of different channels that Asterisk says in no order are planned independently. ``Dial`` settles its
races by taking what comes first. Nothing here knows what the service believes; ``tests.simulator.manager`` speaks AMI for it.
"""

from collections.abc import Callable, Iterable
from random import Random
from typing import Protocol

from ami import names as n
from tests.simulator.channels import (
    AFTER,
    ALONE,
    BUSY,
    DIALS,
    DIED,
    ELSEWHERE,
    LED,
    MOVED,
    NORMAL,
    PASSED_ON,
    PICKED_UP,
    REJECTED,
    TALKS,
    WAITS,
    Channel,
    Dial,
    Phone,
)
from tests.simulator.clockwork import Clockwork

CAME, ALONE_ONCE, MEMBER = "ACD_CAME", "ACD_ALONE", "ACD_MEMBER"
"""Variables that are the dialplan's own."""


class People(Protocol):
    """Who holds the phones."""

    def rings(self, phone: Phone, leg: Channel, ring_s: float) -> None: ...

    def talk(self, caller: Channel, leg: Channel) -> None: ...


class Asterisk:
    """One server. ``say`` gets every event: the key that its order depends on, its name and its headers."""

    def __init__(self, clockwork: Clockwork, dice: Random, name: str = "pbx1") -> None:
        self.clockwork, self.dice, self.name = clockwork, dice, name
        self.channels: dict[str, Channel] = {}
        self.phones: dict[str, Phone] = {}
        self.globals: dict[str, str] = {}
        self.callers: list[Channel] = []  # all that ever entered
        self.rung: dict[tuple[str, str], int] = {}  # (offer, device) -> legs
        self.talks: list[tuple[Channel, Channel, float]] = []
        self.wrongs: list[str] = []
        self.may_be_cut: set[str] = set()  # calls that the service was asked to pass on
        self.queue_members: dict[tuple[str, str], bool] = {}
        self.notes: dict[str, str] = {}  # AstDB: callers of whom the service may not know
        self.boot = clockwork.now
        self.up = True
        self.people: People | None = None
        self.say: Callable[[str, str, dict[str, str]], None] = lambda _key, _name, _headers: None
        self.tell: Callable[[str], None] = lambda _: None
        self._serial = 0

    # ------------------------------------------------------------ threads

    def soon(self, low: float, high: float, do: Callable[[], None]) -> None:
        """Some thread does this within these milliseconds, on this run of Asterisk."""
        boot = self.boot
        self.clockwork.after(self.dice.uniform(low, high) / 1000, lambda: do() if self.boot == boot else None)

    def then(self, channel: Channel, seconds: float, do: Callable[[], None]) -> None:
        """The channel's next step, unless it is moved or hung up before."""
        channel.step += 1
        step, boot = channel.step, self.boot

        def go_on() -> None:
            if channel.step == step and channel.alive and not channel.dying and self.boot == boot:
                do()

        self.clockwork.after(seconds + self.dice.uniform(0.0001, 0.0006), go_on)

    def event(self, name: str, channel: Channel, **headers: str) -> None:
        key = headers.get("DestUniqueid", channel.uniqueid)
        self.say(key, name, {"Channel": channel.name, "Uniqueid": channel.uniqueid, **headers})

    def user_event(self, name: str, channel: Channel, **body: str) -> None:
        self.event("UserEvent", channel, Exten="8000", UserEvent=name, **body)

    def new_channel(self, prefix: str) -> Channel:
        serial, self._serial = self._serial, self._serial + 1
        channel = Channel(f"{prefix}-{serial:08x}", f"{self.name}-{int(self.clockwork.now)}.{serial}")
        self.channels[channel.name] = channel
        return channel

    # ------------------------------------------------------------ callers

    def caller_dials(self, number: str, caller_id: str) -> Channel:
        """Somebody dials in; the dialplan begins within milliseconds."""
        channel = self.new_channel("PJSIP/trunk")
        channel.number, channel.variables["DNID"] = caller_id, number
        self.then(channel, 0.002, lambda: self._enter(channel, number))
        return channel

    def _enter(self, channel: Channel, number: str) -> None:
        queue = self.globals.get(n.QUEUE_OF_NUMBER + number, "")
        if not queue and self.globals.get(n.SERVICE) == "1":
            return self.hang_up(channel, 1, asked=False)
        entered = int(self.clockwork.now * 1000)
        channel.entered_at = entered / 1000
        call = f"{self.name}-{entered}.{channel.uniqueid.rpartition('.')[2]}"
        channel.variables |= {
            n.CALL: call, n.QUEUE: queue or number, n.ENTERED: str(entered), n.PRIORITY: "0", n.STATE: "waiting"
        }  # fmt: skip
        channel.variables[CAME] = self._beat()
        self.callers.append(channel)
        self.user_event(n.EVENT_ENTER, channel, Call=call)
        channel.doing = WAITS
        self.then(channel, 0.4, lambda: self._slice(channel))
        return None

    def _slice(self, channel: Channel) -> None:
        """``acd-wait``: an announcement, or a look at the heartbeat and two seconds of music."""
        channel.doing = WAITS
        if channel.variables.get(n.ANNOUNCE):
            told = channel.variables[n.TOLD] = channel.variables.get(n.ANNOUNCE_ID, "")
            channel.variables[n.ANNOUNCE] = ""
            self.user_event(n.EVENT_SAID, channel, Call=channel.call, Say=told)
            return self.then(channel, self.dice.uniform(1, 5), lambda: self._slice(channel))
        if not self._service_lives():
            return self._left_alone(channel)
        return self.then(channel, 2.0, lambda: self._slice(channel))

    def _beat(self) -> str:
        return f"{self.globals.get(n.EPOCH, '')}.{self.globals.get(n.HEARTBEAT, '')}"

    def _service_lives(self) -> bool:
        if self._beat() != self.globals.get(n.BEAT_SEEN):
            self.globals |= {n.BEAT_SEEN: self._beat(), n.BEAT_SEEN_AT: str(int(self.clockwork.now * 1000))}
            return True
        return self.clockwork.now * 1000 - int(self.globals[n.BEAT_SEEN_AT]) < 6000

    def wait_again(self, channel: Channel) -> None:
        """To ``acd-wait,s,1``."""
        channel.variables |= {n.STATE: "waiting", n.ANNOUNCE: ""}
        self._slice(channel)

    def hang_up(self, channel: Channel, cause: int, *, asked: bool) -> None:
        """The channel ends: by its own side if ``asked`` (that is told), else by the dialplan or by AMI."""
        if not channel.alive or channel.dying:
            return
        if asked:
            self.event("HangupRequest", channel, Cause=str(cause))
        if channel.caller is not None:
            self._leg_ends(channel, cause, asked=asked)
            return
        channel.dying = True
        channel.step += 1
        dial, channel.dial = channel.dial, None
        if dial is not None:
            self._give_up(dial)
        self._unbridge(channel, dial)
        self._goes(channel, cause)

    def _goes(self, channel: Channel, cause: int, low: float = 0.1, high: float = 1.0) -> None:
        """Its Hangup, and after that it is no more."""
        channel.dying = True
        if channel.caller is None and channel.call:
            self._hangs_up(channel)

        def gone() -> None:
            channel.alive, channel.gone_at = False, self.clockwork.now
            self.channels.pop(channel.name, None)
            self.event("Hangup", channel, Cause=str(cause))
            if channel.phone is not None:
                channel.phone.legs.remove(channel)
                self.device_changes(channel.phone)

        self.soon(low, high, gone)

    def _hangs_up(self, channel: Channel) -> None:
        """``acd-note,gone``: who may not be known leaves a note."""
        variables = channel.variables
        epoch, beat = variables[CAME].split(".")
        met = int(beat or 0) if epoch == self.globals.get(n.EPOCH, "") else 0
        known = int(self.globals.get(n.HEARTBEAT, "0")) - met > 1
        if ALONE_ONCE in variables or n.OFFER_ID not in variables or not known:
            self._note(channel, str(int(self.clockwork.now * 1000)))

    def _note(self, channel: Channel, gone: str) -> None:
        values = channel.variables
        parts = values[n.QUEUE], values[n.PRIORITY], channel.number, values.get(n.CONNECTED, ""), "", gone
        self.notes[channel.call] = "/".join(("1", *parts, channel.uniqueid, values.get(MEMBER, "")))

    def device_changes(self, phone: Phone, low: float = 0.2, high: float = 1.2) -> None:
        """Its state may be another: told soon, if it still is then."""

        def told() -> None:
            if phone.state != phone.told:
                phone.told = phone.state
                self.say(phone.device, "DeviceStateChange", {"Device": phone.device, "State": phone.state})

        self.soon(low, high, told)

    # ------------------------------------------------------------ offers

    def redirect(self, channel: Channel, context: str, exten: str) -> None:
        """Asterisk says Success to anything; the channel's thread notices within milliseconds, and goes to the last place said."""
        noticed, channel.goes_to = channel.goes_to is None, (context, exten)
        if noticed:
            self.soon(0.1, 1.5, lambda: self._moved(channel))

    def _moved(self, channel: Channel) -> None:
        (context, exten), channel.goes_to = channel.goes_to or ("", ""), None
        if not channel.alive or channel.dying or channel.caller is not None:
            return
        if channel.doing in (DIALS, PICKED_UP, ALONE) or (
            channel.doing == TALKS and channel.call not in self.may_be_cut
        ):
            self.wrongs.append(f"a Redirect to {context} cut off {channel.call}, who {channel.doing}")
        dial, channel.dial = channel.dial, None
        if dial is not None:
            self._give_up(dial)
        self._unbridge(channel, dial)
        if context == n.OFFER:
            self._offer(channel)
        elif context == n.LEAD and exten != "queue":
            channel.doing, channel.variables[n.STATE] = LED, "led"
            self.then(channel, 3.0, lambda: self._lead_over(channel))
        elif context in (n.RETURN, n.LEAD):
            channel.variables[n.STATE] = "waiting"
            channel.doing = WAITS
            self.then(channel, 1.5 if channel.variables.get(n.SAYS) else 0.0, lambda: self._slice(channel))
        else:
            self.wait_again(channel)

    def _lead_over(self, channel: Channel) -> None:
        self.user_event(n.EVENT_LEAD_ENDED, channel, Call=channel.call, By="dialplan", Recorded="none")
        self.hang_up(channel, NORMAL, asked=False)

    def _offer(self, channel: Channel) -> None:
        variables = channel.variables
        variables[n.STATE] = "offered"
        channel.doing = DIALS
        targets, ring_s = variables.get(n.TARGETS, ""), float(variables.get(n.RING_S, "20"))
        self.then(channel, 0.001, lambda: self._dial(channel, variables[n.OFFER_ID], targets.split("&"), ring_s))

    def _dial(self, channel: Channel, offer: str, targets: Iterable[str], ring_s: float) -> None:
        dial = channel.dial = Dial(channel, offer, self.clockwork.now)
        for target in targets:
            self.ring(dial, target, ring_s)
        if not dial.legs:
            dial.status = "CHANUNAVAIL"
            self.then(channel, 0.0005, lambda: self._not_answered(dial))
        else:
            self.then(channel, ring_s, lambda: self._ring_time_is_over(dial))

    def ring(self, dial: Dial, target: str, ring_s: float) -> None:
        """One phone of a Dial. Without a contact there is no leg."""
        phone = self.phones.get(target)
        if phone is None or not phone.registered:
            return
        leg = self.new_channel(target)
        leg.up, leg.phone, leg.caller = False, phone, dial.caller
        leg.variables = {n.FOR_CALL: dial.caller.call, n.FOR_OFFER: dial.offer}
        if not dial.by_queue:  # app_queue tries whom it likes, as often as it likes
            self.rung[(dial.offer, target)] = self.rung.get((dial.offer, target), 0) + 1
        busy = any(one.alive for one in phone.legs)
        phone.legs.append(leg)
        dial.legs.append(leg)
        self._dial_event("DialBegin", dial, leg)
        if busy:
            self.refuse(leg, BUSY)
        elif self.people is not None:
            phone.shows = not phone.dead
            self.device_changes(phone, 1.0, 3.0)
            self.people.rings(phone, leg, ring_s)

    def _dial_event(self, name: str, dial: Dial, leg: Channel, **more: str) -> None:
        self.event(name, dial.caller, DestChannel=leg.name, DestUniqueid=leg.uniqueid, **more)

    def _in_dial(self, leg: Channel, do: Callable[[Dial], None]) -> None:
        """Dial's thread takes what a leg brings, if it still listens."""

        def take() -> None:
            dial = leg.caller.dial if leg.caller is not None else None
            if dial is not None and dial.open and leg in dial.legs and leg.alive and not leg.dying:
                do(dial)

        self.soon(0.05, 0.8, take)

    def answer(self, leg: Channel) -> None:
        """Somebody picks up."""
        self._in_dial(leg, lambda dial: self._picked_up(dial, leg))

    def refuse(self, leg: Channel, cause: int) -> None:
        """486, 603, 480, 302: the phone's own word."""
        status = {BUSY: "BUSY", MOVED: "BUSY"}.get(cause, "NOANSWER")

        def refused(dial: Dial) -> None:
            self.event("HangupRequest", leg, Cause=str(cause))
            if cause == MOVED:
                self._dial_event("DialEnd", dial, leg, DialStatus="CANCEL")
            self._dial_event("DialEnd", dial, leg, DialStatus=status)
            dial.status = {BUSY: "BUSY", REJECTED: "CHANUNAVAIL", MOVED: "BUSY"}.get(cause, "NOANSWER")
            self._leaves_dial(dial, leg, cause)

        self._in_dial(leg, refused)

    def _leaves_dial(self, dial: Dial, leg: Channel, cause: int) -> None:
        dial.legs.remove(leg)
        self._goes(leg, cause)
        if not dial.legs:
            self._over(dial)

    def _over(self, dial: Dial) -> None:
        """Nobody is left to be waited for."""
        dial.open = False
        if dial.by_queue:
            dial.caller.dial = None  # app_queue tries the next one
        else:
            self.then(dial.caller, 0.0003, lambda: self._not_answered(dial))

    def _ring_time_is_over(self, dial: Dial) -> None:
        for leg in tuple(dial.legs):
            self._dial_event("DialEnd", dial, leg, DialStatus="NOANSWER")
            self._goes(leg, 0)
        dial.legs.clear()
        self._over(dial)

    def _give_up(self, dial: Dial) -> None:
        """The caller is gone, or was moved away."""
        dial.open = False
        for leg in dial.legs:
            if leg is not dial.answered:
                self._dial_event("DialEnd", dial, leg, DialStatus="CANCEL")
                self._goes(leg, NORMAL)

    def _not_answered(self, dial: Dial) -> None:
        channel = dial.caller
        channel.dial = None
        channel.variables |= {n.DONE: dial.offer, n.STATE: "waiting", n.ANNOUNCE: ""}
        channel.doing = WAITS
        self.user_event(n.EVENT_OFFER_ENDED, channel, Call=channel.call, Offer=dial.offer, Status=dial.status)
        self.then(channel, 0.0, lambda: self._slice(channel))

    # ------------------------------------------------------------ conversations

    def _picked_up(self, dial: Dial, leg: Channel) -> None:
        channel = dial.caller
        dial.open, dial.answered, leg.up = False, leg, True
        for other in dial.legs:
            if other is not leg:
                self._dial_event("DialEnd", dial, other, DialStatus="CANCEL")
                self._goes(other, ELSEWHERE, 0.1, 0.5)
        dial.legs = [leg]
        channel.doing = PICKED_UP
        channel.variables |= {n.STATE: "talking", n.CONNECTED: str(int(self.clockwork.now * 1000))}
        if dial.by_queue:
            channel.variables[MEMBER] = leg.name
        self.user_event(n.EVENT_ANSWER, leg, Call=channel.call, Offer=dial.offer)
        self.then(channel, self.dice.uniform(0.0005, 0.011), lambda: self._bridge(dial, leg))

    def _bridge(self, dial: Dial, leg: Channel) -> None:
        channel = dial.caller
        self._dial_event("DialEnd", dial, leg, DialStatus="ANSWER")
        if not leg.alive or leg.dying:  # hung up while it was being connected
            return self._after(dial)
        leg.bridge = f"bridge-{leg.uniqueid}"
        self.event("BridgeEnter", leg, BridgeUniqueid=leg.bridge)
        return self.then(channel, 0.0, lambda: self._enters(dial, leg))

    def _enters(self, dial: Dial, leg: Channel) -> None:
        channel = dial.caller
        if not leg.alive or leg.dying:
            return self._after(dial)
        channel.bridge, channel.doing = leg.bridge, TALKS
        channel.step += 1
        channel.talks += 1
        channel.talk_began = self.clockwork.now
        self.talks.append((channel, leg, self.clockwork.now))
        self.event("BridgeEnter", channel, BridgeUniqueid=channel.bridge)
        if self.people is not None:
            self.people.talk(channel, leg)
        return None

    def _leg_ends(self, leg: Channel, cause: int, *, asked: bool) -> None:
        """An agent's leg: it rings, is being connected, or talks. ``asked``: the phone hung up; else it died, or we did it."""
        channel = leg.caller
        dial = channel.dial if channel is not None else None
        if channel is None or dial is None or leg not in dial.legs:
            self._goes(leg, cause)
            return
        if dial.open:
            self._dial_event("DialEnd", dial, leg, DialStatus="NOANSWER")
            self._leaves_dial(dial, leg, cause)
            return
        leg.dying = True
        if channel.doing != TALKS:
            self._leave_bridge(leg)
            self._goes(leg, cause)
            return
        channel.step += 1
        if asked or cause == DIED:
            channel.talked_s = max(channel.talked_s, self.clockwork.now - channel.talk_began + 1e-6)
        self._leave_bridge(leg, channel)
        if cause == DIED:
            self.then(channel, 0.0001, lambda: self._after(dial))
            self._goes(leg, cause, 1.0, 2.0)
        else:
            self._goes(leg, cause, 0.05, 0.6)
            self.then(channel, 0.0, lambda: self._after(dial))

    def _leave_bridge(self, *channels: Channel) -> None:
        for channel in channels:
            if channel.bridge:
                bridge, channel.bridge = channel.bridge, ""
                self.event("BridgeLeave", channel, BridgeUniqueid=bridge)

    def _unbridge(self, channel: Channel, dial: Dial | None) -> None:
        """The caller leaves a conversation, or one that was about to begin: the other leg ends."""
        leg = dial.answered if dial is not None else None
        if leg is not None and leg.alive and not leg.dying:
            if channel.bridge:
                channel.talked_s = max(channel.talked_s, self.clockwork.now - channel.talk_began + 1e-6)
            self._leave_bridge(channel, leg)
            self._goes(leg, NORMAL)
        channel.bridge = ""

    def _after(self, dial: Dial) -> None:
        channel = dial.caller
        channel.dial = None
        channel.doing = AFTER
        channel.variables |= {n.DONE: dial.offer, n.STATE: "after"}
        self.user_event(n.EVENT_AFTER, channel, Call=channel.call, Offer=dial.offer)
        self.then(channel, 1.0, lambda: self.hang_up(channel, NORMAL, asked=False))

    def pass_on(self, leg: Channel, to: str) -> None:
        """The agent's phone passes the caller on (REFER, or a code in the call): its leg ends, the caller asks what comes of it."""
        channel = leg.caller
        dial = channel.dial if channel is not None else None
        if channel is None or dial is None or channel.doing != TALKS or channel.dying or leg.dying:
            return
        channel.dial = None
        self._unbridge(channel, dial)
        channel.doing = PASSED_ON
        channel.variables |= {n.STATE: "passed_on", n.DONE: channel.variables[n.OFFER_ID]}
        self.user_event(n.EVENT_TRANSFER, channel, Call=channel.call, To=to)
        self.then(channel, 5.0, lambda: self.wait_again(channel))

    # ------------------------------------------------------------ when the service is gone

    def _left_alone(self, channel: Channel) -> None:
        variables = channel.variables
        before = variables.get(n.OFFER_ID, "").rpartition(".")[2]
        variables[n.OFFER_ID] = f"{channel.call}.{int(before or 0) + 1}"
        variables |= {n.STATE: "fallback", ALONE_ONCE: "1"}
        channel.doing = ALONE
        self._note(channel, "")
        missed, at = self._beat(), int(self.globals[n.BEAT_SEEN_AT]) / 1000
        self.user_event(n.EVENT_FALLBACK, channel, Call=channel.call, Offer=variables[n.OFFER_ID])
        self.then(channel, max(2.0, at + 9.5 - self.clockwork.now), lambda: self._queue(channel, missed))

    def _queue(self, channel: Channel, missed: str) -> None:
        """``Queue()``, or back to us if the heartbeat goes on."""
        if self._beat() != missed:
            return self.given_back(channel)
        if channel.dial is None:
            self._try_members(channel)
        return self.then(channel, 0.5, lambda: self._queue_again(channel, missed))

    def _queue_again(self, channel: Channel, missed: str) -> None:
        if channel.dial is None:
            self._queue(channel, missed)
        elif self.clockwork.now - channel.dial.began_at > 15 and channel.dial.open:
            self._ring_time_is_over(channel.dial)
            self.then(channel, 0.5, lambda: self._queue_again(channel, missed))
        else:
            self.then(channel, 0.5, lambda: self._queue_again(channel, missed))

    def _try_members(self, channel: Channel) -> None:
        """The first in line gets the first member who is free, in no matter what order."""
        alone = [one for one in self.callers if one.alive and one.doing == ALONE and one.dial is None]
        if min(alone, key=lambda one: one.entered_at) is not channel:
            return
        for (queue, member), paused in self.queue_members.items():
            phone = self.phones[member]
            if queue == channel.variables[n.QUEUE] and not paused and phone.state == "NOT_INUSE":
                dial = channel.dial = Dial(channel, channel.variables[n.OFFER_ID], self.clockwork.now, by_queue=True)
                self.ring(dial, member, 15)
                return

    def withdraw(self, channel: Channel) -> bool:
        """QueueWithdrawCaller: whether app_queue lets go of the caller."""
        if channel.doing != ALONE or (channel.dial is not None and not channel.dial.open):
            return False
        self.soon(1.0, 900.0, lambda: self._withdrawn(channel))
        return True

    def _withdrawn(self, channel: Channel) -> None:
        if channel.alive and not channel.dying and channel.doing == ALONE:
            dial, channel.dial = channel.dial, None
            if dial is not None:
                self._give_up(dial)
            self.given_back(channel)

    def given_back(self, channel: Channel) -> None:
        """The dialplan brings a caller back from ``Queue()``."""
        offer = channel.variables[n.OFFER_ID]
        channel.variables |= {n.DONE: offer, n.STATE: "waiting"}
        channel.doing = WAITS
        self.user_event(n.EVENT_OFFER_ENDED, channel, Call=channel.call, Offer=offer, Status="FALLBACK")
        self.then(channel, 0.0, lambda: self._slice(channel))

    # ------------------------------------------------------------ the server itself

    def crash(self) -> None:
        """kill -9: every channel is gone, and nobody says so. The next start is another one."""
        self.boot = self.clockwork.now
        for channel in self.channels.values():
            channel.alive, channel.gone_at, channel.cut = False, self.clockwork.now, True
        self.channels.clear()
        self.globals.clear()
        for phone in self.phones.values():
            phone.legs.clear()
            phone.told = phone.state
        self._serial = 0
