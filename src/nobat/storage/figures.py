"""Figures of 15 minutes: worked out from visits, talks and events, replaced as a whole, read by reports.

Working an interval out again gives the same, so nothing is counted up and nothing can be counted twice: what comes late (a
wrap-up, a journal replayed after a crash) is in the figures when its interval is worked out again (``nobat.figures.keeper``).
A visit belongs to the interval of its entry, and so do the conversations that came of it; an agent's conversations belong to the
interval in which they began, and the time in each state to the intervals in which it passed.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Table, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from acd.agents import AgentState
from acd.port_words import MissCause
from acd.sla import INTERVAL_S
from nobat.figures.stays import OUT, Change, Choice, Gap, Splitting, Stays, start_of
from nobat.storage import schema
from nobat.storage.database import Database, seconds, when
from nobat.storage.groups import groups_of_visits
from nobat.storage.rows import Row
from nobat.storage.statements import insert_or_replace
from nobat.storage.visit_sums import interval, sums_of_visits, talk_sums

ROWS_AT_ONCE = 500
TABLES = (schema.queue_figures, schema.group_figures, schema.agent_figures)
_MARK = 1


async def done_until(database: Database) -> float | None:
    """Until when everything that was written has been worked out; None before the first time."""
    async with database.read() as connection:
        at: float | None = await connection.scalar(select(schema.figures_until.c.at))
        return at


async def first_entry(database: Database) -> float | None:
    """When the first visit began that is on record."""
    async with database.read() as connection:
        at = await connection.scalar(select(func.min(schema.visits.c.entered_at)))
        return seconds(at) if at is not None else None


@dataclass(frozen=True, slots=True)
class WorkedOut:
    """Rows of figures, for each of ``TABLES``, of all intervals from ``begin`` on; ``until`` when their visits were decided."""

    begin: int
    until: float
    rows: tuple[list[Row], ...]


async def worked_out(database: Database, begin: int, until: float, now: float) -> WorkedOut:
    """All figures from the interval ``begin`` on, of visits decided until ``until`` and of what agents did until ``now``."""
    async with database.read() as connection:
        queues = await _queues(connection, database, begin, until)
        groups = await groups_of_visits(connection, database, begin, until)
        agents = await _agents(connection, database, begin, now)
    return WorkedOut(begin, until, (queues, groups, agents))


async def replace(database: Database, what: WorkedOut) -> None:
    """Put these in the place of all figures from their first interval on. Whoever else writes waits for milliseconds at most."""
    async with database.write() as connection:
        for table, rows in zip(TABLES, what.rows, strict=True):
            await connection.execute(delete(table).where(table.c.start >= what.begin))
            for at in range(0, len(rows), ROWS_AT_ONCE):
                # The keeper of a service that has just ended may not be through yet: who writes last is right.
                await connection.execute(insert_or_replace(database.insert, table), rows[at : at + ROWS_AT_ONCE])
        mark = database.insert(schema.figures_until).values(id=_MARK, at=what.until)
        await connection.execute(mark.on_conflict_do_update(index_elements=["id"], set_={"at": what.until}))


async def work_out(database: Database, begin: int, now: float) -> int:
    """Replace all figures from the interval ``begin`` until ``now``; how many rows they are."""
    what = await worked_out(database, begin, now, now)
    await replace(database, what)
    return sum(map(len, what.rows))


async def forget(database: Database, before: float) -> None:
    """Drop the figures of all intervals that ended before ``before``."""
    async with database.write() as connection:
        for table in TABLES:
            await connection.execute(delete(table).where(table.c.start < start_of(before)))


async def read(
    database: Database, table: Table, key: str, wanted: Sequence[str] | None, begin: int, end: int
) -> AsyncIterator[Sequence[Any]]:
    """Rows of ``table`` whose intervals begin in [begin, end), some at a time; ``key`` is the column that ``wanted`` is about."""
    statement = select(table).where(table.c.start >= begin, table.c.start < end)
    if wanted is not None:
        statement = statement.where(table.c[key].in_(wanted))
    async with database.read() as connection:
        found = await connection.execute(statement)
        for part in found.mappings().partitions(ROWS_AT_ONCE):
            yield part
            await asyncio.sleep(0)  # calls go on meanwhile


# ------------------------------------------------------------ queues


async def _queues(connection: AsyncConnection, database: Database, begin: int, until: float) -> list[Row]:
    visits = await sums_of_visits(connection, database, begin, until)
    return [{"queue_id": queue, "start": start, **sums} for (queue, start), sums in visits.items()]


# ------------------------------------------------------------ agents


async def _agents(connection: AsyncConnection, database: Database, begin: int, now: float) -> list[Row]:
    stays = await _stays(connection, begin, now)
    talks = await _talks_of_agents(connection, database, begin)
    missed = await _missed(connection, database, begin)
    nothing = {"handled": 0, **dict.fromkeys(schema.TALK_SUMS, 0.0)}
    found: list[Row] = []
    for agent, start in sorted({*stays, *talks, *missed}):
        stay = stays.get((agent, start))
        spent = stay.seconds if stay is not None else {}
        found.append(
            {
                "agent_id": agent,
                "start": start,
                **nothing,
                **talks.get((agent, start), {}),
                "missed": missed.get((agent, start), 0),
                **{name: spent.get(name, 0.0) for name in schema.STATE_SUMS},
                "productive_s": stay.productive_s if stay is not None else 0.0,
                "last_state": (stay.last if stay is not None else OUT).value,
                "last_productive": stay is not None and stay.productive,
            }
        )
    return found


async def _stays(connection: AsyncConnection, begin: int, now: float) -> dict[tuple[str, int], Stays]:
    """Changes are read some at a time: those of two busy hours are hundreds of thousands."""
    event = schema.events.c
    statement = (
        select(event.agent_id, event.at, event.kind, event.data)
        .where(event.at >= when(begin), event.kind.in_(("AgentStateChanged", "AgentStatusChosen", "ServiceAway")))
        .order_by(event.at, event.run, event.seq)
    )
    sums = Splitting(await _states_before(connection, begin), begin)
    async with connection.stream(statement) as found:
        async for part in found.partitions(ROWS_AT_ONCE):
            for row in part:
                sums.take(_change(*row))
    return sums.until(now)


def _change(agent: str, at: datetime, kind: str, data: dict[str, Any]) -> Change | Choice | Gap:
    if kind == "AgentStateChanged":
        return Change(agent, seconds(at), AgentState(data["old"]), AgentState(data["new"]))
    if kind == "AgentStatusChosen":
        return Choice(agent, seconds(at), bool(data.get("productive")))
    return Gap(seconds(at), data["since"])


async def _states_before(connection: AsyncConnection, begin: int) -> dict[str, tuple[AgentState, bool]]:
    """In which state, and after which choice, the interval before ``begin`` left each agent."""
    row = schema.agent_figures.c
    statement = select(row.agent_id, row.last_state, row.last_productive).where(row.start == begin - INTERVAL_S)
    return {agent: (AgentState(state), chosen) for agent, state, chosen in await connection.execute(statement)}


async def _talks_of_agents(
    connection: AsyncConnection, database: Database, begin: int
) -> dict[tuple[str, int], dict[str, Any]]:
    talk = schema.talks.c
    start = interval(database, talk.began_at).label("start")
    statement = (
        select(talk.agent_id, start, *talk_sums()).where(talk.began_at >= when(begin)).group_by(talk.agent_id, start)
    )
    return {
        (row["agent_id"], row["start"]): {name: row[name] for name in ("handled", *schema.TALK_SUMS)}
        for row in (await connection.execute(statement)).mappings()
    }


async def _missed(connection: AsyncConnection, database: Database, begin: int) -> dict[tuple[str, int], int]:
    event = schema.events.c
    start = interval(database, event.at).label("start")
    statement = (
        select(event.agent_id, start, func.count())
        .where(event.at >= when(begin), event.kind == "OfferDeclined")
        .where(event.data["cause"].as_string() != MissCause.CANCELLED.value)
        .group_by(event.agent_id, start)
    )
    return {(agent, at): count for agent, at, count in await connection.execute(statement)}
