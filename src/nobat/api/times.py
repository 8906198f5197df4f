"""Times as the interface writes them: RFC 3339, UTC, milliseconds."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import PlainSerializer

Moment = Annotated[
    datetime,
    PlainSerializer(lambda value: value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"), str),
]


def moment(seconds: float) -> datetime:
    """The domain's seconds since the epoch."""
    return datetime.fromtimestamp(seconds, UTC)


def perhaps(seconds: float | None) -> datetime | None:
    """As ``moment``, for what may not have happened."""
    return None if seconds is None else moment(seconds)


def rounded(seconds: float) -> float:
    """A duration to the millisecond."""
    return round(seconds, 3)
