"""One run from its seed: set up, let it happen, let it calm down, look at the books."""

import asyncio
import shutil
from collections import Counter
from collections.abc import Coroutine
from copy import copy
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random
from tempfile import mkdtemp
from typing import Any

from acd.agents import AgentSpec
from acd.commands import Command
from acd.ids import AgentId, DeviceId, QueueId
from acd.queues import MissPolicy, QueueSpec
from ami import failpoints
from nobat.storage import catalogue
from nobat.storage.catalogue import Changes
from nobat.storage.database import Database
from nobat.storage.migrate import migrate
from tests.simulator.asterisk import Asterisk
from tests.simulator.channels import Phone
from tests.simulator.checker import Broken, Checker
from tests.simulator.clockwork import Clockwork, Died, ProcessLoop, Wires
from tests.simulator.disk import Disk
from tests.simulator.manager import Manager
from tests.simulator.people import People
from tests.simulator.scenarios import RACES, SCENARIOS, Scenario, quiet
from tests.simulator.service import Life, Troubles
from tests.simulator.wire import Wire

START = 1_795_000_000.0
TICK_S = 0.2
SETTLES_S = 13.0
STRATEGIES = ("longest_idle", "ring_all", "ring_all", "round_robin", "random", "linear", "fewest_calls")


@dataclass
class Result:
    """What came of a run."""

    seed: int
    scenario: str
    broken: str | None = None
    callers: int = 0
    offers: int = 0
    races: int = 0
    talks: int = 0
    lives: int = 0
    longest: float = 0.0
    lost_events: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    befell: Counter[str] = field(default_factory=Counter)


