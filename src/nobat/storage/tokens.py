"""API tokens at rest: a hash, a role, to whom or what the token is bound, and its end. The token itself is never stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select, update

from nobat.storage import schema
from nobat.storage.database import Database, seconds, when


@dataclass(frozen=True, slots=True)
class StoredToken:
    """``queues`` empty means all. Times are seconds since the epoch; without ``ends_at`` it is valid until it is revoked."""

    id: str
    hash: str
    role: str
    name: str
    agent: str | None
    queues: tuple[str, ...]
    created_at: float
    revoked_at: float | None = None
    ends_at: float | None = None


async def add(database: Database, token: StoredToken) -> None:
    """Keep a new token."""
    values = {
        "id": token.id,
        "hash": token.hash,
        "role": token.role,
        "name": token.name,
        "agent_id": token.agent,
        "queues": list(token.queues),
        "created_at": when(token.created_at),
        "revoked_at": None,
        "ends_at": when(token.ends_at) if token.ends_at is not None else None,
    }
    async with database.write() as connection:
        await connection.execute(insert(schema.tokens).values(values))


async def find(database: Database, token_hash: str) -> StoredToken | None:
    """The token with that hash, unless it was revoked. Whether its time is over is for the caller to say."""
    wanted = select(schema.tokens).where(schema.tokens.c.hash == token_hash, schema.tokens.c.revoked_at.is_(None))
    async with database.read() as connection:
        row = (await connection.execute(wanted)).mappings().first()
    return _token(row) if row is not None else None


async def everything(database: Database) -> Sequence[StoredToken]:
    """All tokens ever made, oldest first."""
    async with database.read() as connection:
        rows = (await connection.execute(select(schema.tokens).order_by(schema.tokens.c.created_at))).mappings()
        return [_token(row) for row in rows]


async def revoke(database: Database, token_id: str, now: float) -> bool:
    """End a token's life; False when there is no valid token of that id."""
    ending = (
        update(schema.tokens)
        .where(schema.tokens.c.id == token_id, schema.tokens.c.revoked_at.is_(None))
        .values(revoked_at=when(now))
    )
    async with database.write() as connection:
        return (await connection.execute(ending)).rowcount == 1


def _token(row: Any) -> StoredToken:
    return StoredToken(
        id=row["id"],
        hash=row["hash"],
        role=row["role"],
        name=row["name"],
        agent=row["agent_id"],
        queues=tuple(row["queues"]),
        created_at=seconds(row["created_at"]),
        revoked_at=seconds(row["revoked_at"]) if row["revoked_at"] is not None else None,
        ends_at=seconds(row["ends_at"]) if row["ends_at"] is not None else None,
    )
