"""Why somebody is not called back: one closed set for numbers, caps and times, label of a metric and part of REST errors."""

from acd.words import Word


class Refusal(Word):
    """A reason. The first eight are about the number itself."""

    WITHHELD = "withheld"  # nobody knows it
    NOT_A_NUMBER = "not_a_number"  # something in it is no part of a number
    SHORT_NUMBER = "short_number"
    INVALID = "invalid"  # no subscriber of its country has such a number
    EMERGENCY = "emergency"
    OWN_NUMBER = "own_number"
    KIND = "kind"  # premium, shared cost, satellite, …
    COUNTRY = "country"
    OPTED_OUT = "opted_out"
    # about how much and when
    OPEN_ALREADY = "open_already"  # one open callback for a number and queue
    NUMBER_A_DAY = "number_a_day"
    NUMBER_OPEN = "number_open"
    QUEUE_OPEN = "queue_open"
    OPEN = "open"
    A_DAY = "a_day"
    QUIET_HOURS = "quiet_hours"
    SHORT_ANSWERS = "short_answers"  # answered and gone, again and again: somebody earns by it
    TOO_MANY_REQUESTS = "too_many_requests"
    NOT_OFFERED = "not_offered"  # the queue calls nobody back, or not now
    NOT_DURABLE = "not_durable"  # the promise could not be stored
