"""Both databases for every test of the service: SQLite in a temporary folder, and a PostgreSQL server of the tests' own."""

import asyncio
import shutil
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


@pytest.fixture(scope="session")
def office_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database as an office finds it, made once; every office gets a copy."""
    path = tmp_path_factory.mktemp("office") / "nobat.db"
    asyncio.run(_prepared(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def office_database(postgres: PostgresServer) -> str:
    """The same in PostgreSQL: its name there."""
    url = postgres.create_database()
    asyncio.run(_prepared(url))
    return url.rpartition("/")[2]


@pytest.fixture(params=["sqlite", "postgresql"])
def office_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return _copied(request.getfixturevalue("office_file"), tmp_path)
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.create_database(like=request.getfixturevalue("office_database"))


@pytest.fixture
async def office(office_url: str) -> AsyncIterator[Office]:
    """A running service with queues sales and support and the agents 101 (sales), 102 (both) and 103 (support)."""
    async with _running(office_url) as place:
        yield place


@pytest.fixture
async def counter(office_file: Path, tmp_path: Path) -> AsyncIterator[Office]:
    """The same, for what never reaches a database and need not be asked twice."""
    async with _running(_copied(office_file, tmp_path)) as place:
        yield place


def _copied(file: Path, folder: Path) -> str:
    return f"sqlite:///{shutil.copy(file, folder / 'nobat.db')}"


async def _prepared(url: str) -> None:
    await Office(url).prepare(
        [queue("sales", "8000"), queue("support", "8001")],
        [agent("101", "sales"), agent("102", "sales", "support"), agent("103", "support")],
        {"101": "4711"},
    )


@asynccontextmanager
async def _running(url: str) -> AsyncIterator[Office]:
    place = Office(url)
    for name in ("101", "102", "103"):
        place.pbx.phone(f"PJSIP/agent-{name}")
    async with place.open():
        yield place
