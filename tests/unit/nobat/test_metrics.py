"""Metrics are counted from events, once each, and know no more than their labels."""

import math
from collections.abc import Iterator

from acd import events as e
from acd.agents import AgentState
from acd.ids import AgentId, CallId, LegId, OfferId, PbxId, QueueId
from acd.outcomes import Outcome
from acd.queues import QueueSpec
from acd.telephony import MissCause, RequestFailure
from acd.views import QueueView
from ami.health import Health, HealthState
from nobat.metrics import Metrics, QueueReading

SALES, PBX = QueueId("sales"), PbxId("pbx1")
CALL, OFFER, ALI = CallId("pbx1-1.1"), OfferId("pbx1-1.1.1"), AgentId("101")


class OneQueue:
    """A source with queue sales, or without it."""

    def __init__(self, level: float | None = None) -> None:
        self.there, self.level = True, level

    def queues(self) -> Iterator[QueueReading]:
        if self.there:
            view = QueueView(QueueSpec(SALES, "8000"), 3, 12.5, {AgentState.IDLE: 2}, 0)
            yield QueueReading(view, self.level)

    def supervisions(self) -> dict[str, int]:
        return {"listen": 2}

    def history_pending(self) -> int:
        return 7

    def history_lost(self) -> int:
        return 2

    def recordings_waiting(self) -> int:
        return 3

    def journal_works(self) -> bool:
        return False

    def remembered(self) -> dict[PbxId, int]:
        return {PBX: 3}


def value(metrics: Metrics, name: str, /, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


async def test_a_known_queue_has_all_its_series_from_the_start_and_none_when_it_is_gone() -> None:
    metrics, source = Metrics(0.0), OneQueue()
    metrics.source = source
    await metrics.page()
    for outcome in Outcome:
        assert value(metrics, "acd_calls_ended_total", queue="sales", outcome=outcome.value) == 0
    assert value(metrics, "acd_calls_waiting", queue="sales", kind="live") == 3
    assert value(metrics, "acd_longest_wait_seconds", queue="sales") == 12.5
    assert value(metrics, "acd_agents", queue="sales", state="idle") == 2
    assert value(metrics, "acd_history_pending") == 7
    assert value(metrics, "acd_supervisions", mode="listen") == 2
    assert value(metrics, "acd_supervisions", mode="barge") == 0
    assert (value(metrics, "acd_history_lost"), value(metrics, "acd_journal_up")) == (2, 0)
    assert value(metrics, "ami_remembered", pbx="pbx1") == 3
    assert (value(metrics, "acd_tasks") or 0) >= 1
    level = value(metrics, "acd_service_level_ratio", queue="sales")
    assert level is not None
    assert math.isnan(level)
    source.there = False
    assert b'"sales"' not in await metrics.page()


def test_events_are_counted() -> None:
    metrics = Metrics(0.0)
    metrics.observe(
        [
            e.CallQueued(1.0, CALL, SALES, LegId("pbx1-1.1"), 1.0, 0, "123", "Ali"),
            e.OfferDeclined(2.0, CALL, SALES, OFFER, ALI, MissCause.BUSY),
            e.OfferNotPlaced(2.0, CALL, SALES, OFFER, RequestFailure.REFUSED),
            e.CallConnected(3.0, CALL, SALES, ALI, None, 2.0),
            e.VisitDecided(3.0, CALL, SALES, Outcome.ANSWERED, 1.0, 2.0),
            e.TalkEnded(9.0, CALL, SALES, ALI, 6.0, 1.0, False),
            e.WrapUpEnded(12.0, ALI, CALL, SALES, 3.0),
            e.CallAdopted(12.0, CALL, SALES),
        ],
        12.0,
    )
    assert value(metrics, "acd_calls_entered_total", queue="sales") == 1
    assert value(metrics, "acd_calls_ended_total", queue="sales", outcome="answered") == 1
    offers = {
        result: value(metrics, "acd_offers_total", queue="sales", result=result)
        for result in ("answered", "busy", "not_placed")
    }
    assert offers == {"answered": 1, "busy": 1, "not_placed": 1}
    sums = [value(metrics, f"acd_{name}_seconds_sum", queue="sales") for name in ("wait", "talk", "wrap_up")]
    assert sums == [2.0, 6.0, 3.0]


def test_recovery_is_from_the_loss_to_routing_and_the_periodic_check_is_none() -> None:
    metrics = Metrics(100.0)
    metrics.meter(PBX)

    def recovery() -> float | None:
        return value(metrics, "acd_recovery_seconds", pbx="pbx1")

    metrics.observe([e.PbxReady(100.5, PBX, (("call_adopted", 4),))], 100.5)
    assert recovery() == 0.5
    metrics.observe([e.PbxReady(110.0, PBX, ())], 110.0)
    assert recovery() == 0.5
    lost = [e.PbxLost(200.0, PBX, "connection_reset"), e.PbxLost(201.0, PBX, "connection_refused")]
    metrics.observe([*lost, e.PbxReady(203.0, PBX, (("call_adopted", 1),))], 203.0)
    assert recovery() == 3.0
    assert value(metrics, "acd_reconciled_total", kind="call_adopted") == 5


def test_a_links_meter_counts_for_its_pbx() -> None:
    metrics = Metrics(0.0)
    meter = metrics.meter(PBX)
    meter.events({"UserEvent": 3, "Hangup": 1})
    meter.quarantined("doubled_header")
    meter.action("Redirect", "success", 0.002)
    meter.health(Health(HealthState.READY, "ready", 0.0))
    metrics.dispatched(PBX, 0.003)
    assert value(metrics, "ami_events_total", pbx="pbx1", name="UserEvent") == 3
    assert value(metrics, "ami_quarantined_total", pbx="pbx1", reason="doubled_header") == 1
    assert value(metrics, "ami_actions_total", pbx="pbx1", action="Redirect", result="success") == 1
    assert value(metrics, "ami_connected", pbx="pbx1") == 1
    assert value(metrics, "acd_dispatch_seconds_count", pbx="pbx1") == 1
    meter.health(Health(HealthState.DOWN, "connection_refused", 0.0))
    assert value(metrics, "ami_connected", pbx="pbx1") == 0
