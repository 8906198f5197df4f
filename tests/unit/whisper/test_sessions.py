"""Where sessions go: with their agent, with their call, and never anywhere else."""

import pytest

from acd import telephony as t
from acd.agents import AgentSpec
from acd.calls import CallState
from acd.commands import DefineAgent, DefineQueue, SignIn, TransferCall
from acd.errors import Conflict, NotFound
from acd.ids import AgentId, CallId, QueueId, SupervisionId
from acd.queues import QueueSpec, SupervisionPolicy
from acd.supervision_events import CallTakenOver, SupervisionEnded, SupervisionMoved, SupervisionPaused
from acd.supervision_port import (
    EndSupervision,
    Mode,
    Quieten,
    SnapshotSupervisor,
    Supervise,
    SupervisorGone,
    SupervisorLoose,
    SupervisorMissed,
)
from acd.talks import TargetKind
from acd.telephony import DeviceState, HangUp, MissCause, RequestFailed, RequestFailure
from tests.support.world import PBX, device
from tests.unit.whisper.shift import ANYBODY, Shift, phone
from whisper.commands import (
    AskForHelp,
    ChangeMode,
    HandBack,
    LimitSupervisor,
    RestoreSupervision,
    StartSupervision,
    StopSupervision,
    TakeOver,
)
from whisper.policy import Supervisor
from whisper.sessions import TRANSITIONS, State

OF_SALES = Supervisor("t2", "reza", "supervisor", frozenset({QueueId("sales")}))


def test_every_state_is_in_the_table_and_nothing_leads_out_of_the_end() -> None:
    assert TRANSITIONS.keys() == set(State)
    assert TRANSITIONS[State.ENDED] == frozenset()
    assert all(State.ENDED in after for state, after in TRANSITIONS.items() if state is not State.ENDED)


def test_a_session_of_an_agent_goes_from_call_to_call() -> None:
    shift = Shift.of("101", "102")
    session = shift.begin(agent="101")
    assert shift.session(session).state is State.QUIET
    first = shift.talk("101")
    assert (shift.told(session).call, shift.told(session).leg) == (first, shift.leg(first, "101"))
    shift.hears(session)
    assert shift.session(session).state is State.JOINED
    shift.agent_hangs_up(first, "101")
    assert shift.session(session).state is State.QUIET
    shift.do(SupervisorLoose(session, shift.leg(first, "101")))
    other = shift.talk("102")
    assert shift.told(session).call == first != other
    assert shift.session(session).place is None
    shift.do(t.CallGone(other, 16))
    following = shift.talk("101")
    assert shift.told(session).call == following
    moved = [one.call for one in shift.of_session(SupervisionMoved)]
    assert moved == [first, following]


def test_what_comes_late_of_a_leg_moves_nobody_out_of_the_next_conversation() -> None:
    shift = Shift.of("101")
    session = shift.begin(agent="101")
    first = shift.talk("101")
    shift.agent_hangs_up(first, "101")
    following = shift.talk("101")
    shift.hears(session)
    shift.do(SupervisorLoose(session, shift.leg(first, "101")))
    assert shift.session(session).state is State.JOINED
    assert shift.told(session).call == following


def test_a_leg_that_is_over_before_the_books_know_is_not_tried_again() -> None:
    shift = Shift.of("101")
    call = shift.talk("101")
    session = shift.begin(call=call)
    shift.hears(session)
    shift.do(SupervisorLoose(session, shift.leg(call, "101")))
    assert shift.asked(Supervise, session) == 1
    assert shift.asked(Quieten, session) == 1  # or the PBX would hang the leg up
    shift.do(t.CallGone(call, 16))
    assert shift.session(session).reason == "call_ended"
    assert shift.asked(EndSupervision, session) == 1


