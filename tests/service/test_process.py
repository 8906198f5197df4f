"""The program itself, as an operator runs it: exit codes, messages, signals, and commands beside a running service."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.ports import free_port

FLOOR = """
queues:
  - {id: sales, name: Sales, number: '8000'}
agents:
  - {id: '101', name: Agent 101, device: PJSIP/agent-101, queues: [sales], pin: '101'}
"""


@dataclass
class Site:
    """A folder with a settings file; ``nobat`` runs commands in it."""

    folder: Path
    port: int

    def nobat(self, *arguments: str, code: int = 0, **environment: str) -> str:
        """Run a command to its end; what it printed (standard error when it must fail)."""
        done = subprocess.run(
            self.command(*arguments), env=self.environment(**environment), capture_output=True, text=True, timeout=60, check=False
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout if code == 0 else done.stderr

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "nobat.cli", *arguments]

    def environment(self, **more: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("NOBAT_")}
        return {**kept, "NOBAT_CONFIG": str(self.folder / "nobat.toml"), **more}

    def start(self) -> "subprocess.Popen[bytes]":
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(self.command("serve"), env=self.environment(), stderr=log, stdout=log)

    def ask(self, path: str, token: str | None = None) -> tuple[int, Any]:
        """Status and body; 0 while nobody answers."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        try:
            with urllib.request.urlopen(
                urllib.request.Request(self.url + path, headers=headers), timeout=5
            ) as response:
                return response.status, json.loads(response.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())
        except OSError:
            return 0, None

    def put(self, path: str, body: Any, token: str) -> int:
        """The status; 0 if nobody answers."""
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), headers, method="PUT")
        try:
            with urllib.request.urlopen(request, timeout=5) as response:
                return int(response.status)
        except OSError:
            return 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()


def until(condition: Callable[[], Any], seconds: float = 30.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)
    return value


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site(tmp_path, free_port())
    (tmp_path / "nobat.toml").write_text(
        f'[database]\nurl = "sqlite:///{tmp_path / "nobat.db"}"\n[http]\nport = {made.port}\n'
        f'[log]\nformat = "json"\n[[pbx]]\nname = "pbx1"\nport = {free_port()}\nsecret = "x"\n'
    )
    (tmp_path / "floor.yaml").write_text(FLOOR)
    return made


@pytest.fixture
def running(site: Site) -> Iterator["subprocess.Popen[bytes]"]:
    """A service without its PBX."""
    site.nobat("apply", str(site.folder / "floor.yaml"))
    process = site.start()
    until(lambda: process.poll() is not None or site.ask("/healthz")[0] == 200)
    assert process.poll() is None, site.log
    yield process
    if process.poll() is None:
        process.kill()
    process.wait()


def test_it_runs_without_its_pbx_says_so_and_leaves_when_asked(site: Site, running: "subprocess.Popen[bytes]") -> None:
    status, body = until(lambda: (found := site.ask("/readyz"))[1]["pbx"]["pbx1"]["state"] == "down" and found)
    assert (status, body["database"]["ready"], body["pbx"]["pbx1"]["reason"]) == (503, True, "connection_refused")
    begun = time.monotonic()
    running.send_signal(signal.SIGTERM)
    assert running.wait(10) == 0
    assert time.monotonic() - begun < 5
    events = [json.loads(line)["event"] for line in site.log.splitlines()]
    assert events[-1] == "stopped; calls go on"


def test_a_second_service_on_the_same_database_is_refused_in_one_line(
    site: Site, running: "subprocess.Popen[bytes]"
) -> None:
    told = site.nobat("serve", code=1)
    assert told.startswith("nobat: ")
    assert f"in use by another nobat serve (process {running.pid})" in told
    assert "Traceback" not in told
    elsewhere = f"sqlite:///{site.folder / 'other.db'}"
    assert "cannot listen on 127.0.0.1 port" in site.nobat("serve", code=1, NOBAT_DATABASE__URL=elsewhere)


def test_what_a_start_cannot_do_without_is_said_in_one_line(site: Site) -> None:
    """A folder or a secret that is not there: what an operator sees who has forgotten a volume."""
    folder, key = site.folder / "recordings", site.folder / "recordings.key"
    recorded = (("FOLDER", folder), ("KEY_FILE", key))
    where = {f"NOBAT_RECORDINGS__{name}": str(path) for name, path in recorded}
    settings = site.folder / "nobat.toml"
    settings.write_text(f'{settings.read_text()}recording_dir = "{site.folder / "spool"}"\n')

    def told(code: int = 1, **environment: str) -> str:
        said = site.nobat("serve", code=code, **environment)
        assert said.startswith("nobat: ")
        assert "Traceback" not in said
        return said

    folder.mkdir()
    (folder / "pbx1-1.1.nbr").write_bytes(b"x")
    assert f"their key file {key} is not there: put it back" in told(**where)
    key.write_text("short\n")
    assert "does not hold a key" in told(**where)
    (site.folder / "file").touch()
    assert "cannot be made" in told(**{**where, "NOBAT_RECORDINGS__FOLDER": str(site.folder / "file/recordings")})
    assert "cannot be kept there" in told(NOBAT_DATABASE__URL=f"sqlite:///{site.folder / 'file/nobat.db'}")
    settings.write_text(f'[database]\nurl_file = "{site.folder / "url"}"\n')
    assert "cannot be read: FileNotFoundError" in told(code=2)


