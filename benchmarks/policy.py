"""policy: what the routing promises, judged by a slow outsider, against plain rules in the same run and on the same callers.

* Nobody is passed: no caller is taken while one who came before, of no lower priority, waits whom that very agent could serve.
* Nobody is starved: who is passed for priority's sake is passed only by callers who came within the head start that it is worth.
* Nobody waits beside an agent who is free and could serve him; the one whom nobody can serve does not block those behind.
* Needs that relax bring shorter waits than needs that do not; the agent of last time costs no more than the time he is waited for.

The plain rules: strict priorities, the head blocks the line, and an agent of several queues serves one after the other.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from acd.agents import AgentSpec
from acd.directory import CallerProfile
from acd.ids import AgentId, QueueId
from acd.queues import QueueSpec
from acd.skills import RelaxStep
from acd.turn import Effects
from benchmarks.figures import heading, percentile, verdict
from benchmarks.order import Judge
from benchmarks.plain_centre import PlainCentre, Rules
from tests.support.day import Day, Plan
from tests.support.day_plan import Kind, Worker

SALES, SUPPORT = QueueId("sales"), QueueId("support")
ENGLISH = (("english", 2),)
ABROAD = tuple(f"00441600{number:04}" for number in range(200))
REGULARS = tuple(f"0912600{number:04}" for number in range(400))
PLAIN = Rules(place=lambda arrival: (-arrival.priority, arrival.at), blocking=True)


def _agent(number: int, queues: tuple[QueueId, ...], level: int) -> Worker:
    skills = (("english", level),) if level else ()
    return Worker(AgentSpec(AgentId(str(101 + number)), queues=queues, skills=skills))


def crowded(*, full: bool) -> Plan:
    """Two queues, three priorities, callers who need English, agents who serve both; more work than hands."""
    sales = QueueSpec(SALES, "8000", wrap_up_s=5.0, priority_s=120.0)
    support = QueueSpec(SUPPORT, "8001", wrap_up_s=10.0, priority_s=120.0)
    staff = [_agent(n, (SALES,), 2 if n < 3 else 0) for n in range(10)]
    staff += [_agent(n, (SUPPORT,), 0) for n in range(10, 16)]
    staff += [_agent(n, (SALES, SUPPORT), 2 if n < 18 else 1) for n in range(16, 24)]
    return Plan(
        calls=12_000 if full else 3_000, hours=24 if full else 6, talk_s=160, talk_cv=0.9, patience_s=400, no_answer=0.02,
        reject=0.02, queues=(sales, support), staff=tuple(staff), directory=_speakers(),
        kinds=(
            Kind(SALES, 4.0), Kind(SALES, 1.0, priority=1), Kind(SALES, 0.5, priority=2), Kind(SUPPORT, 3.0),
            Kind(SALES, 0.8, numbers=ABROAD), Kind(SUPPORT, 0.4, priority=1, numbers=ABROAD),
        ),
    )  # fmt: skip


def _speakers() -> tuple[tuple[str, CallerProfile], ...]:
    return tuple((number, CallerProfile(skills=ENGLISH)) for number in ABROAD)


def skilled(*, relaxing: bool, full: bool) -> Plan:
    """A queue that asks for English at level 2, of which a third of the agents is capable; a third has level 1."""
    steps = (RelaxStep(30.0, (("english", 1),)), RelaxStep(60.0, ())) if relaxing else ()
    queue = QueueSpec(SALES, "8000", wrap_up_s=5.0, skills=ENGLISH, relax=steps)
    staff = tuple(_agent(n, (SALES,), n % 3) for n in range(24))
    calls, hours = (8_000, 20.0) if full else (2_400, 6.0)
    return Plan(calls=calls, hours=hours, talk_s=160, talk_cv=0.9, patience_s=300, queues=(queue,), staff=staff)


def known(*, sticky_s: float, full: bool) -> Plan:
    """Callers who ring again and again, and are held ``sticky_s`` for whom they talked to last."""
    queue = QueueSpec(SALES, "8000", wrap_up_s=5.0, sticky_s=sticky_s)
    calls, hours = (9_000, 20.0) if full else (2_700, 6.0)
    kinds = (Kind(SALES, numbers=REGULARS),)
    return Plan(
        calls=calls, hours=hours, agents=24, talk_s=160, talk_cv=0.9, patience_s=300, queues=(queue,), kinds=kinds
    )


def judged(plan: Plan, seed: int) -> Judge:
    """A day on the floor."""
    judge = Judge(plan)

    def watch(day: Day, effects: Effects) -> None:
        judge.watch(tuple(effects.events), day.now)

    Day(plan, seed, keep_events=False, watch=watch).run()
    return judge


def judged_plain(plan: Plan, seed: int) -> Judge:
    """The same day by plain rules."""
    judge = Judge(plan)
    PlainCentre(plan, PLAIN, judge.watch).run(seed)
    return judge


@dataclass(frozen=True, slots=True)
class Waits:
    """Of all callers, those who gave up included."""

    mean: float
    p95: float
    longest: float

    @classmethod
    def of(cls, judge: Judge, *priorities: int) -> "Waits":
        waits = [wait for level, each in judge.waits.items() if not priorities or level in priorities for wait in each]
        return cls(sum(waits) / len(waits), percentile(waits, 0.95), max(waits))

    def __str__(self) -> str:
        return f"wait mean {self.mean:6.1f} s, p95 {self.p95:6.1f} s, longest {self.longest:6.1f} s"


async def run(*, full: bool) -> bool:
    """Print all; whether every promise was kept."""
    heading("policy", "who was passed, starved, left waiting beside a free agent")
    return all([*_order(full), *_relaxing(full), *_sticky(full)])


def _order(full: bool) -> Iterable[bool]:
    plan = crowded(full=full)
    ours, plain = judged(plan, 1), judged_plain(plan, 1)
    for name, judge in (("floor", ours), ("plain rules", plain)):
        print(f"   {name:12} {judge.taken} offers: {judge.passed} past somebody, {judge.starved} past one starved;")
        print(
            f"   {'':12} waited beside a free agent: {judge.beside_s:.1f} s, at most {judge.longest_beside_s:.3f} s at a time"
        )
        print(f"   {'':12} low priority:  {Waits.of(judge, 0)}")
        print(f"   {'':12} high priority: {Waits.of(judge, 2)}")
    yield verdict("callers passed", float(ours.passed), "0", ours.passed == 0)
    yield verdict("callers starved", float(ours.starved), "0", ours.starved == 0)
    # The time between an agent's goodbye and the news that the phone is free is none here: what is left would be the floor's.
    yield verdict("waited beside a free agent, s", ours.beside_s, "0", ours.beside_s == 0.0)
    seen = plain.passed > 0 and plain.starved > 0 and plain.beside_s > 0
    yield verdict("the judge finds all three in the plain rules", float(seen), "1", seen)


def _relaxing(full: bool) -> Iterable[bool]:
    judges = {name: judged(skilled(relaxing=name == "relaxing", full=full), 2) for name in ("strict", "relaxing")}
    for name, judge in judges.items():
        print(f"   needs {name:10} {Waits.of(judge)}")
    strict, relaxing = (Waits.of(judges[name]) for name in ("strict", "relaxing"))
    yield verdict("p95 wait, strict / relaxing", strict.p95 / relaxing.p95, "> 1", strict.p95 > relaxing.p95)
    wrong = judges["relaxing"].passed + judges["strict"].passed
    yield verdict("callers passed meanwhile", float(wrong), "0", wrong == 0)


def _sticky(full: bool) -> Iterable[bool]:
    hold = 20.0
    without, held = (judged(known(sticky_s=seconds, full=full), 3) for seconds in (0.0, hold))
    for name, judge in (("anybody", without), (f"held {hold:.0f} s", held)):
        share = judge.reunited / judge.returned
        print(f"   {name:12} {Waits.of(judge)}; {share:.0%} of {judge.returned} back to the agent of last time")
    dearer = Waits.of(held).p95 - Waits.of(without).p95
    yield verdict("p95 wait more, s", dearer, f"<= {hold:.0f}", dearer <= hold)
    mean = Waits.of(held).mean - Waits.of(without).mean
    yield verdict("mean wait more, s", mean, f"<= {hold:.0f}", mean <= hold)
    gain = (held.reunited / held.returned) / (without.reunited / without.returned)
    yield verdict("back to the agent of last time, held / anybody", gain, ">= 2", gain >= 2)
    beside = held.beside_s
    yield verdict("waited beside a free agent longer than held, s", beside, "0", beside == 0.0)
