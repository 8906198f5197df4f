"""The part of the port that is about consults: the agent who has a caller asks somebody else, with the caller on hold.

Three legs have a part in it: the caller's, the agent's, and the leg of whoever is asked. The facts of one consult come in this
order, ``Held`` and ``Resumed`` telling of the caller's hold as they do of a phone's own::

    Consult -> [ConsultRinging] -> ConsultMissed                     not taken: waits in line, or the agent has the caller again
                                -> ConsultBegan -> ConsultMoved*     who talks to whom, and who waits
                                   -> ConsultOver                    whoever was asked is gone
                                   -> AgentLegGone of the agent      whoever was asked has the caller
    CallerAlone                                                      nobody has the caller any more
    CallerTaken                                                      an agent's phone has given the caller to another one by itself
"""

from acd.ids import CallId, DeviceId, LegId, OfferId
from acd.port_words import MissCause
from acd.record import record
from acd.words import Word


class ConsultStage(Word):
    """How far a consult has come."""

    WAITING = "waiting"  # the agent waits in a queue's line
    RINGING = "ringing"
    TALKING = "talking"  # to the agent; the caller is on hold
    SWAPPED = "swapped"  # the agent talks to the caller; whoever is asked is on hold
    MERGED = "merged"  # all three hear each other


class ConsultAction(Word):
    """What may be done in a consult."""

    SWAP = "swap"
    MERGE = "merge"
    COMPLETE = "complete"
    CANCEL = "cancel"


# ---------------------------------------------------------------- facts


@record
class ConsultRinging:
    """The phone of whoever is asked rings."""

    call: CallId
    offer: OfferId
    device: DeviceId
    leg: LegId


@record
class ConsultMissed:
    """It will not be taken."""

    call: CallId
    offer: OfferId
    device: DeviceId
    cause: MissCause


@record
class ConsultBegan:
    """It was picked up: the agent talks to whoever was asked."""

    call: CallId
    offer: OfferId
    device: DeviceId
    leg: LegId


@record
class ConsultMoved:
    """Who talks to whom has changed."""

    call: CallId
    offer: OfferId
    stage: ConsultStage


@record
class ConsultOver:
    """Whoever was asked is gone, and the agent is still there: the caller is his, at once or in a moment."""

    call: CallId
    offer: OfferId


@record
class ConsultDialled:
    """The agent who has the caller has dialled the code for a consult, and ``digits``: whom to ask, or what is to become of it."""

    call: CallId
    leg: LegId
    digits: str


@record
class CallerAlone:
    """Neither the agent nor whoever was asked has the caller, who waits again."""

    call: CallId


@record
class CallerTaken:
    """The agent's phone has joined the caller and another conversation of its own: ``device`` has the caller now.

    ``other`` is the call of ours that the phone had made for it, if it was one; where nobody has answered that one yet, ``device``
    is None, and the caller is to stand in its place. ``number``: what the phone had dialled for that conversation, if it
    is known.
    """

    call: CallId
    device: DeviceId | None
    leg: LegId | None
    other: CallId | None = None
    number: str = ""


@record
class ConsultFound:
    """A consult as a snapshot found it. ``asked`` is what ``Consult`` said of it."""

    offer: OfferId
    stage: ConsultStage
    asked: str
    device: DeviceId | None = None
    leg: LegId | None = None
    since: float | None = None  # when it was picked up
    held_since: float | None = None  # the caller, if he is on hold now


# ---------------------------------------------------------------- requests


@record
class Consult:
    """Put the caller on hold, and let the agent's leg ring ``device``; None lets the agent wait in line, with music.

    Only in a conversation, or for an agent who waits in line. ``asked`` is kept on the agent's leg, for a restart.
    """

    call: CallId
    leg: LegId
    agent_leg: LegId
    offer: OfferId
    asked: str
    device: DeviceId | None
    ring_s: int
    in_line: bool = False  # not taken means: wait in line again


@record
class MoveConsult:
    """Do what ``action`` says with the consult ``offer``."""

    call: CallId
    leg: LegId
    offer: OfferId
    action: ConsultAction


ConsultFact = (
    ConsultRinging
    | ConsultMissed
    | ConsultBegan
    | ConsultMoved
    | ConsultOver
    | ConsultDialled
    | CallerAlone
    | CallerTaken
)
ConsultRequest = Consult | MoveConsult
