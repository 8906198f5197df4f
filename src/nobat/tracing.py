"""OpenTelemetry: one trace a call, with spans for each wait, each offer, each talk and the work after it.

A span is made when what it tells of is over, from the events alone; nothing is kept but where calls and offers began. The ids of a
trace and of its first span come from the call's own id, so a call that outlives a restart of the service is still one trace. Spans
name calls, queues and agents, never a caller.

Loaded only where ``[tracing] endpoint`` is set (``nobat.traced``), and the only module that imports OpenTelemetry. It stands before
``gauge`` and lets everything through; spans leave in a thread of the SDK's, and are dropped when the collector is away.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.util.types import AttributeValue

from acd.events import (
    CallAdopted,
    CallConnected,
    CallEnded,
    CallOffered,
    CallQueued,
    CallTransferred,
    Event,
    OfferClosed,
    OfferDeclined,
    OfferNotPlaced,
    TalkEnded,
    VisitDecided,
    WrapUpEnded,
)
from acd.ids import CallId, OfferId, PbxId
from acd.outcomes import Outcome
from nobat.engine import Gauge

_NS = 1_000_000_000
_HALF = 1 << 64


@dataclass(slots=True)
class _Offering:
    """An offer whose end has not been seen yet."""

    at: float
    agents: tuple[str, ...]
    declined: list[tuple[float, dict[str, AttributeValue]]] = field(default_factory=list)


@dataclass(slots=True)
class _Call:
    """What is kept of a call while it lasts."""

    began_at: float
    passed_on: list[tuple[float, dict[str, AttributeValue]]] = field(default_factory=list)
    offers: dict[OfferId, _Offering] = field(default_factory=dict)


class _Ids(IdGenerator):
    """Random, but for the first span of a call."""

    def __init__(self) -> None:
        self._random = RandomIdGenerator()
        self.next: SpanContext | None = None

    def generate_trace_id(self) -> int:
        return self.next.trace_id if self.next is not None else self._random.generate_trace_id()

    def generate_span_id(self) -> int:
        return self.next.span_id if self.next is not None else self._random.generate_span_id()


def root_of(call: CallId) -> SpanContext:
    """The first span of a call's trace, whichever run of the service makes it."""
    digest = hashlib.sha256(call.encode()).digest()
    trace_id, span_id = int.from_bytes(digest[:16], "big") or 1, int.from_bytes(digest[16:24], "big") or 1
    return SpanContext(trace_id, span_id, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))


