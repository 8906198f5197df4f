"""Who rings in with the number of a callback has the place for his own call, and the callback only with its code."""

import pytest

from acd import callback_commands as c
from acd import telephony as t
from acd.callback_events import CallbackPromised
from acd.ids import CallbackId, CallId
from callback import codes, views
from tests.support.callbacks import CallbackWorld
from tests.unit.callback.test_agent_first import busy, world

SECRET = b"a secret"


def rung_into(one: CallbackWorld) -> tuple[CallbackId, CallId, CallId]:
    """A callback, somebody behind it, and a call with its number."""
    callback = one.take_callback(one.enter())
    behind = one.enter(number="09127777777")
    one.now += 5
    return callback, one.enter(number="+98912000"), behind


def again(callback: CallbackId) -> CallbackId:
    return c.again_of(callback)


def test_who_leaves_before_an_agent_is_there_has_ended_nobodys_callback() -> None:
    one = world("101")
    (talking,) = busy(one, "101")
    callback, call, behind = rung_into(one)
    one.hang_up(call)
    assert one.line() == [("callback", again(callback)), ("live", behind)]
    one.agent_hangs_up(talking, "101")
    one.wait(10)
    assert not one.dialled()  # he has just hung up, and another caller takes the agent
    one.answer(behind, "101")
    one.agent_hangs_up(behind, "101")
    one.wait(30)
    (dial,) = one.dialled()
    assert (dial.callback, dial.number) == (again(callback), "0912000")


def test_who_was_served_is_not_called() -> None:
    one = world("101")
    (talking,) = busy(one, "101")
    callback, call, behind = rung_into(one)
    one.agent_hangs_up(talking, "101")
    one.wait(10)
    one.answer(call, "101")
    one.hang_up(call)
    assert one.line() == [("live", behind)]
    assert one.state(callback) == "rang_again"
    assert not one.keeper.regained


def test_it_goes_on_as_often_as_somebody_rings_in_with_what_it_has_tried_and_expires_when_it_would_have() -> None:
    one = world("101", expires_s=3600.0)
    busy(one, "101")
    callback, call, _ = rung_into(one)
    first = one.keeper.ended[callback][0]
    one.hang_up(call)
    one.now += 60
    one.hang_up(one.enter(number="+98912000"))
    session = one.keeper.sessions[again(again(callback))]
    assert (session.since, session.expires_at) == (first.since, first.expires_at)
    assert c.first_of(session.id) == callback
    one.now = first.expires_at - 10
    call = one.enter(number="+98912000")
    one.now += 20
    one.hang_up(call)
    assert not one.keeper.sessions


def test_without_the_code_another_number_has_neither_the_place_nor_the_callback() -> None:
    one = world("101")
    busy(one, "101")
    callback, call, behind = rung_into(one)
    taken = one.take_callback(call, "0912999")
    assert one.line() == [("callback", again(callback)), ("live", behind), ("callback", taken)]


def test_with_the_code_another_number_has_the_place() -> None:
    one = world("101")
    busy(one, "101")
    callback, call, behind = rung_into(one)
    one.do(c.PromiseCallback(call, "0912999", proved=True))
    one.do(t.CallGone(call, 16))
    assert one.line() == [("callback", c.callback_of(call)), ("live", behind)]
    assert one.state(callback) == "rang_again"


def test_the_same_number_needs_no_code_for_it_is_that_number_that_is_called() -> None:
    one = world("101")
    busy(one, "101")
    _, call, behind = rung_into(one)
    taken = one.take_callback(call)
    assert one.line() == [("callback", taken), ("live", behind)]


def test_what_cannot_be_promised_again_leaves_the_first_one() -> None:
    one = world("101")
    busy(one, "101")
    callback, call, behind = rung_into(one)
    one.storage = False
    one.do(c.PromiseCallback(call, "0912000"))
    one.storage = True
    one.hang_up(call)
    assert one.line() == [("callback", again(callback)), ("live", behind)]


def test_a_cancelled_one_does_not_go_on() -> None:
    one = world("101")
    busy(one, "101")
    callback, call, behind = rung_into(one)
    assert views.of_caller(one.floor, one.floor.calls[call]) == (callback, True)
    one.do(c.CancelCallback(callback, "caller"))
    assert one.line() == [("live", call), ("live", behind)]
    one.hang_up(call)
    assert one.line() == [("live", behind)]


def test_one_that_goes_on_is_promised_on_disk_like_the_first() -> None:
    one = world("101")
    busy(one, "101")
    callback, call, behind = rung_into(one)
    one.slow = True
    one.hang_up(call)
    assert one.line() == [("live", behind)]
    assert [one.callback for one in one.events if isinstance(one, CallbackPromised)][-1] == again(callback)
    one.written()
    assert one.line() == [("callback", again(callback)), ("live", behind)]


def test_a_code_has_four_digits_and_goes_with_the_callback() -> None:
    first = CallbackId("pbx1-1700000000000.7.1700000001000.cb")
    made = {codes.code_of(SECRET, CallbackId(f"pbx1-{n}.cb")) for n in range(2_000)}
    assert all(len(one) == 4 and one.isdecimal() for one in made)
    assert len(made) > 1_500
    assert codes.code_of(SECRET, first) == codes.code_of(SECRET, again(again(first)))
    assert codes.code_of(SECRET, first) != codes.code_of(b"another", first)
    assert codes.is_right(SECRET, first, codes.code_of(SECRET, first))
    assert not codes.is_right(SECRET, first, "")


@pytest.mark.parametrize("wrong", [0, 1, 2, 3])
def test_after_three_wrong_codes_a_day_none_is_looked_at(wrong: int) -> None:
    tries = codes.WrongCodes()
    for n in range(wrong):
        tries.note("+989120000000", 1000.0 + n)
    assert tries.locked("+989120000000", 2000.0) is (wrong == 3)
    assert not tries.locked("+989121111111", 2000.0)
    assert not tries.locked("+989120000000", 2000.0 + codes.DAY_S)


def test_that_it_goes_on_is_written_as_soon_as_it_can_be() -> None:
    one = world("101")
    busy(one, "101")
    callback, call, behind = rung_into(one)
    one.storage = False
    one.hang_up(call)
    one.wait(60)
    assert one.line() == [("live", behind)]
    one.storage = True
    one.wait(6)
    assert one.line() == [("callback", again(callback)), ("live", behind)]


def test_what_could_not_be_written_until_it_expires_is_over_and_says_so() -> None:
    one = world("101", expires_s=60.0)
    busy(one, "101")
    _, call, behind = rung_into(one)
    one.storage = False
    one.hang_up(call)
    one.wait(120)
    assert one.ends() == ["rang_again", "not_kept"]
    assert one.line() == [("live", behind)]
