"""PINs: slow to guess, and few guesses."""

from hypothesis import given
from hypothesis import strategies as st

from acd.ids import AgentId
from nobat.pins import Lockout, hash_pin, matches

ALI, SARA = AgentId("101"), AgentId("102")


def test_only_the_right_pin_matches() -> None:
    kept = hash_pin("4711")
    assert "4711" not in kept
    assert matches(kept, "4711")
    assert not matches(kept, "4712")
    assert not matches(kept, "")
    assert not matches(None, "no PIN has letters")
    assert not matches("no hash at all", "4711")


def test_three_in_a_row_lock_one_agent_for_a_minute() -> None:
    lockout = Lockout(3, 60.0)
    assert [lockout.wrong(ALI, 0.0), lockout.wrong(ALI, 1.0), lockout.wrong(ALI, 2.0)] == [False, False, True]
    assert lockout.locked(ALI, 61.9)
    assert not lockout.locked(SARA, 3.0)
    assert not lockout.locked(ALI, 62.0)
    assert not lockout.wrong(ALI, 63.0)  # counted anew


def test_a_right_pin_begins_the_count_anew() -> None:
    lockout = Lockout(3, 60.0)
    lockout.wrong(ALI, 0.0)
    lockout.wrong(ALI, 0.0)
    lockout.right(ALI)
    assert not lockout.wrong(ALI, 0.0)


@given(st.lists(st.floats(min_value=0, max_value=30), max_size=200))
def test_after_each_third_guess_comes_a_minute_without(pauses: list[float]) -> None:
    lockout, now, guesses = Lockout(3, 60.0), 0.0, []
    for pause in pauses:
        now += pause
        if not lockout.locked(ALI, now):
            guesses.append(now)
            lockout.wrong(ALI, now)
    for third, fourth in zip(guesses[2::3], guesses[3::3], strict=False):
        assert fourth - third >= 60.0 - 1e-6  # sums of floats
