"""Entries of a line whose caller is away: he has been promised to be called back, and stands where he stood.

Such an entry is a ``Call`` without a leg (``Call.away``). It has place, priority and needs like any other, and all that looks at
a line sees it where it is; only what routing does when its turn comes is different. Who that is told, and who knows what has
become of the customer, is the floor's *keeper* (``callback.keeper``); a floor without one has nobody away.

Called by the modules of ``acd`` at the points where a callback differs from a caller.
"""

from typing import TYPE_CHECKING, Any, Protocol

from acd.agents import Agent
from acd.calls import Call
from acd.errors import Conflict
from acd.ids import CallbackId, QueueId
from acd.outcomes import Outcome
from acd.queues import Queue
from acd.telephony import CallEntered, Fact, PbxSnapshot
from acd.turn import Turn

if TYPE_CHECKING:
    from acd.callback_commands import CallbackCommand
    from acd.decisions import Rank
    from acd.floor import Floor


class Keeper(Protocol):
    """Who knows the callbacks. Every method is part of a turn of the floor."""

    def handle(self, floor: "Floor", turn: Turn, message: "CallbackCommand | Fact") -> None:
        """A command or a fact that is about callbacks alone."""

    def due(self, floor: "Floor", turn: Turn, key: str) -> None:
        """A timer of the keeper's own."""

    def may_dial(self, floor: "Floor", call: Call, now: float) -> bool:
        """Whether an entry takes its turn now, should an agent be there."""

    def open_in(self, queue: QueueId) -> int:
        """How many promises of a queue are open, in line or for later."""

    def held_up(self, floor: "Floor", call: Call, now: float) -> str | None:
        """Why an entry is not dialled, though an agent may be free; None if nothing keeps it."""

    def turn_came(self, floor: "Floor", turn: Turn, call: Call, agent: Agent, ranks: "list[Rank]") -> None:
        """An agent is free for an entry."""

    def passed(self, floor: "Floor", queue: Queue, call: Call) -> None:
        """A caller gets an agent, perhaps before an entry that is being dialled."""

    def agent_left(self, floor: "Floor", turn: Turn, call: Call, agent: Agent) -> None:
        """An agent who is reserved for an entry does not serve any more."""

    def identify(self, call: Call, fact: CallEntered) -> None:
        """A customer who was dialled is on: say whose entry he is, before he is put anywhere."""

    def came_in(self, floor: "Floor", turn: Turn, call: Call, *, adopted: bool) -> Agent | None:
        """He has been put into the floor: his entry is over. Returned: the agent who was reserved for him."""

    def regain(self, floor: "Floor", turn: Turn, call: Call, queue: Queue) -> bool:
        """A caller has come in: is it one who is to be called back? Then he has that place, and is not called."""

    def found(self, floor: "Floor", turn: Turn, call: Call, *, led: bool) -> None:
        """A snapshot has found a caller who lived on without us. ``led``: he has been let go."""

    def connected(self, floor: "Floor", turn: Turn, call: Call) -> None:
        """A customer who was called back talks to an agent."""

    def left(self, floor: "Floor", turn: Turn, call: Call, outcome: Outcome, ended_by: str) -> None:
        """A caller who has been promised something, or was called back, is gone before that."""

    def looked(self, floor: "Floor", turn: Turn, fact: PbxSnapshot) -> None:
        """A snapshot was taken in."""


def handle(floor: "Floor", turn: Turn, message: Any) -> None:
    """Whatever is about callbacks alone."""
    if floor.keeper is None:
        raise Conflict("no_callbacks", "nobody here calls back")
    floor.keeper.handle(floor, turn, message)


def due(floor: "Floor", turn: Turn, key: str) -> None:
    """A timer of the keeper's."""
    if floor.keeper is not None:
        floor.keeper.due(floor, turn, key)


def may_dial(floor: "Floor", call: Call, now: float) -> bool:
    """Whether an entry whose caller is away takes its turn now."""
    return floor.keeper is not None and floor.keeper.may_dial(floor, call, now)


def open_in(floor: "Floor", queue: QueueId) -> int:
    """How many callbacks of a queue are open, in line or for later."""
    return floor.keeper.open_in(queue) if floor.keeper is not None else 0


def held_up(floor: "Floor", call: Call, now: float) -> str | None:
    """Why an entry whose caller is away is not dialled now."""
    return floor.keeper.held_up(floor, call, now) if floor.keeper is not None else None


def identify(floor: "Floor", call: Call, fact: CallEntered) -> None:
    """Note of a call that it is a callback's: its first stay in a line is the end of another one, and is not counted."""
    if fact.attempt is not None:
        call.callback = CallbackId(fact.attempt.rpartition(".")[0])
        call.visit.counts = False
        if floor.keeper is not None:
            floor.keeper.identify(call, fact)


def regain(floor: "Floor", turn: Turn, call: Call, queue: Queue) -> bool:
    """Whether a caller who has come in stands at the place of his callback now."""
    return floor.keeper is not None and call.caller is not None and floor.keeper.regain(floor, turn, call, queue)


def found(floor: "Floor", turn: Turn, call: Call, *, led: bool) -> None:
    """A snapshot has found a caller who lived on without us."""
    if floor.keeper is not None:
        if call.callback is not None:
            floor.keeper.came_in(floor, turn, call, adopted=True)
        floor.keeper.found(floor, turn, call, led=led)


def connected(floor: "Floor", turn: Turn, call: Call) -> None:
    """Caller and agent talk."""
    if call.callback is not None and floor.keeper is not None:
        floor.keeper.connected(floor, turn, call)


def left(floor: "Floor", turn: Turn, call: Call, outcome: Outcome, ended_by: str) -> None:
    """A call is about to end."""
    if call.callback is not None and floor.keeper is not None:
        floor.keeper.left(floor, turn, call, outcome, ended_by)


def looked(floor: "Floor", turn: Turn, fact: PbxSnapshot) -> None:
    """A snapshot was taken in."""
    if floor.keeper is not None:
        floor.keeper.looked(floor, turn, fact)
