"""Hostile callers meet the whole service: answered like anybody, shown as text, and the link never doubts itself."""

from tests.asterisk.test_identities import CORPUS
from tests.support.rawsip import RawSip
from tests.support.serving import Serving
from tests.support.until import until


async def test_whatever_a_caller_calls_itself_an_agent_answers(serving: Serving) -> None:
    await serving.given_available("101")
    raw = await RawSip.open(serving.pbx.sip)
    for identity in CORPUS.values():
        before = {call["id"] for call in await serving.calls("ended")}
        call = await raw.invite("8000", identity)
        assert await call.answered == 200
        await serving.until_agent("101", "talking")
        raw.bye(call)
        await serving.until_agent("101", "idle")

        async def has_ended(before: set[str] = before) -> bool:
            return len({one["id"] for one in await serving.calls("ended")} - before) == 1

        await until(has_ended, "exactly one call more is on record")
    raw.close()
    metrics = (await serving.api.get("/metrics")).text.splitlines()
    quarantined = [line for line in metrics if line.startswith("ami_quarantined_total{")]
    assert not [line for line in quarantined if not line.endswith(" 0.0")]


async def test_what_is_left_of_an_identity_is_shown(serving: Serving) -> None:
    raw = await RawSip.open(serving.pbx.sip)
    shown = {
        "Persian": ("+98912", "نوبت‌دهی"),
        "comma and header": ("09121", "Ali Queue vip"),
        "anonymous": (None, "Anonymous"),
        "dialplan function": (None, "SHELLidCHANNEL"),
    }
    for name, (number, text) in shown.items():
        call = await raw.invite("8000", CORPUS[name])

        async def is_in_line(number: str | None = number, text: str = text) -> bool:
            line = (await serving.get("/v1/queues/sales/line"))["items"]
            return [one["caller"] for one in line] == [{"number": number, "name": text}]

        await until(is_in_line, name, within_s=3)
        raw.bye(call)
        await serving.until_line([])
    raw.close()
