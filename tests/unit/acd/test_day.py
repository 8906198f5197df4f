"""A whole day through the core: every caller accounted for, every figure recomputed from the events."""

from collections import Counter

from acd.events import AgentStateChanged, CallConnected, CallEnded, CallQueued, VisitDecided
from acd.outcomes import Outcome
from acd.picture import stats
from tests.support.day import MIDNIGHT, Day, Plan


def test_a_day_of_twenty_thousand_calls_loses_nobody() -> None:
    day = Day(Plan(), seed=1).run()
    queue = day.plan.queues[0]
    figures = stats(day.floor, queue.id, MIDNIGHT, day.now)
    assert figures.offered == day.plan.calls == figures.counts.decided
    assert figures.waiting == 0
    assert day.floor.calls == {}
    for kind in (CallQueued, VisitDecided, CallEnded):
        calls = Counter(event.call for event in day.events if isinstance(event, kind))
        assert len(calls) == day.plan.calls
        assert set(calls.values()) == {1}


def test_the_figures_of_the_day_are_those_of_its_events() -> None:
    day = Day(Plan(calls=4_000, hours=6.0, agents=34), seed=2).run()
    queue = day.plan.queues[0]
    figures = stats(day.floor, queue.id, MIDNIGHT, day.now)
    target = queue.service_level.target_s
    decided = [event for event in day.events if isinstance(event, VisitDecided)]
    answered = [event.waited_s for event in decided if event.outcome is Outcome.ANSWERED]
    abandoned = [event.waited_s for event in decided if event.outcome is Outcome.ABANDONED]
    in_time = sum(wait <= target for wait in answered)
    assert (figures.counts.answered, figures.counts.abandoned) == (len(answered), len(abandoned))
    assert figures.service_level.primary == in_time / (len(answered) + sum(wait > target for wait in abandoned))
    assert figures.service_level.strict == in_time / (len(answered) + len(abandoned))
    assert figures.asa_s is not None
    assert abs(figures.asa_s - sum(answered) / len(answered)) < 1e-6
    assert 0 < len(abandoned) < len(answered)


def test_the_same_seed_is_the_same_day() -> None:
    plan = Plan(calls=500, hours=1.0, agents=20)
    assert Day(plan, seed=3).run().events == Day(plan, seed=3).run().events


def test_agents_are_in_one_state_after_another_without_gaps() -> None:
    day = Day(Plan(calls=500, hours=1.0, agents=20), seed=4).run()
    last: dict[str, str] = {}
    for event in day.events:
        if isinstance(event, AgentStateChanged):
            assert last.get(event.agent, "signed_out") == event.old
            last[event.agent] = event.new
    assert set(last.values()) == {"idle"}
    assert sum(isinstance(event, CallConnected) for event in day.events) > 300
