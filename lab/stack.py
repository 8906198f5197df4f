"""The lab: one PBX and one service in the background, in a folder of their own, for soft phones and outside tests.

``up`` may be called again at any time and brings what is missing. Called by ``python -m lab`` (the Makefile) and by
``lab.demo``.
"""

import fcntl
import hashlib
import json
import secrets
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.ami_probe import wait_until_booted
from lab.asterisk import Instance, LabError
from lab.declaration import declaration, fallback_queues
from lab.home import find_home
from lab.pbx import PbxSettings, write_pbx
from lab.phones import lab_phones
from lab.service import Service
from lab.settings import LabSettings

TOKENS = {
    "agent-101": ("--role", "agent", "--name", "agent-101", "--agent", "101"),
    "supervisor": ("--role", "supervisor", "--name", "supervisor"),
    "admin": ("--role", "admin", "--name", "admin"),
}


class Lab:
    """The lab in ``settings.directory``."""

    def __init__(self, settings: LabSettings) -> None:
        self.settings = settings
        self.directory = settings.directory
        self.pbx = Instance(f"lab-{_short(self.directory)}", find_home(), self.directory / "pbx")

    # ------------------------------------------------ what the Makefile asks for

    def up(self) -> None:
        """PBX and service run, queues and agents are there, ``/readyz`` is 200. LabError says what does not work."""
        with self._alone():
            self._refuse_other_settings()
            self._start_pbx()
            self._start_service()

    def down(self) -> None:
        """End both, and remove the folder."""
        if self.directory.exists():
            with self._alone():
                self.service().stop()
                self.pbx.stop()
            shutil.rmtree(self.directory, ignore_errors=True)

    def kill_service(self) -> None:
        self.service().kill()

    def start_service(self) -> None:
        if not (self.directory / "nobat.toml").exists():
            raise LabError("there is no lab here; `make lab` makes one")
        with self._alone():
            service = self.service()
            service.start()
            service.wait_ready()

    def service(self) -> Service:
        """The service with the settings and the secret of this lab."""
        running = self._running_settings() or self.settings.shown()
        ports = int(running["http_port"]), int(running["ami_port"])
        return Service(
            self.directory, *ports, self._secret(), voicemail_dir=self.pbx.voicemail, recording_dir=self.pbx.recordings
        )

    def tokens(self) -> dict[str, str]:
        """The tokens of a lab that is up, by their names."""
        return {name: self._token_file(name).read_text().strip() for name in TOKENS}

    # ------------------------------------------------ steps

    def _start_pbx(self) -> None:
        if self.pbx.running_pid() is None:
            self._refuse_taken_ports()
            write_pbx(self.pbx, self._pbx_settings())
            self._settings_file.write_text(json.dumps(self.settings.shown(), indent=1))
            self.pbx.start()
            link = self.directory / "asterisk"
            link.unlink(missing_ok=True)
            link.symlink_to(self.pbx.directory)
        if not wait_until_booted(self.settings.ami_port, "nobat", self._secret(), 20):
            raise LabError(f"the PBX did not start\n{self.pbx.log_tail()}")

    def _start_service(self) -> None:
        service = self.service()
        if service.running_pid() is None:
            service.write()
            service.prepare(self._declaration())
        service.start()
        for name, arguments in TOKENS.items():
            service.token(self._token_file(name), *arguments)
        service.wait_ready()

    def _pbx_settings(self) -> PbxSettings:
        return PbxSettings(
            sip_port=self.settings.sip_port,
            ami_port=self.settings.ami_port,
            ami_secret=self._secret(),
            trunk=self.settings.trunk,
            phones=lab_phones(self.settings.agents),
            rtp_start=10000,
            rtp_end=19999,
            rtp_timeout_s=self.settings.rtp_timeout_s,
            queues=fallback_queues(self._declaration()),
        )

    def _declaration(self) -> Path:
        file = self.directory / "lab.yaml"
        file.write_text(declaration(self.settings.agents))
        return file

    # ------------------------------------------------ its folder

    @property
    def _settings_file(self) -> Path:
        return self.directory / "lab.json"

    def _token_file(self, name: str) -> Path:
        return self.directory / "tokens" / name

    def _secret(self) -> str:
        """The AMI account's secret: made once a lab, readable by its owner only."""
        file = self.directory / "ami-secret"
        if not file.exists():
            self.directory.mkdir(parents=True, exist_ok=True)
            file.touch(mode=0o600)
            file.write_text(secrets.token_hex(24))
        return file.read_text().strip()

    def _running_settings(self) -> dict[str, str] | None:
        if self.pbx.running_pid() is None or not self._settings_file.exists():
            return None
        found: dict[str, str] = json.loads(self._settings_file.read_text())
        return found

    def _refuse_taken_ports(self) -> None:
        """Say which port somebody else has, before Asterisk says it in many lines."""
        wanted = {
            "LAB_SIP_PORT": (self.settings.sip_port, socket.SOCK_DGRAM),
            "LAB_AMI_PORT": (self.settings.ami_port, socket.SOCK_STREAM),
            "LAB_HTTP_PORT": (self.settings.http_port, socket.SOCK_STREAM),
        }
        if self.service().running_pid() is not None:
            del wanted["LAB_HTTP_PORT"]  # ours: only the PBX is to be started again
        for name, (port, kind) in wanted.items():
            with socket.socket(socket.AF_INET, kind) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(kind is socket.SOCK_STREAM))
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    raise LabError(f"port {port} is taken (another lab or demo?); {name} sets another") from None

    def _refuse_other_settings(self) -> None:
        running, asked = self._running_settings(), self.settings.shown()
        if running is not None and running != asked:
            differing = [
                f"{name} is {value}, not {asked.get(name)}"
                for name, value in running.items()
                if asked.get(name) != value
            ]
            raise LabError(f"the lab runs already with other settings ({'; '.join(differing)}): `make lab-down` first")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Two `make lab` at once: the second waits, then finds everything there."""
        self.directory.mkdir(parents=True, exist_ok=True)
        with (self.directory / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _short(directory: Path) -> str:
    return hashlib.sha256(str(directory).encode()).hexdigest()[:8]
