"""``callbacks.offer`` and ``callbacks.harm`` of a queue, and the window of a callback on somebody's own clock."""

from datetime import date, time
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from callback.schedule import Window

Clock = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", examples=["21:00"])]
Cap = Annotated[int, Field(ge=0, le=100_000)]


def _is_date(text: str) -> str:
    date.fromisoformat(text)
    return text


Date = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", examples=["2026-03-29"]), AfterValidator(_is_date)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class OfferIn(_Body):
    """When a caller who waits is told that the key 1 has him called back; the key itself works at any time."""

    after_standard: Annotated[bool, Field(description="When the wait has passed `service_level.target_s`.")] = True
    expected_s: Annotated[
        float | None, Field(gt=0, le=86_400, description="When the wait may become longer than that; null: not.")
    ] = None
    before_close_s: Annotated[
        float, Field(ge=0, le=86_400, description="So long before the queue closes; 0: not for that.")
    ] = 0.0
    again_s: Annotated[float, Field(ge=0, le=86_400, description="Said again as often; 0: once.")] = 0.0


class HarmIn(_Body):
    """How often and when a queue must not call. Which numbers may be called at all is a setting (`callbacks`)."""

    quiet_from: Annotated[Clock, Field(description="On the customer's own clock; equal ends: never quiet.")] = "00:00"
    quiet_until: Clock = "00:00"
    number_a_day: Annotated[Cap, Field(description="Promises to one number in 24 hours; 0: no such cap.")] = 3
    most_open: Annotated[Cap, Field(description="Promises of the queue not kept yet; 0: no such cap.")] = 200
    most_dialled: Annotated[
        Cap, Field(description="Customers of the queue who are dialled at once; 0: no such cap.")
    ] = 50


class WindowIn(_Body):
    """A window on the clocks of `zone`. An end that is not after the begin is on the next day.

    A time that the day does not have is the first moment after the gap; one that it has twice the first of the two.
    """

    day: Date
    begin: Clock
    end: Clock

    def window(self) -> Window:
        return Window(date.fromisoformat(self.day), time.fromisoformat(self.begin), time.fromisoformat(self.end))
