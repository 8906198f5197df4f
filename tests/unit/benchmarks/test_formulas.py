"""What the simulations are measured by is itself measured: formulas against the published digits, quantiles against tables."""

import math

import pytest

from benchmarks.erlang_formulas import TABLE, Load, printed, reference
from benchmarks.interval import beta_below, interval, student


@pytest.mark.parametrize("load", TABLE, ids=str)
def test_the_formulas_give_the_table_to_its_last_digit(load: Load) -> None:
    for text, value in zip(TABLE[load], reference(load).values(), strict=True):
        digits = len(text.partition(".")[2])
        assert f"{value:.{digits}f}".removeprefix("0") == text
    assert printed(load).keys() == reference(load).keys()


def test_students_quantiles_are_those_of_the_tables() -> None:
    assert round(student(0.95, 19), 3) == 2.093
    assert round(student(0.99, 19), 3) == 2.861
    assert round(student(0.99, 29), 3) == 2.756


def test_the_beta_distribution_where_it_is_known_in_closed_form() -> None:
    assert math.isclose(beta_below(0.3, 1, 1), 0.3)
    assert math.isclose(beta_below(0.3, 2, 1), 0.09)
    assert math.isclose(beta_below(0.9, 40.0, 1.0), 0.9**40)
    assert math.isclose(beta_below(0.9, 3.0, 7.0), sum(math.comb(9, k) * 0.9**k * 0.1 ** (9 - k) for k in range(3, 10)))


def test_an_interval_is_the_mean_and_t_standard_errors() -> None:
    found = interval([1.0, 2.0, 3.0, 4.0], 0.95)
    assert found.mean == 2.5
    assert math.isclose(found.half, 3.1824 * math.sqrt(5 / 3) / 2, rel_tol=1e-4)
    assert found.holds(4.5)
    assert not found.holds(4.6)
