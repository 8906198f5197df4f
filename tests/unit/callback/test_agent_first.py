"""A callback is the caller's own entry in the line: the same place, an agent first, and the customer once."""

import pytest

from acd import callback_commands as c
from acd import telephony as t
from acd.callback_policy import AttemptResult, CallbackPolicy, Retries, Retry
from acd.callback_port import DialCustomer, StopAttempt
from acd.commands import RemoveQueue, SignOut, TakeBreak
from acd.errors import AcdError
from acd.events import VisitDecided
from acd.ids import AgentId, CallbackId, PbxId
from acd.outcomes import Outcome
from tests.support.callbacks import CALLS_BACK, CallbackWorld
from tests.support.world import SALES


def world(*agents: str, **policy: object) -> CallbackWorld:
    return CallbackWorld.with_agents(*agents, callbacks=CallbackPolicy(enabled=True, **policy))  # type: ignore[arg-type]


def busy(one: CallbackWorld, *agents: str) -> list[str]:
    """Every agent talks to somebody."""
    calls = []
    for number, agent in enumerate(agents):
        call = one.enter(number=f"09350{number}")
        one.answer(call, agent)
        calls.append(call)
    return calls


def test_the_place_is_kept_among_callers_and_callbacks() -> None:
    one = world("101")
    busy(one, "101")
    first, second, third = (one.enter(number=f"0912{n}000") for n in range(3))
    callback = one.take_callback(second, "09121000")
    assert one.line() == [("live", first), ("callback", callback), ("live", third)]
    assert one.state(callback) == "waiting"


def test_the_visit_is_deferred_and_counted_once() -> None:
    one = world("101")
    busy(one, "101")
    caller = one.enter()
    one.take_callback(caller)
    decided = [event.outcome for event in one.events if isinstance(event, VisitDecided) and event.call == caller]
    assert decided == [Outcome.DEFERRED]


def test_an_agent_is_reserved_sees_whom_and_the_customer_is_dialled_then_offered() -> None:
    one = world("101")
    (talking,) = busy(one, "101")
    callback = one.take_callback(one.enter())
    one.agent_hangs_up(talking, "101")
    one.wait(10)
    (dial,) = one.dialled()
    assert (dial.number, dial.dial) == ("0912000", "PJSIP/0912000@trunk")
    agent = one.agent("101")
    assert agent.state == "ringing"
    assert agent.current is not None
    assert (agent.current.number, agent.current.callback) == ("0912000", callback)
    customer = one.presses_one()
    assert one.rung(customer) == ("101",)
    one.answer(customer, "101")
    assert one.state(callback) == "reached"
    assert one.call(customer).outcome == Outcome.ANSWERED
    assert not [event for event in one.events if isinstance(event, VisitDecided) and event.call == customer]


def test_nothing_is_dialled_before_the_intent_is_on_disk() -> None:
    one = world("101")
    one.slow = True
    (talking,) = busy(one, "101")
    caller = one.enter()
    one.do(c.PromiseCallback(caller, "0912000"))
    assert one.call(caller).state == "waiting"
    one.written()
    assert one.call(caller).state == "after"
    one.agent_hangs_up(talking, "101")
    one.wait(10)
    assert not one.dialled()
    one.written()
    assert len(one.dialled()) == 1


def test_what_cannot_be_made_durable_is_not_promised() -> None:
    one = world("101")
    busy(one, "101")
    caller = one.enter()
    one.storage = False
    one.do(c.PromiseCallback(caller, "0912000"))
    assert one.call(caller).state == "waiting"
    assert one.ends() == ["not_kept"]
    assert one.line() == [("live", caller)]


def test_an_intent_that_cannot_be_written_frees_the_agent_and_is_tried_again() -> None:
    one = world("101")
    (talking,) = busy(one, "101")
    callback = one.take_callback(one.enter())
    one.storage = False
    one.agent_hangs_up(talking, "101")
    one.wait(10)
    assert not one.dialled()
    assert one.agent("101").state == "idle"
    one.storage = True
    one.wait(6)
    assert [dial.callback for dial in one.dialled()] == [callback]


@pytest.mark.parametrize("result", ["busy", "no_answer", "unreachable", "rejected", "voicemail", "hung_up", "failed"])
def test_who_is_not_reached_keeps_the_place_until_the_attempts_are_used_up(result: str) -> None:
    one = world("101", retries=Retries(**{result: Retry(2, 60)}))
    (talking,) = busy(one, "101")
    callback = one.take_callback(one.enter())
    one.agent_hangs_up(talking, "101")
    one.wait(10)
    one.not_reached(AttemptResult(result))
    assert one.agent("101").state == "idle"
    assert one.line() == [("callback", callback)]
    one.wait(59)
    assert len(one.dialled()) == 1
    one.wait(2)
    assert len({dial.attempt for dial in one.dialled()}) == 2
    one.not_reached(AttemptResult(result))
    assert one.state(callback) == "gave_up"
    assert one.line() == []


def test_while_one_is_not_reached_others_are_served() -> None:
    one = world("101")
    (talking,) = busy(one, "101")
    one.take_callback(one.enter())
    one.agent_hangs_up(talking, "101")
    one.wait(10)
    later = one.enter(number="09127777777")
    one.not_reached(AttemptResult.BUSY)
    assert one.rung(later) == ("101",)


def test_who_rings_again_has_his_place_and_is_not_called() -> None:
    one = world("101")
    (talking,) = busy(one, "101")
    callback = one.take_callback(one.enter())
    behind = one.enter(number="09127777777")
    one.now += 5
    again = one.enter(number="+98912000")
    assert one.line() == [("live", again), ("live", behind)]
    assert one.state(callback) == "rang_again"
    one.agent_hangs_up(talking, "101")
    one.wait(10)
    assert not one.dialled()
    assert one.rung(again) == ("101",)


