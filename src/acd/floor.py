"""The floor: all live state of the contact centre, and the one door through which it changes.

``handle(message, now)`` takes a telephony fact or a command and returns its effects; ``tick(now)`` does what is due at
``now``; ``next_deadline()`` says when that will be. Nothing here reads a clock, rolls dice or waits, so the same messages
at the same times always have the same effects: that is what replay, explanation and a shift simulated in a second rest on.

The floor itself keeps state, timers and the derived indexes; what a message means is told in ``acd.calling`` (facts of a
call), ``acd.desk`` (people's commands), ``acd.wrapup`` and ``acd.breaks`` (the agents' time), ``acd.reconcile`` (snapshots) and
``acd.routing`` (who gets whom).
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import islice
from typing import Any, Literal, get_args

from acd import (
    announcing,
    asking,
    away,
    breaks,
    calling,
    consulting,
    desk,
    fallback,
    forgetting,
    handover,
    inviting,
    joining,
    moving,
    overflow,
    reconcile,
    rejoining,
    routing,
    taping,
    wrapup,
)
from acd.agents import Agent, AgentState, Free, Status, WrapUp
from acd.breaks import BreakReason, BreakRequest
from acd.callback_commands import CallbackCommand
from acd.callback_port import CallbackFact
from acd.calls import Call, CallState, Visit
from acd.commands import Command, RestoreAmendment, RestoreParts, RestoreRecording
from acd.directory import CallerProfile, Numbering
from acd.errors import unknown
from acd.events import AgentStateChanged, PbxLost
from acd.ids import AgentId, CallId, DeviceId, PbxId, QueueId, accepts_by_key
from acd.limits import Route
from acd.pbxs import PbxState
from acd.queues import Queue
from acd.telephony import DeviceChanged, DeviceState, Fact, LinkDown, PbxDraining, Resync
from acd.turn import Effects, Turn

SERVED_KEPT = 200_000
"""Numbers whose last agent is remembered, the latest ones."""

_IDLE, _BREAK, _ON_BREAK = AgentState.IDLE, AgentState.BREAK, Status.BREAK

PAUSE_S = 0.25
"""How long nothing is offered on a PBX that has just refused an offer because it could not be told."""

MOST_TIMERS = 200
"""What one turn does of all that is due; the rest is due at once again, after whatever else has come in."""

TimerKind = Literal[
    "wrap_up",
    "rest",
    "offer",
    "hold_off",
    "relax",
    "doubt",
    "announce",
    "speak",
    "wrap_up_limit",
    "long_break",
    "limit",
    "hours",
    "clear",
    "silence",
    "long_pause",
    "pause",
    "callback",
    "invite",
]


@dataclass(slots=True)
class Floor:
    """Everything that lives. Written by its own handlers only; readers get ``acd.picture``."""

    queues: dict[QueueId, Queue] = field(default_factory=dict)
    agents: dict[AgentId, Agent] = field(default_factory=dict)
    calls: dict[CallId, Call] = field(default_factory=dict)
    ended: OrderedDict[CallId, Call] = field(default_factory=OrderedDict)
    pbxs: dict[PbxId, PbxState] = field(default_factory=dict)
    devices: dict[DeviceId, DeviceState] = field(default_factory=dict)
    at_device: dict[DeviceId, AgentId] = field(default_factory=dict)  # who is signed in where
    doubted: dict[DeviceId, DeviceState] = field(default_factory=dict)  # believed free; what the PBX said last
    # Told by history before the first snapshot, of calls not yet found again: decided visits, talks that ended, amendments.
    counted: dict[CallId, list[Visit]] = field(default_factory=dict)
    parts: dict[CallId, RestoreParts] = field(default_factory=dict)
    amended: dict[CallId, RestoreAmendment] = field(default_factory=dict)
    recordings: dict[CallId, RestoreRecording] = field(default_factory=dict)
    salt: str = ""  # of the names of recordings
    recording_on: frozenset[PbxId] = frozenset()  # where somebody fetches what is recorded
    outside: str | None = "PJSIP/{number}@trunk"  # how a number outside is dialled; None: it is not
    routes: tuple[Route, ...] = ()  # numbers that callers may be led to
    directory: dict[str, CallerProfile] = field(default_factory=dict)
    numbering: Numbering = field(default_factory=Numbering)
    break_reasons: tuple[BreakReason, ...] = ()
    break_requests: dict[AgentId, BreakRequest] = field(default_factory=dict)  # in order of asking
    served_by: dict[str, AgentId] = field(
        default_factory=dict
    )  # number -> who talked to it last, the latest at the end
    consults: dict[CallId, None] = field(
        default_factory=dict
    )  # whose agents wait in a line for somebody to ask, in order
    particular: dict[CallId, None] = field(default_factory=dict)  # live calls that not every able agent may take
    voices: dict[PbxId, announcing.Voice] = field(default_factory=dict)
    kept: OrderedDict[tuple[str, QueueId], rejoining.KeptPlace] = field(default_factory=OrderedDict)  # by number
    offering: bool = True
    keeper: away.Keeper | None = None  # knows the callbacks
    now: float = 0.0
    fresh_agents: dict[AgentId, None] = field(default_factory=dict)
    fresh_calls: dict[CallId, None] = field(default_factory=dict)
    timers: list[tuple[float, int, TimerKind, str]] = field(default_factory=list)
    timers_set: int = 0  # ever: timers of the same moment go off in the order in which they were set

    def handle(self, message: Fact | Command, now: float) -> Effects:
        """Take one message in. Commands may raise ``AcdError``, and then nothing has changed.

        What is due before is ``tick``'s work: if ``next_deadline()`` has come, call that first.
        """
        turn = self._turn(now)
        HANDLERS[type(message)](self, turn, message)
        self._match(turn)
        return turn.effects()

    def tick(self, now: float) -> Effects:
        """Do what is due."""
        turn = self._turn(now)
        self._fire(turn)
        self._match(turn)
        return turn.effects()

    def _match(self, turn: Turn) -> None:
        if self.fresh_agents or self.fresh_calls:
            if self.consults:
                consulting.serve(self, turn)
            routing.match(self, turn)

    def next_deadline(self) -> float | None:
        """When ``tick`` has something to do next, at the earliest."""
        if self.fresh_agents or self.fresh_calls:
            return self.now  # the last turn was full
        return self.timers[0][0] if self.timers else None

    def at(self, when: float, kind: TimerKind, key: str) -> None:
        """Set a timer. Timers are never cancelled: one whose reason is gone does nothing."""
        self.timers_set += 1
        heappush(self.timers, (when, self.timers_set, kind, key))

    def call(self, call: CallId) -> Call:
        """A live or recently ended call. Raises ``unknown_call``."""
        found = self.calls.get(call) or self.ended.get(call)
        if found is None or found.away:
            raise unknown("call", call)
        return found

    def agent(self, agent: AgentId) -> Agent:
        """Raises ``unknown_agent``."""
        if agent not in self.agents:
            raise unknown("agent", agent)
        return self.agents[agent]

    def queue(self, queue: QueueId) -> Queue:
        """Raises ``unknown_queue``."""
        if queue not in self.queues:
            raise unknown("queue", queue)
        return self.queues[queue]

    def queue_by_key(self, key: str) -> Queue | None:
        """The queue that the dialplan names by id or by number."""
        by_id = self.queues.get(QueueId(key))
        return by_id or next((queue for queue in self.queues.values() if queue.spec.number == key), None)

    def served(self, caller: str | None, agent: AgentId) -> None:
        """Remember who talked last to a number, given in its normal form."""
        if caller is not None:
            self.served_by.pop(caller, None)
            self.served_by[caller] = agent
            if len(self.served_by) > SERVED_KEPT:  # some at once: a dict is slow to find its oldest
                for number in list(islice(self.served_by, SERVED_KEPT // 100)):
                    del self.served_by[number]

    def knows(self, pbx: PbxId) -> bool:
        """Whether what is believed of ``pbx`` is so, and it can be told something."""
        state = self.pbxs.get(pbx)
        return state is not None and state.up

    def takes_offers(self, pbx: PbxId) -> bool:
        """Whether a call on ``pbx`` may be offered."""
        state = self.pbxs.get(pbx)
        return self.offering and state is not None and state.up and state.taking

    def pause_offers(self, pbx: PbxId) -> None:
        """The PBX cannot be told of offers for a moment: nobody on it is offered, or whoever comes next would be first."""
        state = self.pbxs.get(pbx)
        if state is not None and state.taking:
            state.taking = False
            self.at(self.now + PAUSE_S, "pause", pbx)

    def refresh(self, agent: Agent, turn: Turn) -> None:
        """Bring what is derived from an agent in line with the agent: shown state, idle lists, freshness."""
        state = agent.state
        if state is not agent.shown_state:
            turn.emit(AgentStateChanged(turn.now, agent.id, agent.shown_state, state))
            on_break = state is _BREAK or agent.shown_state is _BREAK
            agent.shown_state, agent.state_since = state, turn.now
            if on_break:
                breaks.turned(self, agent, turn.now)
        if agent.serving_since is not None and isinstance(agent.engagement, Free):
            self._served(agent, agent.serving_since, turn.now)
        presence = agent.presence
        if presence != agent.seen_presence:
            self._presence_changed(agent, presence)
        serves_on = agent.pbx if presence == 3 else None  # ``agent.serves_on``, from what is known already
        if serves_on != agent.seen_serving:
            agent.seen_serving = serves_on
            for queue in agent.lines:
                queue.rates.clear()
            self.loosen(agent.id)
        if state is _IDLE and routing.idle_bar(agent, turn.now) is None:
            if not agent.listed:
                self.fresh_agents[agent.id] = None
        else:
            if agent.listed:
                self.unlist(agent)
            if self.fresh_agents:
                self.fresh_agents.pop(agent.id, None)
        if (agent.status is _ON_BREAK) is not agent.seen_on_break:
            breaks.count(self, turn, agent)

    def _served(self, agent: Agent, since: float, now: float) -> None:
        """The handling of a call is over: what forecasts learn from."""
        served_in = self.queues.get(agent.serving_in) if agent.serving_in is not None else None
        if served_in is not None:
            served_in.waits.services.add(now - since)
        agent.serving_since = None

    def list_idle(self, agent: Agent) -> None:
        """A free agent whom nobody waits for: put him where he is looked for, in all his queues."""
        if not agent.listed:
            agent.listed = True
            for queue in agent.lines:
                queue.idle.add(agent.id, routing.idle_key(agent, queue))

    def unlist(self, agent: Agent) -> None:
        """The agent is not free any more, or his queues are about to change."""
        if agent.listed:
            agent.listed = False
            for queue in agent.lines:
                queue.idle.discard(agent.id)

    def believe(self, turn: Turn, device: DeviceId, state: DeviceState) -> None:
        """Take ``state`` for a phone's, and let its agent feel it."""
        self.devices[device] = state
        holder = self.at_device.get(device)
        if holder is not None:
            agent = self.agents[holder]
            agent.device_state = state
            self.refresh(agent, turn)

    def state_of(self, device: DeviceId) -> DeviceState:
        """What is known of a phone. One that accepts by a key is another network's: it is tried whenever its agent is free."""
        return DeviceState.NOT_IN_USE if accepts_by_key(device) else self.devices.get(device, DeviceState.UNKNOWN)

    def freshen(self, pbx: PbxId | None = None) -> None:
        """Look at every caller and every free agent again: a PBX is back or queues have changed."""
        for call in self.calls.values():
            if call.state is CallState.WAITING and pbx in (None, call.pbx):
                self.fresh_calls[call.id] = None
        for queue in self.queues.values():
            self.fresh_agents.update(dict.fromkeys(queue.idle.keys))

    def _presence_changed(self, agent: Agent, presence: int) -> None:
        """An agent has come or gone, in part or wholly: his queues count him."""
        before, agent.seen_presence = agent.seen_presence, presence
        for queue in agent.lines:
            queue.presence[before] -= 1
            queue.presence[presence] += 1
            overflow.note_presence(self, queue, self.now)

    def loosen(self, agent: AgentId) -> None:
        """An agent has come, gone or changed: those held for him, and those who were rejected, may be served otherwise now."""
        for call in (self.calls[known] for known in self.particular):
            if call.state is CallState.WAITING and (call.preferred == agent or call.rejected_by):
                self.fresh_calls[call.id] = None

    def _turn(self, now: float) -> Turn:
        # A clock that was set back must not make waits negative or order time wrongly.
        self.now = max(self.now, now)
        return Turn(self.now)

    def _fire(self, turn: Turn) -> None:
        fired = 0
        while self.timers and self.timers[0][0] <= turn.now and fired < MOST_TIMERS:
            _, _, kind, key = heappop(self.timers)
            _TIMERS[kind](self, turn, key)
            fired += 1