def test_a_session_of_a_call_goes_with_it_to_the_next_agent() -> None:
    shift = Shift.of("101", "102")
    call = shift.talk("101")
    session = shift.begin(call=call)
    shift.hears(session)
    shift.do(TransferCall(call, TargetKind.AGENT, "102"))
    assert shift.session(session).state is State.QUIET
    shift.answer(call, "102")
    assert shift.told(session).leg == shift.leg(call, "102")


def test_modes_change_by_one_request_each_and_the_phone_rings_once() -> None:
    shift = Shift.of("101")
    call = shift.talk("101")
    session = shift.begin(call=call)
    for mode in (Mode.WHISPER, Mode.BARGE, Mode.CONFERENCE, Mode.LISTEN):
        shift.hears(session)
        shift.do(ChangeMode(session, mode))
        assert shift.told(session).mode is mode
    assert shift.phones_rung() == 1
    assert shift.asked(Supervise, session) == 5


def test_a_barge_beside_a_conference_is_one_too() -> None:
    """A PBX breaks into conversations of two only."""
    shift = Shift.of("101")
    call = shift.talk("101")
    shift.begin(Mode.CONFERENCE, 201, call=call)
    beside = shift.begin(Mode.BARGE, 202, call=call)
    assert shift.told(beside).mode is Mode.CONFERENCE
    assert shift.session(beside).mode is Mode.BARGE


def test_one_phone_is_in_one_session() -> None:
    shift = Shift.of("101", "102")
    first = shift.begin(agent="101")
    with pytest.raises(Conflict) as refused:
        shift.begin(agent="102")
    assert (refused.value.slug, refused.value.details["supervision"]) == ("already_supervising", first)
    for number in range(202, 206):
        shift.begin(at=number, agent="101")  # five on one agent are no too many


@pytest.mark.parametrize(
    ("state", "slug"), [(DeviceState.UNAVAILABLE, "phone_unreachable"), (DeviceState.BUSY, "phone_busy")]
)
def test_a_phone_that_cannot_be_rung_is_refused_before_anything_is_written(state: DeviceState, slug: str) -> None:
    shift = Shift.of("101")
    shift.do(t.DeviceChanged(phone(201), state))
    before = len(shift.events)
    with pytest.raises(Conflict) as refused:
        shift.begin(agent="101")
    assert refused.value.slug == slug
    assert len(shift.events) == before


def test_the_phone_of_an_agent_at_work_is_no_supervisors() -> None:
    shift = Shift.of("101", "102")
    with pytest.raises(Conflict, match="signed in there"):
        shift.do(StartSupervision(ANYBODY, device("102"), Mode.LISTEN, AgentId("101")))


def test_a_phone_that_does_not_answer_ends_the_session() -> None:
    shift = Shift.of("101")
    shift.do(StartSupervision(ANYBODY, phone(201), Mode.LISTEN, AgentId("101")))
    (session,) = shift.supervision.sessions
    shift.do(SupervisorMissed(session, MissCause.NO_ANSWER))
    assert shift.session(session).reason == "phone_no_answer"
    assert shift.asked(EndSupervision, session) == 0


# ---------------------------------------------------------------- rights


def test_calls_of_other_queues_are_not_heard_and_the_session_goes_on() -> None:
    shift = Shift.of("101", queues=("sales", "support"))
    session = shift.begin(agent="101", supervisor=OF_SALES)
    foreign = shift.talk("101", "support")
    assert shift.asked(Supervise, session) == 0
    shift.agent_hangs_up(foreign, "101")
    own = shift.talk("101", "sales")
    assert shift.told(session).call == own


def test_a_session_of_a_call_ends_when_the_call_leaves_the_supervisors_queues() -> None:
    shift = Shift.of("101", queues=("sales", "support"))
    call = shift.talk("101")
    session = shift.begin(call=call, supervisor=OF_SALES)
    shift.hears(session)
    shift.do(TransferCall(call, TargetKind.QUEUE, "support"))
    assert shift.session(session).reason == "right_lost"
    assert shift.asked(EndSupervision, session) == 1


