"""Both databases for every test of the service: SQLite in a temporary folder, and a PostgreSQL server of the tests' own."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from nobat import logs
from tests.support.office import Office, agent, queue
from tests.support.postgres import PostgresServer, start_postgres


@pytest.fixture(autouse=True)
def logging_as_in_production() -> None:
    logs.configure("warning", "json")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    server = start_postgres()
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'nobat.db'}"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.create_database()


@pytest.fixture
async def office(database_url: str) -> AsyncIterator[Office]:
    """A running service with queues sales and support and the agents 101 (sales), 102 (both) and 103 (support)."""
    async with _running(database_url) as place:
        yield place


@pytest.fixture
async def counter(tmp_path: Path) -> AsyncIterator[Office]:
    """The same, for what never reaches a database and need not be asked twice."""
    async with _running(f"sqlite:///{tmp_path / 'nobat.db'}") as place:
        yield place


@asynccontextmanager
async def _running(url: str) -> AsyncIterator[Office]:
    place = Office(url)
    await place.prepare(
        [queue("sales", "8000"), queue("support", "8001")],
        [agent("101", "sales"), agent("102", "sales", "support"), agent("103", "support")],
        {"101": "4711"},
    )
    for name in ("101", "102", "103"):
        place.pbx.phone(f"PJSIP/agent-{name}")
    async with place.open():
        yield place
