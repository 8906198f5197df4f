"""After a lost link or a restart: the PBX is the truth, and every repair is counted."""

from collections import Counter
from dataclasses import replace

from acd import telephony as t
from acd.agents import AgentState, Status
from acd.calls import CallState
from acd.commands import DefineQueue, RestoreAgent, RestoreParts, RestoreVisit, TakeBreak
from acd.events import CallAdopted, CallConnected, CallEnded, CallQueued, PbxLost, PbxReady, Repaired, VisitDecided
from acd.ids import AgentId, OfferId
from acd.outcomes import Outcome
from acd.picture import stats
from acd.queues import QueueSpec
from acd.talks import Talk
from acd.telephony import DeviceState, LegStage, SnapshotCall
from tests.support.world import PBX, SALES, World, device


def snapshot(world: World, *calls: SnapshotCall, boot: str = "boot-1", **devices: DeviceState) -> dict[str, int]:
    """Hand the floor a snapshot; what it had to repair."""
    states = tuple((device(name.removeprefix("a")), state) for name, state in devices.items())
    before = len(world.of(Repaired))
    world.do(t.PbxSnapshot(PBX, boot, calls, states))
    ready = world.of(PbxReady)[-1]
    assert isinstance(ready, PbxReady)
    told = Counter(one.kind for one in world.of(Repaired)[before:] if isinstance(one, Repaired))
    assert told == dict(ready.repairs), "each is told with its reason"
    return dict(ready.repairs)


def fresh(*agents: str) -> World:
    """A service that has just started: agents restored, the PBX not seen yet."""
    world = World()
    world.do(DefineQueue(QueueSpec(SALES, "8000", wrap_up_s=10)))
    for agent in agents:
        world.hire(agent)
        world.do(RestoreAgent(AgentId(agent), Status.AVAILABLE, world.now))
    return world


FREE = DeviceState.NOT_IN_USE


def test_nothing_is_offered_before_the_first_snapshot() -> None:
    world = fresh("101")
    call = world.enter()
    assert world.rung(call) == ()
    world.do(t.PbxSnapshot(PBX, "boot-1", (SnapshotCall(world.entry(), LegStage.WAITING),), ((device("101"), FREE),)))
    assert world.rung(call) == ("101",)


def test_waiting_callers_are_adopted_at_their_true_place() -> None:
    world = fresh("101")
    entries = []
    for number in range(5):
        world.serial = number
        entries.append(world.entry(entered_at=world.now - 100 + number))
    repairs = snapshot(world, *(SnapshotCall(entry, LegStage.WAITING) for entry in reversed(entries)), a101=FREE)
    assert repairs == {"call_adopted": 5}
    assert world.line() == [entry.call for entry in entries]
    assert world.rung(entries[0].call) == ("101",)
    assert world.call(entries[0].call).waited_s == 100.0


def talking(world: World, entry: t.CallEntered, agent: str, since: float) -> SnapshotCall:
    leg = world.leg(entry.call, agent)
    return SnapshotCall(entry, LegStage.TALKING, OfferId(f"{entry.call}.4"), device(agent), leg, since)


def test_a_conversation_is_known_again_and_not_counted_twice() -> None:
    world = fresh("101")
    entry = world.entry(entered_at=world.now - 60)
    world.do(RestoreVisit(entry.call, SALES, entry.entered_at, entry.entered_at + 12, Outcome.ANSWERED))
    snapshot(world, talking(world, entry, "101", world.now - 48), a101=DeviceState.IN_USE)
    assert world.agent("101").state is AgentState.TALKING
    assert (world.call(entry.call).waited_s, world.call(entry.call).talk_s) == (12.0, 48.0)
    assert (world.of(CallQueued), world.of(CallConnected), world.of(VisitDecided)) == ([], [], [])
    assert len(world.of(CallAdopted)) == 1
    assert stats(world.floor, SALES, world.now - 3600, world.now).counts.answered == 1
    world.do(t.AgentLegGone(entry.call, world.leg(entry.call, "101"), device("101"), 16, hung_up=True, fault=False))
    assert world.agent("101").state is AgentState.WRAP_UP


def test_a_conversation_that_began_while_nobody_watched_is_counted_once() -> None:
    world = fresh("101")
    entry = world.entry(entered_at=world.now - 60)
    snapshot(world, talking(world, entry, "101", world.now - 48), a101=DeviceState.IN_USE)
    assert [event.waited_s for event in world.of(VisitDecided)] == [12.0]  # type: ignore[attr-defined]


