"""Time in each state, by intervals."""

import random
from collections.abc import Iterable, Mapping

from acd.agents import AgentState as S
from nobat.figures.stays import COLUMN, Change, Choice, Gap, Splitting, Stays, start_of

T = 1_000_000 * 900


def split(
    changes: Iterable[Change | Choice | Gap], before: Mapping[str, tuple[S, bool]], begin: int, until: float
) -> dict[tuple[str, int], Stays]:
    sums = Splitting(before, begin)
    for change in changes:
        sums.take(change)
    return sums.until(until)


def test_a_stay_is_cut_where_intervals_begin() -> None:
    changes = [
        Change("ann", T + 100, S.SIGNED_OUT, S.IDLE),
        Change("ann", T + 1000, S.IDLE, S.TALKING),
        Change("ann", T + 1300, S.TALKING, S.WRAP_UP),
        Change("ann", T + 1310, S.WRAP_UP, S.SIGNED_OUT),
    ]
    found = split(changes, {}, T, T + 2700)
    assert {key[1] - T: stays.seconds for key, stays in found.items()} == {
        0: {"idle_s": 800},
        900: {"idle_s": 100, "talking_s": 300, "working_s": 10},
    }
    assert found["ann", T].last is S.IDLE
    assert found["ann", T + 900].last is S.SIGNED_OUT


def test_who_says_nothing_is_as_before_and_who_comes_late_was_as_the_first_change_says() -> None:
    found = split([Change("ben", T + 60, S.BREAK, S.IDLE)], {"ann": (S.IDLE, False)}, T, T + 900)
    assert found["ann", T].seconds == {"idle_s": 900}
    assert found["ben", T].seconds == {"break_s": 60, "idle_s": 840}


def test_time_on_productive_breaks_is_told_apart_through_intervals_and_calls() -> None:
    changes = [
        Choice("ann", T + 100, True),  # training, after the call that is on
        Change("ann", T + 200, S.TALKING, S.BREAK),
        Choice("ann", T + 1000, False),  # lunch instead, without a change of state
        Change("ann", T + 1500, S.BREAK, S.IDLE),
    ]
    whole = split(changes, {"ann": (S.TALKING, False)}, T, T + 1800)
    assert {key[1] - T: stays.productive_s for key, stays in whole.items()} == {0: 700, 900: 100}
    assert whole["ann", T].seconds == {"talking_s": 200, "break_s": 700}
    first = split(changes[:2], {"ann": (S.TALKING, False)}, T, T + 900)
    assert (first["ann", T].last, first["ann", T].productive) == (S.BREAK, True)
    second = split(changes[2:], {"ann": (S.BREAK, True)}, T + 900, T + 1800)
    assert second["ann", T + 900] == whole["ann", T + 900]


def test_whatever_happens_no_second_is_lost_or_counted_twice_and_parts_give_the_same_as_the_whole() -> None:
    for seed in range(200):
        dice = random.Random(seed)
        states = {agent: dice.choice(list(S)) for agent in "abc"}
        before: dict[str, tuple[S, bool]] = {agent: (state, dice.random() < 0.5) for agent, state in states.items()}
        changes: list[Change | Choice] = []
        for at in sorted(dice.uniform(T, T + 9000) for _ in range(40)):
            agent, new = dice.choice("abc"), dice.choice(list(S))
            if dice.random() < 0.3 or states[agent] is S.SIGNED_OUT:  # whoever signs in chooses something
                changes.append(Choice(agent, at, dice.random() < 0.5))
            if not changes or changes[-1].at < at or states[agent] is S.SIGNED_OUT:
                changes.append(Change(agent, at, states[agent], new))
                states[agent] = new
        whole = split(changes, before, T, T + 9000)
        for (_, start), stays in whole.items():
            assert sum(stays.seconds.values()) <= 900 + 1e-6
            assert 0.0 <= stays.productive_s <= stays.seconds.get("break_s", 0.0) + 1e-6
            assert set(stays.seconds) <= set(COLUMN.values())
            assert T <= start < T + 9000
        middle = start_of(T + dice.uniform(900, 8000))
        first = split([one for one in changes if one.at < middle], before, T, middle)
        between = {
            agent: (stays.last, stays.productive) for (agent, start), stays in first.items() if start == middle - 900
        }
        second = split([one for one in changes if one.at >= middle], between, middle, T + 9000)
        joined = {**first, **second}
        assert {key: _rounded(stays.seconds) for key, stays in joined.items()} == {
            key: _rounded(stays.seconds) for key, stays in whole.items()
        }, seed
        for key, stays in whole.items():
            assert abs(joined[key].productive_s - stays.productive_s) < 1e-6, seed


def _rounded(seconds: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 6) for name, value in seconds.items() if value > 1e-9}


def test_while_nobody_looked_nobody_did_anything() -> None:
    changes = [
        Change("101", T + 100, S.SIGNED_OUT, S.IDLE),
        Gap(T + 5000, T + 400),
        Change("101", T + 5010, S.SIGNED_OUT, S.TALKING),
    ]
    found = split(changes, {"102": (S.BREAK, True)}, T, T + 5400)
    assert {at: stays.seconds for (agent, at), stays in found.items() if agent == "101"} == {
        T: {"idle_s": 300.0},
        T + 4500: {"talking_s": 390.0},
    }
    assert found["101", T].last is S.SIGNED_OUT
    assert {at: stays.seconds for (agent, at), stays in found.items() if agent == "102"} == {T: {"break_s": 400.0}}
