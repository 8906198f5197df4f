"""Pictures of the floor: builds the frozen views of ``acd.views`` from live state, for one moment ``now``."""

from bisect import bisect_right
from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING

from acd import breaks, wrapup
from acd import views as v
from acd.agents import Agent, AgentState, Ringing, Talking, WrapUp
from acd.calls import Call, CallState
from acd.ewt import Estimator
from acd.forecast import Rates, expected
from acd.ids import AgentId, CallId, QueueId
from acd.overflow import closed_by
from acd.queues import Place, Queue
from acd.sla import service_levels

if TYPE_CHECKING:
    from acd.floor import Floor


def call(floor: "Floor", call_id: CallId, now: float) -> v.CallView:
    """One live or recently ended call. Raises ``unknown_call``."""
    return _call(floor, floor.call(call_id), now)


def _call(floor: "Floor", one: Call, now: float) -> v.CallView:
    visit = one.visit
    offer = one.offer
    return v.CallView(
        id=one.id,
        leg=one.leg,
        pbx=one.pbx,
        queue=one.queue,
        state=one.state,
        state_since=one.state_since,
        number=one.number,
        name=one.name,
        priority=one.priority,
        entered_at=one.visits[0].entered_at,
        waited_s=max(0.0, (visit.decided_at if visit.decided_at is not None else now) - one.waiting_since),
        position=position_of(floor, one),
        outcome=visit.outcome,
        offer=offer.id if offer is not None else None,
        offered_to=tuple(offer.phones.values()) if offer is not None else (),
        agent=one.agent,
        device=one.talk.device if one.talk is not None else None,
        connected_at=one.talks[0].began_at if one.talks else None,
        talk_s=one.talk_s(now),
        hold_s=one.held_s(now),
        ended_at=one.ended_at,
        ended_by=one.ended_by,
        disposition=one.disposition,
        notes=one.notes,
        visits=tuple(
            v.VisitView(each.queue, each.entered_at, each.decided_at, each.outcome, each.limit, each.led_to)
            for each in one.visits
        ),
        talks=tuple(
            v.TalkView(
                talk.queue,
                talk.agent,
                talk.device,
                talk.leg,
                talk.number,
                talk.began_at,
                talk.ended_at,
                talk.talk_s(now),
                talk.held_s(now),
            )
            for talk in one.talks
        ),
        transfers=one.transfers,
        consult=_consult(one),
        language=one.language,
        place_since=one.place_since,
        survey=one.score,
        recording=_recording(one),
        callback=one.callback,
    )


def _consult(one: Call) -> v.ConsultView | None:
    asked = one.consult
    if asked is None:
        return None
    return v.ConsultView(
        asked.by,
        asked.kind,
        asked.to,
        asked.stage,
        asked.since,
        asked.agent,
        asked.device,
        asked.leg,
        asked.talk.began_at if asked.talk is not None else None,
    )


def _recording(one: Call) -> v.RecordingView | None:
    live = one.recording
    return v.RecordingView(live.id, live.mode, live.state, live.since, live.told is True) if live is not None else None


def _in_line(floor: "Floor", queue: Queue) -> list[Call]:
    """All who wait, head first; a caller for whom phones ring still stands at the own place."""
    waiting = [floor.calls[call_id] for call_id in queue.waiting()]
    if not queue.offered:
        return waiting
    return sorted([*waiting, *(floor.calls[call_id] for call_id in queue.offered)], key=lambda one: one.place)


def _on_the_line(floor: "Floor", queue: Queue) -> list[Call]:
    """Callers who wait now; not those who are to be called back."""
    waiting = (floor.calls[call_id] for call_id in (*queue.waiting(), *queue.offered))
    return [call for call in waiting if not call.away]


def position_of(floor: "Floor", one: Call) -> int | None:
    """Where a caller stands; None if nowhere."""
    if one.state not in (CallState.WAITING, CallState.OFFERED) or one.visit.outcome is not None:
        return None
    queue = floor.queues[one.queue]
    place = one.place
    return 1 + queue.index(place) + sum(floor.calls[other].place < place for other in queue.offered)


def line(
    floor: "Floor", queue_id: QueueId, now: float, after: Place | None = None, most: int | None = None
) -> tuple[v.LineEntry, ...]:
    """A queue's line in order: those who stand behind the place ``after``, ``most`` of them. Raises ``unknown_queue``."""
    everybody = _in_line(floor, floor.queue(queue_id))
    first = bisect_right(everybody, after, key=lambda one: one.place) if after is not None else 0
    rates: Rates = {}
    return tuple(
        v.LineEntry(
            call=one.id,
            place=one.place,
            position=position,
            entered_at=one.waiting_since,
            waited_s=max(0.0, now - one.waiting_since),
            priority=one.priority,
            number=one.number,
            name=one.name,
            offered=one.state is CallState.OFFERED,
            expected_wait_s=_expected(floor, one, now, rates),
            kind="callback" if one.away else "live",
        )
        for position, one in enumerate(islice(everybody, first, first + most if most is not None else None), first + 1)
    )


def _expected(floor: "Floor", one: Call, now: float, rates: Rates) -> tuple[float, float] | None:
    promise = expected(floor, one, now, rates)
    return (promise.low_s, promise.high_s) if promise is not None else None


def agent(floor: "Floor", agent_id: AgentId, now: float) -> v.AgentView:
    """Raises ``unknown_agent``."""
    return _agent(floor, floor.agent(agent_id), now)


