"""The snapshot: what was recorded of a real Asterisk, what a damaged item costs, and what is kept of what was known."""

import asyncio
from collections.abc import Sequence

import pytest

from acd.ids import CallId, LegId, OfferId, PbxId
from acd.telephony import CallerFreed, DeviceState, Held, LegStage, OfferRinging, PbxSnapshot, Resumed, SnapshotCall
from ami import actions, decoder, names, resync
from ami import events as e
from ami.answers import Answer, Outcome
from ami.book import AskingPhone, Snapshot
from ami.events import Reason
from ami.readings import ChannelReading, read_channel
from ami.resync import Findings, SnapshotFailed, build
from tests.replay.player import RECORDINGS
from tests.support.fake_ami import FakeChannel
from tests.unit.ami.wire import (
    CALL,
    CALLER,
    CALLER_CHANNEL,
    PBX,
    Desk,
    agent_bridged,
    agent_channel,
    agent_gone,
    agent_hangs_up,
    caller_bridged,
    caller_gone,
    caller_reading,
    comes_in,
    device,
    dial_begins,
    given_a_waiting_caller,
    given_an_offer,
    kinds,
    leg,
    offer_over,
    picks_up,
    talk_over,
)


def agent_reading(
    number: int, serial: int, bridge: str | None = None, offer: str = "of1", up: bool = False
) -> ChannelReading:
    said = {names.FOR_CALL: CALL, names.FOR_OFFER: offer}
    return ChannelReading(agent_channel(number, serial), leg(serial), up, bridge, None, None, said)


def caller(state: str, bridge: str | None = None, **said: str) -> ChannelReading:
    found = caller_reading(state, **said)
    return ChannelReading(found.channel, found.leg, True, bridge, found.number, found.name, found.variables)


OFFERED = {names.OFFER_ID: "of1", names.TARGETS: "PJSIP/agent-101&PJSIP/agent-102"}
TALKING = {**OFFERED, names.CONNECTED: "1795317150500"}


def seen(*channels: ChannelReading) -> Snapshot:
    return build(PBX, Findings("boot", list(channels)))


def found(*channels: ChannelReading) -> SnapshotCall:
    (call,) = seen(*channels).fact.calls
    return call


def test_a_recorded_snapshot_of_a_real_asterisk() -> None:
    blocks = (RECORDINGS / "snapshot.ami").read_bytes().split(b"\r\n\r\n")
    readings = [read_channel(raw) for raw in blocks if raw.startswith(b"Event: Status\r\n")]
    channels = [reading for reading in readings if isinstance(reading, ChannelReading)]
    assert len(channels) == len(readings) == 5
    devices = [decoder.read_device(raw) for raw in blocks if raw.startswith(b"Event: DeviceStateChange\r\n")]
    states = [(seen.device, seen.state) for seen in devices if isinstance(seen, e.DeviceStateSeen)]
    taken = build(PbxId("pbx1"), Findings("boot", channels, states))
    assert {call.entered.name for call in taken.fact.calls} == {"Talker", "Ringer", "Waiter"}
    calls = {call.stage: call for call in taken.fact.calls}
    assert calls[LegStage.TALKING].device == "pbx1/PJSIP/agent-101"
    assert calls[LegStage.TALKING].connected_at is not None
    assert (calls[LegStage.OFFERED].offer, calls[LegStage.OFFERED].device) == ("of2", None)
    assert calls[LegStage.WAITING].offer is None
    assert [leg.device for leg in taken.legs] == ["pbx1/PJSIP/agent-101", "pbx1/PJSIP/agent-102"]
    assert ("pbx1/PJSIP/agent-101", DeviceState.BUSY) in taken.fact.devices


