"""The closed sets of words in which the domain and a PBX speak of phones and callers. ``acd.telephony`` is the port."""

from acd.words import Word


class DeviceState(Word):
    """What a PBX knows of a phone. ``UNKNOWN`` is a device the PBX says nothing about; it is offered nothing."""

    NOT_IN_USE = "not_in_use"
    RINGING = "ringing"
    IN_USE = "in_use"
    BUSY = "busy"
    ON_HOLD = "on_hold"
    UNAVAILABLE = "unavailable"
    UNKNOWN = "unknown"


class MissCause(Word):
    """Why a phone that was offered a call did not take it. A closed set: it is a metric label."""

    NO_ANSWER = "no_answer"
    BUSY = "busy"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"
    CANCELLED = "cancelled"  # not the agent's doing: withdrawn, the caller left, or another phone answered
    FAILED = "failed"  # the PBX could not place the leg


class RequestFailure(Word):
    """Why a request did not do its work. ``UNKNOWN_OUTCOME`` means it may have."""

    REFUSED = "refused"
    NO_SUCH_LEG = "no_such_leg"
    LINK_DOWN = "link_down"
    UNKNOWN_OUTCOME = "unknown_outcome"
    NOT_RECORDED = "not_recorded"  # never sent: what had to be on disk before is not


class LegStage(Word):
    """Where a caller is in the dialplan, as a snapshot finds it."""

    WAITING = "waiting"
    OFFERED = "offered"
    TALKING = "talking"
    AFTER = "after"
    FALLBACK = "fallback"  # the PBX serves the caller by itself, for it has missed us
    LED = "led"  # away from the line: to a number, a voicemail, a message
