"""Bring the floor in line with a snapshot of a PBX: at the start, after a lost link, and when something expected did not come.

Asterisk is the truth for what exists now. Every difference is a *repair*, counted by kind and told with its reason
(``acd.repairs``), so that nothing is put right in silence. Running it twice on the same snapshot repairs nothing the second time.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from acd import announcing, away, calling, consulting, fallback, joining, overflow, returning, taping
from acd.calls import Call, CallState
from acd.events import PbxReady
from acd.ids import DeviceId, accepts_by_key, pbx_of, split_device
from acd.outcomes import Outcome
from acd.pbxs import PbxState
from acd.repairs import Repairs
from acd.telephony import Announced, DeviceState, LegStage, PbxSnapshot, ReturnToLine, SnapshotCall
from acd.turn import Turn
from acd.visits import decide

if TYPE_CHECKING:
    from acd.floor import Floor


def snapshot(floor: "Floor", turn: Turn, fact: PbxSnapshot) -> None:
    """Adopt, finish, free; then open the gate."""
    repairs = Repairs(turn, fact.pbx)
    state = floor.pbxs.setdefault(fact.pbx, PbxState())
    restarted = state.boot is not None and state.boot != fact.boot
    _finish_vanished(floor, turn, fact, restarted, repairs)
    _take_devices(floor, turn, fact, repairs)
    for found in fact.calls:
        known = floor.calls.get(found.entered.call)
        if known is None:
            _adopt(floor, turn, found, repairs)
            continue
        if found.entered.told is not None:
            announcing.announced(floor, turn, Announced(known.id, found.entered.told))
        if not 0 < fact.asked_at <= _settled_at(known):  # else we have moved it since: the next look will tell
            _compare(floor, turn, known, found, repairs)
    floor.parts = {call: parts for call, parts in floor.parts.items() if pbx_of(call) != fact.pbx}
    floor.recordings = {call: known for call, known in floor.recordings.items() if pbx_of(call) != fact.pbx}
    floor.counted = {call: known for call, known in floor.counted.items() if pbx_of(call) != fact.pbx}
    floor.amended = {call: what for call, what in floor.amended.items() if pbx_of(call) != fact.pbx}
    state.up, state.boot, state.reason, state.since = True, fact.boot, None, turn.now
    taping.assert_again(floor, turn, fact.pbx)
    away.looked(floor, turn, fact)
    floor.freshen(fact.pbx)
    turn.emit(PbxReady(turn.now, fact.pbx, repairs.counts(), fact.boot))


def _settled_at(call: Call) -> float:
    return max(call.state_since, call.consult.changed_at if call.consult is not None else 0.0)


def _finish_vanished(floor: "Floor", turn: Turn, fact: PbxSnapshot, restarted: bool, repairs: Repairs) -> None:
    """Calls that we know and the PBX does not: hung up while we looked away, or lost with the PBX."""
    alive = {found.entered.call for found in fact.calls}
    for call in [call for call in floor.calls.values() if call.pbx == fact.pbx and not call.away]:
        if restarted:
            calling.end(floor, turn, call, Outcome.LOST, "pbx_restart")
            repairs.of_call("call_lost", call)
        elif call.id not in alive:
            calling.end(floor, turn, call, Outcome.ABANDONED, "unseen")
            repairs.of_call("call_ended", call)


def _take_devices(floor: "Floor", turn: Turn, fact: PbxSnapshot, repairs: Repairs) -> None:
    """The snapshot's device states replace all that were known; a device it does not name is unknown."""
    stated = dict(fact.devices)
    known = dict.fromkeys(
        device
        for device in (*floor.devices, *floor.at_device)
        if split_device(device)[0] == fact.pbx and not accepts_by_key(device)
    )
    for device in {**known, **stated}:  # in an order that is always the same
        state = stated.get(device, DeviceState.UNKNOWN)
        before = floor.devices.get(device)
        if before not in (None, state):
            repairs.of_device("device_state", device)
        floor.doubted.pop(device, None)
        floor.devices[device] = state
        holder = floor.at_device.get(device)
        if holder is not None:
            floor.agents[holder].device_state = state
            floor.refresh(floor.agents[holder], turn)


def _adopt(floor: "Floor", turn: Turn, found: SnapshotCall, repairs: Repairs) -> None:
    """A call that lived on without us: the channel says who it is, since when, and how far it has come."""
    if found.entered.call in floor.ended:
        return
    call = calling.admit(floor, turn, found.entered, adopted=True)
    if call is None:
        return
    repairs.of_call("call_adopted", call)
    away.found(floor, turn, call, led=found.stage is LegStage.LED)
    call.offers_made = fallback.number_of(found.offer)
    if found.stage is LegStage.FALLBACK:
        fallback.leave_alone(call, found.offer)
    if found.stage in (LegStage.WAITING, LegStage.FALLBACK):
        if call.visit.outcome is not None:
            _come_back(floor, turn, call)
        else:
            overflow.stand(floor, call)
        return
    if found.stage is LegStage.LED:
        _find_led(floor, turn, call)
        return
    fallback.resume_offer(floor, turn, call, found.offer).record = found.record
    if found.stage is not LegStage.OFFERED:
        _connect(floor, turn, call, found)


def _find_led(floor: "Floor", turn: Turn, call: Call) -> None:
    """A caller who is on the way out of the line already."""
    decide(floor, turn, call, Outcome.OVERFLOWED, turn.now)
    call.move(CallState.AFTER, turn.now)


