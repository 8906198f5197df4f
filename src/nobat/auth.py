"""Who asks: bearer tokens, roles, and what a token may see.

A token is 32 random bytes; only its SHA-256 is stored, which is enough for a secret nobody can guess (PINs are another matter,
see ``nobat.pins``). Roles are ordered: agent < supervisor < admin. An agent's token acts for one agent; a supervisor's may be
bound to queues. ``Authenticator`` remembers a token for a moment, so a revoked one is refused within two seconds; one that was
made with an end is refused from that second on.
"""

import asyncio
import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from acd.ids import AgentId, QueueId
from nobat.storage import tokens
from nobat.storage.database import Database
from nobat.storage.errors import StorageUnavailable
from nobat.storage.tokens import StoredToken

PREFIX = "nobat_"
REMEMBERED_S = 1.5
REMEMBERED_TOKENS = 10_000
DAY_S = 86_400


class Role(StrEnum):
    """What a token may do at most."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        return tuple(Role).index(self)


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever holds a valid token. ``queues`` empty means all; ``ends_at`` None: until it is revoked."""

    token: str
    name: str
    role: Role
    agent: AgentId | None
    queues: frozenset[QueueId]
    ends_at: float | None = None

    def at_least(self, role: Role) -> bool:
        return self.role.rank >= role.rank


class TokenEnded(Exception):
    """A token whose time is over: whoever has it is told so."""


class TokenProblem(Exception):
    """A token that cannot be made as asked; the message is for the operator."""


def new_token(
    role: Role,
    name: str,
    now: float,
    agent: str | None = None,
    queues: tuple[str, ...] = (),
    days: float | None = None,
) -> tuple[str, StoredToken]:
    """A fresh token and what is kept of it. ``days``: how long it is valid."""
    if (role is Role.AGENT) != (agent is not None):
        raise TokenProblem("an agent's token, and only that, needs --agent")
    if not name.strip() or len(name) > 100 or not name.isprintable():
        raise TokenProblem("a token's name is 1 to 100 printable characters")
    if queues and role is not Role.SUPERVISOR:
        raise TokenProblem("only a supervisor's token can be bound to queues")
    token = PREFIX + secrets.token_urlsafe(32)
    kept = StoredToken(
        id=secrets.token_hex(6),
        hash=digest(token),
        role=role.value,
        name=name,
        agent=agent,
        queues=tuple(sorted(set(queues))),
        created_at=now,
        ends_at=now + days * DAY_S if days is not None else None,
    )
    return token, kept


def digest(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


class Authenticator:
    """Tokens to principals, asking the database at most once in ``REMEMBERED_S`` for each."""

    def __init__(self, database: Database, now: Callable[[], float]) -> None:
        self._database, self._now = database, now
        self._known: OrderedDict[str, tuple[float, Principal]] = OrderedDict()
        self._asked: dict[str, asyncio.Task[Principal | None]] = {}

    def remembers(self, token: str) -> bool:
        """Whether the token was valid when it was last seen."""
        return digest(token) in self._known

    async def principal(self, token: str) -> Principal | None:
        """Whose token this is, None if nobody's. While the database is away, tokens seen before go on being valid.

        Raises ``TokenEnded``.
        """
        key = digest(token)
        checked_at, principal = self._known.get(key, (0.0, None))
        if principal is not None and self._now() - checked_at < REMEMBERED_S:
            return self._in_time(key, principal)
        if key not in self._asked:  # a thousand streams of one token ask once
            self._asked[key] = asyncio.create_task(self._ask(key, principal))
            self._asked[key].add_done_callback(lambda _: self._asked.pop(key, None))
        return await asyncio.shield(self._asked[key])

    async def _ask(self, key: str, principal: Principal | None) -> Principal | None:
        try:
            found = await tokens.find(self._database, key)
        except StorageUnavailable:
            if principal is None:
                raise
            return self._in_time(key, principal)
        if found is None:
            self._known.pop(key, None)
            return None
        principal = self._in_time(key, _principal(found))
        self._known[key] = (self._now(), principal)
        self._known.move_to_end(key)
        while len(self._known) > REMEMBERED_TOKENS:
            self._known.popitem(last=False)
        return principal

    def _in_time(self, key: str, principal: Principal) -> Principal:
        """Forget a token whose time is over, and raise ``TokenEnded``."""
        if principal.ends_at is not None and self._now() >= principal.ends_at:
            self._known.pop(key, None)
            raise TokenEnded
        return principal


def _principal(token: StoredToken) -> Principal:
    agent = AgentId(token.agent) if token.agent is not None else None
    queues = frozenset(QueueId(queue) for queue in token.queues)
    return Principal(token.id, token.name, Role(token.role), agent, queues, token.ends_at)
