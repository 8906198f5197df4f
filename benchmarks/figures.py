"""What every benchmark prints alike: percentiles, the host and its load, one line a figure with its goal."""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import acd.floor


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile; ``share`` .5 is the median. NaN of nothing."""
    if not values:
        return float("nan")
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, max(0, round(share * len(ranked) + 0.5) - 1))]


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, 99th percentile and maximum of some measured values, in the unit of the values."""

    n: int
    p50: float
    p99: float
    maximum: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        return cls(len(values), percentile(values, 0.5), percentile(values, 0.99), max(values, default=float("nan")))

    def __str__(self) -> str:
        return f"p50 {self.p50:8.2f}   p99 {self.p99:8.2f}   max {self.maximum:8.2f}   (n = {self.n})"


def heading(name: str, what: str) -> None:
    """Name, host and load: without them an absolute figure means nothing."""
    processor = next(
        (line.partition(":")[2].strip() for line in _cpuinfo() if line.startswith("model name")), platform.machine()
    )
    load = " ".join(f"{value:.2f}" for value in os.getloadavg())
    print(f"\n== {name}: {what}")
    core = "Python" if (acd.floor.__file__ or "").endswith(".py") else "compiled"
    print(f"   host: {os.cpu_count()} cores, {processor}; Python {platform.python_version()}, core {core}; load {load}")


def _cpuinfo() -> list[str]:
    try:
        return Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return []


def verdict(figure: str, value: float, goal: str, reached: bool) -> bool:
    """One figure against its goal; returns whether it was reached."""
    print(f"   {'reached' if reached else 'MISSED '}  {figure}: {value:.3g}   goal {goal}", flush=True)
    return reached


def cpu_seconds(pid: int) -> float:
    """User and system time that a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