def _come_back(floor: "Floor", turn: Turn, call: Call) -> None:
    """A caller who was answered waits again, and nobody has told what has become of his agent or transfer."""
    if call.visit.outcome is Outcome.OVERFLOWED:
        # A limit led him on, and the service died before it could say so: he waits on where he is, and limits hold anew.
        queue = floor.queues[call.queue]
        visit = joining.rejoin(floor, turn, call, queue, since=call.visits[0].place_at, front=False)
        overflow.watch(floor, queue, call)
        turn.ask(ReturnToLine(call.id, call.leg, visit))
        return
    call.state = CallState.AFTER
    returning.return_to_line(floor, turn, call, "back-to-front")


def _connect(floor: "Floor", turn: Turn, call: Call, found: SnapshotCall) -> None:
    at = found.connected_at if found.connected_at is not None else turn.now
    device = found.device if found.agent_leg is not None or found.stage is not LegStage.AFTER else None
    calling.connect(floor, turn, call, device, found.agent_leg, min(at, turn.now))
    if found.stage is LegStage.AFTER:
        calling.end_talk(floor, turn, call, "agent")
        call.asked = found.surveyed
        _whose_it_was(floor, call, found.device, at)
    else:
        consulting.found(floor, turn, call, found.consult)


def _whose_it_was(floor: "Floor", call: Call, device: DeviceId | None, connected_at: float) -> None:
    """The agent of a conversation that is over, whose leg is gone: history has the talk, or the phone says who it was.

    He is not engaged: his own work has gone on, and may be with another caller by now.
    """
    if call.agent is not None:
        return
    before = call.talks[-2] if len(call.talks) > 1 else None
    if before is not None and before.ended_at is not None and before.ended_at > connected_at:
        call.talks = call.talks[:-1]  # that very conversation
        return
    agent = calling.agent_at(floor, device) if device is not None else None
    if agent is not None:
        call.talks[-1].agent = agent.id


def _by_itself(floor: "Floor", turn: Turn, call: Call, found: SnapshotCall, repairs: Repairs) -> bool:
    """Whether the PBX serves this caller by itself, or has just given him back."""
    match call.state, found.stage:
        case CallState.WAITING, LegStage.WAITING if call.fallback is not None:
            repairs.of_call("fallback_ended", call)
            fallback.take_back(floor, call)
        case CallState.WAITING, LegStage.FALLBACK if call.fallback is None:
            repairs.of_call("fallback_found", call)
            fallback.leave_alone(call, found.offer)
        case CallState.OFFERED, LegStage.FALLBACK:
            repairs.of_call("fallback_found", call)
            calling.back_to_line(floor, turn, call)
            fallback.leave_alone(call, found.offer)
        case _:
            return False
    return True


def _talks_on(floor: "Floor", turn: Turn, call: Call, found: SnapshotCall, repairs: Repairs) -> bool:
    """Whether the caller talks, as we know; to whom, and who is asked meanwhile, may have changed."""
    if call.state is not CallState.TALKING or found.stage is not LegStage.TALKING:
        return False
    if consulting.changed_hands(floor, turn, call, found) or consulting.found(floor, turn, call, found.consult):
        repairs.of_call("consult", call)
    return True


def _compare(floor: "Floor", turn: Turn, call: Call, found: SnapshotCall, repairs: Repairs) -> None:
    """A call that both know: move ours to where the caller is."""
    if _by_itself(floor, turn, call, found, repairs) or _talks_on(floor, turn, call, found, repairs):
        return
    match call.state, found.stage:
        case CallState.OFFERED, LegStage.WAITING:
            repairs.of_call("offer_ended", call)
            calling.back_to_line(floor, turn, call)
        case (CallState.WAITING, LegStage.OFFERED | LegStage.TALKING | LegStage.AFTER):
            repairs.of_call("offer_found", call)
            floor.queues[call.queue].leave(call.place, call.needs)
            fallback.resume_offer(floor, turn, call, found.offer).record = found.record
            if found.stage is not LegStage.OFFERED:
                _connect(floor, turn, call, found)
        case (CallState.OFFERED, LegStage.TALKING | LegStage.AFTER) if not calling.is_being_withdrawn(
            call, found.device
        ):
            repairs.of_call("talk_found", call)
            _connect(floor, turn, call, found)
        case CallState.TALKING, LegStage.AFTER:
            repairs.of_call("talk_ended", call)
            calling.end_talk(floor, turn, call, "agent")
        case CallState.AFTER, LegStage.WAITING if call.led is not None:
            repairs.of_call("lead_repeated", call)
            turn.ask(call.led)
        case CallState.WAITING, LegStage.LED:
            repairs.of_call("lead_found", call)
            floor.queues[call.queue].leave(call.place, call.needs)
            _find_led(floor, turn, call)
        case CallState.TALKING | CallState.AFTER, LegStage.WAITING | LegStage.FALLBACK:
            repairs.of_call("talk_lost", call)
            if call.state is CallState.TALKING:
                calling.end_talk(floor, turn, call, "unseen")
            if found.stage is LegStage.FALLBACK:
                fallback.leave_alone(call, found.offer)
            returning.return_to_line(floor, turn, call, "back-to-front")
        case _:
            return


HANDLERS: dict[type, Callable[["Floor", Turn, Any], None]] = {PbxSnapshot: snapshot}