def _rest_due(floor: Floor, turn: Turn, key: str) -> None:
    agent = floor.agents.get(AgentId(key))
    if agent is not None:
        floor.refresh(agent, turn)


def _offer_due(floor: Floor, turn: Turn, key: str) -> None:
    """The PBX has said nothing about an offer for too long: ask it, and ask again as long as it stays so."""
    call = floor.calls.get(CallId(key))
    if call is None or call.offer is None or call.offer.ends_at > turn.now:
        return
    call.offer.ends_at = turn.now + routing.OFFER_GUARD_S
    floor.at(call.offer.ends_at, "offer", call.id)
    if floor.takes_offers(call.pbx):
        turn.ask(Resync(call.pbx, "offer_overdue"))


def _hold_off_due(floor: Floor, _turn: Turn, key: str) -> None:
    call = floor.calls.get(CallId(key))
    if call is not None and call.state is CallState.WAITING:
        floor.fresh_calls[call.id] = None


def _pause_due(floor: Floor, _turn: Turn, key: str) -> None:
    state = floor.pbxs[PbxId(key)]
    state.taking = True
    floor.freshen(PbxId(key))


def _relax_due(floor: Floor, turn: Turn, key: str) -> None:
    """The caller has waited long enough to ask for less."""
    call = floor.calls.get(CallId(key))
    if call is None or call.visit.outcome is not None:
        return
    queue = floor.queues[call.queue]
    before, call.needs = call.needs, joining.needs_of(call, queue, turn.now)
    if call.state is CallState.WAITING:
        queue.needs_changed(before, call.needs)
        floor.fresh_calls[call.id] = None


