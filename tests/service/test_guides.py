"""The commands of the guide about backups, as an operator types them: each line is run (on SQLite; test_backup.py has both)."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.pbx import CHECKOUT
from tests.service.test_process import FLOOR, Site, until
from tests.support.ports import free_port

GUIDE = (CHECKOUT / "docs/guides/backup.md").read_text()
PROGRAM = "/opt/nobat/bin/pip install -c constraints.txt ."


def commands(heading: str) -> list[str]:
    """The lines of the first block under a heading, without what is said of them."""
    found = re.search(rf"^## {heading}\n.*?```\n(.*?)```", GUIDE, re.DOTALL | re.MULTILINE)
    assert found is not None, heading
    return [line.partition("  #")[0].strip() for line in found[1].splitlines()]


class Machine:
    """A site whose service is begun and ended by ``systemctl``."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.service: subprocess.Popen[bytes] | None = None

    def run(self, command: str) -> str:
        """One line of the guide."""
        program, *arguments = shlex.split(command)
        if program == "systemctl":
            for what in {"stop": (self.stop,), "start": (self.start,), "restart": (self.stop, self.start)}[
                arguments[0]
            ]:
                what()
            return ""
        assert program == "nobat", f"who runs {command}?"
        folder = str(self.site.folder / "backups")
        here = [one.replace("/var/backups/nobat", folder) for one in arguments]
        newest = sorted((self.site.folder / "backups").glob("nobat-*"))[-1:]
        return self.site.nobat(*(re.sub(r".*/nobat-\d{8}T.*", lambda _: str(newest[0]), one) for one in here))

    def start(self) -> None:
        self.service = self.site.start()
        until(lambda: self.site.ask("/healthz")[0] == 200)

    def stop(self) -> None:
        if self.service is not None:
            self.service.terminate()
            assert self.service.wait(10) == 0
            self.service = None


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    site = Site(tmp_path, free_port())
    (tmp_path / "nobat.toml").write_text(
        f'[database]\nurl = "sqlite:///{tmp_path / "nobat.db"}"\n[http]\nport = {site.port}\n'
    )
    (tmp_path / "floor.yaml").write_text(FLOOR)
    made = Machine(site)
    yield made
    made.stop()


def test_backup_restore_and_upgrade_word_by_word(machine: Machine) -> None:
    site = machine.site
    site.nobat("apply", "--yes", str(site.folder / "floor.yaml"))
    machine.start()
    for command in commands("Backup"):
        assert "schema" in machine.run(command)
    (site.folder / "none.yaml").write_text("queues: []\nagents: []\n")
    site.nobat("apply", "--yes", "--prune", str(site.folder / "none.yaml"))  # what nobody wanted
    assert commands("Restore")[0] == "systemctl stop nobat"
    for command in commands("Restore"):
        machine.run(command)
    assert "nothing to change" in site.nobat("apply", str(site.folder / "floor.yaml"))
    steps = commands("Upgrade")
    assert PROGRAM in steps
    for command in steps:
        if command != PROGRAM:
            machine.run(command)
    assert machine.service is not None
    assert machine.service.poll() is None
