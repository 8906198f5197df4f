"""What a PBX gets from us for the time when we are gone: the heartbeat, the fallback queues' pauses, and callers taken back.

While a waiting caller sees the heartbeat change, he is ours. So the heartbeat is also what we may act on: ``holds`` says whether
Asterisk has taken one from us lately enough that no caller can have been left alone since. A service that was stopped for ten
seconds and goes on as if nothing were would otherwise redirect callers out of ``Queue()``, out of a conversation even.

Nothing here takes a caller out of ``Queue()`` by force: app_queue is asked to let go of those who still wait (a phone may have
answered in that very moment, and then it refuses), and the dialplan brings them back.

``ami.pbx`` owns one for each link and beats when the engine does.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Protocol

from ami import actions, names
from ami.answers import Answer
from ami.book import Book, LiveCall

log = logging.getLogger(__name__)

LEASE_S = 5.0
"""How long after a heartbeat we may act on it. The dialplan waits six seconds before it leaves a caller alone."""

MEMBERS_AT_ONCE = 200

Pauses = Mapping[tuple[str, str], bool]
"""(queue of app_queue, member's dial string) -> paused."""


class Sender(Protocol):
    def send(self, *wanted: actions.Action, deadline_s: float | None = None) -> "list[asyncio.Future[Answer]]": ...


class Lifeline:
    """Of one PBX. ``now`` is any clock that never jumps."""

    def __init__(self, link: Sender, book: Book, epoch: str, now: Callable[[], float]) -> None:
        self._link, self._book, self._epoch, self._now = link, book, epoch, now
        self._count = 0
        self._proved: float | None = None
        self._led = False  # by an engine that beats; without one nobody promises anything
        self._wanted: Pauses = {}
        self._due: dict[tuple[str, str], bool] = {}
        self._there: dict[str, bool] = {}
        self._warned: set[str] = set()
        self._taking_back = False

    def holds(self) -> bool:
        """Whether no caller can have been left alone since the last heartbeat that Asterisk has taken."""
        return not self._led or (self._proved is not None and self._now() - self._proved < LEASE_S)

    async def begin(self) -> Answer:
        """A new session: nothing that was told before counts. The answer of the first heartbeat."""
        self._proved, self._there, self._due, self._taking_back = None, {}, dict(self._wanted), False
        epoch, beat = self._link.send(actions.SetGlobal(names.EPOCH, self._epoch), self._next())
        self._prove(beat)
        refusal = await epoch
        answer = await beat
        return answer if refusal.ok else refusal

    def beat(self, pauses: Pauses | None) -> None:
        """The engine lives: say so. ``pauses`` are all members' when they have changed."""
        self.want(pauses)
        self._led = True
        (beat,) = self._link.send(self._next())
        self._prove(beat)
        self._mirror(giving=not self._take_back())

    def want(self, pauses: Pauses | None) -> None:
        """Keep what is to be mirrored."""
        if pauses is not None:
            self._due.update({key: paused for key, paused in pauses.items() if self._wanted.get(key) is not paused})
            self._wanted = pauses

    def _next(self) -> actions.SetGlobal:
        self._count += 1
        return actions.SetGlobal(names.HEARTBEAT, str(self._count))

    def _prove(self, beat: "asyncio.Future[Answer]") -> None:
        sent = self._now()

        def answered(future: "asyncio.Future[Answer]") -> None:
            if future.result().ok:
                self._proved = sent

        beat.add_done_callback(answered)

    def _take_back(self) -> bool:
        """Ask back who still waits in app_queue; whether there is anybody."""
        alone = [call for call in self._book.calls.values() if _is_alone(call)]
        if alone and not self._taking_back:
            self._withhold()
        self._taking_back = bool(alone)
        for call in alone:
            if call.offer is not None and not call.offer.open and call.entered is not None:
                self._try(actions.WithdrawCaller(call.entered.queue_key, call.channel))
        return bool(alone)

    def _withhold(self) -> None:
        """Pause everybody until all callers are back: who frees himself meanwhile would get one of the last, not the first."""
        for key, paused in self._wanted.items():
            if not paused and self._there.get(key[0], True):
                self._try(actions.PauseMember(*key, True))
                self._due[key] = False

    # ------------------------------------------------------------ the fallback queues

    def _mirror(self, *, giving: bool) -> None:
        """Tell some of what is due. Queues that are new to us are asked for first.

        Unless ``giving``, app_queue gets no agent: callers on their way back to us would be passed by those behind them.
        """
        unknown = {queue for queue, _ in self._due} - self._there.keys()
        for queue in sorted(unknown):
            self._there[queue] = False
            self._try(actions.QueueExists(queue), partial(self._found, queue))
        if unknown:
            return
        due = [key for key, paused in self._due.items() if paused or giving]
        for key in due[:MEMBERS_AT_ONCE]:
            paused = self._due.pop(key)
            if self._there[key[0]]:
                self._try(actions.PauseMember(*key, paused), self._paused)

    def _found(self, queue: str, answer: Answer) -> None:
        self._there[queue] = answer.headers.get("value") == "1"
        if answer.ok and not self._there[queue]:
            self._warn(
                f"queue {queue}", "PBX lacks a fallback queue: its callers will only wait if the service goes", queue
            )

    def _paused(self, answer: Answer) -> None:
        if not answer.ok and not answer.unknown:
            self._warn(
                "members", "PBX's fallback queues lack agents: write them anew, as `nobat fallback` prints them", None
            )

    def _warn(self, what: str, words: str, queue: str | None) -> None:
        if what not in self._warned:
            self._warned.add(what)
            log.warning(words, extra={"queue": queue} if queue is not None else {})

    def _try(self, action: actions.Action, then: Callable[[Answer], None] = lambda _: None) -> None:
        """Send, and never mind a refusal: it is tried again, or does not matter any more."""
        try:
            answers: Sequence[asyncio.Future[Answer]] = self._link.send(action)
        except actions.ActionRefused as refusal:
            log.warning("something of the fallback cannot be told to the PBX", extra={"slug": refusal.slug})
            return
        for answer in answers:
            answer.add_done_callback(lambda future: then(future.result()))


def _is_alone(call: LiveCall) -> bool:
    return call.offer is not None and call.offer.fallback and call.offer.answered is None
