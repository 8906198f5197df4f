"""A PostgreSQL server of our own for a test session: from Debian's package, in a temporary folder, on a Unix socket.

The server refuses to run as root, so as root it runs as the user ``postgres`` that the package made. Durability is off unless it is
asked for: the data does not outlive the session.
"""

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from lab.asterisk import LabError
from tests.support.ports import free_port

_OPTIONS = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "max_connections": "100"}


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A running server. ``url`` of a database that ``create_database`` made."""

    directory: Path
    port: int
    binaries: Path
    password: str

    def create_database(self, like: str = "template1") -> str:
        """A new database, empty or a copy of ``like``; its SQLAlchemy-free address (``postgresql://…``), over TCP on loopback."""
        name = f"nobat_{secrets.token_hex(6)}"
        _run_as_postgres([
            str(self.binaries / "psql"), "-h", str(self.directory), "-p", str(self.port), "-U", "nobat", "-d", "postgres",
            "-qc", f"CREATE DATABASE {name} TEMPLATE {like}",
        ], {"PGPASSWORD": self.password})  # fmt: skip
        return f"postgresql://nobat:{self.password}@127.0.0.1:{self.port}/{name}"

    def pause(self) -> None:
        """Cut all connections and refuse new ones; ``resume`` starts it again. What was committed is kept, as it would be with
        durability on: a harder stop would lose it here, where durability is off."""
        _run_as_postgres([str(self.binaries / "pg_ctl"), "-D", str(self._data), "-m", "fast", "-w", "stop"])

    def resume(self) -> None:
        _run_as_postgres([
            str(self.binaries / "pg_ctl"), "-D", str(self._data), "-l", str(self.directory / "log"), "-w", "start",
        ])  # fmt: skip

    def stop(self) -> None:
        """End it and remove everything."""
        command = [str(self.binaries / "pg_ctl"), "-D", str(self._data), "-m", "immediate", "-w", "stop"]
        _run_as_postgres(command, check=False)
        shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def _data(self) -> Path:
        return self.directory / "data"


def start_postgres(*, durable: bool = False) -> PostgresServer:
    """Make a cluster and start it; takes about two seconds. ``durable``: every commit is on disk, as in use."""
    directory = Path(tempfile.mkdtemp(prefix="nobat-pg-"))
    server = PostgresServer(directory, free_port(), _binaries(), secrets.token_hex(8))
    password_file = directory / "password"
    password_file.write_text(server.password)
    if os.geteuid() == 0:
        owner = pwd.getpwnam("postgres")
        for path in (directory, password_file):
            os.chown(path, owner.pw_uid, owner.pw_gid)
    _run_as_postgres([
        str(server.binaries / "initdb"), "-D", str(directory / "data"), "-U", "nobat", "-A", "scram-sha-256",
        f"--pwfile={password_file}", "--locale=C.UTF-8", "--no-sync",
    ])  # fmt: skip
    options = {
        **({} if durable else _OPTIONS),
        "port": str(server.port),
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": directory,
    }
    settings = "".join(f"{name} = '{value}'\n" for name, value in options.items())
    _run_as_postgres(["sh", "-c", 'cat >> "$0"', str(directory / "data/postgresql.conf")], text=settings)
    try:
        server.resume()
    except LabError:
        server.stop()
        raise
    return server


def _binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not found:
        raise LabError("PostgreSQL is missing: apt-get install postgresql (`make test` does)")
    return found[-1].parent


def _run_as_postgres(
    command: list[str], env: dict[str, str] | None = None, *, text: str | None = None, check: bool = True
) -> None:
    user = "postgres" if os.geteuid() == 0 else None
    done = subprocess.run(
        command, user=user, group=user, extra_groups=[] if user else None, env={**os.environ, **(env or {})},
        input=text, text=True, capture_output=True, check=False, cwd="/", timeout=60,
    )  # fmt: skip
    if check and done.returncode != 0:
        raise LabError(f"{' '.join(command)}: {done.stderr}{done.stdout}")
