"""A floor that calls back, its storage, and customers who are dialled: what the tests of ``callback`` are written in."""

from dataclasses import dataclass, field

from acd import callback_commands as c
from acd import callback_port as p
from acd import picture
from acd import telephony as t
from acd.callback_events import CallbackAttempted, CallbackAttemptEnded, CallbackEnded, CallbackPromised
from acd.callback_policy import AttemptResult, CallbackPolicy
from acd.commands import Command
from acd.floor import Floor
from acd.ids import AttemptId, CallbackId, CallId, LegId
from acd.turn import Effects
from callback.keeper import Callbacks
from tests.support.world import PBX, SALES, World

CALLS_BACK = CallbackPolicy(enabled=True)


@dataclass
class CallbackWorld(World):
    """``storage`` False: what is to be durable cannot be written. ``slow``: it takes until ``written`` is called."""

    floor: Floor = field(default_factory=lambda: Floor(keeper=Callbacks()))
    storage: bool = True
    slow: bool = False
    unwritten: list[str] = field(default_factory=list)
    seen: int = 0

    def do(self, message: "t.Fact | Command") -> Effects:
        effects = super().do(message)
        self._write()
        return effects

    def wait(self, seconds: float) -> Effects:
        end, effects = self.now + seconds, Effects()
        while (deadline := self.floor.next_deadline()) is not None and deadline <= end:
            effects = super().wait(max(0.0, deadline - self.now))
            self._write()
        return super().wait(max(0.0, end - self.now)) or effects

    def _write(self) -> None:
        fresh, self.seen = self.events[self.seen :], len(self.events)
        for event in fresh:
            if isinstance(event, CallbackPromised | CallbackAttempted):
                self.unwritten.append(event.attempt if isinstance(event, CallbackAttempted) else event.callback)
        if not self.slow:
            self.written()

    def written(self) -> None:
        """The storage has taken what it had to take, or has refused it."""
        known, self.unwritten = self.unwritten, []
        for what in known:
            self.do(c.Kept(what) if self.storage else c.NotKept(what))

    @property
    def keeper(self) -> Callbacks:
        assert isinstance(self.floor.keeper, Callbacks)
        return self.floor.keeper

    # ------------------------------------------------ promises

    def take_callback(self, call: CallId, number: str = "0912000") -> CallbackId:
        """A caller is promised a callback, hears so, and hangs up."""
        self.do(c.PromiseCallback(call, number))
        self.do(t.CallGone(call, 16))
        return c.callback_of(call)

    def state(self, callback: CallbackId) -> str:
        found = self.keeper.sessions.get(callback)
        return found.state.value if found is not None else self.keeper.ended[callback][1].why.value

    # ------------------------------------------------ customers

    def dialled(self) -> list[p.DialCustomer]:
        return [one for one in self.requests if isinstance(one, p.DialCustomer)]

    def attempt(self) -> AttemptId:
        return self.dialled()[-1].attempt

    def not_reached(self, result: AttemptResult, attempt: AttemptId | None = None) -> Effects:
        return self.do(p.AttemptEnded(attempt or self.attempt(), result))

    def presses_one(self, attempt: AttemptId | None = None) -> CallId:
        """The customer has picked up and wants to be connected."""
        self.serial += 1
        by = attempt or self.attempt()
        dial = next(one for one in self.dialled() if one.attempt == by)
        call = CallId(f"{PBX}-{int(self.now * 1000)}.{self.serial}")
        leg = LegId(f"{PBX}-{int(self.now)}.{self.serial}")
        fact = t.CallEntered(
            call,
            leg,
            SALES,
            self.now,
            self.serial,
            dial.priority,
            dial.number,
            None,
            place_since=dial.since,
            attempt=by,
        )
        self.do(fact)
        return call

    def line(self) -> list[tuple[str, str]]:
        """Who stands in the line: kind and id, head first."""
        return [(one.kind, one.call) for one in picture.line(self.floor, SALES, self.now)]

    def results(self) -> list[AttemptResult]:
        return [one.result for one in self.events if isinstance(one, CallbackAttemptEnded)]

    def ends(self) -> list[str]:
        return [one.why.value for one in self.events if isinstance(one, CallbackEnded)]