def test_offers_go_on_counting_after_a_restart() -> None:
    world = fresh("101")
    entry = world.entry(entered_at=world.now - 60)
    waiting = SnapshotCall(entry, LegStage.WAITING, OfferId(f"{entry.call}.7"))
    snapshot(world, waiting, a101=FREE)
    assert world.offer_of(entry.call).offer == f"{entry.call}.8"


def test_a_call_found_ringing_is_left_to_ring_and_then_served() -> None:
    world = fresh("101")
    entry = world.entry(entered_at=world.now - 60)
    offer = OfferId(f"{entry.call}.2")
    snapshot(world, SnapshotCall(entry, LegStage.OFFERED, offer), a101=DeviceState.RINGING)
    assert world.requests == []
    world.do(t.OfferRinging(entry.call, offer, device("101"), world.leg(entry.call, "101")))
    assert (world.agent("101").state, world.rung(entry.call)) == (AgentState.RINGING, ("101",))
    world.do(t.TalkBegan(entry.call, offer, device("101"), world.leg(entry.call, "101")))
    assert world.agent("101").state is AgentState.TALKING
    other = fresh("101")
    snapshot(other, SnapshotCall(entry, LegStage.OFFERED, offer), a101=DeviceState.RINGING)
    other.do(t.OfferEnded(entry.call, offer))
    other.phone("101", FREE)
    assert other.rung(entry.call) == ("101",)


def test_after_a_lost_link_calls_that_ended_meanwhile_are_ended() -> None:
    world = World.with_agents("101")
    waiting, gone = world.enter(), world.enter()
    world.answer(waiting, "101")
    world.do(t.LinkDown(PBX, "reset"))
    assert len(world.of(PbxLost)) == 1
    world.now += 30
    assert snapshot(world, a101=FREE) == {"call_ended": 2}
    assert world.call(gone).outcome is Outcome.ABANDONED
    assert world.call(waiting).outcome is Outcome.ANSWERED
    assert [event.ended_by for event in world.of(CallEnded)] == ["unseen", "unseen"]  # type: ignore[attr-defined]


def test_nothing_is_offered_while_the_link_is_down() -> None:
    world = World.with_agents("101")
    world.do(t.LinkDown(PBX, "black_hole"))
    call = world.enter()
    assert world.rung(call) == ()


def test_a_restarted_pbx_lost_its_calls_and_the_record_says_so() -> None:
    world = World.with_agents("101", "102")
    talking_call, waiting = world.enter(), world.enter()
    world.answer(talking_call, "101")
    assert snapshot(world, boot="boot-2", a101=FREE, a102=FREE) == {"call_lost": 2}
    assert world.call(waiting).outcome is Outcome.LOST
    assert world.call(talking_call).outcome is Outcome.ANSWERED
    assert world.agent("102").state is AgentState.IDLE


def test_an_offer_that_ended_unseen_puts_the_caller_back_in_the_line() -> None:
    world = World.with_agents("101")
    call = world.enter()
    offer = world.offer_of(call).offer
    assert snapshot(world, SnapshotCall(world.entry(), LegStage.OFFERED, offer), a101=FREE) == {}
    assert world.call(call).offer == offer
    assert snapshot(world, SnapshotCall(world.entry(), LegStage.WAITING, offer), a101=FREE) == {"offer_ended": 1}
    assert world.offer_of(call).offer == f"{call}.2"


def test_the_end_of_an_offer_that_was_missed_is_made_up_for() -> None:
    world = World.with_agents("101")
    call = world.enter()
    entry = world.entry()
    world.now += 8
    found = talking(world, entry, "101", world.now - 2)
    assert snapshot(world, found, a101=DeviceState.IN_USE) == {"talk_found": 1, "device_state": 1}
    assert (world.call(call).state, world.call(call).waited_s) == (CallState.TALKING, 6.0)
    after = replace(found, stage=LegStage.AFTER)
    assert snapshot(world, after, a101=FREE) == {"talk_ended": 1, "device_state": 1}
    assert world.agent("101").state is AgentState.WRAP_UP


def test_the_same_snapshot_twice_repairs_nothing_the_second_time() -> None:
    world = fresh("101")
    entry = world.entry(entered_at=world.now - 60)
    found = talking(world, entry, "101", world.now - 30)
    snapshot(world, found, a101=DeviceState.IN_USE)
    assert snapshot(world, found, a101=DeviceState.IN_USE) == {}


