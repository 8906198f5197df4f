"""What a caller needs of an agent, and how the need relaxes while the caller waits.

A need is a sorted tuple of (skill, level) pairs: two callers with the same tuple can be served by the same agents, and routing
counts on that.
"""

from collections.abc import Iterable
from dataclasses import dataclass

Needs = tuple[tuple[str, int], ...]
NOTHING: Needs = ()


TICK_S = 1e-6
"""Seconds since the epoch resolve a quarter of a microsecond: a step that is due in this very moment is due."""


@dataclass(frozen=True, slots=True)
class RelaxStep:
    """From ``after_s`` seconds of waiting on, ``skills`` is asked for instead of what was asked for before."""

    after_s: float
    skills: Needs


def normal(skills: Iterable[tuple[str, int]]) -> Needs:
    """One form for the same needs: sorted, the higher level where a skill is named twice, levels of 0 left out."""
    highest: dict[str, int] = {}
    for name, level in skills:
        highest[name] = max(level, highest.get(name, 0))
    return tuple(sorted((name, level) for name, level in highest.items() if level > 0))


def needs_at(base: Needs, steps: tuple[RelaxStep, ...], own: Needs, waited_s: float) -> Needs:
    """The queue's requirement after ``waited_s``, and on top the caller's own, which never relaxes."""
    asked = base
    for step in steps:
        if step.after_s <= waited_s + TICK_S:
            asked = step.skills
    return normal((*asked, *own)) if own else asked
