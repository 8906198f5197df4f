"""What is said to callers who wait, and when: the place, the expected wait, messages, and what has to be said once.

Nothing here is in the way of an offer. A caller who is due stands in line for the *voice* of his PBX, which speaks to ``RATE``
callers a second; what he is told is made up when it is his turn, so it is never old. The prompts leave as an ``Announce``, which
the dialplan plays when nothing else does, and count as told when it says so (``Announced``). An offer cuts them off at any moment.

The id of an announcement carries what was promised, and stays on the caller's channel: so no restart forgets it.

``acd.joining`` begins, the timers *announce* and *speak* go on, ``acd.calling`` tells of failures.
"""

from collections import deque
from dataclasses import dataclass, field, replace
from math import inf
from typing import TYPE_CHECKING

from acd.calls import Call, CallState
from acd.events import CallTold
from acd.forecast import Growth, Promise, ahead_of, expected, recent
from acd.ids import CallId, PbxId
from acd.queues import Queue
from acd.record import record
from acd.speech.prompts import Message, Prompt, Word, word
from acd.speech.sayings import Announcement, ExpectedWait, say
from acd.telephony import Announce, Announced, CallEntered, RequestFailed, RequestFailure
from acd.turn import Turn

if TYPE_CHECKING:
    from acd.floor import Floor

RATE = 40.0
"""Announcements a second on one PBX at most: a few per cent of a core there and here, however many wait."""

RETRY_S = 5.0
"""When to look again at a caller who cannot be spoken to: a phone rings for him, or his PBX is away."""

UNHEARD_S = 15.0
"""An announcement that was not begun by then is not coming: the caller was offered in between, or the news of it was lost."""

KEPT = 20
"""Announcements that a call remembers, the last ones."""

MOST_PASSED_OVER = 100

_WAITING = CallState.WAITING


@record
class Said:
    """What a caller began to hear at ``at``."""

    at: float
    language: str
    prompts: tuple[str, ...]
    promise: Promise | None = None


@record
class _Schedule:
    """What is due when. Kept with an announcement until it is heard, for what was not heard is still due."""

    opening: tuple[Prompt, ...] = ()
    place_at: float = inf
    message_at: float = inf
    messages: int = 0


_NOTHING_DUE = _Schedule()


@record
class _Pending:
    """An announcement that is on its way."""

    say: str
    at: float
    prompts: tuple[Prompt, ...]
    ahead: int | None
    promise: Promise | None
    before: _Schedule


@dataclass(slots=True)
class Speech:
    """What is said to one caller, and what was."""

    schedule: _Schedule = _NOTHING_DUE
    due_at: float = inf
    in_line: bool = False  # for the voice of the PBX
    pending: _Pending | None = None
    ahead: int | None = None  # callers ahead, as told last
    said: tuple[Said, ...] = ()


@dataclass(slots=True)
class Voice:
    """Who is to be spoken to on one PBX, first come first served."""

    line: deque[CallId] = field(default_factory=deque)
    free_at: float = 0.0
    armed: bool = False


def begin(floor: "Floor", call: Call, queue: Queue, fact: CallEntered, *, adopted: bool) -> None:
    """A caller is there. ``adopted``: he was there before us, and was greeted then."""
    policy = queue.spec.announcements
    opening: tuple[Prompt, ...] = ()
    if call.place_since is not None and fact.place_since is None and call.callback is None:
        opening = (word(Message.PLACE_REGAINED),)
    elif policy.welcome and not adopted and fact.attempt is None:
        # Whoever has rung into the place of a callback is greeted like everybody: that there is one is told to no mere number.
        opening = (Prompt(policy.welcome),)
    if opening:
        opening = (word(Word.PAUSE), *opening)  # the first words of a call that has just been answered are often lost
    if fact.told is not None:
        _recall(call, fact.told)
    plan(floor, call, queue, opening)


def plan(floor: "Floor", call: Call, queue: Queue, opening: tuple[Prompt, ...] = ()) -> None:
    """Lay down when the caller is told what, by the rules of the queue as they are now."""
    if queue.spec.callbacks.enabled:
        floor.at(floor.now, "invite", call.id)
    policy, entered_at, speech = queue.spec.announcements, call.visit.entered_at, call.speech
    last = speech.said[-1].at if speech is not None and speech.said else None
    place_at = message_at = inf
    if policy.position or policy.expected_wait:
        place_at = entered_at + policy.first_after_s if last is None else last + policy.every_s
    if policy.messages:
        message_at = (entered_at if last is None else last) + policy.message_every_s
    if speech is None:
        if not opening and place_at == message_at == inf:
            return
        speech = call.speech = Speech()
    speech.schedule = _Schedule(opening or speech.schedule.opening, place_at, message_at, speech.schedule.messages)
    _arm(floor, call, speech)


