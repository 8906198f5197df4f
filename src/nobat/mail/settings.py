"""``[mail]`` and ``[[mail_report]]``: the server that takes mails, and which reports go to whom."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, field_validator, model_validator

from nobat.settings_base import Section, read_secret

_ADDRESS = re.compile(r"[^@\s<>,;\"]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")


def _address(text: str) -> str:
    if not _ADDRESS.fullmatch(text):
        raise ValueError("is no mail address")
    return text


class MailReportSettings(Section):
    """A report that is sent again and again."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
    """Tells reports apart; a report whose name changes is another one."""

    to: Annotated[tuple[str, ...], Field(min_length=1, max_length=50)]
    """Mail addresses."""

    every: Literal["day", "week", "month"] = "day"
    """The report is of the last whole one."""

    at: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")] = "07:00"
    """When it is sent, by the clock of `timezone`, on the first day after what it is of."""

    timezone: str = "Asia/Tehran"
    """Whose days these are."""

    calendar: Literal["gregorian", "jalali"] = "gregorian"
    """Whose weeks and months these are, and how dates are written."""

    language: Literal["en", "fa"] = "en"
    """Of the mail and its table."""

    queues: tuple[str, ...] | None = None
    """Ids of the queues it is of; left out: all."""

    agents: bool = True
    """Whether it has the figures of the agents of these queues."""

    @field_validator("to")
    @classmethod
    def _addresses(cls, to: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(_address, to))

    @field_validator("timezone")
    @classmethod
    def _known(cls, timezone: str) -> str:
        try:
            ZoneInfo(timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("is no time zone") from None
        return timezone


class MailSettings(Section):
    """Reports by mail. Without a host none are sent."""

    host: str | None = None
    """The server that takes mails (SMTP)."""

    port: Annotated[int, Field(ge=1, le=65535)] = 587
    """Its port."""

    security: Literal["starttls", "tls", "none"] = "starttls"
    """How the connection is secured; `none` only to this machine. The server's certificate is verified."""

    username: str | None = None
    """Who logs in; left out: nobody."""

    password: Annotated[SecretStr | None, Field(repr=False)] = None
    """With which password."""

    password_file: Path | None = None
    """File whose first line is the password."""

    sender: str = "nobat@localhost"
    """The address that mails come from."""

    @field_validator("sender")
    @classmethod
    def _is_address(cls, sender: str) -> str:
        return _address(sender)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.security == "none" and self.host not in {None, "localhost", "127.0.0.1", "::1"}:
            raise ValueError("security none is for a server on this machine alone")
        password = read_secret(self.password, self.password_file, "password")
        if (password is None) != (self.username is None):
            raise ValueError("username and password come together")
        object.__setattr__(self, "password", password)
        object.__setattr__(self, "password_file", None)
        return self
