"""An agent passes a call on with the phone alone: its own key (REFER), or a code in the conversation."""

import pytest

from tests.support.moves import OUTSIDE, for_a_while, given_outside
from tests.support.serving import Serving
from tests.support.team import CALLER_TONE, LOUD, SILENT

TONES = {"101": 2680, "102": 2860}


@pytest.mark.parametrize("by", ["refer", "code"])
@pytest.mark.parametrize("to", ["102", "8011", OUTSIDE])
async def test_from_the_phone(serving: Serving, by: str, to: str) -> None:
    await serving.set_queue(wrap_up_s=0.0)
    await given_outside(serving)
    bank = serving.bank
    for agent, tone in TONES.items():
        await bank.given_phone(f"agent-{agent}", tone=tone, record=True)
    other = {"id": "other", "number": "8011", "wrap_up_s": 0.0}
    (await serving.api.post("/v1/queues", json=other)).raise_for_status()
    (await serving.api.patch("/v1/agents/102", json={"queues": ["other"]})).raise_for_status()
    await serving.given_available("101", "102")
    customer = await bank.call("8000", tone=CALLER_TONE, record=True)
    await serving.until_call(customer, state="talking", agent="101")
    if by == "refer":
        await bank.refer("agent-101", to)
    else:
        await bank.send_digits(bank.leg_of("agent-101"), f"##{to}")
    taker = None if to == OUTSIDE else "102"
    try:
        await serving.until_call(customer, state="talking", agent=taker)
        await for_a_while(serving, customer)
        await bank.leave(customer)
        ended = await serving.until_call(customer, state="ended")
    finally:
        (await serving.api.patch("/v1/agents/102", json={"queues": ["sales"]})).raise_for_status()
    kind = {"102": "agent", "8011": "queue", OUTSIDE: "number"}[to]
    assert ended["transfers"][0]["to"] == {kind: "other" if kind == "queue" else to}
    assert ended["transfers"][0]["by"] == "101"
    assert [talk["agent"] for talk in ended["talks"]] == ["101", taker]
    at = "agent-102" if taker else OUTSIDE
    heard = await bank.heard(f"{at}-{customer.number}", (CALLER_TONE, TONES["101"]))
    assert heard[CALLER_TONE] > LOUD
    assert heard[TONES["101"]] < SILENT
