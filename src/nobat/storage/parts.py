"""A call's parts (its talks and transfers) as one value of JSON, and back.

They are read with their call and never searched, so they stand in its row; what reports count by agent stands in ``talks``.
``storage.rows`` writes them, ``storage.history`` reads them.
"""

from typing import Any

from acd.ids import AgentId, DeviceId, LegId, QueueId
from acd.talks import TargetKind, Transfer, TransferMode, TransferResult
from acd.views import CallView, TalkView

_TALK = ("queue", "agent", "device", "leg", "number", "began_at", "ended_at", "talk_s", "hold_s")
_TRANSFER = ("at", "by", "mode", "kind", "to", "result")


def of_call(call: CallView) -> dict[str, list[list[Any]]]:
    """What is stored."""
    return {
        "talks": [[getattr(talk, name) for name in _TALK] for talk in call.talks],
        "transfers": [[getattr(transfer, name) for name in _TRANSFER] for transfer in call.transfers],
    }


def talks(stored: Any) -> tuple[TalkView, ...]:
    """The talks of a stored call."""
    return tuple(_talk(*row) for row in (stored or {}).get("talks", ()))


def _talk(queue: str, agent: Any, device: Any, leg: Any, *rest: Any) -> TalkView:
    return TalkView(
        QueueId(queue),
        AgentId(agent) if agent is not None else None,
        DeviceId(device) if device is not None else None,
        LegId(leg) if leg is not None else None,
        *rest,
    )


def transfers(stored: Any) -> tuple[Transfer, ...]:
    """The transfers of a stored call."""
    return tuple(
        Transfer(
            at,
            AgentId(by) if by is not None else None,
            TransferMode(mode),
            TargetKind(kind),
            to,
            TransferResult(result),
        )
        for at, by, mode, kind, to, result in (stored or {}).get("transfers", ())
    )