def test_an_agent_of_another_team_who_takes_the_call_is_not_heard() -> None:
    shift = Shift.of("101")
    shift.do(t.DeviceChanged(device("103"), DeviceState.NOT_IN_USE))
    shift.do(DefineQueue(QueueSpec(QueueId("support"), "8009")))
    shift.hire("103", "support")
    shift.do(SignIn(AgentId("103")))
    call = shift.talk("101")
    session = shift.begin(call=call, supervisor=OF_SALES)
    shift.hears(session)
    shift.do(TransferCall(call, TargetKind.AGENT, "103"))
    shift.answer(call, "103")
    assert shift.session(session).reason == "right_lost"
    assert shift.asked(Supervise, session) == 1


def test_a_session_ends_when_the_agent_leaves_the_supervisors_queues() -> None:
    shift = Shift.of("101", queues=("sales", "support"))
    shift.talk("101")
    session = shift.begin(agent="101", supervisor=OF_SALES)
    shift.hears(session)
    shift.do(DefineAgent(AgentSpec(AgentId("101"), device=device("101"), queues=(QueueId("support"),))))
    assert shift.session(session).reason == "right_lost"


def test_a_token_that_is_valid_no_more_ends_its_sessions_and_no_others() -> None:
    shift = Shift.of("101")
    shift.talk("101")
    mine, other = shift.begin(agent="101", supervisor=OF_SALES), shift.begin(at=202, agent="101")
    shift.do(LimitSupervisor(OF_SALES.token, None))
    assert shift.session(mine).reason == "right_lost"
    assert shift.session(other).state is not State.ENDED


def test_agents_who_are_exempt_are_left_alone() -> None:
    shift = Shift.of("101", "102", supervision=SupervisionPolicy(exempt=(AgentId("102"),)))
    shift.talk("101")
    call = shift.talk("102")
    for target in ({"agent": "102"}, {"call": call}):
        with pytest.raises(Conflict) as refused:
            shift.begin(**target)
        assert refused.value.slug == "supervision_forbidden"


def test_who_is_not_ones_own_does_not_exist() -> None:
    shift = Shift.of("101", queues=("support",))
    with pytest.raises(NotFound):
        shift.begin(agent="101", supervisor=OF_SALES)


def test_nobody_is_heard_of_whom_it_is_not_written_down() -> None:
    shift = Shift.of("101")
    shift.talk("101")
    session = shift.begin(agent="101")
    shift.do(RequestFailed(shift.told(session), RequestFailure.NOT_RECORDED))
    assert shift.session(session).reason == "not_recorded"
    assert shift.asked(EndSupervision, session) == 1


# ---------------------------------------------------------------- conferences


def given_a_conference(shift: Shift, **target: str) -> tuple[CallId, SupervisionId]:
    call = shift.talk("101")
    session = shift.begin(Mode.CONFERENCE, **(target or {"call": call}))
    shift.hears(session)
    return call, session


def test_the_supervisor_talks_on_when_the_agent_leaves_and_the_books_say_so() -> None:
    shift = Shift.of("101")
    call, session = given_a_conference(shift)
    shift.do(t.AgentHungUp(call, shift.leg(call, "101"), device("101")))
    shift.do(t.AgentLegGone(call, shift.leg(call, "101"), device("101"), 16, hung_up=True, fault=False))
    assert shift.session(session).taken
    assert (shift.call(call).state, shift.call(call).agent) == (CallState.TALKING, None)
    assert shift.agent("101").state == "idle"
    assert [one.agent for one in shift.of_session(CallTakenOver)] == ["101"]
    shift.do(t.CallerFreed(call, shift.offer_of(call).offer))
    shift.do(SupervisorGone(session, 16, hung_up=True))
    assert HangUp(shift.floor.calls[call].leg) in shift.requests  # the supervisor has left: so does the caller


