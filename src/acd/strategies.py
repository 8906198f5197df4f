"""Who of several free agents gets a call: one function for each strategy.

A strategy turns a candidate into a sort key; the agent with the smallest key is rung. To add one, write the function and
name it in ``STRATEGIES``; nothing else knows how many there are. Ties end in the agent's id, so that the same floor always
decides the same. Chance is computed, not rolled: it comes from the ids of call, offer and agent, so that every decision can be
made again.
"""

from collections.abc import Callable
from hashlib import blake2b
from math import log

from acd.agents import Agent
from acd.calls import Call
from acd.queues import Key, Queue
from acd.record import record


@record
class Choice:
    """For whom an agent is chosen, and when."""

    queue: Queue
    call: Call | None  # None while an agent is put in order for whoever comes: for steady strategies only
    now: float


Strategy = Callable[[Agent, Choice], Key]


def longest_idle(agent: Agent, _choice: Choice) -> Key:
    """The agent whose last conversation ended, or who became available, the longest ago."""
    return (agent.idle_anchor,)


def round_robin(agent: Agent, choice: Choice) -> Key:
    """The agent whose last turn in this queue is the longest ago; whoever had none yet comes first."""
    return (choice.queue.turns.get(agent.id, 0.0),)


def fewest_calls(agent: Agent, choice: Choice) -> Key:
    """The agent with the fewest conversations an hour of this shift; of equals, the longest idle.

    A rate and not a count: whoever has just signed in would otherwise get every call until he has caught up.
    """
    return (agent.shift.calls / agent.shift.signed_in_s(choice.now), agent.idle_anchor)


def least_talk_time(agent: Agent, choice: Choice) -> Key:
    """The agent with the smallest share of this shift spent talking; of equals, the longest idle."""
    return (agent.shift.talk_s / agent.shift.signed_in_s(choice.now), agent.idle_anchor)


def random(agent: Agent, choice: Choice) -> Key:
    """Everybody with the same chance."""
    return (draw(agent, choice),)


def weighted(agent: Agent, choice: Choice) -> Key:
    """Chances in proportion to the agents' weights in this queue.

    The smallest of exponential variates with rates w is agent i's with probability w_i / sum(w) (Efraimidis and Spirakis,
    "Weighted random sampling with a reservoir", 2006).
    """
    return (-log(draw(agent, choice)) / agent.weight_in(choice.queue.spec.id),)


def linear(agent: Agent, choice: Choice) -> Key:
    """Always the free agent who stands first in the queue's fixed order; of the same rank, the longest idle."""
    return (agent.rank_in(choice.queue.spec.id), agent.idle_anchor)


def draw(agent: Agent, choice: Choice) -> float:
    """A number in (0, 1), uniform over calls and agents, and always the same for the same offer."""
    call = f"{choice.call.id}/{choice.call.offers_made}" if choice.call is not None else ""
    seed = f"{call}/{agent.id}".encode()
    return (int.from_bytes(blake2b(seed, digest_size=7).digest(), "big") + 0.5) / 2.0**56


STRATEGIES: dict[str, Strategy] = {
    "longest_idle": longest_idle,
    "round_robin": round_robin,
    "fewest_calls": fewest_calls,
    "least_talk_time": least_talk_time,
    "ring_all": longest_idle,
    "random": random,
    "weighted": weighted,
    "linear": linear,
}
STEADY = frozenset({"longest_idle", "round_robin", "ring_all", "linear"})
"""Strategies whose key does not change while an agent is idle: their candidates are kept in order, not sorted each time."""

RING_EVERYBODY = frozenset({"ring_all"})
"""Strategies that ring all candidates at once, in the order of their keys."""
