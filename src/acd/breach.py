"""Breach risk on the live floor: will a queue's interval miss its service level, who is late next, and what helps most cheaply.

Two steps. ``look`` reads the floor: it costs about what a queue's figures cost, and what it returns keeps nothing of the floor.
``judge`` works on that alone and takes some milliseconds, so the service lets it run beside the calls.

Agents of several queues serve one order across all. As with expected waits (``acd.forecast``) there are two necks, the own members
with the own callers, and everybody with all callers of the queues that share agents; the tighter one counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from acd.agents import AgentState, Free
from acd.erlang_a import Fate, Station
from acd.forecast import UNKNOWN_SERVICE_S
from acd.ids import AgentId, CallId, QueueId
from acd.limits import ToNumber, ToQueue, described
from acd.overflow import closed_by
from acd.queues import Queue
from acd.record import record
from acd.risk import LOOKED_AT, Interval, Situation, Waiting, chance, diverted, each
from acd.sla import INTERVAL_S, Counts
from acd.telephony import DeviceState
from acd.words import Word

if TYPE_CHECKING:
    from acd.floor import Floor

WORTH_CURING = 0.25
"""From here on remedies are looked for, and one that leads below it is enough."""

HELPS = 0.02
"""What changes the risk by less is no remedy."""

MOST_RECALLED = 5
"""So many agents are called back from their breaks at most."""

TAKEN = 0.3
"""The share of callers who take a callback when it is offered to them at once; nothing is known of it before it is tried."""

DRIFT = 0.15
"""By how much the rate of callers may have changed since it was measured, as a standard deviation relative to it."""

REMEMBERED = (1.0, 1.0, 0.6, 0.4, 0.3)
"""What callers of this interval and of those before it count when their rate is measured."""

PROVEN = 20
"""From so many callers on, the share of late ones who took a callback is believed."""


class RemedyKind(Word):
    """In the order of what they cost."""

    CALLBACKS = "callbacks"  # nobody has to do anything, callers wait at home
    RECALL = "recall"  # somebody's break ends early
    OVERFLOW = "overflow"  # others do the work


@record
class Remedy:
    """What would bring the risk from ``before`` to ``after``. ``agents``: whom to call back; ``to``: where callers are led.
    ``takes``: of those who would be late, how many are taken to accept a callback.
    """

    kind: RemedyKind
    before: float
    after: float
    agents: tuple[AgentId, ...] = ()
    to: str | None = None
    takes: float | None = None

    @property
    def is_enough(self) -> bool:
        return self.after < WORTH_CURING


@record
class NextBreach:
    """The caller who is late next: at ``at`` the target is over, and with ``chance`` the caller waits until then."""

    call: CallId
    at: float
    chance: float


@record
class BreachRisk:
    """Of the interval [``since``, ``until``): the chance that it misses its service level. ``remedies``: the cheapest that is
    enough first; if none is, the one that helps most.
    """

    queue: QueueId
    at: float
    since: float
    until: float
    risk: float
    next: NextBreach | None
    remedies: tuple[Remedy, ...] = ()


@record
class BreachRiskTold:
    """For those who watch: the risk has changed. ``next_call`` is late at ``next_at`` if nobody answers."""

    at: float
    queue: QueueId
    risk: float
    since: float
    until: float
    next_call: CallId | None
    next_at: float | None


@record
class Late:
    """A waiting caller who may be late: when, and how many stand before him."""

    call: CallId
    at: float
    ahead: int


@record
class Scene:
    """What ``judge`` needs of a queue: ``necks`` are its own line and, where agents are shared, all of theirs as one."""

    queue: QueueId
    at: float
    since: float
    necks: tuple[Situation, ...]
    waiting: tuple[Late, ...]
    on_break: tuple[AgentId, ...]
    offers_callbacks: bool
    elsewhere: str | None


# ---------------------------------------------------------------- reading the floor


def look(floor: "Floor", queue_id: QueueId, now: float) -> Scene:
    """Raises ``unknown_queue``."""
    queue = floor.queue(queue_id)
    since = now // INTERVAL_S * INTERVAL_S
    line = _walk(floor, queue, since, now)
    necks = [_own(queue, line, since, now)]
    shared = _sharing(queue)
    if len(shared) > 1:
        others = {one.spec.id: _walk(floor, one, since, now).came for one in shared if one is not queue}
        came = {**others, queue_id: line.came}
        necks.append(
            _pooled(queue, necks[0], shared, [_arrivals(one, came[one.spec.id], since, now) for one in shared])
        )
    return Scene(
        queue_id,
        now,
        since,
        tuple(necks),
        tuple(sorted(line.may_be_late, key=lambda one: one.at)[:LOOKED_AT]),
        _on_break(queue),
        queue.spec.callbacks.enabled,
        _elsewhere(floor, queue, now),
    )


@dataclass(slots=True)
class _InLine:
    """What one walk along a line tells. ``came``: in this interval, those whose phones ring included."""

    came: int = 0
    missed: int = 0
    ringing: int = 0
    behind: int = 0
    waiting: list[Waiting] = field(default_factory=list)
    may_be_late: list[Late] = field(default_factory=list)


def _walk(floor: "Floor", queue: Queue, since: float, now: float) -> _InLine:
    """One step for each place, and as little as can be in it: a line may have ten thousand."""
    found, calls = _InLine(), floor.calls
    too_long_ago = now - queue.spec.service_level.target_s
    for ahead, place in enumerate(queue.line):
        call = calls[place[3]]
        entered_at = call.visit.entered_at
        if call.away or (entered_at < since and entered_at <= too_long_ago) or not call.visit.counts:
            continue
        left = entered_at - too_long_ago
        found.came += entered_at >= since
        if left <= 0.0:
            found.missed += 1
            continue
        if len(found.may_be_late) < 2 * LOOKED_AT:
            found.may_be_late.append(Late(call.id, now + left, ahead))
        if entered_at >= since and len(found.waiting) < LOOKED_AT:
            found.waiting.append(Waiting(ahead, left))
        else:
            found.behind += entered_at >= since
    for call in (calls[one] for one in queue.offered):
        if not call.away and call.visit.counts and call.visit.entered_at >= since:
            found.came += 1
            if call.visit.entered_at >= too_long_ago:
                found.ringing += 1
            else:
                found.missed += 1
    return found


def _own(queue: Queue, line: _InLine, since: float, now: float) -> Situation:
    counts = queue.ledger.intervals.get(int(since), Counts())
    promise = queue.spec.service_level
    good = counts.answered_in_target
    missed = counts.answered - good + counts.abandoned - counts.abandoned_in_target + line.missed
    left_s = since + INTERVAL_S - now
    waiting = tuple(line.waiting)
    interval = Interval(left_s, promise.target_s, promise.ratio, good, missed, waiting, line.ringing, line.behind)
    rate, spread = _arrivals(queue, line.came, since, now)
    return Situation(_station((queue,), rate, _handle_s(queue)), interval, spread)


def _pooled(queue: Queue, own: Situation, shared: tuple[Queue, ...], rates: Sequence[tuple[float, float]]) -> Situation:
    """All queues that share agents with this one, as one; of its callers only the own ones count."""
    total = sum(rate for rate, _ in rates)
    if total > 0.0:
        handle_s = sum(rate * _handle_s(one) for (rate, _), one in zip(rates, shared, strict=True)) / total
    else:
        handle_s = _handle_s(queue)
    share = own.station.arrivals / total if total > 0.0 else 1.0
    station = replace(_station(shared, total, handle_s), own=share, give_up=queue.waits.give_up_rate)
    station = replace(station, pickup_s=own.station.pickup_s, prompt=own.station.prompt, takes=own.station.takes)
    others = [one for one in shared if one is not queue]
    waiting = tuple(
        replace(one, ahead=one.ahead + sum(other.index(queue.line[one.ahead]) for other in others))
        for one in own.interval.waiting
    )
    spread = sum(deviation**2 for _, deviation in rates) ** 0.5
    return Situation(station, replace(own.interval, waiting=waiting), spread)


def _sharing(queue: Queue) -> tuple[Queue, ...]:
    serving = (one for one in queue.members.values() if one.seen_serving)
    return tuple({each.spec.id: each for one in serving for each in one.lines}.values())


def _station(queues: tuple[Queue, ...], rate: float, handle_s: float) -> Station:
    members = {one.id: one for queue in queues for one in queue.members.values() if one.seen_serving}
    engaged = sum(not isinstance(one.engagement, Free) for one in members.values())
    waits = queues[0].waits
    return Station(
        agents=len(members),
        engaged=engaged,
        line=sum(len(queue.line) for queue in queues),
        arrivals=rate,
        handle_s=handle_s,
        give_up=waits.give_up_rate,
        pickup_s=waits.rings.mean_s,
        prompt=waits.rings.prompt,
        takes=_taken(queues[0]),
    )


def _handle_s(queue: Queue) -> float:
    """How long an agent is taken up by a call, the ringing included."""
    return (queue.waits.services.mean_s or UNKNOWN_SERVICE_S) + queue.waits.rings.mean_s


def _arrivals(queue: Queue, in_line: int, since: float, now: float) -> tuple[float, float]:
    """Callers a second, and how far that may be off: those of this interval and the last four, the older the less."""
    if closed_by(queue, now) is not None:
        return 0.0, 0.0
    intervals, start = queue.ledger.intervals, int(since)
    first = min(intervals, default=start)
    came = float(in_line)
    span = now - since
    for age, weight in enumerate(REMEMBERED):
        begin = start - age * INTERVAL_S
        counts = intervals.get(begin)
        came += weight * (counts.decided - counts.overflowed) if counts is not None else 0.0
        span += weight * INTERVAL_S if first <= begin < start else 0.0
    if not came:
        return 0.0, 0.0
    span = max(span, 60.0)
    return came / span, ((came + 1.0) / span**2 + (DRIFT * came / span) ** 2) ** 0.5


def _taken(queue: Queue) -> float:
    """The share of those who would have been late that has taken a callback of late."""
    if not queue.spec.callbacks.enabled:
        return 0.0
    deferred = late = 0
    for counts in list(queue.ledger.intervals.values())[-4:]:
        deferred += counts.deferred
        late += counts.answered - counts.answered_in_target + counts.abandoned - counts.abandoned_in_target
    return deferred / (deferred + late) if deferred + late >= PROVEN else 0.0


def _on_break(queue: Queue) -> tuple[AgentId, ...]:
    """Members on a break whose phone can be reached: first whose break has become too long, then who has had the longest."""
    gone = (DeviceState.UNAVAILABLE, DeviceState.UNKNOWN)
    members = queue.members.values()
    resting = [one for one in members if one.shown_state is AgentState.BREAK and one.device_state not in gone]
    resting.sort(key=lambda one: (not one.late, one.state_since, one.id))
    return tuple(one.id for one in resting[:MOST_RECALLED])


def _elsewhere(floor: "Floor", queue: Queue, now: float) -> str | None:
    """Where a limit of this queue leads that could take callers now: a queue in which somebody is free, or a number."""
    for to in queue.spec.overflow.destinations:
        if isinstance(to, ToQueue) and to.queue in floor.queues and to.queue != queue.spec.id:
            other = floor.queues[to.queue]
            if other.idle and closed_by(other, now) is None:
                return described(to)
        elif isinstance(to, ToNumber):
            return described(to)
    return None


# ---------------------------------------------------------------- judging


def judge(scene: Scene, *, cure: bool = True) -> BreachRisk:
    """The chance of a breach, the next caller to be late, and what would help; the last takes most of the time."""
    risk = _risk(scene.necks)
    remedies = _remedies(scene, risk) if cure and risk >= WORTH_CURING else ()
    return BreachRisk(scene.queue, scene.at, scene.since, scene.since + INTERVAL_S, risk, _next(scene), remedies)


def _risk(necks: tuple[Situation, ...]) -> float:
    return max(chance(one) for one in necks)


def _next(scene: Scene) -> NextBreach | None:
    """The first who will rather be late than not; if nobody will, the one who is nearest to it."""
    station = scene.necks[0].station
    waiting = tuple(Waiting(one.ahead, one.at - scene.at) for one in scene.waiting)
    likely: NextBreach | None = None
    for one, fate in zip(scene.waiting, each(station, waiting), strict=False):
        chance_of_it = _late(station, fate)
        if likely is None or chance_of_it > likely.chance:
            likely = NextBreach(one.call, one.at, chance_of_it)
        if chance_of_it >= 0.5:
            break
    return likely


def _late(station: Station, fate: Fate) -> float:
    return fate.late / (1.0 - station.takes) if station.takes < 1.0 else fate.late


def _remedies(scene: Scene, risk: float) -> tuple[Remedy, ...]:
    found = [one for one in (_callbacks(scene, risk), _recall(scene, risk), _overflow(scene, risk)) if one is not None]
    helpful = [one for one in found if one.before - one.after >= HELPS]
    enough = [one for one in helpful if one.is_enough]
    rest = sorted((one for one in helpful if not one.is_enough), key=lambda one: one.after)
    return (*enough, *rest)


def _callbacks(scene: Scene, risk: float) -> Remedy | None:
    if not scene.offers_callbacks:
        return None
    before = scene.necks[0].station.takes
    takes = before + (1.0 - before) * TAKEN
    necks = tuple(replace(one, station=replace(one.station, takes=takes)) for one in scene.necks)
    return Remedy(RemedyKind.CALLBACKS, risk, _risk(necks), takes=takes)


def _recall(scene: Scene, risk: float) -> Remedy | None:
    """As few as are enough; if nobody is, as many as still help."""
    best: Remedy | None = None
    for count in range(1, len(scene.on_break) + 1):
        necks = tuple(
            replace(one, station=replace(one.station, agents=one.station.agents + count)) for one in scene.necks
        )
        remedy = Remedy(RemedyKind.RECALL, risk, _risk(necks), agents=scene.on_break[:count])
        if best is not None and best.after - remedy.after < HELPS:
            return best
        best = remedy
        if remedy.is_enough:
            break
    return best


def _overflow(scene: Scene, risk: float) -> Remedy | None:
    if scene.elsewhere is None:
        return None
    necks = []
    for one in scene.necks:
        station, interval = diverted(one.station, one.interval)
        necks.append(replace(one, station=station, interval=interval))
    return Remedy(RemedyKind.OVERFLOW, risk, _risk(tuple(necks)), to=scene.elsewhere)
