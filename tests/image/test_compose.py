"""The compose file, run: the guide's commands word by word, by podman-compose, and a call carried through what comes up.

The two images of others cannot be pulled everywhere: Debian's packages stand in for them (``standins/Dockerfile``). Skipped where
podman cannot run a container. Ports are the compose file's own, so nothing else may use them meanwhile.
"""

import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
import pytest_asyncio
import yaml

from lab.asterisk import Instance
from lab.home import find_home
from lab.pbx import CHECKOUT, PbxSettings
from lab.phones import lab_phones, pbx_sections
from lab.service import Service
from tests.image.conftest import ON_DEMAND
from tests.support.pbx import TestPbx
from tests.support.ports import free_udp_port
from tests.support.serving import Serving, _declaration
from tests.support.until import until
from tools import image, unpacked

GUIDE = (CHECKOUT / "docs/guides/containers.md").read_text()
SHIPPED: dict[str, Any] = yaml.safe_load((CHECKOUT / "deploy/compose.yaml").read_text())
STANDINS = {
    "postgres": SHIPPED["services"]["postgres"]["image"],
    "prometheus": SHIPPED["services"]["prometheus"]["image"],
}
HERE = Path(__file__).parent / "standins"
PORTS = (5038, 5432, 8080, 9090)
CALLER_TONE, AGENT_TONE, LOUD = 440, 1200, 3000.0
PHONES = 4

pytestmark = ON_DEMAND


@dataclass(frozen=True)
class Podman:
    """Podman on the store in which the images are. Without systemd and without all rights it needs to be told a few things."""

    options: tuple[str, ...]

    @property
    def limits(self) -> str:
        """No more than this machine may give."""
        asked = {"nofile": (resource.RLIMIT_NOFILE, 16_384), "nproc": (resource.RLIMIT_NPROC, 4_096)}
        hard = {name: resource.getrlimit(which)[1] for name, (which, _) in asked.items()}
        given = {
            name: most if hard[name] == resource.RLIM_INFINITY else min(most, hard[name])
            for name, (_, most) in asked.items()
        }
        return " ".join(f"--ulimit {name}={most}:{most}" for name, most in given.items())

    def run(self, *arguments: str, check: bool = True) -> str:
        done = subprocess.run(["podman", *self.options, *arguments], capture_output=True, text=True, check=False)
        assert not check or done.returncode == 0, done.stderr
        return done.stdout.strip()

    def works(self, tag: str) -> str | None:
        """None if it can run a container, else why not."""
        command = ["podman", *self.options, "run", "--rm", "--network=host", "--no-healthcheck", *self.limits.split()]
        done = subprocess.run([*command, "--entrypoint", "true", tag], capture_output=True, text=True, check=False)
        return None if done.returncode == 0 else done.stderr.strip().splitlines()[-1]