def add(floor: "Floor", call: Call, prompts: tuple[Prompt, ...]) -> None:
    """Say this besides what is planned, as soon as nothing else is said."""
    speech = call.speech = call.speech or Speech()
    pending, schedule = speech.pending, speech.schedule
    speech.schedule = replace(schedule, opening=(*schedule.opening, *prompts))
    if pending is None:
        _arm(floor, call, speech)
    else:  # is on its way: what is due when it begins, or is given up, has this in it
        speech.pending = replace(pending, before=replace(pending.before, opening=(*pending.before.opening, *prompts)))


def _arm(floor: "Floor", call: Call, speech: Speech, at: float | None = None) -> None:
    """Set the caller's timer: to ``at``, or to what is due first."""
    schedule = speech.schedule
    if at is None:
        at = floor.now if schedule.opening else min(schedule.place_at, schedule.message_at)
    speech.due_at = at
    if at != inf:
        floor.at(at, "announce", call.id)


def due(floor: "Floor", turn: Turn, key: str) -> None:
    """The timer *announce*: the caller takes his turn in the line for the voice."""
    call = floor.calls.get(CallId(key))
    speech = call.speech if call is not None else None
    if call is None or speech is None or speech.in_line or speech.due_at > turn.now or call.visit.outcome is not None:
        return
    speech.in_line = True
    voice = floor.voices.setdefault(call.pbx, Voice())
    voice.line.append(call.id)
    if not voice.armed:
        voice.armed = True
        floor.at(max(turn.now, voice.free_at), "speak", call.pbx)


def speak(floor: "Floor", turn: Turn, key: str) -> None:
    """The timer *speak*: the voice of a PBX speaks to the first in line who can hear it, and is busy for a moment."""
    voice = floor.voices[PbxId(key)]
    for _ in range(MOST_PASSED_OVER):
        if not voice.line:
            break
        call = floor.calls.get(voice.line.popleft())
        if call is not None and call.speech is not None and _speak_to(floor, turn, call, call.speech):
            voice.free_at = turn.now + 1.0 / RATE
            break
    voice.armed = bool(voice.line)
    if voice.armed:
        floor.at(max(turn.now, voice.free_at), "speak", PbxId(key))


def _speak_to(floor: "Floor", turn: Turn, call: Call, speech: Speech) -> bool:
    speech.in_line = False
    if call.visit.outcome is not None:
        return False
    if speech.pending is not None:
        _give_up(call, speech, speech.pending)
    if call.state is not _WAITING or not floor.takes_offers(call.pbx):
        _arm(floor, call, speech, turn.now + RETRY_S)
        return False
    pending = _compose(floor, turn.now, call, speech)
    if pending is None:
        _arm(floor, call, speech)
        return False
    speech.pending = pending
    _arm(floor, call, speech, turn.now + UNHEARD_S)
    turn.ask(Announce(call.id, call.leg, pending.say, pending.prompts))
    return True


def _compose(floor: "Floor", now: float, call: Call, speech: Speech) -> _Pending | None:
    """What is due to be said, and what will be due after it; None if nothing is."""
    queue, schedule = floor.queues[call.queue], speech.schedule
    policy, language = queue.spec.announcements, call.language or ""
    prompts, ahead, promise = schedule.opening, None, None
    place_at, message_at, messages = schedule.place_at, schedule.message_at, schedule.messages
    if place_at <= now:
        place_at = now + policy.every_s
        told, ahead, promise = _place_and_wait(floor, now, call, speech)
        prompts += say(told, language)
        if (
            promise is not None
            and promise.because is None
            and not say(ExpectedWait(promise.low_s, promise.high_s), language)
        ):
            promise = None  # within hours: that is not said
    if message_at <= now and policy.messages:
        message_at = now + policy.message_every_s
        prompts += (Prompt(policy.messages[messages % len(policy.messages)]),)
        messages += 1
    speech.schedule = _Schedule((), place_at, message_at, messages)
    if not prompts:
        return None
    return _Pending(_receipt(now, promise or call.promise), now, prompts, ahead, promise, schedule)


