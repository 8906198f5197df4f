"""Brings a database to the schema of this program. Run at each start of ``nobat serve``, and by the other commands.

Never under a service that runs: one of an older program would go on with tables that it does not know. So an upgrade is to stop
the old service and to start the new one, in that order, and a command of the new program in between is refused.

All steps happen in one transaction under a lock, so a crash in the middle leaves the database as it was and two programs that
start together do the work once. A database that is up to date is recognised without loading Alembic.

No call is routed meanwhile: Asterisk serves the callers alone. What takes long can be done before the old service is stopped, by
``ahead``, which changes nothing that an older program would notice (``nobat.storage.ahead``).
"""

from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import Connection, inspect, text

from nobat.storage import operators
from nobat.storage.database import Database
from nobat.storage.errors import WrongDatabase
from nobat.storage.nodelock import NodeLock

if TYPE_CHECKING:
    from alembic.config import Config

    from nobat.storage.ahead import Step

log = structlog.get_logger(__name__)

HEAD = "0023"
"""The newest migration; a test holds it against the folder."""

_ADVISORY_LOCK = 0x4E6F626174  # "Nobat"


async def current_version(database: Database) -> str | None:
    """The version of the database, None for an empty one."""
    async with database.read() as connection:
        return await connection.run_sync(_version)


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return str(version) if version is not None else None


async def migrate(database: Database, *, alone: bool = False) -> bool:
    """Bring the schema up to date; False if it was. ``alone``: the caller holds the service's lock.

    Raises ``WrongDatabase`` for a database made by a newer program, or one that a service of an older program uses now.
    """
    database.make_place()
    version = await current_version(database)
    if version == HEAD:
        return False
    if alone or version is None:
        return await _told(database, version)
    node = NodeLock(database)
    try:
        await node.take()
    except WrongDatabase as error:
        raise WrongDatabase(
            f"the database has schema {version}, this program {HEAD}, and {error}: stop that one; "
            "the new service brings the database up to date when it starts"
        ) from None
    try:
        return await _told(database, version)
    finally:
        await node.release()


async def ahead(database: Database, tell: Callable[[str], None]) -> bool:
    """Do what takes long and disturbs no older program; False if there is nothing to do. The version stays as it is.

    Raises ``WrongDatabase`` for a database made by a newer program.
    """
    from nobat.storage.ahead import ahead as do

    version = await current_version(database)
    steps = _steps_from(version)

    async def still() -> bool:
        return await current_version(database) == version

    patient = database.another(statement_s=None)
    try:
        await do(patient, steps, still, tell)
    finally:
        await patient.close()
    return bool(steps)


def _steps_from(version: str | None) -> list["Step"]:
    """What the migrations between a version and this program's can do ahead, in their order."""
    from alembic.script import ScriptDirectory

    if version is None or version == HEAD:
        return []
    _refuse_newer(version)
    scripts = ScriptDirectory.from_config(alembic_config()).iterate_revisions(HEAD, version)
    return [step for script in [*scripts][::-1] for step in getattr(script.module, "AHEAD", ())]


async def _told(database: Database, version: str | None) -> bool:
    """Upgraded, with a word before and after: it is what a start can take longest for."""
    if version is not None:
        log.warning("the schema is brought up to date; until then no call is routed", schema=version, wanted=HEAD)
    database.upgrading = f"the schema is brought up to date, from {version} to {HEAD}" if version is not None else None
    began = perf_counter()
    try:
        changed = await _upgraded(database)
    finally:
        database.upgrading = None
    if version is not None:
        log.info("the schema is up to date", schema=HEAD, took_s=round(perf_counter() - began, 1))
    return changed


async def _upgraded(database: Database) -> bool:
    patient = database.another(statement_s=None)  # an index over years of history takes its minutes
    try:
        async with patient.write() as connection:
            if not database.is_sqlite:
                await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
            before = await connection.run_sync(_version)
            changed = await connection.run_sync(_upgrade)
            if changed and before is not None:
                await operators.note_after(connection, ("migrate", f"schema {before} to {HEAD}"))
            return changed
    finally:
        await patient.close()


def known_versions() -> frozenset[str]:
    """Every version of the schema that this program can bring up to date."""
    from alembic.script import ScriptDirectory

    return frozenset(one.revision for one in ScriptDirectory.from_config(alembic_config()).walk_revisions())


def _upgrade(connection: Connection) -> bool:
    from alembic import command

    from nobat.storage.ahead import forget

    version = _version(connection)
    if version == HEAD:
        return False
    config = alembic_config()
    if version is not None:
        _refuse_newer(version)
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    forget(connection)
    return True


def _refuse_newer(version: str) -> None:
    if version not in known_versions():
        raise WrongDatabase(f"the database has schema {version}, made by a newer nobat; this one knows up to {HEAD}")


def alembic_config() -> "Config":
    """Alembic's settings, without a file of its own."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.set_main_option("path_separator", "os")
    return config
