"""A PBX as the floor knows it."""

from dataclasses import dataclass


@dataclass(slots=True)
class PbxState:
    """What is known of a PBX. Nothing is offered there unless it is ``up`` and ``taking``: it has refused no offer just now."""

    up: bool = False
    boot: str | None = None
    taking: bool = True
    reason: str | None = None
    since: float = 0.0
    back_at: float = 0.0  # when it began to give callers back whom it had served alone
