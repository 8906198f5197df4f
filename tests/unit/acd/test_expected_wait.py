"""Expected waits: the arithmetic, the record of the estimators, and what a caller is told."""

import random
from math import exp, isclose

import pytest

from acd.agents import AgentSpec
from acd.announcing import promised
from acd.commands import DefineAgent, DefineQueue, PutCallers, SignOut, TakeBreak
from acd.directory import CallerProfile
from acd.ewt import KEPT, Departures, Estimator, Forecast, Services, WaitModel, spread, turn_of
from acd.forecast import Growth, Promise, expected, hold_to, predict
from acd.ids import AgentId, CallId, QueueId
from acd.queues import QueueSpec
from tests.support.world import SALES, World, device


def test_the_state_formula_is_the_sum_that_it_claims() -> None:
    five = Departures(agents=5, mean_s=10.0)
    mean, variance = turn_of(3, five, give_up_rate=0.1)
    assert isclose(mean, sum(1 / (0.5 + i * 0.1) for i in range(4)))
    assert isclose(variance, sum(1 / (0.5 + i * 0.1) ** 2 for i in range(4)))
    assert isclose(turn_of(9, five, 0.0)[0], 20.0)


def test_the_range_holds_four_of_five() -> None:
    rng, inside, n = random.Random(5), 0, 4_000
    forecast = spread(*turn_of(7, Departures(5, 20.0), give_up_rate=0.0))
    for _ in range(n):
        inside += forecast.low_s <= sum(rng.expovariate(0.25) for _ in range(8)) <= forecast.high_s
    assert 0.77 < inside / n < 0.83
    assert spread(0.0, 1.0).high_s == 0.0


@pytest.mark.parametrize("calibration", [1.0, 10.0, 30.0, 1e6])
def test_a_range_never_ends_before_its_own_mean(calibration: float) -> None:
    """Errors of many times the mean: the less is known, the less may be promised."""
    forecast = spread(5.0, 25.0, calibration)
    assert forecast.low_s <= 5.0 <= forecast.high_s


def test_what_remains_of_a_regular_handling_shrinks_and_of_an_exponential_one_does_not() -> None:
    rng, regular, scattered = random.Random(6), Services(), Services()
    for _ in range(400):
        regular.add(rng.gauss(180, 20))
        scattered.add(rng.expovariate(1 / 180))
    assert regular.is_regular
    assert not scattered.is_regular
    assert max(regular.remaining(150)) < 70
    assert min(regular.remaining(0)) > 150
    assert regular.remaining(150) == sorted(regular.remaining(150))
    assert all(0 < left < 40 for left in regular.remaining(400))  # longer than any before: it may end any moment


def test_the_next_turn_is_when_the_one_who_has_talked_longest_is_done() -> None:
    """Two agents, calls of three minutes: one has talked for half a minute, one for two and a half."""
    rng, services = random.Random(7), Services()
    for _ in range(400):
        services.add(rng.gauss(180, 5))
    firsts = tuple(sorted([*services.remaining(30), *services.remaining(150)]))
    turns = [turn_of(ahead, Departures(2, 180.0, firsts), 0.0)[0] for ahead in range(4)]
    assert all(isclose(turn, true, abs_tol=4) for turn, true in zip(turns, (30, 150, 210, 330), strict=True))
    impatient = turn_of(3, Departures(2, 180.0, firsts), 1 / 60)[0]
    assert turns[1] < impatient < turns[1] + 15  # two of the three ahead will have given up by then, or nearly


def test_old_handling_times_are_forgotten_exactly() -> None:
    services = Services()
    for number in range(KEPT * 2 + 100):
        services.add(float(number % 1_700))
    assert len(services.order) == KEPT
    assert services.sorted == sorted(services.order)
    assert isclose(services.total_s, sum(services.order))
    assert isclose(services.squares, sum(each * each for each in services.order))


def test_the_mean_of_handling_times_is_plain_at_first_and_long_of_memory_later() -> None:
    services = Services()
    for seconds in (100.0, 200.0, 300.0):
        services.add(seconds)
    assert isclose(services.mean_s or 0.0, 200.0)
    for _ in range(10_000):
        services.add(200.0)
    for _ in range(500):
        services.add(300.0)
    assert 215 < (services.mean_s or 0.0) < 225


def test_an_estimator_that_errs_clearly_less_for_long_takes_the_place_of_the_state() -> None:
    model = WaitModel()
    said = {Estimator.STATE: spread(100, 400), Estimator.LAST_SERVED: spread(52, 400)}
    for _ in range(99):
        model.came_true(said, None, 50.0)
    assert model.best(said) is Estimator.STATE
    model.came_true(said, None, 50.0)
    assert model.best(said) is Estimator.LAST_SERVED
    assert model.best([Estimator.HEAD_OF_LINE]) is Estimator.HEAD_OF_LINE


def test_a_little_less_error_is_no_reason_to_leave_the_state() -> None:
    model = WaitModel()
    for wait in (40.0, 60.0) * 100:
        model.came_true({Estimator.STATE: spread(53, 9), Estimator.LAST_SERVED: spread(50, 9)}, None, wait)
    assert model.best() is Estimator.STATE


