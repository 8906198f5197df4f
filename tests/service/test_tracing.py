"""A call is one trace: its waits, its offers, its talk and the work after it, also over a restart. Off, it is not even loaded."""

import subprocess
import sys
from collections.abc import AsyncIterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from acd import events as e
from acd.ids import CallId, LegId, QueueId
from nobat import app as composition
from nobat.engine import Gauge
from nobat.metrics import Metrics
from nobat.tracing import Tracing, by_otlp
from nobat.tracing_settings import TracingSettings
from tests.service.conftest import _copied, _running
from tests.support.memory_pbx import Manner
from tests.support.office import Office

ROOT = Path(__file__).parents[2]
NUMBER = "4930555123"


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
async def office(
    office_file: Path, tmp_path: Path, spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Office]:
    """A service whose spans stay here instead of going to a collector."""

    def kept_here(gauge: Gauge, _settings: TracingSettings) -> Tracing:
        return Tracing(gauge, SimpleSpanProcessor(spans))

    monkeypatch.setattr(composition, "traced", kept_here)
    async with _running(_copied(office_file, tmp_path)) as place:
        yield place


def by_name(spans: InMemorySpanExporter) -> dict[str, list[ReadableSpan]]:
    found: dict[str, list[ReadableSpan]] = {}
    for span in spans.get_finished_spans():
        found.setdefault(span.name, []).append(span)
    return found


def seconds(span: ReadableSpan) -> float:
    assert span.start_time is not None
    assert span.end_time is not None
    return (span.end_time - span.start_time) / 1e9


def said(span: ReadableSpan, name: str) -> object:
    return (span.attributes or {}).get(f"nobat.{name}")


async def one_call(office: Office) -> CallId:
    """Waits 5 s, is refused by one agent, talks 12 s with the other, who then works on for at least 4 s."""
    admin = await office.admin()
    await admin.ask("PATCH", "/v1/queues/sales", json={"wrap_up_s": 4.0})
    for agent in ("101", "102"):
        office.pbx.phone(f"PJSIP/agent-{agent}", Manner.SILENT)
    call = office.pbx.caller("8000", NUMBER, "Ali Reza")
    await office.settled()
    await office.pass_time(5)
    for agent in ("101", "102"):
        await admin.chooses(agent, "available")
    await office.settled()
    office.pbx.let_ring_out(call)
    await office.settled()
    office.pbx.pick_up(call)
    await office.settled()
    await office.pass_time(12)
    office.pbx.agent_hangs_up(call)
    office.pbx.caller_hangs_up(call)
    await office.settled()
    await office.pass_time(5)
    return call


async def test_a_call_is_one_trace(office: Office, spans: InMemorySpanExporter) -> None:
    call = await one_call(office)
    found = by_name(spans)
    assert {name: len(ones) for name, ones in found.items()} == {
        "call": 1,
        "waiting": 1,
        "offer": 2,
        "talk": 1,
        "wrap-up": 1,
    }
    (root,) = found["call"]
    assert root.parent is None
    assert (said(root, "call"), said(root, "queue"), said(root, "outcome")) == (call, "sales", "answered")
    everything = spans.get_finished_spans()
    assert len({span.context.trace_id for span in everything if span.context}) == 1
    parents = {span.parent.span_id for span in everything if span.parent is not None}
    assert root.context is not None
    assert parents == {root.context.span_id}
    assert seconds(found["waiting"][0]) == pytest.approx(5, abs=1)
    assert seconds(found["talk"][0]) == pytest.approx(12, abs=1)
    assert 4 <= seconds(found["wrap-up"][0]) < 6
    assert [said(one, "result") for one in found["offer"]] == ["not_answered", "answered"]
    assert [event.name for event in found["offer"][0].events] == ["declined"]
    texts = "".join(span.to_json() for span in everything)
    assert NUMBER not in texts
    assert "Ali" not in texts


