"""Actions of a consult: two legs moved at once, and what the legs must know of each other.

Encoded by ``ami.actions.encode`` like all others; ``ami.consulting`` makes them.
"""

from dataclasses import dataclass
from typing import ClassVar

from ami import names, patterns
from ami.checks import ActionRefused, Headers, checked, exact_channel, joined

_ASKER_VARIABLES = f"ARRAY({names.ASIDE},{names.ASKED},{names.TARGETS},{names.RING_S},{names.IN_LINE},{names.HELD})"
_PLACES = frozenset({names.HOLD, names.CONSULT})


@dataclass(frozen=True, slots=True)
class SetAsker:
    """What ``acd-consult`` needs on the leg of the agent who asks. No targets: he waits in line."""

    action: ClassVar[str] = "Setvar"
    channel: str
    consult: str
    asked: str
    targets: tuple[str, ...]
    ring_s: int
    in_line: bool
    held: str

    def headers(self) -> Headers:
        if not 1 <= self.ring_s <= 3600:
            raise ActionRefused("malformed_value", "Value")
        consult = checked(patterns.NAME, self.consult, "Value")
        asked = checked(patterns.ASKED, self.asked, "Value")
        targets = joined(self.targets) if self.targets else ""
        value = f"{consult},{asked},{targets},{self.ring_s},{int(self.in_line)},{exact_channel(self.held)}"
        return (("Channel", exact_channel(self.channel)), ("Variable", _ASKER_VARIABLES), ("Value", value))


@dataclass(frozen=True, slots=True)
class SetBy:
    """On the caller's channel: the leg of the agent who asks."""

    action: ClassVar[str] = "Setvar"
    channel: str
    by: str

    def headers(self) -> Headers:
        return (("Channel", exact_channel(self.channel)), ("Variable", names.BY), ("Value", exact_channel(self.by)))


@dataclass(frozen=True, slots=True)
class SetWith:
    """On the leg of the agent who asks: the one to whom he talks next."""

    action: ClassVar[str] = "Setvar"
    channel: str
    other: str

    def headers(self) -> Headers:
        other = exact_channel(self.other)
        return (("Channel", exact_channel(self.channel)), ("Variable", names.WITH), ("Value", other))


@dataclass(frozen=True, slots=True)
class RedirectBoth:
    """Move two channels in the same moment, each to an extension of ``acd-hold`` or ``acd-consult``."""

    action: ClassVar[str] = "Redirect"
    first: tuple[str, str, str]
    second: tuple[str, str, str]

    def headers(self) -> Headers:
        return (*_moved("", *self.first), *_moved("Extra", *self.second))


def _moved(prefix: str, channel: str, context: str, exten: str) -> Headers:
    if context not in _PLACES:
        raise ActionRefused("unknown_context", "Context")
    return (
        (f"{prefix}Channel", exact_channel(channel)),
        (f"{prefix}Context", context),
        (f"{prefix}Exten", checked(patterns.NAME, exten, "Exten")),
        (f"{prefix}Priority", "1"),
    )
