"""What an operator sees: readiness with its reason, metrics that add up, logs and documents."""

import pytest

from ami.health import HealthState
from nobat.auth import Role
from tests.support.memory_pbx import Manner
from tests.support.office import Office, until


async def test_ready_when_everything_is_there(office: Office) -> None:
    response = await office.client.get("/readyz")
    assert response.status_code == 200
    assert response.json()["pbx"]["pbx1"]["asterisk"] == "22.10.1"


async def test_a_pbx_that_is_away_or_refuses_us_is_named_and_comes_back_by_itself(office: Office) -> None:
    for state, reason in ((HealthState.DOWN, "connection_refused"), (HealthState.LOGIN_REFUSED, "login_refused")):
        office.pbx.lose_link(reason, state)
        response = await office.client.get("/readyz")
        body = response.json()
        assert (response.status_code, body["status"]) == (503, "not_ready")
        assert (body["pbx"]["pbx1"]["state"], body["pbx"]["pbx1"]["reason"]) == (state, reason)
        assert body["database"]["ready"]
        assert (await office.client.get("/healthz")).json() == {"status": "ok"}
        office.pbx.restore_link()
    assert (await office.client.get("/readyz")).status_code == 200


async def test_calls_wait_while_the_pbx_is_away_and_are_offered_when_it_is_back(office: Office) -> None:
    admin = await office.admin()
    office.pbx.phone("PJSIP/agent-101", Manner.ANSWERS)
    office.pbx.lose_link()
    await admin.chooses("101", "available")
    call = office.pbx.caller("8000")
    await office.settled()
    assert (await admin.ask("GET", f"/v1/calls/{call}")).status_code == 404
    office.pbx.restore_link()
    await until(lambda: office.pbx.stage(call) == "talking", "a conversation")


async def figures(office: Office) -> dict[str, float]:
    page = (await office.client.get("/metrics")).text
    lines = [line.rpartition(" ") for line in page.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


async def test_metrics_follow_a_call(office: Office) -> None:
    admin = await office.admin()
    before = await figures(office)
    assert before['acd_calls_entered_total{queue="sales"}'] == 0
    assert before['acd_calls_ended_total{outcome="abandoned",queue="support"}'] == 0
    assert before['acd_agents{queue="sales",state="signed_out"}'] == 2
    assert before['ami_connected{pbx="pbx1"}'] == 1
    await admin.chooses("101", "available")
    call = office.pbx.caller("8000")
    await until(lambda: office.pbx.ringing(call))
    assert (await figures(office))['acd_calls_waiting{kind="live",queue="sales"}'] == 1
    office.pbx.pick_up(call)
    await office.settled()
    await office.pass_time(12)
    office.pbx.agent_hangs_up(call)
    await office.settled()
    await office.written()
    after = await figures(office)
    assert after['acd_calls_entered_total{queue="sales"}'] == 1
    assert after['acd_calls_ended_total{outcome="answered",queue="sales"}'] == 1
    assert after['acd_offers_total{queue="sales",result="answered"}'] == 1
    assert after['acd_talk_seconds_count{queue="sales"}'] == 1
    assert 12 <= after['acd_talk_seconds_sum{queue="sales"}'] < 13
    assert after['acd_service_level_ratio{queue="sales"}'] == 1
    assert after['acd_dispatch_seconds_count{pbx="pbx1"}'] == 1
    assert after["acd_history_pending"] == 0
    assert after["acd_inbox_lag_seconds_count"] > 0
    assert after['acd_recovery_seconds{pbx="pbx1"}'] >= 0


async def test_a_removed_queue_leaves_no_series_and_callers_make_none(office: Office) -> None:
    admin = await office.admin()
    for n in range(50):
        office.pbx.caller("8000", f"49301234{n:04}", f"caller {n}")
    await office.settled()
    page = (await office.client.get("/metrics")).text
    assert "49301234" not in page
    assert 'queue="support"' in page
    await admin.ask("DELETE", "/v1/queues/support")
    assert 'queue="support"' not in (await office.client.get("/metrics")).text


async def test_the_document_and_its_page_need_nothing_from_elsewhere(office: Office) -> None:
    document = (await office.client.get("/openapi.json")).json()
    assert document["paths"]["/v1/queues"]["get"]["operationId"] == "listQueues"
    page = (await office.client.get("/docs")).text
    assert "/v1/agents/{agent}/status" in page
    assert "<script" not in page
    assert "http://" not in page
    assert "https://" not in page


@pytest.mark.parametrize("role", [Role.AGENT, Role.SUPERVISOR])
async def test_stats_add_up_whatever_happens(office: Office, role: Role) -> None:
    person = await office.person(role, agent="102" if role is Role.AGENT else None)
    await person.chooses("102", "available")
    calls = [office.pbx.caller("8000", str(n)) for n in range(5)]
    await office.settled()
    await office.pass_time(30)
    office.pbx.caller_hangs_up(calls[3])
    office.pbx.pick_up(calls[0])
    await office.settled()
    for window in ("today", "15m", "1h"):
        stats = await person.get("/v1/queues/sales/stats", window=window)
        decided = [stats[name] for name in ("answered", "abandoned", "overflowed", "deferred", "lost", "waiting")]
        assert (stats["offered"], sum(decided), stats["waiting"]) == (5, 5, 3)
        assert stats["service_level"]["primary"] == 0.0  # one answered late, one gone late, three late and waiting
