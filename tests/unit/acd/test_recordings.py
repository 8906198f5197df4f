"""Recordings in the core: who is recorded, who may pause, and that silence is asked for until the PBX has confirmed it."""

from dataclasses import replace

import pytest

from acd import telephony as t
from acd.commands import ConsultCall, ControlRecording, RestoreRecording, SignIn
from acd.consult_port import ConsultBegan
from acd.errors import Conflict
from acd.events import CallEnded
from acd.floor import Floor
from acd.ids import AgentId, CallId, LegId, OfferId
from acd.recording_events import (
    RecordingBegan,
    RecordingChanged,
    RecordingDisobeyed,
    RecordingEnded,
    RecordingObeyed,
    RecordingPauseLong,
)
from acd.recording_port import RecordingKeyed, ShowRecording, Silence, Silenced
from acd.recordings import (
    RecordingAction,
    RecordingMode,
    RecordingPolicy,
    RecordingState,
    chance,
    recording_id,
    wanted,
)
from acd.surveys import AskCaller, CallerAnswered, SurveyAnswered, SurveyFailed, SurveyOffered, SurveyPolicy
from acd.talks import TargetKind
from tests.support.world import PBX, World, device

PAUSE, RESUME, START, STOP = (RecordingAction(word) for word in ("pause", "resume", "start", "stop"))


def given_a_talk(mode: RecordingMode = RecordingMode.ALWAYS, **policy: float) -> tuple[World, CallId]:
    world = World.with_agents("101", recording=RecordingPolicy(mode, **policy))  # type: ignore[arg-type]
    world.floor.recording_on = frozenset({PBX})
    world.floor.salt = "secret"
    call = world.enter()
    world.now += 3
    world.answer(call, "101")
    return world, call


def silences(world: World) -> list[bool]:
    return [one.silent for one in world.requests if isinstance(one, Silence)]


def confirm(world: World) -> None:
    """The PBX does what it was told last."""
    last = next(one for one in reversed(world.requests) if isinstance(one, Silence))
    world.do(Silenced(last.call, last.recording, last.silent))


def test_a_share_is_the_same_calls_whenever_it_is_asked_and_as_many_as_it_says() -> None:
    calls = [CallId(f"pbx1-17000000{n:05}.{n}") for n in range(20_000)]
    policy = RecordingPolicy(RecordingMode.SHARE, 0.1)
    chosen = [call for call in calls if wanted(policy, call)]
    assert chosen == [call for call in calls if wanted(policy, call)]
    assert 0.09 < len(chosen) / len(calls) < 0.11
    assert all(0.0 <= chance(call) < 1.0 for call in calls)
    assert not wanted(RecordingPolicy(), calls[0])
    assert wanted(RecordingPolicy(RecordingMode.ALWAYS), calls[0])


def test_names_tell_nothing() -> None:
    offer = OfferId("pbx1-1700000000000.1.1")
    assert recording_id(offer, "a") != recording_id(offer, "b")
    assert recording_id(offer, "a").isalnum()
    assert len(recording_id(offer, "a")) == 32


def test_a_conversation_is_recorded_from_the_offer_on_and_ends_with_the_talk() -> None:
    world, call = given_a_talk()
    (began,) = world.of(RecordingBegan)
    assert isinstance(began, RecordingBegan)
    assert (began.recording, began.agent, began.mode) == (world.offer_of(call).record, "101", RecordingMode.ALWAYS)
    assert silences(world) == []
    world.agent_hangs_up(call, "101")
    assert [type(one) for one in world.events if isinstance(one, RecordingEnded | CallEnded)] == [
        RecordingEnded,
        CallEnded,
    ]


@pytest.mark.parametrize("mode", [RecordingMode.NEVER, RecordingMode.SHARE])
def test_who_is_not_to_be_recorded_is_not(mode: RecordingMode) -> None:
    world, call = given_a_talk(mode)
    assert world.offer_of(call).record == ""
    assert world.of(RecordingBegan) == []
    with pytest.raises(Conflict, match="not recorded"):
        world.do(ControlRecording(call, PAUSE, "ann"))


def test_where_nobody_fetches_recordings_nobody_is_recorded() -> None:
    world = World.with_agents("101", recording=RecordingPolicy(RecordingMode.ALWAYS))
    assert world.offer_of(world.enter()).record == ""


