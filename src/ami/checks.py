"""What every value is put through on its way to Asterisk: whole values match a pattern, or nothing is sent."""

import re

from ami import patterns


class ActionRefused(Exception):
    """An action that must not be sent. ``slug`` names the rule; the offending text is not repeated."""

    def __init__(self, slug: str, header: str) -> None:
        super().__init__(f"{slug}: {header}")
        self.slug = slug
        self.header = header


def checked(pattern: re.Pattern[str], value: str, header: str) -> str:
    """``value`` if all of it matches. Raises ``ActionRefused``."""
    if not pattern.fullmatch(value):
        raise ActionRefused("control_character" if patterns.FORBIDDEN.search(value) else "malformed_value", header)
    return value
