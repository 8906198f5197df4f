"""What a turn leaves behind: nothing depends on who reads meanwhile, nor on how much one turn may do."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acd import picture, routing
from acd.agents import Agent
from acd.commands import SignIn
from acd.events import CallOffered
from acd.explain import why_call, why_idle
from acd.floor import Floor
from acd.ids import AgentId, CallId, device_on
from acd.queues import Line, Place, Queue
from acd.telephony import LinkDown
from acd.turn import Effects
from tests.property.small_centre import AGENTS, PBXS, SmallCentre, replayed

STEPS = 200


def everything(floor: Floor) -> list[object]:
    """All that a floor knows, to be compared; agents and queues name each other, so they are taken apart."""
    parts = ("spec", "kinds", "offered", "turns", "last_turn", "live_calls", "ledger", "waits", "rated_at")
    queues = [
        (list(one.line), one.idle, [getattr(one, part) for part in parts], _rates(one)) for one in floor.queues.values()
    ]
    own = [name for name in Agent.__dataclass_fields__ if name != "lines"]
    agents = [
        (*(getattr(one, name) for name in own), [line.spec.id for line in one.lines]) for one in floor.agents.values()
    ]
    rest = (
        floor.calls,
        floor.ended,
        floor.pbxs,
        floor.devices,
        floor.at_device,
        floor.doubted,
        floor.served_by,
        floor.particular,
    )
    return [
        queues,
        agents,
        *rest,
        floor.fresh_agents,
        floor.fresh_calls,
        [(one[0], *one[2:]) for one in sorted(floor.timers)],
    ]


def _rates(queue: Queue) -> list[object]:
    known = ((needs, hands.able, hands.pool) if hands is not None else needs for needs, hands in queue.rates.items())
    return list(known)


def read_everything(dice: Random) -> "object":
    """A reader who comes and goes."""

    def read(floor: Floor, now: float) -> None:
        if dice.random() < 0.5:
            return
        at = now + dice.choice((0.0, 0.0, 0.4))
        for queue in floor.queues:
            picture.line(floor, queue, at)
            picture.stats(floor, queue, at - 3600.0, at)
        for agent in floor.agents:
            why_idle(floor, agent, at)
        for call in [*floor.calls, *list(floor.ended)[-5:]]:
            picture.call(floor, call, at)
            why_call(floor, call, at)
        picture.agents(floor, at)
        floor.next_deadline()

    return read


@pytest.mark.parametrize("seed", range(12))
def test_readers_change_nothing(seed: int) -> None:
    centre = SmallCentre(seed)
    told: list[Effects] = []
    centre.heard = told.append
    for _ in range(STEPS):
        centre.step()
    quiet, alone = replayed(centre.script)
    read, watched = replayed(centre.script, read_everything(Random(seed)))  # type: ignore[arg-type]
    assert alone == watched
    assert alone[-len(told) :] == told
    assert everything(quiet) == everything(read)
    assert everything(quiet) == everything(centre.floor), "a command that was refused has changed something"


@pytest.mark.parametrize("most", [1, 3])
@pytest.mark.parametrize("seed", range(8))
def test_how_much_a_turn_may_do_changes_nothing_of_who_gets_whom(
    seed: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everybody is back at once, in several lines: turn by turn the same callers get the same agents as all in one."""

    def offers(limit: int) -> list[tuple[CallId, tuple[AgentId, ...]]]:
        monkeypatch.setattr(routing, "MOST_OFFERS", limit)
        made: list[CallOffered] = []

        def note(effects: Effects) -> None:
            made.extend(event for event in effects.events if isinstance(event, CallOffered))
            assert len(effects.requests) <= limit

        centre = SmallCentre(seed)
        for _ in range(40):
            centre.step()
            centre.quiet(centre.now)
        for pbx in PBXS:
            for device in [device_on(pbx, f"PJSIP/{agent}") for agent in AGENTS]:
                centre.elsewhere.pop(device, None)
            centre.tell(LinkDown(pbx, "reset"))
        for call in list(centre.callers):
            centre.leave(call)
        for _ in range(12):
            centre.enter()
        for agent in AGENTS:
            centre.tell(SignIn(agent))
        centre.heard = note
        for pbx in PBXS:
            centre.link(pbx)
            centre.quiet(centre.now)
        return sorted((event.call, event.agents) for event in made)

    assert offers(most) == offers(200)


places = st.tuples(st.sampled_from([0.0, -1.0, 2.5]), st.integers(0, 3).map(float), st.integers(0, 5), st.just("c"))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.booleans(), places), max_size=60))
def test_a_line_is_a_sorted_list(steps: list[tuple[bool, Place]]) -> None:
    line, plain = Line(), list[Place]()
    for joins, place in steps:
        if joins and place not in plain:
            line.add(place)
            plain = sorted([*plain, place])
        elif not joins and plain and place[2] < 3:  # mostly from the head, as lines are served
            line.remove(plain.pop(0))
        else:
            assert line.remove(place) == (place in plain)
            plain = [one for one in plain if one != place]
        assert list(line) == plain
        assert len(line) == len(plain)
        assert line.first == (plain[0] if plain else None)
        assert [line[at] for at in range(len(plain))] == plain
        assert line.index(place) == sum(one < place for one in plain)
