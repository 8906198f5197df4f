"""What the rows of events alone say is what all other tables of history say, and every figure."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, select

from acd.events import CallTold, Event, VisitDecided
from acd.ids import CallId, QueueId
from acd.outcomes import Outcome
from nobat.figures import reading
from nobat.figures.spans import Rows, Span
from nobat.figures.stays import start_of
from nobat.storage import figures, schema
from nobat.storage.database import Database
from nobat.storage.groups import GroupKind
from nobat.storage.migrate import migrate
from nobat.storage.recorder import write_notes
from nobat.storage.statements import Note
from tests.service.test_callback_reports import a_day as a_day_of_callbacks
from tests.service.test_figures import PLAN
from tests.support import plain_figures, stored_events
from tests.support.day import MIDNIGHT, Day

SMALL = replace(PLAN, calls=250, hours=2)
WORKED_OUT = (schema.queue_figures, schema.group_figures, schema.agent_figures)
TOLD = (schema.visits, schema.talks, schema.callbacks, schema.callback_attempts, schema.agent_status)


async def rows(database: Database, table: Table) -> list[dict[str, Any]]:
    keys = list(table.primary_key.columns)
    async with database.read() as connection:
        found = (await connection.execute(select(table).order_by(*keys))).mappings()
        return [{name: _number(value) for name, value in row.items()} for row in found]


def _number(value: Any) -> Any:
    """A time as seconds, so that it is the same to the microsecond or two that come of adding and taking away."""
    return value.timestamp() if isinstance(value, datetime) else value


def same(row: dict[str, Any], other: dict[str, Any]) -> bool:
    return row == {
        name: pytest.approx(value, abs=1e-3, rel=0) if isinstance(value, float) else value
        for name, value in other.items()
    }


async def filled(url: str, notes: Sequence[Note], until: float) -> Database:
    database = Database(url)
    await migrate(database)
    for at in range(0, len(notes), 1000):
        await write_notes(database, list(notes[at : at + 1000]))
    await figures.work_out(database, start_of(MIDNIGHT), until)
    return database


@pytest.fixture
def other_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'again.db'}"


async def test_a_day_is_made_again_from_the_rows_of_its_events(database_url: str, other_url: str) -> None:
    day = Day(SMALL, seed=11).run()
    happened = [*day.events, *a_day_of_callbacks()[:300]]
    until = max(event.at for event in day.events)
    first = await filled(database_url, [Note(1, number, event) for number, event in enumerate(happened)], until)

    kept = await stored_events.notes(first)
    assert [(type(one.what), one.what.at) for one in kept] == [  # type: ignore[union-attr]
        (type(event), pytest.approx(event.at, abs=1e-6)) for event in happened
    ]
    events = [one.what for one in kept]
    for key, table, plain in (
        ("queue_id", schema.queue_figures, plain_figures.of_queues(events)),  # type: ignore[arg-type]
        ("agent_id", schema.agent_figures, plain_figures.of_agents(events, until)),  # type: ignore[arg-type]
    ):
        assert plain_figures.differences(await rows(first, table), key, plain) == []

    again = await filled(other_url, kept, until)
    for table in (*TOLD, *WORKED_OUT):
        was, now = await rows(first, table), await rows(again, table)
        assert len(was) == len(now) > 10, table.name
        assert [one for one, other in zip(was, now, strict=True) if not same(one, other)] == [], table.name
    await first.close()
    await again.close()


async def test_every_entry_is_a_visit_and_every_visit_has_one_outcome(database_url: str) -> None:
    """The equation, not from its own parts: entries are counted from what says that somebody joined a line."""
    day = Day(SMALL, seed=5).run()
    entered: dict[tuple[str, int], int] = {}
    for event in day.events:
        if type(event).__name__ == "CallQueued":
            at = (event.queue, start_of(event.entered_at))  # type: ignore[union-attr]
            entered[at] = entered.get(at, 0) + 1
    until = max(event.at for event in day.events)
    database = await filled(database_url, [Note(1, number, event) for number, event in enumerate(day.events)], until)
    outcomes = ("answered", "abandoned", "overflowed", "deferred", "lost")
    decided = {
        (row["queue_id"], row["start"]): sum(row[name] for name in outcomes)
        for row in await rows(database, schema.queue_figures)
    }
    waiting: dict[tuple[str, int], int] = {}
    for call in day.floor.calls.values():
        if call.visit.outcome is None:
            at = (call.queue, start_of(call.visit.entered_at))
            waiting[at] = waiting.get(at, 0) + 1
    found = {at: decided.get(at, 0) + waiting.get(at, 0) for at in {*decided, *waiting}}
    assert found == entered
    assert sum(entered.values()) == SMALL.calls
    await database.close()


def who_was_told(number: int, low: float | None, high: float | None, waited: float, outcome: Outcome) -> list[Event]:
    """A caller who heard after ten seconds how long it will be."""
    call, queue, at = CallId(f"pbx1-{number}"), QueueId("sales"), MIDNIGHT + 60.0 * number
    told = CallTold(at + 10, call, queue, ("expected-wait",), 1, low, high)
    return [told, VisitDecided(at + waited, call, queue, outcome, at, waited, segment="vip")]


async def test_what_callers_were_told_is_held_against_what_came(database_url: str) -> None:
    events = [
        *who_was_told(1, 20.0, 40.0, 45.0, Outcome.ANSWERED),  # 35 s came: within, 5 s off
        *who_was_told(2, 5.0, 10.0, 40.0, Outcome.ANSWERED),  # 30 s: 22.5 s off
        *who_was_told(3, 5.0, 10.0, 12.0, Outcome.ABANDONED),  # nobody knows how long it would have been
        *who_was_told(4, None, None, 40.0, Outcome.ANSWERED),  # only the place in line
    ]
    until = MIDNIGHT + 900.0
    database = await filled(database_url, [Note(1, number, event) for number, event in enumerate(events)], until)
    plain = plain_figures.of_queues(events)
    assert plain_figures.differences(await rows(database, schema.queue_figures), "queue_id", plain) == []
    cut = Rows(Span(start_of(MIDNIGHT), start_of(MIDNIGHT) + 900), (start_of(MIDNIGHT),))
    ((_, _, found),) = await reading.of_queues(database, {"sales": cut}, ())
    ((_, _, vips),) = await reading.of_groups(database, GroupKind.SEGMENT, {"sales": cut}, ())
    for one in (found, vips):
        assert (one.told.number, one.told.inside) == (2, 0.5)
        assert one.told.mae_s == pytest.approx(13.75, abs=1e-3)
    await database.close()
