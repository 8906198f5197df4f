"""An agent's shift: how long he has been signed in and what he has carried, for strategies that share the work out.

A shift goes on through short absences: only who comes back after ``SHIFT_GAP_S`` begins a new one.
"""

from collections.abc import Iterable
from dataclasses import dataclass

SHIFT_GAP_S = 4 * 3600.0
LEAST_S = 60.0
"""Rates over less time than this would say more of chance than of work."""


@dataclass(slots=True)
class Shift:
    """Times are seconds since the epoch; ``away_s`` is time signed out within the shift."""

    began_at: float = 0.0
    away_s: float = 0.0
    left_at: float | None = None
    calls: int = 0
    talk_s: float = 0.0
    last_talk_at: float = 0.0

    @property
    def is_on(self) -> bool:
        """Whether the agent is in it now."""
        return self.began_at > 0.0 and self.left_at is None

    def sign_in(self, now: float) -> None:
        """Go on with the shift, or begin a new one."""
        if self.left_at is not None and now - self.left_at <= SHIFT_GAP_S:
            self.away_s += now - self.left_at
        elif self.left_at is not None or not self.began_at:
            self.began_at, self.away_s, self.calls, self.talk_s = now, 0.0, 0, 0.0
        self.left_at = None

    def sign_out(self, now: float) -> None:
        """The agent has left; perhaps for good."""
        self.left_at = now

    @classmethod
    def retold(cls, presence: Iterable[tuple[float, bool]], talks: Iterable[tuple[float, float]]) -> "Shift":
        """The shift that follows from what is on record: when the agent came (True) and left, and each talk's end and seconds."""
        shift, here = cls(), False
        for at, is_here in presence:
            if is_here and not here:
                shift.sign_in(at)
            elif here and not is_here:
                shift.sign_out(at)
            here = is_here
        for ended_at, talk_s in talks:
            shift.last_talk_at = ended_at
            if ended_at >= shift.began_at:
                shift.calls += 1
                shift.talk_s += talk_s
        return shift

    def signed_in_s(self, now: float) -> float:
        """Seconds signed in so far in this shift, breaks included."""
        return max(LEAST_S, (self.left_at or now) - self.began_at - self.away_s)
