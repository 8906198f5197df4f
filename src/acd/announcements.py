"""What a queue's callers hear while they wait, as it was configured. ``acd.announcing`` says it, ``acd.rejoining`` keeps places."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Announcements:
    """Times are seconds. ``language`` is that of callers of whom nothing else is known; empty: their channel's own.

    ``music`` is a class of music on hold; empty: the PBX's default. ``welcome`` and ``messages`` are names of prompts: the first is
    said to whoever has to wait, the others one at a time, in turn, every ``message_every_s``. ``position`` and
    ``expected_wait`` are told first after ``first_after_s``, then every ``every_s``.

    Whoever was cut off while waiting and rings again within ``rejoin_s`` has the place again that he had; 0: not.
    """

    language: str = ""
    music: str = ""
    welcome: str = ""
    position: bool = False
    expected_wait: bool = False
    first_after_s: float = 20.0
    every_s: float = 60.0
    messages: tuple[str, ...] = ()
    message_every_s: float = 60.0
    rejoin_s: float = 0.0


SILENT = Announcements()
"""Music and nothing else."""


def is_language(text: str) -> bool:
    """Whether this is a language as Asterisk names one: ``fa``, ``en_GB``."""
    name, joint, dialect = text.partition("_")
    known = 2 <= len(name) <= 3 and name.isalpha() and name.islower()
    return text.isascii() and known and (not joint or (2 <= len(dialect) <= 8 and dialect.isalnum()))
