"""Expected waits: the arithmetic, the record of the estimators, and what a caller is told."""

import random
from math import isclose

from acd.commands import SignOut
from acd.ewt import Estimator, Services, WaitModel, spread, state_based
from acd.forecast import Growth, Promise, expected, hold_to
from acd.ids import AgentId, CallId
from acd.joining import tell_wait
from acd.turn import Turn
from tests.support.world import World


def test_the_state_formula_is_the_sum_that_it_claims() -> None:
    forecast = state_based(3, leave_rate=0.5, give_up_rate=0.1)
    assert forecast is not None
    assert isclose(forecast.mean_s, sum(1 / (0.5 + i * 0.1) for i in range(4)))
    assert state_based(3, 0.0, 0.1) is None
    without = state_based(9, 0.5, 0.0)
    assert without is not None
    assert isclose(without.mean_s, 20.0)


def test_the_range_holds_four_of_five() -> None:
    rng, inside, n = random.Random(5), 0, 4_000
    forecast = state_based(7, leave_rate=0.25, give_up_rate=0.0)
    assert forecast is not None
    for _ in range(n):
        inside += forecast.low_s <= sum(rng.expovariate(0.25) for _ in range(8)) <= forecast.high_s
    assert 0.77 < inside / n < 0.83
    assert spread(0.0, 1.0).high_s == 0.0


def test_what_remains_of_a_regular_handling_shrinks_and_of_an_exponential_one_does_not() -> None:
    rng, regular, scattered = random.Random(6), Services(), Services()
    for _ in range(400):
        regular.add(rng.gauss(180, 20))
        scattered.add(rng.expovariate(1 / 180))
    assert regular.is_regular
    assert not scattered.is_regular
    assert regular.remaining_s(150) < 45
    assert regular.remaining_s(0) > 170


def test_old_handling_times_are_forgotten_exactly() -> None:
    services = Services()
    for number in range(1_200):
        services.add(float(number))
    assert services.sorted == sorted(services.order)
    assert isclose(services.mean_s or 0.0, sum(services.order) / len(services.order))


def test_the_estimator_that_errs_least_is_used() -> None:
    model = WaitModel()
    for _ in range(30):
        model.came_true({Estimator.STATE: spread(100, 400), Estimator.LAST_SERVED: spread(52, 400)}, None, 50.0)
    assert model.best({Estimator.STATE: spread(9, 1), Estimator.LAST_SERVED: spread(9, 1)}) is Estimator.LAST_SERVED


def busy_house(agents: int = 3) -> World:
    names = [str(101 + n) for n in range(agents)]
    world = World.with_agents(*names, wrap_up_s=0)
    for name in names:
        call = world.enter()
        world.answer(call, name)
    return world


def told(world: World, call: CallId) -> Promise:
    promise = tell_wait(world.floor, Turn(world.now), world.floor.calls[call])
    assert promise is not None
    return promise


def test_a_caller_hears_a_range_that_grows_with_those_before() -> None:
    world = busy_house()
    waits = [told(world, world.enter()) for _ in range(4)]
    assert all(0 < one.low_s < one.high_s for one in waits)
    assert [one.high_s for one in waits] == sorted(one.high_s for one in waits)
    assert [one.ahead for one in waits] == [0, 1, 2, 3]


def test_nobody_at_work_is_no_forecast() -> None:
    world = World.with_agents()
    call = world.enter()
    assert expected(world.floor, world.floor.calls[call], world.now) is None


def test_a_promise_grows_only_with_a_reason() -> None:
    before = Promise(at=0.0, low_s=50, high_s=100, ahead=4, agents=3)
    same = hold_to(before, Promise(at=20.0, low_s=60, high_s=120, ahead=4, agents=3))
    assert (same.high_s, same.because) == (80.0, None)
    assert hold_to(before, Promise(20.0, 60, 120, 4, 2)).because is Growth.FEWER_AGENTS
    assert hold_to(before, Promise(20.0, 60, 120, 6, 3)).because is Growth.URGENT_CALLERS
    assert hold_to(before, Promise(101.0, 5, 10, 0, 3)).because is Growth.LONGER_CALLS
    assert hold_to(before, Promise(20.0, 20, 40, 1, 3)).high_s == 40


def test_an_agent_who_leaves_is_a_reason_that_is_stated() -> None:
    world = busy_house()
    call = world.enter()
    told(world, call)
    world.do(SignOut(AgentId("101")))
    world.do(SignOut(AgentId("102")))
    second = told(world, call)
    assert second.because is Growth.FEWER_AGENTS
    assert [one.because for one in world.floor.calls[call].told] == [None, Growth.FEWER_AGENTS]


def test_what_was_predicted_is_compared_with_what_came_true() -> None:
    world = busy_house(1)
    call = world.enter()
    busy = next(iter(world.floor.calls))
    world.now += 30
    world.agent_hangs_up(busy, "101")
    world.answer(call, "101")
    tracks = world.floor.queues[world.floor.calls[call].queue].waits.tracks
    assert tracks[Estimator.STATE].n == 1
    assert isclose(tracks[Estimator.STATE].mean_absolute_s, 150.0)
