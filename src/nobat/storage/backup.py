"""Backups while calls go on, and the way back. Called by ``nobat backup`` and ``nobat restore``.

A backup is one file of one moment: of SQLite a copy made by its own online backup (readers of a WAL hold up no writer), of
PostgreSQL what ``pg_dump`` writes in its custom format. It is looked through before it gets its name, so a file that has its name
is whole. A restore happens in one step, under the lock of the service: none can run meanwhile.
"""

import asyncio
import os
import re
import shutil
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import inspect, make_url

from nobat.storage import audit, operators
from nobat.storage.database import Database
from nobat.storage.migrate import HEAD, current_version, known_versions, migrate
from nobat.storage.nodelock import NodeLock

SUFFIXES = {True: ".sqlite", False: ".pgdump"}
_NAME = re.compile(r"nobat-\d{8}T\d{6}Z\.(sqlite|pgdump)")


class BackupError(Exception):
    """A backup or a restore that was not done; nothing was changed. The message is for the operator."""


@dataclass(frozen=True, slots=True)
class Backup:
    """One that was made."""

    file: Path
    size: int
    version: str


async def make_backup(url: str, folder: Path, moment: datetime, keep: int | None = None) -> Backup:
    """Write a backup of the database into ``folder``; with ``keep``, remove all but so many of the newest."""
    database = Database(url)
    try:
        if database.file is not None and not database.file.exists():
            raise BackupError(f"there is no database at {database.file}")
        file = folder / f"nobat-{moment:%Y%m%dT%H%M%SZ}{SUFFIXES[database.is_sqlite]}"
        part = file.with_name(f".{file.name}.part")
        _make_folder(folder)
        try:
            if database.file is not None:
                await asyncio.to_thread(_copy_sqlite, database.file, part)
                version = await asyncio.to_thread(_version_of_sqlite, part)
            else:
                await asyncio.to_thread(_dump, url, part)
                version = await asyncio.to_thread(_version_of_dump, part)
            _settle(part, file)
        finally:
            part.unlink(missing_ok=True)
    finally:
        await database.close()
    if keep is not None:
        _remove_old(folder, keep)
    return Backup(file, file.stat().st_size, version)


async def restore(url: str, file: Path, *, replace: bool) -> str:
    """Make the database what it was; its version then. Raises ``BackupError``, and ``WrongDatabase`` while a service uses it."""
    database = Database(url)
    node = NodeLock(database)
    try:
        version = await asyncio.to_thread(_version_of, file, database.is_sqlite)
        if version not in known_versions():
            raise BackupError(f"{file} has schema {version}, made by a newer nobat; this one knows up to {HEAD}")
        await node.take()
        if await current_version(database) is not None and not replace:
            raise BackupError("the database has something in it: --replace puts the backup in its place")
        noted = await _end_of_audit(database)
        if database.file is not None:
            await database.close()  # its open connections are to the file that goes
            await asyncio.to_thread(_put_sqlite, file, database.file)
        else:
            await asyncio.to_thread(_undump, url, file)
        await migrate(database, alone=True)
        until = f", in place of one whose audit ended at {noted}" if noted is not None else ""
        async with database.write() as connection:
            await operators.note_after(connection, ("restore", f"{file.name}{until}"))
        return version
    finally:
        await node.release()
        await database.close()


async def _end_of_audit(database: Database) -> audit.Link | None:
    """Where the audit that goes away ends, if there is one that can be read."""
    async with database.read() as connection:
        there = await connection.run_sync(lambda sync: inspect(sync).has_table("audit_head"))
    return await audit.head(database) if there else None


def _version_of(file: Path, is_sqlite: bool) -> str:
    if not file.is_file():
        raise BackupError(f"there is no {file}")
    with file.open("rb") as opened:
        begins_as_sqlite = opened.read(15) == b"SQLite format 3"
    if begins_as_sqlite != is_sqlite:
        raise BackupError(
            f"{file} is a backup of {'SQLite' if begins_as_sqlite else 'PostgreSQL'}, the database is the other"
        )
    return _version_of_sqlite(file) if is_sqlite else _version_of_dump(file)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise BackupError(f"{folder}: {error.strerror}") from None


