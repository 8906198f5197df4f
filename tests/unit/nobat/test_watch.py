"""What an operator reads about a PBX at three in the morning."""

import json

import pytest

from acd.ids import PbxId
from ami.health import Health, HealthState, NobodyObserves
from nobat import logs
from nobat.watch import WatchedLink


@pytest.fixture
def watched(capsys: pytest.CaptureFixture[str]) -> WatchedLink:
    logs.configure("info", "json")
    return WatchedLink(PbxId("pbx1"), NobodyObserves())


def told(capsys: pytest.CaptureFixture[str]) -> list[dict[str, str]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_each_change_is_told_once_and_says_what_to_do(watched: WatchedLink, capsys: pytest.CaptureFixture[str]) -> None:
    for state, reason in (
        (HealthState.CONNECTING, "connecting"),
        (HealthState.LOGIN_REFUSED, "login_refused"),
        (HealthState.CONNECTING, "connecting"),
        (HealthState.LOGIN_REFUSED, "login_refused"),
        (HealthState.SYNCING, "snapshot"),
        (HealthState.READY, "ready"),
        (HealthState.DOWN, "connection_reset"),
    ):
        watched.health(Health(state, reason, 0.0, "22.10.1"))
    lines = told(capsys)
    assert [line["level"] for line in lines] == ["error", "info", "error"]
    assert "check username and secret" in lines[0]["event"]
    assert (lines[1]["event"], lines[1]["version"]) == ("PBX is ready: its calls are routed", "22.10.1")
    assert lines[2]["reason"] == "connection_reset"


def test_an_asterisk_that_does_not_fit_is_warned_of(watched: WatchedLink, capsys: pytest.CaptureFixture[str]) -> None:
    watched.health(Health(HealthState.READY, "ready", 0.0, "20.5.0", ("unsupported_asterisk",)))
    assert [line["level"] for line in told(capsys)] == ["info", "warning"]


def test_a_flood_of_damaged_messages_is_one_line(watched: WatchedLink, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(1000):
        watched.quarantined("doubled_header")
    assert len(told(capsys)) == 1
