"""Who gets whom, turn by turn, against a plain and slow model that knows neither idle lists nor fresh callers.

The model looks at everybody: of all who waited before the turn's offers, the first by place whom a free agent may serve gets the
best of those agents, then the next. What the floor did must be that, offer by offer.
"""

from math import log

import pytest

from acd import floor as floors
from acd import routing
from acd.agents import Agent, AgentState, Free, Status
from acd.calls import Call, CallState
from acd.events import CallOffered
from acd.explain import CallWhy, why_call
from acd.floor import Floor
from acd.ids import AgentId, CallId, QueueId
from acd.queues import Queue
from acd.routing import Bar
from acd.strategies import Choice, draw
from acd.telephony import DeviceState
from acd.turn import Effects
from tests.property.small_centre import SmallCentre

STEPS = 200


class Model:
    """Says again from scratch who should have been rung; reads the floor's facts, none of its indexes."""

    def __init__(self, floor: Floor) -> None:
        self.floor = floor
        self.turns: dict[QueueId, dict[AgentId, int]] = {}
        self.count = 0

    def needs(self, call: Call, now: float) -> dict[str, int]:
        spec = self.floor.queues[call.queue].spec
        asked = spec.skills
        for step in spec.relax:
            if now - call.visit.entered_at >= step.after_s - 1e-6:
                asked = step.skills
        wanted: dict[str, int] = {}
        for name, level in (*asked, *call.own_needs):
            wanted[name] = max(level, wanted.get(name, 0))
        return wanted

    def at_work(self, agent: Agent) -> bool:
        """Available, and in a call or on a phone that can be reached."""
        lost = agent.device_state in (DeviceState.UNAVAILABLE, DeviceState.UNKNOWN)
        return agent.status is Status.AVAILABLE and not (isinstance(agent.engagement, Free) and lost)

    def able(self, agent: Agent, call: Call, now: float) -> bool:
        levels = dict(agent.spec.skills)
        skilled = all(levels.get(name, 0) >= level for name, level in self.needs(call, now).items())
        here = agent.device is not None and agent.device.startswith(f"{call.pbx}/")
        return skilled and here and call.queue in agent.spec.queues

    def may(self, agent: Agent, call: Call, now: float) -> bool:
        """Whether a free agent may serve a caller."""
        if not self.able(agent, call, now) or call.hold_off_until > now:
            return False
        pbx = self.floor.pbxs.get(call.pbx)
        if pbx is None or not pbx.up:
            return False
        others = [one for one in self.floor.agents.values() if self.at_work(one) and self.able(one, call, now)]
        held = call.preferred not in (None, agent.id) and now < call.held_until and call.preferred not in call.misses
        if held and any(one.id == call.preferred for one in others):
            return False
        return agent.id not in call.rejected_by or all(one.id in call.rejected_by for one in others)

    def free(self, agent: Agent, now: float) -> bool:
        return (
            agent.status is Status.AVAILABLE and isinstance(agent.engagement, Free)
            and agent.device_state is DeviceState.NOT_IN_USE and agent.rest_until <= now
        )  # fmt: skip

    def key(self, agent: Agent, call: Call, queue: Queue, now: float) -> tuple[float, ...]:
        shift = agent.shift
        signed_in = max(60.0, now - shift.began_at - shift.away_s)
        match queue.spec.strategy:
            case "longest_idle" | "ring_all":
                return (agent.idle_anchor,)
            case "round_robin":
                return (self.turns.get(queue.spec.id, {}).get(agent.id, 0),)
            case "fewest_calls":
                return (shift.calls / signed_in, agent.idle_anchor)
            case "least_talk_time":
                return (shift.talk_s / signed_in, agent.idle_anchor)
            case "random":
                return (draw(agent, Choice(queue, call, now)),)
            case "weighted":
                weight = dict(agent.spec.weights).get(queue.spec.id, 1)
                return (-log(draw(agent, Choice(queue, call, now))) / weight,)
            case "linear":
                return (dict(agent.spec.ranks).get(queue.spec.id, 0), agent.idle_anchor)
        raise AssertionError(queue.spec.strategy)

    def place(self, call: Call) -> tuple[float, float, int]:
        entered = call.visit.entered_at
        return (entered - call.priority * self.floor.queues[call.queue].spec.priority_s, entered, call.serial)

    def should(self, offered: list[CallOffered], now: float) -> list[tuple[CallId, tuple[AgentId, ...]]]:
        """The offers that were to be made, from the floor as it stood before these were."""
        floor = self.floor
        rung = {agent: event for event in offered for agent in event.agents}
        engaged = {agent: floor.agents[agent].engagement for agent in rung}
        for agent in rung:
            floor.agents[agent].engagement = Free()
        for event in offered:
            floor.calls[event.call].offers_made -= 1
        waiting = [call for call in floor.calls.values() if call.state is CallState.WAITING]
        waiting += [floor.calls[event.call] for event in offered]
        free = {agent.id for agent in floor.agents.values() if self.free(agent, now)}
        found = []
        for call in sorted(waiting, key=self.place):
            queue = floor.queues[call.queue]
            able = [floor.agents[one] for one in free if self.may(floor.agents[one], call, now)]
            able.sort(key=lambda one: (call.misses.get(one.id, 0), self.key(one, call, queue, now), one.id))
            chosen = tuple(one.id for one in (able if queue.spec.strategy == "ring_all" else able[:1]))
            if chosen:
                found.append((call.id, chosen))
                free.difference_update(chosen)
                for one in chosen:
                    self.count += 1
                    self.turns.setdefault(queue.spec.id, {})[one] = self.count
        for agent, was in engaged.items():
            floor.agents[agent].engagement = was
        for event in offered:
            floor.calls[event.call].offers_made += 1
        return found


