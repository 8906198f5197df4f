"""How a visit to a queue ends. A closed set: it is a metric label."""

from acd.words import Word


class Outcome(Word):
    """Decided once. *Deferred* took a callback; *lost* was ended by a fault of ours or of the PBX."""

    ANSWERED = "answered"
    ABANDONED = "abandoned"
    OVERFLOWED = "overflowed"
    DEFERRED = "deferred"
    LOST = "lost"
