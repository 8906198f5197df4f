"""What every action is checked by before a byte is queued: no control characters, exact channel names, short lines.

Used by ``ami.actions`` and the modules of actions beside it.
"""

import re
from collections.abc import Sequence

from ami import patterns

MAX_LINE = 1_000  # bytes of "Header: value"; Asterisk's own limit is 1,024 with the line end
MAX_HEADERS = 100  # Asterisk takes 128

Headers = tuple[tuple[str, str], ...]


class ActionRefused(Exception):
    """An action that must not be sent. ``slug`` names the rule; the offending text is not repeated."""

    def __init__(self, slug: str, header: str) -> None:
        super().__init__(f"{slug}: {header}")
        self.slug = slug
        self.header = header


def check_line(header: str, value: str) -> None:
    """Raise ``ActionRefused`` unless this is one line of AMI and nothing more."""
    if not patterns.HEADER.fullmatch(header):
        raise ActionRefused("malformed_header", "")
    if patterns.FORBIDDEN.search(value):
        raise ActionRefused("control_character", header)
    if len(f"{header}: {value}".encode()) > MAX_LINE:
        raise ActionRefused("line_too_long", header)


def joined(dial_strings: Sequence[str]) -> str:
    """Dial strings as one value for Dial. Raises ``ActionRefused`` for none, or for one that is more than one."""
    if not dial_strings:
        raise ActionRefused("malformed_value", "Value")
    return "&".join(checked(patterns.DIAL_STRING, dial_string, "Value") for dial_string in dial_strings)


def exact_channel(channel: str) -> str:
    """``channel`` if it is the whole name of one channel; a pattern or a prefix raises ``ActionRefused``."""
    return checked(patterns.CHANNEL, channel, "Channel")


def checked(pattern: re.Pattern[str], value: str, header: str) -> str:
    """``value`` if the whole of it is as the pattern says; else raises ``ActionRefused``."""
    if not pattern.fullmatch(value):
        raise ActionRefused("control_character" if patterns.FORBIDDEN.search(value) else "malformed_value", header)
    return value