async def test_a_call_that_outlives_a_restart_is_one_trace(office: Office, spans: InMemorySpanExporter) -> None:
    admin = await office.admin()
    office.pbx.phone("PJSIP/agent-101", Manner.ANSWERS)
    call = office.pbx.caller("8000", NUMBER)
    await office.settled()
    admin = await office.restarted()
    await admin.chooses("101", "available")
    await office.settled()
    office.pbx.caller_hangs_up(call)
    await office.settled()
    found = by_name(spans)
    assert set(found) == {"call", "waiting", "offer", "talk"}
    assert len(found["call"]) == 1
    assert len({span.context.trace_id for span in spans.get_finished_spans() if span.context}) == 1
    assert found["call"][0].start_time == found["waiting"][0].start_time


async def test_nothing_is_kept_of_calls_that_are_over(office: Office) -> None:
    tracing = office.app.feed._gauge
    assert isinstance(tracing, Tracing)
    calls = [office.pbx.caller("8000", str(number)) for number in range(50)]
    await office.settled()
    assert tracing.kept == 50
    for call in calls:
        office.pbx.caller_hangs_up(call)
    await office.settled()
    assert tracing.kept == 0


def test_a_share_of_the_calls_is_chosen_by_their_ids(spans: InMemorySpanExporter) -> None:
    def roots() -> list[object]:
        spans.clear()
        tracing = Tracing(Metrics(0.0), SimpleSpanProcessor(spans), share=0.25)
        for n in range(400):
            call, queue = CallId(f"pbx1-{n}"), QueueId("sales")
            queued = e.CallQueued(1.0, call, queue, LegId(f"pbx1-{n}"), 1.0, 0, None, None)
            tracing.observe([queued, e.CallEnded(2.0, call, queue, e.Outcome.ABANDONED, "caller")], 2.0)
        return [said(one, "call") for one in by_name(spans)["call"]]

    chosen = roots()
    assert 60 < len(chosen) < 140
    assert roots() == chosen


class _Collector(BaseHTTPRequestHandler):
    bodies: "list[bytes]"

    def do_POST(self) -> None:
        self.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_spans_reach_a_collector() -> None:
    bodies: list[bytes] = []
    handler = type("Collector", (_Collector,), {"bodies": bodies})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        tracing = by_otlp(Metrics(0.0), f"http://127.0.0.1:{server.server_port}/v1/traces", "centre", 1.0)
        call, queue = CallId("pbx1-1.1"), QueueId("sales")
        tracing.observe([e.CallEnded(2.0, call, queue, e.Outcome.LOST, "fault")], 2.0)
        tracing.provider.shutdown()
        server.shutdown()
        thread.join()
    request = ExportTraceServiceRequest.FromString(b"".join(bodies))
    (resource,) = request.resource_spans
    assert "centre" in str(resource.resource)
    (span,) = resource.scope_spans[0].spans
    assert (span.name, span.status.message) == ("call", "fault")


OFF = """
import sys
from nobat.app import App
from nobat.clock import Clock
from nobat.settings import DatabaseSettings, Settings
App.build(Settings(database=DatabaseSettings(url="sqlite:///{folder}/nobat.db")), Clock())
print([name for name in sys.modules if name.startswith(("opentelemetry", "nobat.tracing")) and name != "nobat.tracing_settings"])
"""


def test_off_it_is_not_even_loaded(tmp_path: Path) -> None:
    code = OFF.format(folder=tmp_path)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.strip() == "[]"


def test_without_the_extra_the_operator_is_told_what_to_install(tmp_path: Path) -> None:
    """A Python in which the SDK cannot be found, as without ``nobat[otel]``."""
    code = (
        "import sys; sys.modules['opentelemetry.sdk'] = None\n"
        "from nobat.traced import traced, CannotTrace\n"
        "from nobat.tracing_settings import TracingSettings\n"
        "try: traced(None, TracingSettings(endpoint='http://127.0.0.1:1/v1/traces'))\n"
        "except CannotTrace as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert "pip install 'nobat[otel]'" in done.stdout
