"""Some dozens of calls at once with phones of every temper, each event said twice and the link cut under them.

Whatever happens on the wire, the facts of each call come in the order that the port promises, every phone of an offer is
settled once, every call ends once, and nothing is remembered when all is over.
"""

import asyncio
import random
from collections import Counter, defaultdict

from acd.ids import CallId, DeviceId, OfferId, PbxId
from acd.telephony import (
    AgentHungUp,
    AgentLegGone,
    CallEntered,
    CallerFreed,
    CallGone,
    HangUp,
    LegStage,
    Offer,
    OfferAnswered,
    OfferEnded,
    OfferMissed,
    PbxSnapshot,
    RequestFailed,
    RequestFailure,
    TalkBegan,
)
from ami.health import NobodyObserves
from ami.link import LinkConfig
from ami.pbx import Pbx, PbxConfig
from tests.support.fault_proxy import FaultProxy
from tests.support.pbx import TestPbx
from tests.support.until import until

PHONES = [f"agent-{number}" for number in range(101, 117)]
TEMPERS = ["answer"] * 5 + ["silent", "busy", "reject"]
ORDER = {CallEntered: 0, OfferAnswered: 1, TalkBegan: 2, AgentHungUp: 3, AgentLegGone: 3, CallerFreed: 4, CallGone: 5}


class Dispatcher:
    """A routing that knows nothing but to offer whoever waits to phones at random."""

    def __init__(self, port: int, secret: str, chance: random.Random) -> None:
        self.chance = chance
        self.facts: defaultdict[CallId, list[object]] = defaultdict(list)
        self.entered: dict[CallId, CallEntered] = {}
        self.live: set[CallId] = set()
        self.disturbed: set[CallId] = set()  # a snapshot told part of their story
        self.snapshots = 0
        self.failures: list[RequestFailed] = []
        self._offers = 0
        link = LinkConfig("127.0.0.1", port, "nobat", secret)
        self.pbx = Pbx(PbxConfig(PbxId("pbx1"), link), self.deliver, NobodyObserves(), asyncio.get_running_loop().time)

    def deliver(self, fact: object) -> None:
        if isinstance(fact, PbxSnapshot):
            self._take(fact)
        elif isinstance(fact, RequestFailed):
            self.failures.append(fact)
        elif isinstance(call := getattr(fact, "call", None), str):
            self.facts[CallId(call)].append(fact)
            self._act(fact)

    def _act(self, fact: object) -> None:
        if isinstance(fact, CallEntered):
            self.entered[fact.call] = fact
            self.live.add(fact.call)
            self._offer(fact.call)
        elif isinstance(fact, OfferEnded):
            self._offer(fact.call)
        elif isinstance(fact, CallerFreed):
            self.pbx.send([HangUp(self.entered[fact.call].leg)])
        elif isinstance(fact, CallGone):
            self.live.discard(fact.call)

    def _take(self, snapshot: PbxSnapshot) -> None:
        self.snapshots += 1
        if self.snapshots == 1:
            return
        self.disturbed |= self.live | {found.entered.call for found in snapshot.calls}
        self.live = {found.entered.call for found in snapshot.calls}
        for found in snapshot.calls:
            self.entered[found.entered.call] = found.entered
            if found.stage is LegStage.WAITING:
                self._offer(found.entered.call)
            elif found.stage is LegStage.AFTER:
                self.pbx.send([HangUp(found.entered.leg)])

    def _offer(self, call: CallId) -> None:
        self._offers += 1
        phones = self.chance.sample(PHONES, self.chance.choice([1, 1, 2, 3]))
        targets = tuple(DeviceId(f"pbx1/PJSIP/{phone}") for phone in phones)
        self.pbx.send([Offer(call, self.entered[call].leg, OfferId(f"{call}.{self._offers}"), targets, 1)])


def check(facts: list[object]) -> None:
    """The story of one call that no snapshot told a part of."""
    kinds = [type(fact) for fact in facts]
    ranks = [ORDER[kind] for kind in kinds if kind in ORDER]
    assert ranks == sorted(ranks), kinds
    assert kinds[0] is CallEntered
    assert kinds[-1] is CallGone
    assert max(Counter(kind for kind in kinds if kind in ORDER).values()) == 1, kinds
    settled = Counter((fact.offer, fact.device) for fact in facts if isinstance(fact, OfferMissed | OfferAnswered))
    assert set(settled.values()) <= {1}, kinds


async def test_calls_under_every_trouble_at_once() -> None:
    chance = random.Random(20_260_722)
    own = await TestPbx.started("soak")
    bank = await own.phone_bank()
    try:
        for phone in PHONES:
            await bank.given_phone(
                phone, does=chance.choice(TEMPERS), ring=round(chance.uniform(0, 0.3), 2), talk=(0.2, 0.8)
            )
        async with FaultProxy(own.ami_port) as proxy:
            proxy.twice = True
            desk = Dispatcher(proxy.port, own.ami_secret, chance)
            await desk.pbx.set_queue_numbers({"8000": "sales"})
            running = asyncio.create_task(desk.pbx.run())
            await until(lambda: desk.pbx.health.ready, "ready")
            for number in range(60):
                await bank.call(
                    "8000",
                    name=chance.choice(["", "نوبت‌دهی شرکت", "Ali, x", "A(b)"]),
                    patience_s=chance.choice([1, 2, 15]),
                )
                await asyncio.sleep(chance.expovariate(12))
                if number in (25, 40):
                    proxy.reset()
            await until(lambda: not desk.live, "every call is over", within_s=40, seen=lambda: desk.live)
            await until(lambda: desk.pbx._tracker.book.size() == 0, "nothing is remembered", within_s=12)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        assert await own.is_quiet()
    finally:
        await bank.close()
        await own.close()
    whole = [facts for call, facts in desk.facts.items() if call not in desk.disturbed]
    assert len(whole) >= 20
    for facts in whole:
        check(facts)
    assert desk.snapshots >= 3
    assert {failure.why for failure in desk.failures} <= {
        RequestFailure.UNKNOWN_OUTCOME,
        RequestFailure.LINK_DOWN,
        RequestFailure.NO_SUCH_LEG,
    }
