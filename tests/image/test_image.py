"""The images as they would run: built, looked into, and a call carried by both: Asterisk's and the service's.

`make image-test` runs this; where images cannot be pulled, the base is the cached root file system (decision 0031).
"""

import asyncio
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from lab.asterisk import Instance, LabError
from lab.home import find_home
from lab.pbx import PbxSettings
from lab.phones import lab_phones, pbx_sections
from lab.process import until as waited
from lab.service import Service
from tests.image.conftest import ON_DEMAND
from tests.support.pbx import TestPbx
from tests.support.phonebank import PhoneBank
from tests.support.ports import free_port, free_udp_port
from tests.support.serving import Serving, _declaration
from tools import image

CALLER_TONE, AGENT_TONE, LOUD = 440, 1200, 3000.0
USER = 10001
MOST_MB = {"service": 400, "asterisk": 500}
"""What our own layers may weigh, the base aside."""

pytestmark = ON_DEMAND


@dataclass(frozen=True)
class Container:
    """One container of an image, run by buildah's chroot isolation: this machine's network, another root and user."""

    engine: image.Engine
    name: str

    def buildah(self, *arguments: str) -> str:
        done = subprocess.run([*self.engine.command, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    @property
    def root(self) -> Path:
        return Path(self.buildah("mount", self.name))

    def command(self, *command: str, volumes: tuple[str, ...] = (), **environment: str) -> list[str]:
        options = [f"--volume={one}" for one in volumes] + [
            f"--env={key}={value}" for key, value in environment.items()
        ]
        return [*self.engine.command, "run", "--isolation", "chroot", *options, self.name, "--", *command]


def described(engine: image.Engine, tag: str) -> dict[str, Any]:
    """What ``docker inspect`` would say."""
    done = subprocess.run(
        [*engine.command, "inspect", "--type", "image", tag], capture_output=True, text=True, check=True
    )
    return dict(json.loads(done.stdout)["Docker"])


@pytest.fixture(scope="session")
def containers(engine: image.Engine, images: dict[str, str]) -> Iterator[dict[str, Container]]:
    made = {}
    for target, tag in images.items():
        done = subprocess.run(
            [*engine.command, "from", "--pull-never", tag], capture_output=True, text=True, check=True
        )
        made[target] = Container(engine, done.stdout.strip())
    yield made
    for one in made.values():
        one.buildah("rm", one.name)


@pytest.mark.parametrize("target", image.TARGETS)
def test_it_runs_as_nobody_in_particular_and_says_how_it_is(
    engine: image.Engine, images: dict[str, str], containers: dict[str, Container], target: str
) -> None:
    config = described(engine, images[target])["config"]
    assert config["User"] == f"{USER}:{USER}"
    assert config["Healthcheck"]["Test"][0] == "CMD"
    assert config["Entrypoint"]
    seen = subprocess.run(containers[target].command("id", "-u"), capture_output=True, text=True, check=True)
    assert seen.stdout.strip() == str(USER)


@pytest.mark.parametrize("target", image.TARGETS)
def test_no_secret_is_inside(
    engine: image.Engine, images: dict[str, str], containers: dict[str, Container], target: str
) -> None:
    about = described(engine, images[target])
    said = json.dumps([about["config"]["Env"], about["config"].get("Labels"), about.get("history")])
    assert not re.search(r"(?i)password|token|secret=|api[_-]?key|://[^/\s\"]+:[^/\s\"]+@", said), said
    root = containers[target].root
    ours = ["opt/nobat", "etc/nobat", "usr/share/nobat", "usr/local", "var/lib/nobat", "root"]
    ours += (
        ["etc/asterisk"] if target == "asterisk" else []
    )  # the base that stands in for Debian's has an Asterisk besides
    for file in (file for folder in ours for file in (root / folder).rglob("*")):
        assert file.suffix not in (".key", ".db"), file
        assert not file.name.startswith(".env"), file
        if file.is_file() and not file.is_symlink() and file.suffix in ("", ".conf", ".toml", ".sh", ".txt", ".pem"):
            text = file.read_bytes()
            assert not re.search(rb"BEGIN [A-Z ]*PRIVATE KEY", text), file
            assert not re.search(rb"(?m)^\s*(secret|password)\s*=\s*[^@\s]", text), file
    assert not (root / "build").exists()
    assert not list(root.glob("etc/nobat/*"))


@pytest.mark.parametrize("target", image.TARGETS)
def test_its_size(engine: image.Engine, images: dict[str, str], target: str) -> None:
    listed = subprocess.run([*engine.command, "images", "--json"], capture_output=True, text=True, check=True)
    sizes = {
        name.rpartition("/")[2]: one["size"] for one in json.loads(listed.stdout) for name in one.get("names") or ()
    }
    own = _megabytes(sizes[images[target]]) - _megabytes(sizes[image.BASE])
    print(f"{images[target]}: {own:.0f} MB of its own, on a base of {_megabytes(sizes[image.BASE]):.0f} MB")
    assert own < MOST_MB[target]


def _megabytes(text: str) -> float:
    number, unit = text.split()
    return float(number) * {"KB": 0.001, "MB": 1.0, "GB": 1000.0}[unit.upper()]


class Running:
    """A process in a container, ended by the id that it has on this machine."""

    def __init__(self, command: list[str], log: Path, mark: str) -> None:
        self.mark = mark
        with log.open("ab") as output:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)

    def inside(self) -> list[int]:
        """The processes of the container's user that have the mark among their arguments."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if entry.stat().st_uid == USER and self.mark.encode() in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
        return found

    def stop(self) -> None:
        for pid in self.inside():
            os.kill(pid, signal.SIGTERM)
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            for pid in self.inside():
                os.kill(pid, signal.SIGKILL)
            self.process.kill()
            self.process.wait()


@dataclass(frozen=True)
class ImageService(Service):
    """The service of the image, with the lab's settings."""

    container: Container | None = None
    runs: list[Running] = field(default_factory=list)

    def _in_it(self, *command: str, **environment: str) -> list[str]:
        assert self.container is not None
        return self.container.command(
            *command, volumes=(f"{self.directory.parent}:{self.directory.parent}",), **environment
        )

    @property
    def running(self) -> Running | None:
        return self.runs[-1] if self.runs else None

    def nobat(self, *arguments: str) -> str:
        command = self._in_it("nobat", *arguments, "--config", str(self.config))
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise LabError(done.stderr)
        return done.stdout

    def start(self) -> None:
        command = self._in_it("nobat", "serve", NOBAT_CONFIG=str(self.config))
        self.runs.append(Running(command, self.log_file, "serve"))

    def running_pid(self) -> int | None:
        return self.running.process.pid if self.running is not None and self.running.process.poll() is None else None

    def stop(self) -> None:
        if self.running is not None:
            self.running.stop()

    def healthy(self) -> bool:
        """What the image's health check says."""
        check = self._in_it("nobat-healthcheck", NOBAT_CONFIG=str(self.config))
        return subprocess.run(check, capture_output=True, check=False).returncode == 0


@pytest_asyncio.fixture(loop_scope="session")
async def serving(containers: dict[str, Container]) -> AsyncIterator[Serving]:
    """A call centre whose Asterisk and whose service are the images."""
    tmp_path = _open_folder()
    phones = lab_phones(4)
    settings = PbxSettings(
        sip_port=free_udp_port(), ami_port=free_port(), ami_secret=secrets.token_hex(16), phones=phones,
        trunk=f"127.0.0.1:{free_udp_port()}", rtp_start=20000, rtp_end=29999,
    )  # fmt: skip
    site = tmp_path / "site"
    site.mkdir()
    (site / "pjsip-phones.conf").write_text(pbx_sections(phones))
    (site / "secret").write_text(settings.ami_secret + "\n")
    (site / "secret").chmod(0o400)
    os.chown(site / "secret", USER, USER)
    environment = {
        "SIP_BIND": "127.0.0.1", "SIP_PORT": str(settings.sip_port), "AMI_PORT": str(settings.ami_port), "TRUNK": settings.trunk,
        "RTP_START": "20000", "RTP_END": "29999", "QUALIFY_S": "0", "AMI_SECRET_FILE": "/site/secret",
    }  # fmt: skip
    spool = tmp_path / "spool"
    spool.mkdir()
    os.chown(spool, USER, USER)
    volumes = (f"{site}:/site:ro", f"{spool}:/var/spool/asterisk")
    asterisk = containers["asterisk"]
    pbx_process = Running(
        asterisk.command("asterisk-entrypoint", volumes=volumes, **environment),
        tmp_path / "asterisk.log",
        "/etc/asterisk/",
    )
    unique = f"image-{os.getpid()}-{secrets.token_hex(2)}"
    pbx = TestPbx(Instance(unique, find_home(), tmp_path / "pbx"), settings)
    bank: PhoneBank | None = None
    service = ImageService(
        tmp_path / "service",
        free_port(),
        settings.ami_port,
        settings.ami_secret,
        recording_dir=spool / "nobat-recording",
        container=containers["service"],
    )
    try:
        assert waited(lambda: _listens(settings.ami_port), 30), (tmp_path / "asterisk.log").read_text()
        bank = await pbx.phone_bank()
        service.write()
        (service.directory / "queues.yaml").write_text(_declaration(4))
        for path in (service.directory, *service.directory.rglob("*")):
            os.chown(path, USER, USER)
        service.prepare(service.directory / "queues.yaml")
        token = service.nobat("token", "create", "--role", "admin", "--name", "tests").split()[-1]
        assert not service.healthy()
        service.start()
        service.wait_ready(60)
        serving = Serving(pbx, bank, service, token)
        yield serving
        await serving.api.aclose()
    finally:
        service.stop()
        if bank is not None:
            await bank.close()
        pbx_process.stop()
        shutil.rmtree(tmp_path, ignore_errors=True)


def _open_folder() -> Path:
    """A folder in which the images' user goes in and out; the secrets within are its own."""
    made = Path(tempfile.mkdtemp(prefix="nobat-image-"))
    made.chmod(0o755)
    return made


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.asyncio(loop_scope="session")
async def test_a_call_is_answered_through_both_images(serving: Serving) -> None:
    bank = serving.bank
    service = serving.service
    assert isinstance(service, ImageService)
    assert service.healthy()
    await bank.given_phone("agent-101", talk=0, tone=AGENT_TONE, record=True)
    await serving.given_available("101")
    customer = await bank.call("8000", tone=CALLER_TONE, record=True)
    await serving.until_call(customer, state="talking", agent="101")
    assert service.running is not None
    assert service.running.inside(), "the service does not run as the image's user"
    await asyncio.sleep(2)  # they talk
    await bank.leave(customer)
    await serving.until_call(customer, state="ended", outcome="answered")
    heard = await bank.heard(customer.customer, (AGENT_TONE,))
    assert heard[AGENT_TONE] > LOUD
