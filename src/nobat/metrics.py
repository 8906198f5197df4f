"""Prometheus: the names and labels of the contract, counted from events and read from views.

Labels come from fixed sets only: queues, agent states, PBXs, outcomes, causes. A queue's series exist with 0 from the moment
the queue is known and go when it goes. Counting happens on the event loop with cached children; the page is written in a
thread, so that a scrape does not hold up calls.

The engine calls ``observe``, ``inbox_lag`` and ``dispatched``; each PBX link gets a ``PbxMeter``; the API calls ``page``.
"""

import asyncio
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from acd.agents import AgentState
from acd.callback_events import CallbackAttemptEnded
from acd.callback_policy import AttemptResult
from acd.events import (
    BreakOverrun,
    CallConnected,
    CallQueued,
    CallTold,
    Event,
    OfferDeclined,
    OfferNotPlaced,
    PbxLost,
    PbxReady,
    TalkEnded,
    VisitDecided,
    WrapUpEnded,
    WrapUpOverdue,
)
from acd.ids import PbxId, QueueId
from acd.outcomes import Outcome
from acd.recording_events import RecordingChanged, RecordingDisobeyed, RecordingPauseLong
from acd.recordings import RecordingAction
from acd.supervision_port import Mode
from acd.surveys import SurveyAnswered, SurveyFailed
from acd.telephony import MissCause
from acd.views import QueueView
from callback.refusals import Refusal
from callback.views import Shown
from nobat.metrics_pbx import PbxMeter

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each, which nobody reads

CONTENT_TYPE = CONTENT_TYPE_LATEST
QUEUES_AT_ONCE = 5
RECORDING_RESULTS = ("whole", "short", "missing", "damaged", "unwanted", "unwritten")
RECORDING_CHANGES = (*(action.value for action in RecordingAction), "long_pause", "disobeyed")
SHED = ("screen", "change", "requests", "wrong_tokens")
SURVEY_SCORES = ("1", "2", "3", "4", "5", "none", "failed")
OFFER_RESULTS = ("answered", "not_placed", *(cause.value for cause in MissCause))
_QUICK = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_LONG = (1.0, 5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0)


@dataclass(frozen=True, slots=True)
class QueueReading:
    """What a scrape shows of one queue now. ``service_level`` and the accuracy of expected waits None: nothing counts yet."""

    view: QueueView
    service_level: float | None
    wait_error_s: float | None = None
    wait_inside: float | None = None
    callbacks: Mapping[Shown, int] = field(default_factory=dict)


class Source(Protocol):
    """Where a scrape looks besides the counters."""

    def queues(self) -> Iterator[QueueReading]:
        """Each queue, read when it is its turn."""

    def supervisions(self) -> Mapping[str, int]:
        """Live supervision sessions by mode."""

    def history_pending(self) -> int:
        """Rows not yet in the database."""

    def history_lost(self) -> int:
        """Rows that were given up."""

    def recordings_waiting(self) -> int:
        """Conversations that are over and whose recording is not encrypted yet."""

    def journal_works(self) -> bool:
        """Whether this machine's own disk takes history."""

    def remembered(self) -> Mapping[PbxId, int]:
        """Calls and legs that each link knows."""


@dataclass(frozen=True, slots=True)
class Description:
    """One metric, for the reference."""

    name: str
    kind: str
    labels: tuple[str, ...]
    text: str