class Tracing:
    """``Gauge`` before ``gauge``. ``share`` of the calls is traced; ``processor`` takes the spans."""

    def __init__(self, gauge: Gauge, processor: SpanProcessor, service_name: str = "nobat", share: float = 1.0) -> None:
        self._gauge, self._share, self._ids = gauge, share, _Ids()
        resource = Resource.create({"service.name": service_name})
        self.provider = TracerProvider(resource=resource, id_generator=self._ids)
        self.provider.add_span_processor(processor)
        self._tracer = self.provider.get_tracer("nobat")
        self._calls: dict[CallId, _Call] = {}

    def observe(self, events: Sequence[Event], now: float) -> None:
        self._gauge.observe(events, now)
        for event in events:
            self._follow(event)

    def inbox_lag(self, seconds: float) -> None:
        self._gauge.inbox_lag(seconds)

    def dispatched(self, pbx: PbxId, seconds: float) -> None:
        self._gauge.dispatched(pbx, seconds)

    @property
    def kept(self) -> int:
        """Calls that something is kept of."""
        return len(self._calls)

    # ------------------------------------------------------------ what happens in a call

    def _follow(self, event: Event) -> None:
        match event:
            case CallQueued():
                self._known(event.call, event.entered_at)
            case CallAdopted():
                self._known(event.call, event.at)
            case VisitDecided():
                outcome = {"nobat.outcome": event.outcome.value, "nobat.queue": event.queue}
                self._span(event.call, "waiting", event.entered_at, event.entered_at + event.waited_s, outcome)
            case TalkEnded():
                heard: dict[str, AttributeValue] = {"nobat.hold_s": event.hold_s, "nobat.fault": event.fault}
                who = {"nobat.queue": event.queue, "nobat.agent": event.agent}
                self._span(event.call, "talk", event.at - event.talk_s, event.at, {**who, **heard})
            case WrapUpEnded():
                self._span(event.call, "wrap-up", event.at - event.wrap_up_s, event.at, {"nobat.agent": event.agent})
            case CallTransferred():
                how: dict[str, AttributeValue] = {"nobat.mode": event.mode.value, "nobat.target": event.target.value}
                self._known(event.call, event.at).passed_on.append((event.at, how))
            case CallEnded():
                self._end(event)
            case _:
                self._follow_offer(event)

    def _follow_offer(self, event: Event) -> None:
        match event:
            case CallOffered():
                self._known(event.call, event.at).offers[event.offer] = _Offering(event.at, tuple(event.agents))
            case OfferDeclined() if (one := self._offering(event.call, event.offer)) is not None:
                one.declined.append((event.at, {"nobat.agent": event.agent, "nobat.cause": event.cause.value}))
            case OfferClosed():
                self._offer_ends(event.call, event.offer, event.at, "not_answered")
            case OfferNotPlaced():
                self._offer_ends(event.call, event.offer, event.at, "not_placed")
            case CallConnected():
                for offer in tuple(self._known(event.call, event.at).offers):
                    self._offer_ends(event.call, offer, event.at, "answered")
            case _:
                pass

    def _known(self, call: CallId, at: float) -> _Call:
        known = self._calls.get(call)
        if known is None:
            known = self._calls[call] = _Call(at)
        return known

    def _offering(self, call: CallId, offer: OfferId) -> _Offering | None:
        known = self._calls.get(call)
        return known.offers.get(offer) if known is not None else None

    def _offer_ends(self, call: CallId, offer: OfferId, at: float, result: str) -> None:
        one = self._offering(call, offer)
        if one is not None:
            del self._calls[call].offers[offer]
            said = {"nobat.offer": offer, "nobat.agents": one.agents, "nobat.result": result}
            self._span(call, "offer", one.at, at, said, one.declined)

    # ------------------------------------------------------------ spans

    def _traced(self, call: CallId) -> SpanContext | None:
        root = root_of(call)
        return root if root.trace_id % _HALF < self._share * _HALF else None

    def _span(
        self,
        call: CallId,
        name: str,
        begin: float,
        end: float,
        attributes: Mapping[str, AttributeValue],
        moments: Sequence[tuple[float, dict[str, AttributeValue]]] = (),
    ) -> None:
        root = self._traced(call)
        if root is None:
            return
        context = trace.set_span_in_context(trace.NonRecordingSpan(root), Context())
        span = self._tracer.start_span(name, context, start_time=_ns(begin), attributes=attributes)
        for at, said in moments:
            span.add_event("declined", said, _ns(at))
        span.end(_ns(max(begin, end)))

    def _end(self, event: CallEnded) -> None:
        """The first span: from the first entry to the caller's end."""
        known = self._known(event.call, event.at)
        for offer in tuple(known.offers):
            self._offer_ends(event.call, offer, event.at, "caller_gone")
        del self._calls[event.call]
        self._ids.next = self._traced(event.call)
        if self._ids.next is None:
            return
        said = {"nobat.call": event.call, "nobat.queue": event.queue, "nobat.ended_by": event.ended_by}
        outcome = {"nobat.outcome": event.outcome.value}
        begin = _ns(known.began_at)
        span = self._tracer.start_span("call", Context(), SpanKind.SERVER, {**said, **outcome}, start_time=begin)
        self._ids.next = None
        for at, how in known.passed_on:
            span.add_event("transferred", how, _ns(at))
        if event.outcome is Outcome.LOST:
            span.set_status(Status(StatusCode.ERROR, event.ended_by))
        span.end(max(begin, _ns(event.at)))


def _ns(seconds: float) -> int:
    return int(seconds * _NS)


def by_otlp(gauge: Gauge, endpoint: str, service_name: str, share: float) -> Tracing:
    """Spans go to a collector, by OTLP over HTTP. Raises ``ImportError`` without the extra ``otel``."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    exporter = OTLPSpanExporter(endpoint, timeout=2)
    return Tracing(gauge, BatchSpanProcessor(exporter, export_timeout_millis=2000), service_name, share)
