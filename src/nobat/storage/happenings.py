"""Events read back: those of one call, with its conversations, and those that tell what an agent did with the time."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, or_, select

from nobat.storage import schema
from nobat.storage.database import Database, seconds, when
from nobat.storage.retention import STATUSES
from nobat.storage.rows import Row

_event = schema.events.c
Key = tuple[float, int, int]


@dataclass(frozen=True, slots=True)
class Happening:
    """One row. ``key`` is its place in the order of events."""

    key: Key
    kind: str
    queue: str | None
    agent: str | None
    data: dict[str, Any]

    @property
    def at(self) -> float:
        return self.key[0]


async def of_call(database: Database, call: str, most: int) -> list[Happening]:
    """The first ``most`` events of a call, in order."""
    wanted = select(schema.events).where(_event.call_id == call).order_by(_event.at, _event.run, _event.seq)
    return await _read(database, wanted.limit(most))


async def of_agent(
    database: Database, agent: str, span: tuple[float, float], before: Key | None, most: int
) -> list[Happening]:
    """What an agent chose and was in [begin, end), newest first. It is looked for by time: a span should be days, not years."""
    begin, end = span
    wanted = select(schema.events).where(
        _event.at >= when(begin), _event.at < when(end), _event.agent_id == agent, _event.kind.in_(STATUSES)
    )
    if before is not None:
        at, run, seq = when(before[0]), before[1], before[2]
        later = or_(_event.run < run, and_(_event.run == run, _event.seq < seq))
        wanted = wanted.where(_event.at <= at, or_(_event.at < at, later))
    newest = wanted.order_by(_event.at.desc(), _event.run.desc(), _event.seq.desc())
    return await _read(database, newest.limit(most))


async def conversations(database: Database, call: str) -> list[Row]:
    """Agents' parts of a call, in order, each with the work that followed."""
    talk = schema.talks.c
    wanted = select(schema.talks).where(talk.call_id == call).order_by(talk.began_at)
    async with database.read() as connection:
        return [dict(row) for row in (await connection.execute(wanted)).mappings()]


async def _read(database: Database, statement: Select[Any]) -> list[Happening]:
    async with database.read() as connection:
        found = list((await connection.execute(statement)).mappings())
    return [
        Happening(
            (seconds(row["at"]), row["run"], row["seq"]), row["kind"], row["queue_id"], row["agent_id"], row["data"]
        )
        for row in found
    ]
