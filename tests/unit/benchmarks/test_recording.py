"""A day that is read back from the database says of the expected waits what the floor itself said on that day."""

from pathlib import Path

import pytest

from acd.agents import AgentSpec
from acd.calls import Call
from acd.floor import Floor
from acd.forecast import Prediction
from acd.ids import AgentId, CallId, QueueId
from acd.queues import QueueSpec
from acd.turn import Effects
from benchmarks.ewt import played, record
from benchmarks.recording import Playback, read
from tests.support.day import Day, Plan
from tests.support.day_plan import Kind, Worker

SALES, SUPPORT = QueueId("sales"), QueueId("support")
PLAN = Plan(
    calls=700, hours=1.0, talk_s=180, talk_cv=0.4, queues=(QueueSpec(SALES, "8000"), QueueSpec(SUPPORT, "8001")),
    kinds=(Kind(SALES, 2.0), Kind(SUPPORT, 1.0, priority=1)),
    staff=tuple(
        Worker(AgentSpec(AgentId(str(101 + n)), queues=(SALES,) if n < 14 else (SUPPORT, SALES)), breaks=((1_000, 1_600),))
        for n in range(34)
    ),
)  # fmt: skip


async def test_what_is_forecast_from_a_recording_is_what_was_forecast_live(tmp_path: Path) -> None:
    said: dict[CallId, Prediction] = {}

    def watch(day: Day, effects: Effects) -> None:
        for event in effects.events:
            call = day.floor.calls.get(getattr(event, "call", None))  # type: ignore[arg-type]
            if call is not None and call.prediction is not None:
                said.setdefault(call.id, call.prediction)

    Day(PLAN, seed=7, keep_events=False, watch=watch).run()
    again: dict[CallId, Prediction] = {}

    def joined(_floor: Floor, call: Call) -> None:
        assert call.prediction is not None
        again[call.id] = call.prediction

    await record(PLAN, 7, tmp_path / "day.sqlite")
    events, queues = read(tmp_path / "day.sqlite")
    assert queues == ()  # the recorder writes what happened; the catalogue is the service's
    Playback(joined, lambda *_: None).play(events, PLAN.queues)
    assert again.keys() == said.keys()
    assert len(again) > 200
    for call, prediction in said.items():
        assert again[call].best is prediction.best
        for name, forecast in prediction.said.items():
            assert again[call].said[name].mean_s == pytest.approx(forecast.mean_s, abs=0.01), (call, name)


async def test_errors_are_counted_from_the_second_hour_on(tmp_path: Path) -> None:
    await record(PLAN, 8, tmp_path / "day.sqlite")
    assert played(tmp_path / "day.sqlite", PLAN.queues).waits == []
