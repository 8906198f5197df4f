"""What a newly chosen status brings with it: the promise that it is kept, and a phone that stops ringing.

Called by ``acd.desk``, ``acd.breaks`` and ``acd.calling``.
"""

from typing import TYPE_CHECKING

from acd.agents import Agent, Ringing
from acd.events import AgentStatusChosen
from acd.telephony import HangUp, Withdraw
from acd.turn import Turn

if TYPE_CHECKING:
    from acd.floor import Floor


def chosen(turn: Turn, agent: Agent, *, productive: bool = False) -> None:
    """Tell what the agent has chosen."""
    turn.emit(AgentStatusChosen(turn.now, agent.id, agent.status, agent.reason, agent.device, productive))


def stop_ringing(floor: "Floor", turn: Turn, agent: Agent) -> None:
    """The agent leaves while the phone rings: take the phone out of the offer. The caller's place is not touched."""
    if not isinstance(agent.engagement, Ringing) or agent.device is None:
        return
    call = floor.calls.get(agent.engagement.call)
    if call is not None and call.consult is not None and call.consult.agent == agent.id:
        if call.consult.leg is not None:
            turn.ask(HangUp(call.consult.leg))
        return
    if call is None or call.offer is None or call.offer.answered == agent.device:
        return
    if call.away and floor.keeper is not None:
        floor.keeper.agent_left(floor, turn, call, agent)
        return
    call.offer.withdrawn.add(agent.device)
    leg = call.offer.legs.get(agent.device)
    if leg is not None:
        turn.ask(Withdraw(call.id, call.offer.id, (leg,)))
