"""Whatever crashes where: nobody is dialled twice for one attempt, or after he was served; nobody who was promised is forgotten.

Every place in the life of a promise and an attempt is struck: the service is killed there, or the PBX, or both.
``python -m benchmarks callback_crashes`` strikes each of them hundreds of times.
"""

import pytest

from acd.callback_policy import CallbackMode
from tests.support.callback_run import SERVICE_POINTS, CallbackRun

SEEDS = 3


@pytest.mark.parametrize("strike", SERVICE_POINTS)
def test_the_service_is_killed(strike: str) -> None:
    for seed in range(SEEDS):
        mode = CallbackMode.JUST_IN_TIME if seed == 1 else CallbackMode.AGENT_FIRST
        assert CallbackRun(seed, strike, mode=mode).run().problems == [], seed


@pytest.mark.parametrize(
    "strike", ["intent_written", "dialled", "answered", "pressed", "came_in", "talking", "not_reached"]
)
def test_the_pbx_is_killed_with_it(strike: str) -> None:
    assert CallbackRun(1, strike, pbx=True).run().problems == []
    assert CallbackRun(2, strike, pbx=True, service=False).run().problems == []


@pytest.mark.parametrize(("strike", "seed"), [("result_heard", 8), ("result_heard", 9)])
def test_who_rang_again_just_before_the_kill_is_not_called(strike: str, seed: int) -> None:
    assert CallbackRun(seed, strike).run().problems == []


def test_nothing_fails_and_everybody_is_served() -> None:
    run = CallbackRun(1, customers=20).run()
    assert run.problems == []
    assert set(run.entered) == set(run.pbx.served)
    assert not run.pbx.refused


def test_a_place_that_is_struck_is_reached() -> None:
    for strike in SERVICE_POINTS:
        assert any(CallbackRun(seed, strike).run().struck for seed in range(6)), strike


def test_the_check_finds_what_it_is_for() -> None:
    """A PBX that dials again what it has dialled, and a promise that is taken off the disk."""
    run = CallbackRun(1).run()
    run.pbx.dials[next(iter(run.pbx.dials))] += 1
    run.store.ended.pop(next(iter(run.store.ended)))
    assert {problem.split()[1] for problem in run.problems} >= {"was", "is"}
    assert CallbackMode.AGENT_FIRST is run.mode
