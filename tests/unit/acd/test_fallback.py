"""Callers whom the PBX serves alone: they stand where they stood, nobody offers them, and who talks is known."""

from acd import telephony as t
from acd.agents import AgentState
from acd.calls import CallState
from acd.commands import TakeBreak
from acd.explain import why_call
from acd.ids import AgentId, CallId, LegId, OfferId
from acd.telephony import DeviceState, LegStage, SnapshotCall
from tests.support.world import World, device
from tests.unit.acd.test_reconcile import FREE, fresh, snapshot


def alone(call: CallId, number: int = 1) -> OfferId:
    return OfferId(f"{call}.{number}")


def test_callers_found_with_the_fallback_keep_their_place_and_are_not_offered() -> None:
    world = fresh("101")
    entries = []
    for number in range(3):
        world.serial = number
        entries.append(world.entry(entered_at=world.now - 100 + number))
    found = [SnapshotCall(entry, LegStage.FALLBACK, alone(entry.call, 4)) for entry in reversed(entries)]
    assert snapshot(world, *found, a101=FREE) == {"call_adopted": 3}
    assert world.line() == [entry.call for entry in entries]
    first = entries[0].call
    assert (world.call(first).state, world.rung(first)) == (CallState.WAITING, ())
    assert why_call(world.floor, first, world.now).not_offered_because == "with_the_fallback"
    assert snapshot(world, *found, a101=FREE) == {}

    world.do(
        t.FallbackEnded(entries[2].call, alone(entries[2].call, 4))
    )  # back first, and served first all the same is:
    world.wait(1)
    world.do(t.FallbackEnded(first, alone(first, 4)))
    world.wait(1)
    assert (world.rung(first), world.rung(entries[2].call)) == (("101",), ())
    assert world.offer_of(first).offer == alone(first, 5)  # the PBX's own offer is counted


def test_who_is_answered_by_the_fallback_talks_like_anybody() -> None:
    world = World.with_agents("101")
    world.phone("101", DeviceState.BUSY)
    call = world.enter()
    world.do(t.FallbackBegan(call, alone(call)))
    world.do(t.FallbackAnswered(call, alone(call), device("101"), LegId("pbx1-9.9")))
    world.do(t.TalkBegan(call, alone(call), device("101"), LegId("pbx1-9.9")))
    assert (world.call(call).state, world.call(call).agent) == (CallState.TALKING, "101")
    assert world.agent("101").state is AgentState.TALKING
    assert world.line() == []


def test_a_phone_that_was_picked_up_and_lost_brings_the_caller_back() -> None:
    world = World.with_agents("101")
    world.do(TakeBreak(AgentId("101")))
    call = world.enter()
    world.do(t.FallbackBegan(call, alone(call)))
    world.do(t.FallbackAnswered(call, alone(call), device("101"), LegId("pbx1-9.9")))
    world.do(t.CallerFreed(call, alone(call)))
    assert isinstance(world.requests[-1], t.ReturnToLine)
    assert world.line() == [call]


def test_talking_by_the_fallback_is_adopted_with_its_agent() -> None:
    world = fresh("101")
    entry = world.entry()
    found = SnapshotCall(entry, LegStage.TALKING, alone(entry.call), device("101"), LegId("pbx1-9.9"), world.now)
    snapshot(world, found, a101=DeviceState.BUSY)
    assert (world.call(entry.call).agent, world.agent("101").state) == ("101", AgentState.TALKING)


def test_an_offer_of_ours_that_the_pbx_overtook_frees_its_agent() -> None:
    world = World.with_agents("101")
    call = world.enter()
    assert world.rung(call) == ("101",)
    world.do(t.FallbackBegan(call, alone(call, 2)))
    assert (world.rung(call), world.agent("101").state) == ((), AgentState.IDLE)
    world.do(t.RequestFailed(world.offer_of(call), t.RequestFailure.REFUSED))
    assert world.line() == [call]


def test_a_look_finds_what_no_event_has_told() -> None:
    world = World.with_agents("101")
    world.do(TakeBreak(AgentId("101")))
    entry = world.entry()
    world.do(entry)
    left = SnapshotCall(entry, LegStage.FALLBACK, alone(entry.call))
    assert snapshot(world, left, a101=FREE) == {"fallback_found": 1}
    assert snapshot(world, left, a101=FREE) == {}
    assert snapshot(world, SnapshotCall(entry, LegStage.WAITING, alone(entry.call)), a101=FREE) == {"fallback_ended": 1}


def test_a_caller_who_leaves_the_fallback_has_abandoned() -> None:
    world = World.with_agents("101")
    world.do(TakeBreak(AgentId("101")))
    call = world.enter()
    world.do(t.FallbackBegan(call, alone(call)))
    world.hang_up(call)
    assert (world.line(), world.call(call).outcome) == ([], "abandoned")
