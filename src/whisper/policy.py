"""Who may hear whom. Every rule about it is here; ``whisper.desk`` asks at the start, ``whisper.follow`` at each change.

A supervisor reaches the calls of his own queues as far as agents of his own queues have them. Roles are the REST interface's
matter: whoever comes here is a supervisor already.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from acd.agents import Agent
from acd.ids import AgentId, QueueId
from acd.queues import Queue


@dataclass(frozen=True, slots=True)
class Supervisor:
    """Whoever asked, by token. ``queues`` None: all."""

    token: str
    name: str
    role: str
    queues: frozenset[QueueId] | None = None


def owns(supervisor: Supervisor, queue: QueueId) -> bool:
    """Whether the queue is one of the supervisor's."""
    return supervisor.queues is None or queue in supervisor.queues


def reaches(supervisor: Supervisor, agent_queues: Iterable[QueueId]) -> bool:
    """Whether an agent who serves these queues is one of the supervisor's."""
    return supervisor.queues is None or not supervisor.queues.isdisjoint(agent_queues)


def may_hear(supervisor: Supervisor, call_queue: QueueId, agent_queues: Iterable[QueueId]) -> bool:
    """Whether the supervisor may be in the conversation of an agent with a caller of ``call_queue``."""
    own = supervisor.queues
    return own is None or (call_queue in own and reaches(supervisor, agent_queues))


def is_exempt(agent: AgentId, queues: Collection[Queue]) -> bool:
    """Whether one of the queues that the agent serves says that he is not supervised."""
    return any(agent in queue.spec.supervision.exempt for queue in queues)


def refusal(supervisor: Supervisor, call_queue: QueueId, agent: Agent) -> str | None:
    """What keeps the supervisor from this agent's conversation; None if nothing does."""
    if not may_hear(supervisor, call_queue, agent.spec.queues):
        return "right_lost"
    return "supervision_forbidden" if is_exempt(agent.id, agent.lines) else None
