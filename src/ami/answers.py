"""What became of an action: the value that everyone who asks Asterisk for something gets, whatever happens."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """What became of an action. A closed set: it is a metric label."""

    SUCCESS = "success"
    REFUSED = "refused"  # Asterisk said Error
    TIMEOUT = "timeout"  # no answer in time: it may have been done
    LINK_LOST = "link_lost"  # the link went with it: it may have been done
    NOT_CONNECTED = "not_connected"  # never written


@dataclass(frozen=True, slots=True)
class Answer:
    """How an action ended. ``items`` are the events of a list, still as bytes."""

    outcome: Outcome
    message: str = field(default="", repr=False)
    headers: Mapping[str, Any] = field(default_factory=dict, repr=False)
    items: tuple[bytes, ...] = field(default=(), repr=False)

    @property
    def ok(self) -> bool:
        return self.outcome is Outcome.SUCCESS

    @property
    def unknown(self) -> bool:
        """Whether Asterisk may have done it without our knowing."""
        return self.outcome in (Outcome.TIMEOUT, Outcome.LINK_LOST)

    @property
    def no_such_channel(self) -> bool:
        """Whether the channel is gone. Asterisk says it in two ways, and a third for one that is on its way out."""
        text = self.message.lower()
        return self.outcome is Outcome.REFUSED and (
            text.startswith(("no such channel", "channel does not exist")) or "channel not up" in text
        )
