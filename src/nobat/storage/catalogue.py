"""Queues and agents as configured. Every write counts ``config_version`` up in the same transaction.

Used by ``nobat.catalogue`` (which keeps database and floor together), by ``nobat apply`` and at the start.
"""

from collections import defaultdict
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sqlalchemy import Table, bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from acd.agents import AgentSpec
from acd.announcements import Announcements
from acd.ids import AgentId, DeviceId, QueueId
from acd.queues import (
    BreakPolicy,
    MissPolicy,
    QueueSpec,
    ServiceLevel,
    SupervisionPolicy,
    WrapUpForm,
    WrapUpPolicy,
)
from acd.recordings import RecordingMode, RecordingPolicy
from acd.skills import RelaxStep
from acd.surveys import SurveyPolicy
from nobat.callback_json import policy_json, policy_of
from nobat.limit_json import hours_json, hours_of, overflow_json, overflow_of
from nobat.storage import schema
from nobat.storage.database import Database
from nobat.storage.rows import Row

IDS_AT_ONCE = 1_000
"""Parameters of one statement: databases have limits."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All queues and agents of one moment. ``with_pin`` are the agents that can sign in by phone."""

    version: int = 0
    queues: dict[QueueId, QueueSpec] = field(default_factory=dict)
    agents: dict[AgentId, AgentSpec] = field(default_factory=dict)
    pin_hashes: dict[AgentId, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Changes:
    """What to do to the catalogue, all of it or nothing. A PIN that is not named stays; None takes it away."""

    queues: tuple[QueueSpec, ...] = ()
    agents: tuple[AgentSpec, ...] = ()
    pin_hashes: tuple[tuple[AgentId, str | None], ...] = ()
    removed_queues: tuple[QueueId, ...] = ()
    removed_agents: tuple[AgentId, ...] = ()


async def load(database: Database) -> Catalogue:
    """The whole catalogue, of one moment."""
    async with database.read() as connection:
        return await _load(connection)


async def version(database: Database) -> int:
    """Counts up with every change."""
    async with database.read() as connection:
        return int((await connection.execute(select(schema.config_version.c.version))).scalar_one())


async def _load(connection: AsyncConnection) -> Catalogue:
    number = (await connection.execute(select(schema.config_version.c.version))).scalar_one()
    queue_rows = (await connection.execute(select(schema.queues).order_by(schema.queues.c.id))).mappings()
    queues = {QueueId(row["id"]): _queue(row) for row in queue_rows}
    serves: defaultdict[str, list[Any]] = defaultdict(list)
    for row in (await connection.execute(select(schema.memberships).order_by(schema.memberships.c.place))).mappings():
        serves[row["agent_id"]].append(row)
    agents, pins = {}, {}
    for row in (await connection.execute(select(schema.agents).order_by(schema.agents.c.id))).mappings():
        agent = AgentId(row["id"])
        agents[agent] = _agent(row, serves[agent])
        if row["pin_hash"] is not None:
            pins[agent] = str(row["pin_hash"])
    return Catalogue(int(number), queues, agents, pins)


async def change(database: Database, changes: Changes) -> int:
    """Carry out all of ``changes``; the new version. Raises ``StorageConflict``: a number twice, a queue that is not there."""
    async with database.write() as connection:
        await _remove(connection, changes)
        await _put_queues(connection, database, changes.queues)
        await _put_agents(connection, database, changes.agents)
        pins = [{"of_agent": agent, "new_hash": pin_hash} for agent, pin_hash in changes.pin_hashes]
        if pins:
            await connection.execute(_SET_PIN, pins)
        counted = update(schema.config_version).values(version=schema.config_version.c.version + 1)
        await connection.execute(counted)
        return int((await connection.execute(select(schema.config_version.c.version))).scalar_one())


_SET_PIN = (
    update(schema.agents).where(schema.agents.c.id == bindparam("of_agent")).values(pin_hash=bindparam("new_hash"))
)


async def _remove(connection: AsyncConnection, changes: Changes) -> None:
    for start in range(0, len(changes.removed_agents), IDS_AT_ONCE):
        gone = changes.removed_agents[start : start + IDS_AT_ONCE]
        await connection.execute(delete(schema.agents).where(schema.agents.c.id.in_(gone)))
        await connection.execute(delete(schema.agent_status).where(schema.agent_status.c.agent_id.in_(gone)))
    if changes.removed_queues:
        await connection.execute(delete(schema.queues).where(schema.queues.c.id.in_(changes.removed_queues)))
        await connection.execute(delete(schema.closings).where(schema.closings.c.queue_id.in_(changes.removed_queues)))


async def _put_queues(connection: AsyncConnection, database: Database, specs: tuple[QueueSpec, ...]) -> None:
    """Numbers may be swapped between queues in one change, so they are all let go first."""
    for number, spec in enumerate(specs):
        free = update(schema.queues).where(schema.queues.c.id == spec.id).values(number=f"~{number}")
        await connection.execute(free)
    if specs:
        await connection.execute(_upsert(database, schema.queues), [_queue_row(spec) for spec in specs])


async def _put_agents(connection: AsyncConnection, database: Database, specs: tuple[AgentSpec, ...]) -> None:
    if not specs:
        return
    rows: list[Row] = [
        {"id": spec.id, "name": spec.name, "device": spec.device, "skills": dict(spec.skills)} for spec in specs
    ]
    await connection.execute(_upsert(database, schema.agents, "pin_hash"), rows)
    ids = [spec.id for spec in specs]
    for start in range(0, len(ids), IDS_AT_ONCE):
        some = ids[start : start + IDS_AT_ONCE]
        await connection.execute(delete(schema.memberships).where(schema.memberships.c.agent_id.in_(some)))
    members = [
        {
            "agent_id": spec.id,
            "queue_id": queue,
            "place": place,
            "weight": dict(spec.weights).get(queue),
            "rank": dict(spec.ranks).get(queue),
        }
        for spec in specs
        for place, queue in enumerate(spec.queues)
    ]
    if members:
        await connection.execute(insert(schema.memberships), members)


def _upsert(database: Database, table: Table, *kept: str) -> Any:
    """INSERT, or change all columns but the key and ``kept``."""
    statement = database.insert(table)
    changed = {one.name: statement.excluded[one.name] for one in table.columns if one.name not in ("id", *kept)}
    return statement.on_conflict_do_update(index_elements=["id"], set_=changed)


def _queue_row(spec: QueueSpec) -> Row:
    return {
        "id": spec.id,
        "number": spec.number,
        "name": spec.name,
        "strategy": spec.strategy,
        "ring_s": spec.ring_s,
        "wrap_up_s": spec.wrap_up_s,
        "rest_s": spec.rest_s,
        "short_abandon_s": spec.short_abandon_s,
        "target_s": spec.service_level.target_s,
        "target_ratio": spec.service_level.ratio,
        "skills": dict(spec.skills),
        "timezone": spec.timezone,
        "priority_s": spec.priority_s,
        "relax": [{"after_s": step.after_s, "skills": dict(step.skills)} for step in spec.relax],
        "sticky_s": spec.sticky_s,
        "misses": asdict(spec.misses),
        "hours": hours_json(spec.hours),
        "overflow": overflow_json(spec.overflow),
        "announcements": {**asdict(spec.announcements), "messages": list(spec.announcements.messages)},
        "wrap_up": asdict(spec.wrap_up),
        "breaks": asdict(spec.breaks),
        "recording": asdict(spec.recording),
        "survey": asdict(spec.survey),
        "supervision": asdict(spec.supervision),
        "callbacks": policy_json(spec.callbacks),
    }


def _queue(row: Any) -> QueueSpec:
    return QueueSpec(
        id=QueueId(row["id"]),
        number=row["number"],
        name=row["name"],
        strategy=row["strategy"],
        ring_s=row["ring_s"],
        wrap_up_s=row["wrap_up_s"],
        rest_s=row["rest_s"],
        short_abandon_s=row["short_abandon_s"],
        service_level=ServiceLevel(row["target_s"], row["target_ratio"]),
        skills=tuple(sorted(row["skills"].items())),
        timezone=row["timezone"],
        priority_s=row["priority_s"],
        relax=tuple(RelaxStep(step["after_s"], tuple(sorted(step["skills"].items()))) for step in row["relax"]),
        sticky_s=row["sticky_s"],
        misses=MissPolicy(**row["misses"]),
        hours=hours_of(row["hours"]),
        overflow=overflow_of(row["overflow"]),
        announcements=_announcements(row["announcements"]),
        wrap_up=_wrap_up(row["wrap_up"]),
        breaks=BreakPolicy(**row["breaks"]),
        recording=_recording(row["recording"]),
        survey=SurveyPolicy(**row["survey"]),
        supervision=SupervisionPolicy(**{**row["supervision"], "exempt": tuple(row["supervision"]["exempt"])}),
        callbacks=policy_of(row["callbacks"]),
    )


def _recording(value: dict[str, Any]) -> RecordingPolicy:
    return RecordingPolicy(**{**value, "mode": RecordingMode(value["mode"])})


def _wrap_up(value: dict[str, Any]) -> WrapUpPolicy:
    return WrapUpPolicy(
        WrapUpForm(value["form"]), tuple(value["dispositions"]), value["longest_s"], bool(value["force"])
    )


def _announcements(stored: dict[str, Any]) -> Announcements:
    """What an older version has stored lacks fields, and those have their defaults."""
    return replace(Announcements(), **{**stored, "messages": tuple(stored.get("messages", ()))})


def _agent(row: Any, members: list[Any]) -> AgentSpec:
    return AgentSpec(
        id=AgentId(row["id"]),
        name=row["name"],
        device=DeviceId(row["device"]) if row["device"] is not None else None,
        queues=tuple(QueueId(one["queue_id"]) for one in members),
        skills=tuple(sorted(row["skills"].items())),
        weights=_by_queue(members, "weight"),
        ranks=_by_queue(members, "rank"),
    )


def _by_queue(members: list[Any], column: str) -> tuple[tuple[QueueId, int], ...]:
    return tuple(sorted((QueueId(one["queue_id"]), one[column]) for one in members if one[column] is not None))
