"""Named places at which a test lets this process die, to see that nothing is lost by it.

``arm`` names one place, how many times it is passed before, and what is done there: SIGKILL in a real process, the end of a played
one in the simulator. A process that nobody armed looks at one module variable at each place and goes on.

``nobat.engine``, ``ami.outbox`` and ``nobat.storage`` have the places; ``nobat.failpoints`` arms them by a setting.
"""

from collections.abc import Callable

PLACES = (
    "engine.handled",  # a message has changed the floor, and nothing has left yet
    "engine.sent",  # the requests of a turn have been handed to the link
    "engine.committed",  # a promise is in the database, and what depends on it has not left
    "engine.noted",  # history has been handed to the recorder
    "outbox.translated",  # the tracker has been told of a request, and it is not written
    "outbox.written",  # a request is on the wire, and its answer has not come
    "journal.appended",  # notes are in the journal's file, and not in the database
    "recorder.written",  # notes are in the database, and the journal does not know
    "recorder.promised",  # a promise is in the database, and who waits for it does not know
)

passed: Callable[[str], None] | None = None
"""What is called at each place; None, and nothing is."""


def arm(place: str, times: int, die: Callable[[], None]) -> None:
    """``die`` when ``place`` is passed for the ``times``-th time. Raises ``ValueError`` for a place that is none."""
    global passed  # noqa: PLW0603 - one process dies once
    if place not in PLACES:
        raise ValueError(f"no such failpoint: {place}; there are {', '.join(PLACES)}")
    left = max(1, times)

    def passing(here: str) -> None:
        nonlocal left
        if here == place:
            left -= 1
            if left == 0:
                disarm()
                die()

    passed = passing


def disarm() -> None:
    """Let nobody die any more."""
    global passed  # noqa: PLW0603 - as above
    passed = None
