"""What Asterisk has written down of callers who came or went while the service may have been away (``dialplan/note.conf``).

``read`` asks for all notes and delivers them, ``forget`` has notes removed. ``ami.pbx`` reads after each look at everything;
``nobat.unseen`` makes history of what nobody knew.
"""

import asyncio
import logging
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from acd.ids import CallId, LegId, PbxId
from ami import actions, names
from ami.answers import Answer
from ami.decoder import only_value
from ami.identity import named, seconds
from ami.note_actions import ForgetNotes, ReadNotes
from ami.outputs import Note, NotesFound
from ami.targets import device_of

log = logging.getLogger(__name__)

AT_ONCE = 16
"""Calls forgotten by one action: a line of AMI has a thousand bytes."""

_VALUE = re.compile(
    r"1/(?P<queue>[A-Za-z0-9_-]{1,40})/(?P<priority>[0-9]{0,9})/(?P<number>[0-9+*#]{0,64})"
    r"/(?P<connected>[0-9]{0,15})/(?P<ended>[0-9]{0,15})/(?P<gone>[0-9]{0,15})/(?P<leg>[A-Za-z0-9_.-]{1,80})/(?P<member>[A-Za-z0-9_.+@:/;-]{0,140})"
)


class Asker(Protocol):
    """The link, as far as notes need it."""

    def send(self, *wanted: actions.Action, deadline_s: float | None = None) -> "list[asyncio.Future[Answer]]": ...


def read(link: Asker, pbx: PbxId, deliver: Callable[[NotesFound], None]) -> None:
    """Ask for the notes; they are delivered if there are any. If no answer comes they are asked for after the next look."""
    (answer,) = link.send(ReadNotes())

    def answered(future: "asyncio.Future[Answer]") -> None:
        found = tuple(_notes(pbx, future.result().items))
        if found:
            deliver(NotesFound(found))

    answer.add_done_callback(answered)


def forget(link: Asker, epoch: str, calls: Sequence[CallId]) -> None:
    """Have notes removed, behind everything else. One that stays is read again."""
    for start in range(0, len(calls), AT_ONCE):
        try:
            link.send(ForgetNotes(tuple(calls[start : start + AT_ONCE]), epoch))
        except actions.ActionRefused as refusal:
            log.warning("notes cannot be forgotten", extra={"slug": refusal.slug})


def _notes(pbx: PbxId, items: Iterable[bytes]) -> Iterable[Note]:
    for raw in items:
        key, value = only_value(raw, b"Key"), only_value(raw, b"Val")
        if key is not None and value is not None:
            note = _note(pbx, key.removeprefix(f"/{names.NOTES}/"), value)
            if note is None:
                log.warning("a note of Asterisk's could not be read")
            else:
                yield note


def _note(pbx: PbxId, call: str, value: str) -> Note | None:
    parts = _VALUE.fullmatch(value)
    name = named(pbx, call, parts["leg"]) if parts is not None else None
    if parts is None or name is None:
        return None
    return Note(
        name.id,
        LegId(parts["leg"]),
        parts["queue"],
        name.entered_at,
        int(parts["priority"] or 0),
        parts["number"] or None,
        seconds(parts["connected"]),
        seconds(parts["ended"]),
        seconds(parts["gone"]),
        device_of(pbx, parts["member"]) if parts["member"] else None,
    )
