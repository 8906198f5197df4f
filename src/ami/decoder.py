"""Bytes from Asterisk become frozen events, or are put into quarantine.

Text that a caller controls (number, name, SIP From) stands in AMI's events, so an event is trusted only when it has exactly
the headers that it must have: a mandatory header that is missing or doubled, or a control character anywhere, makes it a
``Quarantined``, and whoever reads it asks Asterisk about that channel instead of believing the event.

``Decoder`` cuts the stream into whole messages and hands out, in order, what each one is. A message is decoded as a whole or
not at all, so that a name in UTF-8 survives any cut of TCP. Names nobody asked for are counted by their first line and left
unparsed: most of the events of a busy PBX go that way.

``ami.link`` feeds the decoder and gives the events to ``ami.pbx``.
"""

from collections.abc import Callable

from ami import names
from ami.events import (
    AnnouncementBegan,
    AttemptTold,
    BridgeEntered,
    BridgeLeft,
    CallerCameIn,
    CallsJoined,
    ConsultStep,
    DeviceStateSeen,
    DialBegan,
    DialEnded,
    Event,
    FullyBooted,
    HangupAsked,
    HoldBegan,
    HoldEnded,
    HungUp,
    LeadOver,
    LeftAlone,
    ListItem,
    Message,
    OfferOver,
    Originated,
    PassedOn,
    PhoneAsks,
    PhonePickedUp,
    Quarantined,
    Reason,
    RecordingKey,
    Response,
    ShuttingDown,
    SupervisorAt,
    SurveyOver,
    TalkOver,
)

END = b"\r\n\r\n"
LINE = b"\r\n"
GREETING = b"Asterisk Call Manager/"
MAX_MESSAGE = 65_536  # an event has 1 kB, a list item with variables 3 kB
OTHER = "other"  # the name under which events are counted that have no schema

_EVENT = b"Event: "
_ACTION_ID = b"\r\nActionID: "
# Everything below a space and DEL. CR and LF are counted against the ends of lines.
CONTROLS = bytes(range(32)) + b"\x7f"


class _Schema:
    """Which headers an event must have, in the order of its dataclass, and which it may have after them."""

    __slots__ = ("_keys", "_make", "_may", "name", "number")

    def __init__(
        self, name: str, make: Callable[..., Event], must: str, may: tuple[str, ...] = (), number: int | None = None
    ) -> None:
        self.name = name
        self.number = number
        self._make = make
        self._keys = tuple(f"\r\n{header}: ".encode() for header in must.split())
        self._may = tuple(f"\r\n{header}: ".encode() for header in may)

    def read(self, raw: bytes) -> Event | Quarantined:
        values: list[str | int] = []
        for key in self._keys:
            parts = raw.split(key, 2)
            if len(parts) != 2:
                return _quarantined(Reason.MISSING_HEADER if len(parts) < 2 else Reason.DOUBLED_HEADER, self.name, raw)
            value = parts[1]
            cut = value.find(LINE)
            if cut >= 0:
                value = value[:cut]
            if not value:
                return _quarantined(Reason.MISSING_HEADER, self.name, raw)
            values.append(value.decode("utf-8", "replace"))
        # Control characters are looked for in the whole message: one translate is cheaper than a look at each value.
        if len(raw) - len(raw.translate(None, CONTROLS)) != 2 * raw.count(LINE):
            return _quarantined(Reason.CONTROL_CHARACTER, self.name, raw)
        for key in self._may:
            parts = raw.split(key, 2)
            if len(parts) > 2:
                return _quarantined(Reason.DOUBLED_HEADER, self.name, raw)
            values.append(parts[1].partition(LINE)[0].decode("utf-8", "replace") if len(parts) == 2 else "")
        if self.number is not None:
            try:
                values[self.number] = int(values[self.number])
            except ValueError:
                return _quarantined(Reason.MALFORMED_VALUE, self.name, raw)
        return self._make(*values)


def _quarantined(reason: Reason, name: str, raw: bytes) -> Quarantined:
    channel, leg = only_value(raw, b"Channel"), only_value(raw, b"Uniqueid")
    clean = (channel or "").isprintable() and (leg or "").isprintable()
    return Quarantined(reason, name, channel, leg) if clean else Quarantined(reason, name)


def only_value(raw: bytes, header: bytes) -> str | None:
    """The value of a header that occurs exactly once and is not empty; else None. Never the first line's."""
    parts = raw.split(b"\r\n%b: " % header, 2)
    if len(parts) != 2:
        return None
    return parts[1].partition(LINE)[0].decode("utf-8", "replace") or None


