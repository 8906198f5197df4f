"""PINs: four digits are quickly guessed, so they are stored slow-hashed and guesses are counted.

``Lockout`` is pure, with time as an argument. ``hash_pin`` and ``matches`` take tens of milliseconds on purpose: callers run
them in a thread.
"""

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from acd.ids import AgentId

if TYPE_CHECKING:
    from argon2 import PasswordHasher


@cache
def _hasher() -> "PasswordHasher":
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


@cache
def _nobodys_hash() -> str:
    return hash_pin("no PIN has letters")


def hash_pin(pin: str) -> str:
    """What is stored of a PIN."""
    return _hasher().hash(pin)


def matches(pin_hash: str | None, pin: str) -> bool:
    """Whether ``pin`` is right. Without a hash (no such agent, or one without a PIN) it takes as long and is wrong."""
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        return _hasher().verify(pin_hash or _nobodys_hash(), pin) and pin_hash is not None
    except (VerificationError, InvalidHashError):
        return False


@dataclass(slots=True)
class Lockout:
    """Counts wrong PINs of each agent. ``limit`` in a row lock the agent's sign-in for ``lock_s`` seconds."""

    limit: int
    lock_s: float
    _wrong: dict[AgentId, int] = field(default_factory=dict)
    _until: dict[AgentId, float] = field(default_factory=dict)

    def locked(self, agent: AgentId, now: float) -> bool:
        """Whether no PIN at all is looked at now."""
        until = self._until.get(agent)
        if until is None:
            return False
        if now < until:
            return True
        del self._until[agent]
        return False

    def wrong(self, agent: AgentId, now: float) -> bool:
        """Count a wrong PIN; True when it was the one that locks."""
        count = self._wrong.get(agent, 0) + 1
        if count < self.limit:
            self._wrong[agent] = count
            return False
        self._wrong.pop(agent, None)
        self._until[agent] = now + self.lock_s
        return True

    def right(self, agent: AgentId) -> None:
        """Begin to count anew."""
        self._wrong.pop(agent, None)
