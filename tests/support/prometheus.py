"""A real Prometheus for a test, and its promtool: from the cache (``tools/unpacked.py``), on loopback, in a folder of its own.

``Prometheus.started`` -> ``ask`` -> ``close``.
"""

import json
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

from lab.asterisk import LabError
from tests.support.ports import free_port
from tests.support.until import until
from tools.unpacked import program

SHIPPED = Path(__file__).parents[2] / "deploy/prometheus"


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([_path("promtool"), *arguments], cwd=SHIPPED, capture_output=True, text=True, check=False)


def _path(name: str) -> str:
    found = program(name)
    if found is None:
        raise LabError(f"{name} is missing: `make test` brings it")
    return str(found)


def _run(folder: Path, port: int) -> "subprocess.Popen[bytes]":
    command = [_path("prometheus"), f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'tsdb'}",
               f"--web.listen-address=127.0.0.1:{port}"]  # fmt: skip
    with (folder / "prometheus.log").open("wb") as log:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


class Prometheus:
    """One that runs the shipped configuration; only the target, and how often, are the test's."""

    def __init__(self, process: "subprocess.Popen[bytes]", url: str) -> None:
        self._process, self._url = process, url

    @classmethod
    async def started(cls, folder: Path, target: str) -> "Prometheus":
        """Scrape ``target`` (host:port) once a second."""
        text = (SHIPPED / "prometheus.yml").read_text()
        for shipped, here in (
            ("127.0.0.1:8080", target),
            ("nobat-alerts.yml", str(SHIPPED / "nobat-alerts.yml")),
            ("scrape_interval: 5s", "scrape_interval: 1s"),
            ("scrape_timeout: 4s", "scrape_timeout: 1s"),
            ("evaluation_interval: 5s", "evaluation_interval: 1s"),
        ):
            assert shipped in text, shipped
            text = text.replace(shipped, here)
        (folder / "prometheus.yml").write_text(text)
        port = free_port()
        server = cls(_run(folder, port), f"http://127.0.0.1:{port}")
        await until(server._answers, "Prometheus is ready", within_s=30)
        return server

    def _answers(self) -> bool:
        try:
            with urlopen(f"{self._url}/-/ready", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def ask(self, path: str, **query: str) -> Any:
        """What ``/api/v1/<path>`` has in ``data``."""
        with urlopen(f"{self._url}/api/v1/{path}?{urlencode(query)}", timeout=10) as answer:
            return json.load(answer)["data"]

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series that an expression comes to now."""
        return list(self.ask("query", query=expression)["result"])

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
