"""What people do with callbacks on a real Asterisk: in two queues at once, just in time, too late, by key, when nobody is left."""

import asyncio

import pytest

from ami import names
from lab.prompts import ready_prompts
from tests.asterisk.test_callback_dialogue import keys, until_asked, until_in, until_line
from tests.support.called_back import HOME_TONE, NEXT_DOOR_TONE, AtHome, busy_agent, calls_back, results
from tests.support.heard_prompts import times_heard
from tests.support.serving import Serving
from tests.support.team import Team, subscriber
from tests.support.until import until


async def test_just_in_time_the_customer_is_on_when_the_agent_is_free(serving: Serving) -> None:
    """His phone rings while the agent still talks; an agent who becomes free is his at once, and each hears the other."""
    callbacks = calls_back(mode="just_in_time", target=0.5, ring_s=15)
    team = await Team.given(serving, "ann", "ben", callbacks=callbacks)
    talking = [await busy_agent(team, agent) for agent in team.agents]
    home = await AtHome.promised(team, talk=0)
    await serving.bank.leave(talking[0])  # ann rests for nobody: he is dialled now, and she waits for no phone
    await home.until_rung()
    assert (await serving.agent("ann"))["state"] == "idle"
    await home.talks_with("ann")
    assert results(await home.now()) == ["connected"]
    await serving.bank.leave(talking[1])


async def test_two_queues_call_back_at_once_and_nobody_hears_the_other(serving: Serving) -> None:
    team = await Team.given(serving, "ann", "ben", callbacks=calls_back())
    second = f"{team.queue}b"
    await team.opens(second, "8011", callbacks=calls_back())
    (await serving.api.patch("/v1/agents/ben", json={"queues": [second]})).raise_for_status()
    talking = [await busy_agent(team, "ann")]
    await team.phone("ben", talk=0)
    await serving.given_available("ben")
    talking.append(await team.call(number="8011"))
    await serving.until_call(talking[1], state="talking", agent="ben")
    homes = [await AtHome.promised(team, talk=0), await AtHome.promised(team, None, "8011", NEXT_DOOR_TONE, talk=0)]
    assert (await serving.get(f"/v1/queues/{second}/line"))["items"][0]["call_id"] == homes[1].callback
    for one in talking:
        await serving.bank.leave(one)
    await asyncio.gather(*(one.until_picked_up() for one in homes))
    await asyncio.gather(homes[0].talks_with("ann"), homes[1].talks_with("ben"))
    assert [len(one.rung()) for one in homes] == [1, 1]


async def test_who_picks_up_at_the_last_moment_is_on_or_is_tried_again_and_never_both(serving: Serving) -> None:
    team = await Team.given(serving, "ann", callbacks=calls_back(ring_s=3))
    talking = await busy_agent(team, "ann")
    home = await AtHome.promised(team, ring=2.98, talk=0, keys="1")
    await team.phone("ann", talk=0.8)
    await serving.bank.leave(talking)
    await home.until_rung()
    await serving.bank.given_phone(home.number, ring=0.5)  # if there is a next time
    await home.until_is(ended="reached", within_s=25)
    found = results(await home.now())
    assert (found[-1], set(found[:-1]) <= {"no_answer", "hung_up"}, len(home.rung())) == ("connected", True, len(found))
    assert (
        len(
            [
                one
                for one in serving.bank.moments[team.since :]
                if one.caller == home.number and one.kind == "PhoneAnswer"
            ]
        )
        == 1
    )


async def test_who_rings_in_chooses_another_number_by_code_and_keeps_the_place(serving: Serving) -> None:
    """Without the code a call with his number ends nothing: who had it shown and left has not kept him from being called."""
    team = await Team.given(serving, "ann", callbacks=calls_back(), announcements={"language": "en"})
    talking = await busy_agent(team, "ann")
    home = await AtHome.promised(team, talk=0)
    behind = await team.call()
    spoofed = await team.call(home.number)
    await home.until_is(ended="rang_again")
    await serving.bank.leave(spoofed)
    await until_line(team, [("callback", home.number), ("live", behind.number)])
    again = await team.call(home.number)
    await team.until_line([again, behind])
    other = subscriber()[0]
    await serving.bank.given_phone(other, tone=HOME_TONE, record=True, talk=0)
    await keys(team, again, "2")
    await until_in(team, again, "Exten", "code")
    await until_asked(team, again)
    await keys(team, again, f"{home.code}#")
    await until_in(team, again, "Exten", "change")
    await until_asked(team, again)
    await keys(team, again, "2")
    await until_in(team, again, "Exten", "other")
    await keys(team, again, f"{other}#")
    await until_in(team, again, "Exten", "number")
    await until_asked(team, again)
    await keys(team, again, "1")
    (first, _) = await until_line(team, [("callback", other), ("live", behind.number)])
    await serving.bank.leave(again)
    changed = AtHome(team, other, first["call_id"], again)
    await serving.bank.leave(talking)
    await changed.talks_with("ann")
    assert not home.rung()
    await serving.bank.leave(behind)


