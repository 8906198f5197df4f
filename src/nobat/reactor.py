"""The floor and supervision as one machine: what the engine drives.

``acd`` knows nothing of supervision, so somebody has to bring the two together: messages of supervision go there, every other one
to the floor first, and what supervision makes of it follows in the same turn. Pure, as both of its parts are.
"""

from dataclasses import dataclass
from typing import Protocol, get_args

from acd.commands import Command
from acd.floor import Floor
from acd.supervision_port import SupervisionFact
from acd.telephony import Fact
from acd.turn import Effects
from whisper.commands import SupervisionCommand
from whisper.supervision import Supervision

Message = Fact | Command | SupervisionCommand

_SUPERVISION = frozenset({*get_args(SupervisionFact), *get_args(SupervisionCommand)})


class Machine(Protocol):
    """What an engine drives: a floor alone, or one with more beside it."""

    def handle(self, message: Message, now: float) -> Effects: ...

    def tick(self, now: float) -> Effects: ...

    def next_deadline(self) -> float | None: ...


@dataclass(slots=True)
class Reactor:
    """Has the floor's own surface."""

    floor: Floor
    supervision: Supervision

    def handle(self, message: Message, now: float) -> Effects:
        """Take one message in. Commands may raise ``AcdError``, and then nothing has changed."""
        if type(message) in _SUPERVISION:
            return self.supervision.handle(message, now)
        return self._followed(message, self.floor.handle(message, now))  # type: ignore[arg-type]

    def tick(self, now: float) -> Effects:
        """Do what is due."""
        return self._followed(None, self.floor.tick(now))

    def next_deadline(self) -> float | None:
        return self.floor.next_deadline()

    def _followed(self, message: object, effects: Effects) -> Effects:
        more = self.supervision.after(message, effects)
        if not more.events and not more.requests:
            return effects
        return Effects((*effects.events, *more.events), (*effects.requests, *more.requests))
