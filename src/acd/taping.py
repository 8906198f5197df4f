"""Live recordings: they begin and end with conversations, and people pause them.

A pause is decided here, committed by the engine before its request leaves (``RecordingChanged`` is durable), and confirmed by the
PBX. What is not confirmed is asked for again; after a restart, or a lost link, whatever is to be silent is silenced anew.

``acd.calling`` says when conversations begin and end, ``acd.reconcile`` when a PBX is known again; ``acd.floor`` has
the handlers.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from acd import commands as c
from acd import telephony as t
from acd.calls import Call, CallState
from acd.errors import Conflict, illegal_transition
from acd.ids import CallId, OfferId, PbxId
from acd.recording_events import (
    RecordingBegan,
    RecordingChanged,
    RecordingDisobeyed,
    RecordingEnded,
    RecordingObeyed,
    RecordingPauseLong,
)
from acd.recording_port import RecordingKeyed, ShowRecording, Silence, Silenced
from acd.recordings import (
    ON_DEMAND_ONLY,
    TRANSITIONS,
    Recording,
    RecordingAction,
    RecordingMode,
    RecordingState,
    first_state,
    recording_id,
    wanted,
)
from acd.turn import Turn

if TYPE_CHECKING:
    from acd.floor import Floor

AGAIN_S = 0.5
"""Between two attempts to make a recording silent."""

BY_PHONE = "phone"


def name_for(floor: "Floor", call: Call, offer: OfferId) -> str:
    """The id under which the conversation of this offer is recorded; empty if it is not."""
    queue = floor.queues[call.queue]
    if call.private or call.pbx not in floor.recording_on or not wanted(queue.spec.recording, call.id):
        return ""
    return recording_id(offer, floor.salt)


def began(floor: "Floor", turn: Turn, call: Call, recording: str, at: float) -> None:
    """A conversation has begun, or was found."""
    if not recording:
        return
    restored = floor.recordings.pop(call.id, None)
    known = restored is not None and restored.recording == recording
    policy = floor.queues[call.queue].spec.recording
    mode = restored.mode if restored is not None and known else policy.mode
    if mode is RecordingMode.NEVER:  # the queue has changed its mind since the offer
        mode = RecordingMode.ON_DEMAND
    call.recording = one = Recording(recording, mode, first_state(mode), at)
    if restored is not None and known and restored.state is not None:
        one.state, one.since = restored.state, restored.since
    turn.emit(RecordingBegan(at, call.id, call.queue, call.agent, one.id, mode, call.caller or call.number))
    if one.silent:
        _tell(turn, call, one)
        _watch(floor, call, one)
    else:
        one.told = True


def ended(turn: Turn, call: Call) -> None:
    """The conversation is over."""
    one, call.recording = call.recording, None
    call.taped = one
    if one is not None:
        turn.emit(RecordingEnded(turn.now, call.id, call.queue, one.id))


def goes_on(call: Call) -> None:
    """Somebody else has the caller without a gap, and the PBX records on: it is the same recording, paused if it was paused."""
    call.recording, call.taped = call.taped, None


def control(floor: "Floor", turn: Turn, command: c.ControlRecording) -> None:
    """Start, pause, resume, stop. Conflict ``not_recorded``, ``recording_required``, ``call_not_ready``, ``illegal_transition``."""
    call = floor.call(command.call)
    one = call.recording
    if call.state is not CallState.TALKING:
        raise illegal_transition(f"call {call.id}", call.state, command.action)
    if one is None:
        raise Conflict("not_recorded", f"call {call.id} is not recorded", call=call.id)
    if command.action in ON_DEMAND_ONLY and one.mode is not RecordingMode.ON_DEMAND:
        raise Conflict("recording_required", "this queue does not leave it to anybody what is recorded", call=call.id)
    possible, state = TRANSITIONS[command.action]
    if one.state not in possible:
        raise illegal_transition("the recording", one.state, command.action)
    if not floor.knows(call.pbx):
        raise Conflict("call_not_ready", f"call {call.id} cannot be reached now", call=call.id, reason="pbx_not_ready")
    _change(floor, turn, call, one, state, command.action, command.by)


def keyed(floor: "Floor", turn: Turn, fact: RecordingKeyed) -> None:
    """The agent's phone has asked. What is not possible is not done, and the dialplan says so after a moment."""
    call = floor.calls.get(fact.call)
    if call is None or call.recording is None or call.talk is None or call.talk.leg != fact.leg:
        return
    one = call.recording
    action = _meant(fact.action, one)
    if action is None or one.state not in TRANSITIONS[action][0]:
        turn.ask(ShowRecording(call.id, call.leg, one.state))  # it is so already
        return
    _change(floor, turn, call, one, TRANSITIONS[action][1], action, BY_PHONE)


