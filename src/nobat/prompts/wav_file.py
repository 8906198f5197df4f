"""Our WAV files, and telling them from anybody else's.

Each carries a comment with what it was made from and a hash of its samples. A file without one, or whose samples are not those
any more, was made or changed by people: it is theirs.
"""

import hashlib
import re
import struct
from pathlib import Path

from nobat.prompts.sound import Sound, to_raw

_MARK = re.compile(rb"made by nobat: ([0-9a-f]{64}) ([0-9a-f]{64})")
_HEAD_BYTES = 512


def encode(sound: Sound, recipe: str) -> bytes:
    """16-bit mono with our mark in its comment, which stands before the samples: Asterisk skips it there."""
    data = to_raw(sound)
    comment = f"made by nobat: {recipe} {_hash(data)}\0".encode()
    comment += b"\0" * (len(comment) % 2)
    form = struct.pack("<HHIIHH", 1, 1, sound.rate, 2 * sound.rate, 2, 16)
    body = b"WAVE" + _chunk(b"fmt ", form) + _chunk(b"LIST", b"INFO" + _chunk(b"ICMT", comment)) + _chunk(b"data", data)
    return _chunk(b"RIFF", body)


def recipe_of(path: Path) -> str | None:
    """What a file of ours was made from; None if it is not ours."""
    content = path.read_bytes()
    mark = _MARK.search(content, 0, _HEAD_BYTES)
    at = content.find(b"data", mark.end()) if mark else -1
    if mark is None or at < 0 or _hash(content[at + 8 :]).encode() != mark[2]:
        return None
    return mark[1].decode()


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
