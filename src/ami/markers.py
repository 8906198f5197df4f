"""The markers of attempts that one Asterisk keeps in AstDB: which there are, and the end of those that nobody will ask for.

``ami.attempts`` reads single ones. ``nobat.markers`` decides which may go: only storage knows what is over.
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from acd.ids import AttemptId
from ami import actions, callback_actions, names
from ami.answers import Answer
from ami.decoder import only_value

AT_ONCE = 15
"""Markers that one channel takes out: their names have to fit into a line."""


class Asker(Protocol):
    """The link, as far as markers need it."""

    def send(self, *wanted: actions.Action, deadline_s: float | None = None) -> "list[asyncio.Future[Answer]]": ...


async def listed(link: Asker) -> list[AttemptId]:
    """All that there are. None where Asterisk does not say, for whatever reason: then nothing is known, and nothing goes."""
    (answer,) = await asyncio.gather(*link.send(callback_actions.ListMarkers()))
    found = []
    for raw in answer.items if answer.ok else ():
        key = only_value(raw, b"Key") if raw.startswith(b"Event: DBGetTreeResponse") else None
        family, _, attempt = (key or "").removeprefix("/").partition("/")
        if family == names.MARKERS and attempt:
            found.append(AttemptId(attempt))
    return found


async def forget(link: Asker, epoch: str, attempts: Sequence[AttemptId]) -> bool:
    """Take them out. False as soon as Asterisk does not take an action: the rest is for the next time."""
    for start in range(0, len(attempts), AT_ONCE):
        some = tuple(attempts[start : start + AT_ONCE])
        try:
            (answer,) = await asyncio.gather(*link.send(callback_actions.ForgetMarkers(epoch, some)))
        except actions.ActionRefused:
            continue  # a key that is no attempt of ours
        if not answer.ok:
            return False
    return True
