"""Recordings as they are found: halves as Asterisk writes them, and one that was kept. For tests of the service."""

import math
import struct
from array import array
from pathlib import Path

from acd.ids import CallId
from acd.recordings import RecordingMode
from nobat.storage import recordings, schema
from nobat.storage.database import when
from nobat.storage.recordings import Finished
from tests.support.office import Office

RATE = 8000


def tone(seconds: float, frequency: int) -> "array[int]":
    return array("h", (round(7000 * math.sin(math.tau * frequency * n / RATE)) for n in range(round(seconds * RATE))))


def write_half(file: Path, sound: "array[int]", *, whole: bool = True) -> None:
    """A mono file; its head gets its length when the recording ends."""
    said = len(sound) * 2 if whole else 0
    head = struct.pack(
        "<4sI8sIHHIIHH4sI", b"RIFF", 36 + said, b"WAVEfmt ", 16, 1, 1, RATE, RATE * 2, 2, 16, b"data", said
    )
    file.write_bytes(head + sound.tobytes())


def write_halves(folder: Path, recording: str, seconds: float, *, whole: bool = True) -> None:
    """The caller at 500 Hz, the agent at 1,000 Hz."""
    write_half(folder / f"{recording}-caller.wav", tone(seconds, 500), whole=whole)
    write_half(folder / f"{recording}-agent.wav", tone(seconds, 1000), whole=whole)


async def kept_recording(office: Office, queue: str, call: str, number: str = "4930123456") -> None:
    """A recording of ``queue`` with the queue's name for its id, encrypted and whole."""
    vault = office.app.recordings.vault
    if vault is None:
        raise RuntimeError("this office records nothing")
    key, size = vault.put(queue, iter([bytes(100_000)]))
    row = {
        "id": queue,
        "pbx": office.pbx.name,
        "call_id": CallId(call),
        "queue_id": queue,
        "number": number,
        "mode": RecordingMode.ALWAYS.value,
        "began_at": when(1e9),
        "state": recordings.OPEN,
        "supervised": False,
    }
    async with office.app.database.write() as connection:
        await connection.execute(office.app.database.insert(schema.recordings).on_conflict_do_nothing(), [row])
    what = Finished(recordings.WHOLE, 1e9 + 3, 3.0, 0.0, False, size, key, None)
    await recordings.finish(office.app.database, queue, what)