@dataclass(frozen=True)
class Compose:
    """``docker compose`` in a copy of ``deploy``, as podman-compose."""

    podman: Podman
    folder: Path

    def sh(self, line: str) -> str:
        """A line of the guide."""
        options = f"--podman-args='{' '.join(self.podman.options)}' --podman-run-args='{self.podman.limits}'"
        line = line.replace("docker compose", f"{sys.executable} -m podman_compose {options}").replace(
            "up -d", "up -d --no-build"
        )
        environment = {**os.environ, "EDITOR": "true"}
        done = subprocess.run(
            ["sh", "-ec", f"umask 077; {line}"],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        return done.stdout

    def name(self, service: str) -> str:
        return f"{SHIPPED['name']}_{service}_1"

    def healthy(self, service: str) -> bool:
        """What the health check says; systemd's timers, by which podman would ask, need not be there."""
        done = subprocess.run(
            ["podman", *self.podman.options, "healthcheck", "run", self.name(service)], capture_output=True, check=False
        )
        return done.returncode == 0

    def inspected(self, service: str) -> dict[str, Any]:
        return dict(json.loads(self.podman.run("inspect", self.name(service)))[0])

    def status(self, service: str) -> str:
        """What the kernel says of its first process."""
        return Path(f"/proc/{self.inspected(service)['State']['Pid']}/status").read_text()

    def all_healthy(self) -> bool:
        return all(self.healthy(one) for one in ("postgres", "nobat", "asterisk"))

    def logs(self) -> str:
        return "\n".join(self.log(one) for one in SHIPPED["services"])

    def log(self, service: str) -> str:
        done = subprocess.run(
            ["podman", *self.podman.options, "logs", self.name(service)], capture_output=True, text=True, check=False
        )
        return done.stdout + done.stderr


@pytest.fixture(scope="session")
def podman(engine: image.Engine, images: dict[str, str]) -> Podman:
    if shutil.which("podman") is None:
        pytest.skip("there is no podman; `make image-test` brings it")
    options = [*engine.command[1:]]
    if not Path("/run/systemd/system").exists():
        options += ["--cgroup-manager", "cgroupfs"]
    if shutil.which("runc"):
        options += ["--runtime", "runc"]
    made = Podman(tuple(options))
    why = made.works(images["service"])
    if why is not None:
        pytest.skip(f"podman runs no container here: {why}")
    return made


@pytest.fixture(scope="session")
def standins(engine: image.Engine, tmp_path_factory: pytest.TempPathFactory) -> None:
    context = tmp_path_factory.mktemp("standins")
    shutil.copytree(HERE, context, dirs_exist_ok=True)
    program = unpacked.program("prometheus")
    assert program is not None
    shutil.copy(program, context / "prometheus")
    for target, tag in STANDINS.items():
        name = tag if "/" not in tag else f"docker.io/{tag}"
        command = [
            *engine.command,
            *engine.build,
            *image.from_cache(engine),
            "--target",
            target,
            "--tag",
            name,
            str(context),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def guide() -> list[str]:
    """The commands of the guide's first block of several, without what is said of them."""
    (block,) = (one for one in re.findall(r"```\n(.*?)```", GUIDE, re.DOTALL) if one.startswith("cd deploy"))
    return [line.partition("  #")[0].strip() for line in block.splitlines()][1:]


@pytest.fixture
def compose(podman: Podman, standins: None, tmp_path: Path) -> Iterator[Compose]:
    taken = [port for port in PORTS if _listens(port)]
    assert not taken, f"the compose file's ports {taken} are in use: `make lab-down`?"
    folder = tmp_path / "deploy"
    shutil.copytree(CHECKOUT / "deploy", folder)
    for path in (tmp_path, *tmp_path.parents[:2]):  # whoever runs in a container must find its way to the files
        path.chmod(0o755)
    made = Compose(podman, folder)
    yield made
    made.sh("docker compose down -v -t 5")
    assert podman.run("ps", "-aq") == ""


@pytest_asyncio.fixture(loop_scope="session")
async def centre(compose: Compose, tmp_path: Path) -> AsyncIterator[Serving]:
    """The guide followed to its end, with phones and callers before it."""
    phones, sip = lab_phones(PHONES), free_udp_port()
    (compose.folder / "floor.yaml").write_text(_declaration(PHONES))
    settings = PbxSettings(
        sip_port=sip, ami_port=5038, ami_secret="", phones=phones, trunk=f"127.0.0.1:{free_udp_port()}",
        rtp_start=10000, rtp_end=19999,
    )  # fmt: skip
    token = ""
    for line in guide():
        if line.startswith("$EDITOR site/pjsip-phones.conf"):
            (compose.folder / "site/pjsip-phones.conf").write_text(pbx_sections(phones))
            continue
        said = compose.sh(line.replace("192.0.2.10:5060", settings.trunk).replace("192.0.2.10", "127.0.0.1"))
        if "TRUNK=" in line:
            with (compose.folder / ".env").open("a") as env:
                env.write(f"SIP_PORT={sip}\nSIP_BIND=127.0.0.1\n")
        if "up -d" in line:
            await until(compose.all_healthy, "all are healthy", within_s=60, seen=compose.logs)
        if "token create" in line:
            token = said.split()[-1]
    pbx = TestPbx(Instance(f"compose-{os.getpid()}", find_home(), tmp_path / "pbx"), settings)
    bank = await pbx.phone_bank()
    serving = Serving(pbx, bank, Service(tmp_path, 8080, 5038, ""), token)
    await until(lambda: serving.service.readiness()[0] == 200, "ready", within_s=30, seen=serving.service.readiness)
    yield serving
    await serving.api.aclose()
    await bank.close()


@pytest.mark.asyncio(loop_scope="session")
async def test_the_whole_centre_comes_up_as_the_guide_says_and_carries_calls(compose: Compose, centre: Serving) -> None:
    nobody_has_more_rights_than_told(compose)
    bank = centre.bank
    await bank.given_phone("agent-101", talk=0, tone=AGENT_TONE, record=True)
    await centre.given_available("101")
    customer = await bank.call("8000", tone=CALLER_TONE, record=True)
    talking = await centre.until_call(customer, state="talking", agent="101")
    waiting = await bank.call("8000")
    await centre.until_line([waiting])

    def watched() -> bool:
        found = _prometheus("targets")["activeTargets"]
        return [(one["labels"]["job"], one["health"]) for one in found] == [("nobat", "up")]

    await until(watched, "Prometheus has its target", within_s=30)
    rules = [rule["health"] for group in _prometheus("rules")["groups"] for rule in group["rules"]]
    assert len(rules) > 20
    await until(lambda: _series("acd_calls_waiting{kind='live'} == 1"), "the caller is a figure", within_s=30)
    assert "nobat-queues.conf" in compose.sh("docker compose exec -T asterisk ls /etc/asterisk")
    assert "PJSIP/agent-101" in compose.sh("docker compose exec -T asterisk asterisk -rx 'queue show sales'")

    began = time.monotonic()
    compose.sh("docker compose stop nobat")
    assert time.monotonic() - began < _seconds("nobat")
    assert compose.inspected("nobat")["State"]["ExitCode"] == 0
    assert "stopped; calls go on" in compose.log("nobat").splitlines()[-1]
    compose.sh("docker compose start nobat")
    await until(lambda: centre.service.readiness()[0] == 200, "ready again", within_s=30)
    assert (await centre.until_call(customer, state="talking"))["id"] == talking["id"]
    await centre.until_line([waiting])

    os.kill(compose.inspected("nobat")["State"]["Pid"], signal.SIGKILL)  # a crash: it is begun again by itself
    await until(lambda: centre.service.readiness()[0] != 200, "gone", within_s=10)
    await until(lambda: centre.service.readiness()[0] == 200, "ready by itself", within_s=30)
    await bank.leave(customer)
    await centre.until_call(customer, state="ended", outcome="answered")
    await centre.until_call(waiting, state="talking", agent="101")
    await bank.leave(waiting)
    heard = await bank.heard(customer.customer, (AGENT_TONE,))
    assert heard[AGENT_TONE] > LOUD

    dump = re.search(r"docker compose exec -T postgres pg_dump.*", (CHECKOUT / "docs/guides/backup.md").read_text())
    assert dump is not None
    compose.sh(dump[0].partition("`")[0])
    assert (compose.folder / "nobat.pgdump").read_bytes().startswith(b"PGDMP")
    began = time.monotonic()
    compose.sh("docker compose stop asterisk")
    assert time.monotonic() - began < _seconds("asterisk")


def nobody_has_more_rights_than_told(compose: Compose) -> None:
    """By the kernel's own word, and by what the containers were made with."""
    secret = (compose.folder / "secrets/ami-secret").read_text().strip()
    for service in ("asterisk", "nobat"):
        status = dict(line.split(":\t", 1) for line in compose.status(service).splitlines() if ":\t" in line)
        assert status["Uid"].split() == ["10001"] * 4
        assert (status["CapEff"], status["CapBnd"], status["NoNewPrivs"], status["Seccomp"]) == (
            "0" * 16,
            "0" * 16,
            "1",
            "2",
        )
        about = compose.inspected(service)
        assert about["HostConfig"]["ReadonlyRootfs"]
        assert about["HostConfig"]["NetworkMode"] == "host"
        assert secret not in json.dumps(about)
        written = compose.podman.run("exec", compose.name(service), "sh", "-c", "touch /usr/x /etc/x /x 2>&1 || true")
        assert written.count("Read-only file system") == 3
        assert secret in compose.podman.run("exec", compose.name(service), "cat", "/run/secrets/ami-secret")
    database = compose.inspected("postgres")["NetworkSettings"]["Ports"]["5432/tcp"]
    assert [one["HostIp"] for one in database] == ["127.0.0.1"]


def _seconds(service: str) -> float:
    """How long it has to leave; the engine's own time besides."""
    return float(SHIPPED["services"][service]["stop_grace_period"].removesuffix("s")) + 2.0


def _prometheus(path: str, query: str = "") -> dict[str, Any]:
    with urlopen(f"http://127.0.0.1:9090/api/v1/{path}{query}", timeout=5) as answer:
        return dict(json.load(answer)["data"])


def _series(expression: str) -> list[Any]:
    return list(_prometheus("query", f"?{urlencode({'query': expression})}")["result"])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
