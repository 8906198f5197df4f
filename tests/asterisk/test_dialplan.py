"""The dialplan without a service: waiting, offers that fail, phone codes, numbers; what the account may and may not do."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from ami import names
from tests.support.ami_client import AmiClient, AmiError, Message
from tests.support.hands import Hands
from tests.support.pbx import TestPbx
from tests.support.phonebank import PhoneBank
from tests.support.until import until


@pytest_asyncio.fixture(loop_scope="session")
async def hands(pbx: TestPbx) -> AsyncIterator[Hands]:
    opened = await Hands.on(pbx)
    yield opened
    await opened.close()


async def _where(hands: Hands, caller: Message) -> tuple[str, str]:
    status = (await hands.ami.list("Status", Channel=caller["Channel"]))[0]
    return status["Context"], status["Application"]


# ---------------------------------------------------------------- waiting


async def test_a_caller_is_named_when_it_enters(bank: PhoneBank, hands: Hands) -> None:
    await bank.call("8000", caller="0912345", name="Ali")
    entered = await hands.event("AcdEnter")
    found = await hands.variables(
        entered["Channel"], names.CALL, names.QUEUE, names.ENTERED, names.PRIORITY, names.STATE
    )
    serial = entered["Uniqueid"].rpartition(".")[2]
    assert found[names.CALL] == entered["Call"] == f"pbx1-{found[names.ENTERED]}.{serial}"
    assert (found[names.QUEUE], found[names.PRIORITY], found[names.STATE]) == ("8000", "0", "waiting")
    assert (entered["CallerIDNum"], entered["CallerIDName"]) == ("0912345", "Ali")
    assert abs(int(found[names.ENTERED]) / 1000 - float(entered["Timestamp"])) < 1


async def test_a_waiting_caller_hears_music(bank: PhoneBank, hands: Hands) -> None:
    customer = await bank.call("8000", record=True, patience_s=3)
    await bank.until(lambda: customer.is_over, "the caller has left")
    assert await bank.loudness(customer.customer) > 50


async def test_digits_of_a_waiting_caller_change_nothing(bank: PhoneBank, hands: Hands) -> None:
    customer = await bank.call("8000", tone=0)
    entered = await hands.event("AcdEnter")
    await bank.send_digits(customer.customer, "5*#")
    assert await _where(hands, entered) == ("acd-wait", "WaitExten")


async def test_a_caller_moved_to_nowhere_waits_again(bank: PhoneBank, hands: Hands) -> None:
    await bank.call("8000")
    entered = await hands.event("AcdEnter")
    for context in (names.WAIT, names.OFFER, names.AFTER):
        await hands.move(entered["Channel"], context, "no-such-extension")
        await until(lambda: _is_waiting(hands, entered), f"back from {context}")


async def _is_waiting(hands: Hands, caller: Message) -> bool:
    return await _where(hands, caller) == ("acd-wait", "WaitExten")


# ---------------------------------------------------------------- numbers


async def test_a_known_number_carries_the_queues_id(bank: PhoneBank, hands: Hands) -> None:
    await hands.ami.act("Setvar", Variable="ACD_NUMBER_8000", Value="sales")
    try:
        await bank.call("8000")
        entered = await hands.event("AcdEnter")
        assert await hands.variables(entered["Channel"], names.QUEUE) == {names.QUEUE: "sales"}
    finally:
        await hands.ami.act("Setvar", Variable="ACD_NUMBER_8000", Value="")


async def test_an_unknown_number_is_not_found_once_the_service_has_said_which_there_are(
    bank: PhoneBank, hands: Hands
) -> None:
    await hands.ami.act("Setvar", Variable="ACD_SERVICE", Value="1")
    try:
        customer = await bank.call("8000")
        await bank.until(lambda: customer.is_over, "the call is refused")
        assert customer.answered_ms is None
        assert not [event for event in hands.events if event["Event"] == "UserEvent"]
    finally:
        await hands.ami.act("Setvar", Variable="ACD_SERVICE", Value="")


# ---------------------------------------------------------------- offers that fail: the caller waits again


@pytest.mark.parametrize(
    ("does", "causes", "status"),
    [
        ("busy", {"17"}, "BUSY"),
        ("reject", {"21"}, "CHANUNAVAIL"),
        ("unavailable", {"19"}, "NOANSWER"),
        ("redirect", {"23", "0"}, "BUSY"),  # Asterisk ends the leg before or after it has noted the 302
    ],
)
async def test_a_phone_that_refuses(bank: PhoneBank, hands: Hands, does: str, causes: set[str], status: str) -> None:
    await bank.given_phone("agent-101", does=does)
    await bank.call("8000")
    entered = await hands.event("AcdEnter")
    await hands.offer(entered, "PJSIP/agent-101")
    ended = await hands.event("AcdOfferEnded")
    gone = await hands.event("Hangup")
    assert gone["Cause"] in causes
    assert (ended["Status"], ended["Offer"]) == (status, "of1")
    await until(lambda: _is_waiting(hands, entered), "the caller waits again")
    assert await hands.variables(entered["Channel"], names.CALL, names.STATE) == {
        names.CALL: entered["Call"],
        names.STATE: "waiting",
    }


async def test_a_silent_phone_rings_for_the_time_of_the_offer(bank: PhoneBank, hands: Hands) -> None:
    await bank.given_phone("agent-101", does="silent")
    await bank.call("8000")
    await hands.offer(await hands.event("AcdEnter"), "PJSIP/agent-101", ring_s=1)
    began, ended = await hands.event("DialBegin"), await hands.event("AcdOfferEnded")
    assert ended["Status"] == "NOANSWER"
    assert 0.9 < float(ended["Timestamp"]) - float(began["Timestamp"]) < 1.5


async def test_a_phone_without_a_contact_is_not_rung(bank: PhoneBank, hands: Hands) -> None:
    await bank.unregister(["agent-101"])
    await bank.call("8000")
    await hands.offer(await hands.event("AcdEnter"), "PJSIP/agent-101")
    assert (await hands.event("AcdOfferEnded"))["Status"] == "CHANUNAVAIL"
    assert not [event for event in hands.events if event["Event"] == "DialBegin"]


async def test_a_withdrawn_offer(bank: PhoneBank, hands: Hands) -> None:
    await bank.given_phone("agent-101", does="silent")
    await bank.call("8000")
    entered = await hands.event("AcdEnter")
    await hands.offer(entered, "PJSIP/agent-101")
    ringing = await hands.event("DialBegin")
    await hands.ami.act("Hangup", Channel=ringing["DestChannel"], Cause="16")
    await hands.event("AcdOfferEnded")
    await until(lambda: _is_waiting(hands, entered), "the caller waits again")


# ---------------------------------------------------------------- phone codes


@pytest.mark.parametrize(
    ("code", "kind", "reason"),
    [
        ("*12", "sign_out", None),
        ("*13", "break", None),
        ("*137", "break", "7"),
        ("*1342", "break", "42"),
        ("*14", "available", None),
        ("*15", "end_wrap_up", None),
    ],
)
async def test_a_phone_code_asks(bank: PhoneBank, hands: Hands, code: str, kind: str, reason: str | None) -> None:
    leg = await bank.dial_from("agent-101", code)
    ask = await hands.event("AcdAsk")
    assert (ask["Kind"], ask["Ask"]) == (kind, ask["Uniqueid"])
    assert (await hands.variables(ask["Channel"], names.ASK_REASON)).get(names.ASK_REASON) == reason
    await bank.hang_up(leg)


async def test_signing_in_tells_agent_and_pin_to_the_service_alone(bank: PhoneBank, hands: Hands) -> None:
    await bank.dial_from("agent-101", "*11", digits="117#ww4242#")
    ask = await hands.event("AcdAsk", within_s=20)
    assert ask["Kind"] == "sign_in"
    asked = await hands.variables(ask["Channel"], names.ASK_AGENT, names.ASK_PIN)
    assert asked == {names.ASK_AGENT: "117", names.ASK_PIN: "4242"}
    assert not [event for event in hands.events if "4242" in event.values()]
    await hands.reply(ask, "signed_in")
    await hands.event("Hangup", Channel=ask["Channel"])


async def test_without_an_answer_a_phone_code_speaks_for_itself(bank: PhoneBank, hands: Hands) -> None:
    leg = await bank.dial_from("agent-101", "*14")
    ask = await hands.event("AcdAsk")
    await until(lambda: _says(hands, ask, "Playback"), "the dialplan's own sentence", within_s=7)
    await bank.hang_up(leg)


async def _says(hands: Hands, ask: Message, application: str) -> bool:
    status = await hands.ami.list("Status", Channel=ask["Channel"])
    return bool(status) and status[0]["Application"] == application


SLUGS = (
    *("signed_in", "signed_out", "on_break", "available", "wrap_up_ended"),
    *("wrong_pin", "locked", "unknown_agent", "not_signed_in", "not_allowed", "unavailable", "no_such_slug"),
)


@pytest.mark.parametrize("slug", SLUGS)
async def test_each_answer_has_a_sentence_of_its_own(bank: PhoneBank, hands: Hands, slug: str) -> None:
    leg = await bank.dial_from("agent-101", "*15")
    ask = await hands.event("AcdAsk")
    await hands.reply(ask, slug)
    await until(lambda: _says(hands, ask, "Playback"), f"a sentence for {slug}", within_s=3)
    await bank.hang_up(leg)


# ---------------------------------------------------------------- the account


async def test_the_account_cannot_do_what_it_need_not(ami: AmiClient) -> None:
    for action, headers in {
        "Command": {"Command": "core show version"},
        "GetConfig": {"Filename": "manager.conf"},
        "UpdateConfig": {"SrcFilename": "manager.conf", "DstFilename": "manager.conf"},
        "DBPut": {"Family": "a", "Key": "b", "Val": "c"},
        "ModuleLoad": {"LoadType": "reload"},
        "UserEvent": {"UserEvent": "AcdEnter", "Call": "pbx1-1.1"},
        "Reload": {},
    }.items():
        with pytest.raises(AmiError):
            await ami.act(action, **headers)


@pytest.mark.parametrize(
    "function", ["SHELL(id)", "FILE(/etc/passwd)", "CURL(http://127.0.0.1/)", "ENV(PATH)", "DB(a/b)"]
)
async def test_no_dangerous_function_is_there(ami: AmiClient, bank: PhoneBank, function: str) -> None:
    found: str | None = None
    try:
        found = (await ami.act("Getvar", Variable=function)).get("Value")
    except AmiError:
        return
    assert not found


async def test_every_context_is_there(ami: AmiClient) -> None:
    for context in names.CONTEXTS:
        assert await ami.list("ShowDialPlan", Context=context)


async def test_a_call_costs_few_events(bank: PhoneBank, hands: Hands) -> None:
    await bank.given_phone("agent-101", ring=0.1, talk=0.3)
    await bank.call("8000")
    await hands.offer(await hands.event("AcdEnter"), "PJSIP/agent-101")
    after = await hands.event("AcdAfter")
    await hands.ami.act("Hangup", Channel=after["Channel"], Cause="16")
    await hands.event("Hangup", 2)
    await asyncio.sleep(0.2)  # whatever else comes, comes now
    size = sum(len(f"{name}: {value}\r\n".encode()) for event in hands.events for name, value in event.items())
    assert len([event for event in hands.events if event["Event"] != "FullyBooted"]) <= 18
    assert size <= 7500
