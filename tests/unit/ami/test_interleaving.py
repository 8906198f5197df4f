"""Asterisk's threads race: any order that keeps each channel's own order gives the same facts, however often things are said.

Each scenario is a call as it was measured. An event that names two channels (DialBegin, DialEnd) keeps its place on both.
"""

from collections import Counter
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acd.telephony import (
    AgentHungUp,
    AgentLegGone,
    CallerFreed,
    CallGone,
    Held,
    MissCause,
    OfferAnswered,
    OfferEnded,
    OfferMissed,
    OfferRinging,
    Resumed,
    TalkBegan,
)
from ami import events as e
from tests.unit.ami.wire import (
    CALL,
    CALLER,
    Desk,
    agent_bridged,
    agent_channel,
    agent_gone,
    agent_hangs_up,
    agent_unbridged,
    caller_bridged,
    caller_gone,
    caller_hangs_up,
    caller_unbridged,
    device,
    dial_begins,
    dial_ends,
    given_an_offer,
    leg,
    offer_over,
    picks_up,
    talk_over,
)


@dataclass(frozen=True)
class Scenario:
    targets: tuple[int, ...]
    events: tuple[e.Event, ...]
    facts: tuple[object, ...]


def missed(number: int, cause: MissCause) -> OfferMissed:
    return OfferMissed(CALL, "of1", device(number), cause)


def rings(number: int, serial: int) -> OfferRinging:
    return OfferRinging(CALL, "of1", device(number), leg(serial))


TALK = (OfferAnswered(CALL, "of1", device(102), leg(9)), TalkBegan(CALL, "of1", device(102), leg(9)))
GONE = (CallGone(CALL, 16),)
BRIDGED = (picks_up(102, 9), dial_ends(102, 9, "ANSWER"), agent_bridged(102, 9), caller_bridged())

SCENARIOS = {
    "agent hangs up": Scenario(
        (102,),
        (
            *(dial_begins(102, 9), *BRIDGED, agent_hangs_up(102, 9), agent_unbridged(102, 9)),
            *(caller_unbridged(), agent_gone(102, 9), talk_over(), caller_gone()),
        ),
        (
            rings(102, 9),
            *TALK,
            AgentLegGone(CALL, leg(9), device(102), 16, True, False),
            CallerFreed(CALL, "of1"),
            *GONE,
        ),
    ),
    "caller hangs up": Scenario(
        (102,),
        (
            *(dial_begins(102, 9), *BRIDGED, caller_hangs_up(), caller_unbridged()),
            *(agent_unbridged(102, 9), agent_gone(102, 9), caller_gone()),
        ),
        (rings(102, 9), *TALK, AgentLegGone(CALL, leg(9), device(102), 16, False, False), *GONE),
    ),
    "held, and the phone dies": Scenario(
        (102,),
        (
            *(dial_begins(102, 9), *BRIDGED, e.HoldBegan(agent_channel(102, 9), leg(9), "1")),
            *(e.HoldEnded(agent_channel(102, 9), leg(9), "2"), agent_gone(102, 9, 44), talk_over(), caller_gone()),
        ),
        (
            *(rings(102, 9), *TALK, Held(CALL), Resumed(CALL)),
            *(AgentLegGone(CALL, leg(9), device(102), 44, False, True), CallerFreed(CALL, "of1"), *GONE),
        ),
    ),
    "ring-all, the second answers": Scenario(
        (101, 102, 103),
        (
            *(dial_begins(101, 8), dial_begins(102, 9), dial_ends(101, 8, "CANCEL"), agent_gone(101, 8, 26)),
            *(*BRIDGED, agent_hangs_up(102, 9), agent_gone(102, 9), talk_over(), caller_gone()),
        ),
        (
            *(
                rings(101, 8),
                rings(102, 9),
                missed(101, MissCause.CANCELLED),
                missed(103, MissCause.UNREACHABLE),
                *TALK,
            ),
            *(AgentLegGone(CALL, leg(9), device(102), 16, True, False), CallerFreed(CALL, "of1"), *GONE),
        ),
    ),
    "nobody answers": Scenario(
        (101, 102, 103),
        (
            *(dial_begins(101, 8), dial_begins(102, 9), agent_hangs_up(102, 9, "17"), dial_ends(102, 9, "BUSY")),
            *(agent_gone(102, 9, 17), dial_ends(101, 8, "NOANSWER"), offer_over(), agent_gone(101, 8, 0)),
        ),
        (
            *(rings(101, 8), rings(102, 9), missed(102, MissCause.BUSY), missed(101, MissCause.NO_ANSWER)),
            *(missed(103, MissCause.UNREACHABLE), OfferEnded(CALL, "of1")),
        ),
    ),
    "caller gives up while it rings": Scenario(
        (101, 102),
        (
            *(dial_begins(101, 8), dial_begins(102, 9), caller_hangs_up(), dial_ends(101, 8, "CANCEL")),
            *(dial_ends(102, 9, "CANCEL"), agent_gone(101, 8), agent_gone(102, 9), caller_gone()),
        ),
        (rings(101, 8), rings(102, 9), missed(101, MissCause.CANCELLED), missed(102, MissCause.CANCELLED), *GONE),
    ),
    "caller leaves between answer and bridge": Scenario(
        (102,),
        (
            dial_begins(102, 9),
            picks_up(102, 9),
            caller_hangs_up(),
            dial_ends(102, 9, "ANSWER"),
            agent_gone(102, 9),
            caller_gone(),
        ),
        (rings(102, 9), TALK[0], AgentLegGone(CALL, leg(9), device(102), 16, False, False), *GONE),
    ),
}


