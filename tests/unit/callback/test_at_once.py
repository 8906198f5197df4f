"""No more customers are dialled at once than the queue and the site allow; the others keep their places, and it is told why."""

import pytest

from acd import callback_commands as c
from acd.callback_policy import AttemptResult, CallbackMode, HarmPolicy
from acd.explain import why_idle
from acd.ids import AgentId, CallbackId
from callback import views
from tests.support.callbacks import CallbackWorld
from tests.unit.callback.test_agent_first import busy, world

AGENTS = ("101", "102", "103")


def free_at_once(one: CallbackWorld, callbacks: int = 3) -> list[CallbackId]:
    """Three agents are free for three callbacks in one moment."""
    talking = busy(one, *AGENTS)
    made = [one.take_callback(one.enter(number=f"0912{n}000"), f"0912{n}000") for n in range(callbacks)]
    for call, agent in zip(talking, AGENTS, strict=True):
        one.agent_hangs_up(call, agent)  # type: ignore[arg-type]
    one.wait(10)
    return made


def dialled(one: CallbackWorld) -> list[CallbackId]:
    return [dial.callback for dial in one.dialled()]


def why(one: CallbackWorld, callback: CallbackId) -> str | None:
    found = views.live(one.floor, callback, one.now)
    assert found is not None
    return found.held_up


@pytest.mark.parametrize("cap", ["queue", "site"])
def test_so_many_at_once_and_the_next_when_one_is_over(cap: str) -> None:
    one = world(*AGENTS, harm=HarmPolicy(most_dialled=2 if cap == "queue" else 0))
    one.keeper.most_dialled = 2 if cap == "site" else 0
    first, second, third = free_at_once(one)
    assert dialled(one) == [first, second]
    assert [why(one, callback) for callback in (second, third)] == [None, "as_many_dialled_as_allowed"]
    assert one.line()[-1] == ("callback", third)
    one.wait(5)
    assert dialled(one) == [first, second]
    one.not_reached(AttemptResult.BUSY, one.dialled()[0].attempt)
    one.wait(1)
    assert dialled(one) == [first, second, third]
    assert why(one, first) == "gap_after_the_last_attempt"
    customer = one.presses_one(one.dialled()[1].attempt)
    assert one.rung(customer)


def test_a_caller_is_not_held_up_by_it() -> None:
    one = world(*AGENTS, harm=HarmPolicy(most_dialled=1))
    free_at_once(one, 2)
    later = one.enter(number="09127777777")
    assert one.rung(later) == ("102",)


def test_without_a_cap_all_are_dialled() -> None:
    one = world(*AGENTS, harm=HarmPolicy(most_dialled=0))
    made = free_at_once(one)
    assert dialled(one) == made


def test_one_that_is_cancelled_makes_room() -> None:
    one = world(*AGENTS, harm=HarmPolicy(most_dialled=1))
    first, second, _ = free_at_once(one)
    one.do(c.CancelCallback(first, "supervisor"))
    one.wait(1)
    assert dialled(one) == [first, second]


def test_just_in_time_keeps_it_as_well() -> None:
    one = world(*AGENTS, mode=CallbackMode.JUST_IN_TIME, harm=HarmPolicy(most_dialled=1))
    first, second, _ = free_at_once(one)
    assert dialled(one) == [first]
    one.presses_one()
    one.wait(2)
    assert dialled(one) == [first, second]


def test_why_an_agent_is_idle_tells_of_callbacks_too() -> None:
    one = world(*AGENTS, harm=HarmPolicy(most_dialled=1))
    _, second, third = free_at_once(one)
    (line,) = why_idle(one.floor, AgentId("103"), one.now).lines
    assert [(bar.call, bar.held_up_by) for bar in line.first] == [
        (second, "as_many_dialled_as_allowed"),
        (third, "as_many_dialled_as_allowed"),
    ]
