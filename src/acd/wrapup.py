"""The work after a call: when it begins, what ends it, and how it outlives a restart.

Three forms (``WrapUpForm``). *Fixed* ends by time or when the agent says so, *open* when he says so. *Disposition* ends by neither
until it is known what the call was about; said during the call already, it is a fixed one. A queue may bound all of them
(``longest_s``): then it is told once, or the agent is made free.

``begin`` is called by ``acd.calling`` when a conversation has ended, ``amended`` by ``acd.desk`` when something was said of a call;
the rest are handlers of commands and timers.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from acd import commands as c
from acd.agents import FREE, Agent, Free, Status, WrapUp
from acd.calls import Call
from acd.errors import Conflict, Invalid, illegal_transition
from acd.events import CallAmended, WrapUpBegan, WrapUpEnded, WrapUpExtended, WrapUpOverdue
from acd.ids import AgentId, QueueId
from acd.queues import WrapUpForm, WrapUpPolicy
from acd.turn import Turn

if TYPE_CHECKING:
    from acd.floor import Floor

ANY_FORM = WrapUpPolicy()
_OPEN, _DISPOSITION = WrapUpForm.OPEN, WrapUpForm.DISPOSITION


def begin(floor: "Floor", turn: Turn, agent: Agent, call: Call) -> None:
    """A conversation is over. Whoever signed out in it has no wrap-up, unless the queue insists on a disposition."""
    now, spec = turn.now, floor.queues[call.queue].spec
    form, seconds = spec.wrap_up.form, spec.wrap_up_s
    agent.end_talk(call.queue, now)
    owes = form is _DISPOSITION and call.disposition is None
    if owes or (agent.status is not Status.SIGNED_OUT and (form is _OPEN or seconds > 0)):
        until = None if form is _OPEN else now + seconds
        turn.emit(WrapUpBegan(now, agent.id, call.id, call.queue, until))
        _work(floor, agent, WrapUp(call.id, call.queue, now, until, call.disposition))
    floor.refresh(agent, turn)


def _work(floor: "Floor", agent: Agent, wrap_up: WrapUp) -> None:
    agent.engagement, agent.late = wrap_up, False
    longest = policy_of(floor, wrap_up.queue).longest_s
    if wrap_up.until is not None:
        floor.at(wrap_up.until, "wrap_up", agent.id)
    if longest:
        floor.at(wrap_up.since + longest, "wrap_up_limit", agent.id)


def policy_of(floor: "Floor", queue: QueueId) -> WrapUpPolicy:
    """The queue's, or that of a queue that is no more."""
    found = floor.queues.get(queue)
    return found.spec.wrap_up if found is not None else ANY_FORM


def owes(floor: "Floor", wrap_up: WrapUp) -> bool:
    """Whether nothing but a disposition ends it."""
    return wrap_up.disposition is None and policy_of(floor, wrap_up.queue).form is _DISPOSITION


def check(floor: "Floor", queue: QueueId, disposition: str | None) -> None:
    """Raises ``unknown_disposition`` for one that the queue does not have."""
    known = policy_of(floor, queue).dispositions
    if disposition is not None and known and disposition not in known:
        raise Invalid("unknown_disposition", f"queue {queue} knows {', '.join(known)}", queue=queue)


def must_not_owe(floor: "Floor", agent: Agent) -> None:
    """Raises ``disposition_required`` while the agent's wrap-up waits for one."""
    wrap_up = agent.engagement
    if isinstance(wrap_up, WrapUp) and owes(floor, wrap_up):
        raise Conflict(
            "disposition_required", "it has to be said first what the call was about", agent=agent.id, call=wrap_up.call
        )


def finish(floor: "Floor", turn: Turn, agent: Agent, *, forced: bool = False) -> None:
    """End the wrap-up that the agent is in."""
    if isinstance(agent.engagement, WrapUp):
        wrap_up = agent.engagement
        turn.emit(
            WrapUpEnded(turn.now, agent.id, wrap_up.call, wrap_up.queue, max(0.0, turn.now - wrap_up.since), forced)
        )
        agent.engagement, agent.late = FREE, False
        floor.refresh(agent, turn)


def amend(turn: Turn, call: Call, disposition: str | None, notes: str | None) -> None:
    """Note what a call was about."""
    call.disposition = disposition if disposition is not None else call.disposition
    call.notes = notes if notes is not None else call.notes
    turn.emit(CallAmended(turn.now, call.id, call.queue, call.priority, call.disposition, call.notes))