def agents(floor: "Floor", now: float) -> tuple[v.AgentView, ...]:
    """All agents, by id."""
    return tuple(_agent(floor, floor.agents[agent_id], now) for agent_id in sorted(floor.agents))


def _agent(floor: "Floor", one: Agent, now: float) -> v.AgentView:
    engaged = one.engagement
    engaged_with = engaged.call if isinstance(engaged, Ringing | Talking | WrapUp) else None
    return v.AgentView(
        id=one.id,
        name=one.spec.name,
        status=one.status,
        status_since=one.status_since,
        reason=one.reason,
        state=one.shown_state,
        state_since=one.state_since,
        device=one.device,
        home_device=one.spec.device,
        queues=one.spec.queues,
        skills=dict(one.spec.skills),
        weights=dict(one.spec.weights),
        ranks=dict(one.spec.ranks),
        call=engaged_with,
        wrap_up_until=engaged.until if isinstance(engaged, WrapUp) else None,
        rest_until=one.rest_until or None,
        current=_current(floor, engaged_with, now) if engaged_with is not None else None,
        wrap_up=_wrap_up(floor, engaged) if isinstance(engaged, WrapUp) else None,
        break_due=one.break_due,
        break_request=_break_request(floor, one) if one.id in floor.break_requests else None,
        late=one.late,
    )


def _current(floor: "Floor", call_id: CallId, now: float) -> v.CurrentCall | None:
    """What an agent sees of a call; None of one that is history."""
    one = floor.calls.get(call_id) or floor.ended.get(call_id)
    if one is None:
        return None
    known = floor.queues.get(one.queue)
    decided_at = one.visit.decided_at
    since = one.visit.entered_at if one.visit.counts else one.visit.place_at
    return v.CurrentCall(
        id=one.id,
        queue=one.queue,
        queue_name=known.spec.name if known is not None else "",
        state=one.state,
        number=one.number,
        name=one.name,
        priority=one.priority,
        waited_s=max(0.0, (decided_at if decided_at is not None else now) - since),
        caller=one.caller,
        profile=floor.directory.get(one.caller) if one.caller is not None else None,
        callback=one.callback,
    )


def _wrap_up(floor: "Floor", one: WrapUp) -> v.WrapUpView:
    known = floor.queues.get(one.queue)
    return v.WrapUpView(
        queue=one.queue,
        since=one.since,
        until=one.until,
        owes=wrapup.owes(floor, one),
        dispositions=wrapup.policy_of(floor, one.queue).dispositions,
        usual_s=known.spec.wrap_up_s if known is not None else 0.0,
    )


def _break_request(floor: "Floor", one: Agent) -> v.BreakRequestView:
    asked = floor.break_requests[one.id]
    return v.BreakRequestView(one.id, asked.reason, asked.asked_at, breaks.number_of(floor, one), one.spec.queues)


def break_requests(floor: "Floor", _now: float) -> tuple[v.BreakRequestView, ...]:
    """The breaks that wait, in order of asking."""
    return tuple(_break_request(floor, floor.agents[agent_id]) for agent_id in floor.break_requests)


def queue(floor: "Floor", queue_id: QueueId, now: float) -> v.QueueView:
    """Raises ``unknown_queue``."""
    one = floor.queue(queue_id)
    entered = [call.visit.entered_at for call in _on_the_line(floor, one)]
    longest = max(0.0, now - min(entered)) if entered else 0.0
    asked = sum(queue_id in floor.agents[agent_id].spec.queues for agent_id in floor.break_requests)
    closed = closed_by(one, now)
    change = one.timetable.next_change(now) if one.timetable is not None else None
    return v.QueueView(
        one.spec,
        len(entered),
        longest,
        _agent_states(one),
        asked,
        closed[0] if closed is not None else None,
        change,
        one.closing,
        len(one.away),
    )


def queues(floor: "Floor", now: float) -> tuple[v.QueueView, ...]:
    """All queues, by id."""
    return tuple(queue(floor, queue_id, now) for queue_id in sorted(floor.queues))


def _agent_states(one: Queue) -> dict[AgentState, int]:
    present = Counter(member.shown_state for member in one.members.values())
    return {state: present[state] for state in AgentState}


def stats(floor: "Floor", queue_id: QueueId, since: float, now: float) -> v.QueueStats:
    """Figures of the visits entered since ``since``; those still waiting past the target count as missed already."""
    one = floor.queue(queue_id)
    counts = one.ledger.since(since)
    entered = [call.visit.entered_at for call in _on_the_line(floor, one) if call.visit.counts]
    waits = [now - at for at in entered if at >= since]
    late = sum(wait > one.spec.service_level.target_s for wait in waits)
    return v.QueueStats(
        queue=queue_id,
        since=since,
        offered=counts.decided + len(waits),
        counts=counts,
        waiting=len(waits),
        service_level=service_levels(counts, late),
        asa_s=counts.answer_wait_s / counts.answered if counts.answered else None,
        longest_wait_s=max([counts.longest_wait_s, *waits]),
        agents=_agent_states(one),
        expected_wait=_accuracy(one),
    )


def _accuracy(one: Queue) -> v.WaitAccuracy:
    told = one.waits.told
    error, inside = (told.mean_absolute_s, told.inside) if told.n else (None, None)
    return v.WaitAccuracy(one.waits.best() or Estimator.STATE, error, inside, told.n)


def pbxs(floor: "Floor") -> tuple[v.PbxView, ...]:
    """What is known of each PBX."""
    return tuple(v.PbxView(pbx, state.up, state.reason, state.since) for pbx, state in sorted(floor.pbxs.items()))
