"""The directory of known callers, by normalised number. Every change gives its rows a later version.

Used by ``nobat.directory`` (REST, and the running service that follows), and by ``nobat callers import``.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from sqlalchemy import Select, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from acd.directory import CallerProfile
from acd.ids import AgentId
from nobat.storage import schema
from nobat.storage.database import Database
from nobat.storage.rows import Row

AT_ONCE = 500
"""Callers handed out at once: what the floor takes in without holding up a call."""

Entry = tuple[str, CallerProfile | None]
"""A number and what is known of it; None: it was taken out."""

_c = schema.callers.c


async def put(database: Database, entries: Sequence[Entry]) -> int:
    """Enter or take out callers, all of them or none; the new version."""
    async with database.write() as connection:
        # The count comes first: it makes writers queue up, so that no version is seen before an earlier one.
        await connection.execute(update(schema.callers_version).values(version=schema.callers_version.c.version + 1))
        version = await _version(connection)
        if entries:
            statement = database.insert(schema.callers)
            changed = {one.name: statement.excluded[one.name] for one in schema.callers.columns if one.name != "number"}
            upsert = statement.on_conflict_do_update(index_elements=["number"], set_=changed)
            await connection.execute(upsert, [_row(number, profile, version) for number, profile in entries])
        return version


async def version(database: Database) -> int:
    """Counts up with every change."""
    async with database.read() as connection:
        return await _version(connection)


async def _version(connection: AsyncConnection) -> int:
    return int((await connection.execute(select(schema.callers_version.c.version))).scalar_one())


async def find(database: Database, number: str) -> CallerProfile | None:
    """What is known of a normalised number."""
    async with database.read() as connection:
        row = (await connection.execute(_known().where(_c.number == number))).mappings().first()
    return _profile(row) if row is not None else None


async def listed(database: Database, after: str | None, most: int) -> list[tuple[str, CallerProfile]]:
    """Known callers by number, those behind ``after``."""
    wanted = _known().order_by(_c.number).limit(most)
    if after is not None:
        wanted = wanted.where(_c.number > after)
    async with database.read() as connection:
        return [(row["number"], _profile(row)) for row in (await connection.execute(wanted)).mappings()]


async def changed_since(database: Database, since: int) -> AsyncIterator[list[Entry]]:
    """What has a later version than ``since``, in parts; the removed only if something was known before."""
    after = ""
    while True:
        wanted = select(schema.callers).where(_c.version > since, _c.number > after).order_by(_c.number).limit(AT_ONCE)
        if since < 0:
            wanted = wanted.where(_c.removed.is_(False))
        async with database.read() as connection:
            rows = list((await connection.execute(wanted)).mappings())
        if rows:
            yield [(row["number"], None if row["removed"] else _profile(row)) for row in rows]
        if len(rows) < AT_ONCE:
            return
        after = rows[-1]["number"]


def _known() -> Select[Any]:
    return select(schema.callers).where(_c.removed.is_(False))


def _row(number: str, profile: CallerProfile | None, version: int) -> Row:
    known = profile or CallerProfile()
    return {
        "number": number,
        "name": known.name,
        "segment": known.segment,
        "priority": known.priority,
        "skills": dict(known.skills),
        "language": known.language,
        "preferred_agent": known.preferred_agent,
        "version": version,
        "removed": profile is None,
    }


def _profile(row: Any) -> CallerProfile:
    return CallerProfile(
        name=row["name"],
        segment=row["segment"],
        priority=row["priority"],
        skills=tuple(sorted(row["skills"].items())),
        language=row["language"],
        preferred_agent=AgentId(row["preferred_agent"]) if row["preferred_agent"] is not None else None,
    )
