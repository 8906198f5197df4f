"""The code of a callback: what proves, on the phone, that a caller is the one who was promised it.

The number that a network shows proves nothing: anybody can have it shown. So whoever rings in with it has the place for his own
call and no more. To cancel the callback, or have another number called, he keys in the four digits that were told with the promise.

Codes are worked out from the callback's id and the site's secret, so nothing is kept that could be read; a callback that goes on
under another id (``acd.callback_commands.again_of``) has the code of the first. Whoever guesses is stopped by ``WrongCodes``.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from hashlib import blake2b

from acd.callback_commands import first_of
from acd.ids import CallbackId

DIGITS = 4
DAY_S = 86_400.0
MOST_KNOWN = 10_000
"""Numbers whose wrong codes are remembered."""


def code_of(secret: bytes, callback: CallbackId) -> str:
    """Four digits."""
    made = blake2b(f"code {first_of(callback)}".encode(), key=secret, digest_size=8).digest()
    return f"{int.from_bytes(made) % 10**DIGITS:0{DIGITS}}"


def is_right(secret: bytes, callback: CallbackId, keyed: str) -> bool:
    """Whether it is the code of that callback."""
    return code_of(secret, callback) == keyed


@dataclass(slots=True)
class WrongCodes:
    """After ``most`` wrong codes of one number within a day, no code of it is looked at for the rest of the day."""

    most: int = 3
    _at: "OrderedDict[str, list[float]]" = field(default_factory=OrderedDict)

    def locked(self, number: str, now: float) -> bool:
        return len(self._recent(number, now)) >= self.most

    def note(self, number: str, now: float) -> None:
        """Another wrong one."""
        self._at[number] = [*self._recent(number, now), now]
        self._at.move_to_end(number)
        while len(self._at) > MOST_KNOWN:
            self._at.popitem(last=False)

    def _recent(self, number: str, now: float) -> list[float]:
        return [at for at in self._at.get(number, ()) if at > now - DAY_S]