_SCHEMAS = {
    schema.name.encode(): schema
    for schema in (
        _Schema("DialBegin", DialBegan, "DestChannel DestUniqueid", may=("Uniqueid",)),
        _Schema("DialEnd", DialEnded, "DestChannel DestUniqueid DialStatus", may=("Uniqueid",)),
        _Schema("BridgeEnter", BridgeEntered, "BridgeUniqueid Channel Uniqueid"),
        _Schema("BridgeLeave", BridgeLeft, "BridgeUniqueid Channel Uniqueid"),
        _Schema("Hangup", HungUp, "Channel Uniqueid Cause", number=2),
        _Schema("HangupRequest", HangupAsked, "Channel Uniqueid", may=("Cause",)),
        _Schema("Hold", HoldBegan, "Channel Uniqueid", may=("Timestamp",)),
        _Schema("Unhold", HoldEnded, "Channel Uniqueid", may=("Timestamp",)),
        _Schema("DeviceStateChange", DeviceStateSeen, "Device State", may=("Timestamp",)),
        _Schema(
            "AttendedTransfer",
            CallsJoined,
            "OrigTransfererChannel OrigTransfererUniqueid SecondTransfererUniqueid Result",
            may=(
                "TransferTargetChannel",
                "TransferTargetUniqueid",
                "TransfereeChannel",
                "TransfereeUniqueid",
                "SecondTransfererExten",
            ),
        ),
        _Schema("OriginateResponse", Originated, "Uniqueid Response Reason"),
        _Schema("FullyBooted", FullyBooted, "Status"),
        _Schema("Shutdown", ShuttingDown, "Shutdown"),
    )
}
_USER_SCHEMAS = {
    schema.name: schema
    for schema in (
        _Schema(names.EVENT_ENTER, CallerCameIn, "Channel Uniqueid Exten Call", ("CallerIDNum",)),
        _Schema(names.EVENT_ANSWER, PhonePickedUp, "Channel Uniqueid Call Offer"),
        _Schema(names.EVENT_OFFER_ENDED, OfferOver, "Channel Uniqueid Call Offer Status"),
        _Schema(names.EVENT_AFTER, TalkOver, "Channel Uniqueid Call Offer"),
        _Schema(names.EVENT_ASK, PhoneAsks, "Channel Uniqueid Ask Kind"),
        _Schema(names.EVENT_FALLBACK, LeftAlone, "Channel Uniqueid Call Offer"),
        _Schema(names.EVENT_LEAD_ENDED, LeadOver, "Channel Uniqueid Call By Recorded"),
        _Schema(names.EVENT_TRANSFER, PassedOn, "Channel Uniqueid Call To"),
        _Schema(names.EVENT_ATTEMPT, AttemptTold, "Channel Uniqueid Attempt Status"),
        _Schema(names.EVENT_CONSULT, ConsultStep, "Channel Uniqueid Call Offer Step", may=("To",)),
        _Schema(names.EVENT_RECORD, RecordingKey, "Channel Uniqueid Call Ask"),
        _Schema(names.EVENT_SURVEY, SurveyOver, "Channel Uniqueid Call Score", number=3),
        _Schema(names.EVENT_SPY, SupervisorAt, "Channel Uniqueid Spy Now At How"),
        _Schema(names.EVENT_SAID, AnnouncementBegan, "Channel Uniqueid Call Say"),
    )
}


def read_device(raw: bytes) -> DeviceStateSeen | Quarantined:
    """A DeviceStateChange that came as an item of a list."""
    event = _SCHEMAS[b"DeviceStateChange"].read(raw)
    return event if isinstance(event, DeviceStateSeen | Quarantined) else Quarantined(Reason.FRAGMENT, OTHER)


_USER_EVENT = b"UserEvent"
_USER_EVENT_KEY = b"\r\nUserEvent: "

EVENT_NAMES = frozenset(schema.name for schema in (*_SCHEMAS.values(), *_USER_SCHEMAS.values())) | {OTHER}


class Decoder:
    """One connection's stream. ``feed`` takes bytes as they come and returns the whole messages in them, in order."""

    def __init__(self) -> None:
        self.protocol_version: str | None = None
        self.counts: dict[str, int] = {}
        self._rest = b""
        self._skipping = False

    def take_counts(self) -> dict[str, int]:
        """Events by name since the last call; names without a schema together as ``other``."""
        counts, self.counts = self.counts, {}
        return counts

    def feed(self, data: bytes) -> list[Message]:
        data = self._rest + data if self._rest else data
        if self.protocol_version is None:
            data = self._greeted(data)
        *whole, self._rest = data.split(END)
        messages: list[Message] = []
        if self._skipping and whole:
            self._skipping = False
            del whole[0]
        for raw in whole:
            message = self._read(raw)
            if message is not None:
                messages.append(message)
        if len(self._rest) > MAX_MESSAGE:
            if not self._skipping:
                messages.append(Quarantined(Reason.OVERSIZED, OTHER))
            self._skipping = True
            self._rest = self._rest[-3:]  # may hold the first bytes of the end
        return messages

    def _greeted(self, data: bytes) -> bytes:
        """Take Asterisk's first line, which has no empty line after it."""
        line, end, rest = data.partition(LINE)
        if not end:
            return data
        self.protocol_version = (
            line.removeprefix(GREETING).decode("ascii", "replace") if line.startswith(GREETING) else ""
        )
        return rest if self.protocol_version else data

    def _read(self, raw: bytes) -> Message | None:
        if not raw.startswith(_EVENT):
            raw = raw.lstrip(LINE)  # one line end too many belongs to nobody
            if not raw.startswith(_EVENT):
                return self._no_event(raw)
        cut = raw.find(LINE)
        name = raw[7:cut] if cut > 0 else raw[7:]
        schema = _SCHEMAS.get(name)
        if schema is None or name == b"DeviceStateChange":
            if _ACTION_ID in raw:
                return ListItem(raw) if len(raw) <= MAX_MESSAGE else Quarantined(Reason.OVERSIZED, OTHER)
            if name == _USER_EVENT:
                user_event = only_value(raw, _USER_EVENT)
                if user_event is None:
                    reason = Reason.DOUBLED_HEADER if _USER_EVENT_KEY in raw else Reason.MISSING_HEADER
                    return _quarantined(reason, "UserEvent", raw)
                schema = _USER_SCHEMAS.get(user_event)
        if schema is None:
            self.counts[OTHER] = self.counts.get(OTHER, 0) + 1
            return None
        self.counts[schema.name] = self.counts.get(schema.name, 0) + 1
        return schema.read(raw)

    def _no_event(self, raw: bytes) -> Message | None:
        if raw.startswith(b"Response: "):
            return Response(raw)
        return Quarantined(Reason.FRAGMENT, OTHER) if raw.strip() else None
