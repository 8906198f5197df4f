"""Settings of callbacks for the whole site: which numbers may be called, and how often. Part of ``nobat.settings``."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from callback.numbers import ALL_KINDS, USUAL_DENIED
from nobat.settings_base import Section


def _kind(word: str) -> str:
    if word not in ALL_KINDS:
        raise ValueError(f"must be one of {', '.join(ALL_KINDS)}")
    return word


NumberKind = Annotated[str, AfterValidator(_kind)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]


class CallbackSettings(Section):
    """Which numbers may be called back, and how often. Queues say whether they call back at all."""

    region: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] = "IR"
    """Country (ISO 3166) of numbers that are written without a country code."""

    countries: tuple[Annotated[str, Field(pattern=r"^[A-Z]{2}$")], ...] = ()
    """Countries that are called; none: only `region`. Every other costs, and is where fraud is paid."""

    denied: tuple[NumberKind, ...] = tuple(kind for kind in ALL_KINDS if kind in USUAL_DENIED)
    """Kinds of numbers that are not called: `fixed`, `mobile`, `fixed_or_mobile`, `voip`, `toll_free`, `premium`, `shared_cost`,
    `personal`, `pager`, `universal`, `voicemail`, `satellite`, `unknown`."""

    never: tuple[Annotated[str, Field(pattern=r"^[0-9]{2,15}$")], ...] = ()
    """Digits with which a number may not begin, as it is written or in E.164 without the plus: own numbers, ranges that cost. The
    queues' numbers, emergency numbers and services are never called anyway."""

    dial_as: Literal["national", "e164"] = "national"
    """How numbers are dialled: as within `region` (`09121234567`; others with plus and country code), or all with plus and country
    code. The dial string of a queue's `callbacks.dial` or of `transfers.outside` is around it."""

    number_open: Annotated[int, Field(ge=0)] = 2
    """Open callbacks of one number in different queues; in one queue it is always one. 0: no such cap, here and below."""

    most_open: Annotated[int, Field(ge=0)] = 1_000
    """Open callbacks of all queues."""

    most_dialled: Annotated[int, Field(ge=0)] = 100
    """Customers of all queues who are dialled at once; the others keep their places until one of these is on, or not reached."""

    a_day: Annotated[int, Field(ge=0)] = 5_000
    """Callbacks promised in 24 hours, all numbers together."""

    short_answers: Annotated[int, Field(ge=0)] = 3
    """A number that picked up and hung up at once so many times in 24 hours is not called back for the rest of them."""

    short_answers_of_range: Annotated[int, Field(ge=0)] = 20
    """The same, for numbers that differ in their last four digits only."""

    requests: Annotated[int, Field(ge=0)] = 600
    """Requests for a callback over REST of one token in `requests_in_s`."""

    requests_in_s: Seconds = 3600.0
    """See `requests`."""

    forget_s: Seconds = 900.0
    """How often Asterisk is told to forget the markers of attempts whose callbacks are over, and how long they must be."""