def _remove_old(folder: Path, keep: int) -> None:
    for old in sorted(one for one in folder.iterdir() if _NAME.fullmatch(one.name))[:-keep]:
        old.unlink()


def _settle(part: Path, file: Path) -> None:
    """Give a whole file its name, for good."""
    with part.open("rb") as written:
        os.fsync(written.fileno())
    part.rename(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


# ---------------------------------------------------------------- SQLite


def _copy_sqlite(source: Path, target: Path) -> None:
    """A copy as of one moment. All pages in one step: in several it would begin anew whenever somebody writes."""
    target.unlink(missing_ok=True)
    os.close(os.open(target, os.O_RDWR | os.O_CREAT, 0o600))
    try:
        with (
            closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as live,
            closing(sqlite3.connect(target)) as copy,
        ):
            live.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, without a WAL beside it
    except sqlite3.Error as error:
        raise BackupError(f"{source}: {error}") from None


def _version_of_sqlite(file: Path) -> str:
    """Look through the file, and tell the version of its schema."""
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro&immutable=1", uri=True)) as connection:
            (verdict,) = connection.execute("PRAGMA integrity_check").fetchone()
            if verdict != "ok":
                raise BackupError(f"{file} is damaged: {verdict}")
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error as error:
        raise BackupError(f"{file} is no backup of Nobat, or is damaged: {error}") from None
    return str(row[0]) if row else ""


def _put_sqlite(file: Path, target: Path) -> None:
    """The file takes the database's place; what was there stays beside it as ``<database>.replaced``."""
    fresh = target.with_name(f".{target.name}.restoring")
    shutil.copyfile(file, fresh)
    fresh.chmod(0o600)
    for ending in ("", "-wal", "-shm"):
        old, aside = target.with_name(target.name + ending), target.with_name(f"{target.name}.replaced{ending}")
        aside.unlink(missing_ok=True)
        if old.exists():
            old.rename(aside)
    _settle(fresh, target)


# ---------------------------------------------------------------- PostgreSQL


def _run(program: str, url: str | None, *arguments: str) -> str:
    """One of PostgreSQL's programs. The password goes by the environment, where other users do not see it."""
    if shutil.which(program) is None:
        raise BackupError(f"{program} is not installed: apt-get install postgresql-client, not older than the server")
    env, where = dict(os.environ), []
    if url is not None:
        parsed = make_url(url).set(drivername="postgresql")
        env["PGPASSWORD"] = str(parsed.password or "")
        where = ["--dbname", parsed._replace(password=None).render_as_string()]
    done = subprocess.run(  # noqa: S603 - the operator's own settings and arguments, and no shell
        [program, *where, *arguments], env=env, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise BackupError(
            f"{program}: {done.stderr.strip().splitlines()[0] if done.stderr.strip() else done.returncode}"
        )
    return done.stdout


def _dump(url: str, target: Path) -> None:
    os.close(os.open(target, os.O_RDWR | os.O_CREAT, 0o600))
    _run("pg_dump", url, "--format=custom", "--no-owner", "--no-privileges", f"--file={target}")


def _version_of_dump(file: Path) -> str:
    """Read the file to its end, and tell the version of its schema."""
    _run("pg_restore", None, "--file=/dev/null", str(file))
    rows = _run("pg_restore", None, "--data-only", "--table=alembic_version", "--file=-", str(file))
    found = re.search(r"^COPY .*alembic_version.*;\n(\S+)$", rows, re.MULTILINE)
    if found is None:
        raise BackupError(f"{file} is no backup of Nobat")
    return found[1]


def _undump(url: str, file: Path) -> None:
    """All or nothing."""
    _run("pg_restore", url, "--clean", "--if-exists", "--no-owner", "--no-privileges", "--single-transaction",
         "--exit-on-error", str(file))  # fmt: skip
