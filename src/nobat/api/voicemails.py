"""``/v1/voicemails``: what callers have said into the queues that one may see."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from acd.errors import NotFound, unknown
from nobat.api.access import Access, AgentAccess, SupervisorAccess
from nobat.api.paging import Cursor, Limit, Page, cut, decode
from nobat.api.queue_models import CallerOut
from nobat.api.responses import errors
from nobat.api.text import PathId
from nobat.api.times import Moment, moment, perhaps, rounded
from nobat.storage import voicemails
from nobat.storage.voicemails import Voicemail

router = APIRouter(prefix="/v1/voicemails", tags=["voicemails"])


class VoicemailOut(BaseModel):
    """A message that a caller left."""

    id: str = Field(examples=["sales.pbx1-1764000000000.17"])
    queue: str = Field(description="The queue whose limit led to it.")
    call: str
    caller: CallerOut
    left_at: Moment
    duration_s: float
    heard_at: Moment | None = Field(description="When somebody asked for the sound first.")
    heard_by: str | None = Field(description="The name of that token.")

    @classmethod
    def of(cls, one: Voicemail) -> "VoicemailOut":
        return cls(
            id=one.id,
            queue=one.queue,
            call=one.call,
            caller=CallerOut(number=one.number, name=one.name),
            left_at=moment(one.left_at),
            duration_s=rounded(one.duration_s),
            heard_at=perhaps(one.heard_at),
            heard_by=one.heard_by,
        )


async def _found(access: Access, voicemail: str) -> Voicemail:
    """Raises ``unknown_voicemail``."""
    one = await voicemails.get(access.service.database, voicemail)
    if one is None or not access.sees_queue(one.queue):
        raise unknown("voicemail", voicemail)
    return one


@router.get("", operation_id="listVoicemails", responses=errors())
async def list_voicemails(
    access: AgentAccess,
    queue: Annotated[PathId | None, Query()] = None,
    call: Annotated[PathId | None, Query(description="Left by this call.")] = None,
    limit: Limit = 200,
    cursor: Cursor = None,
) -> Page[VoicemailOut]:
    """Messages of the queues that the token may see, newest first."""
    key = decode(cursor, (float, str))
    before = (float(key[0]), str(key[1])) if key is not None else None
    queues = access.only(queue)
    found = await voicemails.listed(access.service.database, queues, call, before, limit + 1)
    items, following = cut((((one.left_at, one.id), VoicemailOut.of(one)) for one in found), limit)
    return Page(items=items, next=following)


@router.get("/{voicemail}", operation_id="getVoicemail", responses=errors(404))
async def get_voicemail(access: AgentAccess, voicemail: PathId) -> VoicemailOut:
    """One message."""
    return VoicemailOut.of(await _found(access, voicemail))


@router.get(
    "/{voicemail}/audio",
    operation_id="hearVoicemail",
    response_class=FileResponse,
    responses={
        **errors(404),
        200: {"content": {"audio/wav": {}}, "description": "The sound."},
        206: {"content": {"audio/wav": {}}, "description": "The part that a Range asked for."},
    },
)
async def hear_voicemail(access: AgentAccess, voicemail: PathId) -> FileResponse:
    """Its sound, a WAV file of 8 kHz; parts by `Range`. 404 `no_audio` when the service's machine does not have it."""
    one = await _found(access, voicemail)
    file = access.service.voicemail.file_of(one)
    if file is None:
        raise NotFound("no_audio", "the sound is not on this machine", voicemail=voicemail)
    await access.audit("hearVoicemail", one.id)
    await voicemails.heard(access.service.database, one.id, access.principal.name, access.service.now())
    headers = {"cache-control": "private, no-store", "x-content-type-options": "nosniff"}
    return FileResponse(file, media_type="audio/wav", headers=headers)


@router.delete("/{voicemail}", status_code=204, operation_id="deleteVoicemail", responses=errors(404))
async def delete_voicemail(access: SupervisorAccess, voicemail: PathId) -> None:
    """Remove a message, row and sound."""
    one = await _found(access, voicemail)
    await access.audit("deleteVoicemail", one.id)
    await access.service.voicemail.remove(one, access.principal.name)
