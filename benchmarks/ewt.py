"""ewt: how right expected waits are, against the best that can be known, against looking back, and against app_queue's average.

Two parts. On days made with known rates (M/M/100, with and without giving up, calm and overloaded), every caller's forecast is
compared with QLr worked out from the true rates: nothing that looks only at the state can do better. On recorded days (uneven
hours, shifts and breaks, talk times that are not exponential, agents shared by queues) nobody knows the truth; there the estimator
in use is compared with each of the others. Recorded days are written into a database by the service's own recorder and read back
from it; ``--recorded FILE`` takes the database of a service that has run instead.

Callers count who had to wait and were answered, as in the service's own figures.
"""

import asyncio
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

from acd.agents import AgentSpec
from acd.calls import CallState
from acd.events import CallConnected, CallQueued
from acd.ewt import Estimator
from acd.ids import AgentId, QueueId
from acd.queues import QueueSpec
from acd.turn import Effects
from benchmarks.ewt_errors import APP_QUEUE, QLR, USED, Errors
from benchmarks.figures import heading, verdict
from benchmarks.recording import Playback, read
from nobat.storage.database import Database
from nobat.storage.migrate import migrate
from nobat.storage.recorder import Recorder
from tests.support.day import MIDNIGHT, Day, Plan
from tests.support.day_plan import Kind, Worker

SALES, SUPPORT = QueueId("sales"), QueueId("support")
BARE = QueueSpec(SALES, "8000", wrap_up_s=0.0, rest_s=0.0)
AGENTS, AHT_S, CUT_S = 100, 180.0, 2 * 3600.0
HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Known:
    """A day made with known rates. ``load`` is what comes in over what 100 agents can carry."""

    load: float
    patience_s: float | None
    hours: float

    def plan(self) -> Plan:
        calls = round(self.load * AGENTS / AHT_S * HOUR_S * self.hours)
        return Plan(
            calls=calls, hours=self.hours, agents=AGENTS, talk_s=AHT_S, patience_s=self.patience_s, pickup_s=0.0,
            ring_delay_s=0.0, no_answer=0.0, reject=0.0, queues=(BARE,),
        )  # fmt: skip

    def qlr(self, ahead: int) -> float:
        theta = 1.0 / self.patience_s if self.patience_s is not None else 0.0
        return sum(1.0 / (AGENTS / AHT_S + waiting * theta) for waiting in range(ahead + 1))

    def __str__(self) -> str:
        patience = f"patience {self.patience_s:g} s" if self.patience_s is not None else "nobody gives up"
        return f"M/M/{AGENTS}, load {self.load:g}, {patience}"


KNOWN = (Known(0.95, None, 16), Known(0.95, 180.0, 10), Known(1.1, 180.0, 7), Known(1.4, 180.0, 5))
UNEVEN = (0.3, 0.5, 0.9, 1.3, 1.4, 1.2, 1.0, 1.1, 1.3, 1.0, 0.7, 0.4)


def _staff(queues: list[tuple[QueueId, ...]], *, shifts: bool = False) -> tuple[Worker, ...]:
    """One agent for each entry; with ``shifts`` most come two hours late, some leave early, and all have lunch in four waves."""
    workers = []
    for number, names in enumerate(queues):
        worker = Worker(AgentSpec(AgentId(str(101 + number)), queues=names))
        if shifts:
            lunch = (4.0 + number % 4 * 0.5) * HOUR_S
            worker = replace(
                worker, from_s=0.0 if number < 12 else 2 * HOUR_S, until_s=None if number < 30 else 9 * HOUR_S,
                breaks=((lunch, lunch + 0.5 * HOUR_S),),
            )  # fmt: skip
        workers.append(worker)
    return tuple(workers)


def recorded_plans() -> dict[str, Plan]:
    """Days as centres have them."""
    sales = replace(BARE, wrap_up_s=15.0, rest_s=5.0)
    support = QueueSpec(SUPPORT, "8001", wrap_up_s=20.0)
    usual = Plan(calls=5_000, hours=8, talk_s=180, patience_s=240, queues=(sales,))
    return {
        "regular talk times (cv .4), 30 agents": replace(usual, agents=30, talk_cv=0.4),
        "scattered talk times (cv 1.3), 35 agents": replace(usual, agents=35, talk_cv=1.3),
        "6 agents": replace(usual, calls=2_000, hours=20, agents=6, talk_cv=1.0),
        "uneven hours, shifts, breaks, 38 agents": replace(
            usual, calls=6_000, hours=12, profile=UNEVEN, talk_s=200, talk_cv=0.9, staff=_staff([(SALES,)] * 38, shifts=True)
        ),
        "two queues that share 13 of 31 agents": replace(
            usual, talk_cv=0.9, queues=(sales, support), kinds=(Kind(SALES, 2.0), Kind(SUPPORT, 1.0)),
            staff=_staff([(SALES,)] * 12 + [(SUPPORT,)] * 6 + [(SALES, SUPPORT)] * 13),
        ),
    }  # fmt: skip


