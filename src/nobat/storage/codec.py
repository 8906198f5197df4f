"""Notes as lines of text and back, for the journal: one line a note, with a checksum, whatever a caller's name holds."""

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any, get_args
from zlib import crc32

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from acd.events import Event
from acd.views import CallView
from nobat.storage.statements import Note

_KINDS: dict[str, type] = {kind.__name__: kind for kind in (*get_args(Event), CallView)}


class Unreadable(Exception):
    """A line that is no note: cut off by a crash, damaged, or of a kind that this version does not know."""


@lru_cache(maxsize=64)
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


@lru_cache(maxsize=64)
def _writer(kind: type) -> tuple[bytes, Callable[[Any], bytes]]:
    """The word for a kind, and what writes it: as ``TypeAdapter.dump_json``, without its many options."""
    return kind.__name__.encode("ascii"), _adapter(_KINDS[kind.__name__]).serializer.to_json


def encode(note: Note) -> bytes:
    """One line, its end included."""
    what: type = type(note.what)
    kind, to_json = _writer(what)
    try:
        data = to_json(note.what)
    except PydanticSerializationError:  # half a character from the wire: kept as it came, storable when it is stored
        adapter = _adapter(_KINDS[note.kind])
        data = json.dumps(adapter.dump_python(note.what, mode="json")).encode("ascii")
    body = b"%d %d %s %s" % (note.run, note.seq, kind, data)
    return b"%08x %s\n" % (crc32(body), body)


def decode(line: bytes) -> Note:
    """Raises ``Unreadable``."""
    checksum, _, body = line.rstrip(b"\n").partition(b" ")
    try:
        if not line.endswith(b"\n") or int(checksum, 16) != crc32(body):
            raise Unreadable("the checksum does not fit")
        run, seq, kind, data = body.split(b" ", 3)
        what = _adapter(_KINDS[kind.decode("ascii")]).validate_python(json.loads(data))
    except (ValueError, KeyError, ValidationError) as error:
        raise Unreadable(type(error).__name__) from None
    return Note(int(run), int(seq), what)
