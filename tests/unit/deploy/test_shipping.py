"""What is shipped to run Nobat by: images, compose file, units. The images themselves are built by ``make image-test``."""

import os
import re
import shutil
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

from lab.pbx import CHECKOUT
from nobat.settings_file import load_settings
from tests.support.ports import free_port
from tools.image import BASE, TARGETS

DEPLOY = CHECKOUT / "deploy"
DOCKERFILE = re.sub(r"\\\n", " ", (CHECKOUT / "Dockerfile").read_text())
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
UNITS = sorted((DEPLOY / "systemd").iterdir())
SITE_FILES = ("pjsip-phones.conf", "nobat-queues.conf")


def stages() -> dict[str, list[tuple[str, str]]]:
    """The instructions of each stage, those of the stage that it begins with first."""
    found: dict[str, list[tuple[str, str]]] = {}
    current: list[tuple[str, str]] = []
    for line in DOCKERFILE.splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            current = found[name] = list(found.get(base, [("FROM", base)]))
        elif word and not word.startswith("#"):
            current.append((word, rest))
    return found


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_begins_small_ends_without_root_and_says_how_it_is(target: str) -> None:
    steps = stages()[target]
    assert steps[0] == ("FROM", BASE)
    words = [word for word, _ in steps]
    assert [rest for word, rest in steps if word == "USER"][-1] == "10001:10001"
    assert words.index("USER") > max(index for index, word in enumerate(words) if word in ("RUN", "COPY"))
    assert words.count("HEALTHCHECK") == words.count("ENTRYPOINT") == 1
    assert any("--from=" in rest for word, rest in steps if word == "COPY"), "it takes nothing from a stage that builds"
    assert not any(
        re.search(r"(?i)secret|password|token", rest) for word, rest in steps if word in ("ENV", "ARG", "LABEL")
    )
    for _, rest in (one for one in steps if one[0] == "RUN" and "apt-get install" in one[1]):
        assert "--no-install-recommends" in rest
        assert "rm -rf /var/lib/apt/lists" in rest


