"""``/v1/recordings`` and ``POST /v1/calls/{call}/recording``: what was said, for those who may hear it."""

import re
from collections.abc import AsyncIterator
from typing import Annotated, Literal

import structlog
from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import StreamingResponse

from acd import picture
from acd.calls import CallState
from acd.commands import ControlRecording
from acd.directory import normal, writings
from acd.errors import Conflict, NotFound, illegal_transition, unknown
from nobat.api.access import Access, AdminAccess, AgentAccess, SupervisorAccess
from nobat.api.paging import Cursor, Limit, Page, cut, decode
from nobat.api.recording_models import ErasedOut, EraseIn, LiveRecordingOut, RecordingControlIn, RecordingOut
from nobat.api.responses import errors
from nobat.api.text import PathId
from nobat.auth import Role
from nobat.recording.confirmation import confirmed
from nobat.recording.vault import VaultError
from nobat.storage import recordings
from nobat.storage.recordings import AUDIBLE, StoredRecording, Wanted

router = APIRouter(prefix="/v1", tags=["recordings"])
log = structlog.get_logger(__name__)

_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")
_HEADERS = {"cache-control": "private, no-store", "x-content-type-options": "nosniff", "accept-ranges": "bytes"}


async def _found(access: Access, recording: str) -> StoredRecording:
    """Raises ``unknown_recording``."""
    one = await recordings.get(access.service.database, recording)
    if one is None or not access.sees_queue(one.queue):
        raise unknown("recording", recording)
    return one


@router.get("/recordings", operation_id="listRecordings", responses=errors())
async def list_recordings(  # noqa: PLR0913, PLR0917 - one parameter for each filter
    access: SupervisorAccess,
    queue: Annotated[PathId | None, Query()] = None,
    agent: Annotated[PathId | None, Query()] = None,
    call: Annotated[PathId | None, Query()] = None,
    number: Annotated[PathId | None, Query(description="The caller's, in any writing.")] = None,
    state: Annotated[Literal["open", "whole", "short", "missing", "damaged", "erased"] | None, Query()] = None,
    limit: Limit = 200,
    cursor: Cursor = None,
) -> Page[RecordingOut]:
    """Recordings of the queues that the token may see, newest first."""
    key = decode(cursor, (float, str))
    queues = access.only(queue)
    before = (float(key[0]), str(key[1])) if key is not None else None
    if number is not None:
        number = normal(number, access.service.directory.numbering) or number
    wanted = Wanted(queues, agent, call, number, state, before)
    found = await recordings.listed(access.service.database, wanted, limit + 1)
    items, following = cut((((one.began_at, one.id), RecordingOut.of(one)) for one in found), limit)
    return Page(items=items, next=following)


@router.get("/recordings/{recording}", operation_id="getRecording", responses=errors(404))
async def get_recording(access: SupervisorAccess, recording: PathId) -> RecordingOut:
    """One recording, without its sound."""
    return RecordingOut.of(await _found(access, recording))


@router.get(
    "/recordings/{recording}/audio",
    operation_id="hearRecording",
    response_class=StreamingResponse,
    responses={
        **errors(404),
        200: {"content": {"audio/wav": {}}, "description": "The sound."},
        206: {"content": {"audio/wav": {}}, "description": "The part that a Range asked for."},
        416: {"description": "A Range beyond the end."},
    },
)
async def hear_recording(
    access: SupervisorAccess, recording: PathId, wanted: Annotated[str | None, Header(alias="range")] = None
) -> Response:
    """Its sound, a stereo WAV file; parts by `Range`. Each request is written down before anything is sent.

    404 `no_audio` when it was erased, is missing, or the conversation goes on.
    """
    one = await _found(access, recording)
    keeper = access.service.recordings
    if one.state not in AUDIBLE or one.size is None or not keeper.has(one.id):
        raise NotFound("no_audio", "there is no sound of this recording", recording=recording)
    span = _span(wanted, one.size)
    if span is None:
        return Response(status_code=416, headers={"content-range": f"bytes */{one.size}", **_HEADERS})
    start, end = span
    await access.audit("hearRecording", f"{one.id} {start}-{end - 1}")
    pieces = keeper.audio(one, start, end)
    try:
        first = await anext(pieces)
    except (VaultError, OSError) as error:
        log.error("a recording cannot be read", recording=one.id, why=str(error))  # noqa: TRY400
        raise NotFound("no_audio", "the sound of this recording cannot be read", recording=recording) from None
    headers = {**_HEADERS, "content-length": str(end - start)}
    if wanted is not None:
        headers["content-range"] = f"bytes {start}-{end - 1}/{one.size}"
    status = 206 if wanted is not None else 200
    return StreamingResponse(_all(first, pieces), status, headers, media_type="audio/wav")


async def _all(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece


def _span(wanted: str | None, size: int) -> tuple[int, int] | None:
    """First byte and the one after the last; None if there is nothing there. What is no single range is the whole."""
    match = _RANGE.fullmatch(wanted.strip()) if wanted is not None else None
    if match is None or match.groups() == ("", ""):
        return 0, size
    first, last = match.groups()
    if not first:
        return (max(0, size - int(last)), size) if int(last) else None
    start, end = int(first), min(int(last) + 1, size) if last else size
    return (start, end) if start < min(end, size) else None


@router.delete("/recordings/{recording}", status_code=204, operation_id="eraseRecording", responses=errors(404))
async def erase_recording(access: AdminAccess, recording: PathId) -> None:
    """Delete its key and its file, whatever copies there are. The row stays, and says by whom."""
    one = await _found(access, recording)
    await access.audit("eraseRecording", one.id)
    await access.service.recordings.erase([one.id], access.principal.name)


@router.post("/recordings/erase", operation_id="eraseRecordingsOf", responses=errors())
async def erase_recordings_of(access: AdminAccess, body: EraseIn) -> ErasedOut:
    """Erase all recordings with one caller."""
    found = await recordings.of_numbers(
        access.service.database, writings(body.number, access.service.directory.numbering)
    )
    await access.audit("eraseRecordingsOf", f"{len(found)} recordings of a number")
    return ErasedOut(erased=await access.service.recordings.erase(found, access.principal.name))


@router.post("/calls/{call}/recording", operation_id="controlRecording", responses=errors(404, 409, 503))
async def control_recording(access: AgentAccess, call: PathId, body: RecordingControlIn) -> LiveRecordingOut:
    """Pause, resume, start or stop the recording of a conversation; with an agent's token only of the own one.

    Answered when the PBX has confirmed it. 503 `not_confirmed`: it is promised, and asked for again until it is so, but until then
    what is said may be recorded.
    """
    view = await access.call(call)
    if view.state is not CallState.TALKING or (
        access.principal.role is Role.AGENT and view.agent != access.principal.agent
    ):
        raise illegal_transition(f"call {view.id}", view.state, body.action)
    await access.audit("controlRecording", f"{view.id} {body.action}")
    await access.service.engine.ask(ControlRecording(view.id, body.action, access.principal.name))
    await confirmed(access.service.engine, view.id)
    live = access.service.engine.read(lambda floor, now: picture.call(floor, view.id, now)).recording
    if live is None:
        raise Conflict("not_recorded", f"the conversation of call {view.id} is over", call=view.id)
    return LiveRecordingOut.of(live)