def test_a_pause_is_told_to_the_pbx_and_again_until_it_confirms() -> None:
    world, call = given_a_talk()
    world.do(ControlRecording(call, PAUSE, "ann"))
    assert silences(world) == [True]
    world.wait(1.2)
    assert silences(world) == [True, True, True]
    confirm(world)
    assert len(world.of(RecordingObeyed)) == 1
    assert [one.state for one in world.requests if isinstance(one, ShowRecording)] == ["paused"]
    world.wait(5)
    assert len(silences(world)) == 3
    with pytest.raises(Conflict):
        world.do(ControlRecording(call, PAUSE, "ann"))
    world.do(ControlRecording(call, RESUME, "ann"))
    assert silences(world)[-1] is False
    changed = [one.action for one in world.events if isinstance(one, RecordingChanged)]
    assert changed == [PAUSE, RESUME]


def test_a_pbx_that_refuses_is_told_of_once_and_asked_again() -> None:
    world, call = given_a_talk()
    world.do(ControlRecording(call, PAUSE, "ann"))
    for _ in range(3):
        last = world.requests[-1]
        assert isinstance(last, Silence)
        world.do(t.RequestFailed(last, t.RequestFailure.REFUSED))
        world.wait(0.6)
    assert len(world.of(RecordingDisobeyed)) == 1
    assert len(silences(world)) > 3


def test_an_old_answer_confirms_nothing_new() -> None:
    world, call = given_a_talk()
    world.do(ControlRecording(call, PAUSE, "ann"))
    world.do(ControlRecording(call, RESUME, "ann"))
    world.do(Silenced(call, world.offer_of(call).record, True))
    assert world.of(RecordingObeyed) == []
    assert silences(world) == [True, False, False]  # it may have come last, so the newest is said again
    world.do(Silenced(call, "another", False))
    assert world.of(RecordingObeyed) == []


def test_a_long_pause_is_told_once() -> None:
    world, call = given_a_talk(most_pause_s=60.0)
    world.do(ControlRecording(call, PAUSE, "ann"))
    confirm(world)
    world.wait(30)
    world.do(ControlRecording(call, RESUME, "ann"))
    confirm(world)
    world.do(ControlRecording(call, PAUSE, "ann"))
    confirm(world)
    world.wait(59)
    assert world.of(RecordingPauseLong) == []
    world.wait(200)
    assert [one.paused_s for one in world.events if isinstance(one, RecordingPauseLong)] == [60.0]


def test_on_demand_is_silent_until_somebody_asks() -> None:
    world, call = given_a_talk(RecordingMode.ON_DEMAND)
    assert silences(world) == [True]
    confirm(world)
    with pytest.raises(Conflict):
        world.do(ControlRecording(call, PAUSE, "ann"))
    world.do(ControlRecording(call, START, "ann"))
    assert silences(world)[-1] is False
    world.do(ControlRecording(call, STOP, "ann"))
    assert silences(world)[-1] is True


def test_what_a_queue_requires_nobody_stops() -> None:
    world, call = given_a_talk()
    with pytest.raises(Conflict) as refused:
        world.do(ControlRecording(call, STOP, "ann"))
    assert refused.value.slug == "recording_required"


def test_the_phone_of_the_agent_asks_by_keys() -> None:
    world, call = given_a_talk(RecordingMode.ON_DEMAND)
    leg = world.leg(call, "101")
    for key in ("resume", "pause", "resume", "nonsense"):
        world.do(RecordingKeyed(call, leg, key))
    changed = [one.action for one in world.events if isinstance(one, RecordingChanged)]
    assert changed == [START, PAUSE, RESUME]
    world.do(RecordingKeyed(call, world.leg(call, "999"), "pause"))
    assert len(world.of(RecordingChanged)) == 3


