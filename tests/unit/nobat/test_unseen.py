"""What history is made of a note: an outcome, and a conversation if there was one."""

from acd.events import CallConnected, CallEnded, CallQueued, TalkEnded, VisitDecided
from acd.ids import AgentId, CallId, LegId
from acd.outcomes import Outcome
from ami.outputs import Note
from nobat.unseen import history_of
from tests.support.world import SALES, World, device

CAME = 1_700_000_000.0


def note(**more: object) -> Note:
    values = {
        "call": CallId("pbx1-1700000000000.9"), "leg": LegId("pbx1-1700000000.9"), "queue": "8000", "entered_at": CAME,
        "priority": 0, "number": "0912", "connected_at": None, "ended_at": None, "gone_at": CAME + 5, "device": None,
    } | more  # fmt: skip
    return Note(**values)  # type: ignore[arg-type]


def test_who_left_gave_up_at_that_moment() -> None:
    world = World.with_agents("101")
    told = history_of(world.floor, note(), CAME + 60)
    assert told is not None
    events, call = told
    assert [type(event) for event in events] == [CallQueued, VisitDecided, CallEnded]
    assert (call.queue, call.outcome, call.waited_s, call.ended_at) == (SALES, Outcome.ABANDONED, 5.0, CAME + 5)


def test_who_was_served_by_asterisk_talked_with_that_agent() -> None:
    world = World.with_agents("101")
    served = note(connected_at=CAME + 13, ended_at=CAME + 20, gone_at=CAME + 21, device=device("101"))
    told = history_of(world.floor, served, CAME + 60)
    assert told is not None
    events, call = told
    assert [type(event) for event in events] == [CallQueued, CallConnected, TalkEnded, VisitDecided, CallEnded]
    assert (call.outcome, call.agent, call.waited_s, call.talk_s) == (Outcome.ANSWERED, AgentId("101"), 13.0, 7.0)
    assert [(talk.agent, talk.talk_s) for talk in call.talks] == [(AgentId("101"), 7.0)]


def test_a_phone_that_was_picked_up_in_the_moment_in_which_he_left_makes_no_conversation() -> None:
    told = history_of(World.with_agents().floor, note(connected_at=CAME + 4.9), CAME + 60)
    assert told is not None
    assert told[1].outcome is Outcome.ABANDONED


def test_whose_end_nobody_wrote_was_lost_with_asterisk() -> None:
    told = history_of(World.with_agents().floor, note(gone_at=None), CAME + 60)
    assert told is not None
    assert (told[1].outcome, told[1].ended_by) == (Outcome.LOST, "pbx_restart")


def test_who_is_known_or_came_to_no_queue_is_left_alone() -> None:
    world = World.with_agents()
    call = world.enter()
    assert history_of(world.floor, note(call=call), CAME + 60) is None
    world.hang_up(call)
    assert history_of(world.floor, note(call=call), CAME + 60) is None
    assert history_of(world.floor, note(queue="nowhere"), CAME + 60) is None
