"""The dialplan and ``ami.names`` are two halves of one program: what one says, the other knows."""

import re
from pathlib import Path

from acd.ids import accepting
from acd.speech.prompts import every_prompt
from ami import names

ROOT = Path(__file__).parents[2]
DIALPLAN = {path.name: path.read_text() for path in sorted((ROOT / "dialplan").glob("*.conf"))}
LINES = [
    line.partition(";")[0] for text in DIALPLAN.values() for line in text.splitlines() if line.partition(";")[0].strip()
]
CODE = "\n".join(LINES)
# The dialplan's own: no service reads or writes them.
PRIVATE = {
    "ACD_SAY",
    "ACD_SAID",
    "ACD_TO",
    "ACD_SAYING",
    "ACD_SPOKEN",
    "ACD_TURN",
    "ACD_KEY",
    "ACD_QUESTION",
    "ACD_CONSENT_PROMPT",
    "ACD_TRIES",
    "ACD_JOIN",
    "ACD_REST",
    "ACD_MISSED",
    "ACD_FILE",
    "ACD_OVER",
    "ACD_RESULT",
    "ACD_ON_HOLD",
    "ACD_BEAT_HEARD",
    "ACD_MIX",
    "ACD_JOINS",
    "ACD_JOINED",
    "ACD_SPY_HOW",
    "ACD_SPY_WAS",
    "ACD_ASKS",
    "ACD_ALONE",
    "ACD_CAME",
    "ACD_ENDED",
    "ACD_LEFT",
    "ACD_MEMBER",
    "ACD_MET",
    "ACD_FOR_ATTEMPT",
    "ACD_FOR_LEG",
}  # the dialplan's own; no service reads or writes them


def test_every_context_of_the_contract_is_there() -> None:
    there = set(re.findall(r"^\[([a-z-]+)\]", CODE, re.MULTILINE))
    assert set(names.CONTEXTS) <= there


def test_phones_that_accept_by_a_key_are_rung_through_the_context_that_asks_for_it() -> None:
    dial_string = accepting("PJSIP/09121234567@trunk")
    assert dial_string == f"Local/09121234567:trunk@{names.MOBILE}"
    assert f"[{names.MOBILE}]" in CODE


def test_every_context_a_caller_can_be_moved_into_leads_back_to_the_line() -> None:
    for context in (
        names.WAIT,
        names.OFFER,
        names.AFTER,
        names.RETURN,
        names.TRANSFER,
        names.LEAD,
        names.CALLBACK_OFFER,
        names.HOLD,
    ):
        body = CODE.partition(f"[{context}]")[2].partition("\n[")[0]
        assert re.search(r"^exten => i,1,Goto\((acd-wait,)?s,", body, re.MULTILINE), context


def test_the_user_events_are_the_same_on_both_sides() -> None:
    raised = set(re.findall(r"UserEvent\((Acd\w+)", CODE))
    assert raised == set(names.USER_EVENTS)


def test_every_variable_is_known_on_both_sides() -> None:
    known = {value for name, value in vars(names).items() if name.isupper() and isinstance(value, str)}
    used = set(re.findall(r"\b_*(ACD_[A-Z_]+)", CODE))
    strange = {name for name in used - known - PRIVATE if not any(name.startswith(k) for k in known if k.endswith("_"))}
    assert strange == set()


def test_nothing_of_the_caller_goes_into_a_user_event() -> None:
    """A comma or a parenthesis in a name rewrites the headers of a UserEvent, even encoded."""
    for body in re.findall(r"UserEvent\((.*)\)", CODE):
        assert not re.search(r"CALLERID|EXTEN|CHANNEL\(|ACD_AGENT|ACD_PIN|ACD_REASON|ACD_QUEUE", body), body


def test_the_callers_identity_is_cleaned_before_anything_else() -> None:
    entry = CODE.partition("[acd-enter]")[2].partition("\n[")[0].strip().splitlines()
    assert "CALLERID(num)=${FILTER(" in entry[0]
    assert "CALLERID(name)=${FILTER(" in entry[1]


def test_every_prompt_that_the_dialplan_plays_exists() -> None:
    played = re.findall(r"nobat/([a-z0-9-]+)", CODE)
    assert played
    families = {name for name in played if name.endswith("-")}  # num-${…}: the rest is a number
    assert set(played) - families <= every_prompt()
    assert all(any(prompt.startswith(one) for prompt in every_prompt()) for one in families)


def test_only_offers_what_they_dial_through_and_allowed_numbers_are_dialled() -> None:
    for name, text in DIALPLAN.items():
        dials = any("Dial(" in line.partition(";")[0] for line in text.splitlines())
        assert dials == (name in ("offer.conf", "mobile.conf", "lead.conf", "callback.conf", "consult.conf")), name
