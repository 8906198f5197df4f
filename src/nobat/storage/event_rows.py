"""Events as rows, handed to the driver as they are.

Nine of ten rows of history are events, and binding their values takes SQLAlchemy longer than it takes the database to store them.
The statement is SQLAlchemy's still, made once from the table; times and JSON are written here as the columns' types would write
them, and a test reads both back.

``nobat.storage.statements`` calls ``add``.
"""

import dataclasses
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from operator import attrgetter
from typing import Any

from pydantic_core import PydanticSerializationError, to_json
from sqlalchemy import Dialect, Table
from sqlalchemy.ext.asyncio import AsyncConnection

from acd.events import Event
from nobat.storage import numbers, schema
from nobat.storage.database import when
from nobat.storage.rows import LONGEST_TEXT, clean

Values = tuple[Any, ...]
_COLUMNS_OF_THEIR_OWN = frozenset({"at", "call", "queue", "agent"})


async def add(
    connection: AsyncConnection, insert: Callable[[Table], Any], notes: Iterable[tuple[int, int, Event]]
) -> None:
    """Add events (run, number in the run, event); rows that are there already stay as they are."""
    moment = _text if connection.dialect.name == "sqlite" else when
    found = [values(run, seq, event, moment) for run, seq, event in notes]
    if found:
        await connection.exec_driver_sql(_statement(insert, connection.dialect), found)


def values(run: int, seq: int, event: Event, moment: Callable[[float], Any]) -> Values:
    """Any event, in the order of the table's columns; what has no column of its own goes into the last, as JSON."""
    kind: type = type(event)
    return (
        run,
        seq,
        moment(event.at),
        kind.__name__,
        clean(getattr(event, "call", None), 128),
        getattr(event, "queue", None),
        getattr(event, "agent", None),
        clean(numbers.of_event(event)),
        _json(kind, event),
    )


def _json(kind: type, event: Event) -> str:
    """Fields without a column of their own. Only what may hold words that no database takes is looked at word by word."""
    names, read = _others(kind)
    data = dict(zip(names, read(event), strict=True))
    try:
        text = to_json(data)
    except PydanticSerializationError:  # half a character
        text = None
    if text is None or len(text) > LONGEST_TEXT or b"\\u0000" in text:
        text = to_json({name: _plain(value) for name, value in data.items()})
    return text.decode()


@cache
def _statement(insert: Callable[[Table], Any], dialect: Dialect) -> str:
    return str(insert(schema.events).on_conflict_do_nothing().compile(dialect=dialect))


def _text(seconds: float) -> str:
    """As SQLAlchemy keeps a time in SQLite: UTC, always with microseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(" ", "microseconds")[:-6]  # without its "+00:00"


@cache
def _others(kind: type) -> tuple[tuple[str, ...], Callable[[Any], Values]]:
    """Fields without a column of their own, and what reads them all."""
    names = tuple(one.name for one in dataclasses.fields(kind) if one.name not in _COLUMNS_OF_THEIR_OWN)
    if len(names) > 1:
        return names, attrgetter(*names)
    return names, lambda event: tuple(getattr(event, name) for name in names)


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return value
