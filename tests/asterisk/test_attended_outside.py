"""An agent asks somebody outside with the phone alone, and gives him the caller: by the code, and by the phone's own keys."""

import asyncio

import pytest

from nobat.clock import Clock
from tests.support.consults import ANN, at_caller, for_a_moment, given_talk, over, until_stage
from tests.support.moves import OUTSIDE, OUTSIDE_TONE, given_outside
from tests.support.phonebank import PhoneBank
from tests.support.serving import Serving
from tests.support.team import CALLER_TONE

RIGHT_S = 0.2


async def _phones_may_dial_outside(serving: Serving) -> None:
    """As a site's own dialplan may let them."""
    instance = serving.pbx.instance
    words = f"dialplan add extension {OUTSIDE},1,Dial,PJSIP/{OUTSIDE}@trunk into from-phones replace"
    command = instance.home.command("-C", instance.inside("etc", "asterisk.conf"), "-rx", words)
    done = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
    assert await asyncio.wait_for(done.wait(), 20) == 0


def _ms(bank: PhoneBank, kind: str, phone: str) -> float:
    return next(one.ms for one in reversed(bank.moments) if one.kind == kind and one.phone == phone)


@pytest.mark.parametrize("by", ["code", "refer"])
async def test_to_a_number_outside(serving: Serving, by: str) -> None:
    """First the agent and whoever is asked hear each other, then the caller and he; one record, each talk as long as it was."""
    await given_outside(serving)
    _, customer = await given_talk(serving)
    bank = serving.bank
    ann = bank.leg_of("agent-101")
    if by == "code":
        await bank.send_digits(ann, f"*2{OUTSIDE}")
        await until_stage(serving, customer, "talking")
        await for_a_moment()
        given = Clock().now()
        await bank.hang_up(ann)
    else:
        await _phones_may_dial_outside(serving)
        await bank.hold("agent-101")
        second = await bank.dial_from("agent-101", OUTSIDE, record=True)
        await bank.until(lambda: any(m.kind == "PhoneAnswer" and m.phone == OUTSIDE for m in bank.moments), "answered")
        await for_a_moment()
        given = Clock().now()
        await bank.join_calls("agent-101", second)
    taken = await serving.until_call(customer, state="talking", agent=None)
    await serving.until_agent("ann", "idle")
    await for_a_moment(1.2)
    ended = await over(serving, customer)

    assert [(one["by"], one["mode"], one["to"], one["result"]) for one in ended["transfers"]] == [
        ("ann", "attended", {"number": OUTSIDE}, "connected")
    ]
    assert [(talk["agent"], talk["number"]) for talk in ended["talks"]] == [("ann", None), (None, OUTSIDE)]
    assert [visit["outcome"] for visit in ended["visits"]] == ["answered"]
    assert [leg["party"] for leg in ended["legs"]] == ["caller", "agent", "outside"]
    assert taken["id"] == ended["id"]
    assert await at_caller(serving, customer, ANN, OUTSIDE_TONE) == [{ANN}, {OUTSIDE_TONE}]
    shown = next(one.caller for one in reversed(bank.moments) if one.phone == OUTSIDE)
    heard = await bank.heard(f"{OUTSIDE}-{shown}", (CALLER_TONE, ANN))
    assert heard[CALLER_TONE] > 1000

    answered = _ms(bank, "PhoneAnswer", "agent-101") / 1000
    anns, outsides = (talk["talk_s"] for talk in ended["talks"])
    assert abs(anns - (given - answered)) < RIGHT_S
    # Asked by a code he works for this caller from picking up; a call of the phone's own is its own until it gives the caller away.
    began = _ms(bank, "PhoneAnswer", OUTSIDE) / 1000 if by == "code" else given
    assert abs(outsides - ((customer.gone_ms or 0) / 1000 - began)) < RIGHT_S
