"""The names of all prompts. A name means the same in every language; the texts are in ``nobat.prompts``.

Numbers are said by words (``num-20``, ``num-3``), whole sentences by one prompt each: a sentence that is put together from
many recordings sounds like it. Where a language needs no word of its own for something, its grammar leaves the word out.
"""

from enum import StrEnum
from typing import NewType

Prompt = NewType("Prompt", str)

LARGEST = 999_999
"""The largest number that can be said."""

WHOLE = (*range(21), *range(30, 100, 10), *range(100, 1000, 100), 1000)
"""Numbers that are one word, or recorded as one."""

JOINED_FIRST = Prompt("ord-1-joined")
"""*First* at the end of a longer ordinal: twenty-*first*, and in Persian another word than the one that stands alone."""


class Word(StrEnum):
    """Parts of sentences."""

    AND = "and"
    YOU_ARE = "you-are"
    IN_LINE = "in-line"
    WAIT_IS = "wait-is"
    BETWEEN = "between"
    RANGE_TO = "range-to"
    LESS_THAN = "less-than"
    MORE_THAN = "more-than"
    ABOUT = "about"
    MINUTES_END = "minutes-end"
    MINUTE = "minute"
    MINUTES = "minutes"
    HOUR = "hour"
    HOURS = "hours"
    AT = "at"
    O_CLOCK = "o-clock"
    SMALL_HOURS = "small-hours"
    MORNING = "morning"
    NOON = "noon"
    AFTERNOON = "afternoon"
    EVENING = "evening"
    NIGHT = "night"
    DIGIT_ZERO = "digit-0"
    PLUS = "plus"
    PAUSE = "pause"


class Message(StrEnum):
    """Whole sentences."""

    # while waiting
    YOU_ARE_NEXT = "you-are-next"
    WAIT_UNDER_A_MINUTE = "wait-under-a-minute"
    WAIT_OVER_AN_HOUR = "wait-over-an-hour"
    LONGER_FEWER_AGENTS = "longer-fewer-agents"
    LONGER_URGENT_CALLERS = "longer-urgent-callers"
    LONGER_LONG_CALLS = "longer-long-calls"
    ALL_BUSY = "all-busy"
    THANK_YOU_FOR_WAITING = "thank-you-for-waiting"
    PLEASE_HOLD = "please-hold"
    PLACE_REGAINED = "place-regained"
    BACK_TO_FRONT = "back-to-front"
    SYSTEM_RESTARTING = "system-restarting"
    # limits and times
    CLOSED = "closed"
    CLOSED_FOR_NOW = "closed-for-now"
    HOLIDAY = "holiday"
    QUEUE_FULL = "queue-full"
    NO_AGENT = "no-agent"
    WAITED_TOO_LONG = "waited-too-long"
    WAIT_TOO_LONG = "wait-too-long"
    CALL_LATER = "call-later"
    TO_OTHER_QUEUE = "to-other-queue"
    TO_NUMBER = "to-number"
    TRANSFER_FAILED = "transfer-failed"
    LEAVE_MESSAGE = "leave-message"
    MESSAGE_SAVED = "message-saved"
    SURVEY_ASK = "survey-ask"
    SURVEY_THANKS = "survey-thanks"
    CALLBACK_OFFER = "callback-offer"
    CALLBACK_NUMBER = "callback-number"
    CALLBACK_CONFIRM = "callback-confirm"
    CALLBACK_BOOKED = "callback-booked"
    CALLBACK_NOT_POSSIBLE = "callback-not-possible"
    CALLBACK_PRESS_ONE = "callback-press-one"
    CALLBACK_WAIT = "callback-wait"
    CALLBACK_ENTER_NUMBER = "callback-enter-number"
    CALLBACK_NOT_NOW = "callback-not-now"
    CALLBACK_STAY = "callback-stay"
    CALLBACK_KEPT = "callback-kept"
    CALLBACK_WILL_CALL = "callback-will-call"
    CALLBACK_CODE = "callback-code"
    CALLBACK_ENTER_CODE = "callback-enter-code"
    CALLBACK_WRONG_CODE = "callback-wrong-code"
    CALLBACK_CHANGE = "callback-change"
    CALLBACK_CANCELLED = "callback-cancelled"
    CALLBACK_CHANGED = "callback-changed"
    GOODBYE = "goodbye"
    # agents
    CALL_FROM_QUEUE = "call-from-queue"
    PRESS_ONE_TO_ACCEPT = "press-one-to-accept"
    CONNECTING = "connecting"
    CALL_IS_GONE = "call-is-gone"
    ENTER_AGENT = "enter-agent"
    ENTER_PIN = "enter-pin"
    SIGNED_IN = "signed-in"
    SIGNED_OUT = "signed-out"
    ON_BREAK = "on-break"
    AFTER_THE_CALL = "after-the-call"
    BREAK_REQUESTED = "break-requested"
    BREAK_GRANTED = "break-granted"
    AVAILABLE = "available"
    WRAP_UP_ENDED = "wrap-up-ended"
    WRAP_UP_GOES_ON = "wrap-up-goes-on"
    OUTCOME_MISSING = "outcome-missing"
    HELP_ASKED = "help-asked"
    WRONG_PIN = "wrong-pin"
    SIGN_IN_LOCKED = "sign-in-locked"
    NOT_SIGNED_IN = "not-signed-in"
    NOT_ALLOWED = "not-allowed"
    RECORDING_PAUSED = "recording-paused"
    RECORDING_RUNS = "recording-runs"
    RECORDING_UNCHANGED = "recording-unchanged"
    UNAVAILABLE = "unavailable"


def number(value: int) -> Prompt:
    """The prompt of a number that is one word; only those of ``WHOLE`` exist."""
    return Prompt(f"num-{value}")


def word(part: Word | Message) -> Prompt:
    return Prompt(part.value)


def as_ordinal(cardinal: tuple[Prompt, ...]) -> tuple[Prompt, ...]:
    """Third from three: in both languages the last word alone changes."""
    *before, last = cardinal
    if before and last == number(1):
        return (*before, JOINED_FIRST)
    return (*before, Prompt(last.replace("num-", "ord-")))


def every_prompt() -> frozenset[Prompt]:
    """All names that can be said, and so must exist in each language."""
    numbers = {number(value) for value in WHOLE}
    ordinals = {as_ordinal((number(value),))[0] for value in WHOLE if value} | {JOINED_FIRST}
    return frozenset(numbers | ordinals | {word(part) for part in (*Word, *Message)})