def _meant(word: str, one: Recording) -> RecordingAction | None:
    """The code that resumes also starts, where it is for the agent to start."""
    if word == RecordingAction.PAUSE:
        return RecordingAction.PAUSE
    if word != RecordingAction.RESUME:
        return None
    fresh = one.state in (RecordingState.READY, RecordingState.STOPPED)
    return RecordingAction.START if fresh and one.mode is RecordingMode.ON_DEMAND else RecordingAction.RESUME


def _change(
    floor: "Floor", turn: Turn, call: Call, one: Recording, state: RecordingState, action: RecordingAction, by: str
) -> None:
    one.state, one.since, one.told, one.tries = state, turn.now, None, 0
    turn.emit(RecordingChanged(turn.now, call.id, call.queue, call.agent, one.id, action, by))
    _tell(turn, call, one)
    _watch(floor, call, one)


def _tell(turn: Turn, call: Call, one: Recording) -> None:
    turn.ask(Silence(call.id, call.leg, one.id, one.silent))


def _watch(floor: "Floor", call: Call, one: Recording) -> None:
    """Ask again for what is not confirmed; look at a pause when it has lasted too long."""
    floor.at(floor.now + AGAIN_S, "silence", call.id)
    most = floor.queues[call.queue].spec.recording.most_pause_s
    if one.state is RecordingState.PAUSED and most > 0:
        floor.at(one.since + most, "long_pause", call.id)


def silenced(floor: "Floor", turn: Turn, fact: Silenced) -> None:
    """The PBX has done it."""
    found = _current(floor, fact.call, fact.recording)
    if found is None:
        return
    call, one = found
    if fact.silent is not one.silent:  # of what was wanted before; it may have overtaken what is wanted now
        one.told = None
        _tell(turn, call, one)
        floor.at(turn.now + AGAIN_S, "silence", call.id)
    elif one.told is not True:
        one.told = True
        turn.emit(RecordingObeyed(turn.now, call.id, call.queue, one.id, one.silent))
        turn.ask(ShowRecording(call.id, call.leg, one.state))


def not_silenced(floor: "Floor", turn: Turn, fact: t.RequestFailed) -> None:
    """A request did not do its work, or may not have; the timer asks again."""
    if not isinstance(fact.request, Silence):
        return
    found = _current(floor, fact.request.call, fact.request.recording)
    if found is not None and found[1].silent is fact.request.silent:
        call, one = found
        one.told = False
        if one.tries == 0:
            turn.emit(RecordingDisobeyed(turn.now, call.id, call.queue, one.id, one.silent, fact.why))
        one.tries += 1


def _current(floor: "Floor", call_id: CallId, recording: str) -> tuple[Call, Recording] | None:
    call = floor.calls.get(call_id)
    if call is None or call.recording is None or call.recording.id != recording:
        return None
    return call, call.recording


def silence_due(floor: "Floor", turn: Turn, key: str) -> None:
    """What the PBX has not confirmed is asked for again, as long as the conversation lasts."""
    call = floor.calls.get(CallId(key))
    if call is None or call.recording is None or call.recording.told is True:
        return
    if floor.knows(call.pbx):
        _tell(turn, call, call.recording)
    floor.at(turn.now + AGAIN_S, "silence", key)


def pause_due(floor: "Floor", turn: Turn, key: str) -> None:
    """A pause goes on. It is told once: a pause that was ended, or begun anew since, has a moment of its own."""
    call = floor.calls.get(CallId(key))
    if call is None or call.recording is None or call.recording.state is not RecordingState.PAUSED:
        return
    one = call.recording
    if turn.now - one.since >= floor.queues[call.queue].spec.recording.most_pause_s:
        turn.emit(RecordingPauseLong(turn.now, call.id, call.queue, call.agent, one.id, turn.now - one.since))


def assert_again(floor: "Floor", turn: Turn, pbx: PbxId) -> None:
    """A PBX was looked at: what is to be silent there is told again, whatever it was told before."""
    for call in floor.calls.values():
        one = call.recording
        if one is not None and call.pbx == pbx and call.state is CallState.TALKING and (one.silent or not one.told):
            _tell(turn, call, one)


def restore(floor: "Floor", _turn: Turn, command: c.RestoreRecording) -> None:
    """What history says of a recording whose conversation may go on."""
    floor.recordings[command.call] = command


HANDLERS: dict[type, Callable[["Floor", Turn, Any], None]] = {
    c.ControlRecording: control,
    c.RestoreRecording: restore,
    RecordingKeyed: keyed,
    Silenced: silenced,
}
