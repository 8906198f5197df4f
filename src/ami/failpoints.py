"""Named places at which a test lets this process die, to see that nothing is lost by it.

``arm`` names one place, how many times it is passed before, and what is done there: SIGKILL in a real process, the end of a played
one in the simulator. ``outbox.written/DialCustomer`` is the same place, passed with a request of that kind only: each place tells
what it is about. A process that nobody armed looks at one module variable at each place and goes on.

``nobat.engine``, ``ami.outbox`` and ``nobat.storage`` have the places; ``nobat.failpoints`` arms them by a setting.
"""

from collections.abc import Callable, Iterable

PLACES = (
    "engine.handled",  # a message or a timer has changed the floor, and nothing has left yet
    "engine.sent",  # the requests of a turn have been handed to the link
    "engine.committed",  # a promise is in the database, and what depends on it has not left
    "engine.kept",  # a callback's promise or intent is in the database, and the floor does not know
    "engine.noted",  # history has been handed to the recorder
    "outbox.translated",  # the tracker has been told of a request, and it is not written
    "outbox.written",  # a request is on the wire, and its answer has not come
    "journal.appended",  # notes are in the journal's file, and not in the database
    "recorder.written",  # notes are in the database, and the journal does not know
    "recorder.promised",  # a promise is in the database, and who waits for it does not know
)

passed: Callable[[str, Iterable[object]], None] | None = None
"""What is called at each place, with the events or requests that are on their way there; None, and nothing is."""


def arm(place: str, times: int, die: Callable[[], None]) -> None:
    """``die`` when ``place`` is passed for the ``times``-th time. Raises ``ValueError`` for a place that is none."""
    global passed  # noqa: PLW0603 - one process dies once
    where, _, kind = place.partition("/")
    if where not in PLACES:
        raise ValueError(f"no such failpoint: {where}; there are {', '.join(PLACES)}")
    left = max(1, times)

    def passing(here: str, about: Iterable[object]) -> None:
        nonlocal left
        if here == where and (not kind or any(type(one).__name__ == kind for one in about)):
            left -= 1
            if left == 0:
                disarm()
                die()

    passed = passing


def disarm() -> None:
    """Let nobody die any more."""
    global passed  # noqa: PLW0603 - as above
    passed = None
