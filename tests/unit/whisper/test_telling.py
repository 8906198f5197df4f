"""Agents who are told that they are listened to, where their queue wants it; and nobody else is."""

from acd.commands import DefineQueue
from acd.ids import AgentId, CallId, QueueId
from acd.queues import QueueSpec, SupervisionPolicy
from acd.supervision_events import AgentTold
from acd.supervision_port import Mode, ShowAgent, SupervisorGone
from tests.unit.whisper.shift import Shift
from whisper import telling
from whisper.commands import StopSupervision, TakeOver

TEXT = "Listened to"
TOLD = SupervisionPolicy(display=TEXT)


def shown(shift: Shift, call: CallId) -> list[tuple[str, ...]]:
    """What the agents' phones were told, one after the other."""
    return [one.words for one in shift.requests if isinstance(one, ShowAgent) and one.call == call]


def told(shift: Shift) -> list[tuple[str, bool]]:
    return [(one.agent, one.listened_to) for one in shift.of_session(AgentTold)]


def test_the_phone_shows_it_for_as_long_as_somebody_listens() -> None:
    shift = Shift.of("101", "102", supervision=TOLD)
    call = shift.talk("101")
    assert telling.is_told(shift.supervision, AgentId("101")) is False
    first = shift.begin(agent="101")
    assert shown(shift, call) == [(TEXT,)]
    second = shift.begin(Mode.BARGE, 202, agent="101")
    shift.do(StopSupervision(first))
    assert shown(shift, call) == [(TEXT,)]  # the other one listens on
    assert telling.is_told(shift.supervision, AgentId("101")) is True
    assert telling.is_told(shift.supervision, AgentId("102")) is None  # nobody talks to him
    shift.do(SupervisorGone(second, 16, hung_up=True))
    assert shown(shift, call) == [(TEXT,), ("sales", "آرش")]
    assert told(shift) == [("101", True), ("101", False)]


def test_a_queue_that_does_not_want_it_tells_nobody() -> None:
    shift = Shift.of("101")
    call = shift.talk("101")
    session = shift.begin(agent="101")
    assert telling.is_told(shift.supervision, AgentId("101")) is None
    shift.do(DefineQueue(QueueSpec(QueueId("sales"), "8000", supervision=TOLD)))
    assert shown(shift, call) == [(TEXT,)]  # from now on it does
    shift.do(DefineQueue(QueueSpec(QueueId("sales"), "8000")))
    shift.do(StopSupervision(session))
    assert [one for one in shown(shift, call) if TEXT in one] == [(TEXT,)]
    assert told(shift) == [("101", True), ("101", False)]


def test_of_a_conversation_that_is_over_no_phone_is_told() -> None:
    shift = Shift.of("101", supervision=TOLD)
    call = shift.talk("101")
    session = shift.begin(Mode.CONFERENCE, agent="101")
    shift.hears(session)
    shift.do(TakeOver(session))
    shift.agent_hangs_up(call, "101")
    assert shown(shift, call) == [(TEXT,)]
    assert told(shift) == [("101", True), ("101", False)]
    shift.do(StopSupervision(session))
    following = shift.talk("101")
    assert shown(shift, following) == []
