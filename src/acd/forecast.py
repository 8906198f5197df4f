"""Expected waits on the live floor: what a caller is told, and how it is kept honest.

A forecast is made when a caller has to wait, remembered, and compared with the wait that came true. What a caller has been
told is a time by which it is his turn; that time never moves back without a stated reason.
"""

from typing import TYPE_CHECKING

from acd.agents import Free, Talking, WrapUp
from acd.calls import Call, CallState
from acd.ewt import Estimator, Forecast
from acd.queues import Queue
from acd.record import record
from acd.skills import Needs
from acd.words import Word

if TYPE_CHECKING:
    from acd.floor import Floor

UNKNOWN_SERVICE_S = 180.0
"""Handling time that is taken for likely until a queue has measured its own."""


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


def leave_rate(queue: Queue, call: Call, now: float) -> tuple[float, int]:
    """How often one of the agents who can serve ``call`` becomes free, a second; and how many they are."""
    able = [one for one in queue.members.values() if one.serves and one.can(call.needs)]
    services = queue.waits.services
    mean = services.mean_s or UNKNOWN_SERVICE_S
    if not services.is_regular:
        return len(able) / mean, len(able)
    rate = 0.0
    for agent in able:
        engaged = agent.engagement
        since = now if isinstance(engaged, Free) else getattr(engaged, "since", now)
        elapsed = now - since if isinstance(engaged, Talking | WrapUp) else 0.0
        rate += 1.0 / services.remaining_s(elapsed)
    return rate, len(able)


Rates = dict[Needs, tuple[float, int]]
"""What ``leave_rate`` said of the callers of one queue at one moment: the same for all who need the same."""


def predict(
    floor: "Floor", queue: Queue, call: Call, now: float, rates: Rates | None = None
) -> tuple[Prediction, int, int]:
    """What the estimators say of a caller who waits, and the callers ahead and agents at work that it rests on."""
    ahead = ahead_of(floor, queue, call)
    known = rates if rates is not None else {}
    if call.needs not in known:
        known[call.needs] = leave_rate(queue, call, now)
    rate, agents = known[call.needs]
    head = queue.line.first
    head_wait = now - head[1] if head is not None and head[3] != call.id else None
    said = queue.waits.forecasts(ahead, rate, head_wait)
    return Prediction(now, said, queue.waits.best(said)), ahead, agents


def expected(floor: "Floor", call: Call, now: float, rates: Rates | None = None) -> Promise | None:
    """What could be told to a caller now. None when nobody who can serve is at work, or when the caller does not wait.

    Whoever asks for a whole line at once hands in one empty ``rates`` for all of it.
    """
    if call.state not in (CallState.WAITING, CallState.OFFERED):
        return None
    queue = floor.queues[call.queue]
    prediction, ahead, agents = predict(floor, queue, call, now, rates)
    if prediction.best is None:
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
