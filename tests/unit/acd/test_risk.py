"""The chance of a breach as arithmetic: against exact references, against a plain simulation, and as people expect it to move."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.erlang_a import Station, fates, future
from acd.risk import Interval, Situation, Waiting, chance, diverted
from benchmarks.erlang_formulas import TABLE, Load, printed
from benchmarks.interval import beta_below
from tests.support.plain_station import missed

PATIENT = [load for load in TABLE if load.patience_s is not None]
BUSY = Station(agents=20, engaged=20, line=3, arrivals=19 / 180, handle_s=180.0, give_up=1 / 120)
INTERVAL = Interval(left_s=600.0, target_s=20.0, ratio=0.8, good=25, missed=4)


def risk(station: Station, interval: Interval = INTERVAL, spread: float = 0.0) -> float:
    return chance(Situation(station, interval, spread))


# ---------------------------------------------------------------- against what is known


@pytest.mark.parametrize("load", PATIENT, ids=str)
def test_over_a_long_time_it_is_erlang_a(load: Load) -> None:
    assert load.patience_s is not None
    station = Station(load.agents, load.agents, 0, load.calls_h / 3600.0, load.aht_s, 1.0 / load.patience_s)
    in_time, late = (
        (future(station, 2_700.0, 20.0, *marks).first - future(station, 1_800.0, 20.0, *marks).first)
        / (900.0 * station.arrivals)
        for marks in ((1.0, 0.0), (0.0, 1.0))
    )
    expected = printed(load)
    assert math.isclose(in_time, expected["strict SL20"], abs_tol=0.005)
    assert math.isclose(in_time / (in_time + late), expected["primary SL20"], abs_tol=0.005)


def test_the_fate_of_one_caller_is_the_beta_distributions() -> None:
    theta, rate = BUSY.give_up, BUSY.agents / BUSY.handle_s
    x = math.exp(-theta * 20.0)
    for ahead, fate in enumerate(fates(BUSY, 8, 20.0)):
        willing = math.prod((rate + i * theta) / (rate + (i + 1) * theta) for i in range(ahead + 1))
        assert math.isclose(fate.good, willing * (1.0 - beta_below(x, rate / theta + 1.0, ahead + 1)), rel_tol=1e-9)
        assert math.isclose(fate.late, x * beta_below(x, rate / theta, ahead + 1), rel_tol=1e-9)


def test_where_nobody_gives_up_departures_are_a_poisson_process() -> None:
    patient = replace(BUSY, give_up=0.0)
    mean = 20.0 * patient.rate
    for ahead, fate in enumerate(fates(patient, 5, 20.0)):
        late = sum(math.exp(-mean) * mean**k / math.factorial(k) for k in range(ahead + 1))
        assert math.isclose(fate.late, late, rel_tol=1e-4)
        assert math.isclose(fate.good, 1.0 - late, rel_tol=1e-4)


@pytest.mark.parametrize(
    ("station", "interval"),
    [
        (BUSY, INTERVAL),
        (replace(BUSY, line=0, arrivals=22 / 180), Interval(800.0, 20.0, 0.8, 5, 1)),
        (Station(6, 5, 0, 5.4 / 180, 180.0, 1 / 240), Interval(300.0, 20.0, 0.8, 20, 4)),
        (Station(60, 60, 4, 57 / 180, 180.0, 1 / 180), Interval(700.0, 20.0, 0.8, 30, 10)),
    ],
)
def test_a_plain_simulation_says_the_same(station: Station, interval: Interval) -> None:
    assert math.isclose(risk(station, interval), missed(station, interval, 400, seed=5), abs_tol=0.1)


def test_a_centre_of_a_thousand_is_as_its_parts() -> None:
    """Several numbers of callers count as one there."""
    many = Station(1000, 1000, 20, 990 / 180, 180.0, 1 / 120)
    assert risk(many, replace(INTERVAL, good=1000, missed=1500)) > 0.5 > risk(many, replace(INTERVAL, missed=500))
    one = future(many, 600.0, 20.0, 1.0, 0.0).first
    assert 0.9 < one / (600.0 * many.arrivals) <= 1.0


# ---------------------------------------------------------------- the edges


def test_what_is_decided_is_certain_at_the_end() -> None:
    over = replace(INTERVAL, left_s=0.0)
    assert risk(BUSY, replace(over, good=8, missed=2)) == 0.0  # exactly kept
    assert risk(BUSY, replace(over, good=7, missed=2)) == 1.0
    assert risk(BUSY, replace(over, good=0, missed=0)) == 0.0  # nobody counts


def test_without_agents_whoever_comes_is_late() -> None:
    empty = replace(BUSY, agents=0, engaged=0, line=0)
    assert risk(empty, Interval(600.0, 20.0, 0.8)) > 0.99
    assert risk(replace(empty, arrivals=0.0), Interval(600.0, 20.0, 0.8)) == 0.0


def test_of_those_who_wait_who_can_hardly_be_late_adds_little() -> None:
    interval = Interval(0.0, 20.0, 0.8, 4, 1, waiting=(Waiting(0, 19.0),))
    quick = replace(BUSY, agents=200)
    assert risk(quick, interval) < 0.05
    assert risk(BUSY, replace(interval, waiting=(Waiting(5, 1.0),))) > 0.95


def test_free_hands_serve_those_who_wait_at_once() -> None:
    interval = Interval(0.0, 20.0, 0.8, 4, 0, waiting=(Waiting(0, 8.0), Waiting(1, 8.0)))
    alone = Station(1, 1, 2, 0.0, 180.0, 0.0)
    assert risk(alone, interval) > 0.9
    assert risk(replace(alone, agents=3), interval) == 0.0


def test_whoever_would_be_late_is_led_away() -> None:
    station, interval = diverted(BUSY, replace(INTERVAL, waiting=(Waiting(0, 18.0), Waiting(9, 2.0))))
    assert interval.waiting == (Waiting(0, 18.0),)
    assert (station.line, station.diverts) == (2, True)


# ---------------------------------------------------------------- as people expect

stations = st.builds(
    Station,
    agents=st.integers(0, 80),
    engaged=st.integers(0, 80),
    line=st.integers(0, 300),
    arrivals=st.floats(0.0, 2.0),
    handle_s=st.floats(5.0, 900.0),
    give_up=st.one_of(st.just(0.0), st.floats(1e-4, 0.2)),
    own=st.floats(0.05, 1.0),
    pickup_s=st.floats(0.0, 30.0),
    prompt=st.floats(0.5, 1.0),
    takes=st.floats(0.0, 1.0),
    diverts=st.booleans(),
)
intervals = st.builds(
    Interval,
    left_s=st.floats(0.0, 900.0),
    target_s=st.floats(1.0, 120.0),
    ratio=st.floats(0.05, 1.0),
    good=st.integers(0, 300),
    missed=st.integers(0, 100),
    waiting=st.lists(st.builds(Waiting, st.integers(0, 300), st.floats(0.01, 60.0)), max_size=120).map(tuple),
    ringing=st.integers(0, 5),
    behind=st.integers(0, 500),
)


@given(stations, intervals, st.floats(0.0, 1.0))
def test_it_is_a_probability_whatever_the_state(station: Station, interval: Interval, spread: float) -> None:
    assert 0.0 <= risk(station, interval, spread) <= 1.0


@given(st.integers(1, 40), st.floats(0.3, 1.4), st.integers(0, 10), intervals)
def test_more_hands_never_raise_it_and_more_late_callers_never_lower_it(
    agents: int, load: float, line: int, interval: Interval
) -> None:
    station = Station(agents, agents, line, load * agents / 180.0, 180.0, 1 / 150)
    interval = replace(interval, waiting=(), behind=0)
    said = risk(station, interval)
    assert risk(replace(station, agents=agents + 1), interval) <= said + 0.02
    assert risk(station, replace(interval, missed=interval.missed + 1)) >= said - 0.02
