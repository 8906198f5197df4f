"""``POST /v1/erasures``: one caller is taken out of everything that is kept."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from acd.directory import normal
from acd.errors import Invalid
from nobat.api.access import AdminAccess
from nobat.api.queue_models import Body
from nobat.api.responses import errors
from nobat.api.text import masked
from nobat.erasure import Erased, Eraser

router = APIRouter(prefix="/v1/erasures", tags=["erasures"])


class ErasureIn(Body):
    """Whose traces are to go."""

    number: Annotated[
        str,
        Field(
            min_length=1,
            max_length=64,
            pattern=r"^[0-9+*#]+$",
            description="The caller's, in any writing that `[numbering]` understands.",
            examples=["09121234567"],
        ),
    ]


class ErasureOut(BaseModel):
    """Where the number stood. The rows stay, without number, name and notes, and all figures are as they were."""

    calls: int
    events: int
    callbacks: int = Field(description="Promises that were open have ended, as `cancelled` by `erasure`.")
    recordings: int = Field(description="Their keys are gone: whatever copies there are, nobody hears them.")
    voicemails: int
    known_caller: bool = Field(description="The directory knew the number; it does not any more.")
    opted_out: bool = Field(description="The number is an opt-out and stays one, for that protects the person.")

    @classmethod
    def of(cls, one: Erased) -> "ErasureOut":
        return cls(**{name: getattr(one, name) for name in cls.model_fields})


@router.post("", operation_id="eraseNumber", responses=errors(409, 503))
async def erase_number(access: AdminAccess, body: ErasureIn) -> ErasureOut:
    """Erase one caller: out of calls, events, callbacks, recordings, messages and the directory. May be repeated.

    409 `caller_on_the_line` while there is a call with the number, or one is being made: then only open callbacks have ended.
    """
    service = access.service
    if normal(body.number, service.directory.numbering) is None:
        raise Invalid("invalid_number", "a number has digits", field="number")
    await access.audit("eraseNumber", masked(body.number))
    eraser = Eraser(
        service.engine,
        service.database,
        service.recorder,
        service.directory,
        service.recordings,
        service.voicemail,
        service.callbacks,
        service.feed,
    )
    return ErasureOut.of(await eraser.erase(body.number, access.principal.name))