def channels_of(event: e.Event) -> set[str]:
    if isinstance(event, e.DialBegan | e.DialEnded):
        return {event.leg, event.dest_leg}
    return {event.leg}  # type: ignore[union-attr]


def legal_order(draw: st.DrawFn, events: tuple[e.Event, ...]) -> list[e.Event]:
    """Any order in which no event overtakes an earlier one of the same channel."""
    left, order = list(events), []
    while left:
        free = [
            event
            for index, event in enumerate(left)
            if not any(channels_of(event) & channels_of(earlier) for earlier in left[:index])
        ]
        event = draw(st.sampled_from(free))
        left.remove(event)
        order.append(event)
    return order


def expected(scenario: Scenario, order: list[e.Event]) -> Counter[object]:
    """The scenario's facts, less what can no longer be said because the caller's end was heard before the agent's."""
    facts = Counter(scenario.facts)
    for fact in scenario.facts:
        if isinstance(fact, AgentLegGone) and caller_gone() in order:
            agents_end = next(event for event in order if isinstance(event, e.HungUp) and event.leg == fact.leg)
            if order.index(agents_end) > order.index(caller_gone()):
                facts -= Counter([fact, CallerFreed(CALL, "of1")])
    holds = [index for index, event in enumerate(order) if isinstance(event, e.HoldBegan | e.HoldEnded)]
    if holds:
        answered = min(order.index(picks_up(102, 9)), order.index(dial_ends(102, 9, "ANSWER")))
        began, ended = max(answered, order.index(caller_bridged())), order.index(caller_gone())
        if holds[1] < began or holds[0] > ended:
            facts -= Counter([Held(CALL), Resumed(CALL)])  # nobody was there to be held
        elif holds[1] > ended:
            facts -= Counter([Resumed(CALL)])
    return facts


def check_order(facts: list[object]) -> None:
    """The order that acd.telephony promises."""
    rank = {
        OfferRinging: 0, OfferMissed: 1, OfferAnswered: 2, OfferEnded: 2, TalkBegan: 3,
        Held: 4, Resumed: 5, AgentHungUp: 5, AgentLegGone: 6, CallerFreed: 7, CallGone: 8,
    }  # fmt: skip
    whole = [rank[type(fact)] for fact in facts if not isinstance(fact, OfferRinging | OfferMissed)]
    assert whole == sorted(whole)
    settled: set[str] = set()
    for fact in facts:
        if isinstance(fact, OfferMissed | OfferAnswered):
            settled.add(fact.device)
        assert not (isinstance(fact, OfferRinging) and fact.device in settled)
    last_miss = max((i for i, fact in enumerate(facts) if isinstance(fact, OfferMissed)), default=-1)
    decided = [i for i, fact in enumerate(facts) if isinstance(fact, OfferEnded | OfferAnswered | CallGone)]
    assert all(last_miss < index for index in decided)


@pytest.mark.parametrize("name", SCENARIOS)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_legal_order_gives_the_same_facts(name: str, data: st.DataObject) -> None:
    scenario = SCENARIOS[name]
    order = data.draw(st.composite(legal_order)(scenario.events), label="order")
    desk = given_an_offer(*scenario.targets).hears(*order)
    early = [fact for fact in desk.facts if isinstance(fact, AgentHungUp)]  # only if it was asked while they talked
    assert len(early) <= 1
    assert Counter(fact for fact in desk.facts if fact not in early) == expected(scenario, order)
    check_order(desk.facts)
    over = any(isinstance(event, e.HungUp) and event.leg == CALLER for event in order)
    assert desk.tracker.book.size() == (0 if over else 2)  # the caller by call and by leg


@pytest.mark.parametrize("name", SCENARIOS)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_repetitions_however_late_change_nothing(name: str, data: st.DataObject) -> None:
    scenario = SCENARIOS[name]
    order = data.draw(st.composite(legal_order)(scenario.events), label="order")
    noisy = list(order)
    for event in order:
        if data.draw(st.booleans()):
            at = data.draw(st.integers(noisy.index(event) + 1, len(noisy)))
            noisy.insert(at, event)
    once, twice = given_an_offer(*scenario.targets).hears(*order), given_an_offer(*scenario.targets).hears(*noisy)
    assert twice.facts == once.facts
    assert twice.tracker.book.size() == once.tracker.book.size()


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_any_events_at_all_leave_a_tracker_that_works(data: st.DataObject) -> None:
    """Not legal, not even possible: nothing may break, and the facts stay in their order."""
    every = sorted({event for scenario in SCENARIOS.values() for event in scenario.events}, key=repr)
    chosen = data.draw(st.lists(st.sampled_from(every), max_size=40))
    desk: Desk = given_an_offer(101, 102, 103).hears(*chosen)
    ends = [index for index, fact in enumerate(desk.facts) if isinstance(fact, CallGone)]
    assert ends in ([], [len(desk.facts) - 1])
