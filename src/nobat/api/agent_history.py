"""``/v1/agents/{agent}/history``: what an agent chose and was, change by change."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, Field

from acd.agents import AgentState, Status
from acd.errors import Invalid, NotFound, unknown
from acd.events import AgentStateChanged, AgentStatusChosen, BreakOverrun, BreakRequested, BreakRequestSettled
from nobat.api.access import Access, AgentAccess
from nobat.api.paging import Cursor, Limit, Page, cut, decode
from nobat.api.responses import errors
from nobat.api.text import PathId
from nobat.api.times import Moment, moment
from nobat.auth import Role
from nobat.storage import happenings
from nobat.storage.happenings import Happening

router = APIRouter(prefix="/v1/agents", tags=["agents"])

DEFAULT_S, LONGEST_S = 86_400.0, 8 * 86_400.0
_KINDS = {
    AgentStatusChosen.__name__: "status",
    AgentStateChanged.__name__: "state",
    BreakRequested.__name__: "break_requested",
    BreakRequestSettled.__name__: "break_settled",
    BreakOverrun.__name__: "break_overrun",
}
Kind = Literal["status", "state", "break_requested", "break_settled", "break_overrun"]


class AgentChangeOut(BaseModel):
    """One change. Fields that are not of its kind are null."""

    at: Moment
    kind: Kind
    status: Status | None = Field(description="Chosen: of `status`.")
    device: str | None = Field(description="Of `status`: where the agent is reached; null when nowhere.")
    productive: bool | None = Field(description="Of `status`: a break that is work.")
    reason: str | None = Field(description="Of the break.")
    before: AgentState | None = Field(description="Observed: of `state`.")
    after: AgentState | None = Field(description="Observed: of `state`.")
    how: str | None = Field(description="Of `break_settled`: granted, approved, refused, withdrawn or signed_out.")

    @classmethod
    def of(cls, one: Happening) -> "AgentChangeOut":
        data = one.data
        return cls.model_validate({
            "at": moment(one.at),
            "kind": _KINDS[one.kind],
            "status": data.get("status"),
            "device": data.get("device"),
            "productive": data.get("productive"),
            "reason": data.get("reason"),
            "before": data.get("old"),
            "after": data.get("new"),
            "how": data.get("how"),
        })  # fmt: skip


@router.get("/{agent}/history", operation_id="getAgentHistory", responses=errors(404))
async def get_agent_history(
    access: AgentAccess,
    agent: PathId,
    begin: Annotated[AwareDatetime | None, Query(alias="from", description="Default: a day before the end.")] = None,
    end: Annotated[AwareDatetime | None, Query(alias="to", description="Default: now. Eight days at most.")] = None,
    limit: Limit = 200,
    cursor: Cursor = None,
) -> Page[AgentChangeOut]:
    """Every change of an agent's status and state, newest first. What has just happened may be on its way for a second."""
    known = _is_known(access, agent)
    until = end.timestamp() if end is not None else access.service.now()
    since = begin.timestamp() if begin is not None else until - DEFAULT_S
    if not 0 <= since < until <= since + LONGEST_S:
        raise Invalid("invalid_span", f"from is before to, and {LONGEST_S / 86_400:g} days at most", field="from")
    key = decode(cursor, (float, int, int))
    before = (float(key[0]), int(key[1]), int(key[2])) if key is not None else None
    found = await happenings.of_agent(access.service.database, agent, (since, until), before, limit + 1)
    if not found and not known and before is None:
        raise unknown("agent", agent)
    items, following = cut(((one.key, AgentChangeOut.of(one)) for one in found), limit)
    return Page(items=items, next=following)


def _is_known(access: Access, agent: str) -> bool:
    """Raises ``unknown_agent``. False: of an agent who has left, history is for those who see all queues."""
    try:
        access.agent(agent)
    except NotFound:
        if access.principal.role is Role.AGENT or access.queues is not None:
            raise
        return False
    return True
