"""Retention: what is older than it may be is removed kind by kind, what is younger stays, and figures go on without the calls."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import func, select

from acd.ids import CallId, QueueId
from nobat.retention import RetentionKeeper
from nobat.retention_settings import RetentionSettings
from nobat.settings_file import SettingsError, load_settings
from nobat.storage import figures, retention, schema, voicemails
from nobat.storage.database import Database, when
from nobat.storage.migrate import migrate
from nobat.storage.recorder import write_notes
from nobat.storage.statements import Note
from nobat.storage.voicemails import Voicemail
from tests.support.day import MIDNIGHT, Day, Plan
from tests.support.office import Office, speak

DAY_S = 86_400.0
NOTHING: dict[str, int] = {}


async def counts(database: Database) -> dict[str, int]:
    """Rows by table, and events by whether they are of agents."""
    found = {}
    async with database.read() as connection:
        for table in (schema.calls, schema.visits, schema.talks, schema.queue_figures, schema.agent_figures):
            found[table.name] = await connection.scalar(select(func.count()).select_from(table)) or 0
        of_kind = select(func.count()).select_from(schema.events)
        for name, condition in retention.EVENTS.items():
            found[name] = await connection.scalar(of_kind.where(condition)) or 0
    return found


@pytest.fixture
async def history(database_url: str) -> Any:
    """Two days of simulated calls, twenty days apart, with their figures."""
    database = Database(database_url)
    await migrate(database)
    seq = 0
    for run, offset in ((1, 0.0), (2, 20 * DAY_S)):
        day = Day(Plan(calls=150, hours=2, agents=6), seed=3).run()
        notes = []
        for event in day.events:
            notes.append(Note(run, seq, _later(event, offset, run)))
            seq += 1
        for at in range(0, len(notes), 500):
            await write_notes(database, notes[at : at + 500])
    await figures.work_out(database, int(MIDNIGHT), MIDNIGHT + 21 * DAY_S)
    yield database
    await database.close()


def _later(event: Any, offset: float, run: int) -> Any:
    """The same event some days later, of another call."""
    import dataclasses

    moved = {"at": event.at + offset}
    if hasattr(event, "entered_at"):
        moved["entered_at"] = event.entered_at + offset
    if getattr(event, "call", None) is not None:
        moved["call"] = f"{event.call}{run}"
    return dataclasses.replace(event, **moved)


def keeper(database: Database, now: float, **days: int) -> RetentionKeeper:
    return RetentionKeeper(RetentionSettings(**days), database, None, lambda: now)  # type: ignore[arg-type] # no messages here


async def test_each_kind_has_its_own_time(history: Database) -> None:
    now = MIDNIGHT + 22 * DAY_S
    before = await counts(history)
    assert await keeper(history, now).sweep() == NOTHING
    assert await counts(history) == before

    removed = await keeper(history, now, calls_days=10).sweep()
    after = await counts(history)
    assert removed["calls"] == sum(before[name] - after[name] for name in ("calls", "visits", "talks"))
    assert {name: after[name] for name in ("visits", "talks")} == {
        name: before[name] // 2 for name in ("visits", "talks")
    }
    assert {name: after[name] for name in before if name not in ("visits", "talks", "calls")} == {
        name: before[name] for name in before if name not in ("visits", "talks", "calls")
    }

    await keeper(history, now, statuses_days=10).sweep()
    assert (await counts(history))["statuses"] == before["statuses"] // 2
    assert (await counts(history))["events"] == before["events"]
    removed = await keeper(history, now, events_days=10, figures_days=10).sweep()
    last = await counts(history)
    assert removed["events"] == before["events"] // 2 == last["events"]
    assert 0 < last["queue_figures"] < before["queue_figures"]
    assert await keeper(
        history, now, calls_days=10, events_days=10, statuses_days=10, figures_days=10
    ).sweep() == dict.fromkeys(("calls", "events", "statuses", "figures"), 0)


async def test_figures_of_calls_that_are_gone_stay(history: Database) -> None:
    async def offered() -> int:
        column = schema.queue_figures.c
        async with history.read() as connection:
            return int(await connection.scalar(select(func.sum(column.answered + column.abandoned))) or 0)

    now = MIDNIGHT + 22 * DAY_S
    before = await offered()
    await keeper(history, now, calls_days=10, events_days=10, statuses_days=10).sweep()
    await figures.work_out(history, int(now - 26 * 3600), now)  # as at a start
    assert await offered() == before


async def test_what_came_late_is_removed_the_next_time(history: Database) -> None:
    now = MIDNIGHT + 22 * DAY_S
    await keeper(history, now, events_days=10).sweep()
    async with history.write() as connection:
        row = {"run": 9, "seq": 1, "at": when(now - 11 * DAY_S), "kind": "CallHeld", "data": {}}
        await connection.execute(history.insert(schema.events), [row])
    assert (await keeper(history, now + 3600, events_days=10).sweep())["events"] == 1


async def test_messages_go_with_their_sound(office_url: str) -> None:
    office = Office(office_url, retention=RetentionSettings(voicemails_days=30))
    async with office.open():
        admin, now, names = (
            await office.admin(),
            office.clock.now(),
            ("sales.pbx1-1764000000000.1", "sales.pbx1-1764000000000.2"),
        )
        for name, days in zip(names, (31, 29), strict=True):
            speak(office.voicemail_dir / f"{name}.wav")
            call = CallId(name.removeprefix("sales."))
            at = now - days * DAY_S
            message = Voicemail(name, office.pbx.name, call, QueueId("sales"), "09121234567", None, at, 2.0)
            await voicemails.add(office.app.database, message)
        assert await office.app.retention.sweep() == {"voicemails": 1}
        assert [one["id"] for one in (await admin.get("/v1/voicemails"))["items"]] == [names[1]]
        assert [file.stem for file in office.voicemail_dir.glob("*.wav")] == [names[1]]


async def test_calls_go_on_while_history_is_removed(history: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others write between two transactions of it, and it ends when the service does."""
    monkeypatch.setattr("nobat.retention.ROWS", 20)
    working = keeper(history, MIDNIGHT + 22 * DAY_S, calls_days=10, events_days=10)
    sweep = asyncio.create_task(working.sweep())
    written = 0
    while not sweep.done():
        async with history.write() as connection:
            row = {"run": 8, "seq": written, "at": when(MIDNIGHT + 21 * DAY_S), "kind": "CallHeld", "data": {}}
            await connection.execute(history.insert(schema.events), [row])
        written += 1
    assert written > 5
    assert (await sweep)["calls"] > 0
    again = keeper(history, MIDNIGHT + 60 * DAY_S, calls_days=10)
    again._leaving.set()
    assert (await again.sweep())["calls"] == 0


def test_less_than_a_week_is_refused(tmp_path: Any) -> None:
    file = tmp_path / "nobat.toml"
    file.write_text("[retention]\ncalls_days = 3\n")
    with pytest.raises(SettingsError, match="must be 0"):
        load_settings(file)
