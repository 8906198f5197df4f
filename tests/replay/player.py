"""Plays a recording into the tracker and writes down the facts that come out, one line each.

The recorder played the service's part, so its requests are not on the tape; their answers are. A line of the expectation that
starts with ``>`` is such a request, and it is made when its answer is heard::

    > offer of1 PJSIP/agent-101
    > withdraw of1
    > hang up
    > reply

Ids are shortened in order of appearance (``call1``, ``leg2``), so that a recording can be made anew.
"""

from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path

from acd.ids import DeviceId, OfferId, PbxId
from acd.telephony import HangUp, Offer, Withdraw
from ami.decoder import Decoder, only_value
from ami.events import ListItem, Response
from ami.outputs import Look, Output, Purpose
from ami.readings import ChannelReading, LookFailure, read_channel
from ami.tracker import Tracker
from ami.translate import Refused, translate

RECORDINGS = Path(__file__).parent / "recordings"
PBX = PbxId("pbx1")
MOVES = (b"Redirect successful", b"Channel Hungup")


LATER = frozenset({"visit", "chosen", "place_since", "told", "attempt"})
"""Fields that facts have had only since after most recordings: told where they say something."""


class Player:
    """One recording on its way through decoder and tracker."""

    def __init__(self, requests: Iterable[str] = (), pbx: PbxId = PBX) -> None:
        self.tracker = Tracker(pbx)
        self.lines: list[str] = []
        self._requests: Iterator[str] = iter(requests)
        self._short: dict[str, str] = {}
        self._unanswered: list[Look] = []
        self._blocks: list[bytes] = []

    def play(self, raw: bytes) -> list[str]:
        """Every message of the tape; then the lines."""
        self._blocks = raw.split(b"\r\n\r\n")
        for block in self._blocks:
            self.message(block)
        for look in self._unanswered:
            self._say(self.tracker.answer(look, LookFailure.NO_SUCH_CHANNEL), b"")
        return self.lines

    def message(self, block: bytes) -> None:
        decoder = Decoder()
        decoder.protocol_version = "11.0.0"
        for message in decoder.feed(block + b"\r\n\r\n"):
            if isinstance(message, Response):
                if any(b"Message: " + move in message.raw for move in MOVES):
                    self._request(next(self._requests))
            elif not isinstance(message, ListItem):
                self._say(self.tracker.feed(message), block)

    def _say(self, outputs: Iterable[Output], block: bytes) -> None:
        for output in outputs:
            if isinstance(output, Look) and output.purpose is Purpose.STILL_THERE:
                self._unanswered.append(output)  # the leg's Hangup is on the tape, within the same millisecond
            elif isinstance(output, Look):
                self._say(self.tracker.answer(output, self.found(output, block)), block)
            else:
                self.lines.append(self._line(output))

    def found(self, look: Look, block: bytes) -> ChannelReading | LookFailure:
        """What Asterisk said on the tape, or would have said: the event's own words on the channel, and its variables."""
        mark = f"Uniqueid: {look.leg}\r\n".encode()
        taped = [other for other in self._blocks if other.startswith(b"Event: Status\r\n") and mark in other]
        variables = [f"ACD_ASK={look.leg}", f"ACD_KIND={only_value(block, b'Kind')}"]
        if look.purpose is Purpose.WHO_CALLS:
            variables = [f"ACD_CALL={look.call}", "ACD_QUEUE=sales", "ACD_PRIO=0"]
        made = block.replace(b"Event: UserEvent", b"Event: Status") + b"".join(
            f"\r\nVariable: {variable}".encode() for variable in variables
        )
        reading = read_channel(taped[0] if taped else made)
        return reading if isinstance(reading, ChannelReading) else LookFailure.NO_ANSWER

    def _request(self, line: str) -> None:
        what, *rest = line.removeprefix("> ").split()
        self.lines.append(line)
        (call,) = self.tracker.book.calls.values() or (None,)
        if what == "reply" or call is None:
            return
        request: Offer | Withdraw | HangUp = HangUp(call.leg)
        if what == "offer":
            targets = tuple(DeviceId(f"{self.tracker.pbx}/{target}") for target in rest[1:])
            request = Offer(call.id, call.leg, OfferId(rest[0]), targets, 5)
        elif what == "withdraw":
            request = Withdraw(call.id, OfferId(rest[0]), tuple(call.legs))
        made = translate(self.tracker, request)
        assert not isinstance(made, Refused), made

    def _line(self, output: object) -> str:
        values = []
        for field in fields(output):  # type: ignore[arg-type]
            value = getattr(output, field.name)
            if field.name in ("entered_at", "serial", "language") or (value in (None, False) and field.name in LATER):
                continue
            values.append(f"{field.name}={self._shortened(field.name, value)}")
        return " ".join([type(output).__name__, *values])

    def _shortened(self, name: str, value: object) -> str:
        text = str(value)
        if name in ("call", "leg", "id"):
            kind = "leg" if name == "id" else name
            count = sum(short.startswith(kind) for short in self._short.values())
            return self._short.setdefault(f"{kind} {text}", f"{kind}{count + 1}")
        return text.removeprefix(f"{self.tracker.pbx}/") if name == "device" else text


def expectation(name: str) -> list[str]:
    """The facts written down beside a recording."""
    return (RECORDINGS / f"{name}.facts").read_text(encoding="utf-8").splitlines()


def requests_in(lines: Iterable[str]) -> list[str]:
    return [line for line in lines if line.startswith("> ")]
