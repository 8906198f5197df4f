"""Labels come from fixed sets: however many call, and whatever they are called, Prometheus has as many series as before."""

import re

from tests.support.memory_pbx import Manner
from tests.support.office import Office

AT_ONCE, ROUNDS = 250, 40


async def series(office: Office) -> set[str]:
    page = (await office.client.get("/metrics")).text
    return {line.rpartition(" ")[0] for line in page.splitlines() if not line.startswith("#")}


async def callers_come_and_go(office: Office, first: int, count: int) -> None:
    """Of every ten one is answered, and the others leave, some of them at once."""
    calls = []
    for n in range(first, first + count):
        calls.append(office.pbx.caller("8000" if n % 3 else "8001", f"+9891{n:08}", f'caller "{n}" {{x="{n}"}}'))
    await office.settled()
    for n, call in enumerate(calls):
        if n % 10 == 0 and office.pbx.ringing(call):
            office.pbx.pick_up(call)
    await office.settled()
    await office.pass_time(3)
    for call in calls:
        office.pbx.caller_hangs_up(call)
    await office.settled()


async def test_ten_thousand_callers_add_no_series(counter: Office) -> None:
    office = counter
    admin = await office.admin()
    for agent in ("101", "102"):
        office.pbx.phone(f"PJSIP/agent-{agent}", Manner.SILENT)
        await admin.chooses(agent, "available")
    before = await series(office)
    for number in range(ROUNDS):
        await callers_come_and_go(office, 10_000 + number * AT_ONCE, AT_ONCE)
    after = await series(office)
    assert after == before
    page = (await office.client.get("/metrics")).text
    entered = [float(count) for count in re.findall(r"^acd_calls_entered_total\{.*\} (\S+)$", page, re.MULTILINE)]
    assert sum(entered) == AT_ONCE * ROUNDS
    assert "caller" not in "".join(after)
