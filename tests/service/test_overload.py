"""More comes in than can be worked on: screens are refused before calls wait, and nothing grows without bound."""

from time import perf_counter

import pytest

from nobat.engine import Overloaded
from tests.support.office import Office, until


async def test_what_a_full_inbox_refused_is_looked_up_when_there_is_room(office: Office) -> None:
    """Callers come while nothing more is taken in: they are in line a moment later, at their places."""
    engine = office.app.engine
    engine._inbox._most = 8
    callers = [office.pbx.caller("8000", f"493012345{n:02d}") for n in range(30)]
    assert engine.backlog() <= 9
    with pytest.raises(Overloaded):
        await engine.ask(None)  # type: ignore[arg-type]
    await until(lambda: engine.read(lambda floor, _: len(floor.calls)) == 30, "all callers in line")
    line = engine.read(lambda floor, _: [call.id for call in sorted(floor.calls.values(), key=lambda one: one.place)])
    assert line == callers


def late_for(office: Office, seconds: float) -> None:
    """Messages have been late for so long."""
    office.app.engine._inbox._late_since = perf_counter() - seconds


async def test_screens_are_refused_first_then_changes_and_never_what_watches(office: Office) -> None:
    admin = await office.admin()
    assert (await admin.ask("GET", "/v1/queues")).status_code == 200
    late_for(office, 1)
    refused = await admin.ask("GET", "/v1/queues")
    assert (refused.status_code, refused.json()["slug"], refused.headers["retry-after"]) == (503, "overloaded", "2")
    for path in ("/healthz", "/readyz", "/metrics"):
        assert (await office.client.get(path)).status_code == 200
    late_for(office, 1)
    assert (await admin.chooses("101", "available"))["status"] == "available"
    late_for(office, 10)
    refused = await admin.ask("PUT", "/v1/agents/101/status", json={"status": "break"})
    assert (refused.status_code, refused.json()["slug"]) == (503, "overloaded")
    page = (await office.client.get("/metrics")).text
    assert 'acd_requests_shed_total{kind="screen"} 1.0' in page
    assert 'acd_requests_shed_total{kind="change"} 1.0' in page
    call = office.pbx.caller("8000")
    await until(lambda: office.pbx.ringing(call), "a ringing phone")
    assert (await admin.ask("GET", "/v1/queues")).status_code == 200