class TestStages:
    def test_waiting(self) -> None:
        assert found(caller("waiting")).stage is LegStage.WAITING

    def test_waiting_after_an_offer_that_is_over(self) -> None:
        call = found(caller("waiting", **OFFERED, **{names.DONE: "of1"}))
        assert (call.stage, call.offer) == (LegStage.WAITING, "of1")

    def test_an_offer_that_has_reached_the_channel_is_out(self) -> None:
        assert found(caller("waiting", **OFFERED)).stage is LegStage.OFFERED

    def test_ringing(self) -> None:
        call = found(caller("offered", **OFFERED), agent_reading(101, 8))
        assert (call.stage, call.offer, call.device) == (LegStage.OFFERED, "of1", None)

    def test_talking(self) -> None:
        call = found(
            caller("talking", "b-1", **TALKING), agent_reading(101, 8, up=True), agent_reading(102, 9, "b-1", up=True)
        )
        assert (call.stage, call.device, call.agent_leg) == (LegStage.TALKING, device(102), leg(9))
        assert call.connected_at == 1795317150.5

    def test_picked_up_and_not_yet_in_the_bridge(self) -> None:
        desk = Desk()
        taken = seen(caller("talking", **TALKING), agent_reading(101, 8, up=True))
        assert taken.fact.calls[0].stage is LegStage.OFFERED
        desk.tracker.prime(taken)
        desk.hears(agent_bridged(101, 8), caller_bridged())
        assert kinds(desk.facts) == ["TalkBegan"]

    def test_talking_with_a_leg_that_has_just_gone(self) -> None:
        call = found(caller("talking", **TALKING))
        assert (call.stage, call.device) == (LegStage.TALKING, None)

    def test_after(self) -> None:
        assert found(caller("after", **TALKING)).stage is LegStage.AFTER

    @pytest.mark.parametrize("state", ["", "strange"])
    def test_a_state_that_is_none_of_ours_is_waiting(self, state: str) -> None:
        assert found(caller(state)).stage is LegStage.WAITING

    def test_channels_that_are_none_of_ours_are_left_out(self) -> None:
        foreign = ChannelReading("PJSIP/agent-101-00000001", "pbx1-1.1", True, None, None, None)
        forged = ChannelReading("PJSIP/x-00000001", "pbx1-1.9", True, None, None, None, {names.CALL: CALL})
        stray = agent_reading(101, 8, offer="of9")
        taken = seen(foreign, forged, caller("offered", **OFFERED), stray)
        assert [call.entered.leg for call in taken.fact.calls] == [CALLER]
        assert taken.legs == ()


class TestGoingOn:
    """A snapshot after a link was lost for a moment: what was known and still holds is kept, nothing is said twice."""

    def test_a_call_goes_on_through_a_snapshot(self) -> None:
        desk = given_an_offer(101, 102).hears(dial_begins(101, 8), agent_hangs_up(101, 8, "17"))
        desk.tracker.prime(seen(caller("offered", **OFFERED), agent_reading(101, 8)))
        desk.facts.clear()
        desk.hears(e.DialEnded(agent_channel(101, 8), leg(8), "NOANSWER", CALLER), offer_over())
        assert [getattr(fact, "cause", None) for fact in desk.facts] == ["busy", "unreachable", None]

    def test_a_phone_that_was_told_as_missed_is_not_told_again(self) -> None:
        desk = given_an_offer(101, 102).hears(
            dial_begins(101, 8), e.DialEnded(agent_channel(101, 8), leg(8), "NOANSWER", CALLER)
        )
        desk.tracker.prime(seen(caller("offered", **OFFERED)))
        desk.facts.clear()
        assert kinds(desk.hears(offer_over()).facts) == ["OfferMissed", "OfferEnded"]

    def test_a_hold_goes_on(self) -> None:
        desk = given_an_offer(101).hears(dial_begins(101, 8), picks_up(101, 8), caller_bridged())
        desk.hears(e.HoldBegan(agent_channel(101, 8), leg(8), "1"))
        assert desk.facts[-1] == Held(CALL)
        desk.tracker.prime(seen(caller("talking", "bridge-1", **TALKING), agent_reading(101, 8, "bridge-1", up=True)))
        desk.hears(e.HoldEnded(agent_channel(101, 8), leg(8), "2"))
        assert desk.facts[-1] == Resumed(CALL)

    def test_a_caller_whose_agents_end_was_lost_is_freed_after_the_snapshot(self) -> None:
        desk = given_an_offer(101).hears(dial_begins(101, 8), picks_up(101, 8), caller_bridged(), talk_over())
        outputs = desk.tracker.prime(seen(caller("after", **TALKING)))
        assert outputs[1:] == (CallerFreed(CALL, "of1"),)

    def test_what_is_late_of_a_call_that_vanished_changes_nothing(self) -> None:
        desk = given_an_offer(101).hears(dial_begins(101, 8))
        desk.tracker.prime(seen())
        desk.facts.clear()
        desk.hears(
            comes_in(), dial_begins(101, 8), picks_up(101, 8), caller_bridged(), agent_gone(101, 8), caller_gone()
        )
        assert desk.facts == []
        assert desk.tracker.book.size() == 0

    def test_ids_that_come_again_after_a_restart_of_asterisk_are_new_calls(self) -> None:
        desk = given_a_waiting_caller().hears(caller_gone())
        desk.tracker.prime(build(PBX, Findings("another boot")))
        desk.facts.clear()
        assert kinds(desk.hears(comes_in()).facts) == ["CallEntered"]

    def test_phones_that_ring_are_told(self) -> None:
        outputs = Desk().tracker.prime(seen(caller("offered", **OFFERED), agent_reading(101, 8)))
        assert isinstance(outputs[0], PbxSnapshot)
        assert outputs[1:] == (OfferRinging(CALL, "of1", device(101), leg(8)),)

    def test_events_from_before_the_snapshot_change_nothing_after_it(self) -> None:
        desk = Desk()
        desk.tracker.prime(seen(caller("talking", "bridge-1", **TALKING), agent_reading(102, 9, "bridge-1", up=True)))
        desk.hears(
            comes_in(),
            dial_begins(101, 8),
            dial_begins(102, 9),
            picks_up(102, 9),
            agent_bridged(102, 9),
            caller_bridged(),
        )
        assert desk.facts == []


