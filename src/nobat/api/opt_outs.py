"""``/v1/opt-outs``: numbers that do not want to be called back."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from acd.errors import Invalid, unknown
from nobat.api.access import Access, AdminAccess
from nobat.api.paging import Cursor, Limit, Page, cut, decode
from nobat.api.responses import errors
from nobat.api.text import masked, without_control
from nobat.api.times import Moment, moment
from nobat.plan import BY_FILE
from nobat.storage import opt_outs
from nobat.storage.opt_outs import OptOut

router = APIRouter(prefix="/v1/opt-outs", tags=["callbacks"])

AnyNumber = Annotated[
    str,
    StringConstraints(min_length=1, max_length=40),
    AfterValidator(without_control),
    Path(description="In any writing; without a country code it is of `callbacks.region`.", examples=["+989121234567"]),
]


class OptOutOut(BaseModel):
    """A number that is not called back."""

    number: str = Field(description="E.164.", examples=["+989121234567"])
    since: Moment
    by: str = Field(description="The name of the token that entered it; `nobat apply`: it stood in a file.")

    @classmethod
    def of(cls, one: OptOut) -> "OptOutOut":
        return cls(number=one.number, since=moment(one.since), by=one.by)


def _e164(access: Access, number: str) -> str:
    """Raises ``invalid_number``."""
    found = access.service.callbacks.rules.e164(number)
    if found is None:
        raise Invalid("invalid_number", "no subscriber has such a number", field="number")
    return found


@router.get("", operation_id="listOptOuts", responses=errors())
async def list_opt_outs(access: AdminAccess, limit: Limit = 200, cursor: Cursor = None) -> Page[OptOutOut]:
    """All of them, by number."""
    after = decode(cursor, (str,))
    found = await opt_outs.listed(access.service.database, str(after[0]) if after is not None else None, limit + 1)
    items, following = cut((((one.number,), OptOutOut.of(one)) for one in found), limit)
    return Page(items=items, next=following)


@router.put("/{number}", operation_id="putOptOut", responses=errors())
async def put_opt_out(
    access: AdminAccess,
    number: AnyNumber,
    by_file: Annotated[
        bool, Query(description="It stands in a file, and `nobat apply --prune` takes it out when it does no more.")
    ] = False,
) -> OptOutOut:
    """Call this number back no more. What is open for it ends as cancelled by `opt_out`, unless the customer is on.

    A number that somebody has asked for by name stays, whatever becomes of the file.
    """
    found, service = _e164(access, number), access.service
    await access.audit("putOptOut", masked(found))
    by = BY_FILE if by_file else access.principal.name
    await opt_outs.put(service.database, [found], by, service.now(), over="" if by_file else BY_FILE)
    await service.callbacks.opted_out(found)
    (entered,) = await opt_outs.find(service.database, [found])
    return OptOutOut.of(entered)


@router.delete("/{number}", status_code=204, operation_id="deleteOptOut", responses=errors(404))
async def delete_opt_out(access: AdminAccess, number: AnyNumber) -> None:
    """The number may be called back again."""
    found = _e164(access, number)
    await access.audit("deleteOptOut", masked(found))
    if not await opt_outs.remove(access.service.database, found):
        raise unknown("opt_out", found)
