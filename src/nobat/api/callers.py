"""``/v1/callers``: the directory of known callers."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import AfterValidator, StringConstraints

from nobat.api.access import AdminAccess, SupervisorAccess
from nobat.api.caller_models import CallerIn, KnownCallerOut
from nobat.api.paging import Cursor, Limit, Page, cut, decode
from nobat.api.responses import errors
from nobat.api.text import masked, without_control
from nobat.storage import callers as stored

router = APIRouter(prefix="/v1/callers", tags=["callers"])

CallerNumber = Annotated[
    str,
    StringConstraints(min_length=1, max_length=40),
    AfterValidator(without_control),
    Path(description="In any writing that `[numbering]` understands.", examples=["02112345678"]),
]


@router.get("", operation_id="listCallers", responses=errors())
async def list_callers(access: SupervisorAccess, limit: Limit = 200, cursor: Cursor = None) -> Page[KnownCallerOut]:
    """All known callers, by number."""
    after = decode(cursor, (str,))
    found = await stored.listed(access.service.database, str(after[0]) if after is not None else None, limit + 1)
    items, following = cut((((key,), KnownCallerOut.of(key, profile)) for key, profile in found), limit)
    return Page(items=items, next=following)


@router.get("/{number}", operation_id="getCaller", responses=errors(404))
async def get_caller(access: SupervisorAccess, number: CallerNumber) -> KnownCallerOut:
    """One known caller."""
    return KnownCallerOut.of(*await access.service.directory.find(number))


@router.put("/{number}", operation_id="putCaller", responses=errors())
async def put_caller(access: AdminAccess, number: CallerNumber, body: CallerIn) -> KnownCallerOut:
    """Enter a caller, or replace what is known of one. Holds for calls that come in from now on."""
    await access.audit("putCaller", masked(number))
    profile = body.profile()
    return KnownCallerOut.of(await access.service.directory.put(number, profile), profile)


@router.delete("/{number}", status_code=204, operation_id="deleteCaller", responses=errors(404))
async def delete_caller(access: AdminAccess, number: CallerNumber) -> None:
    """Forget a caller."""
    await access.service.directory.find(number)
    await access.audit("deleteCaller", masked(number))
    await access.service.directory.remove(number)
