"""What is said to callers who wait: when, what, to how many at once, and that nothing of it is in the way of an offer."""

from dataclasses import replace

from acd import telephony as t
from acd.announcements import Announcements, is_language
from acd.announcing import RATE, UNHEARD_S
from acd.commands import AmendCall, DefineQueue, PutCallers, SignOut
from acd.directory import CallerProfile
from acd.events import CallTold
from acd.explain import why_call
from acd.floor import Floor
from acd.forecast import Growth
from acd.ids import AgentId, CallId
from acd.queues import QueueSpec
from acd.telephony import Announce, DeviceState, LegStage, SnapshotCall
from tests.support.world import PBX, SALES, World, device

PLACE = Announcements(position=True, first_after_s=20, every_s=60)
BOTH = Announcements(position=True, expected_wait=True, first_after_s=20, every_s=60)


def said_to(world: World, call: CallId) -> list[Announce]:
    """The announcements that left for a caller."""
    return [one for one in world.requests if isinstance(one, Announce) and one.call == call]


def hears(world: World, call: CallId) -> tuple[str, ...]:
    """The caller begins to hear the last one; its prompts."""
    last = said_to(world, call)[-1]
    world.do(t.Announced(call, last.say))
    return last.prompts


def busy_house(policy: Announcements, agents: int = 1, **queue: object) -> World:
    names = [str(101 + n) for n in range(agents)]
    world = World.with_agents(*names, wrap_up_s=0, announcements=policy, **queue)
    for name in names:
        world.answer(world.enter(), name)
    return world


# ---------------------------------------------------------------- when and what


def test_the_place_is_told_when_it_is_time_and_again_and_again() -> None:
    world = busy_house(PLACE)
    first, second = world.enter(), world.enter()
    world.wait(19.9)
    assert said_to(world, first) == []
    world.wait(0.2)
    assert hears(world, first) == ("you-are-next",)
    assert hears(world, second) == ("you-are", "ord-2", "in-line")
    world.wait(59)
    assert len(said_to(world, first)) == 1
    world.wait(2)
    assert len(said_to(world, first)) == 2


def test_what_was_told_and_when_is_kept_with_the_call() -> None:
    world = busy_house(BOTH)
    call = world.enter()
    world.wait(20)
    world.now += 1.5  # the slice of music had to end first
    prompts = hears(world, call)
    why = why_call(world.floor, call, world.now)
    assert [(one.at, one.prompts) for one in why.announced] == [(world.now, prompts)]
    assert why.told == (why.announced[0].promise,)
    (event,) = world.of(CallTold)
    assert isinstance(event, CallTold)
    assert (event.call, event.prompts, event.ahead) == (call, prompts, 0)
    assert prompts[:2] == ("you-are-next", "wait-is")


def test_a_queue_says_nothing_unless_it_is_told_to() -> None:
    world = busy_house(Announcements())
    call = world.enter()
    world.wait(3600)
    assert said_to(world, call) == []
    assert world.floor.calls[call].speech is None


def test_welcome_comes_at_once_and_messages_take_turns() -> None:
    policy = Announcements(welcome="all-busy", messages=("please-hold", "our-offer"), message_every_s=30)
    world = busy_house(policy)
    call = world.enter()
    world.wait(0.1)
    assert hears(world, call) == ("pause", "all-busy")
    for expected in ("please-hold", "our-offer", "please-hold"):
        world.wait(30)
        assert hears(world, call) == (expected,)


def test_nobody_who_can_be_served_at_once_is_greeted() -> None:
    world = World.with_agents("101", announcements=Announcements(welcome="all-busy"))
    call = world.enter()
    assert world.rung(call) == ("101",)
    world.wait(1)
    assert said_to(world, call) == []
    world.miss(call, "101")
    world.wait(5)
    assert hears(world, call) == ("pause", "all-busy")


def test_an_offer_is_made_while_an_announcement_is_on_its_way() -> None:
    world = busy_house(PLACE)
    call = world.enter()
    talking = next(iter(world.floor.calls))
    world.wait(20)
    world.agent_hangs_up(talking, "101")
    assert world.rung(call) == ("101",)


def test_what_was_not_heard_because_of_an_offer_is_due_again() -> None:
    world = busy_house(PLACE, rest_s=100.0)
    call, talking = world.enter(), next(iter(world.floor.calls))
    world.wait(20)
    (cut,) = said_to(world, call)
    world.agent_hangs_up(talking, "101")
    world.miss(call, "101")
    world.wait(UNHEARD_S)
    again = said_to(world, call)[-1]
    assert again.say != cut.say
    assert again.prompts == cut.prompts


def test_a_refused_announcement_is_tried_again_soon() -> None:
    world = busy_house(PLACE)
    call = world.enter()
    world.wait(20)
    world.do(t.RequestFailed(said_to(world, call)[-1], t.RequestFailure.REFUSED))
    world.wait(5)
    assert len(said_to(world, call)) == 2


def test_what_a_queue_says_may_change_while_callers_wait() -> None:
    world = busy_house(Announcements())
    call = world.enter()
    world.wait(50)
    world.do(DefineQueue(QueueSpec(SALES, "8000", announcements=PLACE)))
    world.wait(0.1)
    assert hears(world, call) == ("you-are-next",)


def test_nothing_is_said_while_the_pbx_is_away() -> None:
    world = busy_house(PLACE)
    call = world.enter()
    world.do(t.LinkDown(PBX, "reset"))
    world.wait(100)
    assert said_to(world, call) == []


# ---------------------------------------------------------------- promises