def test_taken_over_and_handed_back() -> None:
    shift = Shift.of("101")
    call, session = given_a_conference(shift)
    shift.do(TakeOver(session))
    assert HangUp(shift.leg(call, "101")) in shift.requests
    shift.do(t.AgentLegGone(call, shift.leg(call, "101"), device("101"), 16, hung_up=False, fault=False))
    with pytest.raises(Conflict) as refused:
        shift.do(ChangeMode(session, Mode.LISTEN))
    assert refused.value.slug == "taken_over"
    shift.do(HandBack(session))
    assert shift.asked(Quieten, session) == 1
    assert shift.rung(call) == ("101",)
    shift.answer_again(call, "101")
    assert (shift.told(session).mode, shift.session(session).mode) == (Mode.LISTEN, Mode.LISTEN)


def test_a_caller_whose_supervisor_must_leave_goes_back_to_the_line() -> None:
    shift = Shift.of("101")
    call = shift.talk("101")
    session = shift.begin(Mode.CONFERENCE, supervisor=OF_SALES, call=call)
    shift.hears(session)
    shift.do(t.AgentHungUp(call, shift.leg(call, "101"), device("101")))
    shift.do(LimitSupervisor(OF_SALES.token, None))
    assert shift.session(session).reason == "right_lost"
    assert shift.call(call).state in (CallState.WAITING, CallState.OFFERED)


@pytest.mark.parametrize("told_first", ["caller", "supervisor"])
@pytest.mark.parametrize("fault", [True, False])
def test_a_caller_whose_supervisor_is_lost_goes_back_to_the_line(told_first: str, *, fault: bool) -> None:
    """The PBX says the end of the supervisor's leg a millisecond before or after it says that the caller is free."""
    shift = Shift.of("101")
    call = shift.talk("101")
    session = shift.begin(Mode.CONFERENCE, supervisor=OF_SALES, agent="101")
    shift.hears(session)
    shift.do(t.AgentHungUp(call, shift.leg(call, "101"), device("101")))
    offer = shift.floor.calls[call].talks[-1].offer
    assert offer is not None
    facts = [t.CallerFreed(call, offer), SupervisorGone(session, 44 if fault else 16, hung_up=not fault, fault=fault)]
    for fact in facts if told_first == "caller" else reversed(facts):
        shift.do(fact)
    live = shift.call(call)
    hung_up = sum(isinstance(one, t.HangUp) and one.leg == live.leg for one in shift.requests)
    if fault:
        assert (live.state in (CallState.WAITING, CallState.OFFERED), len(live.visits), hung_up) == (True, 2, 0)
    else:
        assert (live.state, live.ended_by, hung_up) == (CallState.AFTER, "supervisor", 1)


def test_agent_and_supervisor_talk_on_when_the_caller_leaves() -> None:
    shift = Shift.of("101")
    call, session = given_a_conference(shift, agent="101")
    shift.do(t.CallGone(call, 16))
    assert shift.session(session).state is State.JOINED
    shift.do(SupervisorLoose(session, shift.leg(call, "101")))
    assert shift.session(session).state is State.QUIET


def test_nobody_is_taken_over_who_is_not_in_conference() -> None:
    shift = Shift.of("101")
    call = shift.talk("101")
    session = shift.begin(Mode.BARGE, call=call)
    shift.hears(session)
    for command in (TakeOver(session), HandBack(session)):
        with pytest.raises(Conflict):
            shift.do(command)


def test_when_the_supervisor_leaves_the_call_goes_on() -> None:
    shift = Shift.of("101")
    call = shift.talk("101")
    session = shift.begin(Mode.CONFERENCE, call=call)
    shift.hears(session)
    shift.do(SupervisorGone(session, 16, hung_up=True))
    assert shift.session(session).reason == "supervisor"
    assert shift.call(call).state is CallState.TALKING
    again = shift.begin(call=call)
    shift.do(StopSupervision(again))
    assert shift.asked(EndSupervision, again) == 1
    assert shift.call(call).state is CallState.TALKING


# ---------------------------------------------------------------- restarts


