"""fairness: how evenly each strategy shares the work out among equals, and what it does to those who are not quite equal.

A day of ten hours at two thirds of what the agents can carry. Twelve are equals: one queue, all day, but some talk longer than
others, so that as many calls is not as much talk. Four sign in four hours late; four serve a second queue as well. The table has,
for each strategy, calls and minutes of talk in an hour signed in: the least and the most among the equals, and the spread (standard
deviation / mean). Then the latecomers' calls in their first hour and the calls of those in two queues, both relative to the equals.

The peer is the count that others keep: fewest calls since the morning, whatever the hours.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from statistics import fmean, pstdev

from acd import events as e
from acd.agents import AgentSpec
from acd.ids import AgentId, QueueId
from acd.queues import QueueSpec
from acd.strategies import STRATEGIES
from acd.turn import Effects
from benchmarks.figures import heading, verdict
from benchmarks.plain_centre import PlainCentre, Rules
from tests.support.day import MIDNIGHT, Day, Plan
from tests.support.day_plan import Kind, Worker

SALES, SUPPORT = QueueId("sales"), QueueId("support")
HOURS, LATE_H, FIRST_H = 10.0, 4.0, 1.0
EQUALS = tuple(AgentId(str(101 + n)) for n in range(12))
LATE = tuple(AgentId(str(121 + n)) for n in range(4))
BOTH = tuple(AgentId(str(131 + n)) for n in range(4))
OTHERS = tuple(AgentId(str(141 + n)) for n in range(4))
COUNTED = Rules(pick=lambda clerk: (clerk.calls, clerk.idle_since))
PEER = "count alone (peer)"


def plan(strategy: str) -> Plan:
    """The day; ``linear`` has the agents in the order of their ids."""
    queues = tuple(
        QueueSpec(name, number, strategy=strategy, wrap_up_s=10.0)
        for name, number in ((SALES, "8000"), (SUPPORT, "8001"))
    )
    paces = {agent: 0.7 + 0.6 * n / (len(EQUALS) - 1) for n, agent in enumerate(EQUALS)}
    staff = [Worker(_spec(agent, SALES), pace=paces[agent]) for agent in EQUALS]
    staff += [Worker(_spec(agent, SALES), from_s=LATE_H * 3600.0) for agent in LATE]
    staff += [Worker(_spec(agent, SALES, SUPPORT)) for agent in BOTH]
    staff += [Worker(_spec(agent, SUPPORT)) for agent in OTHERS]
    return Plan(
        calls=2_700, hours=HOURS, talk_s=170.0, talk_cv=0.8, patience_s=300.0, queues=queues, staff=tuple(staff),
        kinds=(Kind(SALES, 3.0), Kind(SUPPORT, 1.0)),
    )  # fmt: skip


def _spec(agent: AgentId, *queues: QueueId) -> AgentSpec:
    return AgentSpec(agent, queues=queues, ranks=tuple((queue, int(agent)) for queue in queues))


@dataclass(slots=True)
class Account:
    """What each agent carried, by the events: calls begun and seconds talked, and calls begun in the latecomers' first hour."""

    calls: dict[AgentId, int] = field(default_factory=dict)
    talk_s: dict[AgentId, float] = field(default_factory=dict)
    first: dict[AgentId, int] = field(default_factory=dict)

    def watch(self, events: tuple[e.Event, ...], _now: float) -> None:
        for event in events:
            if isinstance(event, e.CallConnected) and event.agent is not None:
                self.calls[event.agent] = self.calls.get(event.agent, 0) + 1
                if LATE_H <= (event.at - MIDNIGHT) / 3600.0 < LATE_H + FIRST_H:
                    self.first[event.agent] = self.first.get(event.agent, 0) + 1
            elif isinstance(event, e.TalkEnded):
                self.talk_s[event.agent] = self.talk_s.get(event.agent, 0.0) + event.talk_s


