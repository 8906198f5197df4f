"""One PBX as the engine sees it, against a server that speaks AMI: what is told, in what order, and what readiness says."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from acd.ids import CallId, LegId, OfferId, PbxId
from acd.telephony import (
    CallEntered,
    CallerFreed,
    CallGone,
    DeviceChanged,
    DeviceState,
    Fact,
    HangUp,
    LegStage,
    LinkDown,
    Offer,
    OfferRinging,
    PbxDraining,
    PbxSnapshot,
    RequestFailed,
    RequestFailure,
    Resync,
    ReturnToLine,
    Withdraw,
)
from ami.health import HealthState, NobodyObserves
from ami.link import LinkConfig
from ami.names import CONTEXTS
from ami.outbox import WINDOW
from ami.outputs import Asked, PhoneAsked
from ami.pbx import Pbx, PbxConfig
from tests.support.fake_ami import FakeAmi, FakeChannel, block
from tests.support.until import until

CALL = CallId("pbx1-1795317144100.7")
CALLER = LegId("pbx1-1795317144.7")
CHANNEL = "PJSIP/trunk-00000007"
AGENT_CHANNEL = "PJSIP/agent-101-00000008"
AGENT = LegId("pbx1-1795317145.8")
DEVICE = "pbx1/PJSIP/agent-101"
OFFER = Offer(CALL, CALLER, OfferId("of1"), (DEVICE,), 20)  # type: ignore[arg-type]


class Engine:
    """What a PBX under test has delivered."""

    def __init__(self) -> None:
        self.facts: list[Fact | Asked] = []
        self.clock = 1_000.0

    async def hears(self, kind: type, count: int = 1) -> list[object]:
        def seen() -> list[object]:
            return [fact for fact in self.facts if isinstance(fact, kind)]

        await until(lambda: len(seen()) >= count, f"{count} {kind.__name__}", every_s=0.002, seen=lambda: self.facts)
        return seen()


class Floor:
    """A PBX under test, its engine and its Asterisk."""

    def __init__(self, fake: FakeAmi, **changed: object) -> None:
        self.fake = fake
        self.engine = Engine()
        link = LinkConfig(
            "127.0.0.1", fake.port, "nobat", "secret",
            ping_every_s=0.1, ping_s=0.3, action_s=0.3, login_s=0.5, retry_first_s=0.02, absent_retry_s=0.05, refused_retry_s=0.05,
        )  # fmt: skip
        config = PbxConfig(PbxId("pbx1"), link, recheck_s=0.05, look_s=0.2, snapshot_s=0.5, snapshot_pause_s=0.01)
        self.pbx = Pbx(
            replace(config, **changed),  # type: ignore[arg-type]
            self.engine.facts.append,
            NobodyObserves(),
            lambda: self.engine.clock,
            random.Random(3),
        )

    async def until_state(self, state: HealthState) -> None:
        await until(lambda: self.pbx.health.state is state, state, every_s=0.002, seen=lambda: self.pbx.health)

    async def ready(self) -> None:
        await self.until_state(HealthState.READY)

    def caller_comes_in(self, **variables: str) -> FakeChannel:
        said = {"ACD_CALL": CALL, "ACD_QUEUE": "sales", "ACD_PRIO": "0", "ACD_STATE": "waiting", **variables}
        channel = FakeChannel(CHANNEL, CALLER, number="09121234567", caller_name="نوبت‌دهی", variables=said)
        self.fake.channels[CHANNEL] = channel
        return channel

    def agent_rings(self, offer: str = "of1") -> FakeChannel:
        said = {"ACD_FOR": CALL, "ACD_FOR_OFFER": offer}
        channel = self.fake.channels[AGENT_CHANNEL] = FakeChannel(AGENT_CHANNEL, AGENT, up=False, variables=said)
        return channel

    def says_enter(self) -> None:
        self.fake.say(
            "Event: UserEvent", f"Channel: {CHANNEL}", "Exten: 8000", f"Uniqueid: {CALLER}", "UserEvent: AcdEnter", f"Call: {CALL}"
        )  # fmt: skip

    def says_dial(self) -> None:
        self.fake.say(
            "Event: DialBegin", f"Uniqueid: {CALLER}", f"DestChannel: {AGENT_CHANNEL}", f"DestUniqueid: {AGENT}"
        )

    def says_gone(self, channel: str = CHANNEL, leg: str = CALLER) -> None:
        self.fake.channels.pop(channel, None)
        self.fake.say("Event: Hangup", f"Channel: {channel}", f"Uniqueid: {leg}", "Cause: 16")


@asynccontextmanager
async def running(floor: Floor) -> AsyncIterator[Floor]:
    task = asyncio.create_task(floor.pbx.run())
    try:
        yield floor
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def fake() -> AsyncIterator[FakeAmi]:
    async with FakeAmi() as server:
        server.devices = {"PJSIP/agent-101": "NOT_INUSE"}
        yield server


@pytest.fixture
async def floor(fake: FakeAmi) -> AsyncIterator[Floor]:
    async with running(Floor(fake)) as made:
        await made.ready()
        yield made


OTHER, OLD = "unsupported_asterisk", "known_holes"


class TestStart:
    async def test_a_snapshot_is_the_first_that_is_told(self, fake: FakeAmi) -> None:
        made = Floor(fake)
        made.caller_comes_in(ACD_OFFER="of0", ACD_DONE="of0")
        async with running(made):
            await made.ready()
        (snapshot,) = made.engine.facts[:1]
        assert isinstance(snapshot, PbxSnapshot)
        assert (snapshot.pbx, snapshot.boot) == ("pbx1", "2026-11-22T03:11:52")
        assert snapshot.devices == ((DEVICE, DeviceState.NOT_IN_USE),)
        (call,) = snapshot.calls
        assert (call.stage, call.offer) == (LegStage.WAITING, "of0")
        assert call.entered == CallEntered(CALL, CALLER, "sales", 1795317144.1, 7, 0, "09121234567", "نوبت‌دهی")

    async def test_health_says_what_it_is_waiting_for(self, fake: FakeAmi) -> None:
        fake.booted = False
        async with running(Floor(fake)) as made:
            await made.until_state(HealthState.STARTING)
            assert (made.pbx.health.reason, made.pbx.health.ready) == ("waiting_for_boot", False)
            fake.boot()
            await made.ready()
            assert made.pbx.health.asterisk_version == fake.version
            assert made.pbx.health.since == 1_000.0

    async def test_an_asterisk_without_our_dialplan_is_not_routed_on_until_it_has_it(self, fake: FakeAmi) -> None:
        fake.contexts -= {"acd-offer", "acd-codes"}
        async with running(Floor(fake)) as made:
            await made.until_state(HealthState.MISSING_CONTEXTS)
            assert made.pbx.health.reason == "missing_contexts:acd-offer,acd-codes"
            assert made.engine.facts == [LinkDown("pbx1", "missing_contexts:acd-offer,acd-codes")]
            fake.contexts |= {"acd-offer", "acd-codes"}
            await made.ready()
            assert len(fake.actions("Login")) == 1  # it looked again, over the link as it was

    async def test_a_reload_that_loses_our_dialplan_stops_the_routing_until_it_is_back(self, fake: FakeAmi) -> None:
        async with running(Floor(fake, snapshot_every_s=0.05)) as made:
            await made.ready()
            fake.contexts.clear()
            await made.until_state(HealthState.MISSING_CONTEXTS)
            made.pbx.send([OFFER])
            assert made.engine.facts[-1] == RequestFailed(OFFER, RequestFailure.LINK_DOWN)
            fake.contexts.update(CONTEXTS)
            await made.ready()
            assert isinstance(made.engine.facts[-1], PbxSnapshot)

    async def test_an_account_that_hears_nothing_is_flagged(self, fake: FakeAmi) -> None:
        fake.booted = False
        async with running(Floor(fake, boot_s=0.05)) as made:
            await made.ready()
            assert made.pbx.health.warnings == ("no_boot_event",)

    async def test_another_asterisk_than_ours_is_not_routed_on(self, fake: FakeAmi) -> None:
        fake.system_name = "pbx7"
        async with running(Floor(fake)) as made:
            await made.until_state(HealthState.WRONG_SYSTEM_NAME)

    async def test_missing_rights_are_a_state_of_their_own(self, fake: FakeAmi) -> None:
        fake.refuse["Setvar"] = "Permission denied"
        async with running(Floor(fake)) as made:
            await made.until_state(HealthState.MISSING_RIGHTS)
            fake.refuse.clear()
            await made.ready()

    async def test_an_asterisk_that_lives_dangerously_is_not_routed_on_until_it_does_not(self, fake: FakeAmi) -> None:
        fake.live_dangerously = True
        async with running(Floor(fake)) as made:
            await made.until_state(HealthState.DANGEROUS)
            assert made.engine.facts == [LinkDown("pbx1", "live_dangerously")]
            fake.live_dangerously = False
            await made.ready()
            asked = [one["Variable"] for one in fake.actions("Setvar") if "acd-probe" in one["Variable"]]
            assert asked[:2] == ["DB(acd-probe/live-dangerously)", "DB_DELETE(acd-probe/live-dangerously)"]
            assert asked[-1].startswith("DB(")

    async def test_a_harmless_asterisk_is_tried_once_a_session(self, fake: FakeAmi) -> None:
        async with running(Floor(fake, snapshot_every_s=0.02)) as made:
            await made.ready()
            await until(lambda: len(fake.actions("CoreSettings")) > 3, "it was looked at again")
            assert len([one for one in fake.actions("Setvar") if "acd-probe" in one["Variable"]]) == 1

    @pytest.mark.parametrize(
        ("version", "warnings"),
        [
            ("22.10.1+dfsg", ()), ("22.1.0", (OLD,)), ("22.11.0", (OTHER,)), ("20.15.2", (OTHER, OLD)),
            ("23.0.0", (OTHER,)), ("22.0.0", (OTHER, OLD)), ("GIT-master", (OTHER, OLD)),
        ],
    )  # fmt: skip
    async def test_a_version_outside_the_range_is_flagged(
        self, fake: FakeAmi, version: str, warnings: tuple[str, ...]
    ) -> None:
        fake.version = version
        async with running(Floor(fake)) as made:
            await made.ready()
            assert made.pbx.health.warnings == warnings

    async def test_a_wrong_secret_is_told_and_tried_again(self, fake: FakeAmi) -> None:
        fake.secret = "another"
        async with running(Floor(fake)) as made:
            await made.until_state(HealthState.LOGIN_REFUSED)
            assert made.engine.facts == [LinkDown("pbx1", "login_refused")]
            fake.secret = "secret"
            await made.ready()

    async def test_a_snapshot_that_is_not_answered_is_taken_again(self, fake: FakeAmi) -> None:
        fake.mute.add("Status")
        async with running(Floor(fake, snapshot_s=0.05)) as made:
            await until(lambda: made.pbx.health.reason == "snapshot_timeout", "timeout", seen=lambda: made.pbx.health)
            fake.mute.clear()
            await made.ready()


class TestEvents:
    async def test_a_caller_is_told_with_number_and_name_that_asterisk_was_asked_for(self, floor: Floor) -> None:
        floor.caller_comes_in()
        floor.says_enter()
        assert await floor.engine.hears(CallEntered) == [
            CallEntered(CALL, CALLER, "sales", 1795317144.1, 7, 0, "09121234567", "نوبت‌دهی")
        ]

    async def test_a_caller_who_left_before_the_question_is_told_and_gone(self, floor: Floor) -> None:
        floor.says_enter()
        floor.says_gone()
        await floor.engine.hears(CallGone)
        assert floor.engine.facts[1:] == [
            CallEntered(CALL, CALLER, "8000", 1795317144.1, 7, 0, None, None),
            CallGone(CALL, 16),
        ]

    async def test_a_question_that_is_never_answered_holds_a_caller_only_until_its_deadline(self, floor: Floor) -> None:
        floor.caller_comes_in()
        floor.fake.mute.add("Status")
        floor.says_enter()
        (entered,) = await floor.engine.hears(CallEntered)
        assert isinstance(entered, CallEntered)
        assert (entered.queue_key, entered.number) == ("8000", None)

    async def test_events_during_the_snapshot_come_after_it(self, fake: FakeAmi) -> None:
        fake.mute.add("DeviceStateList")
        made = Floor(fake, snapshot_s=5)
        async with running(made):
            await until(lambda: bool(fake.actions("DeviceStateList")), "the snapshot is being taken")
            made.caller_comes_in()
            made.says_enter()
            fake.say("Event: DeviceStateChange", "Timestamp: 9.9", "Device: PJSIP/agent-101", "State: BUSY")
            tag = f"ActionID: {fake.actions('DeviceStateList')[0]['ActionID']}"
            fake.say("Response: Success", tag, "EventList: start")
            fake.say("Event: DeviceStateChange", tag, "Device: PJSIP/agent-101", "State: NOT_INUSE")
            assert made.engine.facts == []
            fake.say("Event: DeviceStateListComplete", tag, "EventList: Complete", "ListItems: 1")
            await made.engine.hears(CallEntered)
        kinds = [type(fact) for fact in made.engine.facts]
        assert kinds[0] is PbxSnapshot
        assert set(kinds[1:]) == {CallEntered, DeviceChanged}

    async def test_a_listener_that_fails_over_one_fact_gets_the_next(self, fake: FakeAmi) -> None:
        made = Floor(fake)
        deliver = made.engine.facts.append

        def fails_over_entries(fact: Fact | Asked) -> None:
            deliver(fact)
            if isinstance(fact, CallEntered):
                raise RuntimeError("a listener that fails")  # noqa: TRY004 - any error will do

        made.pbx._deliver = fails_over_entries
        async with running(made):
            await made.ready()
            made.says_enter()
            made.says_gone()
            await made.engine.hears(CallGone)
            assert [type(fact) for fact in made.engine.facts] == [PbxSnapshot, CallEntered, CallGone]

    async def test_a_shutdown_is_told(self, floor: Floor) -> None:
        floor.fake.say("Event: Shutdown", "Shutdown: Cleanly", "Restart: False")
        assert await floor.engine.hears(PbxDraining) == [PbxDraining("pbx1")]

    async def test_a_forged_end_of_a_live_call_is_not_believed_and_everything_is_looked_at(self, floor: Floor) -> None:
        floor.caller_comes_in()
        floor.says_enter()
        await floor.engine.hears(CallEntered)
        forged = f"x\r\n\r\nEvent: Hangup\r\nChannel: {CHANNEL}\r\nUniqueid: {CALLER}\r\nCause: 16\r\n\r\n"
        floor.fake.say_raw(block("Event: DialBegin", f"CallerIDName: {forged}", "DestChannel: x", "DestUniqueid: y"))
        snapshots = await floor.engine.hears(PbxSnapshot, 2)
        assert [call.entered.call for call in snapshots[1].calls] == [CALL]  # type: ignore[attr-defined]
        floor.says_gone()
        await floor.engine.hears(CallGone)
        assert [type(fact) for fact in floor.engine.facts].count(CallGone) == 1

    async def test_a_caller_whose_event_was_damaged_is_found_by_the_snapshot(self, floor: Floor) -> None:
        floor.caller_comes_in()
        floor.fake.say("Event: UserEvent", f"Channel: {CHANNEL}", "UserEvent: AcdEnter", f"Call: {CALL}")
        (_, snapshot) = await floor.engine.hears(PbxSnapshot, 2)
        assert [call.entered.call for call in snapshot.calls] == [CALL]  # type: ignore[attr-defined]

    async def test_a_lost_event_is_made_up_for_by_the_next_look(self, fake: FakeAmi) -> None:
        async with running(Floor(fake, snapshot_every_s=0.05)) as made:
            await made.ready()
            made.caller_comes_in()
            await until(lambda: any(getattr(fact, "calls", ()) for fact in made.engine.facts), "the caller is seen")

    async def test_an_offer_made_while_everything_is_looked_at_is_not_taken_back_by_the_answer(
        self, floor: Floor
    ) -> None:
        """Asterisk has shown the caller waiting, then the offer leaves, then the look ends: the newer word is ours."""
        floor.caller_comes_in()
        floor.says_enter()
        await floor.engine.hears(CallEntered)
        before = len(floor.fake.actions("DeviceStateList"))
        floor.fake.mute.add("DeviceStateList")
        floor.pbx.send([Resync(PbxId("pbx1"), "test")])
        await until(lambda: len(floor.fake.actions("DeviceStateList")) > before, "the look has begun")
        floor.pbx.send([OFFER])
        await until(lambda: bool(floor.fake.actions("Redirect")), "Redirect")
        floor.says_dial()
        tag = f"ActionID: {floor.fake.actions('DeviceStateList')[-1]['ActionID']}"
        floor.fake.say("Response: Success", tag, "EventList: start")
        floor.fake.say("Event: DeviceStateListComplete", tag, "EventList: Complete", "ListItems: 0")
        await floor.engine.hears(OfferRinging)
        (_, snapshot) = await floor.engine.hears(PbxSnapshot, 2)
        assert [(call.stage, call.offer) for call in snapshot.calls] == [(LegStage.OFFERED, "of1")]  # type: ignore[attr-defined]
        assert floor.engine.facts[-2:] == [OfferRinging(CALL, "of1", DEVICE, AGENT), snapshot]

    async def test_a_return_to_the_line_while_everything_is_looked_at_is_not_taken_back(self, floor: Floor) -> None:
        caller = floor.caller_comes_in(ACD_STATE="after", ACD_OFFER="of0", ACD_DONE="of0")
        floor.pbx.send([Resync(PbxId("pbx1"), "test")])
        await floor.engine.hears(PbxSnapshot, 2)
        floor.fake.say(
            "Event: UserEvent",
            f"Channel: {CHANNEL}",
            f"Uniqueid: {CALLER}",
            "UserEvent: AcdAfter",
            f"Call: {CALL}",
            "Offer: of0",
        )
        await floor.engine.hears(CallerFreed)
        floor.fake.mute.add("DeviceStateList")
        before = len(floor.fake.actions("DeviceStateList"))
        floor.pbx.send([Resync(PbxId("pbx1"), "test")])
        await until(lambda: len(floor.fake.actions("DeviceStateList")) > before, "the look has begun")
        floor.pbx.send([ReturnToLine(CALL, CALLER)])
        tag = f"ActionID: {floor.fake.actions('DeviceStateList')[-1]['ActionID']}"
        floor.fake.say("Response: Success", tag, "EventList: start")
        floor.fake.say("Event: DeviceStateListComplete", tag, "EventList: Complete", "ListItems: 0")
        (*_, snapshot) = await floor.engine.hears(PbxSnapshot, 3)
        assert [call.stage for call in snapshot.calls] == [LegStage.WAITING]  # type: ignore[attr-defined]
        caller.variables["ACD_STATE"] = "waiting"
        floor.pbx.send([OFFER])
        await until(lambda: len(floor.fake.actions("Redirect")) == 2, "the offer leaves")

    async def test_a_resync_that_is_asked_for_is_delivered(self, floor: Floor) -> None:
        floor.pbx.send([Resync(PbxId("pbx1"), "offer_overdue")])
        await floor.engine.hears(PbxSnapshot, 2)


class TestRequests:
    async def given_a_waiting_caller(self, floor: Floor) -> None:
        floor.caller_comes_in()
        floor.says_enter()
        await floor.engine.hears(CallEntered)

    async def test_an_offer_is_its_variables_and_a_redirect_in_one_write(self, floor: Floor) -> None:
        await self.given_a_waiting_caller(floor)
        floor.fake.writes.clear()
        floor.pbx.send([OFFER])
        await until(lambda: bool(floor.fake.actions("Redirect")), "Redirect")
        assert 2 in floor.fake.writes
        assert [(a["Variable"], a["Value"]) for a in floor.fake.actions("Setvar") if "Channel" in a] == [
            ("ARRAY(ACD_OFFER,ACD_TARGETS,ACD_RING,ACD_RECORD)", "of1,PJSIP/agent-101,20,"),
        ]  # fmt: skip
        (redirect,) = floor.fake.actions("Redirect")
        assert (redirect["Channel"], redirect["Context"], redirect["Exten"]) == (CHANNEL, "acd-offer", "s")
        floor.says_dial()
        assert await floor.engine.hears(OfferRinging) == [OfferRinging(CALL, "of1", DEVICE, AGENT)]

    async def test_an_offer_is_sent_once_and_never_to_one_who_rings(self, floor: Floor) -> None:
        await self.given_a_waiting_caller(floor)
        floor.pbx.send([OFFER, OFFER])
        assert floor.engine.facts[-1] == RequestFailed(OFFER, RequestFailure.REFUSED)
        floor.says_dial()
        await floor.engine.hears(OfferRinging)
        another = replace(OFFER, offer=OfferId("of2"))
        floor.pbx.send([another])
        assert floor.engine.facts[-1] == RequestFailed(another, RequestFailure.REFUSED)
        await asyncio.sleep(0)
        assert len(floor.fake.actions("Redirect")) <= 1

    async def test_withdrawing_hangs_up_the_ringing_phone_by_its_exact_name(self, floor: Floor) -> None:
        await self.given_a_waiting_caller(floor)
        floor.pbx.send([OFFER])
        floor.agent_rings()
        floor.says_dial()
        await floor.engine.hears(OfferRinging)
        floor.pbx.send([Withdraw(CALL, OfferId("of1"), (AGENT,))])
        await until(lambda: bool(floor.fake.actions("Hangup")), "Hangup")
        assert [action["Channel"] for action in floor.fake.actions("Hangup")] == [AGENT_CHANNEL]

    async def test_hanging_up_a_caller_names_the_cause(self, floor: Floor) -> None:
        await self.given_a_waiting_caller(floor)
        floor.pbx.send([HangUp(CALLER, 1)])
        await until(lambda: bool(floor.fake.actions("Hangup")), "Hangup")
        assert (floor.fake.actions("Hangup")[0]["Channel"], floor.fake.actions("Hangup")[0]["Cause"]) == (CHANNEL, "1")

    async def test_a_caller_goes_back_to_the_line(self, floor: Floor) -> None:
        await self.given_a_waiting_caller(floor)
        floor.pbx.send([ReturnToLine(CALL, CALLER)])
        await until(lambda: bool(floor.fake.actions("Redirect")), "Redirect")
        assert floor.fake.actions("Redirect")[0]["Context"] == "acd-wait"

    @pytest.mark.parametrize(
        "request_",
        [
            replace(OFFER, call=CallId("pbx1-1795317144100.99")),
            replace(OFFER, leg=LegId("pbx1-1.99")),
            HangUp(LegId("pbx1-1.99")),
            HangUp(LegId("/^.*$/")),
            Withdraw(CALL, OfferId("of1"), (LegId("pbx1-1.99"),)),
            ReturnToLine(CallId("pbx1-1795317144100.99"), CALLER),
        ],
    )
    async def test_an_unknown_leg_is_refused_and_nothing_is_sent(self, floor: Floor, request_: Offer) -> None:
        await self.given_a_waiting_caller(floor)
        before = len(floor.fake.received)
        floor.pbx.send([request_])
        assert floor.engine.facts[-1] == RequestFailed(request_, RequestFailure.NO_SUCH_LEG)
        assert {action["Action"] for action in floor.fake.received[before:]} <= {"Ping"}

    @pytest.mark.parametrize(
        "bad",
        [
            replace(OFFER, offer=OfferId("of1\r\nAction: Hangup")),
            replace(OFFER, targets=("pbx1/PJSIP/x,10",)),  # type: ignore[arg-type]
            replace(OFFER, targets=()),
        ],
    )
    async def test_what_must_not_be_sent_is_refused(self, floor: Floor, bad: Offer) -> None:
        await self.given_a_waiting_caller(floor)
        floor.pbx.send([bad])
        assert floor.engine.facts[-1] == RequestFailed(bad, RequestFailure.REFUSED)
        floor.pbx.send([OFFER])  # the caller can still be offered
        await until(lambda: bool(floor.fake.actions("Redirect")), "Redirect")

    @pytest.mark.parametrize(
        ("spoil", "why"),
        [
            (lambda fake: fake.channels.clear(), RequestFailure.NO_SUCH_LEG),
            (lambda fake: fake.refuse.update(Redirect="Permission denied"), RequestFailure.REFUSED),
            (lambda fake: fake.mute.add("Redirect"), RequestFailure.UNKNOWN_OUTCOME),
            (lambda fake: fake.drop_on.add("Redirect"), RequestFailure.UNKNOWN_OUTCOME),
        ],
    )
    async def test_a_failure_comes_back_as_a_fact_once(
        self, floor: Floor, spoil: Callable[[FakeAmi], object], why: RequestFailure
    ) -> None:
        await self.given_a_waiting_caller(floor)
        spoil(floor.fake)
        floor.pbx.send([OFFER])
        assert await floor.engine.hears(RequestFailed) == [RequestFailed(OFFER, why)]

    async def test_a_burst_is_paced_and_all_of_it_arrives(self, floor: Floor) -> None:
        """300 callers are offered at once: at no moment are more than so many actions open, and none is left out."""
        for serial in range(100, 400):
            channel = f"PJSIP/trunk-{serial:08x}"
            said = {"ACD_CALL": f"pbx1-1795317144100.{serial}", "ACD_STATE": "waiting"}
            floor.fake.channels[channel] = FakeChannel(channel, f"pbx1-1795317144.{serial}", variables=said)
        floor.pbx.send([Resync(PbxId("pbx1"), "test")])
        await floor.engine.hears(PbxSnapshot, 2)
        floor.fake.writes.clear()
        floor.pbx.send(
            [
                Offer(
                    CallId(f"pbx1-1795317144100.{n}"), LegId(f"pbx1-1795317144.{n}"), OfferId(f"of{n}"), (DEVICE,), 20
                )  # type: ignore[arg-type]
                for n in range(100, 400)
            ]
        )
        await until(lambda: len(floor.fake.actions("Redirect")) == 300, "300 offers")
        assert max(floor.fake.writes) <= WINDOW + 8
        assert [fact for fact in floor.engine.facts if isinstance(fact, RequestFailed)] == []

    async def test_a_burst_that_meets_a_lost_link_comes_back_whole(self, floor: Floor) -> None:
        await self.given_a_waiting_caller(floor)
        floor.fake.drop_on.add("Hangup")
        requests = [HangUp(CALLER) for _ in range(300)]
        floor.pbx.send(requests)
        failures = await floor.engine.hears(RequestFailed, 300)
        whys = [failure.why for failure in failures]  # type: ignore[attr-defined]
        assert set(whys) <= {RequestFailure.UNKNOWN_OUTCOME, RequestFailure.LINK_DOWN, RequestFailure.NO_SUCH_LEG}
        assert whys[0] is RequestFailure.UNKNOWN_OUTCOME

    async def test_an_offer_while_nothing_is_known_comes_back_at_once(self, fake: FakeAmi) -> None:
        made = Floor(fake)
        made.pbx.send([OFFER])
        assert made.engine.facts == [RequestFailed(OFFER, RequestFailure.LINK_DOWN)]


class TestReconnect:
    async def test_a_cut_is_told_and_the_truth_after_it(self, floor: Floor) -> None:
        floor.caller_comes_in()
        floor.says_enter()
        await floor.engine.hears(CallEntered)
        floor.fake.reset()
        await floor.engine.hears(PbxSnapshot, 2)
        kinds = [type(fact) for fact in floor.engine.facts]
        assert kinds == [PbxSnapshot, CallEntered, LinkDown, PbxSnapshot]

    async def test_what_happened_meanwhile_is_in_the_snapshot(self, floor: Floor) -> None:
        floor.caller_comes_in()
        floor.says_enter()
        await floor.engine.hears(CallEntered)
        floor.fake.reset()
        caller = floor.caller_comes_in(
            ACD_STATE="talking", ACD_OFFER="of1", ACD_TARGETS="PJSIP/agent-101", ACD_CONNECTED="1795317150500"
        )
        agent = floor.agent_rings()
        caller.bridge = agent.bridge = "b-1"
        agent.up = True
        (_, snapshot) = await floor.engine.hears(PbxSnapshot, 2)
        (call,) = snapshot.calls  # type: ignore[attr-defined]
        assert (call.stage, call.offer, call.device, call.agent_leg) == (LegStage.TALKING, "of1", DEVICE, AGENT)
        assert call.connected_at == 1795317150.5
        floor.pbx.send([HangUp(AGENT)])
        await until(lambda: bool(floor.fake.actions("Hangup")), "Hangup")

    async def test_phones_that_ring_are_told_after_the_snapshot(self, floor: Floor) -> None:
        floor.fake.reset()
        floor.caller_comes_in(ACD_STATE="offered", ACD_OFFER="of1", ACD_TARGETS="PJSIP/agent-101&PJSIP/agent-102")
        floor.agent_rings()
        await floor.engine.hears(OfferRinging)
        assert isinstance(floor.engine.facts[-2], PbxSnapshot)
        assert floor.engine.facts[-1] == OfferRinging(CALL, "of1", DEVICE, AGENT)

    async def test_no_request_is_sent_again(self, floor: Floor) -> None:
        floor.caller_comes_in()
        floor.says_enter()
        await floor.engine.hears(CallEntered)
        floor.fake.drop_on.add("Redirect")
        floor.pbx.send([OFFER])
        await floor.engine.hears(PbxSnapshot, 2)
        assert len(floor.fake.actions("Redirect")) == 1
        assert len([a for a in floor.fake.actions("Setvar") if "Channel" in a]) == 1

    async def test_another_boot_has_another_name(self, floor: Floor) -> None:
        await floor.fake.vanish()
        floor.fake.started_at = ("2026-11-22", "03:15:00")
        await floor.until_state(HealthState.DOWN)
        await floor.fake.listen()
        snapshots = await floor.engine.hears(PbxSnapshot, 2)
        assert snapshots[0].boot != snapshots[1].boot  # type: ignore[attr-defined]

    async def test_one_loss_is_told_once_however_often_it_is_tried(self, floor: Floor) -> None:
        await floor.fake.vanish()
        await until(lambda: floor.pbx.health.reason == "connection_refused", "refused")
        logins = len(floor.fake.actions("Login"))
        await floor.fake.listen()
        await until(lambda: len(floor.fake.actions("Login")) > logins, "a new login")
        downs = [fact for fact in floor.engine.facts if isinstance(fact, LinkDown)]
        assert len({down.reason for down in downs}) == len(downs)


def told(floor: Floor) -> dict[str, str]:
    """The globals that say which number is which queue."""
    return {name: value for name, value in floor.fake.globals.items() if name.startswith(("ACD_N", "ACD_S"))}


def sounds(floor: Floor) -> dict[str, str]:
    return {name: value for name, value in floor.fake.globals.items() if name not in ("ACD_EPOCH", "ACD_HEARTBEAT")}


class TestGlobals:
    async def test_numbers_are_told_again_after_a_reconnect_and_taken_away_when_gone(self, floor: Floor) -> None:
        assert await floor.pbx.set_queue_numbers({"8000": "sales", "8001": "support"})
        assert told(floor) == {"ACD_NUMBER_8000": "sales", "ACD_NUMBER_8001": "support", "ACD_SERVICE": "1"}
        assert await floor.pbx.set_queue_numbers({"8000": "sales"})
        assert floor.fake.globals["ACD_NUMBER_8001"] == ""
        floor.fake.globals.clear()
        floor.fake.reset()
        await floor.engine.hears(PbxSnapshot, 2)
        assert told(floor) == {"ACD_NUMBER_8000": "sales", "ACD_NUMBER_8001": "", "ACD_SERVICE": "1"}

    async def test_numbers_are_told_before_the_service_says_that_it_is_there(self, fake: FakeAmi) -> None:
        made = Floor(fake)
        assert not await made.pbx.set_queue_numbers({"8000": "sales"})  # kept, and told later
        async with running(made):
            await made.ready()
        told_first = [action["Variable"] for action in fake.actions("Setvar")]
        assert told_first[1:] == ["ACD_NUMBER_8000", "ACD_SERVICE", "ACD_EPOCH", "ACD_HEARTBEAT"]

    async def test_music_and_languages_are_told_and_taken_away(self, floor: Floor) -> None:
        assert await floor.pbx.set_queue_sounds({"sales": ("jazz", "fa"), "support": ("", "")})
        told = {"ACD_MUSIC_sales": "jazz", "ACD_LANGUAGE_sales": "fa"}
        assert sounds(floor) == {"ACD_SERVICE": "1", **told}
        assert await floor.pbx.set_queue_sounds({"sales": ("", "en")})
        told = {"ACD_MUSIC_sales": "", "ACD_LANGUAGE_sales": "en"}
        assert sounds(floor) == {"ACD_SERVICE": "1", **told}
        floor.fake.globals.clear()
        floor.fake.reset()
        await floor.engine.hears(PbxSnapshot, 2)
        assert sounds(floor) == {"ACD_SERVICE": "1", **told}
        assert not await floor.pbx.set_queue_sounds({"sales": ("ja,zz", "")})

    async def test_titles_are_told_with_the_numbers_and_again_after_a_reconnect(self, floor: Floor) -> None:
        titles = {"sales": "Sales (desk)", "a b": "x"}
        assert await floor.pbx.set_queue_numbers({"8000": "sales"}, titles)
        expected = {"ACD_NUMBER_8000": "sales", "ACD_TITLE_sales": "Sales desk", "ACD_SERVICE": "1"}
        assert sounds(floor) == expected
        floor.fake.globals.clear()
        floor.fake.reset()
        await floor.engine.hears(PbxSnapshot, 2)
        assert sounds(floor) == expected
        assert await floor.pbx.set_queue_numbers({"8000": "sales"}, {})
        assert floor.fake.globals["ACD_TITLE_sales"] == ""

    @pytest.mark.parametrize("numbers", [{"80\r\n00": "sales"}, {"8000": "sa\nles"}, {"": "x"}, {"8000)": "x"}])
    async def test_hostile_numbers_are_left_out_and_spoil_no_reconnect(
        self, floor: Floor, numbers: dict[str, str]
    ) -> None:
        assert not await floor.pbx.set_queue_numbers({**numbers, "8009": "good"})
        expected = {"ACD_NUMBER_8009": "good", "ACD_SERVICE": "1"}
        assert told(floor) == expected
        floor.fake.globals.clear()
        floor.fake.reset()
        await floor.engine.hears(PbxSnapshot, 2)
        assert told(floor) == expected


class TestCodes:
    PHONE = "PJSIP/agent-102-00000005"
    LEG = "pbx1-1795317145.5"

    def asks(self, floor: Floor) -> None:
        said = {"ACD_ASK": self.LEG, "ACD_KIND": "sign_in", "ACD_AGENT": "101", "ACD_PIN": "4711"}
        floor.fake.channels[self.PHONE] = FakeChannel(self.PHONE, self.LEG, variables=said)
        floor.fake.say(
            "Event: UserEvent",
            f"Channel: {self.PHONE}",
            f"Uniqueid: {self.LEG}",
            "UserEvent: AcdAsk",
            f"Ask: {self.LEG}",
            "Kind: sign_in",
        )

    async def test_a_phone_asks_and_is_answered(self, floor: Floor) -> None:
        self.asks(floor)
        (asked,) = await floor.engine.hears(PhoneAsked)
        assert asked == PhoneAsked(self.LEG, "pbx1/PJSIP/agent-102", "sign_in", "101", "4711", "")
        assert await floor.pbx.answer_phone(self.LEG, "signed_in")
        assert floor.fake.channels[self.PHONE].variables["ACD_REPLY"] == "signed_in"
        (redirect,) = floor.fake.actions("Redirect")
        assert (redirect["Context"], redirect["Exten"]) == ("acd-codes", "reply")

    async def test_a_phone_that_has_hung_up_is_not_answered(self, floor: Floor) -> None:
        self.asks(floor)
        await floor.engine.hears(PhoneAsked)
        floor.says_gone(self.PHONE, self.LEG)
        await until(lambda: floor.pbx._tracker.book.size() == 0, "nothing is remembered")
        assert not await floor.pbx.answer_phone(self.LEG, "signed_in")
        assert floor.fake.actions("Redirect") == []

    async def test_a_reply_with_control_characters_is_not_sent(self, floor: Floor) -> None:
        self.asks(floor)
        await floor.engine.hears(PhoneAsked)
        assert not await floor.pbx.answer_phone(self.LEG, "signed_in\r\nAction: Hangup")
        assert floor.fake.actions("Redirect") == []

    async def test_a_phone_can_be_answered_after_a_look_at_everything(self, floor: Floor) -> None:
        self.asks(floor)
        await floor.engine.hears(PhoneAsked)
        floor.pbx.send([Resync(PbxId("pbx1"), "test")])
        await floor.engine.hears(PbxSnapshot, 2)
        assert await floor.pbx.answer_phone(self.LEG, "signed_in")
