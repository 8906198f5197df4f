"""``/v1/help-requests``: agents ask for help in the call that is on; whoever joins them (``POST /v1/supervisions``) settles it."""

from fastapi import APIRouter

from acd.errors import unknown
from nobat.api.access import AgentAccess
from nobat.api.paging import Page
from nobat.api.responses import errors
from nobat.api.supervision_models import HelpIn, HelpOut
from nobat.api.supervisions import visible
from nobat.api.text import PathId
from nobat.auth import Role
from whisper.commands import AskForHelp, WithdrawHelp

router = APIRouter(prefix="/v1/help-requests", tags=["supervision"])


@router.get("", operation_id="listHelpRequests", responses=errors())
async def list_help_requests(access: AgentAccess) -> Page[HelpOut]:
    """In order of asking; an agent sees the own, a supervisor those in calls of his queues."""
    asked = tuple(access.service.supervision.help.values())
    return Page(items=[HelpOut.of(one) for one in asked if visible(access, one.queue, one.agent)], next=None)


@router.post("", status_code=201, operation_id="askForHelp", responses=errors(404, 409))
async def ask(access: AgentAccess, body: HelpIn) -> HelpOut:
    """Ask for help in the call that is on; asking again changes nothing. 409 unless the agent talks."""
    own = access.principal.agent if access.principal.role is Role.AGENT else None
    agent = access.agent(own or body.agent or "")
    await access.audit("askForHelp", agent.id)
    await access.service.engine.ask(AskForHelp(agent.id))
    asked = access.service.supervision.help.get(agent.id)
    if asked is None:  # the call has ended in this very moment
        raise unknown("call", agent.id)
    return HelpOut.of(asked)


@router.delete("/{agent}", status_code=204, operation_id="withdrawHelp", responses=errors(404, 409))
async def withdraw(access: AgentAccess, agent: PathId) -> None:
    """Help is not needed any more."""
    view = access.agent(agent)
    await access.audit("withdrawHelp", view.id)
    await access.service.engine.ask(WithdrawHelp(view.id))
