"""``/v1/mails``: which reports were sent by mail, and sending one now."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from nobat.api.access import AdminAccess
from nobat.api.paging import Cursor, Limit, Page, cut, decode
from nobat.api.responses import errors
from nobat.api.text import PathId
from nobat.api.times import Moment, moment
from nobat.storage import mails
from nobat.storage.mails import Mail

router = APIRouter(prefix="/v1/mails", tags=["reports"])


class MailOut(BaseModel):
    """A report that was sent, or is to be."""

    report: str
    from_: Moment = Field(serialization_alias="from")
    to: Moment
    state: Literal["sending", "sent", "failing", "given_up"]
    attempts: int
    tried_at: Moment
    error: str | None
    recipients: list[str]

    @classmethod
    def of(cls, mail: Mail) -> "MailOut":
        return cls(
            report=mail.report,
            from_=moment(mail.begin),
            to=moment(mail.end),
            state=mail.state,
            attempts=mail.attempts,
            tried_at=moment(mail.tried_at),
            error=mail.error,
            recipients=list(mail.recipients),
        )


@router.get("", operation_id="listMails", responses=errors())
async def list_mails(access: AdminAccess, limit: Limit = 200, cursor: Cursor = None) -> Page[MailOut]:
    """Reports by mail, newest first."""
    key = decode(cursor, (int, str))
    before = (int(key[0]), str(key[1])) if key is not None else None
    found = await mails.newest(access.service.database, limit + 1, before)
    items, following = cut((((mail.begin, mail.report), MailOut.of(mail)) for mail in found), limit)
    return Page(items=items, next=following)


@router.post("/{report}", operation_id="sendReport", responses=errors(404, 409))
async def send_report(access: AdminAccess, report: PathId) -> MailOut:
    """Send the newest report of this name now, sent before or not; the answer says what the mail server said."""
    await access.audit("sendReport", report)
    return MailOut.of(await access.service.mails.send_now(report))
