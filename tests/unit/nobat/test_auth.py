"""Tokens: unguessable, stored as a hash, remembered for a moment only."""

from pathlib import Path

import pytest

from nobat.auth import REMEMBERED_S, Authenticator, Role, TokenProblem, digest, new_token
from nobat.storage import tokens
from nobat.storage.database import Database
from nobat.storage.errors import StorageUnavailable
from nobat.storage.migrate import migrate


def test_a_token_has_at_least_32_random_bytes_and_is_not_kept() -> None:
    made = {new_token(Role.ADMIN, "x", 0.0)[0] for _ in range(100)}
    assert len(made) == 100
    assert all(len(token.removeprefix("nobat_")) >= 43 for token in made)
    token, kept = new_token(Role.SUPERVISOR, "x", 0.0, queues=("b", "a", "b"))
    assert token not in repr(kept)
    assert (kept.hash, kept.queues) == (digest(token), ("a", "b"))


@pytest.mark.parametrize(
    ("role", "agent", "queues"),
    [
        (Role.AGENT, None, ()),
        (Role.SUPERVISOR, "101", ()),
        (Role.ADMIN, None, ("sales",)),
        (Role.AGENT, "101", ("sales",)),
    ],
)
def test_bindings_that_make_no_sense_are_refused(role: Role, agent: str | None, queues: tuple[str, ...]) -> None:
    with pytest.raises(TokenProblem):
        new_token(role, "x", 0.0, agent, queues)


def test_roles_are_ordered() -> None:
    assert Role.AGENT.rank < Role.SUPERVISOR.rank < Role.ADMIN.rank


async def test_a_known_token_outlives_the_database_but_not_its_revocation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(f"sqlite:///{tmp_path / 'nobat.db'}")
    await migrate(database)
    now = 0.0
    authenticator = Authenticator(database, lambda: now)
    token, kept = new_token(Role.ADMIN, "x", 1.0)
    assert await authenticator.principal(token) is None
    await tokens.add(database, kept)
    principal = await authenticator.principal(token)
    assert principal is not None
    assert principal.role is Role.ADMIN

    async def away(*_: object) -> None:
        raise StorageUnavailable("away")

    now = 100.0
    with monkeypatch.context() as without:
        without.setattr(tokens, "find", away)
        assert await authenticator.principal(token) == principal
        with pytest.raises(StorageUnavailable):
            await authenticator.principal("nobat_unknown")
    await tokens.revoke(database, kept.id, now)
    now += REMEMBERED_S
    assert await authenticator.principal(token) is None
    await database.close()
