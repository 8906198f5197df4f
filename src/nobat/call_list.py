"""Which calls a reader wants, and how they are picked from the floor: newest entry first, and only as many as are shown.

The same ``CallFilter`` chooses from history (``nobat.storage.history``). Views are built for the picked calls alone: a floor with
thousands of calls must not be photographed whole for a list of fifty.
"""

from collections.abc import Callable
from dataclasses import dataclass
from heapq import nlargest

from acd import picture
from acd.calls import Call, CallState
from acd.floor import Floor
from acd.ids import AgentId, CallId, QueueId
from acd.outcomes import Outcome
from acd.views import CallView


@dataclass(frozen=True, slots=True)
class CallFilter:
    """None asks for nothing. ``queues`` and ``own`` also carry what the reader may see."""

    states: frozenset[CallState] = frozenset(CallState)
    queues: frozenset[QueueId] | None = None
    """Calls that went through one of these queues."""
    agent: AgentId | None = None
    """Calls that this agent has or had."""
    own: AgentId | None = None
    """Calls that this agent has, had or is offered: an agent sees no others."""
    numbers: frozenset[str] | None = None
    """The caller's number, in every writing."""
    entered_from: float | None = None
    entered_to: float | None = None
    outcome: Outcome | None = None
    disposition: str | None = None
    before: tuple[float, str] | None = None
    """Keyset: only calls that come after this (time of entry, id) in the order newest first."""

    def takes(self, call: Call) -> bool:
        """Whether a call of the floor is wanted."""
        return (
            not call.away
            and call.state in self.states
            and self._place_fits(call)
            and self._people_fit(call)
            and self._time_fits(call)
        )

    def _place_fits(self, call: Call) -> bool:
        return self.queues is None or any(visit.queue in self.queues for visit in call.visits)

    def _people_fit(self, call: Call) -> bool:
        rung = call.offer.phones.values() if call.offer is not None else ()
        return (
            (self.agent is None or call.had(self.agent) or self.agent in rung)
            and (self.own is None or call.had(self.own) or self.own in rung)
            and (self.numbers is None or call.number in self.numbers)
            and (self.disposition is None or call.disposition == self.disposition)
        )

    def _time_fits(self, call: Call) -> bool:
        entered = call.visits[0].entered_at
        return (
            (self.entered_from is None or entered >= self.entered_from)
            and (self.entered_to is None or entered < self.entered_to)
            and (self.outcome is None or call.visit.outcome is self.outcome)
            and (self.before is None or (entered, call.id) < self.before)
        )


def of_floor(wanted: CallFilter, count: int) -> Callable[[Floor, float], list[CallView]]:
    """The newest ``count`` wanted calls that the floor knows, ended ones that it still remembers included."""

    def view(floor: Floor, now: float) -> list[CallView]:
        known = (call for calls in (floor.calls, floor.ended) for call in calls.values() if wanted.takes(call))
        newest = nlargest(count, known, key=lambda call: (call.visits[0].entered_at, call.id))
        return [picture.call(floor, call.id, now) for call in newest]

    return view


def known_to_floor(calls: list[CallView]) -> Callable[[Floor, float], set[CallId]]:
    """Which of ``calls`` the floor knows: there it knows better than history."""
    return lambda floor, _now: {call.id for call in calls if call.id in floor.calls or call.id in floor.ended}
