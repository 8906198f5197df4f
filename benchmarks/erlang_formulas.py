"""Erlang C and Erlang A as formulas, and the table of references that they must give to the last printed digit.

With arrival rate λ, handling rate μ, n agents and (Erlang A) exponential patience of rate θ, the number in the system is a birth
and death process; a caller who finds j waiting waits for j + 1 departures, the i-th of them at rate n·μ + i·θ. Exponential times
whose rates grow by equal steps add up to -ln B / θ with B of a beta distribution: thus the distribution of that wait is known.
"""

import math
from dataclasses import dataclass

from benchmarks.interval import beta_below

T_S = 20.0


@dataclass(frozen=True, slots=True)
class Load:
    """A line of the table. ``patience_s`` None is Erlang C."""

    calls_h: float
    aht_s: float
    agents: int
    patience_s: float | None = None

    def __str__(self) -> str:
        patience = f", patience {self.patience_s:g}" if self.patience_s is not None else ""
        return f"{self.calls_h:g}/h, {self.aht_s:g} s, {self.agents} agents{patience}"


Figures = dict[str, float]

C_FIGURES = ("Pw", "ASA", "SL20")
A_FIGURES = ("Pw", "P(abandon)", "E[wait]", "strict SL20", "primary SL20")

TABLE: dict[Load, tuple[str, ...]] = {
    Load(100, 180, 6): (".587516", "105.7530", ".474267"),
    Load(100, 180, 7): (".324150", "29.1735", ".740441"),
    Load(100, 180, 8): (".167267", "10.0360", ".880148"),
    Load(360, 180, 20): (".550769", "49.5692", ".558979"),
    Load(600, 240, 44): (".431700", "25.9020", ".690673"),
    Load(1000, 300, 90): (".367289", "16.5280", ".764501"),
    Load(3000, 300, 260): (".420238", "12.6072", ".784242"),
    Load(100, 180, 5, 120): (".517074", ".192370", "23.0844", ".579988", ".624625"),
    Load(100, 180, 6, 120): (".355834", ".112336", "13.4803", ".731965", ".768339"),
    Load(360, 180, 18, 60): (".408017", ".118230", "7.0938", ".775693", ".848206"),
    Load(600, 240, 40, 180): (".486814", ".067444", "12.1398", ".714167", ".743866"),
    Load(1000, 300, 80, 120): (".521637", ".076652", "9.1982", ".754944", ".800521"),
}
"""As published with the definitions of the figures (docs/reference/definitions.md)."""


def printed(load: Load) -> Figures:
    """The table's line as numbers."""
    return dict(zip(C_FIGURES if load.patience_s is None else A_FIGURES, map(float, TABLE[load]), strict=True))


def reference(load: Load) -> Figures:
    """The line worked out anew."""
    return erlang_c(load) if load.patience_s is None else erlang_a(load, load.patience_s)


def erlang_c(load: Load) -> Figures:
    """Probability of waiting, average speed of answer, share answered within 20 s; nobody gives up."""
    work, n = load.calls_h * load.aht_s / 3600.0, load.agents
    blocked = 1.0
    for servers in range(1, n + 1):  # Erlang B, from which C follows
        blocked = work * blocked / (servers + work * blocked)
    waits = n * blocked / (n - work * (1.0 - blocked))
    spare = (n - work) / load.aht_s
    return dict(zip(C_FIGURES, (waits, waits / spare, 1.0 - waits * math.exp(-spare * T_S)), strict=True))


def erlang_a(load: Load, patience_s: float) -> Figures:
    """Probability of waiting, of giving up, mean wait of all, and the two service levels that a patience changes."""
    arrival, busy, theta = load.calls_h / 3600.0, load.agents / load.aht_s, 1.0 / patience_s
    below, line = _states(load, arrival, busy, theta)
    waiting = sum(j * share for j, share in enumerate(line))
    in_time = gone_in_time = 0.0
    for j, share in enumerate(line):
        # Answered within T: turn before T and before patience ends. The latter tilts each rate by theta.
        willing = math.prod((busy + i * theta) / (busy + (i + 1) * theta) for i in range(j + 1))
        answered = willing * (1.0 - beta_below(math.exp(-theta * T_S), busy / theta + 1.0, j + 1))
        still = beta_below(math.exp(-theta * T_S), busy / theta, j + 1) * math.exp(-theta * T_S)
        in_time += share * answered
        gone_in_time += share * (1.0 - answered - still)
    strict = below + in_time
    values = (1.0 - below, theta * waiting / arrival, waiting / arrival, strict, strict / (1.0 - gone_in_time))
    return dict(zip(A_FIGURES, values, strict=True))


def _states(load: Load, arrival: float, busy: float, theta: float) -> tuple[float, list[float]]:
    """Stationary probabilities: that somebody is free, and that all are busy with 0, 1, 2 … waiting."""
    weights = [1.0]
    for k in range(1, load.agents + 1):
        weights.append(weights[-1] * arrival * load.aht_s / k)
    below, line = sum(weights[:-1]), [weights[-1]]
    while line[-1] > 1e-14 * sum(line):
        line.append(line[-1] * arrival / (busy + len(line) * theta))
    whole = below + sum(line)
    return below / whole, [one / whole for one in line]
