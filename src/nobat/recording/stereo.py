"""Two mono WAV files of Asterisk's become one stereo file: what the caller said on the left, what the caller heard on the right.

Asterisk writes a file's length into its head when the recording ends, so the head also says whether a file is whole.
"""

import struct
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

HEAD = 44
BLOCK = 80_000
"""Samples worked on at once: ten seconds."""

Spans = Sequence[tuple[float, float]]


class NotSound(Exception):
    """A file that is not a 16-bit mono WAV file."""


@dataclass(frozen=True, slots=True)
class Half:
    """One direction. ``whole``: its recording has ended, and said so."""

    file: Path
    rate: int
    samples: int
    whole: bool


def half(file: Path) -> Half:
    """Look at a file's head. Raises ``NotSound``, ``OSError``."""
    with file.open("rb") as opened:
        head = opened.read(HEAD)
    if len(head) < HEAD or head[:4] != b"RIFF" or head[8:16] != b"WAVEfmt " or head[36:40] != b"data":
        raise NotSound(file.name)
    channels, rate, bits = struct.unpack("<2xHI6xH", head[20:36])
    (said,) = struct.unpack("<I", head[40:44])
    if channels != 1 or bits != 16 or not 8_000 <= rate <= 48_000:
        raise NotSound(file.name)
    there = file.stat().st_size - HEAD
    return Half(file, rate, max(there, 0) // 2, said > 0 and said <= there)


def stereo(caller: Half, agent: Half, silent: Spans) -> Iterator[bytes]:
    """The stereo file in pieces. ``silent``: seconds from the beginning of which nothing may be heard. Raises ``NotSound``."""
    if caller.rate != agent.rate:
        raise NotSound(f"{caller.file.name}: the two directions have different rates")
    rate, samples = caller.rate, max(caller.samples, agent.samples)
    size = samples * 4
    yield struct.pack(
        "<4sI8sIHHIIHH4sI", b"RIFF", 36 + size, b"WAVEfmt ", 16, 1, 2, rate, rate * 4, 4, 16, b"data", size
    )
    quiet = [(int(start * rate), int(end * rate)) for start, end in silent]
    with caller.file.open("rb") as left, agent.file.open("rb") as right:
        for opened in (left, right):
            opened.seek(HEAD)
        for first in range(0, samples, BLOCK):
            count = min(BLOCK, samples - first)
            both = array("h", bytes(4 * count))
            both[0::2] = _block(left.read(2 * count), count)
            both[1::2] = _block(right.read(2 * count), count)
            _hush(both, first, count, quiet)
            yield both.tobytes()


def _block(raw: bytes, count: int) -> "array[int]":
    """Samples, filled up with silence where a direction is shorter."""
    samples = array("h")
    samples.frombytes(raw[: len(raw) // 2 * 2])
    samples.extend([0] * (count - len(samples)))
    return samples


def _hush(both: "array[int]", first: int, count: int, quiet: Sequence[tuple[int, int]]) -> None:
    for start, end in quiet:
        begin, stop = max(start - first, 0), min(end - first, count)
        if begin < stop:
            both[2 * begin : 2 * stop] = array("h", bytes(4 * (stop - begin)))
