"""What Asterisk says of one channel when it is asked (``Status``), read as strictly as an event.

A snapshot is many of these, a query about one channel is one. ``ami.tracker`` and ``ami.resync`` read them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ami import names
from ami.decoder import CONTROLS, LINE, only_value
from ami.events import Quarantined, Reason
from ami.outputs import Purpose

CALL_VARIABLES = (
    names.CALL,
    names.QUEUE,
    names.ENTERED,
    names.PRIORITY,
    names.STATE,
    names.DONE,
    names.CONNECTED,
    names.OFFER_ID,
    names.TARGETS,
    names.SHOW,
    names.NAME,
    names.FOR_CALL,
    names.FOR_OFFER,
    names.VISIT,
    names.TRAIL,
    names.LANGUAGE,
    names.PLACE,
    names.TOLD,
    names.ATTEMPT,
    names.CONSENT,
    names.HELD_AT,
    names.ASIDE,
    names.ASKED,
    names.OWN_OFFER,
    names.RECORD,
)
SNAPSHOT_VARIABLES = (*CALL_VARIABLES, names.ASK, names.SPY, names.SPY_AT, names.SPY_NOW)
ASK_VARIABLES = (names.ASK, names.ASK_KIND, names.ASK_AGENT, names.ASK_PIN, names.ASK_REASON)
LOOK_VARIABLES = {
    Purpose.WHAT_IS_ASKED: ASK_VARIABLES,
    Purpose.WHAT_A_CALLER_ASKS: (names.ASK, names.ASK_KIND, names.ASK_KEYED, names.ASK_CODE),
}
"""What is asked of a channel, where it is not who calls."""

_UNKNOWN = "<unknown>"
_UNSET = "(null)"
_UP = "6"
_VARIABLE = b"\r\nVariable: "


class LookFailure(StrEnum):
    """Why a question about a channel has no reading for an answer."""

    NO_SUCH_CHANNEL = "no_such_channel"
    NO_ANSWER = "no_answer"  # the link is gone, the deadline has passed, or what came could not be read


@dataclass(frozen=True, slots=True)
class ChannelReading:
    """One channel. ``number`` and ``name`` are the caller's; None where Asterisk knows none. Unset variables are left out."""

    channel: str
    leg: str
    up: bool
    bridge: str | None
    number: str | None
    name: str | None
    variables: Mapping[str, str] = field(default_factory=dict)
    language: str | None = None
    context: str | None = None  # where in the dialplan it is

    def __repr__(self) -> str:
        # Numbers, names and PINs stay out of logs and tracebacks.
        return f"ChannelReading(channel={self.channel!r}, leg={self.leg!r})"


def read_channel(raw: bytes) -> ChannelReading | Quarantined:
    """Parse one ``Status`` item. What is missing, doubled or has control characters is quarantined as a whole."""
    if len(raw) - len(raw.translate(None, CONTROLS)) != 2 * raw.count(LINE):
        return _damaged(Reason.CONTROL_CHARACTER, raw)
    channel, leg, state = (only_value(raw, key) for key in (b"Channel", b"Uniqueid", b"ChannelState"))
    if channel is None or leg is None or state is None:
        return _damaged(Reason.MISSING_HEADER, raw)
    if any(raw.count(b"\r\n%b: " % key) > 1 for key in (b"CallerIDNum", b"CallerIDName", b"BridgeID")):
        return _damaged(Reason.DOUBLED_HEADER, raw)
    variables: dict[str, str] = {}
    for part in raw.split(_VARIABLE)[1:]:
        name, _, value = part.partition(LINE)[0].decode("utf-8", "replace").partition("=")
        if name in variables:
            return _damaged(Reason.DOUBLED_HEADER, raw)
        variables[name] = value
    return ChannelReading(
        channel,
        leg,
        state == _UP,
        only_value(raw, b"BridgeID"),
        _known(only_value(raw, b"CallerIDNum")),
        _known(only_value(raw, b"CallerIDName")),
        {name: value for name, value in variables.items() if value and value != _UNSET},
        only_value(raw, b"Language"),
        only_value(raw, b"Context"),
    )


def _known(value: str | None) -> str | None:
    return None if value in (None, _UNKNOWN) else value


def _damaged(reason: Reason, raw: bytes) -> Quarantined:
    return Quarantined(reason, "Status", only_value(raw, b"Channel"), only_value(raw, b"Uniqueid"))
