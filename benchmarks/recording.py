"""A recorded day: the events that the service keeps, read back and played onto a floor, so that forecasts can be made again.

The floor is only moved to where the events say it was; nothing is decided anew. What is forecast is forecast by the service's own
code from the state of that moment, and compared with what became of the very callers of that day. Who serves which queue is learned
from the offers of the whole day: the catalogue may be another one by now.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from acd import events as e
from acd.agents import Agent, AgentSpec, AgentState, Free, Ringing, Status, Talking, WrapUp
from acd.calls import Call, CallState, Visit
from acd.floor import Floor
from acd.forecast import predict
from acd.ids import AgentId, CallId, LegId, OfferId, PbxId, QueueId, pbx_of
from acd.outcomes import Outcome
from acd.queues import Queue, QueueSpec
from acd.telephony import DeviceState

RECORDED = PbxId("recorded")  # where everybody sits: the record does not say
_COLUMNS = {"call_id": "call", "queue_id": "queue", "agent_id": "agent"}
_KINDS = ("CallQueued", "CallOffered", "OfferClosed", "CallConnected", "VisitDecided", "CallEnded",
          "CallAmended", "AgentStatusChosen", "AgentStateChanged")  # fmt: skip
_ENUMS: dict[str, Callable[[str], Any]] = {
    "outcome": Outcome, "status": Status, "old": AgentState, "new": AgentState, "agents": tuple,
}  # fmt: skip


def read(database: Path) -> tuple[list[e.Event], tuple[QueueSpec, ...]]:
    """The events of a service's SQLite database, in order of time: promises are numbered before what they came with; its queues."""
    columns = ", ".join(("at", "kind", "data", *_COLUMNS))
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    connection.row_factory = sqlite3.Row
    rows = connection.execute(f"SELECT {columns} FROM events ORDER BY at, run, seq").fetchall()
    queues = connection.execute("SELECT id, number, priority_s FROM queues ORDER BY id").fetchall()
    connection.close()
    specs = tuple(QueueSpec(QueueId(row["id"]), row["number"], priority_s=row["priority_s"]) for row in queues)
    return [_event(row) for row in rows if row["kind"] in _KINDS], specs


def _event(row: sqlite3.Row) -> e.Event:
    values: dict[str, Any] = {name: row[column] for column, name in _COLUMNS.items() if row[column] is not None}
    for name, value in json.loads(row["data"]).items():
        values[name] = _ENUMS[name](value) if name in _ENUMS and value is not None else value
    at = datetime.fromisoformat(row["at"]).replace(tzinfo=UTC).timestamp()
    kind = getattr(e, row["kind"])
    for absent in kind.__dataclass_fields__.keys() & {"agent"}:
        values.setdefault(absent, None)
    found: e.Event = kind(at=at, **values)
    return found


