"""A PBX that calls customers back, as small as it can be and still true to ``dialplan/callback.conf``.

It holds callers and phones (``ModelPbx``), attempts with their channels, and a marker for each that outlives them. It dials an
attempt only in the run of the service that holds it now, and only one that has no marker. It never forgets what it dialled:
``dials`` is what the checks count, whatever the service believes.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from acd import callback_port as p
from acd import telephony as t
from acd.callback_policy import AttemptResult
from acd.ids import AttemptId, CallId, LegId
from acd.telephony import Fact, LegStage
from tests.property.model_pbx import PBX, Channel, ModelPbx

RESULTS = (AttemptResult.BUSY, AttemptResult.NO_ANSWER, AttemptResult.REJECTED, AttemptResult.UNREACHABLE)
SYNC_S = 1.0
"""AstDB is on disk within a second."""

Later = Callable[[float, Callable[[], None]], None]


@dataclass(slots=True)
class Marker:
    value: str
    at: float


@dataclass
class CallbackPbx(ModelPbx):
    """``say`` delivers facts to whoever is connected, ``later`` does something later, ``point`` is a place to fail."""

    dice: Random
    now: Callable[[], float]
    later: Later
    say: Callable[[list[Fact]], None]
    point: Callable[[str], None]
    reach: float = 0.7
    """How likely a customer picks up and presses 1."""
    epoch: int = 0
    attempts: dict[AttemptId, p.DialCustomer] = field(default_factory=dict)
    stages: dict[AttemptId, p.AttemptStage] = field(default_factory=dict)
    markers: dict[AttemptId, Marker] = field(default_factory=dict)
    dials: "Counter[AttemptId]" = field(default_factory=Counter)
    refused: int = 0
    served: dict[str, float] = field(default_factory=dict)  # by number: when a customer first talked
    told: dict[str, float] = field(default_factory=dict)  # … and heard the promise
    dialled_after: list[str] = field(default_factory=list)  # numbers that were dialled after they had been served
    serial: int = 0

    def __post_init__(self) -> None:
        super().__init__()

    # ------------------------------------------------ callers

    def enter(self, number: str) -> CallId:
        fact = self._entry(number)
        self.say([fact])
        return fact.call

    def _entry(self, number: str, by: p.DialCustomer | None = None) -> t.CallEntered:
        self.serial += 1
        at = round(self.now(), 3)
        call = CallId(f"{PBX}-{round(at * 1000)}.{self.serial}")
        leg = LegId(f"{PBX}-{int(at)}.{self.serial}")
        since, attempt = (by.since, by.attempt) if by is not None else (None, None)
        priority = by.priority if by is not None else 0
        fact = t.CallEntered(
            call, leg, "sales", at, self.serial, priority, number, None, place_since=since, attempt=attempt
        )
        self.channels[call] = Channel(fact)
        return fact

    def numbers(self) -> set[str]:
        """Who is on the line."""
        return {channel.entered.number or "" for channel in self.channels.values()}

    def bridge(self, call: CallId, now: float) -> list[Fact]:
        entered = self.channels[call].entered
        if entered.number is not None:
            self.served.setdefault(entered.number, now)
        if entered.attempt is not None:
            self._mark(entered.attempt, p.AttemptStage.TALKED.value)
        return super().bridge(call, now)

    # ------------------------------------------------ attempts

    def dial(self, request: p.DialCustomer, epoch: int) -> None:
        """What ``acd-callback`` does."""
        attempt = request.attempt
        if epoch != self.epoch or attempt in self.markers or attempt in self.attempts:
            self.refused += 1
            return
        self._mark(attempt, p.AttemptStage.DIALLING.value)
        self.dials[attempt] += 1
        if request.number in self.served:
            self.dialled_after.append(request.number)
        self.attempts[attempt] = request
        self.stages[attempt] = p.AttemptStage.DIALLING
        self.point("dialled")
        self.say([p.AttemptNews(attempt, p.AttemptStage.DIALLING)])
        self.later(self.dice.uniform(0.5, 6.0), lambda: self._rung(attempt))

    def _rung(self, attempt: AttemptId) -> None:
        if self.stages.get(attempt) is not p.AttemptStage.DIALLING:
            return
        if self.attempts[attempt].number in self.numbers() or self.dice.random() > self.reach:
            self._ended(attempt, self.dice.choice(RESULTS))
            return
        self.stages[attempt] = p.AttemptStage.ANSWERED
        self._mark(attempt, p.AttemptStage.ANSWERED.value)
        self.say([p.AttemptNews(attempt, p.AttemptStage.ANSWERED)])
        self.later(self.dice.uniform(0.5, 4.0), lambda: self._asked(attempt))

    def _asked(self, attempt: AttemptId) -> None:
        if self.stages.get(attempt) is not p.AttemptStage.ANSWERED:
            return
        if self.dice.random() > self.reach:
            self._ended(attempt, self.dice.choice((AttemptResult.VOICEMAIL, AttemptResult.HUNG_UP)))
            return
        self._mark(attempt, p.AttemptStage.ON.value)
        request = self.attempts.pop(attempt)
        del self.stages[attempt]
        entered = self._entry(request.number, request)
        self.point("pressed")
        self.say([entered])

    def _ended(self, attempt: AttemptId, result: AttemptResult) -> None:
        self._mark(attempt, result.value)
        del self.attempts[attempt], self.stages[attempt]
        self.point("not_reached")
        self.say([p.AttemptEnded(attempt, result)])

    def stop(self, attempt: AttemptId) -> None:
        if attempt in self.attempts:
            self._mark(attempt, AttemptResult.CANCELLED.value)
            del self.attempts[attempt], self.stages[attempt]
            self.say([p.AttemptEnded(attempt, AttemptResult.CANCELLED)])

    def read(self, attempt: AttemptId) -> p.AttemptRead:
        marker = self.markers.get(attempt)
        found: p.AttemptStage | AttemptResult | None = None
        if marker is not None:
            stages = {one.value for one in p.AttemptStage}
            found = p.AttemptStage(marker.value) if marker.value in stages else AttemptResult(marker.value)
        return p.AttemptRead(attempt, found)

    def _mark(self, attempt: AttemptId, value: str) -> None:
        self.markers[attempt] = Marker(value, self.now())

    # ------------------------------------------------ life

    def crash(self) -> None:
        """Killed and started again: channels are gone, and what AstDB had not yet written."""
        self.restart()
        self.attempts.clear()
        self.stages.clear()
        at = self.now()
        self.markers = {one: marker for one, marker in self.markers.items() if marker.at < at - SYNC_S}
        self.epoch = -1

    def look(self) -> t.PbxSnapshot:
        found = self.snapshot()
        return t.PbxSnapshot(PBX, found.boot, found.calls, found.devices, self.now(), tuple(self.stages.items()))

    def over(self, call: CallId) -> list[Fact]:
        """What is said when no phone of an offer is left."""
        return self._over(call)

    def waits(self, call: CallId) -> bool:
        channel = self.channels.get(call)
        return channel is not None and channel.stage is LegStage.WAITING
