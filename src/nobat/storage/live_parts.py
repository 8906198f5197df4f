"""What had happened, before a restart, to calls that may still be alive: the talks that ended and the transfers.

A call is written whole when it ends; until then its talks stand in ``talks`` and its transfers among the events. The composition
root gives them to the floor before the first snapshot finds the calls.
"""

from dataclasses import replace
from typing import Any

from sqlalchemy import Select, select

from acd.commands import RestoreParts
from acd.events import CallTransferred, TransferEnded
from acd.ids import AgentId, CallId, QueueId
from acd.talks import Talk, TargetKind, Transfer, TransferMode, TransferResult
from nobat.storage import schema
from nobat.storage.database import Database, seconds, when

LOOK_BACK_S = 86_400.0


async def restored_parts(database: Database, now: float) -> list[RestoreParts]:
    """The parts of calls whose end nobody has written down."""
    talks: dict[str, list[Talk]] = {}
    transfers: dict[str, list[Transfer]] = {}
    async with database.read() as connection:
        for row in (await connection.execute(_talks(now))).mappings():
            talks.setdefault(row["call_id"], []).append(_talk(row))
        for row in (await connection.execute(_transfers(now))).mappings():
            known = transfers.setdefault(row["call_id"], [])
            if row["kind"] == CallTransferred.__name__:
                known.append(_transfer(row))
            elif known:
                known[-1] = replace(known[-1], result=TransferResult(row["data"]["result"]))
    return [
        RestoreParts(CallId(call), tuple(talks.get(call, ())), tuple(transfers.get(call, ())))
        for call in talks.keys() | transfers.keys()
    ]


def _talks(now: float) -> Select[Any]:
    talk = schema.talks.c
    whole = select(schema.calls.c.id).where(schema.calls.c.id == talk.call_id).exists()
    return select(schema.talks).where(talk.ended_at >= when(now - LOOK_BACK_S), ~whole).order_by(talk.began_at)


def _transfers(now: float) -> Select[Any]:
    event = schema.events.c
    whole = select(schema.calls.c.id).where(schema.calls.c.id == event.call_id).exists()
    kinds = (CallTransferred.__name__, TransferEnded.__name__)
    wanted = select(schema.events).where(event.at >= when(now - LOOK_BACK_S), event.kind.in_(kinds), ~whole)
    return wanted.order_by(event.run, event.seq)


def _talk(row: Any) -> Talk:
    return Talk(
        QueueId(row["queue_id"]),
        seconds(row["began_at"]),
        AgentId(row["agent_id"]),
        ended_at=seconds(row["ended_at"]),
        hold_s=row["hold_s"],
    )


def _transfer(row: Any) -> Transfer:
    data = row["data"]
    by = AgentId(row["agent_id"]) if row["agent_id"] is not None else None
    return Transfer(
        seconds(row["at"]),
        by,
        TransferMode(data["mode"]),
        TargetKind(data["target"]),
        data["to"],
        TransferResult.RINGING,
    )