@pytest.mark.parametrize("state", [RecordingState.PAUSED, RecordingState.STOPPED, RecordingState.RUNNING])
def test_a_restart_finds_a_recording_as_it_was_left(state: RecordingState) -> None:
    world, call = given_a_talk(RecordingMode.ON_DEMAND)
    record = world.offer_of(call).record
    entered = next(message for message, _ in world.log if isinstance(message, t.CallEntered))
    again = World(floor=Floor(recording_on=frozenset({PBX}), salt="another"), now=world.now)
    for message, _ in world.log:
        if (
            not isinstance(message, t.CallEntered)
            and "Offer" not in type(message).__name__
            and "Talk" not in type(message).__name__
        ):
            again.do(message)
    again.do(RestoreRecording(call, record, RecordingMode.ON_DEMAND, state, world.now))
    offer = world.offer_of(call).offer
    found = t.SnapshotCall(
        entered, t.LegStage.TALKING, offer, device("101"), world.leg(call, "101"), world.now - 1, record=record
    )
    again.do(t.PbxSnapshot(PBX, "boot-1", (found,), ((device("101"), t.DeviceState.BUSY),)))
    live = again.floor.calls[call].recording
    assert live is not None
    assert (live.id, live.state) == (record, state)
    assert silences(again) == ([] if state is RecordingState.RUNNING else [True, True])
    again.do(t.PbxSnapshot(PBX, "boot-1", (replace(found),), ((device("101"), t.DeviceState.BUSY),)))
    assert set(silences(again)) == (set() if state is RecordingState.RUNNING else {True})


# ---------------------------------------------------------------- the question afterwards


def given_a_question() -> tuple[World, CallId]:
    world = World.with_agents("101", survey=SurveyPolicy(True))
    call = world.enter()
    world.now += 3
    world.answer(call, "101")
    world.now += 30
    world.do(t.AgentLegGone(call, world.leg(call, "101"), device("101"), 16, hung_up=True, fault=False))
    world.do(t.CallerFreed(call, world.offer_of(call).offer))
    return world, call


def test_the_caller_is_asked_when_the_agent_has_hung_up_and_the_answer_counts_once() -> None:
    world, call = given_a_question()
    assert isinstance(world.requests[-1], AskCaller)
    assert len(world.of(SurveyOffered)) == 1
    world.do(CallerAnswered(call, 4))
    world.do(CallerAnswered(call, 1))
    assert [(one.agent, one.score) for one in world.events if isinstance(one, SurveyAnswered)] == [("101", 4)]
    world.do(t.CallGone(call, 16))
    assert world.floor.ended[call].score == 4


@pytest.mark.parametrize("said", [0, 6, 99])
def test_what_is_no_score_is_none(said: int) -> None:
    world, call = given_a_question()
    world.do(CallerAnswered(call, said))
    assert [one.score for one in world.events if isinstance(one, SurveyAnswered)] == [None]


def test_a_question_that_cannot_be_put_ends_the_call_and_is_counted() -> None:
    world, _call = given_a_question()
    asked = world.requests[-1]
    assert isinstance(asked, AskCaller)
    world.do(t.RequestFailed(asked, t.RequestFailure.REFUSED))
    assert isinstance(world.requests[-1], t.HangUp)
    assert len(world.of(SurveyFailed)) == 1


def test_nobody_is_asked_whose_agent_was_lost() -> None:
    world = World.with_agents("101", survey=SurveyPolicy(True))
    call = world.enter()
    world.answer(call, "101")
    world.do(t.AgentLegGone(call, world.leg(call, "101"), device("101"), 44, hung_up=False, fault=True))
    world.do(t.CallerFreed(call, world.offer_of(call).offer))
    assert not any(isinstance(one, AskCaller) for one in world.requests)


def test_who_has_the_caller_after_a_consult_is_in_the_same_recording_and_a_pause_holds() -> None:
    world, call = given_a_talk()
    world.hire("102")
    world.phone("102", t.DeviceState.NOT_IN_USE)
    world.do(SignIn(AgentId("102")))
    before = world.floor.calls[call].recording
    world.do(ControlRecording(call, PAUSE, "ann"))
    confirm(world)
    world.do(ConsultCall(call, TargetKind.AGENT, "102"))
    consult = world.floor.calls[call].consult
    assert consult is not None
    world.do(ConsultBegan(call, consult.id, device("102"), LegId(f"{PBX}-77.7")))
    gone = t.AgentLegGone(call, world.leg(call, "101"), device("101"), 16, hung_up=True, fault=False)
    world.do(gone)
    assert world.call(call).agent == "102"
    assert world.floor.calls[call].recording is before
    assert before is not None
    assert before.state is RecordingState.PAUSED
    world.do(ControlRecording(call, RESUME, "ben"))
    confirm(world)
    assert silences(world) == [True, False]
    world.hang_up(call)
    assert len(world.of(RecordingBegan)) == 1
    assert world.of(RecordingEnded)[-1].at == world.now
