"""A PostgreSQL server of the tests' own: Debian's binaries, a folder in /tmp, an ordinary user, loopback only.

PostgreSQL refuses to run as root, so as root its programs are started as user ``postgres`` (or ``nobody``). Durability is
switched off: the data lives as long as the test session.
"""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.ports import free_port

START_DEADLINE_S = 60.0


class NoPostgres(Exception):
    """Debian's package ``postgresql`` is not installed."""


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A running server. ``create_database`` makes an empty database and returns its address for the service."""

    binaries: Path
    folder: Path
    port: int
    process: "subprocess.Popen[bytes]"

    def create_database(self, name: str) -> str:
        self.sql("postgres", f'CREATE DATABASE "{name}"')
        return f"postgresql://nobat:nobat@127.0.0.1:{self.port}/{name}"

    def sql(self, database: str, statement: str) -> str:
        """Run one statement as the server's owner."""
        done = subprocess.run(
            [
                *(str(self.binaries / "psql"), "-h", "127.0.0.1", "-p", str(self.port), "-U", "nobat"),
                *("-d", database, "-v", "ON_ERROR_STOP=1", "-qAt", "-c", statement),
            ],
            env={**os.environ, "PGPASSWORD": "nobat"},
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
        return done.stdout.strip()

    def pause(self) -> None:
        """The server and its children no longer answer: a database that hangs."""
        _signal_all(self.process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        _signal_all(self.process.pid, signal.SIGCONT)


def _children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in path.read_text().split()] if path.exists() else []


def _signal_all(pid: int, number: signal.Signals) -> None:
    for one in (pid, *_children(pid)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(one, number)


def binaries() -> Path:
    """The newest installed server."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if not found:
        raise NoPostgres("install Debian's package postgresql")
    return found[-1].parent


def _as_ordinary_user(command: list[str]) -> list[str]:
    if os.geteuid() != 0:
        return command
    return ["setpriv", f"--reuid={_owner().pw_uid}", f"--regid={_owner().pw_gid}", "--clear-groups", *command]


def _owner() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise NoPostgres("there is no user postgres or nobody")


@contextlib.contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """Start a server in a folder of its own; gone with all its data at the end."""
    programs = binaries()
    folder = Path(tempfile.mkdtemp(prefix="nobat-pg-"))
    try:
        if os.geteuid() == 0:
            os.chown(folder, _owner().pw_uid, _owner().pw_gid)
        (folder / "password").write_text("nobat\n")
        (folder / "password").chmod(0o644)
        data = folder / "data"
        init = [str(programs / "initdb"), "-D", str(data), "-U", "nobat", "-A", "scram-sha-256", "-E", "UTF8"]
        init += ["--locale=C", f"--pwfile={folder / 'password'}", "--no-sync"]
        subprocess.run(_as_ordinary_user(init), cwd="/", check=True, capture_output=True, timeout=START_DEADLINE_S)
        with _serving(programs, folder, data) as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _serving(programs: Path, folder: Path, data: Path) -> Iterator[PostgresServer]:
    port = free_port()
    options = {
        "port": str(port),
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": str(folder),
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "shared_buffers": "32MB",
        "max_connections": "60",
    }
    command = [str(programs / "postgres"), "-D", str(data)]
    command += [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(_as_ordinary_user(command), cwd="/", stdout=log, stderr=log)
    server = PostgresServer(programs, folder, port, process)
    try:
        _wait_until_ready(server)
        yield server
    finally:
        server.resume()
        process.send_signal(signal.SIGINT)  # fast shutdown
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(server: PostgresServer) -> None:
    deadline = time.monotonic() + START_DEADLINE_S
    ready = [str(server.binaries / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(server.port)]
    while subprocess.run(ready, check=False).returncode != 0:
        if server.process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"PostgreSQL did not start: {(server.folder / 'log').read_text()[-2000:]}")
        time.sleep(0.05)