@dataclass(frozen=True, slots=True)
class Shares:
    """A line of the table; all of an hour signed in."""

    calls: tuple[float, ...]
    talk_min: tuple[float, ...]
    late: float
    both: float

    @classmethod
    def of(cls, account: Account) -> "Shares":
        calls = tuple(account.calls.get(agent, 0) / HOURS for agent in EQUALS)
        talk = tuple(account.talk_s.get(agent, 0.0) / 60.0 / HOURS for agent in EQUALS)
        first = fmean(account.first.get(agent, 0) for agent in EQUALS)
        late = fmean(account.first.get(agent, 0) for agent in LATE) / first
        return cls(calls, talk, late, fmean(account.calls.get(agent, 0) / HOURS for agent in BOTH) / fmean(calls))

    def __str__(self) -> str:
        return f"{_range(self.calls)}   {_range(self.talk_min)}   {self.late:5.2f}   {self.both:5.2f}"


def spread(values: tuple[float, ...]) -> float:
    """Standard deviation / mean."""
    return pstdev(values) / fmean(values)


def _range(values: tuple[float, ...]) -> str:
    return f"{min(values):6.2f} {max(values):6.2f} {spread(values):7.1%}"


def mean_of(days: list[Shares]) -> Shares:
    """Agent by agent over several days, so that chance is less and what a strategy prefers remains."""
    calls = tuple(fmean(values) for values in zip(*(day.calls for day in days), strict=True))
    talk = tuple(fmean(values) for values in zip(*(day.talk_min for day in days), strict=True))
    return Shares(calls, talk, fmean(day.late for day in days), fmean(day.both for day in days))


def shared(strategy: str, seed: int) -> Shares:
    """One day on the floor."""
    account = Account()

    def watch(day: Day, effects: Effects) -> None:
        account.watch(tuple(effects.events), day.now)

    Day(plan(strategy), seed, keep_events=False, watch=watch).run()
    return Shares.of(account)


def shared_plain(seed: int) -> Shares:
    """The same day where only calls are counted."""
    account = Account()
    PlainCentre(replace(plan("longest_idle"), pickup_s=0.0), COUNTED, account.watch).run(seed)
    return Shares.of(account)


async def run(*, full: bool) -> bool:
    """Print the table; whether each strategy does best what it is for, and nobody who comes late is flooded."""
    seeds = range(10 if full else 2)
    table = {name: mean_of([shared(name, seed) for seed in seeds]) for name in STRATEGIES}
    table[PEER] = mean_of([shared_plain(seed) for seed in seeds])
    heading("fairness", f"{len(seeds)} days of {HOURS:g} h; an hour signed in, among {len(EQUALS)} equals")
    print(f"   {'strategy':20} calls: least, most, spread   talk, min: least, most, spread    late    both")
    for name, shares in table.items():
        print(f"   {name:20}   {shares}")
    return all(_verdicts(table))


def _verdicts(table: dict[str, Shares]) -> Iterator[bool]:
    ours = {name: shares for name, shares in table.items() if name != PEER}
    calls = {name: spread(shares.calls) for name, shares in ours.items()}
    talk = {name: spread(shares.talk_min) for name, shares in ours.items()}
    yield verdict("spread of calls, fewest_calls", calls["fewest_calls"], "the least", _least(calls) == "fewest_calls")
    yield verdict(
        "spread of talk, least_talk_time", talk["least_talk_time"], "the least", _least(talk) == "least_talk_time"
    )
    for name in ("fewest_calls", "least_talk_time"):
        late = ours[name].late
        yield verdict(f"latecomers' first hour, {name}", late, ".7 to 1.4", 0.7 <= late <= 1.4)
    flooded = table[PEER].late / ours["fewest_calls"].late
    yield verdict("latecomers' first hour, peer / fewest_calls", flooded, ">= 1.5", flooded >= 1.5)


def _least(spreads: dict[str, float]) -> str:
    return min(spreads, key=lambda name: spreads[name])
