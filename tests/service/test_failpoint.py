"""A real process that dies at a named place, and what the next one knows."""

import signal
from pathlib import Path

import pytest

from tests.service.test_process import FLOOR, Site, until
from tests.support.ports import free_port

ALLOWED = '[testing]\nfailpoints = true\nfailpoint = "{}"\n'


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site(tmp_path, free_port())
    (tmp_path / "nobat.toml").write_text(
        f'[database]\nurl = "sqlite:///{tmp_path / "nobat.db"}"\n[http]\nport = {made.port}\n'
        f'[[pbx]]\nname = "pbx1"\nport = {free_port()}\nsecret = "x"\n'
    )
    (tmp_path / "floor.yaml").write_text(FLOOR)
    made.nobat("apply", str(tmp_path / "floor.yaml"))
    return made


def test_a_promise_is_kept_though_the_process_died_before_it_could_say_so(site: Site) -> None:
    token = site.nobat("token", "create", "--role", "admin", "--name", "operator").strip()
    settings = site.folder / "nobat.toml"
    calm = settings.read_text()
    settings.write_text(calm + ALLOWED.format("engine.committed"))
    process = site.start()
    until(lambda: process.poll() is not None or site.ask("/healthz")[0] == 200)
    assert site.put("/v1/agents/101/status", {"status": "available"}, token) == 0
    assert process.wait(10) == -signal.SIGKILL

    settings.write_text(calm)
    process = site.start()
    try:
        until(lambda: (found := site.ask("/v1/agents/101", token))[0] == 200 and found[1]["status"] == "available")
    finally:
        process.terminate()
        process.wait(10)


def test_a_failpoint_that_is_not_allowed_keeps_the_service_from_starting(site: Site) -> None:
    told = site.nobat("serve", code=2, NOBAT_TESTING__FAILPOINT="outbox.written")
    assert "this service would kill itself" in told
    assert "Traceback" not in told