class Watched(SmallCentre):
    """A centre whose every turn is compared with the model."""

    def __init__(self, seed: int) -> None:
        self.model: Model | None = None
        self.offers = 0
        super().__init__(seed, self.compare)

    def compare(self, effects: Effects) -> None:
        if self.model is None:
            self.model = Model(self.floor)
        gone = [name for name in self.model.turns if name not in self.floor.queues]
        for name in gone:
            del self.model.turns[name]
        offered = [event for event in effects.events if isinstance(event, CallOffered)]
        self.offers += len(offered)
        made = [(event.call, event.agents) for event in offered]
        assert sorted(made) == sorted(self.model.should(offered, self.floor.now))
        self.indexes_are_right()

    def indexes_are_right(self) -> None:
        floor, now = self.floor, self.floor.now
        assert self.model is not None
        for name, queue in floor.queues.items():
            waiting = [one for one in floor.calls.values() if one.queue == name and one.state is CallState.WAITING]
            assert [place[3] for place in queue.line] == [one.id for one in sorted(waiting, key=self.model.place)]
            assert all(one.needs == tuple(sorted(self.model.needs(one, now).items())) for one in waiting)
            kinds = [one.needs for one in waiting]
            assert queue.kinds == {needs: kinds.count(needs) for needs in kinds}
            assert queue.offered == {
                one.id for one in floor.calls.values() if one.queue == name and one.state is CallState.OFFERED
            }
            members = {agent.id for agent in floor.agents.values() if name in agent.spec.queues}
            assert set(queue.members) == members
            assert set(queue.idle.keys) == {one for one in members if self.model.free(floor.agents[one], now)}
            assert queue.idle.order == sorted((key, agent) for agent, key in queue.idle.keys.items())
            if queue.spec.strategy in ("longest_idle", "ring_all"):
                assert all(key == (floor.agents[one].idle_anchor,) for one, key in queue.idle.keys.items())
        for agent in floor.agents.values():
            assert agent.seen_serving == (agent.pbx if self.model.at_work(agent) else None)


@pytest.mark.parametrize("first", range(0, 60, 10))
def test_every_turn_does_what_a_plain_look_at_everybody_would_do(first: int) -> None:
    offers = 0
    for seed in range(first, first + 10):
        centre = Watched(seed)
        for _ in range(STEPS):
            centre.step()
        offers += centre.offers
    assert offers > 100


