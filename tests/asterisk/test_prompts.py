"""What a phone hears is what was said: the prompts go through a real Asterisk and back into a recording.

The recording is compared with every prompt of the language; nothing tells the comparison what to expect.
"""

import asyncio
from collections.abc import Iterable
from pathlib import Path

import pytest

from acd.forecast import Growth
from acd.speech.sayings import Announcement, ClockTime, ExpectedWait, PhoneNumber, Saying, say
from lab.prompts import ready_prompts
from nobat.prompts.texts import texts
from tests.support.ami_client import AmiClient
from tests.support.hands import Hands
from tests.support.heard_prompts import heard_prompts
from tests.support.pbx import TestPbx
from tests.support.phonebank import PhoneBank

PLACE_REASON_AND_WAIT = Announcement(23, ExpectedWait(300, 1500), Growth.URGENT_CALLERS)
SAID = (
    (PLACE_REASON_AND_WAIT, "en"),
    (PLACE_REASON_AND_WAIT, "fa"),
    (ClockTime(10, 5), "en"),
    (ClockTime(10, 5), "fa_IR"),  # a dialect speaks with its language's prompts
    (PhoneNumber("+989121234567"), "fa"),
)


async def _play(bank: PhoneBank, ami: AmiClient, phone: str, files: str, language: str) -> Path:
    """What ``phone`` heard when it answered and ``files`` were played to it."""
    await bank.given_phone(phone, record=True)
    caller = f"7{phone[-3:]}"
    await ami.act(
        "Originate", Channel=f"PJSIP/{phone}", Application="Playback", Data=files, CallerID=caller, Async="true",
        variables={"CHANNEL(language)": language},
    )  # fmt: skip
    return await bank.recording(f"{phone}-{caller}", within_s=40)


async def _phone_hears(bank: PhoneBank, ami: AmiClient, phone: str, saying: Saying, language: str) -> list[str]:
    files = "&".join(f"nobat/{name}" for name in ("pause", *say(saying, language)))
    return _words_in(await _play(bank, ami, phone, files, language), language)


def _words_in(recording: Path, language: str) -> list[str]:
    folder = ready_prompts() / language.partition("_")[0] / "nobat"
    return _words(heard_prompts(recording, folder), language)


def _words(names: Iterable[str], language: str) -> list[str]:
    """Prompts of the same words sound the same, so words are compared; a pause is not heard."""
    spoken = (texts(language.partition("_")[0])[name].spoken for name in names)
    return [text for text in spoken if text]


async def test_what_is_said_is_heard_in_order_in_both_languages(bank: PhoneBank, ami: AmiClient) -> None:
    phones = [f"agent-{number}" for number in range(101, 101 + len(SAID))]
    heard = await asyncio.gather(
        *(_phone_hears(bank, ami, phone, *said) for phone, said in zip(phones, SAID, strict=True))
    )
    assert heard == [_words(say(saying, language), language) for saying, language in SAID]


async def test_asterisks_own_sounds_are_still_there(bank: PhoneBank, ami: AmiClient) -> None:
    """Its transfers and voicemail speak with them, in English where there are none in the caller's language."""
    await _play(bank, ami, "agent-110", "vm-goodbye", "fa")
    assert await bank.loudness("agent-110-7110") > 50


@pytest.mark.parametrize("language", ["en", "fa"])
async def test_a_phone_code_is_answered_in_the_phones_language(bank: PhoneBank, pbx: TestPbx, language: str) -> None:
    hands = await Hands.on(pbx)
    leg = await bank.dial_from("agent-102", "*14", record=True)
    ask = await hands.event("AcdAsk")
    await hands.ami.act("Setvar", Channel=ask["Channel"], Variable="CHANNEL(language)", Value=language)
    await hands.reply(ask, "not_signed_in")
    heard = _words_in(await bank.recording(leg), language)
    await hands.close()
    assert heard == [texts(language)["not-signed-in"].spoken]
