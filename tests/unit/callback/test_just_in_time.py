"""Just in time: who is dialled when, who is passed, and the order of fifty callers by either way."""

from random import Random

import pytest

from acd.callback_policy import AttemptResult, CallbackMode, CallbackPolicy
from acd.calls import CallState
from acd.ids import AgentId, CallId
from acd.telephony import Announce, Offer
from callback import just_in_time
from tests.support.callbacks import CallbackWorld
from tests.support.world import SALES

AGENTS = ("101", "102", "103", "104", "105")


def world(*agents: str, mode: CallbackMode = CallbackMode.JUST_IN_TIME) -> CallbackWorld:
    return CallbackWorld.with_agents(*agents, callbacks=CallbackPolicy(enabled=True, mode=mode), wrap_up_s=0.0)


def busy(one: CallbackWorld, *agents: str, usual_s: float = 100.0) -> list[CallId]:
    """Every agent talks; conversations of this queue have taken ``usual_s``, give or take a tenth."""
    for n in range(60):
        one.floor.queues[SALES].waits.services.add(usual_s * (0.9 + 0.2 * n / 60))
    calls = []
    for number, agent in enumerate(agents):
        call = one.enter(number=f"09350{number}")
        one.answer(call, agent)
        calls.append(call)
    return calls


def test_nobody_is_dialled_while_every_talk_has_just_begun() -> None:
    one = world("101", "102")
    busy(one, "101", "102")
    one.take_callback(one.enter())
    one.wait(30)
    assert not one.dialled()


def test_a_customer_is_dialled_when_an_agent_is_about_to_be_free() -> None:
    one = world("101", "102")
    busy(one, "101", "102")
    one.take_callback(one.enter())
    one.wait(100)
    assert len(one.dialled()) == 1
    assert one.agent("101").state == "talking"  # nobody is reserved


def test_no_more_are_dialled_than_agents_will_be_free() -> None:
    one = world("101", "102")
    busy(one, "101", "102")
    for n in range(6):
        one.take_callback(one.enter(number=f"0912{n}000"), f"0912{n}000")
    one.wait(104)
    assert 1 <= len(one.dialled()) <= 2


def test_one_may_pass_and_the_next_agent_is_his() -> None:
    one = world("101", "102")
    (first, second) = busy(one, "101", "102")
    callback = one.take_callback(one.enter())
    later = [one.enter(number=f"0913{n}000") for n in range(3)]
    one.wait(100)
    assert len(one.dialled()) == 1
    one.agent_hangs_up(first, "101")
    assert one.rung(later[0]) == ("101",)
    one.agent_hangs_up(second, "102")
    one.wait(0.1)
    current = one.agent("102").current
    assert current is not None
    assert current.callback == callback
    customer = one.presses_one()
    assert one.rung(customer) == ("102",)


def test_who_comes_on_and_finds_no_agent_stands_at_his_place() -> None:
    one = world("101")
    busy(one, "101")
    one.take_callback(one.enter())
    behind = one.enter(number="09130000")
    one.wait(100)
    customer = one.presses_one()
    assert one.line() == [("live", customer), ("live", behind)]


def test_an_idle_agent_and_nobody_else_in_line_means_now() -> None:
    one = world("101")
    (talking,) = busy(one, "101")
    one.take_callback(one.enter())
    one.agent_hangs_up(talking, "101")
    one.wait(1.1)
    assert len(one.dialled()) == 1
    assert one.agent("101").state == "idle"


def test_the_chance_of_enough_free_agents() -> None:
    assert just_in_time._at_least(1, [0.5, 0.5]) == pytest.approx(0.75)
    assert just_in_time._at_least(2, [0.5, 0.5]) == pytest.approx(0.25)
    assert just_in_time._at_least(3, [0.9, 0.8, 0.7]) == pytest.approx(0.504)
    assert just_in_time._at_least(1, []) == 0.0


