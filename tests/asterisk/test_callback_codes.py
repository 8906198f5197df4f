"""Codes that an agent's phone dials in the conversation with a customer who was called back do what they do in any other."""

from datetime import datetime

from lab.prompts import ready_prompts
from tests.asterisk.test_recording import EDGE_S, asked, recorded, serving_now, sound_of
from tests.support.called_back import HOME_TONE, AtHome, busy_agent, calls_back
from tests.support.heard_prompts import times_heard
from tests.support.serving import Serving
from tests.support.team import LOUD, Team
from tests.support.until import until


async def test_what_is_said_in_a_pause_is_in_no_file_and_the_customer_can_be_passed_on(serving: Serving) -> None:
    team = await Team.given(serving, "ann", "ben", callbacks=calls_back(), recording={"mode": "always"})
    talking = await busy_agent(team, "ann")
    home = await AtHome.promised(team, talk=0)
    await serving.bank.leave(talking)
    call = await home.presses_one()
    ann = serving.bank.leg_of(team.device("ann"))

    async def talked(seconds: float, agent: str = "ann") -> None:
        async def is_so() -> bool:
            now = await serving.get(f"/v1/calls/{call}")
            return now["agent"] == agent and float(now["talk_s"] or 0.0) >= seconds

        await until(is_so, f"{seconds} s of talk with {agent}")

    await talked(0.8)
    await serving.bank.send_digits(ann, "*16")
    await until(lambda: asked(serving, call, "pause"), "paused by phone")
    paused_at = serving_now()
    prompt = ready_prompts() / "en" / "nobat" / "recording-paused.wav"
    said_s = prompt.stat().st_size / 16_000
    await talked(2.6 + said_s)
    resumed_at = serving_now()
    await serving.bank.send_digits(ann, "*17")
    await until(lambda: asked(serving, call, "resume"), "resumed by phone")
    await talked(serving_now() - paused_at + 3.5)
    await team.phone("ben", talk=0)
    await serving.given_available("ben")
    await serving.bank.send_digits(ann, f"##{team.device('ben').removeprefix('agent-')}")
    await talked(0.8, "ben")
    await home.hangs_up()
    await recorded(serving, call)
    (one,) = (await serving.get("/v1/recordings", call=call, agent="ann"))["items"]
    began_at = datetime.fromisoformat(one["began_at"]).timestamp()
    sound = await sound_of(serving, one)
    start, end = paused_at - began_at, resumed_at - began_at
    for side, tone in ((sound.left, HOME_TONE), (sound.right, team.tone("ann"))):
        assert sound.strength(side, tone, start + EDGE_S, end - EDGE_S) < 1.0
    assert sound.strength(sound.left, HOME_TONE, 0.1, 0.6) > LOUD
    assert sound.strength(sound.left, HOME_TONE, end + 2.0, end + 2.4) > LOUD
    at_ann = await serving.bank.recording(f"{team.device('ann')}-{home.number}")
    assert times_heard(at_ann, prompt) == 1