def test_a_range_that_was_too_narrow_becomes_as_wide_as_the_errors_were() -> None:
    rng, model = random.Random(8), WaitModel()
    for _ in range(3_000):
        forecast = model.forecasts((100.0, 25.0), None)[Estimator.STATE]
        model.came_true({Estimator.STATE: forecast}, Estimator.STATE, rng.gauss(100, 20))
    forecast = model.forecasts((100.0, 25.0), None)[Estimator.STATE]
    inside = sum(forecast.low_s <= rng.gauss(100, 20) <= forecast.high_s for _ in range(2_000)) / 2_000
    assert 0.75 < inside < 0.85


def busy_house(agents: int = 3) -> World:
    names = [str(101 + n) for n in range(agents)]
    world = World.with_agents(*names, wrap_up_s=0)
    for name in names:
        call = world.enter()
        world.answer(call, name)
    return world


def told(world: World, call: CallId) -> Promise:
    promise = expected(world.floor, world.floor.calls[call], world.now)
    assert promise is not None
    promised(world.floor.calls[call], promise)
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


def test_nobody_at_work_any_more_is_no_forecast_either() -> None:
    world = busy_house(1)
    world.agent_hangs_up(next(iter(world.floor.calls)), "101")
    world.do(TakeBreak(AgentId("101")))
    call = world.enter()
    assert expected(world.floor, world.floor.calls[call], world.now) is None


def mean_wait(world: World, call: CallId) -> float:
    forecast: Forecast = predict(world.floor, world.floor.queues[world.floor.calls[call].queue],
                                 world.floor.calls[call], world.now)[0].said[Estimator.STATE]  # fmt: skip
    return forecast.mean_s


def test_an_agent_of_two_queues_serves_those_who_came_before_in_the_other_too() -> None:
    support = QueueId("support")
    world = World.with_agents("101", "102", wrap_up_s=0)
    world.do(DefineQueue(QueueSpec(support, "8001")))
    for name in ("101", "102"):
        world.do(DefineAgent(AgentSpec(AgentId(name), device=device(name), queues=(SALES, support))))
        world.answer(world.enter(), name)
    for _ in range(5):
        world.enter("8001")
    assert isclose(mean_wait(world, world.enter()), 6 * 90.0)


def test_those_whom_the_other_queue_sees_to_itself_are_not_in_the_way() -> None:
    support = QueueId("support")
    world = World.with_agents(*[str(101 + n) for n in range(9)], wrap_up_s=0)
    world.do(DefineQueue(QueueSpec(support, "8001")))
    for n in range(9):
        queues = (SALES, support) if n == 0 else (SALES,) if n == 1 else (support,)
        world.do(DefineAgent(AgentSpec(AgentId(str(101 + n)), device=device(str(101 + n)), queues=queues)))
    for n in range(9):
        world.answer(world.enter("8000" if n < 2 else "8001"), str(101 + n))
    world.enter("8001")
    assert isclose(mean_wait(world, world.enter()), 90.0)  # two agents, nobody ahead: the third of nine would be 40


def test_callers_ahead_who_need_less_are_shared_with_those_who_can_do_only_that() -> None:
    world = World.with_agents(*[str(101 + n) for n in range(10)], wrap_up_s=0)
    english = (("english", 1),)
    world.do(DefineAgent(AgentSpec(AgentId("101"), device=device("101"), queues=(SALES,), skills=english)))
    world.do(PutCallers((("09120000001", CallerProfile(skills=english)),)))
    for n in range(10):
        world.answer(world.enter(), str(101 + n))
    for _ in range(19):
        world.enter()
    wait = mean_wait(world, world.enter(number="09120000001"))
    assert isclose(wait, 360.0)  # twenty through ten agents: longer than one through the one who speaks English


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


def test_a_long_line_is_reckoned_as_quickly_and_as_well_as_a_short_one() -> None:
    plain = Departures(20, 180.0)
    for ahead in (199, 200, 201, 5_000):
        steps = [1.0 / (plain.rate + waiting / 300.0) for waiting in range(ahead + 1)]
        mean, variance = turn_of(ahead, plain, 1.0 / 300.0)
        assert abs(mean / sum(steps) - 1.0) < 1e-5
        assert abs(variance / sum(step * step for step in steps) - 1.0) < 1e-4


def step_by_step(ahead: int, departures: Departures, give_up_rate: float) -> float:
    """Departure by departure, whatever the length."""
    before, at, number = float(ahead), 0.0, 0
    while True:
        number += 1
        due = departures.nth(number)
        before *= exp(-give_up_rate * (due - at))
        if before < 1.0:
            return due + before * (departures.nth(number + 1) - due)
        before, at = before - 1.0, due


def test_strides_come_to_the_same_as_steps() -> None:
    regular = Departures(30, 180.0, tuple(float(second) for second in range(3, 183, 3) for _ in range(2)))
    for give_up_rate in (0.0, 1.0 / 600.0):
        for ahead in range(150, 2_000, 37):
            plain = step_by_step(ahead, regular, give_up_rate)
            assert abs(turn_of(ahead, regular, give_up_rate)[0] / plain - 1.0) < 0.02
