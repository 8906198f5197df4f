"""Agents at their phones: ``*11`` to ``*15``, and what they hear."""

import json

import pytest

from nobat import logs
from tests.support.office import Office, until


async def hears(office: Office, dial_string: str, kind: str, **typed: str) -> str:
    """The slug of the sentence that the phone is answered with."""
    ask = office.pbx.dials_code(dial_string, kind, **typed)
    reply: str = await until(lambda: office.pbx.replies.get(ask), f"an answer to {kind}")
    return reply


async def test_a_day_by_phone(office: Office) -> None:
    admin = await office.admin()
    phone = "PJSIP/agent-103"
    assert await hears(office, phone, "available") == "not_signed_in"
    assert await hears(office, phone, "sign_in", agent="101", pin="4711") == "signed_in"
    signed_in = await admin.get("/v1/agents/101")
    assert (signed_in["phone"], signed_in["state"]) == (phone, "idle")  # the phone that asked is where calls go now
    assert await hears(office, phone, "break", reason="7") == "on_break"
    assert (await admin.get("/v1/agents/101"))["reason"] == "7"
    assert await hears(office, phone, "available") == "available"
    call = office.pbx.caller("8000")
    await until(lambda: office.pbx.ringing(call) == ["pbx1/PJSIP/agent-103"])
    office.pbx.pick_up(call)
    await office.settled()
    assert await hears(office, phone, "end_wrap_up") == "not_allowed"
    await admin.ask("PATCH", "/v1/queues/sales", json={"wrap_up_s": 60})
    office.pbx.agent_hangs_up(call)
    await office.settled()
    assert await hears(office, phone, "end_wrap_up") == "wrap_up_ended"
    assert await hears(office, phone, "sign_out") == "signed_out"
    assert (await admin.get("/v1/agents/101"))["status"] == "signed_out"
    assert await hears(office, phone, "sign_out") == "not_signed_in"


async def test_three_wrong_pins_lock_for_a_minute(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "json")  # to the standard error that is captured
    phone = "PJSIP/agent-101"
    assert await hears(office, phone, "sign_in", agent="101", pin="9001") == "wrong_pin"
    assert await hears(office, phone, "sign_in", agent="101", pin="9002") == "wrong_pin"
    assert await hears(office, phone, "sign_in", agent="101", pin="9003") == "locked"
    assert await hears(office, phone, "sign_in", agent="101", pin="4711") == "locked"
    await office.pass_time(59)
    assert await hears(office, phone, "sign_in", agent="101", pin="4711") == "locked"
    await office.pass_time(2)
    assert await hears(office, phone, "sign_in", agent="101", pin="4711") == "signed_in"
    logged = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["event"] for line in logged if line.get("agent") == "101"].count("wrong PIN") == 2
    assert any(line["event"] == "too many wrong PINs: sign-in by phone is locked" for line in logged)
    assert not any(digits in json.dumps(logged) for digits in ("9001", "9002", "9003", "4711"))


@pytest.mark.parametrize("agent", ["102", "999", "", "*"])
async def test_an_agent_without_a_pin_and_one_who_does_not_exist_sound_the_same(office: Office, agent: str) -> None:
    assert await hears(office, "PJSIP/agent-102", "sign_in", agent=agent, pin="1234") == "wrong_pin"


async def test_a_phone_that_is_taken_is_not_taken_away(office: Office) -> None:
    admin = await office.admin()
    await admin.chooses("103", "available")
    assert await hears(office, "PJSIP/agent-103", "sign_in", agent="101", pin="4711") == "not_allowed"
    assert (await admin.get("/v1/agents/103"))["phone"] == "PJSIP/agent-103"


async def test_an_unknown_code_changes_nothing(office: Office) -> None:
    await (await office.admin()).chooses("101", "available")
    assert await hears(office, "PJSIP/agent-101", "dance") == "not_allowed"