async def test_no_agent_is_left_and_the_customer_is_next_and_hears_why(serving: Serving) -> None:
    team = await Team.given(serving, "ann", "ben", callbacks=calls_back(ring_s=10), announcements={"language": "en"})
    talking = [await busy_agent(team, agent) for agent in team.agents]
    home = await AtHome.promised(team, ring=1, talk=0)
    behind = await team.call()
    await serving.bank.leave(talking[0])
    await home.until_rung()
    await serving.choose("ann", "signed_out")
    call = await home.presses_one()
    await team.until_line([home.first, behind])  # the same number, and first
    folder = ready_prompts() / "en" / "nobat"
    seconds = (folder / "callback-wait.wav").stat().st_size / 16_000
    await asyncio.sleep(seconds + 0.8)
    await team.phone("ben", talk=0.8)
    await serving.bank.leave(talking[1])
    await home.until_is(ended="reached")
    assert (await serving.get(f"/v1/calls/{call}"))["agent"] == "ben"
    await serving.bank.leave(behind)
    assert times_heard(await home.recording(), folder / "callback-wait.wav") >= 1


async def test_a_machine_is_asked_once_and_a_person_as_often_as_the_queue_says(serving: Serving) -> None:
    """With the site's own ``app_amd``: a voice that goes on and on is a machine's, a short word and silence a person's."""
    callbacks = calls_back(confirm_s=1, confirm_times=2, most_attempts=1)
    team = await Team.given(serving, "ann", "ben", callbacks=callbacks, announcements={"language": "en"})
    talking = [await busy_agent(team, agent) for agent in team.agents]
    says = (HOME_TONE, f"!{HOME_TONE}/500,!0/60000")
    homes = [await AtHome.promised(team, tone=one, talk=0) for one in says]
    ami = await serving.pbx.ami()
    await serving.pbx.load("app_amd.so", {"amd.conf": "[general]\n"})
    await ami.act("Setvar", Variable="ACD_AMD", Value="1")
    try:
        for one in talking:
            await serving.bank.leave(one)
        for home in homes:
            await home.until_is(ended="gave_up", within_s=30)
    finally:
        await ami.act("Setvar", Variable="ACD_AMD", Value="0")
        await ami.close()
    prompt = ready_prompts() / "en" / "nobat" / "callback-press-one.wav"
    assert [results(await home.now()) for home in homes] == [["voicemail"]] * 2
    assert [times_heard(await home.recording(), prompt) for home in homes] == [1, 2]


async def test_markers_are_forgotten_when_their_callbacks_are_over(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = await Team.given(serving, "ann", callbacks=calls_back(retries={}))
    talking = await busy_agent(team, "ann")
    reached = await AtHome.promised(team, talk=0)
    waits = await AtHome.promised(team, does="busy", talk=0)
    monkeypatch.setenv("NOBAT_CALLBACKS__FORGET_S", "1")
    serving.service.stop()
    serving.service.start()
    serving.service.wait_ready()
    await serving.bank.leave(talking)
    await reached.talks_with("ann")
    await waits.until_rung()
    ami = await serving.pbx.ami()

    async def only_the_open_one() -> bool:
        there = await ami.list("DBGetTree", Family=names.MARKERS)
        return [one["Key"].rpartition("/")[2].rpartition(".")[0] for one in there] == [waits.callback]

    try:
        await until(only_the_open_one, "Asterisk keeps the marker of the open callback alone", within_s=15)
    finally:
        await ami.close()
        monkeypatch.undo()
        serving.service.stop()
