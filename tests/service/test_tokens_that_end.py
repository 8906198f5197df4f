"""Tokens with an end: refused from that second on, in words, also while the database is away; their streams and sessions end."""

from pathlib import Path

import pytest
from sqlalchemy import select, text
from typer.testing import CliRunner

from nobat.auth import Authenticator, Role, TokenEnded, new_token
from nobat.cli import app as cli
from nobat.storage import schema, supervisions, tokens
from nobat.storage.database import Database
from nobat.storage.errors import StorageUnavailable
from nobat.storage.migrate import migrate
from tests.service.test_audit_chain import to_revision
from tests.support.office import Office, Person
from tests.support.stream import streaming
from tests.support.until import until

DAY = 86_400.0


async def person_for(office: Office, days: float) -> Person:
    token, kept = new_token(Role.SUPERVISOR, "for a while", office.clock.now(), days=days)
    await tokens.add(office.app.database, kept)
    return Person(office.client, token)


async def test_a_token_whose_time_is_over_is_told_so(counter: Office) -> None:
    person = await person_for(counter, 2)
    counter.clock.move(2 * DAY - 1)
    assert (await person.ask("GET", "/v1/queues")).status_code == 200
    counter.clock.move(1)
    answer = await person.ask("GET", "/v1/queues")
    assert (answer.status_code, answer.json()["slug"]) == (401, "token_ended")
    assert "new one" in answer.json()["detail"]
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


async def test_its_streams_end_with_it(counter: Office) -> None:
    person = await person_for(counter, 1)
    async with streaming(counter.interface, person.token or "") as stream:
        counter.clock.move(DAY)
        await until(lambda: stream.over, "the stream's end")


async def test_its_sessions_end_with_it(counter: Office) -> None:
    token, kept = new_token(Role.SUPERVISOR, "x", counter.clock.now(), days=1)
    await tokens.add(counter.app.database, kept)
    database, now = counter.app.database, counter.clock.now()
    assert set(await supervisions.supervisors(database, {kept.id}, now + DAY - 1)) == {kept.id}
    assert await supervisions.supervisors(database, {kept.id}, now + DAY) == {}
    assert token


async def test_it_ends_also_while_the_database_is_away(counter: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    authenticator = Authenticator(counter.app.database, lambda: now)
    token, kept = new_token(Role.ADMIN, "x", now, days=1)
    await tokens.add(counter.app.database, kept)
    assert await authenticator.principal(token) is not None

    async def away(*_: object) -> None:
        raise StorageUnavailable("away")

    monkeypatch.setattr(tokens, "find", away)
    now = DAY - 1
    assert await authenticator.principal(token) is not None
    now = DAY
    with pytest.raises(TokenEnded):
        await authenticator.principal(token)
    assert not authenticator.remembers(token)


def test_the_command_makes_them_and_the_list_shows_the_end(database_url: str, tmp_path: Path) -> None:
    file = tmp_path / "nobat.toml"
    file.write_text(f'[database]\nurl = "{database_url}"\n')

    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(cli, ["token", *words, "--config", str(file)])
        return done.exit_code, done.output

    made = run("create", "--role", "admin", "--name", "screen", "--days", "30")
    assert made[0] == 0
    assert run("create", "--role", "admin", "--name", "for ever")[0] == 0
    assert run("create", "--role", "admin", "--name", "x", "--days", "0")[0] == 2
    screen, for_ever = run("list")[1].splitlines()
    assert ", ends 20" in screen
    assert "ends" not in for_ever


async def test_without_the_column_a_token_that_ends_is_none_for_ever(database_url: str) -> None:
    """Back to a program that knows of no ends, and up again."""
    database = Database(database_url)
    await migrate(database)
    for days in (1, None):
        await tokens.add(database, new_token(Role.ADMIN, str(days), 1_700_000_000.0, days=days)[1])

    await to_revision(database_url, "0018")
    async with database.read() as connection:
        rows = await connection.execute(text("SELECT name, revoked_at FROM tokens"))
        assert {row.name: row.revoked_at is not None for row in rows} == {"1": True, "None": False}
    await migrate(database)
    async with database.read() as connection:
        assert set((await connection.execute(select(schema.tokens.c.ends_at))).scalars()) == {None}
    await database.close()