@pytest.mark.parametrize("first", range(0, 60, 20))
def test_why_names_who_will_be_rung_and_gives_true_reasons(first: int) -> None:
    """People ask while nothing is offered; then the floor goes on, and does what it said."""
    kept = 0
    for seed in range(first, first + 20):
        centre = SmallCentre(seed)
        for part in range(8):
            centre.floor.offering = part == 0
            for _ in range(20):
                centre.step()
            centre.quiet(centre.now)
            whys = {call: why_call(centre.floor, call, centre.now) for call in centre.floor.calls}
            for why in whys.values():
                reasons_are_true(centre.floor, why, centre.now)
            centre.floor.offering = True
            centre.floor.freshen()
            made: list[CallOffered] = []
            centre.heard = lambda effects, made=made: made.extend(  # type: ignore[misc]
                event for event in effects.events if isinstance(event, CallOffered)
            )
            centre.tick()
            if made:
                why = whys[made[0].call]
                likely = [one.agent for one in why.candidates if one.bar is None]
                everybody = centre.floor.queues[why.queue].spec.strategy == "ring_all"
                assert list(made[0].agents) == (likely if everybody else likely[:1])
                kept += 1
    assert kept > 20


def reasons_are_true(floor: Floor, why: CallWhy, now: float) -> None:
    """Each by what the model says of it."""
    call, model = floor.calls[why.call], Model(floor)
    for one in why.candidates:
        agent = floor.agents[one.agent]
        able = model.able(agent, call, now)
        assert (one.terms is None) == (one.bar is not None)
        match one.bar:
            case None:
                assert able
                assert model.free(agent, now)
            case Bar.NOT_IDLE | Bar.RESTING:
                assert not model.free(agent, now)
                assert (one.bar is Bar.RESTING) == (agent.state is AgentState.IDLE)
            case Bar.SKILL:
                assert any(agent.skill(name) < level for name, level in model.needs(call, now).items())
            case Bar.OTHER_PBX:
                assert agent.pbx != call.pbx
            case Bar.HELD:
                assert able
                assert why.held_for not in (None, one.agent)
                assert why.held_until is not None
                assert why.held_until > now
            case Bar.REJECTED:
                assert able
                assert one.agent in call.rejected_by
                assert any(
                    model.at_work(floor.agents[other.agent]) and model.able(floor.agents[other.agent], call, now)
                    for other in why.candidates
                    if other.agent not in call.rejected_by
                )
            case _:
                raise AssertionError(one.bar)


def nobody_was_passed_over(floor: Floor, effects: Effects) -> None:
    """By somebody behind, at an agent who could have served him; needs that are about to relax come in the turns that follow."""
    model, now = Model(floor), floor.now
    if floor.timers and floor.timers[0][0] <= now:
        return
    for event in effects.events:
        if isinstance(event, CallOffered):
            chosen = model.place(floor.calls[event.call])
            before = [
                call for call in floor.calls.values() if call.state is CallState.WAITING and model.place(call) < chosen
            ]
            assert not any(model.may(floor.agents[agent], call, now) for agent in event.agents for call in before)


@pytest.mark.parametrize("first", range(0, 40, 20))
def test_with_short_turns_nobody_waits_beside_a_free_agent_once_nothing_is_due(
    first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One offer and one timer a turn: messages come in between, and work is left over all the time."""
    monkeypatch.setattr(routing, "MOST_OFFERS", 1)
    monkeypatch.setattr(floors, "MOST_TIMERS", 1)
    rests = 0
    for seed in range(first, first + 20):
        centre = SmallCentre(seed)
        centre.heard = lambda effects, floor=centre.floor: nobody_was_passed_over(floor, effects)  # type: ignore[misc]
        for _ in range(STEPS):
            centre.step()
            floor, model = centre.floor, Model(centre.floor)
            due = floor.next_deadline()
            if due is not None and due <= centre.now:
                continue
            rests += 1
            free = [agent for agent in floor.agents.values() if model.free(agent, floor.now)]
            for call in floor.calls.values():
                if call.state is CallState.WAITING:
                    assert not any(model.may(agent, call, floor.now) for agent in free)
    assert rests > 1_000