def restored(mode: Mode, *, found: bool = True) -> tuple[Shift, SupervisionId]:
    """A second run of the service, with a session and a call that it finds again."""
    before = Shift.of("101")
    call = before.talk("101")
    session = before.begin(mode, agent="101")
    before.hears(session)
    entered = next(message for message in before.said if isinstance(message, t.CallEntered))
    talking = t.SnapshotCall(
        entered, t.LegStage.TALKING, before.offer_of(call).offer, device("101"), before.leg(call, "101"), before.now
    )
    after = Shift.of("101")
    after.do(RestoreSupervision(session, ANYBODY, phone(201), mode, before.now, AgentId("101")))
    shown = SnapshotSupervisor(session, up=True, mode=mode, leg=before.leg(call, "101"))
    states = ((device("101"), DeviceState.BUSY), (phone(201), DeviceState.BUSY))
    after.do(t.PbxSnapshot(PBX, "boot-1", (talking,), states, supervisors=(shown,) if found else ()))
    return after, session


@pytest.mark.parametrize("mode", Mode)
def test_a_session_is_known_again_and_nothing_is_done_to_it(mode: Mode) -> None:
    shift, session = restored(mode)
    assert (shift.session(session).state, shift.session(session).mode) == (State.JOINED, mode)
    assert shift.asked(Supervise, session) == shift.asked(EndSupervision, session) == 0
    shift.do(ChangeMode(session, Mode.BARGE if mode is not Mode.BARGE else Mode.LISTEN))
    assert shift.asked(Supervise, session) == 1


def test_a_session_that_is_gone_has_ended_and_it_is_said() -> None:
    shift, session = restored(Mode.LISTEN, found=False)
    assert shift.session(session).reason == "unseen"
    assert len(shift.of_session(SupervisionEnded)) == 1


def test_a_supervisors_leg_that_is_no_sessions_is_ended() -> None:
    shift = Shift.of("101")
    stray = SupervisionId("pbx1-1.s9")
    shift.do(t.PbxSnapshot(PBX, "boot-1", (), (), supervisors=(SnapshotSupervisor(stray, up=True),)))
    assert shift.asked(EndSupervision, stray) == 1


# ---------------------------------------------------------------- help


def test_help_is_asked_for_in_a_call_and_settled_by_whoever_joins() -> None:
    shift = Shift.of("101")
    with pytest.raises(Conflict):
        shift.do(AskForHelp(AgentId("101")))
    call = shift.talk("101")
    shift.do(AskForHelp(AgentId("101")))
    shift.do(AskForHelp(AgentId("101")))
    assert [one.call for one in shift.supervision.help.values()] == [call]
    shift.begin(agent="101")
    assert not shift.supervision.help


def test_help_is_not_needed_any_more_when_the_call_is_over() -> None:
    shift = Shift.of("101")
    call = shift.talk("101")
    shift.do(AskForHelp(AgentId("101")))
    shift.agent_hangs_up(call, "101")
    assert not shift.supervision.help


def test_what_was_heard_ends_where_it_ends() -> None:
    shift = Shift.of("101")
    call = shift.talk("101")
    session = shift.begin(agent="101")
    shift.agent_hangs_up(call, "101")
    assert [type(one) for one in shift.of_session(SupervisionMoved, SupervisionPaused)] == [
        SupervisionMoved,
        SupervisionPaused,
    ]
    assert shift.session(session).state is State.QUIET


# ---------------------------------------------------------------- consent


def test_a_caller_who_has_not_consented_is_not_listened_to() -> None:
    """Not by a session of the call; one of the agent is silent for that call, and hears the next."""
    shift = Shift.of("101")
    call = shift.talk("101")
    shift.floor.calls[call].private = True
    with pytest.raises(Conflict) as refused:
        shift.begin(call=call)
    assert refused.value.slug == "no_consent"
    session = shift.begin(agent="101")
    assert shift.session(session).state is State.QUIET
    assert shift.asked(Supervise, session) == 0
    shift.do(t.CallGone(call, 16))
    following = shift.talk("101")
    assert shift.told(session).call == following