class Asterisk:
    """Answers a snapshot's questions from a list of channels."""

    def __init__(self, channels: Sequence[FakeChannel], *, heals: bool = True) -> None:
        self.channels, self.heals, self.asked = list(channels), heals, 0
        self.outcome = Outcome.SUCCESS

    def send(self, *wanted: actions.Action, deadline_s: float | None = None) -> "list[asyncio.Future[Answer]]":
        futures: list[asyncio.Future[Answer]] = []
        for action in wanted:
            actions.encode(action)
            future = asyncio.get_running_loop().create_future()
            future.set_result(self.answer(action))
            futures.append(future)
        return futures

    def answer(self, action: actions.Action) -> Answer:
        if not isinstance(action, actions.Status):
            return Answer(self.outcome, "", {"corestartupdate": "2026-11-22", "corestartuptime": "03:11:52"})
        if action.channel is None:
            shown = self.channels
        else:
            self.asked += 1
            shown = [channel for channel in self.channels if channel.name == action.channel]
            for channel in shown:
                channel.raw_name = None if self.heals else channel.raw_name
        return Answer(self.outcome, items=tuple(channel.status("a/1", action.variables)[:-4] for channel in shown))


def channels(count: int) -> list[FakeChannel]:
    return [
        FakeChannel(
            f"PJSIP/trunk-{n:08x}",
            f"pbx1-1795317144.{n}",
            "0912",
            "مریم",
            variables={"ACD_CALL": f"pbx1-1795317144100.{n}"},
        )
        for n in range(count)
    ]


async def test_thousands_of_channels_leave_the_loop_air() -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    findings = await resync.ask(Asterisk(channels(2_000)), 1)
    task.cancel()
    assert len(build(PBX, findings).calls) == 2_000
    assert turns >= 20


async def test_a_damaged_item_is_asked_for_by_itself() -> None:
    made = channels(3)
    made[1].raw_name = b"x\r\nUniqueid: pbx1-1.1"
    asterisk = Asterisk(made)
    findings = await resync.ask(asterisk, 1)
    assert asterisk.asked == 1
    assert len(findings.channels) == 3
    assert [item.reason for item in findings.damaged] == [Reason.MISSING_HEADER]


async def test_an_item_that_stays_damaged_costs_no_other() -> None:
    made = channels(3)
    made[1].raw_name = b"x\ny"
    findings = await resync.ask(Asterisk(made, heals=False), 1)
    assert len(findings.channels) == 2
    assert len(findings.damaged) == 1


async def test_a_damaged_item_with_a_name_that_is_none_is_left_alone() -> None:
    made = [FakeChannel("/^.*$/", "pbx1-1.1", raw_name=b"\0")]
    findings = await resync.ask(Asterisk(made), 1)
    assert findings.channels == []


@pytest.mark.parametrize("outcome", [Outcome.TIMEOUT, Outcome.LINK_LOST, Outcome.REFUSED, Outcome.NOT_CONNECTED])
async def test_no_snapshot_is_made_of_half_an_answer(outcome: Outcome) -> None:
    asterisk = Asterisk(channels(1))
    asterisk.outcome = outcome
    with pytest.raises(SnapshotFailed, match=f"snapshot_{outcome}"):
        await resync.ask(asterisk, 1)


def test_a_phone_that_waits_for_an_answer_is_remembered() -> None:
    own = LegId("pbx1-1795317145.5")
    phone = ChannelReading("PJSIP/agent-102-00000005", own, True, None, None, None, {names.ASK: own})
    assert build(PBX, Findings("boot", [phone])).asking == {own: AskingPhone("PJSIP/agent-102-00000005")}


def test_ids_keep_their_kind() -> None:
    (call,) = seen(caller("offered", **OFFERED)).calls
    assert (call.id, call.leg, call.channel) == (CallId(CALL), LegId(CALLER), CALLER_CHANNEL)
    assert call.offer is not None
    assert call.offer.id == OfferId("of1")
