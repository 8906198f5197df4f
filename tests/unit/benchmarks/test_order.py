"""The judge of order finds what is wrong, and only that."""

from acd.agents import AgentSpec, AgentState
from acd.events import AgentStateChanged, CallOffered, CallQueued, Event, VisitDecided
from acd.ids import AgentId, CallId, LegId, OfferId, QueueId
from acd.outcomes import Outcome
from acd.queues import QueueSpec
from acd.skills import RelaxStep
from benchmarks.order import Judge
from tests.support.day import MIDNIGHT, Plan
from tests.support.day_plan import Worker

SALES, ANN, BOB = QueueId("sales"), AgentId("101"), AgentId("102")
ENGLISH = (("english", 2),)
PLAN = Plan(
    queues=(QueueSpec(SALES, "8000", priority_s=60.0, skills=ENGLISH, relax=(RelaxStep(30.0, ()),)),),
    staff=(Worker(AgentSpec(ANN, queues=(SALES,), skills=ENGLISH)), Worker(AgentSpec(BOB, queues=(SALES,)))),
)


def judged(*moments: tuple[float, tuple[Event, ...]]) -> Judge:
    judge = Judge(PLAN)
    for at, events in moments:
        judge.watch(events, MIDNIGHT + at)
    return judge


def enters(call: str, at: float, priority: int = 0) -> tuple[float, tuple[Event, ...]]:
    when = MIDNIGHT + at
    return at, (CallQueued(when, CallId(call), SALES, LegId(""), when, priority, None, None),)


def taken(call: str, at: float, agent: AgentId) -> tuple[float, tuple[Event, ...]]:
    return at, (CallOffered(MIDNIGHT + at, CallId(call), SALES, OfferId(""), (agent,)),)


def gone(call: str, at: float) -> tuple[float, tuple[Event, ...]]:
    return at, (VisitDecided(MIDNIGHT + at, CallId(call), SALES, Outcome.ABANDONED, MIDNIGHT, at),)


def free(agent: AgentId, at: float) -> tuple[float, tuple[Event, ...]]:
    return at, (AgentStateChanged(MIDNIGHT + at, agent, AgentState.TALKING, AgentState.IDLE),)


def test_whoever_came_first_and_could_be_served_was_passed() -> None:
    assert judged(enters("a", 0), enters("b", 1), taken("b", 2, ANN)).passed == 1
    assert judged(enters("a", 0), enters("b", 1), taken("a", 2, ANN)).passed == 0
    assert judged(enters("a", 0), enters("b", 1), gone("a", 2), taken("b", 3, ANN)).passed == 0


def test_an_agent_who_cannot_serve_the_first_passes_nobody_until_the_need_relaxes() -> None:
    assert judged(enters("a", 0), enters("b", 1), taken("b", 29, BOB)).passed == 0
    assert judged(enters("a", 0), enters("b", 1), taken("b", 30, BOB)).passed == 1


def test_priority_passes_within_its_head_start_and_starves_beyond() -> None:
    within = judged(enters("a", 0), enters("b", 59, priority=1), taken("b", 60, ANN))
    beyond = judged(enters("a", 0), enters("b", 61, priority=1), taken("b", 62, ANN))
    assert (within.passed, within.starved) == (0, 0)
    assert (beyond.passed, beyond.starved) == (0, 1)


def test_time_beside_a_free_agent_is_counted_from_when_he_could_have_served() -> None:
    assert judged(free(ANN, 0), enters("a", 1), taken("a", 5, ANN)).beside_s == 4.0
    assert judged(free(BOB, 0), enters("a", 1), enters("b", 31), gone("a", 36)).beside_s == 5.0
