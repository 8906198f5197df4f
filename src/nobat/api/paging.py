"""Lists: ``{"items": [...], "next": cursor}``. A cursor is the key of the last item, so a list that changes repeats nothing."""

import base64
import binascii
import json
from collections.abc import Iterable
from typing import Annotated, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, Field

from acd.errors import Invalid
from nobat.api.text import is_clean

Item = TypeVar("Item")
Key = tuple[str | int | float, ...]

Limit = Annotated[int, Query(ge=1, le=1_000, description="Items in one answer at most.")]
Cursor = Annotated[str | None, Query(max_length=400, description="`next` of the answer before.")]


class Page(BaseModel, Generic[Item]):
    """One part of a list."""

    items: list[Item]
    next: str | None = Field(description="Pass it as `cursor` for the items that follow; null at the end.")


def encode(key: Key) -> str:
    """A key as a cursor: opaque to clients, no secret."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def decode(cursor: str | None, kinds: tuple[type, ...]) -> Key | None:
    """The key of a cursor that ``encode`` made. Raises ``invalid_cursor``."""
    if cursor is None:
        return None
    try:
        key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        key = None
    if not isinstance(key, list) or len(key) != len(kinds) or not all(map(_fits, key, kinds)):
        raise Invalid("invalid_cursor", "this is no cursor of this list", field="cursor")
    return tuple(key)


def _fits(part: object, kind: type) -> bool:
    if kind is float:
        # Times: from 1970 on, and not past what a database can say.
        return isinstance(part, int | float) and not isinstance(part, bool) and 0 <= part < 1e11
    if isinstance(part, str):
        return kind is str and is_clean(part)
    return isinstance(part, kind) and not isinstance(part, bool)


def cut(rows: Iterable[tuple[Key, Item]], limit: int) -> tuple[list[Item], str | None]:
    """The first ``limit`` items, and the cursor if there are more."""
    taken: list[tuple[Key, Item]] = []
    for row in rows:
        if len(taken) == limit:
            return [item for _, item in taken], encode(taken[-1][0])
        taken.append(row)
    return [item for _, item in taken], None
