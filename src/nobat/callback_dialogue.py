"""The dialogue with a waiting caller who wants to be called back: ``acd-callback-offer`` asks, this answers.

Three questions: *may I* (key 1; the own number is read back, or another one asked for), *this number* (keyed in; read back) and
*yes* (the promise is made). Two more of somebody who has been promised one (key 2): *this is my code*, and *cancel it*. What he
does after the code of his own callback is done to that one; the number alone does nothing to it.

The caller waits on while he is asked: an agent who becomes free takes him out of the dialogue, and what is answered then comes to
nothing. He is let go by ``PromiseCallback``, which does so when the promise is on disk; if it cannot be made durable he hears an
apology and stands where he stood.

Stateless: what a question is about is on the caller's channel, so a service that comes later goes on with it.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

import structlog

from acd.callback_commands import CancelCallback, ChangeCallback, PromiseCallback, callback_of
from acd.calls import CallState
from acd.errors import AcdError
from acd.floor import Floor
from acd.forecast import expected
from acd.ids import CallbackId, CallId, QueueId
from acd.speech.prompts import Message, Prompt, Word, word
from acd.speech.sayings import CalledBetween, ClockTime, PhoneNumber, say
from ami.outputs import CallerAsked
from callback import views
from callback.numbers import Accepted, Refused
from callback.refusals import Refusal
from nobat.callback_desk import CallbackDesk, zones_of
from nobat.engine import Engine, StorageUnavailable
from nobat.ports import PbxLink
from nobat.storage import errors as storage

log = structlog.get_logger(__name__)

ANSWER_WITHIN_S = 4.5
"""The dialplan waits five seconds and then speaks for itself."""

STEP_S = 300
"""Windows begin and end at full five minutes."""

SHORTEST_S = 900.0
LONGEST_S = 5400.0
"""A range that is longer is not told by the clock: it would be no promise."""

Prompts = tuple[Prompt, ...]
Window = tuple[float, float]

_ABOUT_THE_NUMBER = frozenset({
    Refusal.NOT_A_NUMBER,
    Refusal.SHORT_NUMBER,
    Refusal.INVALID,
    Refusal.EMERGENCY,
    Refusal.OWN_NUMBER,
    Refusal.KIND,
    Refusal.COUNTRY,
})  # fmt: skip
"""Another number may do. An opt-out, caps and an open callback are told as *not now*: whoever keys in a number, or has it shown,
learns nothing about its owner."""


@dataclass(frozen=True, slots=True)
class Step:
    """Where in ``acd-callback-offer`` the caller goes on, and what he hears there."""

    name: str
    prompts: Prompts = ()


@dataclass(frozen=True, slots=True)
class Asker:
    """A caller, as far as the dialogue needs him. ``wait_s``: the range that may be told now.

    ``open``: the callback of his number in this queue; ``regained``: he stands at its place.
    """

    queue: QueueId
    number: str | None
    language: str
    timezone: str
    wait_s: Window | None
    now: float
    open: CallbackId | None = None
    regained: bool = False


NOT_NOW = Step("sorry", (word(Message.CALLBACK_NOT_NOW),))
NOTHING = Step("none")
ENTER_CODE = Step("code", (word(Word.PAUSE), word(Message.CALLBACK_ENTER_CODE)))
WRONG_CODE = Step("code", (word(Message.CALLBACK_WRONG_CODE), word(Message.CALLBACK_ENTER_CODE)))
CHANGE = Step("change", (word(Word.PAUSE), word(Message.CALLBACK_CHANGE)))
CANCELLED = Step("sorry", (word(Message.CALLBACK_CANCELLED),))
CHANGED = Step("sorry", (word(Message.CALLBACK_CHANGED),))


@dataclass(slots=True)
class CallbackDialogue:
    """Answers callers' questions, each in the background."""

    engine: Engine
    desk: CallbackDesk
    _open: set["asyncio.Task[None]"] = field(default_factory=set)

    def asked(self, pbx: PbxLink, question: CallerAsked) -> None:
        task = asyncio.get_running_loop().create_task(self._answer(pbx, question))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def _answer(self, pbx: PbxLink, question: CallerAsked) -> None:
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                step = await self.decide(question)
        except (TimeoutError, storage.StorageUnavailable):
            step = NOT_NOW
        except Exception:
            log.exception("a caller's question could not be handled", kind=question.kind, call=question.call)
            step = NOT_NOW
        if step is not None:
            await pbx.answer_caller(question.call, question.id, step.name, step.prompts)

    async def decide(self, question: CallerAsked) -> Step | None:
        """What the caller hears next; None: he is not ours to speak to, or on his way out with the promise."""
        asker = self.engine.read(lambda floor, now: _asker(floor, question.call, now))
        if asker is None:
            return None
        if question.kind == "callback_change" and not question.code:
            return ENTER_CODE if self.desk.calls_back(asker.queue) else NOTHING
        mine = self._proved(asker, question.code)
        if question.kind == "callback_change":
            return CHANGE if mine is not None else WRONG_CODE
        if question.kind == "callback_cancel":
            return await self._change(CancelCallback(mine, "caller"), CANCELLED) if mine is not None else NOT_NOW
        window = _window(asker)
        calls_at = window if window is not None else (asker.now,)
        found = await self.desk.judge(asker.queue, question.keyed or asker.number, calls_at, mine)
        if isinstance(found, Refused):
            return _refusal(found.reason)
        if question.kind == "callback_confirm":
            if mine is not None and not asker.regained:
                return await self._change(ChangeCallback(mine, self.desk.dialled(found)), CHANGED)
            return await self._promise(question.call, asker, found, window, proved=mine is not None)
        said = (word(Word.PAUSE), word(Message.CALLBACK_NUMBER), word(Word.PAUSE), *_read_back(found, asker.language))
        return Step("number", (*said, word(Word.PAUSE), word(Message.CALLBACK_CONFIRM)))

    def _proved(self, asker: Asker, code: str) -> CallbackId | None:
        """The callback that the caller has named the code of."""
        proved = bool(code) and self.desk.proves(asker.open, code, asker.number, asker.now)
        return asker.open if proved else None

    async def _change(self, command: CancelCallback | ChangeCallback, step: Step) -> Step:
        try:
            await self.engine.ask(command)
        except (AcdError, StorageUnavailable):
            return NOT_NOW  # he is being dialled at this moment, or it is over
        return step

    async def _promise(
        self, call: CallId, asker: Asker, found: Accepted, window: Window | None, *, proved: bool
    ) -> Step | None:
        """Make it. What the caller hears last goes with it, for only what is on disk may be said."""
        zones = zones_of(found.zones)
        zone = zones[0] if len(zones) == 1 else next(iter(zones_of((asker.timezone,))), None)
        callback = callback_of(call, asker.now)
        said = _promise_said(window, zone, self.desk.code(callback), asker.language)
        try:
            await self.engine.ask(PromiseCallback(call, self.desk.dialled(found), said, window, callback, proved))
        except StorageUnavailable:
            return NOT_NOW  # counted when the promise is taken back
        except AcdError as refusal:
            if refusal.slug == "callback_pending":
                self.desk.refused(Refusal.OPEN_ALREADY)
            return None if refusal.slug == "illegal_transition" else NOT_NOW  # a phone rings for him already
        return None