def _doubt_due(floor: Floor, turn: Turn, key: str) -> None:
    """A phone was believed free and the PBX never said so: unless it rings or talks for us, it is busy elsewhere."""
    device = DeviceId(key)
    said = floor.doubted.pop(device, None)
    holder = floor.agents.get(floor.at_device.get(device, AgentId("")))
    if said is not None and (holder is None or isinstance(holder.engagement, Free | WrapUp)):
        floor.believe(turn, device, said)


def _device_changed(floor: Floor, turn: Turn, fact: DeviceChanged) -> None:
    if floor.doubted:
        floor.doubted.pop(fact.device, None)
    floor.believe(turn, fact.device, fact.state)


_TIMERS: dict[TimerKind, Callable[[Floor, Turn, str], None]] = {
    "wrap_up": wrapup.due,
    "wrap_up_limit": wrapup.limit_due,
    "long_break": breaks.due,
    "rest": _rest_due,
    "offer": _offer_due,
    "hold_off": _hold_off_due,
    "pause": _pause_due,
    "relax": _relax_due,
    "doubt": _doubt_due,
    "limit": overflow.limit_due,
    "hours": overflow.hours_due,
    "clear": overflow.clear_due,
    "announce": announcing.due,
    "speak": announcing.speak,
    "silence": taping.silence_due,
    "long_pause": taping.pause_due,
    "callback": away.due,
    "invite": inviting.due,
}


