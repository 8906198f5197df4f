"""``/v1/break-reasons`` and ``/v1/break-requests``: what breaks are for, and those that wait for their turn."""

from fastapi import APIRouter

from acd import picture
from acd.breaks import BreakReason
from acd.commands import ApproveBreak, RefuseBreak, WithdrawBreak
from nobat.api.access import Access, AgentAccess, SupervisorAccess
from nobat.api.agent_models import StatusOut
from nobat.api.agent_time_models import BreakReasonOut, BreakRequestOut
from nobat.api.paging import Page
from nobat.api.responses import errors
from nobat.api.text import PathId

router = APIRouter(prefix="/v1", tags=["breaks"])


@router.get("/break-reasons", operation_id="listBreakReasons", responses=errors())
async def list_break_reasons(access: AgentAccess) -> Page[BreakReasonOut]:
    """The reasons that the settings name, in their order. Others may be given too."""
    reasons: tuple[BreakReason, ...] = access.service.engine.read(lambda floor, _: floor.break_reasons)
    return Page(items=[BreakReasonOut.of(one) for one in reasons], next=None)


@router.get("/break-requests", operation_id="listBreakRequests", responses=errors())
async def list_break_requests(access: AgentAccess) -> Page[BreakRequestOut]:
    """The breaks that wait, in order of asking; an agent sees the own."""
    engine = access.service.engine
    asked = engine.read(picture.break_requests)
    seen = {view.id for view in engine.read(picture.agents) if access.sees_agent(view)} if asked else set()
    return Page(items=[BreakRequestOut.of(one) for one in asked if one.agent in seen], next=None)


@router.post("/break-requests/{agent}/approve", operation_id="approveBreak", responses=errors(404, 409))
async def approve_break(access: SupervisorAccess, agent: PathId) -> StatusOut:
    """Grant a break, whatever the limit; it begins after the call that is on."""
    view = access.agent(agent)
    await access.audit("approveBreak", agent)
    await access.service.engine.ask(ApproveBreak(view.id))
    return _after(access, agent)


@router.post("/break-requests/{agent}/refuse", operation_id="refuseBreak", responses=errors(404, 409))
async def refuse_break(access: SupervisorAccess, agent: PathId) -> StatusOut:
    """Say no: the request is gone."""
    view = access.agent(agent)
    await access.audit("refuseBreak", agent)
    await access.service.engine.ask(RefuseBreak(view.id))
    return _after(access, agent)


@router.delete("/break-requests/{agent}", status_code=204, operation_id="withdrawBreak", responses=errors(404, 409))
async def withdraw_break(access: AgentAccess, agent: PathId) -> None:
    """The break is not wanted any more."""
    view = access.agent(agent)
    await access.audit("withdrawBreak", agent)
    await access.service.engine.ask(WithdrawBreak(view.id))


def _after(access: Access, agent: str) -> StatusOut:
    return StatusOut.of(access.agent(agent))
