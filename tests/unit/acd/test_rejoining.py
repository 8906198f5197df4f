"""Who was cut off and rings again: whose place he has, how often, for how long, and what the figures say of it."""

import pytest

from acd import telephony as t
from acd.announcements import Announcements
from acd.commands import HangUpCall, RestorePlace
from acd.events import PlaceKept, PlaceRegained, VisitDecided
from acd.ids import CallId
from acd.picture import stats
from acd.telephony import DeviceState, LegStage, SnapshotCall
from tests.support.world import PBX, SALES, START, World, device

MINE = "09121234567"


def waiting_room(rejoin_s: float = 120, **policy: object) -> World:
    """A queue that nobody serves, and three who wait in it; the first is mine."""
    world = World.with_agents(announcements=Announcements(rejoin_s=rejoin_s, **policy))  # type: ignore[arg-type]
    for number in (MINE, "0912000002", "0912000003"):
        world.enter(number=number)
        world.now += 10
    return world


def test_the_place_is_regained_and_said_so() -> None:
    world = waiting_room(welcome="all-busy")
    first, *others = world.line()
    world.hang_up(first)
    world.now += 60
    again = world.enter(number="+98 912 123 4567")
    assert world.line() == [again, *others]
    call = world.call(again)
    assert (call.entered_at, call.place_since) == (world.now, START)
    world.wait(0.1)
    said = [one for one in world.requests if isinstance(one, t.Announce) and one.call == again]
    assert [one.prompts for one in said] == [("pause", "place-regained")]
    assert t.Mark(again, world.floor.calls[again].leg, None, START) in world.requests
    (event,) = world.of(PlaceRegained)
    assert isinstance(event, PlaceRegained)
    assert (event.call, event.earlier, event.since) == (again, first, START)


def test_the_figures_count_two_visits() -> None:
    world = waiting_room()
    first = world.line()[0]
    world.hang_up(first)
    world.now += 60
    again = world.enter(number=MINE)
    world.hang_up(again)
    decided = [one for one in world.of(VisitDecided) if isinstance(one, VisitDecided)]
    assert [(one.call, one.outcome, one.waited_s) for one in decided] == [
        (first, "abandoned", 30.0),
        (again, "abandoned", 0.0),
    ]
    figures = stats(world.floor, SALES, 0.0, world.now)
    assert (figures.offered, figures.counts.abandoned, figures.waiting) == (4, 2, 2)


def test_each_ended_call_gives_one_place() -> None:
    world = waiting_room()
    world.hang_up(world.line()[0])
    again, another = world.enter(number=MINE), world.enter(number=MINE)
    assert world.line()[0] == again
    assert world.line()[-1] == another
    world.hang_up(again)
    assert world.enter(number=MINE) == world.line()[0]  # cut off twice: the first entry still counts


@pytest.mark.parametrize("seconds", [119.0, 121.0])
def test_only_within_its_time(seconds: float) -> None:
    world = waiting_room()
    world.hang_up(world.line()[0])
    world.now += seconds
    again = world.enter(number=MINE)
    assert (world.line()[0] == again) == (seconds < 120)


def test_not_in_another_queue_nor_for_a_withheld_number_nor_where_it_is_turned_off() -> None:
    world = waiting_room(rejoin_s=0)
    world.hang_up(world.line()[0])
    assert world.enter(number=MINE) == world.line()[-1]
    assert world.of(PlaceKept) == []
    world = waiting_room()
    withheld = world.entry()
    world.serial += 1
    hidden = t.CallEntered(
        CallId(f"pbx1-1.{world.serial}"), withheld.leg, "sales", world.now, world.serial, 0, None, None
    )
    world.do(hidden)
    world.hang_up(hidden.call)
    assert world.of(PlaceKept) == []


def test_who_was_hung_up_by_us_or_served_has_no_place_left() -> None:
    world = waiting_room()
    first = world.line()[0]
    world.do(HangUpCall(first))
    world.hang_up(first)
    assert world.of(PlaceKept) == []
    world = World.with_agents("101", announcements=Announcements(rejoin_s=120))
    served = world.enter(number=MINE)
    world.answer(served, "101")
    world.hang_up(served)
    assert world.of(PlaceKept) == []


def test_one_who_hangs_up_while_a_phone_rings_keeps_the_place() -> None:
    world = World.with_agents("101", announcements=Announcements(rejoin_s=120))
    call = world.enter(number=MINE)
    world.ring(call, "101")
    world.hang_up(call)
    assert [one.call for one in world.of(PlaceKept) if isinstance(one, PlaceKept)] == [call]


def test_callers_of_a_pbx_that_died_stand_as_before_in_whatever_order_they_ring_again() -> None:
    """The new calls are there before the service knows that the old ones are lost."""
    world = waiting_room()
    numbers = ["0912000003", MINE, "0912000002"]
    world.do(t.LinkDown(PBX, "reset"))
    world.now += 20
    entries = []
    for number in numbers:
        world.serial += 1
        world.now += 1
        entries.append(world.entry(number=number))
    calls = tuple(SnapshotCall(entry, LegStage.WAITING) for entry in entries)
    world.do(t.PbxSnapshot(PBX, "boot-2", calls, ((device("101"), DeviceState.NOT_IN_USE),)))
    assert [world.call(call).number for call in world.line()] == [MINE, "0912000002", "0912000003"]
    assert [one.outcome for one in world.of(VisitDecided) if isinstance(one, VisitDecided)] == ["lost"] * 3


def test_a_second_call_that_waited_all_along_gets_nobodys_place() -> None:
    world = waiting_room()
    first, *others = world.line()
    parallel = world.enter(number=MINE)
    world.now += 5
    world.hang_up(first)
    assert world.line() == [*others, parallel]
    assert world.enter(number=MINE) == world.line()[0]


def test_a_place_from_before_a_restart_is_given_back() -> None:
    world = waiting_room()
    others = world.line()
    world.do(RestorePlace(CallId("pbx1-1.99"), SALES, "+989129999999", START - 500, world.now - 60))
    world.do(RestorePlace(CallId("pbx1-1.98"), SALES, "+989128888888", START - 600, world.now - 600))  # too long ago
    again = world.enter(number="09129999999")
    late = world.enter(number="09128888888")
    assert world.line() == [again, *others, late]


def test_a_service_that_comes_later_finds_the_place_on_the_channel() -> None:
    world = waiting_room()
    world.serial += 1
    entry = world.entry(number="0912777")
    found = t.CallEntered(
        entry.call, entry.leg, "sales", world.now, world.serial, 0, "0912777", None, place_since=START - 100
    )
    calls = [*(one[0] for one in world.log if isinstance(one[0], t.CallEntered)), found]
    shown = tuple(SnapshotCall(one, LegStage.WAITING) for one in calls)
    world.do(t.PbxSnapshot(PBX, "boot-1", shown, ()))
    assert world.line()[0] == found.call
    assert not [one for one in world.requests if isinstance(one, t.Mark)]