def test_everything_that_is_copied_exists_and_nothing_else_is_sent_to_the_build() -> None:
    copied = [
        one
        for steps in stages().values()
        for word, rest in steps
        if word == "COPY" and "--from=" not in rest
        for one in [part for part in rest.split() if not part.startswith("--")][:-1]
    ]
    sent = [line[1:] for line in (CHECKOUT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for one in copied:
        assert (CHECKOUT / one).exists(), one
        assert any(one == root or one.startswith(root + "/") for root in sent), f"{one} is not sent"
    assert "*" in (CHECKOUT / ".dockerignore").read_text().splitlines()
    assert {root for root in sent if not any(one == root or one.startswith(root + "/") for one in copied)} == set()


# ---------------------------------------------------------------- the images' own scripts


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """The configuration as the image's entry point fills it; in the place of Asterisk something that only notes its arguments."""
    share = tmp_path / "share"
    shutil.copytree(CHECKOUT / "asterisk-conf", share)
    shutil.copytree(CHECKOUT / "dialplan", share / "dialplan")
    script = (DEPLOY / "image/asterisk-entrypoint.sh").read_text()
    assert "from=/usr/share/nobat/asterisk-conf" in script
    (tmp_path / "entrypoint").write_text(script.replace("from=/usr/share/nobat/asterisk-conf", f"from={share}"))
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "asterisk").write_text('#!/bin/sh\necho "$@" > "$CONF_DIR/arguments"\n')
    (programs / "asterisk").chmod(0o755)
    (programs / "find").write_text("#!/bin/sh\necho /usr/lib/asterisk/modules/chan_pjsip.so\n")
    (programs / "find").chmod(0o755)
    (tmp_path / "secret").write_text("s" * 40 + "\n")
    (tmp_path / "site").mkdir()
    for name in SITE_FILES:
        (tmp_path / "site" / name).write_text(f"; {name}\n")
    return tmp_path


def run_entrypoint(folder: Path, **more: str) -> "subprocess.CompletedProcess[str]":
    places = {"CONF_DIR": "conf", "AMI_SECRET_FILE": "secret", "SITE_DIR": "site", "RUN_DIR": "run"}
    said = {**{name: str(folder / place) for name, place in places.items()}, **more}
    environment = {**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}", **said}
    return subprocess.run(
        ["sh", str(folder / "entrypoint")], env=environment, capture_output=True, text=True, check=False
    )


def test_the_entry_point_fills_every_placeholder(filled: Path) -> None:
    done = run_entrypoint(filled, TRUNK="192.0.2.1:5060")
    assert done.returncode == 0, done.stderr
    conf = filled / "conf"
    assert (conf / "arguments").read_text().split() == ["-f", "-C", str(conf / "asterisk.conf")]
    for file in conf.rglob("*.conf"):
        code = [line for line in file.read_text().splitlines() if not line.startswith(";")]
        assert not re.search(r"@[A-Z_]+@", "\n".join(code)), file.name
    assert "secret = " + "s" * 40 in (conf / "manager.conf").read_text()
    assert "contact = sip:192.0.2.1:5060" in (conf / "pjsip.conf").read_text()
    (filled / "site/nobat-queues.conf").write_text("; written later\n")
    assert (conf / "nobat-queues.conf").read_text() == "; written later\n", "a reload must see what is new"
    assert {path.name for path in (CHECKOUT / "dialplan").glob("*.conf")} == {
        path.name for path in (conf / "dialplan").iterdir()
    }


def test_the_entry_point_refuses_what_would_be_unsafe(filled: Path) -> None:
    assert "has a character" in run_entrypoint(filled, TRUNK="x|e").stderr
    (filled / "share/rtp.conf").write_text("[general]\nrtpstart = @SOMETHING_NEW@\n")
    assert "nothing is known for a placeholder" in run_entrypoint(filled).stderr
    (filled / "secret").write_text("short\n")
    assert "shorter than 32" in run_entrypoint(filled).stderr
    (filled / "secret").unlink()
    assert "is not there" in run_entrypoint(filled).stderr


class _Healthy(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/healthz" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_the_health_check_asks_where_the_settings_say(tmp_path: Path) -> None:
    def check(**said: str) -> int:
        command = [sys.executable, str(DEPLOY / "image/healthcheck.py")]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("NOBAT_")}
        return subprocess.run(command, env={**kept, **said}, check=False).returncode

    with HTTPServer(("127.0.0.1", 0), _Healthy) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        settings = tmp_path / "nobat.toml"
        settings.write_text(f'[http]\nhost = "0.0.0.0"\nport = {server.server_port}\n')
        assert check(NOBAT_CONFIG=str(settings)) == 0
        assert check(NOBAT_HTTP__PORT=str(server.server_port)) == 0
        assert check(NOBAT_CONFIG=str(settings), NOBAT_HTTP__PORT=str(free_port())) == 1
        server.shutdown()
        thread.join()


# ---------------------------------------------------------------- compose


def test_the_compose_file_has_the_whole_centre() -> None:
    assert set(COMPOSE["services"]) == {"asterisk", "nobat", "postgres", "prometheus"}
    for target, tag in TARGETS.items():
        (service,) = (one for one in COMPOSE["services"].values() if one.get("build", {}).get("target") == target)
        assert service["image"] == f"{tag}:latest"
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["read_only"] is True
        assert "user" not in service  # the image's, which is not root
    for name, service in COMPOSE["services"].items():
        for mount in service.get("volumes", ()):
            source = mount.partition(":")[0]
            assert source.startswith("./") or source in COMPOSE["volumes"], f"{name}: {source}"
        assert set(service.get("secrets", ())) <= set(COMPOSE["secrets"])
        assert not any(re.search(r"(?i)password$|secret$|token$", key) for key in service.get("environment", {})), name
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:"), f"{name} opens {port} to everybody"


def test_the_settings_of_the_compose_file_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOBAT_CONFIG", raising=False)
    text = (DEPLOY / "nobat.toml").read_text()
    for name, secret in (("database-url", "postgresql://nobat:x@127.0.0.1/nobat"), ("ami-secret", "s" * 40)):
        (tmp_path / name).write_text(secret + "\n")
        text = text.replace(f"/run/secrets/{name}", str(tmp_path / name))
    (tmp_path / "nobat.toml").write_text(text)
    settings = load_settings(tmp_path / "nobat.toml")
    assert settings.database.url == "postgresql://nobat:x@127.0.0.1/nobat"
    assert settings.database.shown_url == "postgresql://nobat:***@127.0.0.1/nobat"
    mounts = {mount.split(":")[1] for mount in COMPOSE["services"]["nobat"]["volumes"]}
    for folder in (settings.journal_folder, settings.recordings.folder, settings.pbx[0].recording_dir):
        assert any(str(folder).startswith(mount) for mount in mounts), f"{folder} does not outlive the container"


# ---------------------------------------------------------------- systemd


def analyze(*arguments: str) -> "subprocess.CompletedProcess[str]":
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze here")
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)


def test_the_units_are_understood(tmp_path: Path) -> None:
    program = tmp_path / "nobat"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for unit in UNITS:  # it wants a program that exists
        (tmp_path / unit.name).write_text(unit.read_text().replace("/opt/nobat/bin/nobat", str(program)))
    done = analyze("verify", "--man=no", *(str(tmp_path / unit.name) for unit in UNITS))
    ours = [line for line in done.stderr.splitlines() if "nobat" in line]
    assert (done.returncode, ours) == (0, [])


@pytest.mark.parametrize("unit", [unit for unit in UNITS if unit.suffix == ".service"], ids=lambda unit: unit.name)
def test_a_service_may_do_little_besides_its_work(unit: Path) -> None:
    done = analyze("security", "--offline=true", "--threshold=20", str(unit))
    assert done.returncode == 0, done.stdout
    for line in ("NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet=", "User=nobat"):
        assert line in unit.read_text().splitlines()
