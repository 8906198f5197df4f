"""Each strategy against a plain, slow model that says again from scratch who should have been rung."""

from collections.abc import Callable
from math import log

from hypothesis import given, settings
from hypothesis import strategies as st

from acd.agents import AgentSpec
from acd.commands import DefineAgent, DefineQueue, SignIn, SignOut
from acd.floor import Floor
from acd.ids import AgentId, CallId
from acd.queues import MissPolicy, Queue, QueueSpec
from acd.strategies import RING_EVERYBODY, STRATEGIES, Choice, draw
from acd.telephony import DeviceState, MissCause
from tests.support.world import SALES, START, World, device

AGENTS = ("101", "102", "103", "104", "105")
WEIGHTS = {"101": 1, "102": 2, "103": 3, "104": 4, "105": 5}
RANKS = {"101": 3, "102": 1, "103": 2, "104": 1, "105": 0}


class Book:
    """What the model remembers: everything that happened to each agent, and nothing else."""

    def __init__(self) -> None:
        self.signed_in: dict[str, float] = {}
        self.idle_since: dict[str, float] = {}
        self.turn: dict[str, int] = {}
        self.calls: dict[str, int] = dict.fromkeys(AGENTS, 0)
        self.talked: dict[str, float] = dict.fromkeys(AGENTS, 0.0)
        self.turns = 0

    def rate(self, amount: float, agent: str, now: float) -> float:
        return amount / max(60.0, now - self.signed_in[agent])


Model = Callable[[Book, str, float, float], tuple[float, ...]]
MODELS: dict[str, Model] = {
    "longest_idle": lambda book, agent, _now, _u: (book.idle_since[agent],),
    "ring_all": lambda book, agent, _now, _u: (book.idle_since[agent],),
    "round_robin": lambda book, agent, _now, _u: (book.turn.get(agent, 0),),
    "fewest_calls": lambda book, agent, now, _u: (book.rate(book.calls[agent], agent, now), book.idle_since[agent]),
    "least_talk_time": lambda book, agent, now, _u: (book.rate(book.talked[agent], agent, now), book.idle_since[agent]),
    "random": lambda _book, _agent, _now, u: (u,),
    "weighted": lambda _book, agent, _now, u: (-log(u) / WEIGHTS[agent],),
    "linear": lambda book, agent, _now, _u: (RANKS[agent], book.idle_since[agent]),
}

steps = st.lists(
    st.tuples(st.sampled_from(["call", "end", "reject", "wait"]), st.integers(0, 4), st.floats(0.5, 400.0)),
    min_size=5, max_size=60,
)  # fmt: skip


def open_floor(strategy: str) -> tuple[World, Book]:
    world, book = World.with_agents(strategy=strategy, wrap_up_s=0, rest_s=1.0, misses=MissPolicy(0, 0, 0, 0)), Book()
    for agent in AGENTS:
        world.do(
            DefineAgent(
                AgentSpec(
                    AgentId(agent), device=device(agent), queues=(SALES,),
                    weights=((SALES, WEIGHTS[agent]),), ranks=((SALES, RANKS[agent]),),
                )
            )
        )  # fmt: skip

        world.phone(agent, DeviceState.NOT_IN_USE)
        world.do(SignIn(AgentId(agent)))
        book.signed_in[agent] = book.idle_since[agent] = world.now
        world.now += 1.0
    return world, book


def chance(floor: Floor, call: CallId, agent: str) -> float:
    """The very draw that the decision was made with: before the offer was counted."""
    live = floor.calls[call]
    live.offers_made -= 1
    try:
        return draw(floor.agents[AgentId(agent)], Choice(floor.queues[SALES], live, 0.0))
    finally:
        live.offers_made += 1


