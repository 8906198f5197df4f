"""When a caller is told that he may be called back: after the standard, when it may take long, before the queue closes."""

import pytest

from acd import telephony as t
from acd.announcements import SILENT, Announcements
from acd.announcing import UNHEARD_S
from acd.callback_policy import NO_CALLBACKS, CallbackPolicy, OfferPolicy
from acd.commands import SetTimetable
from acd.hours import Timetable
from acd.ids import CallId
from acd.queues import ServiceLevel
from acd.telephony import Announce
from tests.support.callbacks import CallbackWorld
from tests.support.world import SALES, World

NEVER = OfferPolicy(after_standard=False)


def house(offer: OfferPolicy | None, announcements: Announcements = SILENT) -> World:
    """One agent, who talks."""
    policy = CallbackPolicy(enabled=True, offer=offer) if offer is not None else NO_CALLBACKS
    world = CallbackWorld.with_agents(
        "101", wrap_up_s=0, callbacks=policy, announcements=announcements, service_level=ServiceLevel(target_s=20)
    )
    world.answer(world.enter(), "101")
    return world


def invitations(world: World, call: CallId) -> int:
    said = [one for one in world.requests if isinstance(one, Announce) and one.call == call]
    return sum("callback-offer" in one.prompts for one in said)


def hears(world: World, call: CallId) -> None:
    last = [one for one in world.requests if isinstance(one, Announce) and one.call == call][-1]
    world.do(t.Announced(call, last.say))


def test_after_the_queues_standard_once() -> None:
    world = house(OfferPolicy())
    call = world.enter()
    world.wait(19.9)
    assert invitations(world, call) == 0
    world.wait(0.2)
    assert invitations(world, call) == 1
    hears(world, call)
    world.wait(600)
    assert invitations(world, call) == 1


def test_again_and_again_if_the_queue_wants_it() -> None:
    world = house(OfferPolicy(again_s=60))
    call = world.enter()
    for times, seconds in ((1, 21), (2, 60), (3, 60)):
        world.wait(seconds)
        assert invitations(world, call) == times
        hears(world, call)


def test_when_the_wait_may_become_long_and_only_those_for_whom_it_may() -> None:
    world = house(OfferPolicy(after_standard=False, expected_s=900))
    callers = [world.enter() for _ in range(6)]
    world.wait(1)
    told = [invitations(world, call) for call in callers]
    assert told[0] == 0
    assert told[-1] == 1


def test_before_the_queue_closes() -> None:
    world = house(OfferPolicy(after_standard=False, before_close_s=300))
    world.do(SetTimetable(SALES, Timetable(((world.now - 3600, world.now + 600),), (), world.now + 90_000)))
    call = world.enter()
    world.wait(299)
    assert invitations(world, call) == 0
    world.wait(2)
    assert invitations(world, call) == 1


@pytest.mark.parametrize("offer", [None, NEVER])
def test_nobody_is_told_where_no_callbacks_are_made_or_no_reason_is_one(offer: OfferPolicy | None) -> None:
    world = house(offer)
    call = world.enter()
    world.wait(3600)
    assert invitations(world, call) == 0


def test_an_invitation_that_was_cut_off_is_made_again_and_one_for_whom_a_phone_rings_waits_for_it() -> None:
    world = house(OfferPolicy())
    call = world.enter()
    world.wait(21)
    assert invitations(world, call) == 1
    world.wait(UNHEARD_S + 1)  # it was never begun
    assert invitations(world, call) == 2


def test_it_is_said_besides_what_the_queue_announces_even_if_that_is_on_its_way() -> None:
    world = house(OfferPolicy(), Announcements(position=True, first_after_s=20, every_s=600))
    call = world.enter()
    world.wait(20.01)
    said = [one for one in world.requests if isinstance(one, Announce) and one.call == call]
    hears(world, call)
    world.wait(1)
    said = [
        prompt for one in world.requests if isinstance(one, Announce) and one.call == call for prompt in one.prompts
    ]
    assert sorted(said) == ["callback-offer", "you-are-next"]
