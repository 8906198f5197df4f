"""How a queue calls its callers back, as it was configured. ``callback`` does it.

A callback is the caller's own entry in the line, without a live leg, and keeps the place. What is decided here is whether callers
may have one, how they are dialled when their turn comes, and what follows when a customer is not reached.
"""

from dataclasses import dataclass

from acd.words import Word


class CallbackMode(Word):
    """Who is waited for first."""

    AGENT_FIRST = "agent_first"  # an agent is reserved, then the customer is dialled: the customer never waits
    JUST_IN_TIME = (
        "just_in_time"  # the customer is dialled so that an agent is free when he answers: the agent never waits
    )


class AttemptResult(Word):
    """What became of one attempt to reach a customer. A closed set: it is a metric label."""

    CONNECTED = "connected"  # a person has pressed 1 and is on
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    UNREACHABLE = "unreachable"
    REJECTED = "rejected"
    VOICEMAIL = "voicemail"  # picked up, and no key pressed
    HUNG_UP = "hung_up"  # picked up, and hung up before a key
    FAILED = "failed"  # the network could not place it
    CANCELLED = "cancelled"  # by us: the callback was cancelled or the customer rang again meanwhile
    NOT_DIALLED = "not_dialled"  # certainly: it counts towards no limit
    UNKNOWN = "unknown"  # nobody can say whether it was dialled: it is not repeated, and counts


@dataclass(frozen=True, slots=True)
class Retry:
    """After an attempt that ended in one way: ``most`` such attempts of one callback in all, each ``gap_s`` after the last."""

    most: int
    gap_s: float


@dataclass(frozen=True, slots=True)
class Retries:
    """By the result of the attempt that was the last. The place is kept in between."""

    busy: Retry = Retry(4, 60.0)
    no_answer: Retry = Retry(3, 300.0)
    unreachable: Retry = Retry(3, 300.0)
    rejected: Retry = Retry(1, 300.0)
    voicemail: Retry = Retry(2, 600.0)
    hung_up: Retry = Retry(2, 120.0)
    failed: Retry = Retry(3, 60.0)
    unknown: Retry = Retry(2, 300.0)

    def of(self, result: AttemptResult) -> Retry | None:
        """None for results after which there is nothing to repeat, or which count towards no limit."""
        found = getattr(self, result.value, None)
        return found if isinstance(found, Retry) else None


@dataclass(frozen=True, slots=True)
class OfferPolicy:
    """When a caller who waits is told that the key 1 has him called back; the key itself works at any time.

    ``after_standard``: when the wait has passed the queue's own standard (``service_level.target_s``). ``expected_s``: when the
    wait may become longer than that. ``before_close_s``: so long before the queue closes. ``again_s``: as often; 0: once.
    """

    after_standard: bool = True
    expected_s: float | None = None
    before_close_s: float = 0.0
    again_s: float = 0.0


@dataclass(frozen=True, slots=True)
class HarmPolicy:
    """How often and when a queue must not call. What numbers may be called at all is the site's (setting ``callbacks``).

    ``quiet_from`` to ``quiet_until`` are times (``21:00``) on the customer's own clock; equal ones: never quiet. ``number_a_day``:
    promises to one number in 24 hours. ``most_open``: promises of this queue that are not kept yet.
    ``most_dialled``: customers of this queue who are dialled at once. 0: no such cap.
    """

    quiet_from: str = "00:00"
    quiet_until: str = "00:00"
    number_a_day: int = 3
    most_open: int = 200
    most_dialled: int = 50


@dataclass(frozen=True, slots=True)
class CallbackPolicy:
    """Durations are seconds.

    ``dial`` is the dial string of a customer, with ``{number}`` in it; empty: as calls are passed on outside. ``shows`` is the
    number that customers see. ``most_attempts`` bounds a callback over all causes, ``expires_s`` counts from the promise.
    ``confirm_s``: how long one "press 1 to be connected" is listened to; it is said ``confirm_times``.
    ``target``: with ``just_in_time`` a customer is dialled when an agent will be free for him with this probability.
    """

    enabled: bool = False
    mode: CallbackMode = CallbackMode.AGENT_FIRST
    dial: str = ""
    shows: str = ""
    ring_s: int = 30
    confirm_s: int = 4
    confirm_times: int = 3
    most_attempts: int = 5
    retries: Retries = Retries()
    expires_s: float = 8 * 3600.0
    target: float = 0.9
    offer: OfferPolicy = OfferPolicy()
    harm: HarmPolicy = HarmPolicy()


NO_CALLBACKS = CallbackPolicy()
