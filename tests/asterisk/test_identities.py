"""Hostile callers: whatever a caller calls itself, the call is answered and the events keep their shape."""

import re
import unicodedata
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.ami_client import Message
from tests.support.hands import Hands
from tests.support.pbx import TestPbx
from tests.support.phonebank import PhoneBank
from tests.support.rawsip import RawSip

CORPUS = {
    "comma and header": b'"Ali, Queue: vip" <sip:09121@127.0.0.1>',
    "event in the name": b'"x\\r\\nEvent: Hangup" <sip:09122@127.0.0.1>',
    "encoded line break": b'"x%0d%0aEvent: Hangup" <sip:0912%0d%0aEvent%3a@127.0.0.1>',
    "folded header": b'"x"\r\n <sip:09123@127.0.0.1>',
    "control characters": b'"\x01\x02\x1b[31m\x7f" <sip:09124@127.0.0.1>',
    "no UTF-8": b'"\xff\xfe\xc3(" <sip:09125@127.0.0.1>',
    "dialplan function": b'"${SHELL(id)}${CHANNEL}" <sip:%24%7BSHELL(id)%7D@127.0.0.1>',
    "brackets": b'"(((}}}]]]" <sip:09126@127.0.0.1>',
    "quotes": b'"\\"\\"\\\\" <sip:09127@127.0.0.1>',
    "Dial string": b'"x" <sip:0912%26PJSIP%2Fagent-101@127.0.0.1>',
    "application": b'"x" <sip:0912)System(id@127.0.0.1>',
    "long": b'"' + b"A" * 400 + b'" <sip:' + b"9" * 200 + b"@127.0.0.1>",
    "no user": b"<sip:127.0.0.1>",
    "anonymous": b'"Anonymous" <sip:anonymous@anonymous.invalid>',
    "no name": b"sip:09128@127.0.0.1",
    "right to left": '"\u202e0912\u202c" <sip:09129@127.0.0.1>'.encode(),
    "Persian": '"نوبت‌دهی" <sip:+98912@127.0.0.1>'.encode(),
}
IDENTITY = ("CallerIDNum", "CallerIDName", "ConnectedLineNum", "ConnectedLineName")


@pytest_asyncio.fixture(loop_scope="session")
async def hands(pbx: TestPbx) -> AsyncIterator[Hands]:
    opened = await Hands.on(pbx)
    yield opened
    await opened.close()


@pytest_asyncio.fixture(loop_scope="session")
async def caller(pbx: TestPbx, bank: PhoneBank) -> AsyncIterator[RawSip]:
    raw = await RawSip.open(pbx.sip)
    yield raw
    raw.close()


async def _events_of_a_call(raw: RawSip, hands: Hands, identity: bytes) -> dict[str, list[str]]:
    """Offer a call of this identity to an agent, hang up in the conversation: the headers of each event, in order."""
    hands.events.clear()
    call = await raw.invite("8000", identity)
    assert await call.answered == 200
    entered = await hands.event("AcdEnter")
    await hands.offer(entered, "PJSIP/agent-101")
    await hands.event("BridgeEnter", 2)
    raw.bye(call)
    await hands.event("Hangup", 2)
    return {_kind(event): list(event) for event in hands.events if event["Event"] != "DeviceStateChange"}


def _kind(event: Message) -> str:
    side = "agent" if event.get("Channel", "").startswith("PJSIP/agent") else "caller"
    return f"{event.get('UserEvent', event['Event'])} of {side}"


@pytest.mark.parametrize("name", CORPUS)
async def test_a_hostile_identity_is_answered_and_shapes_no_event(caller: RawSip, hands: Hands, name: str) -> None:
    clean = await _events_of_a_call(caller, hands, b'"Ali" <sip:0912@127.0.0.1>')
    assert await _events_of_a_call(caller, hands, CORPUS[name]) == clean
    for event in hands.events:
        assert not [value for value in event.values() if any(unicodedata.category(c) == "Cc" for c in value)], event
        for header in IDENTITY:
            text = event.get(header, "").replace("<unknown>", "")
            allowed = r"[0-9+*#]*" if header.endswith("Num") else r"[A-Za-z0-9 .\-\u0080-\U0010ffff]*"
            assert re.fullmatch(allowed, text), f"{header}: {text!r}"


async def test_letters_of_other_alphabets_stay(caller: RawSip, hands: Hands) -> None:
    await _events_of_a_call(caller, hands, CORPUS["Persian"])
    entered = await hands.event("AcdEnter")
    assert (entered["CallerIDNum"], entered["CallerIDName"]) == ("+98912", "نوبت‌دهی")


async def test_nobody_claims_to_be_a_phone_without_its_password(caller: RawSip, hands: Hands) -> None:
    call = await caller.invite("8000", b'"Agent" <sip:agent-101@127.0.0.1>')
    assert await call.answered == 401
    assert not [event for event in hands.events if event["Event"] == "UserEvent"]


@pytest.mark.parametrize("user", ["0912", "trunk", "agent-101", "anonymous", "udp", "phone", "pbx"])
async def test_a_stranger_gets_a_challenge_and_no_channel(pbx: TestPbx, hands: Hands, user: str) -> None:
    raw = await RawSip.open(pbx.sip, "127.0.0.2")
    call = await raw.invite("8000", f'"Ali" <sip:{user}@127.0.0.1>'.encode())
    assert await call.answered == 401
    assert await pbx.is_quiet()
    raw.close()


@pytest.mark.parametrize("from_user", ["agent-101", "trunk", "0912", "agent-102"])
async def test_nobody_takes_a_phones_place_without_its_password(caller: RawSip, from_user: str) -> None:
    assert await caller.register_for("agent-101", from_user) in (401, 403, 404)


@pytest.mark.parametrize("number", ["8000%0d%0aEvent", "8000&PJSIP", "80a0", "acd-offer", "s", "*11", "8" * 40])
async def test_a_number_that_is_no_number_is_not_found(caller: RawSip, number: str) -> None:
    call = await caller.invite(number, b'"Ali" <sip:0912@127.0.0.1>')
    assert await call.answered in (404, 484)
