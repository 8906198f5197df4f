"""What a waiting caller asks comes up with what he keyed in, and is answered only while he still waits for it."""

import pytest

from acd.ids import OfferId
from acd.telephony import Lead, LineVisit, OfferEnded, Place, ReturnToLine
from ami import actions, names
from ami import events as e
from ami.dialogue import answer
from ami.outputs import CallerAsked, Purpose
from ami.readings import LookFailure
from ami.translate import Refused, translate
from tests.unit.ami.wire import (
    CALL,
    CALLER,
    CALLER_CHANNEL,
    Desk,
    caller_reading,
    given_a_waiting_caller,
    offer_over,
    the_offer,
)

FIRST = f"{CALLER}.1"


def asks(ask: str = FIRST, kind: str = "callback") -> e.PhoneAsks:
    return e.PhoneAsks(CALLER_CHANNEL, CALLER, ask, kind)


def given_a_question(ask: str = FIRST, kind: str = "callback", keyed: str = "", code: str = "") -> Desk:
    desk = given_a_waiting_caller()
    said = (
        {names.ASK: ask, names.ASK_KIND: kind}
        | ({names.ASK_KEYED: keyed} if keyed else {})
        | ({names.ASK_CODE: code} if code else {})
    )
    desk.answers[Purpose.WHAT_A_CALLER_ASKS] = caller_reading(**said)
    return desk.hears(asks(ask, kind))


def answered(desk: Desk, ask: str = FIRST) -> list[tuple[tuple[str, str], ...]]:
    made = answer(desk.tracker.book, CALL, ask, "number", ("pause", "callback-number", "num-9"))
    return [actions.encode(action) for action in made or ()]


def test_a_question_is_told_once_with_what_was_keyed_in_and_hides_it() -> None:
    desk = given_a_question(kind="callback_number", keyed="09123456789").hears(asks(kind="callback_number"))
    assert desk.facts == [CallerAsked(CALL, FIRST, "callback_number", "09123456789")]
    assert "0912" not in repr(desk.facts[0])


def test_a_code_comes_with_the_question_and_is_hidden_too() -> None:
    desk = given_a_question(kind="callback_change", code="4712").hears(asks(kind="callback_change"))
    assert desk.facts == [CallerAsked(CALL, FIRST, "callback_change", "", "4712")]
    assert "4712" not in repr(desk.facts)


@pytest.mark.parametrize("keyed", ["0912*", "١٢٣٤٥٦٧٨", "1" * 41, "0912\r\nAction: Logoff"])
def test_what_is_no_digits_is_nothing(keyed: str) -> None:
    assert given_a_question(keyed=keyed).facts == [CallerAsked(CALL, FIRST, "callback", "")]


@pytest.mark.parametrize("ask", [CALLER, "pbx1-1.1.1", f"{CALLER}.x", f"{CALLER}."])
def test_a_question_that_the_callers_channel_could_not_have_put_is_nobodys(ask: str) -> None:
    assert given_a_question(ask).facts == []


def test_a_channel_that_says_otherwise_or_nothing_is_not_believed() -> None:
    desk = given_a_waiting_caller()
    desk.answers[Purpose.WHAT_A_CALLER_ASKS] = caller_reading(**{names.ASK: f"{CALLER}.2", names.ASK_KIND: "callback"})
    assert desk.hears(asks()).facts == []
    desk.answers[Purpose.WHAT_A_CALLER_ASKS] = LookFailure.NO_ANSWER
    assert desk.hears(asks(f"{CALLER}.3")).facts == []


def test_the_answer_moves_the_caller_and_says_the_prompts_once() -> None:
    desk = given_a_question()
    said, moved = answered(desk)
    assert dict(said)["Value"].startswith("nobat/pause&nobat/callback-number&nobat/num-9,")
    assert dict(moved) == {
        "Action": "Redirect",
        "Channel": CALLER_CHANNEL,
        "Context": "acd-callback-offer",
        "Exten": "number",
        "Priority": "1",
    }
    assert answered(desk) == []


def test_an_offer_is_not_held_up_by_a_question_and_the_answer_does_not_cut_it_off() -> None:
    desk = given_a_question()
    assert desk.asks(the_offer(101))
    assert answered(desk) == []
    desk.hears(offer_over())
    assert desk.facts[-1] == OfferEnded(CALL, OfferId("of1"))
    assert answered(desk) == [], "the dialogue is over: the caller is in the wait loop"


def test_whoever_is_led_placed_or_returned_hears_no_old_answer() -> None:
    visit = LineVisit("support", 1.0, 1.0, front=False)
    requests = (Lead(CALL, CALLER, "message", ()), Place(CALL, CALLER, visit, ()), ReturnToLine(CALL, CALLER))
    for request in requests:
        desk = given_a_question()
        assert not isinstance(translate(desk.tracker, request), Refused)
        assert answered(desk) == []


def test_an_older_question_is_not_answered_and_no_strange_prompt_is_played() -> None:
    desk = given_a_question()
    desk.answers[Purpose.WHAT_A_CALLER_ASKS] = caller_reading(**{names.ASK: f"{CALLER}.2", names.ASK_KIND: "callback"})
    desk.hears(asks(f"{CALLER}.2"))
    assert answered(desk) == []
    with pytest.raises(actions.ActionRefused):
        answer(desk.tracker.book, CALL, f"{CALLER}.2", "number", ("../../etc/passwd",))
    assert answered(desk, f"{CALLER}.2")
