"""alone: the service is gone, and Asterisk serves its callers by its own queue: in which order, and how fast.

Callers come to a PBX whose service beats and does nothing, then stops. More come than there are agents, and several agents are
free at once, again and again. In order means that phones ring for callers in the order in which they came in; whoever was rung
before somebody who had come earlier is one pair out of order. The peer is app_queue as it is usually set up: the same dialplan
with ``leastrecent`` and without phones' turns.
"""

import asyncio
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from acd.agents import AgentSpec
from acd.ids import AgentId, DeviceId, PbxId, QueueId
from acd.queues import QueueSpec
from benchmarks.figures import Spread, heading, verdict
from nobat.fallback import queues_conf
from tests.support.pbx import TestPbx
from tests.support.phonebank import Customer, PhoneBank
from tests.support.until import until

AGENTS = 12
TALK_S = (0.8, 4.0)
BETWEEN_S = 0.25
TOGETHER_S = 0.1
"""Two phones that are rung within such a time are rung together: two legs are made side by side."""


@dataclass(frozen=True, slots=True)
class Served:
    """Of one run: pairs of callers, those of them out of order and by how many seconds, and seconds."""

    pairs: int
    swapped: Sequence[float]
    first_ring_s: float
    from_first_to_last_s: float
    twice: int


async def run(*, full: bool) -> bool:
    """Print both; whether nobody was rung before somebody who had come earlier."""
    callers, rounds = (60, 3) if full else (30, 1)
    ours = [await _served(callers, _conf()) for _ in range(rounds)]
    peer = [await _served(callers, _usual(_conf())) for _ in range(rounds)]
    heading("alone", f"{callers} callers, {AGENTS} agents, no service; {rounds} times")
    for name, found in (("ours", ours), ("app_queue as usual", peer)):
        late = [seconds for one in found for seconds in one.swapped]
        print(
            f"   {name}: {len(late)} of {sum(one.pairs for one in found)} pairs out of order, by s: {Spread.of(late)}"
        )
        print(f"   … first phone after the first caller, s: {Spread.of([one.first_ring_s for one in found])}")
        print(f"   … from the first caller to the last, s: {Spread.of([one.from_first_to_last_s for one in found])}")
        print(f"   … rung more than once: {sum(one.twice for one in found)}")
    swapped = sum(seconds > TOGETHER_S for one in ours for seconds in one.swapped)
    return verdict("pairs out of order, not rung together", swapped, "0", swapped == 0)


def _conf() -> str:
    queue = QueueSpec(QueueId("sales"), "8000", ring_s=8)
    agents = [
        AgentSpec(AgentId(str(n)), device=DeviceId(f"pbx1/PJSIP/agent-{n}"), queues=(queue.id,))
        for n in range(101, 101 + AGENTS)
    ]
    return queues_conf([queue], agents, PbxId("pbx1"))


def _usual(conf: str) -> str:
    return re.sub(r"(member => [^,\n]+),\d+", r"\1", conf).replace("strategy = ringall", "strategy = leastrecent")


async def _served(callers: int, conf: str) -> Served:
    """Everybody comes, is served and leaves."""
    pbx = await TestPbx.started("alone", agents=AGENTS, queues=conf)
    bank = await pbx.phone_bank()
    try:
        chance = random.Random(7)
        await bank.given_phone("any", does="answer", talk=TALK_S)
        for phone in bank.phones:
            await bank.given_phone(phone.endpoint, ring=round(chance.uniform(0, 1.2), 1))
        came: list[Customer] = []
        service = await pbx.ami()
        for number in range(callers):
            if number % 4 == 0:
                await service.act("Setvar", Variable="ACD_HEARTBEAT", Value=str(number + 1))
            came.append(await bank.call("8000"))
            await asyncio.sleep(BETWEEN_S)
        await service.close()
        await until(lambda: all(one.is_over for one in came), "everybody was served", within_s=120, every_s=0.1)
        return _judged(bank, came)
    finally:
        await bank.close()
        await pbx.close()


def _judged(bank: PhoneBank, came: Sequence[Customer]) -> Served:
    rung: dict[str, float] = {}
    twice = 0
    for moment in bank.moments:
        if moment.kind == "PhoneInvite":
            twice += moment.caller in rung
            rung.setdefault(moment.caller, moment.ms / 1000)
    let_in = sorted(came, key=lambda one: one.answered_ms or 0)
    order = [rung[one.number] for one in let_in]
    swapped = [earlier - later for earlier, later in combinations(order, 2) if earlier > later]
    first = min(order) - (let_in[0].answered_ms or 0) / 1000
    return Served(len(order) * (len(order) - 1) // 2, swapped, first, max(order) - min(order), twice)
