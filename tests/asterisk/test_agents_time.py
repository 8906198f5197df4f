"""The agent's day on a real PBX: the work after a call in its forms, breaks that wait, and what the phone shows."""

import pytest

from lab.prompts import ready_prompts
from tests.support.heard_prompts import heard_prompts
from tests.support.serving import Json, Serving
from tests.support.team import Team
from tests.support.until import until

OUTCOMES = ["sold", "not_interested"]


async def wrap_up(serving: Serving, agent: str, **body: object) -> tuple[int, Json]:
    reply = await serving.api.post(f"/v1/agents/{agent}/wrap-up", json=body)
    return reply.status_code, dict(reply.json())


async def dials(serving: Serving, phone: str, code: str) -> str:
    """The phone dials a code, hears its sentence and is free again; the leg, for its recording."""
    leg = await serving.bank.dial_from(phone, code, stay_s=10, record=True)
    await serving.bank.until(lambda: phone not in serving.bank.dialling, f"{phone} is free", 20)
    return leg


async def hears(serving: Serving, phone: str, code: str) -> list[str]:
    """The prompts that the phone hears when it dials a code."""
    leg = await dials(serving, phone, code)
    return heard_prompts(await serving.bank.recording(leg), ready_prompts() / "en" / "nobat")


async def after_a_call(serving: Serving, agent: str, team: Team) -> Json:
    """One call, and the agent works on it; the call."""
    customer = await team.call()
    ended = await serving.until_call(customer, state="ended", outcome="answered", agent=agent)
    await serving.until_agent(agent, "wrap_up")
    return ended


async def test_a_fixed_wrap_up_ends_by_itself_or_when_the_agent_says_so(serving: Serving) -> None:
    team = await Team.given(serving, "ann", wrap_up_s=2.0)
    await team.at_work()
    await after_a_call(serving, "ann", team)
    await serving.until_agent("ann", "idle", within_s=4)
    await team.set(wrap_up_s=600.0)
    await after_a_call(serving, "ann", team)
    before = (await serving.agent("ann"))["wrap_up"]["until"]
    assert await hears(serving, team.device("ann"), "*150") == ["wrap-up-goes-on"]
    assert (await serving.agent("ann"))["wrap_up"]["until"] > before
    await dials(serving, team.device("ann"), "*15")
    await serving.until_agent("ann", "idle")


async def test_a_disposition_is_owed_and_given_by_phone(serving: Serving) -> None:
    team = await Team.given(serving, "ann", wrap_up={"form": "disposition", "dispositions": OUTCOMES})
    await team.at_work()
    call = await after_a_call(serving, "ann", team)
    assert (await wrap_up(serving, "ann"))[1]["slug"] == "disposition_required"
    assert (await wrap_up(serving, "ann", disposition="stolen"))[1]["slug"] == "unknown_disposition"
    assert await hears(serving, team.device("ann"), "*15") == ["outcome-missing"]
    await dials(serving, team.device("ann"), "*153")
    agent = await serving.agent("ann")
    assert (agent["state"], agent["wrap_up"]["owes_disposition"]) == ("wrap_up", True)
    await dials(serving, team.device("ann"), "*152")
    await serving.until_agent("ann", "idle")
    assert (await serving.get(f"/v1/calls/{call['id']}"))["disposition"] == "not_interested"


async def test_a_supervisor_forces_the_end_and_a_queue_does_by_itself(serving: Serving) -> None:
    policy = {"form": "disposition", "dispositions": OUTCOMES}
    team = await Team.given(serving, "ann", wrap_up=policy)
    await team.at_work()
    await after_a_call(serving, "ann", team)
    assert (await wrap_up(serving, "ann", force=True))[0] == 200
    await serving.until_agent("ann", "idle")
    await team.set(wrap_up={**policy, "longest_s": 1.5, "force": True})
    await after_a_call(serving, "ann", team)
    await serving.until_agent("ann", "idle", within_s=5)


async def test_a_wrap_up_outlives_the_service(serving: Serving) -> None:
    team = await Team.given(serving, "ann", wrap_up={"form": "open"})
    await team.at_work()
    call = await after_a_call(serving, "ann", team)
    before = await serving.agent("ann")

    async def is_written() -> bool:  # history is a moment behind the call
        metrics = (await serving.api.get("/metrics")).text
        return "acd_history_pending 0.0" in metrics

    await until(is_written, "history is on disk")
    serving.service.kill()
    serving.service.start()
    serving.service.wait_ready()
    after = await serving.agent("ann")
    assert (after["state"], after["call"]) == ("wrap_up", call["id"])
    assert after["wrap_up"]["since"] == before["wrap_up"]["since"]
    waiting = await team.call()
    await team.until_line([waiting])
    assert (await wrap_up(serving, "ann", disposition="sold"))[0] == 200
    await serving.until_call(waiting, state="ended", outcome="answered", agent="ann")

    async def is_known() -> bool:
        return bool((await serving.get(f"/v1/calls/{call['id']}"))["disposition"] == "sold")

    await until(is_known, "the call's disposition is in history")


