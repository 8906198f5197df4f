"""The end of a consult, whoever ends it, and what is free to serve one that waits in line.

Apart from ``acd.consulting`` because the end of any conversation (``acd.calling``) ends a consult in it.
"""

from typing import TYPE_CHECKING

from acd.agents import FREE, Ringing, Talking
from acd.calls import Call
from acd.consult_events import ConsultChanged
from acd.events import TalkEnded
from acd.turn import Turn

if TYPE_CHECKING:
    from acd.floor import Floor


def close(floor: "Floor", turn: Turn, call: Call) -> None:
    """Nobody is asked any more. Whoever was is free again; that talk stands before the one that goes on, or ends now."""
    consult = call.consult
    if consult is None:
        return
    call.consult = None
    floor.consults.pop(call.id, None)
    turn.emit(ConsultChanged(turn.now, call.id, call.queue, consult.agent, None))
    agent = floor.agents.get(consult.agent) if consult.agent is not None else None
    talk = consult.talk
    if talk is not None:
        talk.end(turn.now)
        call.talks = (*call.talks[:-1], talk, *call.talks[-1:])
        if agent is not None:
            turn.emit(TalkEnded(turn.now, call.id, call.queue, agent.id, talk.talk_s(turn.now), talk.hold_s, False))
    if agent is None:
        return
    engaged = agent.engagement
    if isinstance(engaged, Talking) and engaged.call == call.id:
        agent.end_talk(call.queue, turn.now)  # who was only asked has nothing to write up
    elif isinstance(engaged, Ringing) and engaged.call == call.id:
        agent.engagement = FREE
    floor.refresh(agent, turn)
