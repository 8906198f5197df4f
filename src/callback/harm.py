"""How often somebody may be called back: caps for a number, a queue and all, and an eye on numbers that earn by being called.

A ``Ledger`` knows what was promised in the last day, what is open and whose answers were short. It is fed with what happened (by
``nobat.callback_desk``, from events and at the start from the database) and asked before a promise; the same on every
restart, because all it knows has a time of its own.
"""

from collections import Counter, OrderedDict, defaultdict, deque
from dataclasses import dataclass, field

from callback.refusals import Refusal

DAY_S = 86_400.0
RANGE_DIGITS = 4
"""A farm of numbers is a range: the last digits differ."""

MOST_SHORT = 100_000


@dataclass(frozen=True, slots=True)
class Caps:
    """At most so many; 0: no such cap. A day is the last 24 hours, *open* is promised and not over."""

    number_a_day: int = 3
    number_open: int = 2  # in different queues; in one queue it is always one
    queue_open: int = 200
    open: int = 1_000
    a_day: int = 5_000
    short_answers: int = 3  # of a number in a day
    short_answers_of_range: int = 20  # of numbers that differ in their last four digits


@dataclass(slots=True)
class Ledger:
    """What happened, as far as caps need it. Numbers are E.164."""

    promised: deque[tuple[float, str]] = field(default_factory=deque)
    of_number: "Counter[str]" = field(default_factory=Counter)
    open: dict[str, tuple[str, str]] = field(default_factory=dict)  # callback -> number, queue
    short: "OrderedDict[tuple[float, str, int], None]" = field(default_factory=OrderedDict)
    short_of: "defaultdict[str, int]" = field(default_factory=lambda: defaultdict(int))
    _shorts: int = 0

    def note_promise(
        self, callback: str, number: str, queue: str, at: float, *, still_open: bool = True, counts: bool = True
    ) -> None:
        """Somebody was promised to be called. In order of time, more or less. ``counts``: not if an earlier one goes on."""
        if callback in self.open:
            return
        if counts:
            self.promised.append((at, number))
            self.of_number[number] += 1
        if still_open:
            self.open[callback] = (number, queue)

    def note_end(self, callback: str) -> None:
        """It is over, however."""
        self.open.pop(callback, None)

    def note_number(self, callback: str, number: str, at: float) -> None:
        """Another number may have been chosen for an open callback: a promise to that one."""
        known = self.open.get(callback)
        if known is not None and known[0] != number:
            self.open[callback] = (number, known[1])
            self.promised.append((at, number))
            self.of_number[number] += 1

    def take_back(self, callback: str, *, counts: bool = True) -> None:
        """The promise was not kept at all: as if it had not been made."""
        known = self.open.pop(callback, None)
        if known is not None and counts:
            for index in range(len(self.promised) - 1, -1, -1):
                if self.promised[index][1] == known[0]:
                    del self.promised[index]
                    self._fewer(known[0])
                    break

    def note_short_answer(self, number: str, at: float) -> None:
        """Picked up, and hung up at once."""
        self._shorts += 1
        self.short[at, number, self._shorts] = None
        for key in (number, _range_of(number)):
            self.short_of[key] += 1
        while len(self.short) > MOST_SHORT:
            self._forget_short()

    def bar(self, number: str, queue: str, caps: Caps, now: float, but: str | None = None) -> Refusal | None:
        """The cap that a promise to ``number`` would pass now; the open callback ``but`` does not count."""
        self._forget(now - DAY_S)
        others = [known for callback, known in self.open.items() if callback != but]
        open_for = [queue_of for number_of, queue_of in others if number_of == number]
        in_queue = sum(queue_of == queue for _, queue_of in others)
        checks = (
            (queue in open_for, Refusal.OPEN_ALREADY),
            (_full(self.short_of.get(number, 0), caps.short_answers), Refusal.SHORT_ANSWERS),
            (_full(self.short_of.get(_range_of(number), 0), caps.short_answers_of_range), Refusal.SHORT_ANSWERS),
            (_full(self.of_number.get(number, 0), caps.number_a_day), Refusal.NUMBER_A_DAY),
            (_full(len(open_for), caps.number_open), Refusal.NUMBER_OPEN),
            (_full(in_queue, caps.queue_open), Refusal.QUEUE_OPEN),
            (_full(len(others), caps.open), Refusal.OPEN),
            (_full(len(self.promised), caps.a_day), Refusal.A_DAY),
        )
        return next((why for barred, why in checks if barred), None)

    def _forget(self, before: float) -> None:
        while self.promised and self.promised[0][0] <= before:
            self._fewer(self.promised.popleft()[1])
        while self.short and next(iter(self.short))[0] <= before:
            self._forget_short()

    def _forget_short(self) -> None:
        (_, number, _), _ = self.short.popitem(last=False)
        for key in (number, _range_of(number)):
            self.short_of[key] -= 1
            if not self.short_of[key]:
                del self.short_of[key]

    def _fewer(self, number: str) -> None:
        self.of_number[number] -= 1
        if not self.of_number[number]:
            del self.of_number[number]


def _full(count: int, cap: int) -> bool:
    return bool(cap) and count >= cap


def _range_of(number: str) -> str:
    return number[:-RANGE_DIGITS] + "*"


@dataclass(slots=True)
class Rate:
    """So many requests of one asker in a time; whoever asks more often is refused until some are old."""

    most: int = 30
    in_s: float = 3600.0
    _asked: dict[str, deque[float]] = field(default_factory=dict)

    def allows(self, asker: str, now: float) -> bool:
        """Count a request; False if it is one too many, and then it is not counted."""
        if self.most <= 0:
            return True
        asked = self._asked.setdefault(asker, deque())
        while asked and asked[0] <= now - self.in_s:
            asked.popleft()
        if len(asked) >= self.most:
            return False
        asked.append(now)
        return True