class Run:
    """``story`` collects what happens, if wanted."""

    def __init__(self, seed: int, scenario: str | None = None, story: list[str] | None = None) -> None:
        self.seed = seed
        self.dice = Random(f"nobat {seed}")
        names = sorted(SCENARIOS)
        self.name = scenario if scenario is not None else names[seed % len(names)]
        self.scenario: Scenario = SCENARIOS[self.name]
        self.result = Result(seed, self.name)
        self.story = story
        self.clockwork = Clockwork(START + self.dice.randrange(1000))
        self.folder = Path(mkdtemp(prefix="nobat-sim-", dir=_fast_folder()))
        self.asterisk = Asterisk(self.clockwork, self._dice())
        self.manager = Manager(self.asterisk)
        self.faults = copy(self.scenario.faults)
        self.wire = Wire(self.clockwork, self._dice(), self.faults, self.manager)
        self.manager.wire = self.wire
        temper = self.scenario.temper if self.dice.random() < 0.6 else RACES
        self.people = People(self.asterisk, self._dice(), temper, self._ask)
        self.checker = Checker(self.asterisk, self.manager, self.scenario.patience_s)
        self.lives: list[Life] = []
        self.troubles = Troubles()
        self.down_until = 0.0
        if story is not None:
            self.asterisk.tell = self.people.tell = self.manager.tell = self._tell
        self.wire.lost = self._event_lost

    def _dice(self) -> Random:
        return Random(self.dice.random())

    def _tell(self, what: str) -> None:
        if self.story is not None:
            self.story.append(f"{self.clockwork.now - START:12.4f}  {what}")

    def _ask(self, command: Command) -> None:
        if self.lives:
            self.lives[-1].ask(command)

    def _event_lost(self, event: bytes) -> None:
        self.result.lost_events += 1
        self._tell(f"LOST {event.split(b'Timestamp')[0]!r}")

    # ------------------------------------------------------------ the course of it

    def go(self) -> Result:
        """Play it to the end."""
        with self.troubles:
            try:
                self._set_up()
                self._happen()
                self._calm_down()
                self._close_the_books()
            except Broken as broken:
                self.result.broken = str(broken)
                self._tell(f"BROKEN {broken}")
            except Exception as error:  # whatever fails is a finding
                self.result.broken = f"{type(error).__name__}: {error}"
                self._tell(f"BROKEN {self.result.broken}")
                if self.story is not None:
                    raise
            finally:
                failpoints.disarm()
                for life in self.lives:
                    life.die()
                    life.bury()
                shutil.rmtree(self.folder, ignore_errors=True)
        result = self.result
        result.callers, result.talks = len(self.asterisk.callers), len(self.asterisk.talks)
        result.offers, result.lives = len(self.asterisk.rung), len(self.lives)
        result.races = self.people.races
        result.longest = self.checker.longest
        return result

    def _no_troubles(self) -> None:
        if self.troubles.found:
            raise Broken(f"an error was contained: {self.troubles.found[0]}")
        for life in self.lives:
            for trouble in life.loop.troubles:
                raise Broken(f"nobody took an exception: {trouble}")

    def _set_up(self) -> None:
        dice = self._dice()
        queues = [
            QueueSpec(
                QueueId(name), number, strategy=dice.choice(STRATEGIES), ring_s=dice.choice((2, 3, 5)),
                wrap_up_s=dice.choice((0.0, 0.0, 1.0, 3.0)), rest_s=dice.choice((0.5, 1.0)), misses=MissPolicy(5, 0, 5, 0),
            )
            for name, number in (("sales", "8000"), ("support", "8001"))[: dice.choice((1, 2))]
        ]  # fmt: skip
        agents = []
        for number in range(101, 101 + dice.choice((1, 2, 3, 5))):
            device = f"PJSIP/agent-{number}"
            chosen = tuple(queue.id for queue in queues if dice.random() < 0.7) or (queues[0].id,)
            agents.append(AgentSpec(AgentId(str(number)), device=DeviceId(f"pbx1/{device}"), queues=chosen))
            self.asterisk.phones[device] = Phone(device)
            self.people.agents[AgentId(str(number))] = device
            for queue in chosen:
                self.asterisk.queue_members[queue, device] = True
        self.people.numbers, self.people.queues = tuple(one.number for one in queues), tuple(one.id for one in queues)
        shutil.copy(_template(), self.folder / "nobat.db")
        database = Database(f"sqlite:///{self.folder / 'nobat.db'}")
        _in_played_process(database, catalogue.change(database, Changes(queues=tuple(queues), agents=tuple(agents))))
        mute, self.faults.mute = self.faults.mute, 0.0
        self._start_service()
        self._until_ready(5.0)
        self.faults.mute = mute

    def _until_ready(self, seconds: float) -> None:
        until = self.clockwork.now + seconds
        while not self.lives[-1].ready:
            if self.clockwork.now > until:
                started = self.lives[-1].started
                why = started.exception() if started.done() else "it is starting"
                raise Broken(f"the service is not ready within {seconds:g} s: {why!r}")
            self._look()

    def _happen(self) -> None:
        self.people.begin()
        if self.scenario.befalls:
            self.clockwork.after(self.dice.expovariate(1 / self.scenario.every_s), self._befall)
        self._look_for(self.scenario.lasts_s)

    def _calm_down(self) -> None:
        self.scenario = SCENARIOS["races"]  # nothing befalls any more
        quiet(self.faults)
        self.asterisk.up, self.people.calling = True, False
        for life in self.lives:
            life.disk.away, life.disk.slow_s = False, 0.0
        failpoints.disarm()
        self._look_for(4.0)
        while self.lives[-1].loop.dead:
            self._look()
        self.people.everybody_serves()
        self._look_for(SETTLES_S)
        self._until_ready(8.0)
        self.people.everybody_leaves()
        self._look_for(SETTLES_S)
        floor = self.lives[-1].floor
        if floor is None:
            raise Broken("the service is dead in the end")
        self.checker.nothing_left(floor)
        self._book_is_empty()

    def _book_is_empty(self) -> None:
        app = self.lives[-1].app
        for pbx in app.pbxs.values() if app is not None else ():
            left = pbx._tracker.book.size(), pbx._outbox._open, len(pbx._outbox._waiting)  # type: ignore[attr-defined]
            if left != (0, 0, 0):
                raise Broken(f"the link keeps records, actions, requests: {left}")

    def _close_the_books(self) -> None:
        stopping = self.lives[-1].stop()
        at = self.clockwork.now
        while not stopping.done():
            if self.clockwork.now - at > 6:
                raise Broken("the service does not stop")
            self.clockwork.run_until(self.clockwork.now + TICK_S)
        if stopping.exception() is not None:
            raise Broken(f"the stop failed: {stopping.exception()!r}")
        exact, wire = SCENARIOS[self.name].exact, SCENARIOS[self.name].faults
        blink_s = 4 * wire.latency_s + (wire.held_back_s if wire.held_back else 0.0)
        self.result.counts = self.checker.books(
            self.folder / "nobat.db",
            exact=exact,
            overtaken=wire.held_back > 0,
            died=len(self.lives) > 1,
            blink_s=blink_s,
        )

    def _look_for(self, seconds: float) -> None:
        until = self.clockwork.now + seconds
        while self.clockwork.now < until:
            self._look()

    def _look(self) -> None:
        """A moment passes, and everything is looked at."""
        self.clockwork.run_until(self.clockwork.now + TICK_S)
        life = self.lives[-1]
        if life.loop.dead and self.clockwork.now > self.down_until:
            self._died(life, self._downtime())
        if life.started.done() and not life.loop.dead and life.started.exception() is not None:
            raise Broken(f"the start failed: {life.started.exception()!r}")
        self._no_troubles()
        self.checker.never()
        in_order = life.ready and self.asterisk.up and not self.faults.black
        self.checker.soon(life.floor if in_order else None)

    # ------------------------------------------------------------ what befalls

    def _start_service(self) -> None:
        self._tell("THE SERVICE STARTS")
        self.lives.append(Life(self.clockwork, self.wire, self.dice.randrange(1 << 30), self.folder))

    def _downtime(self) -> float:
        return self.dice.choice((0.1, 0.5, 1.5, 3.0))

    def _died(self, life: Life, seconds: float) -> None:
        """Its connections end, as the system ends them, and it is started again after a while."""
        if life.over:
            return
        self._tell(f"THE SERVICE IS DEAD for {seconds:g} s")
        life.over = True
        life.die()
        failpoints.disarm()
        self.wire.cut()
        self.down_until = self.clockwork.now + seconds + TICK_S
        self.clockwork.after(seconds, self._start_service)

    def _befall(self) -> None:
        scenario = self.scenario
        if not scenario.befalls:
            return
        what = self.dice.choice(scenario.befalls)
        self.clockwork.after(self.dice.expovariate(1 / scenario.every_s), self._befall)
        if self.lives[-1].loop.dead or not self.asterisk.up:
            return
        self._tell(f"IT BEFALLS: {what}")
        self.result.befell[what] += 1
        getattr(self, "_" + what.replace(" ", "_"))()

    def _cut(self) -> None:
        self.wire.cut(reset=self.dice.random() < 0.7)

    def _hole(self, seconds: float | None = None) -> None:
        self.faults.black = True
        self.clockwork.after(seconds or self.dice.uniform(0.5, 4), lambda: setattr(self.faults, "black", False))

    def _long_hole(self) -> None:
        self._hole(self.dice.uniform(7, 16))

    def _refused(self) -> None:
        self.faults.refused = True
        self.wire.cut()
        self.clockwork.after(self.dice.uniform(0.5, 3), lambda: setattr(self.faults, "refused", False))

    def _kill(self) -> None:
        self._died(self.lives[-1], self._downtime())

    def _long_kill(self) -> None:
        self._died(self.lives[-1], self.dice.uniform(7, 20))

    def _stop(self) -> None:
        life = self.lives[-1]
        if life.app is not None and life.started.done():
            self.down_until = self.clockwork.now + 8
            life.stop().add_done_callback(lambda _: setattr(life.loop, "dead", True))
            self.clockwork.after(5.0, lambda: self._died(life, 0.3))

    def _failpoint(self) -> None:
        place, times = self.dice.choice(failpoints.PLACES), self.dice.choice((1, 1, 2, 5))
        self._tell(f"failpoint {place}, {times}")
        failpoints.arm(place, times, self._die_here)

    def _die_here(self) -> None:
        life = self.lives[-1]
        self._tell("the service dies at its failpoint")
        life.die()
        raise Died

    def _crash(self) -> None:
        self._tell("ASTERISK IS DEAD")
        self.asterisk.crash()
        self.asterisk.up, self.faults.refused = False, True
        self.wire.cut()
        self.clockwork.after(self.dice.uniform(0.5, 3), self._asterisk_starts)

    def _asterisk_starts(self) -> None:
        self._tell("ASTERISK STARTS")
        self.asterisk.boot = self.clockwork.now
        self.asterisk.up, self.faults.refused = True, False

    def _kill_and_crash(self) -> None:
        self._kill()
        self._crash()

    def _database(self) -> None:
        disk = self.lives[-1].disk
        disk.away = True
        self.clockwork.after(self.dice.uniform(0.5, 6), lambda: setattr(disk, "away", False))

    def _slow_database(self) -> None:
        disk = self.lives[-1].disk
        disk.slow_s = self.dice.choice((0.01, 0.05, 0.2))
        self.clockwork.after(self.dice.uniform(1, 6), lambda: setattr(disk, "slow_s", 0.0))


def _fast_folder() -> Path | None:
    memory = Path("/dev/shm")
    return memory if memory.is_dir() else None


def _in_played_process(database: Database, work: Coroutine[Any, Any, Any]) -> None:
    """Do something with a database, at once."""
    loop = ProcessLoop(Clockwork(START), Wires())
    disk = Disk(Random(0))
    disk.attach(database.engine)

    async def done() -> None:
        await work
        await database.close()

    task = loop.create_task(done())
    loop.turn()
    task.result()


@cache
def _template() -> Path:
    """An empty database of the newest schema, made once a process."""
    import atexit

    folder = Path(mkdtemp(prefix="nobat-sim-", dir=_fast_folder()))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    database = Database(f"sqlite:///{folder / 'nobat.db'}")

    async def made() -> None:  # before anything is played: migrations open connections of their own
        await migrate(database)
        await database.close()

    asyncio.run(made())
    return folder / "nobat.db"
