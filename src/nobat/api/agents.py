"""``/v1/agents``: agents, what they choose, and their wrap-up."""

import asyncio
from dataclasses import replace

from fastapi import APIRouter, Response
from starlette.exceptions import HTTPException

from acd import explain, picture
from acd.agents import Status
from acd.commands import AmendCall, EndWrapUp, ExtendWrapUp
from acd.errors import Invalid
from acd.ids import AgentId, DeviceId, PbxId
from acd.views import AgentView
from nobat.api import devices
from nobat.api.access import Access, AdminAccess, AgentAccess
from nobat.api.agent_models import AgentIn, AgentOut, AgentPatch, StatusIn, StatusOut, WrapUpIn
from nobat.api.paging import Cursor, Limit, Page, cut, decode
from nobat.api.responses import errors
from nobat.api.text import PathId
from nobat.api.why_models import IdleWhyOut
from nobat.auth import Role
from nobat.desk import choose_status
from nobat.pins import hash_pin
from whisper import telling

router = APIRouter(prefix="/v1/agents", tags=["agents"])


def _shown(access: Access, view: AgentView) -> AgentOut:
    told = telling.is_told(access.service.supervision, view.id) if access.principal.agent == view.id else None
    return AgentOut.of(view, has_pin=access.service.catalogue.pin_hash(view.id) is not None, listened_to=told)


@router.get("", operation_id="listAgents", responses=errors())
async def list_agents(access: AgentAccess, limit: Limit = 200, cursor: Cursor = None) -> Page[AgentOut]:
    """All agents that the token may see, by id."""
    after = decode(cursor, (str,))
    views = access.service.engine.read(picture.agents)
    rows = (
        ((view.id,), _shown(access, view))
        for view in views
        if access.sees_agent(view) and (after is None or (view.id,) > after)
    )
    items, following = cut(rows, limit)
    return Page(items=items, next=following)


@router.post("", status_code=201, operation_id="createAgent", responses=errors(409))
async def create_agent(access: AdminAccess, body: AgentIn, response: Response) -> AgentOut:
    """Make an agent, signed out."""
    await access.audit("createAgent", body.id)
    pin_hash = await asyncio.to_thread(hash_pin, body.pin) if body.pin is not None else None
    spec = body.spec(access.service.home_pbx)
    await access.service.catalogue.put_agent(spec, new=True, pin_hash=pin_hash, pin_given=True)
    response.headers["location"] = f"/v1/agents/{body.id}"
    return _shown(access, access.agent(body.id))


@router.get("/{agent}", operation_id="getAgent", responses=errors(404))
async def get_agent(access: AgentAccess, agent: PathId) -> AgentOut:
    """One agent."""
    return _shown(access, access.agent(agent))


@router.get("/{agent}/why-idle", operation_id="whyIdle", responses=errors(404))
async def why_idle(access: AgentAccess, agent: PathId) -> IdleWhyOut:
    """Why an agent has no call: what keeps him from any, and from each of the first callers of his lines."""
    view = access.agent(agent)
    why = access.service.engine.read(lambda floor, now: explain.why_idle(floor, view.id, now))
    lines = [line for line in why.lines if access.sees_queue(line.queue)]
    return IdleWhyOut.of(replace(why, lines=tuple(lines)))


@router.patch("/{agent}", operation_id="changeAgent", responses=errors(404, 409))
async def change_agent(access: AdminAccess, agent: PathId, body: AgentPatch) -> AgentOut:
    """Change what is named. A call in progress goes on."""
    spec = body.onto(access.agent(agent), access.service.home_pbx)
    await access.audit("changeAgent", agent)
    pin_hash = await asyncio.to_thread(hash_pin, body.pin) if body.pin is not None else None
    await access.service.catalogue.put_agent(spec, new=False, pin_hash=pin_hash, pin_given=body.names_pin)
    return _shown(access, access.agent(agent))


@router.delete("/{agent}", status_code=204, operation_id="deleteAgent", responses=errors(404, 409))
async def delete_agent(access: AdminAccess, agent: PathId) -> None:
    """Take an agent away. 409 unless signed out and free."""
    access.agent(agent)
    await access.audit("deleteAgent", agent)
    await access.service.catalogue.remove_agent(AgentId(agent))


@router.put("/{agent}/status", operation_id="chooseStatus", responses=errors(404, 409))
async def put_status(access: AgentAccess, agent: PathId, body: StatusIn) -> StatusOut:
    """Sign in (`available`), take a break, come back, sign out. On disk before it is answered."""
    view = access.agent(agent)
    device = _device(access, body)
    if device is not None and device != view.home_device and devices.is_a_number(device):
        _may_be_called_there(access, device)
    await access.audit("chooseStatus", f"{agent} {body.status}")
    changed = await choose_status(access.service.engine, view.id, Status(body.status), body.reason, device)
    return StatusOut.of(changed)


def _device(access: Access, body: StatusIn) -> DeviceId | None:
    if body.device is None:
        return None
    pbx = PbxId(body.pbx) if body.pbx is not None else access.service.home_pbx
    if pbx not in access.service.pbxs:
        raise Invalid("unknown_pbx", "the device names a PBX that is not configured", field="pbx")
    return devices.named(pbx, body.device, body.accept)


def _may_be_called_there(access: Access, device: DeviceId) -> None:
    """Calls to numbers cost money: agents choose their own only among those that the settings allow. 403 for others."""
    if access.principal.role is not Role.AGENT:
        return
    allowed = access.service.mobile_numbers
    if allowed is None or not allowed.fullmatch((devices.shown(device) or "").removeprefix("PJSIP/")):
        raise HTTPException(403)


@router.post("/{agent}/wrap-up", operation_id="endWrapUp", responses=errors(404, 409))
async def post_wrap_up(access: AgentAccess, agent: PathId, body: WrapUpIn) -> StatusOut:
    """End the work after a call, or ask for more time; what the call was about goes to the call.

    409 `disposition_required` where the queue wants one. A supervisor may end it without (`force`).
    """
    if body.force and not access.principal.at_least(Role.SUPERVISOR):
        raise HTTPException(403)
    view = access.agent(agent)
    await access.audit("endWrapUp", f"{agent} forced" if body.force else agent)
    ask = access.service.engine.ask
    if body.extend_s is None:
        await ask(EndWrapUp(view.id, body.disposition, body.notes, body.force))
    else:
        await ask(ExtendWrapUp(view.id, body.extend_s))
        if view.call is not None and (body.disposition is not None or body.notes is not None):
            await ask(AmendCall(view.call, disposition=body.disposition, notes=body.notes))
    return StatusOut.of(access.agent(agent))
