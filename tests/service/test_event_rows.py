"""Events are handed to the driver as they are: SQLAlchemy reads back what the columns' types would have written."""

import dataclasses
import types
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, NewType, Union, get_args, get_origin, get_type_hints

import pytest
from sqlalchemy import select

from acd.events import Event
from nobat.storage import schema, statements
from nobat.storage.database import Database
from nobat.storage.migrate import migrate
from nobat.storage.statements import Note

AT = 1_795_000_000.000001
ODD = "نوبت, \n\0'\" \ud800 =cmd"
KINDS: tuple[type, ...] = get_args(Event)


def one_of(annotation: Any) -> Any:
    """A value of any type that events are made of."""
    if isinstance(annotation, NewType):
        return "pbx1-1.1"
    origin, args = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return one_of(next(one for one in args if one is not type(None)))
    if origin is tuple:
        return tuple(one_of(one) for one in args if one is not Ellipsis)
    if origin is not None and origin is not type:
        return one_of(origin) if not args else origin([one_of(args[0])])
    if dataclasses.is_dataclass(annotation):
        hints = get_type_hints(annotation)
        return annotation(**{one.name: one_of(hints[one.name]) for one in dataclasses.fields(annotation)})  # type: ignore[operator]
    if issubclass(annotation, Enum):
        return next(iter(annotation))
    return {str: ODD, float: AT, int: 7, bool: True}[annotation]


def test_there_are_events() -> None:
    assert len(KINDS) > 40


async def test_every_kind_of_event_comes_back_through_the_columns_types(database_url: str) -> None:
    database = Database(database_url)
    await migrate(database)
    notes = [Note(1, number, one_of(kind)) for number, kind in enumerate(KINDS)]
    for _ in range(2):  # the second time changes nothing
        async with database.write() as connection:
            await statements.event_rows.add(
                connection,
                database.insert,
                [(one.run, one.seq, one.what) for one in notes],  # type: ignore[misc]
            )
    async with database.read() as connection:
        found = (await connection.execute(select(schema.events).order_by(schema.events.c.seq))).mappings().all()
    await database.close()
    assert [(one["run"], one["seq"], one["kind"]) for one in found] == [(1, n, k.__name__) for n, k in enumerate(KINDS)]
    for row, note in zip(found, notes, strict=True):
        what: Any = note.what
        assert abs(row["at"] - datetime.fromtimestamp(AT, UTC)) < timedelta(microseconds=1)
        assert row["call_id"] == getattr(what, "call", None)
        own = {"at", "call", "queue", "agent"}
        assert row["data"].keys() == {one.name for one in dataclasses.fields(what)} - own
        for name, value in row["data"].items():
            if isinstance(getattr(what, name), bool | int | float) and not isinstance(getattr(what, name), Enum):
                assert value == pytest.approx(getattr(what, name))
            assert "\0" not in str(value)
            assert "\ud800" not in str(value)
