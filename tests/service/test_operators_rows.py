"""What a command does to the database itself is in the audit like what is asked over REST: by the account that ran it."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from nobat.cli import app as cli
from nobat.storage import audit, operators, schema
from nobat.storage.database import Database
from tests.service.test_audit_chain import BEFORE, to_revision

FLOOR = """
queues:
  - {id: sales, number: "8000"}
agents:
  - {id: ann, name: Ann, device: PJSIP/agent-101, queues: [sales], pin: "4711"}
opt_outs: ["+989121234567"]
"""


class Site:
    """One database, and the commands of a program that has it."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder
        self.settings = folder / "nobat.toml"
        self.settings.write_text(f'[database]\nurl = "{url}"\n')

    def nobat(self, *words: str, code: int = 0) -> str:
        done = CliRunner().invoke(cli, [*words, "--config", str(self.settings)])
        assert done.exit_code == code, done.output
        return done.output

    def rows(self) -> list[tuple[str, str]]:
        """Operation and target of each row, and that each says who it was."""

        async def read() -> list[tuple[str, str]]:
            database = Database(self.url)
            async with database.read() as connection:
                found = list(await connection.execute(select(schema.audit).order_by(schema.audit.c.number)))
            await database.close()
            assert {(one.token_name, one.role) for one in found} <= {(operators.operator(), "operator")}
            return [(one.action, one.target) for one in found]

        return asyncio.run(read())

    def without_head(self) -> None:
        """Somebody takes the head of the chain away."""

        async def take() -> None:
            database = Database(self.url)
            async with database.write() as connection:
                await connection.execute(schema.audit_head.delete())
            await database.close()

        asyncio.run(take())


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Site:
    return Site(database_url, tmp_path)


def test_each_change_of_a_file_is_a_row(site: Site) -> None:
    file = site.folder / "floor.yaml"
    file.write_text(FLOOR)
    site.nobat("apply", str(file), "--yes", "--dry-run")
    assert site.rows() == []
    site.nobat("apply", str(file), "--yes")
    assert site.rows() == [("createQueue", "sales"), ("createAgent", "ann"), ("putOptOut", "1 numbers of a file")]
    file.write_text(FLOOR.replace("Ann", "Anna").replace('"8000"', '"8001"'))
    site.nobat("apply", str(file), "--yes")
    assert site.rows()[3:] == [("changeQueue", "sales"), ("changeAgent", "ann")]
    file.write_text("queues: []\nagents: []\nopt_outs: []\n")
    site.nobat("apply", str(file), "--yes", "--prune")
    assert site.rows()[5:] == [
        ("deleteAgent", "ann"),
        ("deleteQueue", "sales"),
        ("deleteOptOut", "1 numbers of a file"),
    ]
    assert "8 rows as they were written" in site.nobat("audit", "verify")


def test_tokens_and_callers(site: Site) -> None:
    token = site.nobat("token", "create", "--role", "admin", "--name", "boss").strip()
    key = site.nobat("token", "list").split()[0]
    site.nobat("token", "revoke", key)
    callers = site.folder / "callers.csv"
    callers.write_text("number,name\n09121234567,Ali\n")
    site.nobat("callers", "import", str(callers))
    assert site.rows() == [
        ("createToken", f"{key} admin boss"),
        ("revokeToken", key),
        ("importCallers", "1 callers of callers.csv"),
    ]
    assert token not in str(site.rows())


def test_a_restore_says_where_the_audit_ended_that_it_took_the_place_of(site: Site) -> None:
    site.nobat("token", "create", "--role", "admin", "--name", "kept")
    made = site.nobat("backup", str(site.folder / "backups")).split()[0]
    site.nobat("token", "create", "--role", "admin", "--name", "lost")
    noted = site.nobat("audit", "head").strip()
    site.nobat("restore", made, "--replace")
    first, last = site.rows()
    assert first[0] == "createToken"
    assert last == ("restore", f"{Path(made).name}, in place of one whose audit ended at {noted}")
    site.nobat("audit", "verify")


def test_bringing_a_database_up_to_date_is_a_row_and_making_one_is_none(site: Site) -> None:
    site.nobat("migrate")
    assert site.rows() == []
    asyncio.run(to_revision(site.url, BEFORE))
    site.nobat("migrate")
    ((action, target),) = site.rows()
    assert (action, target.partition(" to ")[0]) == ("migrate", f"schema {BEFORE}")


def test_what_cannot_be_written_down_is_not_done(site: Site) -> None:
    site.nobat("token", "create", "--role", "admin", "--name", "x")
    site.without_head()
    site.nobat("token", "create", "--role", "admin", "--name", "unseen", code=1)
    assert "unseen" not in site.nobat("token", "list")


def test_a_chain_without_its_head_stops_neither_a_restore_nor_a_start(site: Site) -> None:
    site.nobat("token", "create", "--role", "admin", "--name", "x")
    site.without_head()
    made = site.nobat("backup", str(site.folder / "backups")).split()[0]
    site.nobat("restore", made, "--replace")
    assert "head of the chain is missing" in site.nobat("audit", "verify", code=1)


def test_whoever_became_another_is_named_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "mallory")
    assert operators.operator().endswith(" (sudo by mallory)")
    monkeypatch.delenv("SUDO_USER")
    assert "(" not in operators.operator()
    assert audit.AuditEntry(0.0, "-", operators.operator(), "operator", "x", "y").token_name.count("@") == 1
