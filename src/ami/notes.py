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
from ami import actions, names, patterns
from ami.answers import Answer
from ami.decoder import only_value
from ami.identity import named, seconds
from ami.note_actions import ForgetNotes, ReadNotes
from ami.outputs import Note, NotesFound
from ami.targets import device_of

log = logging.getLogger(__name__)

AT_ONCE = 16
"""Calls forgotten by one action: a line of AMI has a thousand bytes."""

_THIS_FORM = "1/"  # others may belong to a program that comes later
_VALUE = re.compile(
    r"1/(?P<queue>[A-Za-z0-9_-]{1,40})/(?P<priority>[0-9]{0,9})/(?P<number>[0-9+*#]{0,64})"
    r"/(?P<connected>[0-9]{0,15})/(?P<ended>[0-9]{0,15})/(?P<gone>[0-9]{0,15})/(?P<leg>[A-Za-z0-9_.-]{1,80})/(?P<member>[A-Za-z0-9_.+@:/;-]{0,140})"
)


class Asker(Protocol):
    """The link, as far as notes need it."""

    def send(self, *wanted: actions.Action, deadline_s: float | None = None) -> "list[asyncio.Future[Answer]]": ...


def read(link: Asker, pbx: PbxId, epoch: str, deliver: Callable[[NotesFound], None]) -> None:
    """Ask for the notes; they are delivered if there are any. If no answer comes they are asked for after the next look.

    One of this form that tells of no caller of ours (somebody else's words, or a leg that is not the caller's own) would never be
    read: that is said once, and it is forgotten.
    """
    (answer,) = link.send(ReadNotes())

    def answered(future: "asyncio.Future[Answer]") -> None:
        found, spoilt = _notes(pbx, future.result().items)
        if found:
            deliver(NotesFound(tuple(found)))
        if spoilt:
            log.warning("notes of Asterisk's tell of no caller, and are forgotten", extra={"count": len(spoilt)})
            forget(link, epoch, spoilt)

    answer.add_done_callback(answered)


def forget(link: Asker, epoch: str, calls: Sequence[CallId]) -> None:
    """Have notes removed, behind everything else. One that stays is read again."""
    for start in range(0, len(calls), AT_ONCE):
        try:
            link.send(ForgetNotes(tuple(calls[start : start + AT_ONCE]), epoch))
        except actions.ActionRefused as refusal:
            log.warning("notes cannot be forgotten", extra={"slug": refusal.slug})


def _notes(pbx: PbxId, items: Iterable[bytes]) -> tuple[list[Note], list[CallId]]:
    """Those that can be read, and keys of those that never will be."""
    found: list[Note] = []
    spoilt: list[CallId] = []
    for raw in items:
        key, value = only_value(raw, b"Key"), only_value(raw, b"Val")
        if key is None or value is None:
            continue
        call = key.removeprefix(f"/{names.NOTES}/")
        note = _note(pbx, call, value)
        if note is not None:
            found.append(note)
        elif value.startswith(_THIS_FORM) and patterns.NAME.fullmatch(call):
            spoilt.append(CallId(call))
    return found, spoilt


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
