"""A third party in a conversation, who talks on when the agent has left.

The books know one conversation of a caller at a time. While agent and supervisor both talk to the caller it is the agent's; when
the agent leaves, the supervisor's begins, and the call goes on as it was. Called by ``whisper``.
"""

from typing import TYPE_CHECKING

from acd import calling, returning, taping
from acd.calls import Call, CallState
from acd.ids import DeviceId, LegId
from acd.talks import Talk
from acd.turn import Turn

if TYPE_CHECKING:
    from acd.floor import Floor


def talk_on(turn: Turn, call: Call, device: DeviceId, leg: LegId) -> None:
    """The agent's part is over, and whoever is at ``device`` has the caller."""
    last = call.talks[-1]
    if call.state is not CallState.TALKING:
        call.move(CallState.TALKING, turn.now)
    call.ended_by = None
    call.third = leg
    taping.goes_on(call)
    call.talks = (*call.talks, Talk(last.queue, turn.now, device=device, leg=leg, offer=last.offer))


def found(call: Call, device: DeviceId, leg: LegId) -> None:
    """A snapshot shows who has the caller whom no agent has."""
    talk = call.talks[-1]
    talk.device, talk.leg = device, leg
    call.third = leg


def left(floor: "Floor", turn: Turn, leg: LegId, call: Call, *, fault: bool) -> None:
    """The leg of whoever had the caller is gone, before or after the caller was told to be free. Lost, he goes back to the line."""
    if call.third != leg or call.talks[-1].leg != leg:
        return
    if call.state is CallState.TALKING:
        calling.end_talk(floor, turn, call, "fault" if fault else "supervisor")
    elif call.state is CallState.AFTER and call.ended_by == "supervisor":
        call.ended_by = "fault" if fault else "supervisor"
        calling.see_off(floor, turn, call)


def give_up(floor: "Floor", turn: Turn, call: Call) -> None:
    """Whoever has the caller must leave at once: to the head of the line."""
    calling.end_talk(floor, turn, call, "supervisor")
    call.ended_by = None
    returning.return_to_line(floor, turn, call, "back-to-front")
