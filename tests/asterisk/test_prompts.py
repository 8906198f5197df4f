"""What a phone hears is what was said: the prompts go through a real Asterisk and back into a recording.

The recording is compared with every prompt of the language; nothing tells the comparison what to expect.
"""

import asyncio
from pathlib import Path

import pytest

from acd.forecast import Growth
from acd.speech.sayings import Announcement, ClockTime, ExpectedWait, PhoneNumber, Saying, say
from lab.prompts import ready_prompts
from tests.support.ami_client import AmiClient
from tests.support.hands import Hands
from tests.support.heard_prompts import are_in_order, by_sound, heard_prompts
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
    return heard_prompts(await _play(bank, ami, phone, files, language), _sounds(language))


def _sounds(language: str) -> Path:
    return ready_prompts() / language.partition("_")[0] / "nobat"


async def test_what_is_said_is_heard_in_order_in_both_languages(bank: PhoneBank, ami: AmiClient) -> None:
    phones = [f"agent-{number}" for number in range(101, 101 + len(SAID))]
    heard = await asyncio.gather(
        *(_phone_hears(bank, ami, phone, *said) for phone, said in zip(phones, SAID, strict=True))
    )
    for number, ((saying, language), words) in enumerate(zip(SAID, heard, strict=True), 121):
        wanted = by_sound(say(saying, language), _sounds(language))
        if words != wanted and are_in_order(
            words, wanted
        ):  # five at once on a busy machine lose a packet: said again, alone
            assert await _phone_hears(bank, ami, f"agent-{number}", saying, language) == wanted
        else:
            assert words == wanted


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
    heard = heard_prompts(await bank.recording(leg), _sounds(language))
    await hands.close()
    assert heard == ["not-signed-in"]