def _place_and_wait(floor: "Floor", now: float, call: Call, speech: Speech) -> tuple[Announcement, int, Promise | None]:
    """What can be told now. A place further back is told with a reason, as a longer wait is."""
    queue = floor.queues[call.queue]
    policy = queue.spec.announcements
    promise = expected(floor, call, now, recent(queue, now)) if policy.expected_wait else None
    ahead = promise.ahead if promise is not None else ahead_of(floor, queue, call)
    because = promise.because if promise is not None else None
    if because is None and policy.position and speech.ahead is not None and ahead > speech.ahead:
        because = Growth.URGENT_CALLERS
        promise = replace(promise, because=because) if promise is not None else None
    wait = ExpectedWait(promise.low_s, promise.high_s) if promise is not None else None
    return Announcement(ahead + 1 if policy.position else None, wait, because), ahead, promise


def announced(floor: "Floor", turn: Turn, fact: Announced) -> None:
    """The caller begins to hear an announcement."""
    call = floor.calls.get(fact.call)
    if call is None:
        return
    speech = call.speech
    pending = speech.pending if speech is not None else None
    if speech is None or pending is None or pending.say != fact.say:
        _recall(call, fact.say)  # made before a restart
        return
    speech.pending = None
    speech.ahead = pending.ahead if pending.ahead is not None else speech.ahead
    speech.said = (*speech.said[1 - KEPT :], Said(turn.now, call.language or "", pending.prompts, pending.promise))
    if pending.promise is not None:
        promised(call, pending.promise)
    _arm(floor, call, speech)
    promise = pending.promise
    low_s, high_s, because = (promise.low_s, promise.high_s, promise.because) if promise is not None else (None,) * 3
    turn.emit(CallTold(turn.now, call.id, call.queue, pending.prompts, pending.ahead, low_s, high_s, because))


def promised(call: Call, promise: Promise) -> None:
    """A wait was told; what is told from now on is held to it."""
    call.promise = promise
    call.told = (*call.told[1 - KEPT :], promise)


def not_said(floor: "Floor", turn: Turn, fact: RequestFailed) -> None:
    """An announcement that certainly did not reach the caller: what it said is due again."""
    if not isinstance(fact.request, Announce) or fact.why is RequestFailure.UNKNOWN_OUTCOME:
        return
    call = floor.calls.get(fact.request.call)
    speech = call.speech if call is not None else None
    if call is None or speech is None or speech.pending is None or speech.pending.say != fact.request.say:
        return
    speech.schedule, speech.pending = speech.pending.before, None
    _arm(floor, call, speech, turn.now + RETRY_S)


def _give_up(call: Call, speech: Speech, pending: _Pending) -> None:
    """Nobody knows whether this was heard. In doubt the earlier time and the better place hold, and a reason is given again."""
    speech.schedule, speech.pending = pending.before, None
    if pending.ahead is not None:
        speech.ahead = pending.ahead if speech.ahead is None else min(pending.ahead, speech.ahead)
    if pending.promise is not None and pending.promise.because is None:
        call.promise = pending.promise


# ---------------------------------------------------------------- ids that carry the promise


def _receipt(now: float, promise: Promise | None) -> str:
    """``<ms>``, or ``<ms>.<ms of the promise>.<low>.<high>.<ahead>.<agents>`` with the range in ms."""
    said = [_ms(now)]
    if promise is not None:
        said += [_ms(promise.at), _ms(promise.low_s), _ms(promise.high_s), promise.ahead, promise.agents]
    return ".".join(map(str, said))


def _ms(seconds: float) -> int:
    return int(seconds * 1000)


def _recall(call: Call, receipt: str) -> None:
    """Take up what a caller was told according to his channel, unless it is known better."""
    parts = receipt.split(".")
    if len(parts) not in (1, 6) or not all(part.isdecimal() for part in parts):
        return
    at, *numbers = (int(part) for part in parts)
    speech = call.speech = call.speech or Speech()
    if speech.said and speech.said[-1].at >= at / 1000:
        return
    if numbers and (call.promise is None or call.promise.at < numbers[0] / 1000):
        made, low, high, ahead, agents = numbers
        promised(call, Promise(made / 1000, low / 1000, high / 1000, ahead, agents))
        speech.ahead = ahead
    speech.said = (
        *speech.said[1 - KEPT :],
        Said(at / 1000, call.language or "", (), call.promise if numbers else None),
    )
