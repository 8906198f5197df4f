"""Promises through announcements: whatever is heard, missed or in doubt, and through restarts, nothing grows without a reason."""

import math
from dataclasses import dataclass, field, replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acd import telephony as t
from acd.announcements import Announcements
from acd.announcing import RATE
from acd.commands import AmendCall, DefineQueue, SignIn, SignOut
from acd.floor import Floor
from acd.ids import AgentId, CallId
from acd.queues import QueueSpec
from acd.telephony import Announce, DeviceState, LegStage, SnapshotCall
from tests.support.world import PBX, SALES, World, device

BOTH = Announcements(position=True, expected_wait=True, first_after_s=5, every_s=15)
PLACE = replace(BOTH, expected_wait=False)
POLICIES = st.sampled_from([BOTH, PLACE])
AGENTS = ("101", "102", "103")
REASONS = {"longer-fewer-agents", "longer-urgent-callers", "longer-long-calls"}


@dataclass
class Caller:
    """What one caller has really heard."""

    entered: t.CallEntered
    ends: list[float] = field(default_factory=list)
    places: list[int] = field(default_factory=list)

    def hears(self, prompts: tuple[str, ...], promise: tuple[float, float] | None, ahead: int | None) -> None:
        reason = bool(REASONS & set(prompts))
        if promise is not None:
            end = promise[0] + promise[1]
            assert reason or not self.ends or end <= self.ends[-1] + 1e-6, (prompts, self.ends, end)
            self.ends.append(end)
        if ahead is not None:
            assert reason or not self.places or ahead <= self.places[-1], (prompts, self.places, ahead)
            self.places.append(ahead)


class House:
    """A floor whose announcements reach the caller, or not, or nobody knows."""

    def __init__(self, policy: Announcements) -> None:
        self.policy = policy
        self.world = World.with_agents(*AGENTS, wrap_up_s=0, rest_s=1000, announcements=policy)
        self.callers: dict[CallId, Caller] = {}
        self.seen = 0

    def enter(self, priority: int) -> None:
        self.world.serial += 1
        fact = self.world.entry(priority=priority, number=f"0912{self.world.serial}")
        self.callers[fact.call] = Caller(fact)
        self.world.do(fact)

    def settle(self, fate: str) -> None:
        """What was asked for since the last time is heard, is missed, or is heard and nobody tells."""
        for request in self.world.requests[self.seen :]:
            match request:
                case t.Offer():
                    self.world.answer(request.call, self.world.rung(request.call)[0])
                case Announce() if request.call in self.world.floor.calls and fate != "missed":
                    self.hear(request, told=fate == "heard")
        self.seen = len(self.world.requests)

    def hear(self, request: Announce, *, told: bool) -> None:
        caller, call = self.callers[request.call], self.world.floor.calls[request.call]
        pending = call.speech.pending if call.speech is not None else None
        if call.visit.outcome is not None or pending is None or pending.say != request.say:
            return
        promise = (pending.promise.at, pending.promise.high_s) if pending.promise is not None else None
        caller.hears(request.prompts, promise, pending.ahead)
        caller.entered = replace(caller.entered, told=request.say)  # as the channel keeps it
        if told:
            self.world.do(t.Announced(request.call, request.say))

    def wait(self, seconds: int, fate: str) -> None:
        for _ in range(0, seconds, 5):
            self.world.wait(5)
            self.settle(fate)

    def restart(self) -> None:
        """A new service, on what the channels say."""
        old, self.world, self.seen = self.world, World(Floor(), self.world.now, serial=self.world.serial), 0
        self.world.do(DefineQueue(QueueSpec(SALES, "8000", wrap_up_s=0, rest_s=1000, announcements=self.policy)))
        for agent in AGENTS:
            self.world.hire(agent)
            if old.agent(agent).status == "available":
                self.world.do(SignIn(AgentId(agent)))
        waiting = [self.callers[call].entered for call in old.line()]
        shown = tuple(SnapshotCall(one, LegStage.WAITING) for one in waiting)
        self.world.do(t.PbxSnapshot(PBX, "boot-1", shown, tuple((device(a), DeviceState.IN_USE) for a in AGENTS)))


MOVES = st.one_of(
    st.tuples(st.just("enter"), st.sampled_from([0, 0, 0, 3])),
    st.tuples(st.just("wait"), st.sampled_from([5, 15, 40, 200])),
    st.tuples(st.just("leave"), st.integers(0, 99)),
    st.tuples(st.just("sign_out"), st.integers(0, 2)),
    st.tuples(st.just("sign_in"), st.integers(0, 2)),
    st.tuples(st.just("urgent"), st.integers(0, 99)),
    st.tuples(st.just("restart"), st.just(0)),
)


def move(house: House, kind: str, value: int, fate: str) -> None:
    world, waiting = house.world, house.world.line()
    match kind:
        case "enter":
            house.enter(value)
        case "wait":
            house.wait(value, fate)
        case "leave" if waiting:
            world.hang_up(waiting[value % len(waiting)])
        case "sign_out":
            world.do(SignOut(AgentId(AGENTS[value])))
        case "sign_in":
            world.do(SignIn(AgentId(AGENTS[value])))
        case "urgent" if waiting:
            world.do(AmendCall(waiting[value % len(waiting)], priority=5))
        case "restart":
            house.restart()


Move = tuple[tuple[str, int], str]


def a_shift(house: House, moves: list[Move]) -> None:
    for _ in range(6):
        house.enter(0)
        house.settle("heard")
    for (kind, value), fate in moves:
        move(house, kind, value, fate)
        house.settle(fate)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(
    moves=st.lists(st.tuples(MOVES, st.sampled_from(["heard", "heard", "heard", "missed"])), max_size=40),
    policy=POLICIES,
)
def test_nothing_told_grows_without_a_reason(moves: list[Move], policy: Announcements) -> None:
    a_shift(House(policy), moves)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(moves=st.lists(st.tuples(MOVES, st.sampled_from(["heard", "untold"])), max_size=40), policy=POLICIES)
def test_nor_when_the_news_of_what_was_heard_is_lost(moves: list[Move], policy: Announcements) -> None:
    """What was heard and not told of may only have been an earlier end: a reason is then given once too often, never too rarely."""
    a_shift(House(policy), moves)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(gaps=st.lists(st.floats(0, 0.2), min_size=50, max_size=200), every_s=st.sampled_from([10.0, 30.0]))
def test_no_second_is_given_more_than_its_share(gaps: list[float], every_s: float) -> None:
    world = World.with_agents(announcements=Announcements(position=True, first_after_s=1, every_s=every_s))
    asked: list[float] = []
    for gap in [*gaps, *[0.2] * 300]:
        world.wait(gap)
        if len(world.line()) < len(gaps):
            world.enter(number=f"0912{len(world.line())}")
        count = sum(isinstance(one, Announce) for one in world.requests)
        asked += [world.now] * (count - len(asked))
    for begin in asked:
        assert sum(begin <= at < begin + 1 for at in asked) <= math.ceil(RATE * 1.2) + 1
    assert len(asked) >= len(gaps)