def _link_down(floor: Floor, turn: Turn, fact: LinkDown) -> None:
    state = floor.pbxs.setdefault(fact.pbx, PbxState())
    if state.up or state.reason != fact.reason:
        turn.emit(PbxLost(turn.now, fact.pbx, fact.reason))
        state.up, state.reason, state.since = False, fact.reason, turn.now


def _draining(floor: Floor, turn: Turn, fact: PbxDraining) -> None:
    _link_down(floor, turn, LinkDown(fact.pbx, "pbx_shutting_down"))


HANDLERS: dict[type, Callable[[Floor, Turn, Any], None]] = {
    **calling.HANDLERS,
    **desk.HANDLERS,
    **overflow.HANDLERS,
    **moving.HANDLERS,
    **consulting.HANDLERS,
    **handover.HANDLERS,
    **fallback.HANDLERS,
    **reconcile.HANDLERS,
    **wrapup.HANDLERS,
    **breaks.HANDLERS,
    **taping.HANDLERS,
    **asking.HANDLERS,
    **forgetting.HANDLERS,
    **dict.fromkeys((*get_args(CallbackCommand), *get_args(CallbackFact)), away.handle),
    DeviceChanged: _device_changed,
    LinkDown: _link_down,
    PbxDraining: _draining,
}
