"""Parts of ``/v1/queues`` about hours and limits, and the body that closes a queue."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from acd.hours import Calendar, Day
from acd.limits import Closing
from nobat.api.text import Name, QueueSlug
from nobat.api.times import Moment, moment
from nobat.limit_json import destination_json, span_of
from nobat.timetables import exists

_SPAN = r"^([01][0-9]|2[0-3]):[0-5][0-9]-(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"
_DATE = re.compile(r"([0-9]{4}-)?(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")

Span = Annotated[str, StringConstraints(pattern=_SPAN)]


def _not_too_long(spans: list[str]) -> list[str]:
    for start, end in (span_of(span) for span in spans):
        if end - start > 24 * 60:
            raise ValueError("is longer than a day")
    return spans


Spans = Annotated[
    list[Span],
    Field(max_length=20, examples=[["09:00-12:30", "13:30-17:00"]]),
    AfterValidator(_not_too_long),
]
Sound = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,60}(/[a-z0-9][a-z0-9_-]{0,60}){0,3}$", max_length=80),
    Field(examples=["closed"]),
]
SAY = "Prompts of Nobat by name, or sounds of the site as folder/name; null: the usual ones; empty: nothing."
Say = Annotated[list[Sound] | None, Field(max_length=8, description=SAY)]


class Part(BaseModel):
    """As every body: no field that we do not know, no conversion from other types."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class DayIn(Part):
    """A date, `YYYY-MM-DD`, or `MM-DD` for every year, in either calendar."""

    date: Annotated[str, Field(examples=["1405-01-01", "12-25"])]
    calendar: Annotated[Literal["gregorian", "jalali"], Field(description="How the date is meant.")] = "gregorian"
    name: Name = ""

    @model_validator(mode="after")
    def _is_a_date(self) -> "DayIn":
        if not _DATE.fullmatch(self.date) or not exists(_day(self)):
            raise ValueError(f"date: there is no {self.calendar} date {self.date[:10]!r}")
        return self


def _day(said: DayIn) -> Day:
    *year, month, day = (int(part) for part in said.date.split("-"))
    return Day(month, day, year[0] if year else None, Calendar(said.calendar))


class ExceptionIn(DayIn):
    """A day with hours of its own."""

    open: Annotated[Spans, Field(description="Empty: closed all day.")] = []


class WeekIn(Part):
    """Hours by the clock on the wall; an end that is not after the start is on the next day. A day left out is closed."""

    mon: Spans = []
    tue: Spans = []
    wed: Spans = []
    thu: Spans = []
    fri: Spans = []
    sat: Spans = []
    sun: Spans = []


class HoursIn(Part):
    """When callers are taken, in the queue's time zone. Exceptions go before holidays, holidays before the week."""

    weekly: Annotated[WeekIn | None, Field(description="Null: always.")] = None
    holidays: Annotated[list[DayIn], Field(max_length=500)] = []
    exceptions: Annotated[list[ExceptionIn], Field(max_length=500)] = []
    lists: Annotated[
        list[Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]],
        Field(max_length=20, description="Lists of holidays of the settings, by name.", examples=[["iran"]]),
    ] = []


class ToQueueIn(Part):
    kind: Literal["queue"]
    queue: QueueSlug
    keep_place: Annotated[bool, Field(description="The place there counts from the call's own entry.")] = True
    say: Say = None


class ToNumberIn(Part):
    kind: Literal["number"]
    number: Annotated[str, StringConstraints(pattern=r"^\+?[0-9]{2,20}$"), Field(examples=["02112345678"])]
    ring_s: Annotated[int, Field(ge=1, le=300)] = 30
    say: Say = None


class ToVoicemailIn(Part):
    kind: Literal["voicemail"]
    most_s: Annotated[int, Field(ge=5, le=1800, description="Longest message.")] = 120
    silence_s: Annotated[int, Field(ge=1, le=60, description="Silence that ends it.")] = 6
    say: Say = None


class ToMessageIn(Part):
    kind: Literal["message"]
    say: Say = None


DestinationIn = Annotated[ToQueueIn | ToNumberIn | ToVoicemailIn | ToMessageIn, Field(discriminator="kind")]
MESSAGE = ToMessageIn(kind="message")
Needs = Annotated[Literal["signed_in", "available", "reachable"] | None, Field(description="Null: no such limit.")]


class OverflowIn(Part):
    """Where each limit leads, and the limits themselves; null: no such limit."""

    closed: DestinationIn = MESSAGE
    holiday: DestinationIn = MESSAGE
    leave_on_close: Annotated[bool, Field(description="Whoever waits at closing time is led away too.")] = False
    most_waiting: Annotated[int | None, Field(ge=1, le=100_000, description="Callers who may wait at once.")] = None
    full: DestinationIn = MESSAGE
    joining_needs: Needs = None
    waiting_needs: Needs = None
    empty_s: Annotated[
        float, Field(ge=0, le=3600, description="For so long nobody was there, before callers leave.")
    ] = 5.0
    no_agent: DestinationIn = MESSAGE
    most_wait_s: Annotated[float | None, Field(gt=0, le=86_400)] = None
    waited: DestinationIn = MESSAGE
    most_expected_s: Annotated[float | None, Field(gt=0, le=86_400)] = None
    expected: DestinationIn = MESSAGE


class ClosingIn(Part):
    """Why a queue is closed now, and where callers are led meanwhile."""

    reason: Name = ""
    to: Annotated[DestinationIn | None, Field(description="Null: where the queue's closed hours lead.")] = None
    leave: Annotated[bool, Field(description="Those who wait already are led away too.")] = False


class ClosingOut(BaseModel):
    """A queue closed by a supervisor."""

    by: str
    since: Moment
    reason: str
    to: dict[str, Any] | None
    leave: bool

    @classmethod
    def of(cls, closing: Closing) -> "ClosingOut":
        to = destination_json(closing.to) if closing.to is not None else None
        return cls(by=closing.by, since=moment(closing.since), reason=closing.reason, to=to, leave=closing.leave)