@dataclass(slots=True)
class Playback:
    """Plays events onto ``floor``. ``joined`` is told of each caller who has to wait, ``answered`` of each connection."""

    joined: Callable[[Floor, Call], None]
    answered: Callable[[CallId, QueueId, float, float], None]
    floor: Floor = field(default_factory=Floor)
    serving: dict[AgentId, QueueId] = field(default_factory=dict)
    newcomer: Call | None = None  # has joined the line at this moment; whether he has to wait is told before the next

    def play(self, events: Sequence[e.Event], queues: Iterable[QueueSpec] = ()) -> None:
        """The whole recording; ``queues`` as they were set, where that is known."""
        for spec in queues:
            self.floor.queues[spec.id] = Queue(spec)
        for event in events:
            if isinstance(event, e.CallOffered):
                for name in event.agents:
                    self._agent(name, event.queue)
        for event in events:
            if self.newcomer is not None and event.at > self.newcomer.state_since:
                self._settle(self.newcomer)
            handler = _HANDLERS.get(type(event))
            if handler is not None:
                handler(self, event)

    def _settle(self, call: Call) -> None:
        """He was not offered at once: as on the live floor, the forecast is made when a caller first has to wait."""
        self.newcomer = None
        if call.state is CallState.WAITING and call.visit.outcome is None:
            call.prediction = predict(self.floor, self.floor.queues[call.queue], call, call.state_since)[0]
            self.joined(self.floor, call)

    def _queue(self, name: QueueId) -> Queue:
        return self.floor.queues.setdefault(name, Queue(QueueSpec(name, name)))

    def _agent(self, name: AgentId, queue: QueueId | None = None) -> Agent:
        agent = self.floor.agents.setdefault(name, Agent(AgentSpec(name), pbx=RECORDED))
        if queue is not None and queue not in agent.spec.queues:
            agent.spec = AgentSpec(name, queues=(*agent.spec.queues, queue))
            self._queue(queue).members[name] = agent
            agent.lines = tuple(self.floor.queues[each] for each in agent.spec.queues)
        return agent

    def _waiting(self, event: Any) -> Iterator[tuple[Call, Queue]]:
        call = self.floor.calls.get(event.call)
        if call is not None:
            yield call, self.floor.queues[call.queue]

    def queued(self, event: e.CallQueued) -> None:
        for old, queue in self._waiting(event):  # known again after a restart
            queue.leave(old.place, old.needs)
        queue = self._queue(event.queue)
        call = Call(event.call, LegId(event.leg), pbx_of(event.call), event.number, event.name, event.priority,
                    _serial(event.call), Visit(event.queue, event.entered_at), state_since=event.at)  # fmt: skip
        call.head_start_s = call.priority * queue.spec.priority_s
        self.floor.calls[call.id] = self.newcomer = call
        queue.stand(call.place, call.needs)

    def offered(self, event: e.CallOffered) -> None:
        for call, queue in self._waiting(event):
            queue.leave(call.place, call.needs)
            queue.offered.add(call.id)
            call.move(CallState.OFFERED, event.at)

    def closed(self, event: e.OfferClosed) -> None:
        for call, queue in self._waiting(event):
            queue.offered.discard(call.id)
            queue.stand(call.place, call.needs)
            call.move(CallState.WAITING, event.at)
            if call.prediction is None:
                self.newcomer = call

    def connected(self, event: e.CallConnected) -> None:
        if event.agent is not None:
            self.serving[event.agent] = event.queue
        self.answered(event.call, event.queue, event.at, event.waited_s)

    def decided(self, event: e.VisitDecided) -> None:
        for call, queue in self._waiting(event):
            queue.leave(call.place, call.needs)
            queue.offered.discard(call.id)
            call.visit.outcome = event.outcome
            gave_up = event.outcome is Outcome.ABANDONED
            queue.waits.decided(event.waited_s, gave_up=gave_up, served=event.outcome is not Outcome.OVERFLOWED)
            if call.prediction is not None and event.outcome is Outcome.ANSWERED:
                waited = event.entered_at + event.waited_s - call.prediction.at
                queue.waits.came_true(call.prediction.said, call.prediction.best, waited)

    def ended(self, event: e.CallEnded) -> None:
        self.floor.calls.pop(event.call, None)

    def amended(self, event: e.CallAmended) -> None:
        for call, queue in self._waiting(event):
            stands = call.state is CallState.WAITING and call.id in queue.waiting()
            if stands:
                queue.leave(call.place, call.needs)
            call.priority, call.head_start_s = event.priority, event.priority * queue.spec.priority_s
            if stands:
                queue.stand(call.place, call.needs)

    def status(self, event: e.AgentStatusChosen) -> None:
        agent = self._agent(event.agent)
        agent.status = event.status
        agent.seen_serving = agent.serves_on

    def state(self, event: e.AgentStateChanged) -> None:
        agent = self._agent(event.agent)
        if event.new in (AgentState.IDLE, AgentState.RINGING):
            agent.status = Status.AVAILABLE
        gone = event.new is AgentState.UNREACHABLE
        agent.device_state = DeviceState.UNAVAILABLE if gone else DeviceState.NOT_IN_USE
        if isinstance(agent.engagement, Talking):
            agent.serving_since = agent.engagement.since
        agent.engagement = _engagement(event)
        agent.seen_serving = agent.serves_on
        if agent.serving_since is not None and isinstance(agent.engagement, Free):
            if event.agent in self.serving:
                self._queue(self.serving[event.agent]).waits.services.add(event.at - agent.serving_since)
            agent.serving_since = None


def _serial(call: CallId) -> int:
    tail = call.rpartition(".")[2]
    return int(tail) if tail.isdigit() else 0


def _engagement(event: e.AgentStateChanged) -> Free | Ringing | Talking | WrapUp:
    nothing, nowhere = CallId(""), QueueId("")
    match event.new:
        case AgentState.TALKING:
            return Talking(nothing, nowhere, event.at)
        case AgentState.WRAP_UP:
            return WrapUp(nothing, nowhere, event.at, None)
        case AgentState.RINGING:
            return Ringing(nothing, OfferId(""))
    return Free()


_HANDLERS: dict[type, Callable[[Playback, Any], None]] = {
    e.CallQueued: Playback.queued,
    e.CallOffered: Playback.offered,
    e.OfferClosed: Playback.closed,
    e.CallConnected: Playback.connected,
    e.VisitDecided: Playback.decided,
    e.CallEnded: Playback.ended,
    e.CallAmended: Playback.amended,
    e.AgentStatusChosen: Playback.status,
    e.AgentStateChanged: Playback.state,
}
