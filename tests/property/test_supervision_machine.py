"""Sessions against random days: whoever is heard may be heard, talks, and is written down, whatever happens in whatever order."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from acd import telephony as t
from acd.agents import AgentSpec
from acd.calls import CallState
from acd.commands import DefineAgent, TransferCall
from acd.errors import AcdError
from acd.ids import AgentId, CallId, QueueId
from acd.supervision_events import SupervisionMoved
from acd.supervision_port import (
    EndSupervision,
    Mode,
    Supervise,
    SupervisorGone,
    SupervisorLoose,
    SupervisorMissed,
    SupervisorUp,
)
from acd.talks import TargetKind
from acd.telephony import MissCause
from tests.support.world import device
from tests.unit.whisper.shift import Shift, phone
from whisper import policy
from whisper.commands import ChangeMode, HandBack, LimitSupervisor, StartSupervision, StopSupervision, TakeOver
from whisper.policy import Supervisor
from whisper.sessions import State

AGENTS = ("101", "102", "103")
QUEUES = ("sales", "support")
SUPERVISORS = tuple(
    Supervisor(f"t{number}", f"s{number}", "supervisor", queues)
    for number, queues in enumerate((None, frozenset({QueueId("sales")}), frozenset({QueueId("support")})))
)
agents, modes, numbers = st.sampled_from(AGENTS), st.sampled_from(Mode), st.integers(201, 205)


class Sessions(RuleBasedStateMachine):
    """People and phones do what they like; the PBX obeys the port."""

    @initialize()
    def opens(self) -> None:
        self.shift = Shift.of(*AGENTS, queues=QUEUES)

    def tries(self, message: object) -> None:
        try:
            self.shift.do(message)  # type: ignore[arg-type]
        except AcdError:
            return

    def talking(self) -> list[CallId]:
        return [call.id for call in self.shift.floor.calls.values() if call.state is CallState.TALKING]

    @rule(queue=st.sampled_from(QUEUES))
    def somebody_calls(self, queue: str) -> None:
        if len(self.shift.floor.calls) < 6:
            self.shift.enter(queue)

    @rule()
    def a_phone_is_picked_up(self) -> None:
        for call in tuple(self.shift.floor.calls.values()):
            if call.state is CallState.OFFERED and call.offer is not None and call.offer.phones:
                agent = next(iter(call.offer.phones.values()))
                self.shift.answer_again(call.id, agent)
                return

    @rule(hung_up=st.booleans())
    def an_agent_leaves(self, hung_up: bool) -> None:
        for call in self.talking():
            talk = self.shift.floor.calls[call].talks[-1]
            if talk.leg is not None and talk.agent is not None:
                gone = t.AgentLegGone(call, talk.leg, device(talk.agent), 16, hung_up=hung_up, fault=False)
                alone = not any(one.is_member and one.place and one.place.call == call for one in self.live())
                self.shift.do(gone)
                if alone and talk.offer is not None:
                    self.shift.do(t.CallerFreed(call, talk.offer))
                return

    @rule()
    def a_caller_leaves(self) -> None:
        for call in tuple(self.shift.floor.calls):
            self.shift.hang_up(call)
            return

    @rule(agent=agents)
    def a_call_is_passed_on(self, agent: str) -> None:
        for call in self.talking():
            self.tries(TransferCall(call, TargetKind.AGENT, agent))
            return

    @rule(queue=st.sampled_from(QUEUES))
    def a_call_goes_to_a_queue(self, queue: str) -> None:
        for call in self.talking():
            self.tries(TransferCall(call, TargetKind.QUEUE, queue))
            return

    @rule(agent=agents, queues=st.sampled_from((("sales",), ("support",), QUEUES)))
    def an_agent_changes_queues(self, agent: str, queues: tuple[str, ...]) -> None:
        names = tuple(QueueId(queue) for queue in queues)
        self.tries(DefineAgent(AgentSpec(AgentId(agent), device=device(agent), queues=names)))

    def live(self) -> list[object]:
        return list(self.shift.supervision.sessions.values())  # type: ignore[return-value]

    @rule(who=st.sampled_from(SUPERVISORS), number=numbers, mode=modes, agent=agents, of_call=st.booleans())
    def a_supervisor_starts(self, who: Supervisor, number: int, mode: Mode, agent: str, of_call: bool) -> None:
        calls = self.talking()
        if of_call and calls:
            self.tries(StartSupervision(who, phone(number), mode, call=calls[-1]))
        else:
            self.tries(StartSupervision(who, phone(number), mode, agent=AgentId(agent)))

    @rule(answers=st.booleans())
    def his_phone_answers(self, answers: bool) -> None:
        for session in tuple(self.shift.supervision.sessions.values()):
            if session.state is State.RINGING:
                fact = SupervisorUp(session.id) if answers else SupervisorMissed(session.id, MissCause.BUSY)
                self.shift.do(fact)
                return

    @rule()
    def the_pbx_brings_him_in(self) -> None:
        for session in tuple(self.shift.supervision.sessions.values()):
            if session.state is State.JOINING:
                self.shift.hears(session.id)
                return

    @rule(number=st.integers(0, 4), mode=modes)
    def the_mode_changes(self, number: int, mode: Mode) -> None:
        for session in list(self.shift.supervision.sessions)[number : number + 1]:
            self.tries(ChangeMode(session, mode))

    @rule(number=st.integers(0, 4), what=st.sampled_from((TakeOver, HandBack, StopSupervision)))
    def a_supervisor_decides(self, number: int, what: type) -> None:
        for session in list(self.shift.supervision.sessions)[number : number + 1]:
            self.tries(what(session))

    @rule(number=st.integers(0, 4), hangs_up=st.booleans())
    def a_leg_is_loose_or_gone(self, number: int, hangs_up: bool) -> None:
        for session in list(self.shift.supervision.sessions.values())[number : number + 1]:
            if session.is_up and hangs_up:
                self.shift.do(SupervisorGone(session.id, 16, hung_up=True))
            elif session.place is not None and not session.taken:
                self.shift.do(SupervisorLoose(session.id, session.place.leg))

    @rule(who=st.sampled_from(SUPERVISORS), queues=st.sampled_from((None, "sales", "support")))
    def rights_change(self, who: Supervisor, queues: str | None) -> None:
        narrowed = Supervisor(who.token, who.name, who.role, frozenset({QueueId(queues)})) if queues else None
        self.shift.do(LimitSupervisor(who.token, narrowed))

    @invariant()
    def whoever_is_heard_may_be(self) -> None:
        floor = self.shift.floor
        for session in self.shift.supervision.sessions.values():
            place = session.place
            if place is None:
                continue
            assert policy.owns(session.supervisor, place.queue)
            call = floor.calls.get(place.call)
            if call is None:
                assert session.is_member, "he hears a call that is over"
                continue
            talk = call.talks[-1]
            assert talk.leg == (session.leg if session.taken else place.leg)
            assert call.state is CallState.TALKING
            if not session.taken:
                agent = floor.agents[place.agent]
                assert policy.refusal(session.supervisor, call.queue, agent) is None

    @invariant()
    def every_request_is_written_down_and_none_comes_after_the_end(self) -> None:
        requests = self.shift.requests
        spans = [one for one in self.shift.events if isinstance(one, SupervisionMoved)]
        assert len(spans) == sum(isinstance(one, Supervise) for one in requests)
        ended: set[str] = set()
        for one in requests:
            if isinstance(one, EndSupervision):
                ended.add(one.session)
            elif isinstance(one, Supervise):
                assert one.session not in ended

    @invariant()
    def a_phone_is_in_one_session(self) -> None:
        devices = [one.device for one in self.shift.supervision.sessions.values()]
        assert len(devices) == len(set(devices))


TestSessions = Sessions.TestCase
TestSessions.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
