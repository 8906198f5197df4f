"""A backup is of one moment and whole, however busy the service is, and restored elsewhere it has every record."""

import asyncio
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from nobat.recording.opening import keeper_of
from nobat.recording.vault import VaultError
from nobat.storage import nodelock, schema
from nobat.storage.backup import BackupError, make_backup, restore
from nobat.storage.database import Database
from nobat.storage.errors import WrongDatabase
from nobat.storage.migrate import HEAD, current_version, migrate
from tests.service.test_process import FLOOR, Site
from tests.support.memory_pbx import Manner
from tests.support.office import Office, Person
from tests.support.ports import free_port
from tests.support.postgres import PostgresServer
from tests.support.recordings import kept_recording
from tests.support.schema import moved

MOMENT = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)


@pytest.fixture
def elsewhere(database_url: str, tmp_path: Path, postgres: PostgresServer) -> str:
    """A second database of the same kind, empty, with another address."""
    if database_url.startswith("sqlite"):
        return f"sqlite:///{tmp_path / 'elsewhere' / 'nobat.db'}"
    return postgres.create_database()


async def records(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    database = Database(url)
    found = {}
    async with database.read() as connection:
        for table in schema.metadata.sorted_tables:
            rows = (await connection.execute(table.select())).all()
            found[table.name] = sorted((tuple(row) for row in rows), key=repr)
    await database.close()
    return found


async def calls_go_on(office: Office, stop: asyncio.Event) -> int:
    """Callers come and leave without a pause until somebody says stop; how many."""
    count = 0
    while not stop.is_set():
        calls = [office.pbx.caller("8000", f"4930{count + n:07}", "Ali") for n in range(5)]
        await office.settled()
        for call in calls:
            office.pbx.caller_hangs_up(call)
        await office.settled()
        count += len(calls)
        await asyncio.sleep(0.02)
    return count


async def test_a_backup_taken_under_load_and_restored_elsewhere(
    office: Office, office_url: str, tmp_path: Path, postgres: PostgresServer
) -> None:
    other = f"sqlite:///{tmp_path / 'elsewhere.db'}" if "sqlite" in office_url else postgres.create_database()
    admin = await office.admin()
    office.pbx.phone("PJSIP/agent-101", Manner.ANSWERS)
    await admin.chooses("101", "available")
    for number in range(20):
        call = office.pbx.caller("8000", f"4940{number:07}")
        await office.settled()
        office.pbx.caller_hangs_up(call)
    await office.settled()
    await office.written()
    before = await records(office_url)
    stop = asyncio.Event()
    load = asyncio.create_task(calls_go_on(office, stop))
    made = await make_backup(office_url, tmp_path / "backups", MOMENT)
    stop.set()
    count = await load
    await office.written()
    after = await records(office_url)
    assert await restore(other, made.file, replace=False) == HEAD
    found = await records(other)
    assert len(after["calls"]) == count + 20 > len(found["calls"]) >= len(before["calls"]) == 20
    for table in ("calls", "events", "tokens", "agents", "queues"):
        assert set(map(repr, before[table])) <= set(map(repr, found[table])), table  # what was there when it began
        assert set(map(repr, found[table])) <= set(map(repr, after[table])), table  # and nothing that never was
    assert made.file.stat().st_mode & 0o777 == 0o600
    again = await make_backup(office_url, tmp_path / "backups", MOMENT + timedelta(seconds=1))
    await restore(other, again.file, replace=True)
    restored = await records(other)
    assert set(map(repr, restored.pop("audit"))) > set(map(repr, after.pop("audit")))  # which says that it was done
    assert restored.pop("audit_head") != after.pop("audit_head")
    assert restored == after  # with nobody calling: every record of every table


async def test_a_machine_is_lost_and_its_recordings_are_heard_on_another(
    office: Office, office_url: str, tmp_path: Path, postgres: PostgresServer
) -> None:
    """Backup, recordings and key, each kept as the guide says: together they are everything, without the key nothing is begun."""
    await kept_recording(office, "sales", "pbx1-1.1")
    admin = await office.admin()
    heard = await admin.ask("GET", "/v1/recordings/sales/audio")
    assert heard.status_code == 200
    made = await make_backup(office_url, tmp_path / "backups", MOMENT)
    shutil.copytree(office.vault, tmp_path / "copy", ignore=shutil.ignore_patterns("master.key"))
    shutil.copy(office.vault / "master.key", tmp_path / "key")

    other = f"sqlite:///{tmp_path / 'elsewhere.db'}" if "sqlite" in office_url else postgres.create_database()
    await restore(other, made.file, replace=False)
    place = Office(other)
    place.vault = tmp_path / "copy"
    with pytest.raises(VaultError, match="put it back"):
        keeper_of(place._settings(), office.app.metrics, office.app.database, office.clock.now)
    shutil.copy(tmp_path / "key", place.vault / "master.key")
    async with place.open():
        again = await Person(place.client, admin.token).ask("GET", "/v1/recordings/sales/audio")
        assert (again.status_code, again.content) == (200, heard.content)


async def test_a_service_runs_on_what_was_restored(database_url: str, elsewhere: str, tmp_path: Path) -> None:
    place = Office(database_url)
    await place.prepare([], [])
    made = await make_backup(database_url, tmp_path / "backups", MOMENT)
    await restore(elsewhere, made.file, replace=False)
    async with Office(elsewhere).open() as running:
        assert (await running.client.get("/readyz")).status_code == 200


async def test_nothing_is_restored_under_a_service_over_records_or_from_a_damaged_file(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nodelock, "PATIENCE_S", 0.1)
    database = Database(database_url)
    await migrate(database)
    made = await make_backup(database_url, tmp_path, MOMENT)
    with pytest.raises(BackupError, match="--replace"):
        await restore(database_url, made.file, replace=False)
    service = nodelock.NodeLock(database)
    await service.take()
    with pytest.raises(WrongDatabase, match="in use by another"):
        await restore(database_url, made.file, replace=True)
    await service.release()
    for name, content in (("half", made.file.read_bytes()[: made.size // 2]), ("none", b"hello"), ("empty", b"")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(BackupError):
            await restore(database_url, tmp_path / name, replace=True)
    with pytest.raises(BackupError, match="there is no"):
        await restore(database_url, tmp_path / "nowhere", replace=True)
    assert await current_version(database) == HEAD
    await database.close()


async def test_a_backup_of_a_newer_program_is_refused(database_url: str, elsewhere: str, tmp_path: Path) -> None:
    database = Database(database_url)
    await migrate(database)
    async with database.write() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    made = await make_backup(database_url, tmp_path, MOMENT)
    with pytest.raises(BackupError, match="newer nobat"):
        await restore(elsewhere, made.file, replace=False)
    await database.close()


async def test_only_the_newest_are_kept_and_nothing_else_is_touched(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'nobat.db'}"
    database = Database(url)
    await migrate(database)
    await database.close()
    folder = tmp_path / "backups"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    for day in range(4):
        await make_backup(url, folder, MOMENT + timedelta(days=day), keep=2)
    assert sorted(one.name for one in folder.iterdir()) == [
        "nobat-20261124T123000Z.sqlite",
        "nobat-20261125T123000Z.sqlite",
        "notes.txt",
    ]


async def test_what_was_replaced_stays_beside(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'nobat.db'}"
    database = Database(url)
    await migrate(database)
    made = await make_backup(url, tmp_path / "backups", MOMENT)
    async with database.write() as connection:
        await connection.execute(text("INSERT INTO opt_outs VALUES ('+4930123', '2026-01-01', 'ali')"))
    await restore(url, made.file, replace=True)
    with (
        closing(sqlite3.connect(tmp_path / "nobat.db.replaced")) as old,
        closing(sqlite3.connect(tmp_path / "nobat.db")) as new,
    ):
        assert old.execute("SELECT count(*) FROM opt_outs").fetchone() == (1,)
        assert new.execute("SELECT count(*) FROM opt_outs").fetchone() == (0,)
    await database.close()


async def test_the_schema_is_not_changed_under_a_service_of_an_older_program(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nodelock, "PATIENCE_S", 0.1)
    database = Database(database_url)
    await migrate(database)
    async with database.write() as connection:  # as if this program were newer than the schema
        await connection.run_sync(moved("0011", up=False))
    service = nodelock.NodeLock(database)
    await service.take()
    with pytest.raises(WrongDatabase, match="stop that one"):
        await migrate(database)
    assert await current_version(database) == "0011"
    await service.release()
    assert await migrate(database)
    assert await current_version(database) == HEAD
    await database.close()


def test_the_commands(tmp_path: Path) -> None:
    site = Site(tmp_path, free_port())
    (tmp_path / "nobat.toml").write_text(f'[database]\nurl = "sqlite:///{tmp_path / "nobat.db"}"\n')
    assert "there is no database" in site.nobat("backup", str(tmp_path / "backups"), code=1)
    (tmp_path / "floor.yaml").write_text(FLOOR)
    site.nobat("apply", "--yes", str(tmp_path / "floor.yaml"))
    said = site.nobat("backup", str(tmp_path / "backups"))
    (file,) = (tmp_path / "backups").iterdir()
    assert said.startswith(str(file))
    assert "--replace" in site.nobat("restore", str(file), code=1)
    other = {"NOBAT_DATABASE__URL": f"sqlite:///{tmp_path / 'other.db'}"}
    assert "restored from" in site.nobat("restore", str(file), **other)
    assert "nothing to change" in site.nobat("apply", str(tmp_path / "floor.yaml"), **other)
