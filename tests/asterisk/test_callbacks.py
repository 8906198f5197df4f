"""Customers are called back at their own place: an agent first, then their phone, a key, and each hears the other."""

import pytest

from tests.support.called_back import AtHome, busy_agent, calls_back, results
from tests.support.serving import Serving
from tests.support.team import Team


async def test_promised_let_go_rung_and_connected_after_a_key(serving: Serving) -> None:
    team = await Team.given(serving, "ann", callbacks=calls_back())
    talking = await busy_agent(team, "ann")
    home = await AtHome.promised(team, talk=0)
    behind = await team.call()
    (first, second) = (await serving.get(f"/v1/queues/{team.queue}/line"))["items"]
    assert (first["kind"], first["call_id"], second["kind"]) == ("callback", home.callback, "live")
    await serving.bank.leave(talking)
    await home.until_rung()
    ann = await serving.agent("ann")
    assert (ann["state"], ann["current"]["number"]) == ("ringing", home.number)
    await home.talks_with("ann")
    over = await home.now()
    assert results(over) == ["connected"]
    assert len(home.rung()) == 1
    call = await serving.get(f"/v1/calls/{over['reached_in']}")
    assert (call["outcome"], call["agent"], call["callback"]) == ("answered", "ann", home.callback)
    await serving.until_call(behind, state="talking", agent="ann")
    stats = await serving.get(f"/v1/queues/{team.queue}/stats")
    assert (stats["offered"], stats["answered"], stats["deferred"]) == (3, 2, 1)
    await serving.bank.leave(behind)


@pytest.mark.parametrize(
    ("does", "result"),
    [("busy", "busy"), ("silent", "no_answer"), ("reject", "rejected"), ("unknown", "unreachable")],
)
async def test_who_is_not_reached_keeps_the_place_and_is_tried_again(serving: Serving, does: str, result: str) -> None:
    team = await Team.given(serving, "ann", callbacks=calls_back())
    talking = await busy_agent(team, "ann")
    home = await AtHome.promised(team, does=does, talk=0)
    await serving.bank.leave(talking)
    await home.until_rung()
    tried = await home.until_is(state="waiting", position=1)
    assert results(tried) == [result]
    await serving.until_agent("ann", "idle")
    await serving.bank.given_phone(home.number, does="answer")
    await home.talks_with("ann")
    assert results(await home.now()) == [result, "connected"]
    assert len(home.rung()) == 2


async def test_a_voicemail_and_a_hang_up_tie_up_no_agent(serving: Serving) -> None:
    team = await Team.given(serving, "ann", callbacks=calls_back(confirm_s=1, confirm_times=1))
    talking = await busy_agent(team, "ann")
    home = await AtHome.promised(team, talk=0)
    await serving.bank.leave(talking)
    await home.until_picked_up()
    await home.until_is(state="waiting")
    assert results(await home.now()) == ["voicemail"]
    await serving.until_agent("ann", "idle")
    await serving.bank.given_phone(home.number, talk=0.3)
    await home.until_picked_up(2)
    await home.until_is(state="waiting")
    assert results(await home.now()) == ["voicemail", "hung_up"]
    assert not [
        one
        for one in serving.bank.moments[team.since :]
        if one.phone == team.device("ann") and one.caller == home.number
    ]


async def test_who_rings_again_has_the_place_and_is_not_called(serving: Serving) -> None:
    team = await Team.given(serving, "ann", callbacks=calls_back())
    talking = await busy_agent(team, "ann")
    home = await AtHome.promised(team, talk=0)
    behind = await team.call()
    await team.until_line([home.first, behind])
    again = await team.call(home.number)
    await home.until_is(ended="rang_again")
    await team.until_line([again, behind])
    await serving.bank.leave(talking)
    await serving.until_call(again, state="talking", agent="ann")
    assert not home.rung()
    await serving.bank.leave(again)
    await serving.until_call(behind, state="talking", agent="ann")
    await serving.bank.leave(behind)
