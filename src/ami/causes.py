"""Why a phone did not take a call, and what an agent's death looks like: Asterisk's words turned into the domain's.

Measured on Asterisk 22.10.1. ``DialStatus`` alone lies: a phone that rejects (603) gives NOANSWER, and the whole Dial then says
CHANUNAVAIL. The HangupRequest on the phone's own leg tells the truth, and comes before DialEnd whenever the phone refused.
"""

from acd.telephony import DeviceState, MissCause

NORMAL = 16

FAULTS = frozenset({27, 38, 41, 44, 102})
"""Q.850 causes of a leg that died: no media, no network, no answer to a session timer."""

_REFUSALS = {
    1: MissCause.UNREACHABLE,
    3: MissCause.UNREACHABLE,
    17: MissCause.BUSY,
    18: MissCause.NO_ANSWER,  # 408
    19: MissCause.NO_ANSWER,  # 480
    20: MissCause.UNREACHABLE,
    21: MissCause.REJECTED,  # 403, 603
    23: MissCause.REJECTED,  # 302, which is never followed
    27: MissCause.UNREACHABLE,
    38: MissCause.UNREACHABLE,
    41: MissCause.UNREACHABLE,
    44: MissCause.UNREACHABLE,
    102: MissCause.UNREACHABLE,
}
_STATUSES = {
    "CANCEL": MissCause.CANCELLED,  # the caller left, or another phone answered
    "BUSY": MissCause.BUSY,
    "NOANSWER": MissCause.NO_ANSWER,  # the ring time ran out
}
_HANGUPS = {0: MissCause.NO_ANSWER, NORMAL: MissCause.NO_ANSWER, 26: MissCause.CANCELLED}

RECORDED = frozenset({"DTMF", "SILENCE", "TIMEOUT", "HANGUP"})
"""Values of Record's ``RECORD_STATUS`` after which there is a file."""

_DEVICE_STATES = {
    "NOT_INUSE": DeviceState.NOT_IN_USE,
    "INUSE": DeviceState.IN_USE,
    "BUSY": DeviceState.BUSY,
    "RINGING": DeviceState.RINGING,
    "RINGINUSE": DeviceState.IN_USE,
    "ONHOLD": DeviceState.ON_HOLD,
    "UNAVAILABLE": DeviceState.UNAVAILABLE,
}


def of_refusal(cause: int) -> MissCause:
    """A phone that hung up on its own before it answered."""
    return _REFUSALS.get(cause, MissCause.FAILED)


def of_dial(status: str) -> MissCause:
    """A phone that did nothing: the ``DialStatus`` of its DialEnd."""
    return _STATUSES.get(status, MissCause.FAILED)


def of_hangup(cause: int) -> MissCause:
    """A phone whose DialEnd was never seen: the ``Cause`` of its Hangup."""
    return _HANGUPS.get(cause) or of_refusal(cause)


def device_state(word: str) -> DeviceState:
    """Asterisk's word for a device's state; INVALID and UNKNOWN are both unknown to us."""
    return _DEVICE_STATES.get(word, DeviceState.UNKNOWN)
