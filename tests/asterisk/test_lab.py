"""`make lab` and `make demo`, as a person runs them: on ports of their own, and nothing left behind."""

import asyncio
import contextlib
import json
import os
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from lab.pbx import CHECKOUT
from tests.support.ports import free_port, free_udp_port


class LabShell:
    """Runs the lab's commands with settings of its own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.http = f"http://127.0.0.1:{free_port()}"
        self.environment = {
            **os.environ,
            "LAB_DIR": str(directory),
            "LAB_SIP_PORT": str(free_udp_port()),
            "LAB_AMI_PORT": str(free_port()),
            "LAB_HTTP_PORT": self.http.rpartition(":")[2],
            "LAB_TRUNK": f"127.0.0.1:{free_udp_port()}",
            "LAB_AGENTS": "14",
        }

    async def run(self, *command: str, **environment: str) -> tuple[int, str]:
        """Exit code and everything that was printed."""
        process = await asyncio.create_subprocess_exec(
            str(CHECKOUT / ".venv/bin/python"), "-m", *command,
            cwd=CHECKOUT, env={**self.environment, **environment},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        output, _ = await asyncio.wait_for(process.communicate(), 90)
        return process.returncode or 0, output.decode()

    def ready(self) -> bool:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.http}/readyz", timeout=2) as reply:
            return bool(reply.status == 200)
        return False

    def get(self, path: str, token: str) -> dict[str, object]:
        secret = (self.directory / "tokens" / token).read_text().strip()
        request = urllib.request.Request(f"{self.http}{path}", headers={"Authorization": f"Bearer {secret}"})
        with urllib.request.urlopen(request, timeout=5) as reply:
            found: dict[str, object] = json.load(reply)
            return found


@pytest_asyncio.fixture(loop_scope="session")
async def shell(tmp_path: Path) -> AsyncIterator[LabShell]:
    opened = LabShell(tmp_path / "lab")
    yield opened
    await opened.run("lab", "down")


async def test_the_lab_comes_up_may_be_asked_again_and_goes_without_a_trace(shell: LabShell) -> None:
    code, said = await shell.run("lab", "up")
    assert (code, shell.ready()) == (0, True), said
    queues = shell.get("/v1/queues", "admin")["items"]
    assert isinstance(queues, list)
    assert {queue["id"]: queue["number"] for queue in queues} == {"sales": "8000", "support": "8001"}
    assert shell.get("/v1/agents/101", "agent-101")["device"] == "PJSIP/agent-101"
    pids = [(shell.directory / name).read_text() for name in ("nobat.pid", "asterisk/pid")]

    again, said = await shell.run("lab", "up")
    assert again == 0, said
    assert pids == [(shell.directory / name).read_text() for name in ("nobat.pid", "asterisk/pid")]
    other, said = await shell.run("lab", "up", LAB_AGENTS="15")
    assert (other, "agents is 14, not 15" in said) == (1, True)

    instance = (shell.directory / "asterisk").resolve()
    down, said = await shell.run("lab", "down")
    assert (down, shell.ready(), shell.directory.exists(), instance.exists()) == (0, False, False, False), said
    assert not any(map(_lives, pids))


async def test_the_labs_service_can_be_killed_and_started(shell: LabShell) -> None:
    assert (await shell.run("lab", "up"))[0] == 0
    pbx = (shell.directory / "asterisk/pid").read_text()
    assert (await shell.run("lab", "kill-service"))[0] == 0
    assert not shell.ready()
    assert (await shell.run("lab", "start-service"))[0] == 0
    assert shell.ready()
    before = (shell.directory / "nobat.pid").read_text()
    assert (await shell.run("lab", "restart-service"))[0] == 0
    assert shell.ready()
    assert (shell.directory / "nobat.pid").read_text() != before
    assert (shell.directory / "asterisk/pid").read_text() == pbx


async def test_what_does_not_work_is_said_in_a_line(shell: LabShell) -> None:
    assert await shell.run("lab", "start-service") == (1, "nobat: there is no lab here; `make lab` makes one\n")
    code, said = await shell.run("lab", "up", LAB_AGENTS="many")
    assert (code, said) == (1, "nobat: LAB_AGENTS=many: a whole number from 1 to 120 is needed\n")
    listener = await asyncio.start_server(lambda *_: None, "127.0.0.1", int(shell.environment["LAB_AMI_PORT"]))
    async with listener:
        code, said = await shell.run("lab", "up")
    assert (code, "LAB_AMI_PORT" in said) == (1, True)


async def test_the_demo_ends_by_itself_and_accounts_for_every_call(shell: LabShell) -> None:
    code, said = await shell.run("lab.demo", DEMO_SECONDS="8")
    assert (code, "every call is accounted for" in said) == (0, True), said
    assert not shell.directory.exists()


def _lives(pid: str) -> bool:
    """Whether the process does anything; one that ended and that nobody has collected yet has no command line."""
    try:
        return bool(Path(f"/proc/{int(pid)}/cmdline").read_bytes())
    except OSError:
        return False
