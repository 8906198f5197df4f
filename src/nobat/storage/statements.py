"""What a batch of notes does to the database: one bulk statement for each table, each harmless when repeated."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, get_args

from sqlalchemy import Table, bindparam, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from acd.callback_events import CallbackEvent
from acd.events import (
    AgentStatusChosen,
    CallAmended,
    Event,
    QueueClosed,
    QueueOpened,
    TalkEnded,
    VisitDecided,
    WrapUpEnded,
)
from acd.record import record
from acd.recording_events import RecordingBegan, RecordingEnded
from acd.surveys import SurveyAnswered, SurveyOffered
from acd.views import CallView
from nobat.storage import audit, callbacks, event_rows, rows, schema, supervisions
from nobat.storage.audit import AuditEntry
from nobat.storage.rows import Row

Insert = Callable[[Table], Any]


@record
class Note:
    """One thing to write down, with the key that makes writing it twice harmless."""

    run: int
    seq: int
    what: Event | CallView | AuditEntry

    @property
    def kind(self) -> str:
        return type(self.what).__name__


async def write(connection: AsyncConnection, insert: Insert, notes: list[Note]) -> None:
    """All notes, table by table. Amendments come last: they may be of calls that end in this very batch."""
    kinds = _Kinds([note.what for note in notes])
    events: list[tuple[int, int, Event]] = []
    entries: list[tuple[int, int, AuditEntry]] = []
    for note in notes:
        if isinstance(note.what, AuditEntry):
            entries.append((note.run, note.seq, note.what))
        elif not isinstance(note.what, CallView):
            events.append((note.run, note.seq, note.what))
    await event_rows.add(connection, insert, events)
    await audit.append(connection, entries)
    await _add(connection, insert, schema.visits, [rows.visit_row(one) for one in kinds.of(VisitDecided)])
    await _add(connection, insert, schema.talks, [rows.talk_row(one) for one in kinds.of(TalkEnded)])
    await _recordings(connection, insert, kinds)
    await callbacks.write(connection, insert, kinds.of(*get_args(CallbackEvent)))
    calls = {one.id: one for one in kinds.of(CallView)}
    await _replace(connection, insert, schema.calls, [rows.call_row(one) for one in calls.values()])
    parties = [
        row for one in calls.values() if len(one.visits) > 1 or len(one.talks) > 1 for row in rows.party_rows(one)
    ]
    await _add(connection, insert, schema.earlier_parties, parties)
    await _statuses(connection, insert, kinds.of(AgentStatusChosen))
    for one in kinds.of(QueueClosed, QueueOpened):
        if isinstance(one, QueueClosed):
            await _replace(connection, insert, schema.closings, [rows.closing_row(one)])
        else:
            await connection.execute(delete(schema.closings).where(schema.closings.c.queue_id == one.queue))
    await supervisions.write(connection, insert, kinds.of(*supervisions.KEPT))
    await _run(connection, _WRAP_UP, [rows.wrap_up_row(one) for one in kinds.of(WrapUpEnded)])
    await _run(connection, _AMEND, [rows.amendment_row(one) for one in kinds.of(CallAmended)])


class _Kinds:
    """What a batch holds, by kind. Most kinds are in few batches: looking through all of it for each took longer than writing."""

    def __init__(self, whats: Sequence[object]) -> None:
        self._whats = whats
        self._there = {type(what) for what in whats}

    def of(self, *kinds: type) -> list[Any]:
        """What is of these kinds, in order."""
        wanted = self._there.intersection(kinds)
        return [what for what in self._whats if type(what) in wanted] if wanted else []


async def _recordings(connection: AsyncConnection, insert: Insert, kinds: _Kinds) -> None:
    """Their beginnings and ends, and what callers said afterwards."""
    begun = [rows.recording_row(one) for one in kinds.of(RecordingBegan)]
    await _add(connection, insert, schema.recordings, begun)
    ended = [rows.recording_end_row(one) for one in kinds.of(RecordingEnded)]
    await _run(connection, _RECORDING_ENDED, ended)
    asked = [rows.survey_row(one) for one in kinds.of(SurveyOffered)]
    await _add(connection, insert, schema.surveys, asked)
    said = [rows.survey_row(one) for one in kinds.of(SurveyAnswered) if one.score is not None]
    await _replace(connection, insert, schema.surveys, said)


async def _run(connection: AsyncConnection, statement: Any, parameters: list[Row]) -> None:
    if parameters:
        await connection.execute(statement, parameters)


async def _add(connection: AsyncConnection, insert: Insert, table: Table, values: list[Row]) -> None:
    """Rows that are there already stay as they are."""
    await _run(connection, _insert_once(insert, table), values)


async def _replace(connection: AsyncConnection, insert: Insert, table: Table, values: list[Row]) -> None:
    """Rows that are there already take the new values."""
    await _run(connection, insert_or_replace(insert, table), values)


async def _statuses(connection: AsyncConnection, insert: Insert, chosen: list[AgentStatusChosen]) -> None:
    """The latest choice of each agent; an older one that arrives late changes nothing."""
    latest = {one.agent: rows.status_row(one) for one in sorted(chosen, key=lambda one: one.at)}
    await _run(connection, _insert_or_outdate(insert, schema.agent_status), list(latest.values()))


# Statements are made once: making one costs more than running it for a batch of rows.


@lru_cache(maxsize=32)
def _insert_once(insert: Insert, table: Table) -> Any:
    return insert(table).on_conflict_do_nothing()


@lru_cache(maxsize=32)
def insert_or_replace(insert: Insert, table: Table) -> Any:
    statement = insert(table)
    keys = [column.name for column in table.primary_key]
    changed = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=changed)


@lru_cache(maxsize=32)
def _insert_or_outdate(insert: Insert, table: Table) -> Any:
    statement = insert(table)
    columns = ("status", "reason", "device", "since")
    return statement.on_conflict_do_update(
        index_elements=["agent_id"],
        set_={name: statement.excluded[name] for name in columns},
        where=table.c.since <= statement.excluded["since"],
    )


_RECORDING_ENDED = (
    update(schema.recordings)
    .where(
        schema.recordings.c.id == bindparam("of_recording"),
        # One that has gone on with whoever took the caller over ends once more, and later.
        or_(schema.recordings.c.ended_at.is_(None), schema.recordings.c.ended_at < bindparam("ended")),
        schema.recordings.c.state == "open",
    )
    .values(ended_at=bindparam("ended"))
)
_LAST_TALK = (
    select(func.max(schema.talks.c.ended_at))
    .where(schema.talks.c.call_id == bindparam("of_call"), schema.talks.c.agent_id == bindparam("of_agent"))
    .scalar_subquery()
)
_WRAP_UP = (
    update(schema.talks)
    .where(
        schema.talks.c.call_id == bindparam("of_call"),
        schema.talks.c.agent_id == bindparam("of_agent"),
        schema.talks.c.ended_at == _LAST_TALK,
    )
    .values(wrap_up_s=bindparam("seconds"))
)


def _unless_unsaid(name: str, column: Any) -> Any:
    """What was said never becomes unsaid again, and an amendment may not know what was said before."""
    return func.coalesce(bindparam(name, type_=column.type), column)


_AMEND = (
    update(schema.calls)
    .where(schema.calls.c.id == bindparam("of_call"))
    .values(
        priority=_unless_unsaid("new_priority", schema.calls.c.priority),
        disposition=_unless_unsaid("new_disposition", schema.calls.c.disposition),
        notes=_unless_unsaid("new_notes", schema.calls.c.notes),
    )
)
