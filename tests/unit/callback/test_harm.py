"""Caps: who asks too often is refused, and nobody else."""

import pytest

from callback.harm import Caps, Ledger, Rate
from callback.refusals import Refusal

NUMBER, OTHER = "+989123456789", "+989351234567"
NOW = 1_000_000.0
HOUR, DAY = 3600.0, 86_400.0
NONE = Caps(0, 0, 0, 0, 0, 0, 0)


def test_a_number_has_one_open_callback_in_a_queue_whatever_the_caps() -> None:
    ledger = Ledger()
    ledger.note_promise("a", NUMBER, "sales", NOW)
    assert ledger.bar(NUMBER, "sales", NONE, NOW) is Refusal.OPEN_ALREADY
    assert ledger.bar(NUMBER, "support", NONE, NOW) is None
    assert ledger.bar(OTHER, "sales", NONE, NOW) is None
    ledger.note_end("a")
    assert ledger.bar(NUMBER, "sales", NONE, NOW) is None


def test_a_thousand_requests_for_one_victim_ring_there_three_times_a_day() -> None:
    ledger, kept = Ledger(), 0
    for number in range(1000):
        now = NOW + number * 60.0
        if ledger.bar(NUMBER, "sales", Caps(), now) is None:
            kept += 1
            ledger.note_promise(f"c{number}", NUMBER, "sales", now)
            ledger.note_end(f"c{number}")
    assert kept == 3
    assert ledger.bar(NUMBER, "sales", Caps(), NOW + 59_940) is Refusal.NUMBER_A_DAY
    assert ledger.bar(NUMBER, "sales", Caps(), NOW + DAY) is None
    assert ledger.bar(OTHER, "sales", Caps(), NOW) is None


@pytest.mark.parametrize(
    ("caps", "why"),
    [
        (Caps(0, 2, 0, 0, 0), Refusal.NUMBER_OPEN),
        (Caps(0, 0, 0, 3, 0), Refusal.OPEN),
        (Caps(0, 0, 0, 0, 3), Refusal.A_DAY),
        (Caps(0, 0, 1, 0, 0), Refusal.QUEUE_OPEN),
        (NONE, None),
    ],
)
def test_each_cap_by_itself(caps: Caps, why: Refusal | None) -> None:
    ledger = Ledger()
    for callback, number, queue in (("a", NUMBER, "sales"), ("b", NUMBER, "support"), ("c", OTHER, "billing")):
        assert ledger.bar(number, queue, caps, NOW) is None
        ledger.note_promise(callback, number, queue, NOW)
    asked = "billing" if why is Refusal.QUEUE_OPEN else "fourth"
    assert ledger.bar(NUMBER, asked, caps, NOW) is why


def test_a_promise_that_was_not_kept_does_not_count() -> None:
    ledger = Ledger()
    for _ in range(10):
        ledger.note_promise("a", NUMBER, "sales", NOW)
        ledger.take_back("a")
    assert ledger.bar(NUMBER, "sales", Caps(), NOW) is None
    assert not ledger.promised
    assert not ledger.of_number


def test_after_a_restart_the_day_is_known() -> None:
    ledger = Ledger()
    for number in range(3):
        ledger.note_promise(f"c{number}", NUMBER, "sales", NOW - HOUR, still_open=False)
    assert ledger.bar(NUMBER, "sales", Caps(), NOW) is Refusal.NUMBER_A_DAY
    assert not ledger.open


def test_a_number_that_answers_and_hangs_up_again_and_again_is_not_called_that_day() -> None:
    ledger = Ledger()
    for number in range(3):
        assert ledger.bar(NUMBER, "sales", Caps(number_a_day=0), NOW + number) is None
        ledger.note_short_answer(NUMBER, NOW + number)
    assert ledger.bar(NUMBER, "sales", Caps(number_a_day=0), NOW + 3) is Refusal.SHORT_ANSWERS
    assert ledger.bar(NUMBER, "sales", Caps(number_a_day=0), NOW + DAY + 3) is None
    assert not ledger.short_of


def test_a_farm_of_numbers_is_known_by_its_range() -> None:
    ledger = Ledger()
    for number in range(20):
        ledger.note_short_answer(f"+98912345{number:04}", NOW)
    assert ledger.bar("+989123459999", "sales", Caps(), NOW) is Refusal.SHORT_ANSWERS
    assert ledger.bar("+989123469999", "sales", Caps(), NOW) is None


def test_a_callback_that_changes_its_number_leaves_the_old_one_free() -> None:
    ledger = Ledger()
    ledger.note_promise("a", NUMBER, "sales", NOW)
    ledger.note_number("a", OTHER, NOW)
    assert ledger.bar(OTHER, "support", Caps(number_a_day=1), NOW) is Refusal.NUMBER_A_DAY
    assert ledger.bar(OTHER, "sales", Caps(), NOW, "a") is None
    assert ledger.bar(NUMBER, "sales", Caps(), NOW) is None
    assert ledger.bar(OTHER, "sales", Caps(), NOW) is Refusal.OPEN_ALREADY


def test_whoever_asks_too_often_is_refused_and_others_are_not() -> None:
    rate = Rate(3, 60.0)
    assert [rate.allows("form", NOW + second) for second in range(5)] == [True, True, True, False, False]
    assert rate.allows("app", NOW)
    assert rate.allows("form", NOW + 60.0)
    assert not rate.allows("form", NOW + 60.5)
    assert all(Rate(0).allows("form", NOW) for _ in range(100))
