"""``/v1/calls/{call}/consult``: the agent who has a caller asks somebody else, with the caller on hold."""

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field

from acd.commands import ChangeConsult, ConsultCall
from acd.consult_port import ConsultAction
from nobat.api.access import AgentAccess
from nobat.api.call_models import CallOut
from nobat.api.moves import TargetIn, own_talk, target
from nobat.api.queue_models import Body
from nobat.api.responses import errors
from nobat.api.text import PathId

router = APIRouter(prefix="/v1/calls", tags=["calls"])


class ConsultIn(Body):
    """Whom to ask. An agent must be free and reachable; in a queue the one who asks waits in line."""

    to: TargetIn


class ConsultPatch(Body):
    action: Annotated[
        Literal["swap", "merge", "complete", "cancel"],
        Field(
            description=(
                "`swap`: talk to the other one, the one before is on hold. `merge`: all three hear each other. `complete`: whoever "
                "is asked has the caller, as when the agent hangs up. `cancel`: whoever is asked goes, the agent has the caller."
            )
        ),
    ]


@router.post("/{call}/consult", status_code=202, operation_id="consultCall", responses=errors(404, 409))
async def consult(access: AgentAccess, call: PathId, body: ConsultIn) -> CallOut:
    """Ask somebody, with the caller on hold. With an agent's token only in the agent's own call."""
    view = await own_talk(access, call, "consulting")
    kind, to = target(access, body.to)
    await access.audit("consultCall", view.id)
    await access.service.engine.ask(ConsultCall(view.id, kind, to))
    return CallOut.of(await access.call(call))


@router.patch("/{call}/consult", status_code=202, operation_id="changeConsult", responses=errors(404, 409))
async def change(access: AgentAccess, call: PathId, body: ConsultPatch) -> CallOut:
    """Swap, merge, complete or cancel. What comes of it is in the call's `consult` a moment later."""
    view = await own_talk(access, call, body.action)
    await access.audit("changeConsult", view.id)
    await access.service.engine.ask(ChangeConsult(view.id, ConsultAction(body.action)))
    return CallOut.of(await access.call(call))
