"""When to dial a customer so that an agent is free as he comes on, and not before.

``chance`` is the probability that enough agents have become free by then: one for each entry that stands before the customer, and
one for him. It rests on how long customers of this queue took to come on, and on how long each conversation that goes on may last.
A customer is dialled when it reaches the queue's target, in order of the line. There are never more dialled customers than agents
who are likely to be free by then.

While a customer is dialled an agent who becomes free takes the next caller: he may be passed once. The next agent is reserved.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice
from math import exp
from typing import TYPE_CHECKING

from acd.agents import Agent, Talking, WrapUp
from acd.callback_policy import CallbackMode
from acd.calls import Call, CallState
from acd.forecast import UNKNOWN_SERVICE_S
from acd.ids import AttemptId, CallbackId, QueueId
from acd.queues import Queue
from acd.turn import Turn
from callback import at_once, dialling
from callback.sessions import Session, SessionState

if TYPE_CHECKING:
    from acd.floor import Floor
    from callback.keeper import Callbacks

LOOK_S = 1.0
"""How often a line with callbacks is looked at."""

FIRST_ENTRIES = 25
"""Entries of a line that are looked at: nobody behind them will be served within the time that a phone rings."""

USUAL_S = (8.0, 12.0, 18.0)
"""How long customers take to come on, until a queue has measured it."""

MEASURED = 60

_QUEUE = "queue "


def arm(keeper: "Callbacks", floor: "Floor", queue: QueueId) -> None:
    """Look at the queue's line now, and then again and again."""
    if queue not in keeper.armed and floor.queues[queue].spec.callbacks.mode is CallbackMode.JUST_IN_TIME:
        keeper.armed.add(queue)
        floor.at(floor.now, "callback", _QUEUE + queue)


def due(keeper: "Callbacks", floor: "Floor", turn: Turn, key: str) -> bool:
    """Whether a timer was a queue's; then its line has been looked at."""
    if not key.startswith(_QUEUE):
        return False
    queue = floor.queues.get(QueueId(key.removeprefix(_QUEUE)))
    if queue is not None:
        keeper.armed.discard(queue.spec.id)
        look(keeper, floor, turn, queue)
        if queue.away:
            keeper.armed.add(queue.spec.id)
            floor.at(turn.now + LOOK_S, "callback", key)
    return True


def passed(keeper: "Callbacks", floor: "Floor", queue: Queue, call: Call) -> None:
    """Somebody gets an agent: note it of customers before him who are dialled, or could have been."""
    for entry in queue.away:
        session = keeper.sessions.get(CallbackId(entry))
        if session is None or session.next_at > floor.now or session.id == call.callback:
            continue
        if (session.since, session.serial) < (call.visit.place_at, call.serial):
            session.passed += 1
            if floor.calls[entry].state is CallState.WAITING:
                floor.fresh_calls[entry] = None  # who is free now, or next, is his


def look(keeper: "Callbacks", floor: "Floor", turn: Turn, queue: Queue) -> None:
    """Dial those whose time has come."""
    if queue.spec.callbacks.mode is not CallbackMode.JUST_IN_TIME or not floor.offering:
        return
    times = tuple(keeper.answers.get(queue.spec.id, ())) or USUAL_S
    out = sum(_is_out(keeper, entry) for entry in queue.away)
    most = expected_free(queue, times, turn.now)
    for ahead, place in enumerate(islice(queue.line, FIRST_ENTRIES)):
        entry = floor.calls[place[3]]
        session = keeper.sessions.get(CallbackId(entry.id)) if entry.away else None
        if session is None or not _may_be_dialled(floor, session, entry, turn.now):
            continue
        if out >= most or chance(queue, ahead + 1, times, turn.now) < queue.spec.callbacks.target:
            return
        if at_once.is_full(keeper, floor, queue.spec.id):
            return
        out += 1
        dialling.plan(keeper, floor, turn, session, AttemptId(entry.next_offer_id()), None)


def _is_out(keeper: "Callbacks", entry: str) -> bool:
    session = keeper.sessions.get(CallbackId(entry))
    return session is not None and session.state in (SessionState.PLANNED, SessionState.DIALLING)


def _may_be_dialled(floor: "Floor", session: Session, entry: Call, now: float) -> bool:
    waits = session.state is SessionState.WAITING and entry.state is CallState.WAITING
    return waits and session.next_at <= now < session.expires_at and floor.takes_offers(session.pbx)


def note_answer(keeper: "Callbacks", queue: QueueId, seconds: float) -> None:
    """A customer was on so long after he was dialled."""
    keeper.answers.setdefault(queue, deque(maxlen=MEASURED)).append(max(0.5, seconds))


# ---------------------------------------------------------------- chances


def expected_free(queue: Queue, times: Sequence[float], now: float) -> int:
    """Agents who are free, or likely to be within the time that a customer takes."""
    within = sum(times) / len(times)
    return len(queue.idle) + int(sum(_ends_within(queue, one, within, now) for one in _busy(queue)) + 0.5)


def chance(queue: Queue, needed: int, times: Sequence[float], now: float) -> float:
    """The probability that so many agents are free when a customer who is dialled now comes on."""
    missing = needed - len(queue.idle)
    if missing <= 0:
        return 1.0
    busy = list(_busy(queue))
    if len(busy) < missing:
        return 0.0
    some = sorted(times)[:: max(1, len(times) // 5)]
    return sum(_at_least(missing, [_ends_within(queue, one, each, now) for one in busy]) for each in some) / len(some)


def _busy(queue: Queue) -> Iterable[Agent]:
    """Members who talk or work, and will take the next caller."""
    return (
        one
        for one in queue.members.values()
        if one.seen_serving is not None and isinstance(one.engagement, Talking | WrapUp)
    )


def _ends_within(queue: Queue, agent: Agent, seconds: float, now: float) -> float:
    """The probability that what an agent does now is over by then."""
    services, engaged = queue.waits.services, agent.engagement
    if isinstance(engaged, WrapUp) and engaged.until is not None:
        return 1.0 if engaged.until - now <= seconds else 0.0
    since = engaged.since if isinstance(engaged, Talking | WrapUp) else now
    if services.is_regular:
        left = services.remaining(now - since)
        return sum(one <= seconds for one in left) / len(left)
    return 1.0 - exp(-seconds / (services.mean_s or UNKNOWN_SERVICE_S))


def _at_least(wanted: int, chances: Sequence[float]) -> float:
    """The probability that at least so many of independent things happen."""
    fewer = [1.0] + [0.0] * (wanted - 1)  # by how many have happened, as long as they are too few
    for one in chances:
        for happened in range(wanted - 1, 0, -1):
            fewer[happened] = fewer[happened] * (1.0 - one) + fewer[happened - 1] * one
        fewer[0] *= 1.0 - one
    return max(0.0, 1.0 - sum(fewer))