def test_commands_beside_a_running_service(site: Site, running: "subprocess.Popen[bytes]") -> None:
    assert (site.folder / "nobat.db").stat().st_mode & 0o077 == 0
    token = site.nobat("token", "create", "--role", "admin", "--name", "operator").strip()
    assert token.startswith("nobat_")
    assert len(token.split()) == 1
    assert site.ask("/v1/queues/sales", token)[0] == 200

    floor = site.folder / "floor.yaml"
    floor.write_text(FLOOR.replace("8000", "8005") + "  - {id: '102', queues: [sales]}\n")
    assert site.nobat("apply", str(floor), "--dry-run").splitlines() == [
        "~ queue sales: number 8000 -> 8005",
        "+ agent 102 (sales)",
    ]
    assert site.nobat("apply", str(floor)).splitlines()[-1] == "done"
    until(lambda: site.ask("/v1/queues/sales", token)[1]["number"] == "8005", 5)
    assert site.nobat("apply", str(floor)) == "nothing to change\n"
    by_rest = ("--url", site.url, "--token", token)
    assert site.nobat("apply", str(floor), *by_rest) == "nothing to change\n"
    floor.write_text(FLOOR)
    assert "say --yes" in site.nobat("apply", str(floor), "--prune", *by_rest, code=1)
    assert site.nobat("apply", str(floor), "--prune", "--yes", *by_rest).splitlines() == [
        "~ queue sales: number 8005 -> 8000",
        "- agent 102",
        "done",
    ]
    assert site.nobat("apply", str(floor), "--prune") == "nothing to change\n"

    report = site.nobat("status", NOBAT_TOKEN=token)
    assert "pbx1: down (connection_refused)" in report
    assert "sales  8000" in report
    assert "--token" in site.nobat("status", code=1)

    assert "say --yes" in site.nobat("erase", "09121234567", NOBAT_TOKEN=token, code=1)
    erased = site.nobat("erase", "09121234567", "--yes", NOBAT_TOKEN=token).splitlines()
    assert [line.split() for line in erased[:2]] == [["calls", "0"], ["events", "0"]]

    listed = site.nobat("token", "list")
    assert "operator" in listed
    assert token not in listed
    site.nobat("token", "revoke", listed.split()[0])
    until(lambda: site.ask("/v1/queues", token)[0] == 401, 5)
    assert "no valid token" in site.nobat("token", "revoke", listed.split()[0], code=1)


def test_wrong_settings_stop_the_start_with_line_and_reason(site: Site) -> None:
    file = site.folder / "nobat.toml"
    file.write_text(file.read_text().replace("[log]", "[logs]"))
    told = site.nobat("serve", code=2)
    assert f"{file}, line 5: logs: unknown key" in told
    assert "Traceback" not in told


def test_a_database_that_cannot_be_is_told_in_one_line(site: Site) -> None:
    for command in (("migrate",), ("token", "list")):
        told = site.nobat(*command, code=1, NOBAT_DATABASE__URL="sqlite:////proc/nope/nobat.db")
        assert told.startswith("nobat: ")
        assert len(told.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ("token", "create", "--role", "boss", "--name", "x"),
            2,
            "there is no role 'boss'; roles are agent, supervisor, admin",
        ),
        (("token", "create", "--role", "agent", "--name", "x"), 2, "needs --agent"),
        (("token", "create", "--role", "admin", "--name", "a\nb"), 2, "a token's name is"),
        (("apply", "/nope.yaml"), 1, "/nope.yaml: No such file"),
        (("status",), 1, "does not answer"),
        (("status", "--url", "ftp://x"), 1, "is no http address"),
    ],
)
def test_mistakes_are_told_in_one_line(site: Site, arguments: tuple[str, ...], code: int, message: str) -> None:
    told = site.nobat(*arguments, code=code)
    assert told.startswith("nobat: ")
    assert message in told
    assert len(told.splitlines()) == 1


def test_help_names_every_command(site: Site) -> None:
    told = site.nobat("--help")
    assert all(command in told for command in ("serve", "migrate", "apply", "status", "erase", "token", "config"))


def test_metrics_may_have_an_address_and_a_token_of_their_own(site: Site) -> None:
    port = free_port()
    with (site.folder / "nobat.toml").open("a") as settings:
        settings.write(f'[metrics]\nhost = "127.0.0.1"\nport = {port}\ntoken = "scrape"\n')
    process = site.start()
    try:
        until(lambda: site.ask("/healthz")[0] == 200)
        assert site.ask("/metrics")[0] == 404
        own = Site(site.folder, port)
        assert own.ask("/metrics")[0] == 401
        assert own.ask("/v1/queues")[0] == 404
        request = urllib.request.Request(f"{own.url}/metrics", headers={"authorization": "Bearer scrape"})
        with urllib.request.urlopen(request, timeout=5) as response:
            assert b"acd_history_pending" in response.read()
    finally:
        process.terminate()
        assert process.wait(10) == 0
