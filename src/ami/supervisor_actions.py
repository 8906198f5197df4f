"""What we ask of Asterisk for supervisors: ring a phone, name the channel whose conversation it may hear. See ``ami.actions``."""

from dataclasses import dataclass
from typing import ClassVar

from ami import names, patterns
from ami.actions import ActionRefused, exact_channel
from ami.checks import Headers, checked

_VARIABLES = f"ARRAY({names.SPY_ON},{names.SPY_AT})"
_FROM = "nobat"  # what stands where a number would


@dataclass(frozen=True, slots=True)
class RingPhone:
    """Ring the phone of a supervisor. ``leg`` becomes its Uniqueid: while that lives, the same again does nothing."""

    action: ClassVar[str] = "Originate"
    leg: str
    dial_string: str
    ring_s: int
    shows: str

    def headers(self) -> Headers:
        if not patterns.DIAL_STRING.fullmatch(self.dial_string) or not patterns.NAME.fullmatch(self.leg):
            raise ActionRefused("malformed_value", "Channel")
        if not patterns.TITLE.fullmatch(self.shows) or not 1 <= self.ring_s <= 300:
            raise ActionRefused("malformed_value", "CallerID")
        return (
            ("ChannelId", self.leg),
            ("Channel", self.dial_string),
            ("Context", names.SUPERVISE),
            ("Exten", "up"),
            ("Priority", "1"),
            ("Timeout", str(self.ring_s * 1000)),
            ("CallerID", f'"{self.shows}" <{_FROM}>'),
            ("Variable", f"{names.SPY}={self.leg}"),
            ("Async", "true"),
        )


@dataclass(frozen=True, slots=True)
class SetTarget:
    """The one channel that a supervisor's may hear next, and its leg."""

    action: ClassVar[str] = "Setvar"
    channel: str
    target: str
    leg: str

    def headers(self) -> Headers:
        if not patterns.NAME.fullmatch(self.leg):
            raise ActionRefused("malformed_value", "Value")
        value = f"{exact_channel(self.target)},{self.leg}"
        return (("Channel", exact_channel(self.channel)), ("Variable", _VARIABLES), ("Value", value))


@dataclass(frozen=True, slots=True)
class ShowName:
    """What a phone in a conversation shows as the name of the other side: Asterisk tells it by an UPDATE, without new sound.

    A phone that is told no number takes no name either, so who withholds his has a word in its place.
    """

    action: ClassVar[str] = "Setvar"
    channel: str
    name: str
    numbered: bool

    def headers(self) -> Headers:
        name = checked(patterns.SHOWN, self.name, "Value")
        channel = ("Channel", exact_channel(self.channel))
        if self.numbered:
            return (channel, ("Variable", "CONNECTEDLINE(name)"), ("Value", name))
        return (channel, ("Variable", "CONNECTEDLINE(all)"), ("Value", f'"{name}" <{_FROM}>'))


@dataclass(frozen=True, slots=True)
class PlayTone:
    """Let both parties of the target's conversation hear a short tone."""

    action: ClassVar[str] = "Originate"
    target: str

    def headers(self) -> Headers:
        return (
            ("Channel", f"Local/s@{names.TONE}/n"),
            ("Context", names.TONE),
            ("Exten", "into"),
            ("Priority", "1"),
            ("Timeout", "2000"),
            ("Variable", f"{names.SPY_ON}={exact_channel(self.target)}"),
            ("Async", "true"),
        )
