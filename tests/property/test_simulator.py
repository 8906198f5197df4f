"""The simulator's own test: some seeds of each kind every time, and proof that it would see what it looks for.

Thousands of seeds are for the command: ``python -m tests.simulator --seeds 0-4999 --jobs 2``. A seed that fails here is told by
``python -m tests.simulator --story SEED --scenario NAME``.
"""

import hashlib
import os
import subprocess
import sys

import pytest

from ami.pbx import Pbx
from nobat.storage.journal import Journal
from tests.simulator.run import Run
from tests.simulator.scenarios import SCENARIOS


@pytest.mark.parametrize("scenario", sorted(SCENARIOS))
def test_all_that_must_hold_holds(scenario: str) -> None:
    result = Run(11, scenario).go()
    assert result.broken is None, f"{result.broken}\npython -m tests.simulator --story 11 --scenario {scenario!r}"
    assert result.callers > 5
    assert result.counts["entered"] == sum(result.counts.values()) - result.counts["entered"]


def test_lost_events_are_made_good_within_ten_seconds() -> None:
    results = [Run(seed, "lost").go() for seed in (1, 2, 3)]
    assert [result.broken for result in results] == [None] * 3
    assert sum(result.lost_events for result in results) > 3
    assert max(result.longest for result in results) <= 10.0


def test_without_the_look_at_everything_it_is_seen_that_something_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    async def look_away(_: Pbx) -> None:
        """The periodic comparison is taken out."""

    monkeypatch.setattr(Pbx, "_compare", look_away)
    assert any(Run(seed, "very lost").go().broken for seed in (1, 2))


def test_without_the_journal_it_is_seen_that_calls_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Journal, "left", lambda _: iter(()))
    # Notes of Asterisk's make good what most deaths cost; not callers who had been offered and left while the database was away.
    broken = Run(16, "database").go().broken
    assert broken is not None
    assert "is not written down" in broken


def test_a_seed_is_always_the_same_run() -> None:
    told = {
        hashlib.sha256(
            subprocess.run(
                [sys.executable, "-m", "tests.simulator", "--story", "7", "--scenario", "everything"],
                env={**os.environ, "PYTHONHASHSEED": order}, capture_output=True, check=True,
            ).stdout
        ).hexdigest()
        for order in ("1", "2")
    }  # fmt: skip
    assert len(told) == 1
