"""The service and its schema are upgraded with callers in line and in conversation: nobody is lost, every record is there.

The newer program is this one with one migration more, of the unkind sort: it makes the table of calls anew with another column.
What it can do ahead it does while the older one serves.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import bindparam, text

from lab import process
from lab.asterisk import LabError
from lab.service import NOBAT, Service
from nobat.storage.database import Database
from nobat.storage.migrate import HEAD, current_version
from tests.support.postgres import start_postgres
from tests.support.serving import Serving
from tests.support.until import until

SOURCES = Path(__file__).parents[2] / "src"
NEWER = "9999"
MIGRATION = f'''"""Calls have a column more."""

import sqlalchemy as sa
from alembic import op

from nobat.storage import ahead

revision = "{NEWER}"
down_revision = "{HEAD}"
branch_labels = None
depends_on = None

AHEAD = (
    ahead.EmptyColumn("calls", "weather", sa.String(20)),
    ahead.Fill("weather", "calls", "entered_at", lambda _: "UPDATE calls SET weather = 'fair' WHERE"
               " weather IS NULL AND entered_at > :after AND entered_at <= :upto"),
    ahead.Index("ix_calls_weather", "calls", ("weather", "entered_at")),
)


def upgrade() -> None:
    ahead.finish(AHEAD)
    with op.batch_alter_table("calls", recreate="always") as calls:
        calls.add_column(sa.Column("mood", sa.String(20), nullable=False, server_default="unknown"))


def downgrade() -> None:
    pass
'''


class NewerService(Service):
    """The same site, run by the program of another folder."""

    @property
    def _environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(self.directory / "newer")}

    def start(self) -> None:
        command = [str(NOBAT), "serve", "--config", str(self.config)]
        process.start(command, self.log_file, self._pid_file, self._environment)

    def nobat(self, *arguments: str) -> str:
        command = [str(NOBAT), *arguments, "--config", str(self.config)]
        done = subprocess.run(command, capture_output=True, text=True, env=self._environment, check=False)
        if done.returncode != 0:
            raise LabError(done.stderr)
        return done.stdout


def newer_than(old: Service) -> NewerService:
    """The newer program, on the same site."""
    folder = old.directory / "newer"
    shutil.copytree(SOURCES, folder, ignore=shutil.ignore_patterns("__pycache__"))
    storage = folder / "nobat/storage"
    (storage / "migrations/versions" / f"{NEWER}_newer.py").write_text(MIGRATION)
    code = (storage / "migrate.py").read_text()
    (storage / "migrate.py").write_text(re.sub(r'^HEAD = ".*"$', f'HEAD = "{NEWER}"', code, flags=re.MULTILINE))
    return NewerService(**{name: getattr(old, name) for name in old.__dataclass_fields__})


async def version(service: Service) -> str | None:
    database = _database(service)
    found = await current_version(database)
    await database.close()
    return found


async def records(service: Service, numbers: list[str]) -> list[tuple[str, ...]]:
    """Number, outcome and what the newer program knows besides, of these callers."""
    wanted = text("SELECT number, outcome, mood, weather FROM calls WHERE number IN :numbers ORDER BY number, outcome")
    database = _database(service)
    async with database.read() as connection:
        found = await connection.execute(wanted.bindparams(bindparam("numbers", numbers, expanding=True)))
        rows = [tuple(row) for row in found]
    await database.close()
    return rows


def _database(service: Service) -> Database:
    return Database(service.database_url or f"sqlite:///{service.directory / 'nobat.db'}")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str | None]:
    if request.param == "sqlite":
        yield None
        return
    server = start_postgres()
    yield server.create_database()
    server.stop()


async def test_an_upgrade_of_service_and_schema_loses_nobody(serving: Serving, database_url: str | None) -> None:
    async with serving.on_database(database_url) as here:
        bank, old = here.bank, here.service
        newer = newer_than(old)
        await bank.given_phone("agent-101", talk=0)
        await here.given_available("101")
        past = await bank.call("8000")
        await here.until_call(past, state="talking")
        await bank.leave(past)
        await here.until_call(past, state="ended")
        talking = await bank.call("8000")
        before = await here.until_call(talking, state="talking", agent="101")
        waiting = []
        for _ in range(3):
            waiting.append(await bank.call("8000"))
            await here.until_line(waiting)
        with pytest.raises(LabError, match="stop that one"):  # the schema is not changed under the older one
            newer.nobat("token", "list")
        assert "index ix_calls_weather" in newer.nobat("migrate", "--ahead")
        assert await version(old) == HEAD
        waiting.append(await bank.call("8000"))  # the older one goes on, and its records are to be the newer one's
        await here.until_line(waiting)
        places = [(one["id"], one["entered_at"]) for one in [await here.call_of(one) for one in waiting]]

        old.stop()  # as `systemctl restart` does: the old one is gone before the new one begins
        late = await bank.call("8000")
        here.service = newer
        newer.start()
        newer.wait_ready()
        assert await version(newer) == NEWER

        await here.until_line([*waiting, late])
        assert [(one["id"], one["entered_at"]) for one in [await here.call_of(one) for one in waiting]] == places
        now = await here.until_call(talking, state="talking", agent="101")
        assert (now["id"], now["entered_at"]) == (before["id"], before["entered_at"])
        assert (await here.call_of(past))["outcome"] == "answered"
        await bank.leave(talking)
        for one in (*waiting, late):  # in their order, each with the agent
            await here.until_call(one, within_s=15, state="talking", agent="101")
            await bank.leave(one)
            await here.until_call(one, state="ended", outcome="answered")
        numbers = [one.number for one in (past, talking, *waiting, late)]
        wanted = sorted((number, "answered", "unknown") for number in numbers)
        seen: list[tuple[str, ...]] = []

        async def all_there() -> bool:
            seen[:] = await records(newer, numbers)
            return [row[:3] for row in seen] == wanted

        await until(all_there, "all are on record", seen=lambda: seen)
        assert {row[3] for row in seen if row[0] == past.number} == {"fair"}
