"""How the recordings of conversations stood, before a restart, that may go on: what was asked of each, from the record of events.

What was promised is on disk before the PBX hears of it, so a pause that the service died in is known here, and is silenced again.
"""

from sqlalchemy import select

from acd.commands import RestoreRecording
from acd.ids import CallId
from acd.recording_events import RecordingBegan, RecordingChanged, RecordingEnded
from acd.recordings import RecordingAction, RecordingMode
from nobat.recording.spans import state_after
from nobat.storage import schema
from nobat.storage.database import Database, seconds, when

LOOK_BACK_S = 86_400.0
KINDS = (RecordingBegan.__name__, RecordingChanged.__name__, RecordingEnded.__name__)


async def restored_recordings(database: Database, now: float) -> list[RestoreRecording]:
    """The last recording of each call whose end nobody has written down."""
    event = schema.events.c
    whole = select(schema.calls.c.id).where(schema.calls.c.id == event.call_id).exists()
    query = select(schema.events).where(event.at >= when(now - LOOK_BACK_S), event.kind.in_(KINDS), ~whole)
    modes: dict[str, tuple[str, RecordingMode]] = {}
    asked: dict[str, list[tuple[float, RecordingAction]]] = {}
    async with database.read() as connection:
        for row in (await connection.execute(query.order_by(event.at, event.run, event.seq))).mappings():
            recording = row["data"]["recording"]
            if row["kind"] == RecordingBegan.__name__:
                modes[row["call_id"]] = (recording, RecordingMode(row["data"]["mode"]))
            elif row["kind"] == RecordingChanged.__name__:
                asked.setdefault(recording, []).append((seconds(row["at"]), RecordingAction(row["data"]["action"])))
                modes.setdefault(row["call_id"], (recording, RecordingMode.ALWAYS))
    found = []
    for call, (recording, mode) in modes.items():
        state, since = state_after(mode, asked.get(recording, ()))
        found.append(
            RestoreRecording(CallId(call), recording, mode, state if since is not None else None, since or 0.0)
        )
    return found