def live(case: Known, seed: int) -> Errors:
    """Run a day and compare what was forecast in it with what came true."""
    errors = Errors(MIDNIGHT + CUT_S, case.qlr)

    def watch(day: Day, effects: Effects) -> None:
        for event in effects.events:
            if isinstance(event, CallQueued):
                call = day.floor.calls.get(event.call)
                if call is not None and call.state is CallState.WAITING:
                    errors.joined(day.floor, call)
            elif isinstance(event, CallConnected):
                errors.answered(event.call, event.queue, event.at, event.waited_s)

    Day(case.plan(), seed, keep_events=False, watch=watch).run()
    return errors


async def record(plan: Plan, seed: int, file: Path) -> None:
    """A day as a service would leave it behind: through the recorder, into a database."""
    day = Day(plan, seed).run()
    database = Database(f"sqlite:///{file}")
    database.make_place()
    await migrate(database)
    recorder = Recorder(database, run_id=1, batch_rows=2_000, batch_wait_s=0.01)
    writing = asyncio.create_task(recorder.run())
    chosen = [event for event in day.events if type(event).__name__ == "AgentStatusChosen"]
    await recorder.commit(chosen)
    recorder.note(day.events)
    await recorder.close(30.0)
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    await database.close()


def played(file: Path, queues: tuple[QueueSpec, ...] = ()) -> Errors:
    """What a recording says of the estimators, from an hour after its beginning; ``queues`` where the database has none."""
    events, known = read(file)
    errors = Errors(events[0].at + HOUR_S if events else 0.0)
    Playback(errors.joined, errors.answered).play(events, known or queues)
    return errors


async def run(*, full: bool, recorded: str | None = None) -> bool:
    """Print all; whether the goals were reached."""
    if recorded is not None:
        heading("ewt", f"the day recorded in {recorded}")
        return _judge_recorded(played(Path(recorded)))
    heading("ewt", "squared errors of expected waits; 1 is QLr with known rates")
    reached = []
    for case in KNOWN:
        errors = live(case, 1)
        for seed in range(2, 11 if full else 2):
            errors.take(live(case, seed))
        print(f"   {case}: {len(errors.waits)} callers, mean wait {fmean(errors.waits):.1f} s")
        reached.append(_judge_known(errors))
    print("   recorded days; 1 is the estimator in use")
    with tempfile.TemporaryDirectory() as place:
        for number, (name, plan) in enumerate(recorded_plans().items()):
            file = Path(place) / f"{number}.sqlite"
            await record(replace(plan, calls=plan.calls * 3, hours=plan.hours * 3) if full else plan, number, file)
            errors = played(file, plan.queues)
            print(f"   {name}: {len(errors.waits)} callers, mean wait {fmean(errors.waits):.1f} s")
            reached.append(_judge_recorded(errors))
    return all(reached)


def _judge_known(errors: Errors) -> bool:
    print("\n".join(f"      {line}" for line in errors.lines(QLR)))
    ours = errors.square(USED)
    looked_back, known = errors.square(Estimator.LAST_SERVED) / ours, ours / errors.square(QLR)
    inside = fmean(errors.inside[USED])
    return all(
        [
            verdict("last served / ours", looked_back, ">= 1.8", looked_back >= 1.8),
            verdict("ours / QLr", known, "<= 1.2", known <= 1.2),
            verdict("inside the range", inside, ".75 to .85", 0.75 <= inside <= 0.85),
        ]
    )


def _judge_recorded(errors: Errors) -> bool:
    if len(errors.waits) < 100:
        print(f"   void: only {len(errors.waits)} callers had to wait and were answered")
        return False
    print("\n".join(f"      {line}" for line in errors.lines(USED)))
    ours = errors.square(USED)
    best = ours / min(errors.square(name) for name in Estimator if name in errors.errors)
    average = errors.square(APP_QUEUE) / ours
    inside = fmean(errors.inside[USED])
    return all(
        [
            verdict("ours / the best in hindsight", best, "<= 1.05", best <= 1.05),
            verdict("app_queue's average / ours", average, ">= 1.5", average >= 1.5),
            verdict("inside the range", inside, ".7 to .9", 0.7 <= inside <= 0.9),
        ]
    )
