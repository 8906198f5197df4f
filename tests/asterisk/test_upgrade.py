"""The service and its schema are upgraded with callers in line and in conversation: nobody is lost, every record is there.

The newer program is this one with one migration more, of the unkind sort: it makes the table of calls anew with another column.
"""

import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lab import process
from lab.asterisk import LabError
from lab.service import NOBAT, Service
from nobat.storage.migrate import HEAD
from tests.support.serving import Serving
from tests.support.until import until

SOURCES = Path(__file__).parents[2] / "src"
NEWER = "9999"
MIGRATION = f'''"""Calls have a column more."""

import sqlalchemy as sa
from alembic import op

revision = "{NEWER}"
down_revision = "{HEAD}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("calls", recreate="always") as calls:
        calls.add_column(sa.Column("mood", sa.String(20), nullable=False, server_default="unknown"))


def downgrade() -> None:
    with op.batch_alter_table("calls") as calls:
        calls.drop_column("mood")
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


@pytest.fixture
def newer(serving: Serving) -> Iterator[NewerService]:
    """The newer program; afterwards the site is the older one's again, with its schema."""
    old = serving.service
    folder = old.directory / "newer"
    shutil.copytree(SOURCES, folder, ignore=shutil.ignore_patterns("__pycache__"))
    storage = folder / "nobat/storage"
    (storage / "migrations/versions" / f"{NEWER}_newer.py").write_text(MIGRATION)
    text = (storage / "migrate.py").read_text()
    (storage / "migrate.py").write_text(re.sub(r'^HEAD = ".*"$', f'HEAD = "{NEWER}"', text, flags=re.MULTILINE))
    yield NewerService(**{name: getattr(old, name) for name in old.__dataclass_fields__})
    if serving.service is not old:
        serving.service.stop()
        with closing(sqlite3.connect(old.directory / "nobat.db")) as database:
            database.execute("ALTER TABLE calls DROP COLUMN mood")
            database.execute("UPDATE alembic_version SET version_num = ?", (HEAD,))
            database.commit()
        serving.service = old
        old.start()
        old.wait_ready()
    shutil.rmtree(folder)


def version(service: Service) -> str:
    with closing(sqlite3.connect(service.directory / "nobat.db", timeout=20)) as database:
        return str(database.execute("SELECT version_num FROM alembic_version").fetchone()[0])


async def test_an_upgrade_of_service_and_schema_loses_nobody(serving: Serving, newer: NewerService) -> None:
    bank = serving.bank
    await bank.given_phone("agent-101", talk=0)
    await serving.given_available("101")
    past = await bank.call("8000")
    await serving.until_call(past, state="talking")
    await bank.leave(past)
    await serving.until_call(past, state="ended")
    talking = await bank.call("8000")
    before = await serving.until_call(talking, state="talking", agent="101")
    waiting = []
    for _ in range(4):
        waiting.append(await bank.call("8000"))
        await serving.until_line(waiting)
    places = [(one["id"], one["entered_at"]) for one in [await serving.call_of(one) for one in waiting]]

    serving.service.stop()  # as `systemctl restart` does: the old one is gone before the new one begins
    late = await bank.call("8000")
    serving.service = newer
    newer.start()
    newer.wait_ready()
    assert version(newer) == NEWER

    await serving.until_line([*waiting, late])
    assert [(one["id"], one["entered_at"]) for one in [await serving.call_of(one) for one in waiting]] == places
    now = await serving.until_call(talking, state="talking", agent="101")
    assert (now["id"], now["entered_at"]) == (before["id"], before["entered_at"])
    assert (await serving.call_of(past))["outcome"] == "answered"
    await bank.leave(talking)
    for one in (*waiting, late):  # in their order, each with the agent
        await serving.until_call(one, within_s=15, state="talking", agent="101")
        await bank.leave(one)
        await serving.until_call(one, state="ended", outcome="answered")
    numbers = [one.number for one in (past, talking, *waiting, late)]
    wanted = sorted((number, "answered", "unknown") for number in numbers)
    await until(lambda: records(newer, numbers) == wanted, "all are on record", seen=lambda: records(newer, numbers))


def records(service: Service, numbers: list[str]) -> list[tuple[str, str, str]]:
    """Number, outcome and what the newer program knows besides, of these callers."""
    with closing(sqlite3.connect(service.directory / "nobat.db", timeout=20)) as database:
        marks = ",".join("?" * len(numbers))
        query = f"SELECT number, outcome, mood FROM calls WHERE number IN ({marks}) ORDER BY number, outcome"
        return list(database.execute(query, numbers))


async def test_a_command_of_the_newer_program_does_not_change_the_schema_under_the_older_service(
    serving: Serving, newer: NewerService
) -> None:
    with pytest.raises(LabError, match="stop that one"):
        newer.nobat("token", "list")
    assert version(newer) == HEAD