def test_a_place_further_back_is_told_with_a_reason() -> None:
    world = busy_house(PLACE)
    first, second = world.enter(), world.enter()
    world.wait(20.1)
    hears(world, first)
    hears(world, second)
    world.do(AmendCall(second, priority=9))
    world.wait(60.1)
    assert hears(world, second) == ("you-are-next",)
    assert hears(world, first) == ("you-are", "ord-2", "in-line", "longer-urgent-callers")


def test_a_longer_wait_is_told_with_its_reason() -> None:
    world = busy_house(BOTH, agents=3)
    call = world.enter()
    world.wait(20)
    hears(world, call)
    for agent in ("101", "102"):
        world.do(SignOut(AgentId(agent)))
    world.wait(60)
    assert "longer-fewer-agents" in hears(world, call)
    assert world.floor.calls[call].told[-1].because is Growth.FEWER_AGENTS


def test_a_reason_that_was_not_heard_is_given_again() -> None:
    world = busy_house(BOTH, agents=3)
    call = world.enter()
    world.wait(20)
    hears(world, call)
    for agent in ("101", "102"):
        world.do(SignOut(AgentId(agent)))
    world.wait(60)
    assert "longer-fewer-agents" in said_to(world, call)[-1].prompts  # and nobody says that it was heard
    world.wait(UNHEARD_S)
    assert len(said_to(world, call)) == 3
    assert "longer-fewer-agents" in hears(world, call)


def test_in_doubt_the_better_of_two_places_holds() -> None:
    world = busy_house(PLACE)
    first, _, third = (world.enter() for _ in range(3))
    world.wait(21)
    assert hears(world, third) == ("you-are", "ord-3", "in-line")
    world.hang_up(first)
    world.wait(60)
    assert said_to(world, third)[-1].prompts == ("you-are", "ord-2", "in-line")  # and nobody says that it was heard
    world.enter(priority=1)
    world.wait(UNHEARD_S)
    assert hears(world, third) == ("you-are", "ord-3", "in-line", "longer-urgent-callers")


def test_in_doubt_the_earlier_of_two_promised_times_holds() -> None:
    world = busy_house(BOTH, agents=3)
    call = world.enter()
    world.wait(20)
    said_to(world, call)
    world.wait(UNHEARD_S)  # it may have been heard
    promise = world.floor.calls[call].promise
    assert promise is not None
    assert world.floor.calls[call].told == ()


def test_a_promise_outlives_a_restart_of_the_service() -> None:
    world = busy_house(BOTH)
    call = world.enter()
    world.wait(20)
    hears(world, call)
    before = world.floor.calls[call].promise
    entered = next(one[0] for one in world.log if isinstance(one[0], t.CallEntered) and one[0].call == call)
    told = replace(entered, told=said_to(world, call)[0].say)
    again = World(Floor(), world.now + 5)
    again.do(DefineQueue(QueueSpec(SALES, "8000", announcements=BOTH)))
    again.do(
        t.PbxSnapshot(PBX, "boot-1", (SnapshotCall(told, LegStage.WAITING),), ((device("101"), DeviceState.IN_USE),))
    )
    after = again.floor.calls[call].promise
    assert before is not None
    assert after is not None
    assert (after.ahead, after.agents) == (before.ahead, before.agents)
    assert before.at + before.high_s - 0.01 <= after.at + after.high_s <= before.at + before.high_s
    again.wait(50)
    assert said_to(again, call) == []
    again.wait(6)
    assert len(said_to(again, call)) == 1  # the next one is due a period after the last, not anew


# ---------------------------------------------------------------- how many


def test_ten_thousand_callers_are_spoken_to_one_after_the_other() -> None:
    world = busy_house(PLACE)
    calls = [world.enter(number=f"0912{n:07d}") for n in range(400)]
    world.wait(19)
    for _ in range(20):
        before = len(world.requests)
        world.wait(1.0)
        assert len(world.requests) - before <= RATE + 1
    assert {one.call for one in world.requests if isinstance(one, Announce)} == set(calls)


def test_who_has_left_takes_nobodys_time() -> None:
    world = busy_house(PLACE)
    calls = [world.enter() for _ in range(300)]
    world.wait(20)  # all are due, and the voice has spoken to the first
    for call in calls[1:-1]:
        world.hang_up(call)
    world.wait(0.1)
    assert said_to(world, calls[-1]) != []


# ---------------------------------------------------------------- language


def test_a_callers_language_is_his_choice_then_the_directorys_then_the_queues_then_the_channels() -> None:
    world = World.with_agents(announcements=Announcements(language="de"))
    world.do(PutCallers((("+98912000", CallerProfile(language="fa")),)))

    def enters(number: str, language: str | None, *, chosen: bool = False) -> tuple[str | None, list[t.Mark]]:
        world.serial += 1
        entry = world.entry(number=number)
        fact = t.CallEntered(entry.call, entry.leg, "sales", world.now, world.serial, 0, number, None, language, chosen)
        effects = world.do(fact)
        return world.call(fact.call).language, [one for one in effects.requests if isinstance(one, t.Mark)]

    assert enters("0912000", "en", chosen=True) == ("en", [])
    assert enters("0912001", "de") == ("de", [])
    language, (mark,) = enters("0912000", "de")
    assert (language, mark.language, mark.place_since) == ("fa", "fa", None)
    world.do(DefineQueue(QueueSpec(SALES, "8000")))
    assert enters("0912001", "ar") == ("ar", [])


def test_a_language_is_what_asterisk_takes_for_one() -> None:
    assert all(is_language(one) for one in ("fa", "en_GB", "ckb"))
    assert not any(is_language(one) for one in ("", "f", "farsi", "FA", "fa-IR", "fa_", "فا", "e n"))


def test_agents_are_not_needed_to_tell_a_place() -> None:
    world = World.with_agents(announcements=BOTH)
    call = world.enter()
    world.wait(20)
    assert hears(world, call) == ("you-are-next",)