def _asker(floor: Floor, call: CallId, now: float) -> Asker | None:
    found = floor.calls.get(call)
    if found is None or found.state is not CallState.WAITING:
        return None
    queue = floor.queues[found.queue]
    wait = expected(floor, found, now)
    callback, regained = views.of_caller(floor, found) or (None, False)
    return Asker(
        found.queue,
        found.number,
        found.language or "",
        queue.spec.timezone,
        (wait.low_s, wait.high_s) if wait is not None else None,
        now,
        callback,
        regained,
    )


def _refusal(reason: Refusal) -> Step:
    match reason:
        case Refusal.NOT_OFFERED:
            return NOTHING
        case Refusal.WITHHELD:
            return Step("other")
        case _ if reason in _ABOUT_THE_NUMBER:
            return Step("another", (word(Word.PAUSE), word(Message.CALLBACK_NOT_POSSIBLE)))
        case _:
            return NOT_NOW


def _read_back(found: Accepted, language: str) -> Prompts:
    return say(PhoneNumber(found.written), language)


def _window(asker: Asker) -> Window | None:
    """When the turn will come by what is expected, in full five minutes and never narrower than a quarter of an hour."""
    if asker.wait_s is None or asker.wait_s[1] > LONGEST_S:
        return None
    begin = (asker.now + asker.wait_s[0]) // STEP_S * STEP_S
    end = max(-(-(asker.now + asker.wait_s[1]) // STEP_S) * STEP_S, begin + SHORTEST_S)
    return begin, end


def _promise_said(window: Window | None, zone: tzinfo | None, code: str, language: str) -> Prompts:
    """*Your place is kept. We will call you between ten twenty and ten thirty-five. Your code is four seven one two.*

    Without a window: when it is your turn.
    """
    if window is None or zone is None:
        when: Prompts = (word(Message.CALLBACK_BOOKED),)
    else:
        begin, end = (datetime.fromtimestamp(at, zone) for at in window)
        times = CalledBetween(ClockTime(begin.hour, begin.minute), ClockTime(end.hour, end.minute))
        when = (word(Message.CALLBACK_KEPT), *say(times, language))
    return (word(Word.PAUSE), *when, *code_said(code, language), word(Message.GOODBYE))


def code_said(code: str, language: str) -> Prompts:
    """With what the promise may be cancelled and changed by key."""
    return (word(Word.PAUSE), word(Message.CALLBACK_CODE), word(Word.PAUSE), *say(PhoneNumber(code), language))
