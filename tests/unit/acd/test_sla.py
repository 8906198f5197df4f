"""Service level by the definitions, against their published test vector."""

import pytest

from acd.outcomes import Outcome
from acd.sla import KEPT_S, Counts, DecidedVisit, Ledger, service_levels

NOON = 1_700_000_000 // 900 * 900


def test_the_published_vector_gives_the_published_percentages() -> None:
    counts = Counts(answered=1000, abandoned=60, short_abandoned=10, answered_in_target=860, abandoned_in_target=20)
    levels = service_levels(counts)
    assert levels.primary == pytest.approx(0.827, abs=5e-4)
    assert levels.answered_only == pytest.approx(0.860, abs=5e-4)
    assert levels.early_abandon_good == pytest.approx(0.830, abs=5e-4)
    assert levels.strict == pytest.approx(0.811, abs=5e-4)
    assert levels.short_excluded == pytest.approx(0.819, abs=5e-4)


def test_where_nothing_counts_there_is_no_figure() -> None:
    levels = service_levels(Counts())
    assert (levels.primary, levels.answered_only, levels.strict) == (None, None, None)
    only_early_abandons = service_levels(Counts(abandoned=3, abandoned_in_target=3))
    assert only_early_abandons.primary is None
    assert only_early_abandons.early_abandon_good == 1.0


def test_a_caller_still_waiting_past_the_target_is_missed_already() -> None:
    assert service_levels(Counts(answered=1, answered_in_target=1), late_waiting=1).primary == 0.5


def visit(entered: float, waited: float, outcome: Outcome = Outcome.ANSWERED, *, short: bool = False) -> DecidedVisit:
    return DecidedVisit(entered, entered + waited, outcome, short)


def test_answered_exactly_at_the_target_is_in_time() -> None:
    ledger = Ledger()
    ledger.record(visit(NOON, 20.0), 20.0)
    ledger.record(visit(NOON, 20.001), 20.0)
    assert ledger.since(NOON).answered_in_target == 1


def test_a_visit_belongs_to_the_interval_of_its_entry() -> None:
    ledger = Ledger()
    ledger.record(visit(NOON - 1, 30.0), 20.0)
    assert ledger.since(NOON).answered == 0
    assert ledger.since(NOON - 900).answered == 1


def test_a_sliding_window_is_exact_to_the_visit() -> None:
    ledger = Ledger()
    for minute in range(60):
        ledger.record(visit(NOON + 60 * minute, 5.0), 20.0)
    assert ledger.since(NOON + 60 * 30 + 1).answered == 29


def test_visits_one_by_one_are_let_go_after_an_hour() -> None:
    ledger = Ledger()
    for second in range(2 * 3600):
        outcome = Outcome.ABANDONED if second % 3 else Outcome.ANSWERED
        ledger.record(visit(NOON + second, 7.5, outcome, short=second % 3 == 1), 20.0)
    kept = list(ledger.recent.since(0.0))
    assert kept[0] == (visit(NOON + 3599, 7.5, Outcome.ABANDONED, short=False), 20.0)
    assert kept[-3][0] == visit(NOON + 7197, 7.5)
    assert kept[-2][0] == visit(NOON + 7198, 7.5, Outcome.ABANDONED, short=True)
    assert len(kept) == 3601
    assert len(ledger.recent.decided_at) < 2 * len(kept) + 1


def test_every_outcome_is_counted_under_its_own_name() -> None:
    ledger = Ledger()
    for outcome in Outcome:
        ledger.record(visit(NOON, 3.0, outcome), 20.0)
    counts = ledger.since(NOON)
    assert counts.decided == len(Outcome)
    assert (counts.answered, counts.abandoned, counts.overflowed, counts.deferred, counts.lost) == (1, 1, 1, 1, 1)
    assert counts.longest_wait_s == 3.0


def test_short_abandons_are_shown_apart() -> None:
    ledger = Ledger()
    ledger.record(visit(NOON, 2.0, Outcome.ABANDONED, short=True), 20.0)
    ledger.record(visit(NOON, 12.0, Outcome.ABANDONED), 20.0)
    counts = ledger.since(NOON)
    assert (counts.abandoned, counts.short_abandoned, counts.abandoned_in_target) == (2, 1, 2)


def test_old_intervals_are_let_go() -> None:
    ledger = Ledger()
    ledger.record(visit(NOON, 1.0), 20.0)
    ledger.record(visit(NOON + KEPT_S + 900, 1.0), 20.0)
    assert list(ledger.intervals) == [NOON + KEPT_S + 900]


def test_a_wait_is_never_negative() -> None:
    assert DecidedVisit(NOON, NOON - 5, Outcome.ANSWERED).waited_s == 0.0
