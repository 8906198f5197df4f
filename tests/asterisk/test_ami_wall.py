"""The AMI wall against a real Asterisk: what the fake server of the unit tests does is what this one does, and faults pass."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from time import perf_counter
from typing import TypeVar

import pytest
import pytest_asyncio

from acd.ids import DeviceId, LegId, OfferId, PbxId
from acd.telephony import (
    CallEntered,
    CallerFreed,
    CallGone,
    HangUp,
    LegStage,
    LinkDown,
    Offer,
    OfferEnded,
    OfferMissed,
    OfferRinging,
    PbxSnapshot,
    RequestFailed,
    RequestFailure,
    ReturnToLine,
    TalkBegan,
    Withdraw,
)
from ami import actions
from ami.answers import Outcome
from ami.health import HealthState, NobodyObserves
from ami.link import LinkConfig
from ami.pbx import Pbx, PbxConfig
from ami.readings import ChannelReading, read_channel
from tests.support.fake_ami import FakeAmi
from tests.support.fault_proxy import FaultProxy
from tests.support.pbx import TestPbx
from tests.support.phonebank import PhoneBank
from tests.support.until import until

F = TypeVar("F")
NAME = "pbx1"


def kinds(facts: Sequence[object]) -> list[str]:
    return [type(fact).__name__ for fact in facts if hasattr(fact, "call")]


class Hands:
    """A ``Pbx`` over a proxy, what it tells, and requests in few words."""

    def __init__(self, port: int, secret: str, name: str) -> None:
        self.facts: list[object] = []
        link = LinkConfig("127.0.0.1", port, "nobat", secret)  # the deadlines as shipped
        config = PbxConfig(PbxId(name), link)
        self.pbx = Pbx(config, self.facts.append, NobodyObserves(), perf_counter, random.Random(5))

    def seen(self, kind: type) -> list[object]:
        return [fact for fact in self.facts if isinstance(fact, kind)]

    async def hears(self, kind: type[F], count: int = 1, within_s: float = 10) -> F:
        def enough() -> bool:
            return len(self.seen(kind)) >= count

        await until(
            enough, f"{count} {kind.__name__}", within_s=within_s, every_s=0.005, seen=lambda: kinds(self.facts)
        )
        found = self.seen(kind)[count - 1]
        assert isinstance(found, kind)
        return found

    async def until_state(self, state: HealthState, within_s: float = 10) -> None:
        await until(
            lambda: self.pbx.health.state is state,
            state,
            within_s=within_s,
            every_s=0.005,
            seen=lambda: self.pbx.health,
        )

    def offer(self, entered: CallEntered, *phones: str, offer: str = "of1", ring_s: int = 10) -> Offer:
        targets = tuple(DeviceId(f"{NAME}/PJSIP/{phone}") for phone in phones)
        request = Offer(entered.call, entered.leg, OfferId(f"{entered.call}.{offer}"), targets, ring_s)
        self.pbx.send([request])
        return request


@asynccontextmanager
async def hands(port: int, secret: str) -> AsyncIterator[Hands]:
    made = Hands(port, secret, NAME)
    await made.pbx.set_queue_numbers({"8000": "sales"})
    task = asyncio.create_task(made.pbx.run())
    try:
        yield made
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def pbx() -> AsyncIterator[TestPbx]:
    """A PBX of this module's own: it is told queues' numbers, and other tests expect one that never was."""
    started = await TestPbx.started("wall")
    yield started
    await started.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def own_bank(pbx: TestPbx) -> AsyncIterator[PhoneBank]:
    bank = await pbx.phone_bank()
    yield bank
    await bank.close()


@pytest_asyncio.fixture(loop_scope="session")
async def bank(own_bank: PhoneBank, pbx: TestPbx) -> AsyncIterator[PhoneBank]:
    """Phones that answer at once, and nobody who calls; no channel may be left of the test before."""
    yield own_bank
    await own_bank.quiet()
    await until(pbx.is_quiet, "no channel left on the PBX", within_s=10)


@pytest_asyncio.fixture(loop_scope="session")
async def proxy(pbx: TestPbx) -> AsyncIterator[FaultProxy]:
    async with FaultProxy(pbx.ami_port) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="session")
async def ours(proxy: FaultProxy, pbx: TestPbx, bank: PhoneBank) -> AsyncIterator[Hands]:
    async with hands(proxy.port, pbx.ami_secret) as made:
        await made.until_state(HealthState.READY)
        yield made


async def test_a_whole_call_with_every_event_twice_and_cut_into_crumbs(
    ours: Hands, proxy: FaultProxy, bank: PhoneBank
) -> None:
    proxy.twice, proxy.slices = True, random.Random(11)
    await bank.given_phone("agent-101", does="busy")
    await bank.given_phone("agent-102", ring=0.2, talk=0.5)
    await bank.call("8000", name="نوبت‌دهی شرکت")
    entered = await ours.hears(CallEntered)
    assert entered.name == "نوبت‌دهی شرکت"
    ours.offer(entered, "agent-101")
    await ours.hears(OfferEnded)
    ours.offer(entered, "agent-102", "agent-999", offer="of2")
    freed = await ours.hears(CallerFreed)
    ours.pbx.send([HangUp(entered.leg)])
    await ours.hears(CallGone)
    assert kinds(ours.facts) == [
        *("CallEntered", "OfferRinging", "OfferMissed", "OfferEnded"),
        *(
            "OfferRinging",
            "OfferMissed",
            "OfferAnswered",
            "TalkBegan",
            "AgentHungUp",
            "AgentLegGone",
            "CallerFreed",
            "CallGone",
        ),
    ]
    assert [fact.cause for fact in ours.facts if isinstance(fact, OfferMissed)] == ["busy", "unreachable"]
    assert freed.call == entered.call
    assert ours.pbx._tracker.book.size() == 0


async def test_a_phone_is_withdrawn_and_the_caller_waits_again(ours: Hands, bank: PhoneBank) -> None:
    await bank.given_phone("agent-101", does="silent")
    await bank.call("8000")
    entered = await ours.hears(CallEntered)
    offer = ours.offer(entered, "agent-101")
    ringing = await ours.hears(OfferRinging)
    ours.pbx.send([Withdraw(entered.call, offer.offer, (ringing.leg,))])
    assert (await ours.hears(OfferMissed)).cause == "cancelled"
    await ours.hears(OfferEnded)
    ours.pbx.send([HangUp(entered.leg)])
    await ours.hears(CallGone)


async def test_a_caller_whose_agent_was_lost_goes_back_to_the_line(ours: Hands, bank: PhoneBank) -> None:
    await bank.given_phone("agent-101", talk=0.3)
    await bank.call("8000")
    entered = await ours.hears(CallEntered)
    ours.offer(entered, "agent-101")
    await ours.hears(CallerFreed)
    ours.pbx.send([ReturnToLine(entered.call, entered.leg)])
    await asyncio.sleep(1.5)  # longer than acd-after waits before it hangs up
    assert ours.seen(CallGone) == []
    assert ours.seen(RequestFailed) == []
    ours.offer(entered, "agent-101", offer="of2")
    await ours.hears(TalkBegan, 2)
    ours.pbx.send([HangUp(entered.leg)])
    await ours.hears(CallGone)


async def test_a_reset_costs_less_than_a_second_and_no_call(ours: Hands, proxy: FaultProxy, bank: PhoneBank) -> None:
    await bank.given_phone("agent-101", talk=0)
    await bank.given_phone("agent-102", does="silent")
    customers = []
    for number, phone in enumerate(("agent-101", "agent-102", None), 1):
        customers.append(await bank.call("8000"))
        entered = await ours.hears(CallEntered, number)
        if phone is not None:
            ours.offer(entered, phone, ring_s=60)
    await ours.hears(TalkBegan)
    await ours.hears(OfferRinging, 2)
    entries = [fact for fact in ours.facts if isinstance(fact, CallEntered)]
    cut_at = perf_counter()
    proxy.reset()
    snapshot = await ours.hears(PbxSnapshot, 2)
    assert perf_counter() - cut_at < 1
    found = {call.entered: call for call in snapshot.calls}
    assert set(found) == set(entries)
    assert [found[entry].stage for entry in entries] == [LegStage.TALKING, LegStage.OFFERED, LegStage.WAITING]
    assert found[entries[0]].device == "pbx1/PJSIP/agent-101"
    assert 0 <= (found[entries[0]].connected_at or 0) - entries[0].entered_at < 10
    await ours.hears(OfferRinging, 3)  # told again, for a service that has just started
    for customer in customers:
        await bank.leave(customer)
    await ours.hears(CallGone, 3)
    assert ours.pbx._tracker.book.size() == 0


async def test_a_black_hole_is_declared_dead_within_3_s_and_left_when_the_light_is_back(
    ours: Hands, proxy: FaultProxy
) -> None:
    proxy.black_hole()
    dark_at = perf_counter()
    await ours.until_state(HealthState.DOWN, within_s=5)
    assert perf_counter() - dark_at < 3
    assert isinstance(ours.facts[-1], LinkDown)
    proxy.light()
    await ours.until_state(HealthState.READY)


async def test_an_offer_whose_answers_are_eaten_is_unknown_and_never_sent_again(
    ours: Hands, proxy: FaultProxy, bank: PhoneBank
) -> None:
    await bank.given_phone("agent-101", does="silent")
    await bank.call("8000")
    entered = await ours.hears(CallEntered)
    proxy.swallow = {b"Setvar", b"Redirect"}
    offer = ours.offer(entered, "agent-101", ring_s=30)
    await ours.hears(OfferRinging)  # it was done, and the events say so
    proxy.reset()
    failed = await ours.hears(RequestFailed)
    assert failed == RequestFailed(offer, RequestFailure.UNKNOWN_OUTCOME)
    proxy.swallow = set()
    snapshot = await ours.hears(PbxSnapshot, 2)
    assert [(call.stage, call.offer) for call in snapshot.calls] == [(LegStage.OFFERED, offer.offer)]
    assert proxy.actions.count(b"Redirect") == 1
    ours.pbx.send([HangUp(entered.leg)])
    await ours.hears(CallGone)


async def test_a_caller_who_is_gone_is_not_offered(ours: Hands, bank: PhoneBank) -> None:
    customer = await bank.call("8000")
    entered = await ours.hears(CallEntered)
    await bank.leave(customer)
    await ours.hears(CallGone)
    request = ours.offer(entered, "agent-101")
    assert ours.facts[-1] == RequestFailed(request, RequestFailure.NO_SUCH_LEG)


async def test_a_caller_who_leaves_in_the_moment_of_the_offer_is_gone_and_nothing_else(
    ours: Hands, bank: PhoneBank
) -> None:
    """Twenty times: the caller's BYE and the service's Redirect race; whoever wins, the call ends once and nothing stays."""
    await bank.given_phone("agent-101", does="silent")
    for number in range(1, 21):
        customer = await bank.call("8000")
        entered = await ours.hears(CallEntered, number)
        leaving = asyncio.create_task(bank.leave(customer))
        await asyncio.sleep(random.Random(number).uniform(0, 0.01))
        ours.offer(entered, "agent-101", offer=f"of{number}")
        gone = await ours.hears(CallGone, number)
        assert gone.call == entered.call
        await leaving
    await until(lambda: ours.pbx._tracker.book.size() == 0, "nothing is remembered")


HOSTILE = [
    "x\r\n\r\nAction: Originate\r\nChannel: Local/s@acd-wait\r\nContext: acd-wait\r\nExten: s\r\nPriority: 1",
    "x\nAction: Hangup\nChannel: /.*/",
    "/^.*$/",
    "PJSIP/agent-101",
    "${GLOBAL(ACD_SERVICE)}",
    "x" * 1200,
    "\0",
]


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_text_reaches_no_asterisk(ours: Hands, proxy: FaultProxy, bank: PhoneBank, text: str) -> None:
    await bank.call("8000")
    entered = await ours.hears(CallEntered)
    before = list(proxy.actions)
    requests = [
        Offer(entered.call, entered.leg, OfferId(text), (DeviceId("pbx1/PJSIP/agent-101"),), 5),
        Offer(entered.call, entered.leg, OfferId("of1"), (DeviceId(f"pbx1/PJSIP/{text}&PJSIP/x,1"),), 5),
        HangUp(LegId(text)),
        Withdraw(entered.call, OfferId(text), (LegId(text),)),
    ]
    ours.pbx.send(requests)
    assert not await ours.pbx.set_queue_numbers({text: "sales"})
    assert not await ours.pbx.answer_phone(text, text)
    assert [fact.request for fact in ours.facts if isinstance(fact, RequestFailed)] == requests
    assert set(proxy.actions[len(before) :]) <= {b"Ping", b"Status", b"CoreStatus", b"DeviceStateList", b"Setvar"}
    snapshot_of = await ours.pbx._link.ask(actions.Status())
    assert len(snapshot_of.items) == 1  # the caller, and nobody else
    ours.pbx.send([HangUp(entered.leg)])
    await ours.hears(CallGone)


async def test_a_wrong_secret_is_a_state_of_its_own(pbx: TestPbx) -> None:
    async with hands(pbx.ami_port, "wrong") as made:
        await made.until_state(HealthState.LOGIN_REFUSED)
        assert made.facts == [LinkDown(PbxId("pbx1"), "login_refused")]


async def test_the_fake_server_answers_as_asterisk_does(pbx: TestPbx) -> None:
    """What the unit tests stand on: the same outcome, message and number of items from both."""
    nobody = "PJSIP/nobody-00000000"
    wanted: list[actions.Action] = [
        actions.Ping(),
        actions.ShowDialPlan("acd-nowhere"),
        actions.Status(channel=nobody),
        actions.Status(),
        actions.SetVariable(nobody, "ACD_REPLY", "locked"),
        actions.SetGlobal("ACD_NUMBER_77", "x"),
        actions.SetGlobal("ACD_NUMBER_77", ""),
        actions.Redirect(nobody, "acd-wait"),
        actions.Hangup(nobody),
    ]
    async with FakeAmi() as fake, hands(fake.port, "secret") as theirs, hands(pbx.ami_port, pbx.ami_secret) as real:
        await theirs.until_state(HealthState.READY)
        await real.until_state(HealthState.READY)
        for action in wanted:
            said, measured = await theirs.pbx._link.ask(action), await real.pbx._link.ask(action)
            assert (said.outcome, said.message) == (measured.outcome, measured.message), action
            assert len(said.items) == len(measured.items), action
            assert said.no_such_channel == measured.no_such_channel, action


async def test_one_channel_is_read_as_asterisk_shows_it(ours: Hands, bank: PhoneBank) -> None:
    await bank.call("8000", name="مریم, رضایی")
    entered = await ours.hears(CallEntered)
    channel = ours.pbx._tracker.book.calls[entered.call].channel
    answer = await ours.pbx._link.ask(actions.Status(channel=channel))
    items = [read_channel(raw) for raw in answer.items]
    assert [type(item) for item in items] == [ChannelReading]
    ours.pbx.send([HangUp(entered.leg)])
    gone = await ours.hears(CallGone)
    assert gone.call == entered.call


async def test_asterisk_dies_and_is_routed_on_again_within_a_second_of_its_boot() -> None:
    own = await TestPbx.started("wall", agents=1)
    try:
        async with hands(own.ami_port, own.ami_secret) as made:
            await made.until_state(HealthState.READY)
            first = await made.hears(PbxSnapshot)
            await asyncio.to_thread(own.instance.kill)
            await made.hears(LinkDown)
            (answer,) = made.pbx._link.send(actions.Ping())
            assert (await answer).outcome is Outcome.NOT_CONNECTED
            await asyncio.sleep(2)  # long enough that the pauses between tries have grown
            await own.restart()
            booted_at = perf_counter()
            second = await made.hears(PbxSnapshot, 2)
            assert perf_counter() - booted_at < 1
            assert second.boot != first.boot
            assert not first.calls
            assert not second.calls
    finally:
        await own.close()