async def test_breaks_beyond_the_limit_wait_for_their_turn(serving: Serving) -> None:
    team = await Team.given(serving, "ann", "ben", "cem", breaks={"most": 1})
    await team.at_work()
    await serving.choose("ann", "break", reason="lunch")
    assert (await serving.choose("ben", "break", reason="tea"))["break_request"]["number"] == 1
    assert await hears(serving, team.device("cem"), "*137") == ["break-requested", "num-2"]
    asked = (await serving.get("/v1/break-requests"))["items"]
    assert [(one["agent"], one["reason"], one["number"]) for one in asked] == [("ben", "tea", 1), ("cem", "7", 2)]
    serving.service.kill()
    serving.service.start()
    serving.service.wait_ready()
    assert (await serving.get("/v1/break-requests"))["items"] == asked
    customer = await team.call()  # who waits for a break is at work
    await serving.until_call(customer, state="ended", outcome="answered", agent="ben")
    await team.phone("ben", talk=0)
    await serving.choose("cem", "available")  # and who is available asks no more
    assert [one["agent"] for one in (await serving.get("/v1/break-requests"))["items"]] == ["ben"]
    talking = await team.call()
    found = await serving.until_call(talking, state="talking")
    await serving.choose("ann", "available")
    chosen = await serving.agent("ben")
    assert (chosen["status"], chosen["reason"], chosen["break_request"]) == ("break", "tea", None)
    if found["agent"] == "ben":
        assert chosen["state"] == "talking"
    await serving.bank.leave(talking)
    await serving.until_agent("ben", "break")


async def test_a_supervisor_approves_or_refuses_a_break(serving: Serving) -> None:
    team = await Team.given(serving, "ann", "ben", "cem", breaks={"most": 1})
    await team.at_work()
    for agent in team.agents:
        await serving.choose(agent, "break")
    assert (await serving.api.post("/v1/break-requests/cem/approve")).status_code == 200
    await serving.until_agent("cem", "break")
    assert (await serving.api.post("/v1/break-requests/ben/refuse")).status_code == 200
    await serving.until_agent("ben", "idle")
    assert (await serving.api.post("/v1/break-requests/ben/refuse")).json()["slug"] == "no_break_request"


async def test_a_status_chosen_in_a_call_takes_effect_after_it(serving: Serving) -> None:
    team = await Team.given(serving, "ann", "ben", wrap_up_s=1.0)
    await team.phones(talk=0)
    await team.at_work()
    first = await team.call()
    await serving.until_call(first, state="talking", agent="ann")
    second = await team.call()
    await serving.until_call(second, state="talking", agent="ben")
    assert (await serving.choose("ann", "break"))["state"] == "talking"
    assert (await serving.choose("ben", "signed_out"))["state"] == "talking"
    waiting = await team.call()
    await team.until_line([waiting])
    for customer in (first, second):
        await serving.bank.leave(customer)
    await serving.until_agent("ben", "signed_out")  # no wrap-up: nobody is there to do it
    await serving.until_agent("ann", "wrap_up")
    await serving.until_agent("ann", "break", within_s=5)
    assert (await serving.call_of(waiting))["position"] == 1
    assert team.rung(waiting) == []


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Maryam", "Sales desk: Maryam"),
        ("", "Sales desk"),
        ('A",B<sip:x>;\\$(1)', "Sales desk: ABsipx1"),
        ("مریم", "Sales desk: مریم"),
    ],
)
async def test_the_phone_shows_queue_and_caller_and_the_interface_what_is_known(
    serving: Serving, name: str, shown: str
) -> None:
    known = {"name": "Maryam K.", "segment": "vip", "priority": 2, "language": "fa"}
    team = await Team.given(serving, "ann", name="Sales (desk)")
    (await serving.api.put("/v1/callers/02144556677", json=known)).raise_for_status()
    await team.phone("ann", does="silent")
    await team.at_work()
    customer = await serving.bank.call(team.number, name=name, caller="02144556677")
    await team.until_rung(customer)
    assert await serving.bank.shown_at(team.device("ann")) == shown
    current = (await serving.agent("ann"))["current"]
    assert (current["queue"], current["queue_name"], current["state"]) == (team.queue, "Sales (desk)", "offered")
    assert (current["caller"]["name"], current["caller"]["segment"], current["priority"]) == ("Maryam K.", "vip", 2)
    assert (await serving.call_of(customer))["caller"]["name"] == (shown.partition(": ")[2] or None)  # as he came in
    await serving.bank.leave(customer)
    await serving.until_agent("ann", "idle")
    assert (await serving.agent("ann"))["current"] is None
