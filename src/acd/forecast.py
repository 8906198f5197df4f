"""Expected waits on the live floor: what a caller is told, and how it is kept honest.

A forecast is made when a caller has to wait, remembered, and compared with the wait that came true. What a caller has been
told is a time by which it is his turn; that time never moves back without a stated reason.
"""

from collections.abc import Collection
from typing import TYPE_CHECKING

from acd.agents import Agent, Talking, WrapUp
from acd.calls import Call, CallState
from acd.ewt import Departures, Estimator, Forecast, turn_of
from acd.queues import Queue
from acd.record import record
from acd.skills import Needs
from acd.words import Word

if TYPE_CHECKING:
    from acd.floor import Floor

UNKNOWN_SERVICE_S = 180.0
"""Handling time that is taken for likely until a queue has measured its own."""


RATES_S = 0.001
"""How long, for each member of a queue, what was found of who can serve is good enough: two thousand take milliseconds."""


class Growth(Word):
    """Why a promised time moved back. A closed set: it is said to callers and to people who ask."""

    FEWER_AGENTS = "fewer_agents"
    URGENT_CALLERS = "urgent_callers"
    LONGER_CALLS = "longer_calls"


@record
class Promise:
    """What was told at ``at``: the turn comes ``low_s`` to ``high_s`` later. ``because`` says why it grew, if it did."""

    at: float
    low_s: float
    high_s: float
    ahead: int
    agents: int
    because: Growth | None = None


@record
class Prediction:
    """What the estimators said when a caller joined, to be compared with what came true."""

    at: float
    said: dict[Estimator, Forecast]
    best: Estimator | None


def ahead_of(floor: "Floor", queue: Queue, call: Call) -> int:
    """How many stand before ``call``, those for whom phones ring already included."""
    place = call.place
    ringing = sum(floor.calls[other].place < place for other in queue.offered if other != call.id)
    return queue.index(place) + ringing


@record
class Hands:
    """Who can serve callers that need the same: ``able`` of the queue's members are at work and good for it.

    ``queues`` share any of these agents with the caller's queue, itself included, if there are others; ``pool`` is everybody at
    work in those, or in the one queue if not all of its members can serve the caller. None where it is no more than ``able``.
    """

    able: Departures
    pool: Departures | None = None
    queues: tuple[Queue, ...] = ()


def hands(queue: Queue, needs: Needs, now: float) -> Hands | None:
    """None if nobody who can serve such a caller is at work."""
    at_work = [one for one in queue.members.values() if one.seen_serving]
    able = [one for one in at_work if one.can(needs)] if needs else at_work
    if not able:
        return None
    own = _departures(queue, able, now)
    shared = [one for one in able if len(one.lines) > 1]
    if not shared:
        return Hands(own, _departures(queue, at_work, now) if len(able) < len(at_work) else None, (queue,))
    queues = tuple({each.spec.id: each for one in shared for each in one.lines}.values())
    pool = {one.id: one for each in queues for one in each.members.values() if one.seen_serving}
    return Hands(own, _departures(queue, tuple(pool.values()), now), queues)


def _departures(queue: Queue, agents: Collection[Agent], now: float) -> Departures:
    services = queue.waits.services
    mean = services.mean_s or UNKNOWN_SERVICE_S
    if not services.is_regular:
        return Departures(len(agents), mean)
    firsts = [left for agent in agents for left in services.remaining(_served_for(agent, now))]
    return Departures(len(agents), mean, tuple(sorted(firsts)))


def _served_for(agent: Agent, now: float) -> float:
    """How long the handling of the agent's call lasts by now: conversation and wrap-up."""
    match agent.engagement:
        case Talking(since=since):
            return now - since
        case WrapUp(since=since):
            return now - (since if agent.serving_since is None else agent.serving_since)
    return 0.0


Rates = dict[Needs, Hands | None]
"""What ``hands`` said of the callers of one queue at one moment: the same for all who need the same."""


def recent(queue: Queue, now: float) -> Rates:
    """What was found of this queue a moment ago, to be added to.

    For the floor's own turns only: a reader who filled it would change what callers are told after him.
    """
    if now - queue.rated_at > RATES_S * len(queue.members):
        queue.rates.clear()
        queue.rated_at = now
    return queue.rates


def predict(
    floor: "Floor", queue: Queue, call: Call, now: float, rates: Rates | None = None
) -> tuple[Prediction, int, int]:
    """What the estimators say of a caller who waits, and the callers ahead and agents at work that it rests on."""
    ahead = ahead_of(floor, queue, call)
    known = rates if rates is not None else {}
    if call.needs not in known:
        known[call.needs] = hands(queue, call.needs, now)
    able = known[call.needs]
    head = queue.line.first
    head_wait = now - floor.calls[head[3]].visit.entered_at if head is not None and head[3] != call.id else None
    turn = _turn(queue, call, ahead, able) if able is not None else None
    said = queue.waits.forecasts(turn, head_wait)
    return Prediction(now, said, queue.waits.best(said)), ahead, able.able.agents if able is not None else 0


def _turn(queue: Queue, call: Call, ahead: int, able: Hands) -> tuple[float, float]:
    """The narrowest of two necks: those who need the same, through the agents good for it; and everybody, through all agents.

    An agent of several queues serves one order across all, so whoever stands before in another queue is ahead as well, as far as
    that queue's own agents do not see to him. The longer of the two waits says which of it is true.
    """
    rate = queue.waits.give_up_rate
    alike = ahead * queue.kinds.get(call.needs, 1) // max(1, len(queue.line)) if len(queue.kinds) > 1 else ahead
    own = turn_of(alike, able.able, rate)
    if able.pool is None:
        return own
    place = call.place
    everybody = ahead + sum(other.index(place) for other in able.queues if other is not queue)
    return max(own, turn_of(everybody, able.pool, rate))


def expected(floor: "Floor", call: Call, now: float, rates: Rates | None = None) -> Promise | None:
    """What could be told to a caller now. None when nobody who can serve is at work, or when the caller does not wait.

    Whoever asks for a whole line at once hands in one empty ``rates`` for all of it.
    """
    if call.state not in (CallState.WAITING, CallState.OFFERED):
        return None
    queue = floor.queues[call.queue]
    prediction, ahead, agents = predict(floor, queue, call, now, rates)
    if prediction.best is None or not agents:
        return None
    forecast = prediction.said[prediction.best]
    return hold_to(call.promise, Promise(now, forecast.low_s, forecast.high_s, ahead, agents))


def hold_to(before: Promise | None, fresh: Promise) -> Promise:
    """``fresh``, unless it would move the promised time back without a reason."""
    if before is None:
        return fresh
    latest = before.at + before.high_s
    if fresh.at + fresh.high_s <= latest:
        return fresh
    because = None
    if fresh.agents < before.agents:
        because = Growth.FEWER_AGENTS
    elif fresh.ahead > before.ahead:
        because = Growth.URGENT_CALLERS
    elif latest <= fresh.at:
        because = Growth.LONGER_CALLS  # the promised time has come, and the turn has not
    if because is not None:
        return Promise(fresh.at, fresh.low_s, fresh.high_s, fresh.ahead, fresh.agents, because)
    high = latest - fresh.at
    return Promise(fresh.at, min(fresh.low_s, high), high, fresh.ahead, fresh.agents)
