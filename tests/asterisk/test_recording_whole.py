"""Recordings stay whole: when the caller comes to somebody else, and when there is no room for them."""

from datetime import datetime

import pytest

from chaos.disk import SmallDisk
from tests.asterisk.test_recording import AUDIBLE, EDGE_S, FINE_S, asked, control, recorded, serving_now, sound_of
from tests.support.consults import ANN, BEN, change, consult, for_a_moment, given_talk, until_stage
from tests.support.serving import Serving
from tests.support.team import CALLER_TONE, LOUD, Team
from tests.support.until import until


async def test_it_goes_on_with_whoever_has_the_caller_after_a_consult(serving: Serving) -> None:
    """The time of the consult is left out, and a pause by the phone of whoever has the caller now is where it was asked for."""
    team, customer = await given_talk(serving, recording={"mode": "always"})
    call = (await serving.call_of(customer))["id"]
    held_at = serving_now()
    await consult(serving, customer, {"agent": "ben"})
    await until_stage(serving, customer, "talking")
    await for_a_moment(0.6)
    back_at = serving_now()
    await change(serving, customer, "complete")
    await serving.until_call(customer, state="talking", agent="ben")
    await for_a_moment()
    asked_at = serving_now()
    await serving.bank.send_digits(serving.bank.leg_of(team.device("ben")), "*16")
    await until(lambda: asked(serving, call, "pause"), "paused by phone")
    paused_at = serving_now()
    resumed_at = serving_now()
    (await serving.api.post(f"/v1/calls/{call}/recording", json={"action": "resume"})).raise_for_status()
    heard_at = serving_now()
    await for_a_moment(1.0)
    await serving.bank.leave(customer)
    left_at = serving_now()
    one = await recorded(serving, call, state="whole", agent="ann")
    sound = await sound_of(serving, one)
    began_at = datetime.fromisoformat(one["began_at"]).timestamp()
    away = back_at - held_at
    assert abs(sound.seconds - (left_at - began_at - away)) < 0.5
    assert sound.strength(sound.right, ANN, 0.1, held_at - began_at - 0.2) > LOUD
    assert sound.strength(sound.right, BEN, held_at - began_at + 0.3, asked_at - began_at - away) > LOUD
    gone = sound.quiet(sound.left, CALLER_TONE)
    assert len(gone) == 1, gone
    (start, end) = gone[0]
    assert asked_at - began_at - away - EDGE_S < start < paused_at - began_at - away + EDGE_S
    assert resumed_at - began_at - away - 2 * EDGE_S < end < heard_at - began_at - away + 2 * EDGE_S
    assert not any(sound.left[int((start + FINE_S) * sound.rate) : int((end - FINE_S) * sound.rate)])


async def test_on_a_full_disk_calls_go_on_and_every_gap_is_told(serving: Serving) -> None:
    """Asterisk's disk fills up in a conversation and stays full for the next one; then there is room again."""
    folder = serving.pbx.instance.recordings
    folder.mkdir(exist_ok=True)
    await until(lambda: not list(folder.iterdir()), "nothing is worked on", within_s=20)
    owner = folder.stat()
    disk = SmallDisk.at(folder, "1m", f"uid={owner.st_uid},gid={owner.st_gid}")
    if disk is None:
        pytest.skip("nobody may mount here")
    team = await Team.given(serving, "ann", recording={"mode": "always"})
    await team.phone("ann", talk=0)
    await team.at_work()
    calls = []
    try:
        for full in (True, True, False):
            if not full:
                disk.room()
            customer = await team.call()
            calls.append((await serving.until_call(customer, state="talking"))["id"])
            await team.until_heard(customer)
            if full and len(calls) == 1:
                disk.full()
                await for_a_moment(2.5)
            elif full:
                assert (await control(serving, calls[-1], "pause"))["state"] == "paused"
            await serving.bank.leave(customer)
            await serving.until_call(customer, state="ended", outcome="answered")
            await team.hear_each_other(customer, "ann")
        first, second, third = [await recorded(serving, call) for call in calls]
        assert first["state"] == "short"
        assert 0 < first["duration_s"] < 2.0
        assert second["state"] in ("missing", "damaged")
        assert third["state"] == "whole"
    finally:
        disk.close()
    sound = await sound_of(serving, first)
    assert sound.strength(sound.left, CALLER_TONE, 0.1, sound.seconds - 0.1) > AUDIBLE
    page = (await serving.api.get("/metrics")).text
    assert f'acd_recordings_total{{queue="{team.queue}",result="short"}} 1.0' in page
