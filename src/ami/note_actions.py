"""What we ask of Asterisk about its notes of callers. ``ami.actions`` joins these to its own, and encodes them."""

from dataclasses import dataclass
from typing import ClassVar

from ami import names, patterns
from ami.checks import checked

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ReadNotes:
    """Each note as an item with ``Key`` and ``Val``."""

    action: ClassVar[str] = "DBGetTree"

    def headers(self) -> Headers:
        return (("Family", names.NOTES),)


@dataclass(frozen=True, slots=True)
class ForgetNotes:
    """Originate what deletes them: our account has no right to, and the dialplan has. Nobody answers, and nothing is called."""

    action: ClassVar[str] = "Originate"
    calls: tuple[str, ...]
    epoch: str

    def headers(self) -> Headers:
        forget = "&".join(checked(patterns.NAME, call, "Variable") for call in self.calls)
        return (
            ("Channel", f"Local/forget@{names.NOTE}/n"),
            ("Context", names.AFTER),
            ("Exten", "s"),
            ("Priority", "1"),
            ("Timeout", "5000"),
            ("Async", "true"),
            ("Variable", f"{names.FOR_EPOCH}={checked(patterns.NAME, self.epoch, 'Variable')}"),
            ("Variable", f"{names.FORGET}={forget}"),
        )
