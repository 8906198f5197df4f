"""All supervision sessions and requests for help, beside the floor whose conversations they are about.

``nobat.reactor`` is the only caller: it gives commands and facts of supervision to ``handle``, and after every other message that
the floor has taken in it calls ``after``, because a conversation may have begun, ended or changed hands. Pure, like the floor.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from acd.consult_events import ConsultChanged
from acd.events import (
    AgentStateChanged,
    CallConnected,
    CallEnded,
    CallQueued,
    CallTransferred,
    PbxReady,
    TalkEnded,
    TransferEnded,
)
from acd.floor import Floor
from acd.ids import AgentId, DeviceId, LegId, PbxId, SupervisionId
from acd.telephony import PbxSnapshot
from acd.turn import NOTHING, Effects, Turn
from whisper import course, desk, follow, helping, telling
from whisper.helping import HelpRequest
from whisper.sessions import Session
from whisper.telling import Sign

_MOVES = frozenset({
    AgentStateChanged,
    CallConnected,
    CallEnded,
    CallQueued,
    CallTransferred,
    ConsultChanged,
    PbxReady,
    TalkEnded,
    TransferEnded,
})  # fmt: skip
"""Events after which somebody may belong elsewhere."""


@dataclass(slots=True)
class Supervision:
    """Written by its own handlers only."""

    floor: Floor
    sessions: dict[SupervisionId, Session] = field(default_factory=dict)
    ended: "OrderedDict[SupervisionId, Session]" = field(default_factory=OrderedDict)
    help: dict[AgentId, HelpRequest] = field(default_factory=dict)  # in order of asking
    signs: dict[LegId, Sign] = field(default_factory=dict)  # on agents' phones, that they are listened to
    serials: "count[int]" = field(default_factory=lambda: count(1))

    def handle(self, message: object, now: float) -> Effects:
        """A command or fact of supervision. Commands may raise ``AcdError``, and then nothing has changed."""
        turn = Turn(max(self.floor.now, now))
        HANDLERS[type(message)](self, turn, message)
        telling.update(self, turn)
        return turn.effects()

    def after(self, message: object, effects: Effects) -> Effects:
        """The floor has taken ``message`` in: what follows from it for sessions and requests for help."""
        if not self.sessions and not self.help and type(message) not in _ALWAYS:
            return NOTHING
        turn = Turn(self.floor.now)
        handler = AFTER.get(type(message))
        if handler is not None:
            handler(self, turn, message)
        if handler is not None or any(type(event) in _MOVES for event in effects.events):
            follow.everybody(self, turn, message)
            helping.settle(self, turn)
            telling.update(self, turn)
        return turn.effects()

    def new_id(self, pbx: PbxId, now: float) -> SupervisionId:
        return SupervisionId(f"{pbx}-{round(now * 1000)}.s{next(self.serials)}")

    def at_device(self, device: DeviceId) -> Session | None:
        """The live session of a phone."""
        return next((session for session in self.sessions.values() if session.device == device), None)


_ALWAYS = frozenset({PbxSnapshot})
HANDLERS: dict[type, Callable[[Supervision, Turn, Any], None]] = {
    **desk.HANDLERS,
    **course.HANDLERS,
    **helping.HANDLERS,
}
AFTER: dict[type, Callable[[Supervision, Turn, Any], None]] = {**desk.AFTER, **course.AFTER}