def test_whoever_was_promised_one_in_vain_may_be_promised_another() -> None:
    one = world("101")
    busy(one, "101")
    caller = one.enter()
    one.storage = False
    one.do(c.PromiseCallback(caller, "0912000", id=c.callback_of(caller, one.now)))
    one.storage, one.now = True, one.now + 1
    second = c.callback_of(caller, one.now)
    one.do(c.PromiseCallback(caller, "0912000", id=second))
    one.do(t.CallGone(caller, 16))
    assert (one.ends(), one.line()) == (["not_kept"], [("callback", second)])


def test_who_rings_while_he_is_dialled_gets_the_agent_and_the_dialling_stops() -> None:
    one = world("101")
    (talking,) = busy(one, "101")
    one.take_callback(one.enter())
    one.agent_hangs_up(talking, "101")
    one.wait(10)
    again = one.enter()
    assert [request.attempt for request in one.requests if isinstance(request, StopAttempt)] == [one.attempt()]
    assert one.rung(again) == ("101",)
    assert one.results() == [AttemptResult.CANCELLED]


@pytest.mark.parametrize("leaving", [SignOut(AgentId("101")), TakeBreak(AgentId("101"))])
def test_no_agent_is_left_when_the_customer_is_on(leaving: SignOut | TakeBreak) -> None:
    one = world("101", "102")
    talking = busy(one, "101", "102")
    one.take_callback(one.enter())
    one.agent_hangs_up(talking[0], "101")  # type: ignore[arg-type]
    one.wait(10)
    waits = one.enter(number="09127777777", priority=3)
    one.do(leaving)
    customer = one.presses_one()
    assert [request.prompts for request in one.requests if isinstance(request, t.Announce)] == [("callback-wait",)]
    assert one.line() == [("live", customer), ("live", waits)]
    one.agent_hangs_up(talking[1], "102")  # type: ignore[arg-type]
    one.wait(10)
    assert one.rung(customer) == ("102",)


def test_a_cancelled_callback_leaves_the_line_and_its_dialling_stops() -> None:
    one = world("101")
    (talking,) = busy(one, "101")
    callback = one.take_callback(one.enter())
    one.agent_hangs_up(talking, "101")
    one.wait(10)
    one.do(c.CancelCallback(callback, "supervisor"))
    assert one.state(callback) == "cancelled"
    assert one.agent("101").state == "idle"
    assert [type(request).__name__ for request in one.requests].count("StopAttempt") == 1


def test_one_callback_a_number_and_queue() -> None:
    one = world("101")
    busy(one, "101")
    one.take_callback(one.enter())
    other = one.enter(number="09127777777")
    with pytest.raises(AcdError) as refused:
        one.do(c.PromiseCallback(other, "0098912000"))
    assert refused.value.slug == "callback_pending"


@pytest.mark.parametrize("number", ["", "12", "abc", "+", "0912 000", "0912;rm", "1" * 16, "۰۹۱۲۰۰۰"])
def test_what_is_no_number_is_refused(number: str) -> None:
    one = world("101")
    busy(one, "101")
    with pytest.raises(AcdError) as refused:
        one.do(c.PromiseCallback(one.enter(), number))
    assert refused.value.slug == "invalid_number"


def test_a_callback_expires_with_a_reason() -> None:
    one = world("101", expires_s=100)
    busy(one, "101")
    callback = one.take_callback(one.enter())
    one.wait(101)
    assert one.state(callback) == "expired"
    assert one.line() == []


def test_priority_and_ageing_go_on() -> None:
    one = world(
        "101",
    )
    busy(one, "101")
    callback = one.take_callback(one.enter())
    one.now += 200
    urgent = one.enter(number="09127777777", priority=1)
    one.now += 200
    later = one.enter(number="09128888888", priority=1)
    assert [call for _, call in one.line()] == [urgent, callback, later]


def test_a_queue_without_callbacks_promises_none() -> None:
    one = CallbackWorld.with_agents("101")
    busy(one, "101")
    with pytest.raises(AcdError) as refused:
        one.do(c.PromiseCallback(one.enter(), "0912000"))
    assert refused.value.slug == "no_callbacks"
    assert CALLS_BACK.enabled


def test_a_customer_who_leaves_before_an_agent_is_there_has_hung_up() -> None:
    one = world("101")
    (talking,) = busy(one, "101")
    callback = one.take_callback(one.enter())
    one.agent_hangs_up(talking, "101")
    one.wait(10)
    customer = one.presses_one()
    one.hang_up(customer)
    assert one.state(callback) == "hung_up"
    assert one.agent("101").state == "idle"


def test_a_scheduled_callback_waits_for_its_window() -> None:
    one = world("101")
    one.do(
        c.ScheduleCallback(
            c.callback_of(one.entry().call),
            one.entry().call.rpartition("-")[0],
            one.floor.queues and "sales",
            "09121111111",  # type: ignore[arg-type]
            one.now + 3600,
            one.now + 7200,
        )
    )
    one.wait(3599)
    assert not one.dialled()
    one.wait(2)
    assert isinstance(one.dialled()[0], DialCustomer)


def test_a_queue_with_a_callback_for_later_stays() -> None:
    one = world("101")
    pbx = one.entry().call.rpartition("-")[0]
    callback = CallbackId(f"{pbx}-1.1.cs")
    window = (one.now + 3600, one.now + 7200)
    one.do(c.ScheduleCallback(callback, PbxId(pbx), SALES, "09121111111", *window))
    with pytest.raises(AcdError, match="has callers"):
        one.do(RemoveQueue(SALES))
    one.do(c.CancelCallback(callback))
    one.do(RemoveQueue(SALES))