class _Families:
    """All metrics, as Prometheus knows them."""

    def __init__(self, registry: CollectorRegistry) -> None:  # noqa: PLR0915 - one line a metric
        self.described: list[Description] = []

        def counter(name: str, text: str, *labels: str) -> Counter:
            self.described.append(Description(name, "counter", labels, text))
            return Counter(name, text, labels, registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            self.described.append(Description(name, "gauge", labels, text))
            return Gauge(name, text, labels, registry=registry)

        def histogram(name: str, text: str, buckets: Sequence[float], *labels: str) -> Histogram:
            self.described.append(Description(name, "histogram", labels, text))
            return Histogram(name, text, labels, registry=registry, buckets=buckets)

        self.entered = counter("acd_calls_entered_total", "Callers who joined a queue.", "queue")
        self.ended = counter("acd_calls_ended_total", "Visits to a queue by their outcome.", "queue", "outcome")
        self.waiting = gauge("acd_calls_waiting", "Callers in line, those being offered included.", "queue", "kind")
        self.longest = gauge("acd_longest_wait_seconds", "Longest wait of a caller now in line.", "queue")
        self.wait = histogram(
            "acd_wait_seconds", "From entry to the decision of a visit, all outcomes.", _LONG, "queue"
        )
        self.talk = histogram("acd_talk_seconds", "Conversations, hold included.", _LONG, "queue")
        self.wrap_up = histogram("acd_wrap_up_seconds", "Agents' work after a call.", _LONG, "queue")
        level = "Primary service level of the last four 15-minute intervals; NaN while nothing counts."
        self.level = gauge("acd_service_level_ratio", level, "queue")
        error = "Mean absolute error of the expected waits of late; NaN before anybody had to wait."
        self.wait_error = gauge("acd_expected_wait_error_seconds", error, "queue")
        inside = "Share of waits of late that fell into the range expected; NaN before anybody had to wait."
        self.wait_inside = gauge("acd_expected_wait_inside_ratio", inside, "queue")
        self.asked = gauge("acd_break_requests", "Agents of a queue whose break waits for its turn.", "queue")
        self.long_breaks = counter(
            "acd_long_breaks_total", "Breaks of a queue's agents that took longer than planned.", "queue"
        )
        self.long_wrap_ups = counter(
            "acd_long_wrap_ups_total", "Wrap-ups that took longer than the queue allows.", "queue"
        )
        self.agents = gauge("acd_agents", "Agents of a queue by observed state.", "queue", "state")
        self.offers = counter("acd_offers_total", "Phones offered a call, by what became of it.", "queue", "result")
        open_ones = "Open callbacks by what they wait for; waiting and dialling ones stand in line."
        self.callbacks = gauge("acd_callbacks", open_ones, "queue", "state")
        tried = "Attempts to call customers back, by what became of each."
        self.attempts = counter("acd_callback_attempts_total", tried, "queue", "result")
        told = "Announcements that waiting callers began to hear."
        self.told = counter("acd_announcements_total", told, "queue")
        refused = "Requests for a callback that were refused, by reason."
        self.refused = counter("acd_callback_refusals_total", refused, "reason")
        dispatch = "From the message that made an offer possible to the offer being sent."
        self.dispatch = histogram("acd_dispatch_seconds", dispatch, _QUICK, "pbx")
        self.connected = gauge("ami_connected", "1 while the PBX is connected and its state is known.", "pbx")
        warnings = "1 while the PBX works and should not stay as it is: `known_holes`, `unsupported_asterisk`, `no_boot_event`."
        self.warnings = gauge("ami_warning", warnings, "pbx", "warning")
        self.ami_events = counter("ami_events_total", "AMI events by name.", "pbx", "name")
        self.quarantined = counter("ami_quarantined_total", "AMI messages that were not believed.", "pbx", "reason")
        self.actions = counter("ami_actions_total", "AMI actions by what became of them.", "pbx", "action", "result")
        self.action = histogram("ami_action_seconds", "Time to the answer of an AMI action.", _QUICK, "pbx")
        recovery = "How long the last recovery took: from the loss of the PBX, or the service's start, to routing."
        self.recovery = gauge("acd_recovery_seconds", recovery, "pbx")
        self.reconciled = counter("acd_reconciled_total", "Differences put right by a snapshot.", "kind")
        self.supervisions = gauge("acd_supervisions", "Live supervision sessions by mode.", "mode")
        self.pending = gauge("acd_history_pending", "Rows of history not yet in the database.")
        self.lost = gauge("acd_history_lost", "Rows of history given up since the start of the service.")
        self.journal = gauge("acd_journal_up", "1 if the local journal can be written.")
        made = "Recordings of conversations, by what has become of them."
        self.database = gauge("acd_database_up", "1 if the database answers, asked at each scrape.")
        self.recorded = counter("acd_recordings_total", made, "queue", "result")
        changed = "What was asked of recordings, and what the PBX did not do of it."
        self.recording_asked = counter("acd_recording_changes_total", changed, "queue", "action")
        self.waiting_recordings = gauge("acd_recordings_pending", "Recordings whose sound is not encrypted yet.")
        self.surveys = counter(
            "acd_surveys_total", "Callers asked after their conversation, by answer.", "queue", "score"
        )
        self.shed = counter("acd_requests_shed_total", "REST requests refused before anything was done.", "kind")
        self.tasks = gauge("acd_tasks", "Tasks of the service's event loop.")
        self.remembered = gauge(
            "ami_remembered", "Calls and legs of a PBX that are remembered; 0 when it is idle.", "pbx"
        )
        self.lag = histogram("acd_inbox_lag_seconds", "Time that messages spend in the engine's inbox.", _QUICK)


def descriptions() -> list[Description]:
    """All metrics, for the reference."""
    return _Families(CollectorRegistry()).described


_PLAIN = (
    "entered", "longest", "wait", "talk", "wrap_up", "level", "wait_error", "wait_inside", "asked", "long_breaks",
    "long_wrap_ups", "told",
)  # fmt: skip
"""Families whose only label is the queue."""


class _QueueMeters:
    """The series of one queue, looked up once."""

    def __init__(self, families: _Families, queue: QueueId) -> None:
        self.entered = families.entered.labels(queue)
        self.ended = {outcome: families.ended.labels(queue, outcome.value) for outcome in Outcome}
        self.waiting = families.waiting.labels(queue, "live")
        self.away = families.waiting.labels(queue, "callback")
        self.callbacks = {state: families.callbacks.labels(queue, state.value) for state in Shown}
        self.attempts = {result: families.attempts.labels(queue, result.value) for result in AttemptResult}
        self.longest = families.longest.labels(queue)
        self.asked = families.asked.labels(queue)
        self.long_breaks = families.long_breaks.labels(queue)
        self.long_wrap_ups = families.long_wrap_ups.labels(queue)
        self.wait = families.wait.labels(queue)
        self.talk = families.talk.labels(queue)
        self.wrap_up = families.wrap_up.labels(queue)
        self.level = families.level.labels(queue)
        self.agents = {state: families.agents.labels(queue, state.value) for state in AgentState}
        self.offers = {result: families.offers.labels(queue, result) for result in OFFER_RESULTS}
        self.told = families.told.labels(queue)
        self.recorded = {one: families.recorded.labels(queue, one) for one in RECORDING_RESULTS}
        self.recording_asked = {one: families.recording_asked.labels(queue, one) for one in RECORDING_CHANGES}
        self.surveys = {one: families.surveys.labels(queue, one) for one in SURVEY_SCORES}
        self.wait_error = families.wait_error.labels(queue)
        self.wait_inside = families.wait_inside.labels(queue)
        for unknown in (self.level, self.wait_error, self.wait_inside):
            unknown.set(math.nan)

    @staticmethod
    def remove(families: _Families, queue: QueueId) -> None:
        for plain in _PLAIN:
            getattr(families, plain).remove(queue)
        for kind in ("live", "callback"):
            families.waiting.remove(queue, kind)
        for shown in Shown:
            families.callbacks.remove(queue, shown.value)
        for attempt in AttemptResult:
            families.attempts.remove(queue, attempt.value)
        for outcome in Outcome:
            families.ended.remove(queue, outcome.value)
        for state in AgentState:
            families.agents.remove(queue, state.value)
        for family, values in (
            (families.offers, OFFER_RESULTS),
            (families.recorded, RECORDING_RESULTS),
            (families.recording_asked, RECORDING_CHANGES),
            (families.surveys, SURVEY_SCORES),
        ):
            for value in values:
                family.remove(queue, value)

    def show(self, reading: QueueReading) -> None:
        self.waiting.set(reading.view.waiting)
        self.away.set(reading.view.callbacks)
        for shown, open_ones in self.callbacks.items():
            open_ones.set(reading.callbacks.get(shown, 0))
        self.longest.set(reading.view.longest_wait_s)
        self.asked.set(reading.view.break_requests)
        for gauge, value in (
            (self.level, reading.service_level),
            (self.wait_error, reading.wait_error_s),
            (self.wait_inside, reading.wait_inside),
        ):
            gauge.set(math.nan if value is None else value)
        for state, gauge in self.agents.items():
            gauge.set(reading.view.agents.get(state, 0))


class Metrics:
    """One registry of its own, so that several services can live in one process. ``source`` is set before the first scrape."""

    def __init__(self, started_at: float) -> None:
        self.registry = CollectorRegistry()
        self.source: Source | None = None
        self._started_at = started_at
        self._families = _Families(self.registry)
        for refusal in Refusal:
            self._families.refused.labels(refusal.value)
        for kind in SHED:
            self._families.shed.labels(kind)
        self._queues: dict[QueueId, _QueueMeters] = {}
        self._dispatch: dict[PbxId, Histogram] = {}
        self._lost_at: dict[PbxId, float] = {}

    def observe(self, events: Sequence[Event], now: float) -> None:  # noqa: ARG002 - events carry their own time
        """Count what happened."""
        for event in events:
            self._count(event)

    def inbox_lag(self, seconds: float) -> None:
        """A message has been in the inbox for so long."""
        self._families.lag.observe(seconds)

    def shed(self, kind: str) -> None:
        """A request was refused, so that calls come first or as one too many. ``kind``: one of ``SHED``."""
        self._families.shed.labels(kind).inc()

    def dispatched(self, pbx: PbxId, seconds: float) -> None:
        """An offer left so long after the message that made it possible."""
        if pbx not in self._dispatch:
            self._dispatch[pbx] = self._families.dispatch.labels(pbx)
        self._dispatch[pbx].observe(seconds)

    def recorded(self, queue: QueueId, result: str) -> None:
        """What has become of a recording."""
        self._queue(queue).recorded[result].inc()

    def meter(self, pbx: PbxId) -> PbxMeter:
        """The observer of one PBX's link."""
        self._dispatch[pbx] = self._families.dispatch.labels(pbx)
        self._families.recovery.labels(pbx)
        return PbxMeter(self._families, pbx)

    def database(self, *, up: bool) -> None:
        """Whether the database answered just now."""
        self._families.database.set(up)

    async def page(self) -> bytes:
        """The page for a scrape: gauges are read here, a few queues at a time, and the text is written in a thread."""
        if self.source is not None:
            await self._show(self.source)
        return await asyncio.to_thread(generate_latest, self.registry)

    async def _show(self, source: Source) -> None:
        shown = set()
        for queue in source.queues():
            name = queue.view.spec.id
            self._queue(name).show(queue)
            shown.add(name)
            if len(shown) % QUEUES_AT_ONCE == 0:
                await asyncio.sleep(0)
        for name in self._queues.keys() - shown:
            del self._queues[name]
            _QueueMeters.remove(self._families, name)
        sessions = source.supervisions()
        for mode in Mode:
            self._families.supervisions.labels(mode.value).set(sessions.get(mode.value, 0))
        self._families.pending.set(source.history_pending())
        self._families.lost.set(source.history_lost())
        self._families.waiting_recordings.set(source.recordings_waiting())
        self._families.journal.set(source.journal_works())
        self._families.tasks.set(len(asyncio.all_tasks()))
        for pbx, count in source.remembered().items():
            self._families.remembered.labels(pbx).set(count)

    def callback_refused(self, reason: Refusal) -> None:
        """Somebody asked for a callback and was told no."""
        self._families.refused.labels(reason.value).inc()

    def _queue(self, queue: QueueId) -> _QueueMeters:
        meters = self._queues.get(queue)
        if meters is None:
            meters = self._queues[queue] = _QueueMeters(self._families, queue)
        return meters

    def _count(self, event: Event) -> None:
        match event:
            case CallQueued() if event.callback is None:
                self._queue(event.queue).entered.inc()
            case VisitDecided():
                meters = self._queue(event.queue)
                meters.ended[event.outcome].inc()
                meters.wait.observe(event.waited_s)
            case CallConnected():
                self._queue(event.queue).offers["answered"].inc()
            case OfferDeclined():
                self._queue(event.queue).offers[event.cause.value].inc()
            case OfferNotPlaced():
                self._queue(event.queue).offers["not_placed"].inc()
            case TalkEnded():
                self._queue(event.queue).talk.observe(event.talk_s)
            case WrapUpEnded() if event.queue is not None:
                self._queue(event.queue).wrap_up.observe(event.wrap_up_s)
            case CallTold():
                self._queue(event.queue).told.inc()
            case PbxLost():
                self._lost_at[event.pbx] = min(event.at, self._lost_at.get(event.pbx, event.at))
            case PbxReady():
                self._recovered(event)
            case CallbackAttemptEnded():
                self._queue(event.queue).attempts[event.result].inc()
            case _:
                self._count_time(event)

    def _count_time(self, event: Event) -> None:
        """What took an agent longer than it may."""
        match event:
            case WrapUpOverdue():
                self._queue(event.queue).long_wrap_ups.inc()
            case BreakOverrun():
                for queue in event.queues:
                    self._queue(queue).long_breaks.inc()
            case _:
                self._count_afterwards(event)

    def _count_afterwards(self, event: Event) -> None:
        """Recordings, and what callers say when all is over."""
        match event:
            case RecordingChanged():
                self._queue(event.queue).recording_asked[event.action].inc()
            case RecordingPauseLong():
                self._queue(event.queue).recording_asked["long_pause"].inc()
            case RecordingDisobeyed():
                self._queue(event.queue).recording_asked["disobeyed"].inc()
            case SurveyAnswered():
                self._queue(event.queue).surveys[str(event.score or "none")].inc()
            case SurveyFailed():
                self._queue(event.queue).surveys["failed"].inc()
            case _:
                pass

    def _recovered(self, event: PbxReady) -> None:
        """A snapshot of a PBX that was never lost is the periodic check and no recovery."""
        for kind, count in event.repairs:
            self._families.reconciled.labels(kind).inc(count)
        begun = self._lost_at.pop(event.pbx, self._started_at)
        if begun != math.inf:
            self._families.recovery.labels(event.pbx).set(max(0.0, event.at - begun))
        self._lost_at[event.pbx] = math.inf