@settings(max_examples=60, deadline=None, derandomize=True)
@given(strategy=st.sampled_from(sorted(STRATEGIES)), script=steps)
def test_the_floor_rings_whom_the_plain_model_names(strategy: str, script: list[tuple[str, int, float]]) -> None:
    world, book = open_floor(strategy)
    free, talking, resting = set(AGENTS), {}, {}
    for what, pick, seconds in script:
        resting = {agent: until for agent, until in resting.items() if until > world.now}
        if what == "wait":
            world.wait(seconds)
        elif what == "end" and talking:
            call, agent = sorted(talking.items())[pick % len(talking)]
            began = world.call(call).connected_at or world.now
            world.agent_hangs_up(call, agent)
            del talking[call]
            free.add(agent)
            book.idle_since[agent] = world.now
            book.talked[agent] += world.now - began
        elif what in ("call", "reject") and free - set(resting):
            candidates = sorted(free - set(resting))
            call = world.enter()
            us = {agent: chance(world.floor, call, agent) for agent in candidates}
            order = sorted(candidates, key=lambda a: (*MODELS[strategy](book, a, world.now, us[a]), a))
            expected = tuple(order) if strategy in RING_EVERYBODY else (order[0],)
            assert world.rung(call) == expected
            for agent in expected:
                book.turns += 1
                book.turn[agent] = book.turns
            winner = expected[pick % len(expected)]
            world.now += 0.5
            if what == "call":
                world.answer(call, winner)
                talking[call] = winner
                free.discard(winner)
                book.calls[winner] += 1
            else:
                for agent in expected:
                    world.ring(call, agent)
                world.hang_up(call)


def test_weighted_shares_are_in_proportion() -> None:
    """10,000 draws: each agent's share is within four standard deviations of weight / sum of weights."""
    world, _ = open_floor("weighted")
    queue, wins, n = world.floor.queues[SALES], dict.fromkeys(AGENTS, 0), 10_000
    caller = world.floor.calls[world.enter()]
    for number in range(n):
        caller.id = CallId(f"pbx1-{number}.1")
        keys = {a: STRATEGIES["weighted"](world.floor.agents[AgentId(a)], Choice(queue, caller, START)) for a in AGENTS}
        wins[min(keys, key=lambda a: keys[a])] += 1
    for agent in AGENTS:
        share = WEIGHTS[agent] / sum(WEIGHTS.values())
        assert abs(wins[agent] / n - share) < 4 * (share * (1 - share) / n) ** 0.5


def test_random_is_the_same_again_and_different_for_the_next() -> None:
    world, _ = open_floor("random")
    queue, agent = world.floor.queues[SALES], world.floor.agents[AgentId("101")]
    first, second = world.floor.calls[world.enter()], world.floor.calls[world.enter()]
    assert draw(agent, Choice(queue, first, 0.0)) == draw(agent, Choice(queue, first, 99.0))
    assert draw(agent, Choice(queue, first, 0.0)) != draw(agent, Choice(queue, second, 0.0))


def test_a_newcomer_is_not_flooded() -> None:
    """With fewest_calls, who signs in late gets a fair rate, not every call until he has caught up."""
    world, _ = open_floor("fewest_calls")

    world.do(SignOut(AgentId("105")))
    for _ in range(40):
        world.wait(90)
        call = world.enter()
        agent = world.rung(call)[0]
        world.answer(call, agent)
        world.agent_hangs_up(call, agent)

    world.wait(5 * 3600)
    world.do(SignIn(AgentId("105")))
    got = 0
    for _ in range(10):
        world.wait(90)
        call = world.enter()
        agent = world.rung(call)[0]
        got += agent == "105"
        world.answer(call, agent)
        world.agent_hangs_up(call, agent)
    assert got <= 4


def test_steady_lists_stay_in_order_whatever_changes() -> None:
    world, _ = open_floor("linear")
    world.do(DefineQueue(QueueSpec(SALES, "8000", strategy="longest_idle")))
    queue: Queue = world.floor.queues[SALES]
    assert queue.idle.order == sorted(queue.idle.order)
    assert world.rung(world.enter()) == ("101",)


def test_a_miss_is_counted_by_cause_and_ends_with_a_conversation() -> None:
    world = World.with_agents("101", rest_s=0.1, misses=MissPolicy(no_answer=3, rejected=2))
    for cause in (MissCause.NO_ANSWER, MissCause.NO_ANSWER, MissCause.REJECTED):
        call = world.enter()
        world.miss(call, "101", cause)
        world.hang_up(call)
        world.wait(1.2)
    assert world.agent("101").status == "available"
    call = world.enter()
    world.miss(call, "101", MissCause.REJECTED)
    assert (world.agent("101").status, world.agent("101").reason) == ("break", "rejected")
