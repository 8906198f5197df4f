"""Callers and agents of one run: what they do, and when, by the dice. They love to do things at the same moment.

Moments are drawn from few values with a jitter of some milliseconds, so a caller hangs up as the agent answers, a phone is picked
up as its time runs out, and two of a ring-all are picked up together, far more often than in life.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from random import Random

from acd.commands import BecomeAvailable, Command, SignIn, SignOut, TakeBreak, TransferCall
from acd.ids import AgentId, CallId
from acd.talks import PlacePolicy, TargetKind
from ami.names import FOR_OFFER
from tests.simulator.asterisk import Asterisk
from tests.simulator.channels import BUSY, DIED, MOVED, NORMAL, REJECTED, UNAVAILABLE, Channel, Phone

RACE_S = 0.02
REFUSALS = (BUSY, REJECTED, UNAVAILABLE, MOVED)


@dataclass(frozen=True)
class Temper:
    """How likely people are to do what."""

    answers: float = 0.6
    refuses: float = 0.15
    silent: float = 0.2  # the rest: the phone is dead
    at_the_end: float = 0.2  # of those who answer: as the ring time runs out
    caller_leaves: float = 0.25  # while it rings
    together: float = 0.5  # of those: in the very moment of the answer
    talk_s: float = 6.0
    patience_s: float = 40.0
    gap_s: float = 2.0
    passes_on: float = 0.15
    moods_s: float = 12.0  # between two choices of an agent


class People:
    """``ask`` brings a command to the service, if there is one."""

    def __init__(self, asterisk: Asterisk, dice: Random, temper: Temper, ask: Callable[[Command], None]) -> None:
        self.asterisk, self.dice, self.temper, self.ask = asterisk, dice, temper, ask
        self.agents: dict[AgentId, str] = {}
        self.numbers: tuple[str, ...] = ()
        self.queues: tuple[str, ...] = ()
        self.calling = True
        self.moody = True
        self.tell: Callable[[str], None] = lambda _: None
        self._caller = 0
        self._moments: dict[str, list[float]] = {}  # of each offer: when somebody meant to do something
        asterisk.people = self

    def begin(self) -> None:
        for agent in self.agents:
            self.ask(SignIn(agent))
            self._later(self.dice.expovariate(1 / self.temper.moods_s), lambda agent=agent: self._mood(agent))
        self._later(self.dice.uniform(0, 1), self._somebody_calls)

    def _later(self, seconds: float, do: Callable[[], None]) -> None:
        self.asterisk.clockwork.after(max(0.0, seconds), do)

    def _jitter(self) -> float:
        return self.dice.choice((0.0, 0.0, self.dice.uniform(-0.02, 0.02), self.dice.uniform(-0.001, 0.001)))

    # ------------------------------------------------------------ callers

    def _somebody_calls(self) -> None:
        if not self.calling:
            return
        self._caller += 1
        if self.asterisk.up:
            caller = self.asterisk.caller_dials(self.dice.choice(self.numbers), f"0912{self._caller:07d}")
            self._later(self.dice.expovariate(1 / self.temper.patience_s), lambda: self._leaves(caller, impatient=True))
        gap = self.temper.gap_s
        self._later(self.dice.choice((0.0, gap / 2, self.dice.expovariate(1 / gap), gap * 2)), self._somebody_calls)

    def _leaves(self, caller: Channel, *, impatient: bool = False) -> None:
        if caller.alive and not caller.dying and not (impatient and caller.talks):
            self.tell(f"caller {caller.call} hangs up, who {caller.doing}")
            self.asterisk.hang_up(caller, NORMAL, asked=True)

    def everybody_leaves(self) -> None:
        for caller in list(self.asterisk.channels.values()):
            if caller.caller is None:
                self._leaves(caller)

    # ------------------------------------------------------------ phones

    def rings(self, phone: Phone, leg: Channel, ring_s: float) -> None:
        """What comes of it is decided now, and when."""
        dice, temper = self.dice, self.temper
        if phone.dead:
            return
        now = self.asterisk.clockwork.now
        moments = self._moments.setdefault(leg.variables[FOR_OFFER], [now + ring_s])
        moment = ring_s if dice.random() < temper.at_the_end else dice.choice((0.05, 0.5, 1.0, dice.uniform(0, ring_s)))
        manner = dice.random()
        caller = leg.caller
        if manner < temper.answers + temper.refuses:
            when = moment + self._jitter()
            moments.append(now + when)
            cause = dice.choice(REFUSALS)
            self._later(when, lambda: self._answers(leg) if manner < temper.answers else self._refuses(leg, cause))
        if caller is not None and dice.random() < temper.caller_leaves:
            when = (moment if dice.random() < temper.together else dice.uniform(0, ring_s)) + self._jitter()
            moments.append(now + when)
            self._later(when, lambda: self._leaves(caller))

    @property
    def races(self) -> int:
        """Offers in which two meant to do something within 20 ms: answer, refuse, hang up, or let the ring time run out."""
        return sum(
            any(after - before <= RACE_S for before, after in pairwise(sorted(moments)))
            for moments in self._moments.values()
        )

    def _answers(self, leg: Channel) -> None:
        if leg.alive and not leg.dying and not leg.up:
            self.tell(f"{leg.name} picks up")
            self.asterisk.answer(leg)

    def _refuses(self, leg: Channel, cause: int) -> None:
        if leg.alive and not leg.dying and not leg.up:
            self.tell(f"{leg.name} refuses with {cause}")
            self.asterisk.refuse(leg, cause)

    def talk(self, caller: Channel, leg: Channel) -> None:
        dice = self.dice
        lasts = dice.choice((0.0, 0.001, 1.0, dice.expovariate(1 / self.temper.talk_s)))
        if dice.random() < self.temper.passes_on:
            self._later(lasts + self._jitter(), lambda: self._passes_on(caller, leg))
            lasts += dice.choice((0.0, 0.5, 2.0))
        who = dice.random()
        if who < 0.65:
            cause = DIED if dice.random() < 0.1 else NORMAL
            self._later(lasts, lambda: self._agent_ends(leg, cause))
        if who > 0.45:  # sometimes both
            self._later(lasts + self._jitter(), lambda: self._leaves(caller))

    def _passes_on(self, caller: Channel, leg: Channel) -> None:
        """Over REST, or with the phone's own key: to a queue, an agent, or nobody there is."""
        if not caller.alive or caller.dying or not caller.bridge or leg.dying:
            return
        queue, agent = self.dice.choice(self.queues), self.dice.choice(sorted(self.agents))
        to_queue, by_phone = self.dice.random() < 0.5, self.dice.random() < 0.4
        self.tell(
            f"{leg.name} passes {caller.call} on to {queue if to_queue else agent}{' by phone' if by_phone else ''}"
        )
        self.asterisk.may_be_cut.add(caller.call)
        if by_phone:
            self.asterisk.pass_on(leg, self.dice.choice((self.dice.choice(self.numbers), str(agent), "999")))
        elif to_queue:
            self.ask(TransferCall(CallId(caller.call), TargetKind.QUEUE, queue, self.dice.choice(list(PlacePolicy))))
        else:
            self.ask(TransferCall(CallId(caller.call), TargetKind.AGENT, agent))

    def _agent_ends(self, leg: Channel, cause: int) -> None:
        if leg.alive and not leg.dying:
            self.tell(f"{leg.name} {'dies' if cause == DIED else 'hangs up'}")
            self.asterisk.hang_up(leg, cause, asked=cause != DIED)

    # ------------------------------------------------------------ what agents choose

    def _mood(self, agent: AgentId) -> None:
        if not self.moody:
            return
        phone = self.asterisk.phones[self.agents[agent]]
        choice = self.dice.random()
        if choice < 0.15:
            phone.registered = not phone.registered
            self.tell(f"{phone.device} is {'there' if phone.registered else 'away'}")
            self.asterisk.device_changes(phone)
        elif choice < 0.2:
            phone.dead = not phone.dead
        else:
            command = self.dice.choice(
                (TakeBreak(agent), SignOut(agent), SignIn(agent), BecomeAvailable(agent), SignIn(agent))
            )
            self.tell(f"agent {agent}: {type(command).__name__}")
            self.ask(command)
            self._later(self.dice.uniform(0.5, 6), lambda: self.ask(SignIn(agent)))
            self._later(self.dice.uniform(0.5, 6), lambda: self.ask(BecomeAvailable(agent)))
        self._later(self.dice.expovariate(1 / self.temper.moods_s), lambda: self._mood(agent))

    def everybody_serves(self) -> None:
        """All phones are there and alive, everybody is available."""
        self.moody = False
        for agent, device in self.agents.items():
            phone = self.asterisk.phones[device]
            phone.registered, phone.dead = True, False
            self.asterisk.device_changes(phone)
            self.ask(SignIn(agent))
            self.ask(BecomeAvailable(agent))
