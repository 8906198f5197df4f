"""Agents ask for help in a call: the supervisors of its queue see it until one of them joins, or the call is over."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from acd.agents import Talking
from acd.errors import Conflict, illegal_transition
from acd.ids import AgentId, CallId, QueueId
from acd.record import record
from acd.supervision_events import HelpAsked, HelpSettled
from acd.turn import Turn
from whisper import commands as c

if TYPE_CHECKING:
    from whisper.supervision import Supervision


@record
class HelpRequest:
    """An agent asks for help in the call that is on."""

    agent: AgentId
    call: CallId
    queue: QueueId
    asked_at: float


def ask(supervision: "Supervision", turn: Turn, command: c.AskForHelp) -> None:
    agent = supervision.floor.agent(command.agent)
    engaged = agent.engagement
    if not isinstance(engaged, Talking):
        raise illegal_transition(f"agent {agent.id}", agent.state, "asking for help")
    asked = supervision.help.get(agent.id)
    if asked is None or asked.call != engaged.call:
        supervision.help[agent.id] = HelpRequest(agent.id, engaged.call, engaged.queue, turn.now)
        turn.emit(HelpAsked(turn.now, agent.id, engaged.call, engaged.queue))


def withdraw(supervision: "Supervision", turn: Turn, command: c.WithdrawHelp) -> None:
    supervision.floor.agent(command.agent)
    asked = supervision.help.pop(command.agent, None)
    if asked is None:
        raise Conflict(
            "no_help_request", f"agent {command.agent} has not asked for help in this call", agent=command.agent
        )
    turn.emit(HelpSettled(turn.now, asked.agent, asked.call, asked.queue, "withdrawn"))


def restore(supervision: "Supervision", _turn: Turn, command: c.RestoreHelp) -> None:
    """Whether the call lives on is known with the first snapshot."""
    supervision.help[command.agent] = HelpRequest(command.agent, command.call, command.queue, command.asked_at)


def settle(supervision: "Supervision", turn: Turn) -> None:
    """Requests whose conversation is over are so too."""
    floor = supervision.floor
    for asked in tuple(supervision.help.values()):
        agent = floor.agents.get(asked.agent)
        engaged = agent.engagement if agent is not None else None
        if isinstance(engaged, Talking) and engaged.call == asked.call:
            continue
        call = floor.calls.get(asked.call)
        if call is None and not any(state.up for state in floor.pbxs.values()):
            continue  # nothing is known yet
        del supervision.help[asked.agent]
        turn.emit(HelpSettled(turn.now, asked.agent, asked.call, asked.queue, "call_ended"))


HANDLERS: dict[type, Callable[["Supervision", Turn, Any], None]] = {
    c.AskForHelp: ask,
    c.WithdrawHelp: withdraw,
    c.RestoreHelp: restore,
}
