"""What routing decided, kept with the call so that it can be told and made again."""

from acd.ids import AgentId, OfferId
from acd.record import record

Rank = tuple[int, tuple[float, ...], AgentId]
"""The terms of an order: offers to this caller let pass, the strategy's key, the agent. The smallest comes first."""


@record
class Decision:
    """An offer, and the order it came from; the first of ``order`` was rung, or all of them."""

    at: float
    offer: OfferId
    strategy: str
    chosen: tuple[AgentId, ...]
    order: tuple[Rank, ...]
