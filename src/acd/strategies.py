"""Who of several free agents gets a call: one function for each strategy.

A strategy turns a candidate into a sort key; the agent with the smallest key is rung. To add one, write the function and
name it in ``STRATEGIES``; nothing else knows how many there are. Ties end in the agent's id, so that the same floor always
decides the same.
"""

from collections.abc import Callable

from acd.agents import Agent
from acd.queues import Queue

Key = tuple[float, ...]
Strategy = Callable[[Agent, Queue], Key]


def longest_idle(agent: Agent, _queue: Queue) -> Key:
    """The agent whose last conversation ended, or who became available, the longest ago."""
    return (agent.idle_anchor,)


def round_robin(agent: Agent, queue: Queue) -> Key:
    """The agent whose last turn in this queue is the longest ago; whoever had none yet comes first."""
    return (queue.turns.get(agent.id, 0),)


STRATEGIES: dict[str, Strategy] = {"longest_idle": longest_idle, "round_robin": round_robin}
