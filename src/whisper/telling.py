"""Agents who are told that they are listened to, where the queue of the call wants it: their phone shows it, and their application.

What ought to be shown follows from the sessions alone; what was shown last is compared with it after every turn
(``whisper.supervision``), so nothing has to remember to take a sign away.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from acd.agents import Talking
from acd.calls import Call, CallState
from acd.consult_port import ConsultStage
from acd.floor import Floor
from acd.ids import AgentId, CallId, LegId, QueueId
from acd.supervision_events import AgentTold
from acd.supervision_port import ShowAgent
from acd.turn import Turn
from whisper.sessions import Place

if TYPE_CHECKING:
    from whisper.supervision import Supervision


@dataclass(frozen=True, slots=True)
class Sign:
    """``text`` is on the agent's phone. ``stage``: when that changes a PBX shows anew whom the phone talks to."""

    call: CallId
    agent: AgentId
    queue: QueueId
    text: str
    stage: ConsultStage | None


def update(supervision: "Supervision", turn: Turn) -> None:
    """Bring the signs in line with who is listened to."""
    wanted = _wanted(supervision)
    before, supervision.signs = supervision.signs, wanted
    if wanted == before:
        return
    floor = supervision.floor
    for leg, sign in wanted.items():
        if before.get(leg) != sign:
            turn.ask(ShowAgent(sign.call, leg, (sign.text,)))
        if leg not in before:
            turn.emit(AgentTold(turn.now, sign.agent, sign.call, sign.queue, True))
    for leg, sign in before.items():
        if leg not in wanted:
            call = floor.calls.get(sign.call)
            if call is not None and _talks(call, leg):
                turn.ask(ShowAgent(call.id, leg, _usual(floor, call, leg)))
            turn.emit(AgentTold(turn.now, sign.agent, sign.call, sign.queue, False))


def is_told(supervision: "Supervision", agent: AgentId) -> bool | None:
    """Whether an agent who talks is listened to; None where the queue does not tell."""
    if any(sign.agent == agent for sign in supervision.signs.values()):
        return True
    known = supervision.floor.agents.get(agent)
    if known is None or not isinstance(known.engagement, Talking):
        return None
    queue = supervision.floor.queues.get(known.engagement.queue)
    return False if queue is not None and queue.spec.supervision.display else None


def found(supervision: "Supervision", place: Place) -> None:
    """A session of an earlier run has ended unseen: its sign may still be on the agent's phone, and is to go."""
    sign = _sign(supervision.floor, place)
    if sign is not None:
        supervision.signs = {**supervision.signs, place.leg: sign}


def _wanted(supervision: "Supervision") -> dict[LegId, Sign]:
    signs: dict[LegId, Sign] = {}
    for session in supervision.sessions.values():
        if session.place is not None:
            sign = _sign(supervision.floor, session.place)
            if sign is not None:
                signs[session.place.leg] = sign
    return signs


def _sign(floor: Floor, place: Place) -> Sign | None:
    known = floor.queues.get(place.queue)
    if known is None or not known.spec.supervision.display:
        return None
    call = floor.calls.get(place.call)
    if call is None or not _talks(call, place.leg):
        return None
    stage = call.consult.stage if call.consult is not None else None
    return Sign(place.call, place.agent, place.queue, known.spec.supervision.display, stage)


def _talks(call: Call, leg: LegId) -> bool:
    consult = call.consult.talk if call.consult is not None else None
    return call.state is CallState.TALKING and (
        call.talks[-1].leg == leg or (consult is not None and consult.leg == leg)
    )


def _usual(floor: Floor, call: Call, leg: LegId) -> tuple[str, ...]:
    """What the phone shows without a sign: queue and caller, or in a consult the other agent."""
    consult = call.consult
    if consult is not None and consult.stage is not ConsultStage.SWAPPED:
        if consult.talk is not None and consult.talk.leg == leg:
            other = floor.agents.get(consult.by) if consult.by is not None else None
            return (other.spec.name or other.id,) if other is not None else ()
        asked = floor.agents.get(consult.agent) if consult.agent is not None else None
        return (asked.spec.name or asked.id,) if asked is not None else (consult.to,)
    known = floor.queues.get(call.queue)
    title = (known.spec.name or str(known.spec.id),) if known is not None else ()
    return (*title, call.name) if call.name is not None else title
