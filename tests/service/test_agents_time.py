"""The agents' time over REST: what a queue wants, what the agent sees and does, and what a restart leaves of it."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from nobat.auth import Role
from nobat.settings import BreakReasonSettings, MobileSettings, Settings
from tests.support.memory_pbx import Manner
from tests.support.office import Office, Person

OWED = {"form": "disposition", "dispositions": ["sold", "lost"]}


async def set_queue(admin: Person, **body: Any) -> Any:
    response = await admin.ask("PATCH", "/v1/queues/sales", json=body)
    assert response.status_code == 200, response.text
    return response.json()


async def refused(person: Person, method: str, path: str, body: Any = None) -> tuple[int, str]:
    response = await person.ask(method, path, json=body)
    return response.status_code, response.json()["slug"]


async def after_a_call(office: Office, admin: Person) -> str:
    """Agent 101 has had a call and works on it; its id."""
    office.pbx.phone("PJSIP/agent-101", Manner.ANSWERS)
    await admin.chooses("101", "available")
    call = office.pbx.caller("8000")
    await office.settled()
    office.pbx.agent_hangs_up(call)
    await office.settled()
    return str(call)


async def restart(office: Office) -> None:
    await office.written()
    await office.die()
    await office.start()


async def test_a_queue_says_how_work_after_a_call_ends(office: Office) -> None:
    admin = await office.admin()
    assert (await admin.get("/v1/queues/sales"))["wrap_up"]["form"] == "fixed"
    changed = await set_queue(admin, wrap_up=OWED | {"longest_s": 60}, breaks={"most": 2})
    assert changed["wrap_up"] == {**OWED, "longest_s": 60.0, "force": False}
    assert (await set_queue(admin, wrap_up={"force": True}))["wrap_up"]["dispositions"] == ["sold", "lost"]
    await restart(office)
    again = await (await office.admin()).get("/v1/queues/sales")
    assert (again["wrap_up"], again["breaks"]) == ({**OWED, "longest_s": 60.0, "force": True}, {"most": 2})


@pytest.mark.parametrize(
    "wrap_up",
    [
        {"form": "disposition"},
        {"form": "endless"},
        {"force": True},
        {"dispositions": ["a", "a"]},
        {"dispositions": [""]},
        {"longest_s": -1},
        {"more": 1},
    ],
)
async def test_a_queue_that_could_not_end_it_is_refused(counter: Office, wrap_up: Any) -> None:
    admin = await counter.admin()
    assert await refused(admin, "PATCH", "/v1/queues/sales", {"wrap_up": wrap_up}) == (422, "invalid_request")


async def test_a_disposition_is_owed_and_a_supervisor_may_do_without(office: Office) -> None:
    admin = await office.admin()
    await set_queue(admin, wrap_up=OWED)
    call = await after_a_call(office, admin)
    own, path = await office.person(Role.AGENT, agent="101"), "/v1/agents/101/wrap-up"
    assert await refused(own, "POST", path, {}) == (409, "disposition_required")
    assert await refused(own, "POST", path, {"disposition": "stolen"}) == (422, "unknown_disposition")
    assert await refused(own, "POST", path, {"force": True}) == (403, "forbidden")
    assert await refused(own, "PUT", "/v1/agents/101/status", {"status": "signed_out"}) == (409, "disposition_required")
    seen = await own.get("/v1/agents/101")
    assert (seen["state"], seen["call"], seen["wrap_up"]["owes_disposition"]) == ("wrap_up", call, True)
    assert seen["wrap_up"]["dispositions"] == ["sold", "lost"]
    boss = await office.person(Role.SUPERVISOR, queues=("sales",))
    assert (await boss.ask("POST", path, json={"force": True})).json()["state"] == "idle"


async def test_a_wrap_up_goes_on_after_a_restart_and_what_is_said_then_reaches_history(office: Office) -> None:
    admin = await office.admin()
    await set_queue(admin, wrap_up=OWED, wrap_up_s=30)
    call = await after_a_call(office, admin)
    await admin.ask("POST", "/v1/agents/101/wrap-up", json={"extend_s": 100})
    before = await admin.get("/v1/agents/101")
    await restart(office)
    admin = await office.admin()
    after = await admin.get("/v1/agents/101")
    assert (after["state"], after["wrap_up"]) == ("wrap_up", before["wrap_up"])
    await office.pass_time(200)
    assert (await admin.get("/v1/agents/101"))["state"] == "wrap_up"
    response = await admin.ask("POST", "/v1/agents/101/wrap-up", json={"disposition": "sold", "notes": "two"})
    assert response.json()["state"] == "idle"
    await office.written()
    stored = await admin.get(f"/v1/calls/{call}")
    assert (stored["disposition"], stored["notes"], stored["priority"]) == ("sold", "two", 0)
    await restart(office)
    assert (await (await office.admin()).get("/v1/agents/101"))["state"] == "idle"


async def test_breaks_wait_in_order_through_a_restart_and_supervisors_settle_them(office: Office) -> None:
    admin = await office.admin()
    await set_queue(admin, breaks={"most": 1})
    for agent in ("101", "102"):
        await admin.chooses(agent, "available")
    await admin.chooses("101", "break", reason="lunch")
    asked = await admin.chooses("102", "break", reason="tea")
    assert (asked["status"], asked["break_request"]["number"]) == ("available", 1)
    assert (await admin.get("/v1/queues/sales"))["breaks"] == {"most": 1}
    await restart(office)
    admin = await office.admin()
    (waiting,) = (await admin.get("/v1/break-requests"))["items"]
    assert waiting == asked["break_request"]
    assert 'acd_break_requests{queue="sales"} 1.0' in (await admin.ask("GET", "/metrics")).text
    stranger, own = await office.person(Role.AGENT, agent="101"), await office.person(Role.AGENT, agent="102")
    assert (await stranger.get("/v1/break-requests"))["items"] == []
    assert len((await own.get("/v1/break-requests"))["items"]) == 1
    assert (await own.ask("DELETE", "/v1/break-requests/102")).status_code == 204
    await own.chooses("102", "break")
    boss = await office.person(Role.SUPERVISOR, queues=("sales",))
    assert (await boss.ask("POST", "/v1/break-requests/102/refuse")).json()["status"] == "available"
    assert await refused(boss, "POST", "/v1/break-requests/102/approve") == (409, "no_break_request")
    await own.chooses("102", "break")
    assert (await boss.ask("POST", "/v1/break-requests/102/approve")).json()["status"] == "break"
    await restart(office)
    assert (await (await office.admin()).get("/v1/break-requests"))["items"] == []


class Informed(Office):
    """An office whose settings name reasons and numbers."""

    def _settings(self) -> Settings:
        return (
            super()
            ._settings()
            .model_copy(
                update={
                    "break_reason": (
                        BreakReasonSettings(code="1", name="lunch", planned_s=1800),
                        BreakReasonSettings(code="2", name="training", productive=True),
                    ),
                    "mobile": MobileSettings(numbers="09[0-9]{9}@trunk"),
                }
            )
        )


@pytest.fixture
async def informed(tmp_path: Any) -> Any:
    from tests.support.office import agent, queue

    place = Informed(f"sqlite:///{tmp_path / 'nobat.db'}")
    await place.prepare([replace(queue("sales", "8000"), name="فروش (desk)")], [agent("101", "sales")], {"101": "4711"})
    place.pbx.phone("PJSIP/agent-101")
    async with place.open():
        yield place


async def test_reports_tell_breaks_that_are_work_from_others_through_a_restart(informed: Office) -> None:
    admin = await informed.admin()
    await admin.chooses("101", "available")
    await informed.pass_time(100)
    await admin.chooses("101", "break", reason="2")
    await informed.pass_time(400)
    await informed.written()
    await informed.app.figures.catch_up()  # as each minute: by that it is known how long the service was there
    admin = await informed.restarted()
    await informed.pass_time(200)
    await admin.chooses("101", "break", reason="lunch")
    await informed.pass_time(300)
    await admin.chooses("101", "available")
    await informed.written()
    await informed.app.figures.catch_up()
    begin = datetime.fromtimestamp(informed.clock.now() - 7200, UTC).isoformat()
    (row,) = (await admin.get("/v1/reports/agents", agent="101", **{"from": begin}))["items"]
    assert 600 <= row["productive_s"] < 660  # a slow machine takes its time to start again
    assert 300 <= row["break_s"] - row["productive_s"] < 330
    assert row["occupancy"] == 0.0  # breaks are outside, whatever they are for


async def test_a_long_break_is_shown_and_counted(informed: Office) -> None:
    admin = await informed.admin()
    assert (await admin.get("/v1/break-reasons"))["items"] == [
        {"code": "1", "name": "lunch", "planned_s": 1800.0, "productive": False},
        {"code": "2", "name": "training", "planned_s": None, "productive": True},
    ]
    await admin.chooses("101", "available")
    await admin.chooses("101", "break", reason="1")
    agent = await admin.get("/v1/agents/101")
    assert (agent["reason"], agent["late"]) == ("lunch", False)
    assert agent["break_due"] is not None
    await informed.pass_time(1801)
    assert (await admin.get("/v1/agents/101"))["late"]
    assert 'acd_long_breaks_total{queue="sales"} 1.0' in (await admin.ask("GET", "/metrics")).text
    await informed.written()
    await informed.die()
    await informed.start()
    again = await informed.admin()
    assert (await again.get("/v1/agents/101"))["late"]
    await informed.pass_time(1)
    assert 'acd_long_breaks_total{queue="sales"} 1.0' not in (await again.ask("GET", "/metrics")).text  # told once


async def test_a_break_that_becomes_too_long_while_there_is_no_service_is_told_at_the_start(informed: Office) -> None:
    admin = await informed.admin()
    await admin.chooses("101", "available")
    await admin.chooses("101", "break", reason="1")
    await informed.written()
    await informed.die()
    await informed.pass_time(1801)
    await informed.start()
    await informed.pass_time(1)
    again = await informed.admin()
    assert (await again.get("/v1/agents/101"))["late"]
    assert 'acd_long_breaks_total{queue="sales"} 1.0' in (await again.ask("GET", "/metrics")).text


async def test_an_agent_may_sit_at_some_numbers_only(informed: Office) -> None:
    own, boss = await informed.person(Role.AGENT, agent="101"), await informed.admin()
    path = "/v1/agents/101/status"
    wanted = {"status": "available", "device": "PJSIP/0900123456@trunk"}
    assert await refused(own, "PUT", path, wanted) == (403, "forbidden")
    assert await refused(boss, "PUT", path, wanted | {"accept": False}) == (422, "invalid_request")
    assert (await boss.ask("PUT", path, json=wanted)).status_code == 200
    wanted["device"] = "PJSIP/09121234567@trunk"
    answered = await own.ask("PUT", path, json=wanted)
    assert (answered.json()["phone"], answered.json()["state"]) == ("PJSIP/09121234567@trunk", "idle")
    informed.pbx.phone("Local/09121234567:trunk@acd-mobile")
    call = informed.pbx.caller("8000")
    await informed.settled()
    assert informed.pbx.ringing(call) == ["pbx1/Local/09121234567:trunk@acd-mobile"]
    assert (await own.get("/v1/agents/101"))["current"]["call"] == call
    configured = {"device": "PJSIP/0900123456@trunk"}
    assert (await boss.ask("PATCH", "/v1/agents/101", json=configured)).json()["accept"] is True
    assert (await boss.ask("PATCH", "/v1/agents/101", json={"device": "PJSIP/agent-101"})).json()["accept"] is False
    assert (await boss.ask("PATCH", "/v1/agents/101", json={"accept": True})).json()["accept"] is True


async def test_the_pbx_is_told_what_phones_show(informed: Office) -> None:
    assert informed.pbx.titles == {"sales": "فروش (desk)"}
    admin = await informed.admin()
    await set_queue(admin, name="")
    assert informed.pbx.titles == {"sales": "sales"}


async def test_the_current_call_is_known_with_its_caller_from_the_offer_on(office: Office) -> None:
    admin = await office.admin()
    row = {"name": "Maryam", "segment": "vip", "priority": 2, "language": "fa"}
    assert (await admin.ask("PUT", "/v1/callers/02144556677", json=row)).status_code == 200
    await admin.chooses("101", "available")
    assert (await admin.get("/v1/agents/101"))["current"] is None
    call = office.pbx.caller("8000", "02144556677", "M")
    await office.settled()
    own = await office.person(Role.AGENT, agent="101")
    seen = (await own.get("/v1/agents/101"))["current"]
    assert (seen["call"], seen["state"], seen["queue"], seen["name"], seen["priority"]) == (
        call,
        "offered",
        "sales",
        "M",
        2,
    )
    assert (seen["caller"]["name"], seen["caller"]["segment"], seen["caller"]["language"]) == ("Maryam", "vip", "fa")
    office.pbx.pick_up(call)
    await office.settled()
    assert (await own.get("/v1/agents/101"))["current"]["state"] == "talking"
    office.pbx.agent_hangs_up(call)
    await office.settled()
    stranger = office.pbx.caller("8000", "02100000000")
    await office.settled()
    seen = (await own.get("/v1/agents/101"))["current"]
    assert (seen["call"], seen["caller"], seen["number"]) == (stranger, None, "02100000000")


async def hears(office: Office, kind: str, reason: str = "") -> str:
    from tests.support.office import until

    ask = office.pbx.dials_code("PJSIP/agent-101", kind, reason=reason)
    return str(await until(lambda: office.pbx.replies.get(ask), f"an answer to {kind}"))


async def test_wrap_up_and_breaks_by_phone(office: Office) -> None:
    admin = await office.admin()
    await set_queue(admin, wrap_up=OWED, wrap_up_s=30, breaks={"most": 1})
    call = await after_a_call(office, admin)
    assert await hears(office, "end_wrap_up") == "outcome_missing"
    assert await hears(office, "end_wrap_up", "3") == "outcome_missing"
    assert await hears(office, "sign_out") == "outcome_missing"
    assert await hears(office, "end_wrap_up", "0") == "wrap_up_goes_on"
    assert await hears(office, "end_wrap_up", "02") == "wrap_up_ended"
    assert (await admin.get(f"/v1/calls/{call}"))["disposition"] == "lost"
    await admin.chooses("102", "available")
    await admin.chooses("102", "break")
    assert await hears(office, "break", "7") == "break_requested1"
    assert await hears(office, "available") == "available"
    assert (await admin.get("/v1/break-requests"))["items"] == []
    await admin.chooses("102", "available")
    office.pbx.caller("8000")
    await office.settled()
    assert await hears(office, "break") == "after_the_call"