def amended(floor: "Floor", turn: Turn, call: Call) -> None:
    """It is said what a call was about: whoever still works on it may be through."""
    agent = floor.agents.get(call.agent) if call.agent is not None else None
    wrap_up = agent.engagement if agent is not None else None
    if agent is not None and isinstance(wrap_up, WrapUp) and wrap_up.call == call.id:
        agent.engagement = WrapUp(wrap_up.call, wrap_up.queue, wrap_up.since, wrap_up.until, call.disposition)
        due(floor, turn, agent.id)


# ---------------------------------------------------------------- commands


def end(floor: "Floor", turn: Turn, command: c.EndWrapUp) -> None:
    agent, wrap_up = _in_wrap_up(floor, command.agent)
    check(floor, wrap_up.queue, command.disposition)
    if command.disposition is None and not command.forced:
        must_not_owe(floor, agent)
    if command.disposition is not None or command.notes is not None:
        call = floor.calls.get(wrap_up.call) or floor.ended.get(wrap_up.call)
        if call is not None:
            amend(turn, call, command.disposition, command.notes)
        else:  # it ended before a restart, or so long ago that only history knows it
            turn.emit(CallAmended(turn.now, wrap_up.call, wrap_up.queue, None, command.disposition, command.notes))
    finish(floor, turn, agent, forced=command.forced)


def extend(floor: "Floor", turn: Turn, command: c.ExtendWrapUp) -> None:
    """One without an end by time has nothing to extend, and stays as it is."""
    agent, wrap_up = _in_wrap_up(floor, command.agent)
    if command.seconds <= 0:
        raise Invalid("invalid_duration", "a wrap-up is extended by more than 0 s", seconds=command.seconds)
    if wrap_up.until is not None:
        until = max(wrap_up.until, turn.now) + command.seconds
        agent.engagement = WrapUp(wrap_up.call, wrap_up.queue, wrap_up.since, until, wrap_up.disposition)
        floor.at(until, "wrap_up", agent.id)
        turn.emit(WrapUpExtended(turn.now, agent.id, wrap_up.call, wrap_up.queue, until))


def restore(floor: "Floor", turn: Turn, command: c.RestoreWrapUp) -> None:
    """What should have ended while nobody was there has ended then; agents and queues that are no more pass in silence."""
    agent = floor.agents.get(command.agent)
    if agent is None or command.queue not in floor.queues or not isinstance(agent.engagement, Free):
        return
    wrap_up = WrapUp(command.call, command.queue, command.since, command.until, command.disposition)
    agent.idle_anchor = max(agent.idle_anchor, wrap_up.since)
    if wrap_up.until is not None and wrap_up.until <= turn.now and not owes(floor, wrap_up):
        lasted = wrap_up.until - wrap_up.since
        turn.emit(WrapUpEnded(turn.now, agent.id, wrap_up.call, wrap_up.queue, max(0.0, lasted)))
        return
    _work(floor, agent, wrap_up)
    floor.refresh(agent, turn)
    policy = policy_of(floor, wrap_up.queue)
    agent.state_since = wrap_up.since
    agent.late = 0 < policy.longest_s <= turn.now - wrap_up.since and not policy.force  # and that was told before


def _in_wrap_up(floor: "Floor", agent_id: AgentId) -> tuple[Agent, WrapUp]:
    agent = floor.agent(agent_id)
    if not isinstance(agent.engagement, WrapUp):
        raise illegal_transition(f"agent {agent.id}", agent.state, "out of wrap_up")
    return agent, agent.engagement


# ---------------------------------------------------------------- timers


def due(floor: "Floor", turn: Turn, key: str) -> None:
    """The time is over: so is the wrap-up, unless something is owed."""
    agent = floor.agents.get(AgentId(key))
    wrap_up = agent.engagement if agent is not None else None
    if agent is not None and isinstance(wrap_up, WrapUp):
        over = wrap_up.until is not None and wrap_up.until <= turn.now
        if over and not owes(floor, wrap_up):
            finish(floor, turn, agent)


def limit_due(floor: "Floor", turn: Turn, key: str) -> None:
    """Nobody works longer after a call than the queue allows without it being told."""
    agent = floor.agents.get(AgentId(key))
    wrap_up = agent.engagement if agent is not None else None
    if agent is None or not isinstance(wrap_up, WrapUp) or agent.late:
        return
    policy = policy_of(floor, wrap_up.queue)
    if policy.longest_s and wrap_up.since + policy.longest_s <= turn.now:
        agent.late = True
        turn.emit(WrapUpOverdue(turn.now, agent.id, wrap_up.call, wrap_up.queue, turn.now - wrap_up.since))
        if policy.force:
            finish(floor, turn, agent, forced=True)


HANDLERS: dict[type, Callable[["Floor", Turn, Any], None]] = {
    c.EndWrapUp: end,
    c.ExtendWrapUp: extend,
    c.RestoreWrapUp: restore,
}
