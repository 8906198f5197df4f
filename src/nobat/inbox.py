"""The engine's inbox: ordered, bounded, and it knows how late it is.

``nobat.engine`` puts in and takes out. When it is full, facts are refused: the floor is then brought in line by a look at the PBX,
as after any loss, which is cheaper than working through what is old. ``behind_s`` is what the REST interface sheds by.
"""

from asyncio import Future
from collections import deque
from time import perf_counter

from nobat.reactor import Message

MOST = 50_000
"""Messages that may wait: some seconds of work, some dozens of MB."""

LATE_S = 0.25
"""A message that has waited so long is late: phones ring noticeably after their agents are free."""


class Letter:
    """One message, when it came, and who waits for the answer. Without a message it only asks for its turn."""

    __slots__ = ("arrived", "message", "reply")

    def __init__(self, message: Message | None, reply: "Future[object] | None") -> None:
        self.message, self.reply, self.arrived = message, reply, perf_counter()


class Inbox:
    """First in, first out."""

    def __init__(self, most: int = MOST) -> None:
        self._letters: deque[Letter] = deque()
        self._most = most
        self._late_since: float | None = None
        self.refused = 0

    def __len__(self) -> int:
        return len(self._letters)

    @property
    def is_full(self) -> bool:
        return len(self._letters) >= self._most

    @property
    def has_room(self) -> bool:
        """Whether what was refused may be asked for again: not as soon as one message fits."""
        return len(self._letters) <= self._most // 2

    def put(self, letter: Letter) -> None:
        """Whether there is room is for the caller to ask: some messages must always come in."""
        self._letters.append(letter)

    def take(self) -> Letter:
        """The oldest. IndexError when there is none."""
        return self._letters.popleft()

    def lag(self) -> float:
        """How long the oldest message has waited."""
        return perf_counter() - self._letters[0].arrived if self._letters else 0.0

    def measure(self) -> float:
        """The lag, noted: called at the beginning of each slice of work."""
        lag = self.lag()
        if lag < LATE_S:
            self._late_since = None
        elif self._late_since is None:
            self._late_since = perf_counter()
        return lag

    def rested(self) -> None:
        """All is done."""
        self._late_since = None

    def behind_s(self) -> float:
        """How long messages have been late without a break; 0 when they are not."""
        return perf_counter() - self._late_since if self._late_since is not None else 0.0