def test_a_phone_the_pbx_no_longer_names_is_unreachable() -> None:
    world = World.with_agents("101")
    assert snapshot(world) == {"device_state": 1}
    assert world.agent("101").state is AgentState.UNREACHABLE


def test_a_pbx_that_says_goodbye_gets_no_more_offers() -> None:
    world = World.with_agents("101")
    world.do(t.PbxDraining(PBX))
    assert world.rung(world.enter()) == ()


def test_an_offer_made_after_the_question_is_not_ended_by_the_answer() -> None:
    """Everything was asked for, then a caller came in and was offered; the answer still shows that caller waiting."""
    world = World.with_agents("101")
    asked_at = world.now
    world.wait(0.01)
    call = world.enter()
    offer = world.offer_of(call).offer
    waiting = SnapshotCall(world.entry(entered_at=asked_at + 0.01), LegStage.WAITING)
    older = t.PbxSnapshot(PBX, "boot-1", (waiting,), ((device("101"), FREE),), asked_at=asked_at)
    world.do(older)
    assert world.rung(call) == ("101",)
    assert world.offer_of(call).offer == offer
    world.wait(0.01)
    world.do(replace(older, asked_at=world.now))
    assert world.offer_of(call).offer != offer  # now the answer is younger, and the caller is offered anew


def test_who_signed_out_in_mid_call_is_known_by_the_phone_after_a_restart() -> None:
    world = World()
    world.do(DefineQueue(QueueSpec(SALES, "8000", wrap_up_s=10)))
    world.hire("101")
    entry = world.entry(entered_at=world.now - 60)
    snapshot(world, talking(world, entry, "101", world.now - 30), a101=DeviceState.IN_USE)
    assert world.call(entry.call).agent == "101"
    world.do(t.AgentLegGone(entry.call, world.leg(entry.call, "101"), device("101"), 16, hung_up=True, fault=False))
    assert world.agent("101").state is AgentState.SIGNED_OUT


def test_a_phone_that_is_being_hung_up_and_was_picked_up_makes_no_conversation_in_a_look_either() -> None:
    world = World.with_agents("101")
    call = world.enter()
    entry = world.entry()
    world.ring(call, "101")
    world.do(TakeBreak(AgentId("101")))
    found = replace(talking(world, entry, "101", world.now), offer=world.offer_of(call).offer)
    assert snapshot(world, found, a101=DeviceState.IN_USE) == {"device_state": 1}
    assert world.call(call).state is CallState.OFFERED


def test_a_phone_of_which_nobody_knows_whether_it_was_hung_up_talks_if_a_look_shows_it() -> None:
    world = World.with_agents("101")
    call = world.enter()
    entry = world.entry()
    world.ring(call, "101")
    (withdrawal,) = world.do(TakeBreak(AgentId("101"))).requests
    world.do(t.RequestFailed(withdrawal, t.RequestFailure.UNKNOWN_OUTCOME))
    found = replace(talking(world, entry, "101", world.now), offer=world.offer_of(call).offer)
    assert snapshot(world, found, a101=DeviceState.IN_USE) == {"talk_found": 1, "device_state": 1}
    assert world.call(call).state is CallState.TALKING


def test_of_a_caller_who_is_asked_afterwards_the_agent_is_known_and_left_alone() -> None:
    """His leg is gone: history has the talk, or the one phone that the offer rang says whose it was."""
    for with_history in (True, False):
        world = fresh("101")
        entry = world.entry(entered_at=world.now - 60)
        ended = Talk(SALES, world.now - 40, AgentId("101"), ended_at=world.now - 5)
        if with_history:
            world.do(RestoreParts(entry.call, (ended,), ()))
        busy = talking(world, world.entry(entered_at=world.now - 20), "101", world.now - 3)
        asked = replace(
            talking(world, entry, "101", world.now - 40), stage=LegStage.AFTER, agent_leg=None, surveyed=True
        )
        asked = replace(asked, device=None if with_history else device("101"))
        snapshot(world, busy, asked, a101=DeviceState.IN_USE)
        call = world.call(entry.call)
        assert (call.state, call.agent, [talk.agent for talk in call.talks]) == (CallState.AFTER, "101", ["101"])
        assert world.agent("101").state is AgentState.TALKING
