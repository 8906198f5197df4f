"""Requests on their way out: in order, so many at a time, each with its answer or its failure.

A thousand agents who are free at once are a thousand offers; written in one go they would stall the loop and Asterisk alike.
So only ``WINDOW`` actions are open at any moment, and a request is translated when its turn comes: a caller who left
meanwhile is refused then. ``ami.pbx`` owns one.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from acd.callback_port import DialCustomer
from acd.ids import CallId
from acd.recording_port import Silence, Silenced
from acd.telephony import Announce, Offer, Request, RequestFailed, RequestFailure
from ami import actions, failpoints
from ami.answers import Answer, Outcome
from ami.tracker import Tracker
from ami.translate import Refused, translate

WINDOW = 128

SPOKEN = 8
"""Announcements open at any moment: what is spoken waits for what moves calls."""


class Sender(Protocol):
    """The link, as far as requests need it."""

    def send(self, *wanted: actions.Action, deadline_s: float | None = None) -> "list[asyncio.Future[Answer]]": ...


class Outbox:
    """Requests of one PBX. Nothing is raised, nothing is sent twice."""

    def __init__(
        self,
        link: Sender,
        tracker: Tracker,
        may_offer: Callable[[], bool],
        failed: Callable[[RequestFailed], None],
        done: Callable[[Silenced], None] = lambda _: None,
    ) -> None:
        self._link, self._tracker, self._may_offer, self._failed = link, tracker, may_offer, failed
        self._done = done
        self._waiting: deque[Request] = deque()
        self._to_say: deque[Announce] = deque()
        self._open = 0

    def put(self, requests: Sequence[Request]) -> None:
        """Carry these out, after what was put before."""
        for request in requests:
            if isinstance(request, Announce):
                self._to_say.append(request)
            else:
                self._waiting.append(request)
        self._go_on()

    def offers(self) -> dict[CallId, Offer]:
        """Offers whose turn has not come."""
        return {request.call: request for request in self._waiting if isinstance(request, Offer)}

    def _go_on(self) -> None:
        while self._waiting and self._open < WINDOW:
            self._carry_out(self._waiting.popleft())
        while self._to_say and self._open < SPOKEN:
            self._carry_out(self._to_say.popleft())

    def _carry_out(self, request: Request) -> None:
        if isinstance(request, Offer | Announce | DialCustomer) and not self._may_offer():
            self._failed(RequestFailed(request, RequestFailure.LINK_DOWN))
            return
        made = translate(self._tracker, request)
        if isinstance(made, Refused):
            self._failed(RequestFailed(request, made.why))
        else:
            self._write(request, made)

    def _write(self, request: Request, made: Sequence[actions.Action]) -> None:
        if failpoints.passed is not None:
            failpoints.passed("outbox.translated", (request,))
        answers = self._link.send(*made)
        if failpoints.passed is not None:
            failpoints.passed("outbox.written", (request,))
        self._open += len(answers)
        left = len(answers)
        worst: Answer | None = None

        def answered(future: asyncio.Future[Answer]) -> None:
            nonlocal left, worst
            left -= 1
            self._open -= 1
            answer = future.result()
            if not answer.ok and (worst is None or answer.unknown):
                worst = answer
            if left == 0:
                if worst is not None:
                    self._fail(request, _failure(worst))
                elif isinstance(request, Silence):  # a promise that somebody waits for
                    self._done(Silenced(request.call, request.recording, request.silent))
                self._go_on()

        for answer in answers:
            answer.add_done_callback(answered)

    def _fail(self, request: Request, why: RequestFailure) -> None:
        if isinstance(request, Offer) and why is not RequestFailure.UNKNOWN_OUTCOME:
            self._tracker.not_offered(request.call, request.offer)
        self._failed(RequestFailed(request, why))


def _failure(answer: Answer) -> RequestFailure:
    if answer.unknown:
        return RequestFailure.UNKNOWN_OUTCOME
    if answer.outcome is Outcome.NOT_CONNECTED:
        return RequestFailure.LINK_DOWN
    return RequestFailure.NO_SUCH_LEG if answer.no_such_channel else RequestFailure.REFUSED
