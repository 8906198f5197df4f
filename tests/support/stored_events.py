"""Events read back from their rows, and nothing else: the columns and the JSON of each are the event again."""

from functools import cache
from typing import Any, get_args

from pydantic import TypeAdapter
from sqlalchemy import select

from acd.events import Event
from nobat.storage import schema
from nobat.storage.database import Database, seconds
from nobat.storage.statements import Note

_KINDS: dict[str, Any] = {kind.__name__: kind for kind in get_args(Event)}
_COLUMNS = {"call": "call_id", "queue": "queue_id", "agent": "agent_id"}


async def notes(database: Database) -> list[Note]:
    """All of them, in the order in which they happened."""
    event = schema.events.c
    async with database.read() as connection:
        rows = await connection.execute(select(schema.events).order_by(event.run, event.seq))
        return [Note(row["run"], row["seq"], _event(row)) for row in rows.mappings()]


def _event(row: Any) -> Event:
    kind = _KINDS[row["kind"]]
    fields = {name: row[column] for name, column in _COLUMNS.items() if name in kind.__dataclass_fields__}
    event: Event = _adapter(row["kind"]).validate_python({"at": seconds(row["at"]), **fields, **row["data"]})
    return event


@cache
def _adapter(kind: str) -> TypeAdapter[Any]:
    return TypeAdapter(_KINDS[kind])
