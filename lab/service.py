"""The service of the lab: its settings, its tokens, its process. Everything it has is in the lab's folder.

Called by ``lab.stack``, and by tests that run the real service against a PBX of their own.
"""

import os
import signal
import subprocess
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from lab import process
from lab.asterisk import LabError
from lab.pbx import CHECKOUT

NOBAT = CHECKOUT / ".venv/bin/nobat"
START_S = 30.0
STOP_S = 10.0


@dataclass(frozen=True, slots=True)
class Service:
    """One ``nobat serve`` with a folder of its own."""

    directory: Path
    http_port: int
    ami_port: int
    ami_secret: str
    database_url: str | None = None  # None: SQLite in its folder
    pbx_name: str = "pbx1"
    voicemail_dir: Path | None = None  # where the PBX puts what callers say
    recording_dir: Path | None = None  # where the PBX puts the halves of conversations
    numbers: tuple[tuple[str, str], ...] = ()  # that limits may lead to: pattern and dial string

    @property
    def config(self) -> Path:
        return self.directory / "nobat.toml"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def log_file(self) -> Path:
        return self.directory / "nobat.log"

    @property
    def _pid_file(self) -> Path:
        return self.directory / "nobat.pid"

    def write(self) -> None:
        """Its settings file and the secret beside it."""
        self.directory.mkdir(parents=True, exist_ok=True)
        _write_secret(self.directory / "ami-secret", self.ami_secret)
        database = self.database_url or f"sqlite:///{self.directory / 'nobat.db'}"
        _write_secret(
            self.config,
            "# Written by the lab.\n"
            f'[database]\nurl = "{database}"\n\n'
            f'[http]\nhost = "127.0.0.1"\nport = {self.http_port}\n\n'
            '[log]\nformat = "json"\n\n'
            f'[recordings]\nfolder = "{self.directory / "recordings"}"\nkey_file = "{self.directory / "recordings.key"}"\n\n'
            f'[[pbx]]\nname = "{self.pbx_name}"\nhost = "127.0.0.1"\nport = {self.ami_port}\n'
            f'username = "nobat"\nsecret_file = "{self.directory / "ami-secret"}"\n'
            + (f'voicemail_dir = "{self.voicemail_dir}"\n' if self.voicemail_dir is not None else "")
            + (f'recording_dir = "{self.recording_dir}"\n' if self.recording_dir is not None else "")
            + "".join(f'\n[[numbers]]\npattern = "{number}"\ndial = "{dial}"\n' for number, dial in self.numbers),
        )

    def nobat(self, *arguments: str) -> str:
        """Run one of the service's own commands; what it printed."""
        command = [str(NOBAT), *arguments, "--config", str(self.config)]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False
        )
        if done.returncode != 0:
            raise LabError(f"nobat {' '.join(arguments)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def prepare(self, declaration: Path) -> None:
        """The database's tables, queues, agents and phones' PINs."""
        self.nobat("migrate")
        self.nobat("apply", "--yes", str(declaration))

    def token(self, file: Path, *arguments: str) -> str:
        """The token kept in ``file``; made on first use."""
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            made = self.nobat("token", "create", *arguments).split()
            _write_secret(file, f"{made[-1]}\n")
        return file.read_text().strip()

    def start(self) -> None:
        """Start it unless it runs. It is ready when ``wait_ready`` returns."""
        if self.running_pid() is None:
            # What pip has installed has its bytecode; a checkout is to have it too, or each start compiles every file anew.
            compiled = {"PYTHONDONTWRITEBYTECODE": ""}
            process.start([str(NOBAT), "serve", "--config", str(self.config)], self.log_file, self._pid_file, compiled)

    def running_pid(self) -> int | None:
        return process.running(self._pid_file, str(self.config))

    def kill(self) -> None:
        """SIGKILL: what a crash does."""
        process.end(self._pid_file, str(self.config), signal.SIGKILL, STOP_S)

    def stop(self) -> None:
        """Ask it to end."""
        process.end(self._pid_file, str(self.config), signal.SIGTERM, STOP_S)

    def wait_ready(self, seconds: float = START_S) -> None:
        """Return when ``/readyz`` answers 200; else say why it does not."""
        done = process.until(lambda: self.readiness()[0] == 200 or self.running_pid() is None, seconds)
        status, text = self.readiness()
        if not done or status != 200:
            how = "runs" if self.running_pid() is not None else "ended"
            raise LabError(
                f"the service is not ready ({how}; /readyz: {status or 'no answer'} {text})\n{self.log_tail()}"
            )

    def readiness(self) -> tuple[int, str]:
        """Status and body of ``/readyz``; 0 while nobody answers."""
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=2) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(errors="replace")
        except OSError as error:
            return 0, str(error)

    def log_tail(self, lines: int = 20) -> str:
        if not self.log_file.exists():
            return "no log yet"
        tail = self.log_file.read_text(errors="replace").splitlines()[-lines:]
        return "\n".join([f"--- {self.log_file}", *tail])


def _write_secret(file: Path, text: str) -> None:
    """Write ``file`` so that only its owner reads it, from its first byte on."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as open_file:
        open_file.write(text)