@pytest.mark.parametrize("mode", CallbackMode)
@pytest.mark.parametrize("seed", range(5))
def test_fifty_callers_of_whom_half_are_called_back_are_tried_in_the_order_in_which_they_came(
    mode: CallbackMode, seed: int
) -> None:
    dice = Random(seed)
    one = world(*AGENTS, mode=mode)
    talking = dict(zip(AGENTS, busy(one, *AGENTS, usual_s=20.0), strict=True))
    seen = len(one.requests)
    entered: list[str] = []
    tried: list[str] = []
    served: list[str] = []  # an agent is theirs
    for n in range(50):
        one.now += dice.uniform(0.05, 0.4)
        number = f"09120{n:03}"
        entered.append(number)
        call = one.enter(number=number)
        if dice.random() < 0.5:
            one.take_callback(call, number)
    ends = {agent: one.now + dice.uniform(1, 20) for agent in AGENTS}
    on: dict[str, float] = {}

    def look() -> None:
        """Note who was tried: a phone of his, or of an agent for him."""
        nonlocal seen
        for request in one.requests[seen:]:
            if isinstance(request, Offer):
                number = one.call(request.call).number or ""
                talking[one.call(request.call).offered_to[0]] = request.call
            elif type(request).__name__ == "DialCustomer":
                number = request.number  # type: ignore[union-attr]
                on[request.attempt] = one.now + dice.uniform(3, 9)  # type: ignore[union-attr]
            else:
                continue
            if number not in tried:
                tried.append(number)
            if isinstance(request, Offer) and number not in served:
                served.append(number)
        seen = len(one.requests)
        for entry in one.floor.calls.values():
            if entry.away and entry.state is CallState.OFFERED and entry.number not in served:
                served.append(entry.number or "")

    for _ in range(20_000):
        one.wait(0.1)
        look()
        for attempt in [attempt for attempt, at in on.items() if at <= one.now]:
            del on[attempt]
            one.presses_one(attempt)  # type: ignore[arg-type]
            look()
        for agent in AGENTS:
            call = talking.get(agent)
            if call is None:
                continue
            if one.call(call).state == "offered":
                one.answer(call, agent)
                ends[agent] = one.now + dice.uniform(15, 25)
            elif ends[agent] <= one.now:
                del talking[agent]
                one.agent_hangs_up(call, agent)
                look()
        if len(tried) == 50 and not talking and not on:
            break
    assert sorted(tried) == sorted(entered)
    passed_by = [
        sum(other > number for other in served[: served.index(number)]) for number in entered
    ]  # numbers count up as callers come
    if mode is CallbackMode.AGENT_FIRST:
        assert tried == entered == served
    assert max(passed_by) <= 1
    assert AgentId("101") in one.floor.agents
    assert AttemptResult.CONNECTED in one.results()


def told(one: CallbackWorld, customer: CallId) -> list[str]:
    said = [request for request in one.requests if isinstance(request, Announce) and request.call == customer]
    return [prompt for request in said for prompt in request.prompts]


def test_who_comes_on_when_nobody_is_free_is_next_and_hears_why() -> None:
    one = world("101", "102")
    (talking, _) = busy(one, "101", "102")
    one.take_callback(one.enter())
    behind = one.enter(number="09127777777")
    one.wait(100)
    customer = one.presses_one()
    assert told(one, customer) == ["callback-wait"]
    assert one.line() == [("live", customer), ("live", behind)]
    one.agent_hangs_up(talking, "101")
    one.wait(10)
    assert one.rung(customer) == ("101",)


def test_who_comes_on_behind_somebody_is_not_told_that_he_is_next() -> None:
    one = world("101", "102", "103")
    busy(one, "101", "102", "103")
    before = one.enter(number="09127777777")
    one.take_callback(one.enter())
    one.wait(104)
    customer = one.presses_one()
    assert (one.line(), told(one, customer)) == ([("live", before), ("live", customer)], [])


def test_who_is_passed_while_the_intent_is_written_down_has_the_next_agent() -> None:
    one = world("101", "102")
    (first, second) = busy(one, "101", "102")
    callback = one.take_callback(one.enter())
    later = [one.enter(number=f"0913{n}000") for n in range(3)]
    one.slow = True
    one.wait(100)
    assert (one.state(callback), one.dialled()) == ("planned", [])
    one.agent_hangs_up(first, "101")
    assert one.rung(later[0]) == ("101",)
    one.agent_hangs_up(second, "102")
    one.wait(0.1)
    current = one.agent("102").current
    assert current is not None
    assert current.callback == callback
    one.written()
    customer = one.presses_one()
    assert one.rung(customer) == ("102",)


def test_an_intent_that_cannot_be_written_gives_the_agent_back() -> None:
    one = world("101", "102")
    (first, second) = busy(one, "101", "102")
    one.take_callback(one.enter())
    later = [one.enter(number=f"0913{n}000") for n in range(2)]
    one.slow = True
    one.wait(100)
    one.agent_hangs_up(first, "101")
    one.agent_hangs_up(second, "102")
    one.wait(0.1)
    one.storage = False
    one.written()
    assert one.rung(later[1]) == ("102",)


def test_two_agents_who_are_free_in_one_moment_do_not_both_pass() -> None:
    one = world("101", "102")
    (first, second) = busy(one, "101", "102")
    callback = one.take_callback(one.enter())
    later = [one.enter(number=f"0913{n}000") for n in range(4)]
    one.floor.offering = False
    one.agent_hangs_up(first, "101")
    one.agent_hangs_up(second, "102")
    one.wait(0.1)
    one.floor.offering = True
    for agent in ("101", "102"):
        one.floor.fresh_agents[AgentId(agent)] = None
    one.wait(1.0)
    currents = [one.agent(agent).current for agent in ("101", "102")]
    assert {one.rung(later[0]), one.rung(later[1])} == {("101",), ()}
    assert [current.callback for current in currents if current is not None and current.callback] == [callback]
    assert one.rung(later[2]) == ()
