"""Sessions while the agent asks a colleague: they stay with the agent, and who may not be heard is not."""

from dataclasses import replace

import pytest

from acd import telephony as t
from acd.commands import ChangeConsult, ConsultCall, DefineQueue
from acd.consult_port import ConsultAction, ConsultBegan, ConsultMoved, ConsultOver, ConsultStage
from acd.errors import Conflict
from acd.ids import AgentId, CallId, LegId, OfferId, QueueId, SupervisionId
from acd.queues import QueueSpec, SupervisionPolicy
from acd.supervision_events import SupervisionMoved
from acd.supervision_port import Mode, Quieten, Supervise, SupervisorLoose
from acd.talks import TargetKind
from tests.support.world import PBX, device
from tests.unit.whisper.shift import Shift
from whisper.commands import TakeOver
from whisper.sessions import State

ASKED = LegId(f"{PBX}-77.7")
SALES = QueueSpec(QueueId("sales"), "8000", wrap_up_s=0.0)


def asked(shift: Shift, call: CallId, other: str = "102") -> OfferId:
    """101, who has the caller, asks; not picked up yet."""
    shift.do(ConsultCall(call, TargetKind.AGENT, other))
    consult = shift.floor.calls[call].consult
    assert consult is not None
    return consult.id


def begun(shift: Shift, call: CallId, other: str = "102") -> OfferId:
    """And talks to the other one."""
    offer = asked(shift, call, other)
    shift.do(t.Held(call))
    shift.do(ConsultBegan(call, offer, device(other), ASKED))
    return offer


def sent(shift: Shift, session: SupervisionId) -> list[tuple[Mode, LegId]]:
    return [(one.mode, one.leg) for one in shift.requests if isinstance(one, Supervise) and one.session == session]


def test_who_breaks_in_speaks_to_whoever_is_there() -> None:
    shift = Shift.of("101", "102")
    call = shift.talk("101")
    leg = shift.leg(call, "101")
    session = shift.begin(Mode.BARGE, agent="101")
    shift.hears(session)
    offer = begun(shift, call)
    assert sent(shift, session)[-1] == (Mode.BARGE, leg)
    count = len(sent(shift, session))
    assert count == 3  # into the conversation, beside the ringing, and with the other one
    shift.hears(session)
    shift.do(ConsultMoved(call, offer, ConsultStage.SWAPPED))
    assert len(sent(shift, session)) == count + 1
    shift.do(ConsultMoved(call, offer, ConsultStage.MERGED))
    assert sent(shift, session)[-1] == (Mode.CONFERENCE, leg)
    assert len(shift.of_session(SupervisionMoved)) == 1  # it is one conversation in one mode, and written down once


def test_who_listens_is_not_disturbed() -> None:
    shift = Shift.of("101", "102")
    call = shift.talk("101")
    session = shift.begin(Mode.LISTEN, agent="101")
    begun(shift, call)
    assert len(sent(shift, session)) == 1


def test_a_conference_breaks_in_until_all_three_talk_and_is_one_again_afterwards() -> None:
    shift = Shift.of("101", "102")
    call = shift.talk("101")
    leg = shift.leg(call, "101")
    session = shift.begin(Mode.CONFERENCE, agent="101")
    shift.hears(session)
    offer = asked(shift, call)
    assert sent(shift, session)[-1] == (Mode.BARGE, leg)
    shift.do(SupervisorLoose(session, leg, Mode.CONFERENCE))  # both others have left the bridge for a moment
    assert shift.session(session).state is State.JOINING
    assert shift.asked(Quieten, session) == 0
    shift.hears(session)
    shift.do(ConsultBegan(call, offer, device("102"), ASKED))
    shift.hears(session)
    shift.do(ConsultOver(call, offer))
    assert sent(shift, session)[-1] == (Mode.CONFERENCE, leg)


def test_nobody_takes_over_a_caller_who_is_on_hold() -> None:
    shift = Shift.of("101", "102")
    call = shift.talk("101")
    session = shift.begin(Mode.CONFERENCE, agent="101")
    shift.hears(session)
    begun(shift, call)
    shift.hears(session)
    with pytest.raises(Conflict, match="conference"):
        shift.do(TakeOver(session))


def test_a_session_of_whoever_is_asked_is_with_him_too() -> None:
    shift = Shift.of("101", "102")
    call = shift.talk("101")
    session = shift.begin(agent="102")
    assert sent(shift, session) == []
    offer = begun(shift, call)
    assert sent(shift, session) == [(Mode.LISTEN, ASKED)]
    shift.hears(session)
    shift.do(ChangeConsult(call, ConsultAction.COMPLETE))
    shift.do(t.AgentLegGone(call, shift.leg(call, "101"), device("101"), 16, hung_up=False, fault=False))
    assert sent(shift, session) == [(Mode.LISTEN, ASKED)]  # the caller has come to him
    assert shift.session(session).state is State.JOINED
    assert offer != shift.floor.calls[call].talks[-1].offer


def test_a_colleague_who_is_not_supervised_is_not_heard_by_way_of_another() -> None:
    shift = Shift.of("101", "102")
    shift.do(DefineQueue(replace(SALES, supervision=SupervisionPolicy(exempt=(AgentId("102"),)))))
    call = shift.talk("101")
    session = shift.begin(agent="101")
    shift.hears(session)
    offer = begun(shift, call)
    assert shift.session(session).state is State.QUIET
    shift.do(ConsultMoved(call, offer, ConsultStage.SWAPPED))  # only the caller is there
    assert sent(shift, session)[-1] == (Mode.LISTEN, shift.leg(call, "101"))
    shift.hears(session)
    shift.do(ConsultMoved(call, offer, ConsultStage.MERGED))
    assert shift.session(session).state is State.QUIET
