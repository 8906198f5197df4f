"""``POST /v1/calls/{call}/offer`` and ``/transfer``: calls that change hands."""

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field, model_validator

from acd.calls import CallState
from acd.commands import ConsultCall, OfferCall, TransferCall
from acd.errors import illegal_transition
from acd.ids import AgentId
from acd.talks import PlacePolicy, TargetKind
from acd.views import CallView
from nobat.api.access import AgentAccess, SupervisorAccess
from nobat.api.call_models import CallOut
from nobat.api.queue_models import Body
from nobat.api.responses import errors
from nobat.api.text import PathId
from nobat.auth import Role

router = APIRouter(prefix="/v1/calls", tags=["calls"])

Target = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^\+?[A-Za-z0-9_-]+$")]


class OfferIn(Body):
    """To whom a waiting call is handed, whatever his queues and skills. He must be free and reachable."""

    agent: Target


class TargetIn(Body):
    """One of the three."""

    queue: Target | None = None
    agent: Target | None = None
    number: Annotated[
        str | None, Field(pattern=r"^\+?[0-9]{2,20}$", description="Outside; see the setting `transfers.outside`.")
    ] = None

    @model_validator(mode="after")
    def _one(self) -> "TargetIn":
        if sum(value is not None for value in (self.queue, self.agent, self.number)) != 1:
            raise ValueError("name one of queue, agent and number")
        return self

    @property
    def pair(self) -> tuple[TargetKind, str]:
        for kind in TargetKind:
            value = getattr(self, kind.value)
            if value is not None:
                return kind, value
        raise ValueError("no target")


class TransferIn(Body):
    """A call is passed on. An agent must be free and reachable; one who then does not answer brings the caller to the head of
    the line from which he was answered, and so does a number.
    """

    to: TargetIn
    mode: Annotated[
        Literal["blind", "attended"],
        Field(
            description=(
                "`blind`: unannounced, whoever had the call is done with it. `attended`: begins a consult, like "
                "`POST /v1/calls/{call}/consult`."
            )
        ),
    ] = "blind"
    place: Annotated[
        Literal["front", "kept", "end"],
        Field(description="In a queue: at its head, by the original time of entry, or at its end."),
    ] = "kept"


@router.post("/{call}/offer", status_code=202, operation_id="offerCall", responses=errors(404, 409))
async def offer(access: SupervisorAccess, call: PathId, body: OfferIn) -> CallOut:
    """Hand a waiting call to a chosen agent. 409 names what keeps him from it; the caller's place is not touched."""
    view = await access.call(call)
    _must_be(view, CallState.WAITING, "offered")
    agent = access.agent(body.agent)
    await access.audit("offerCall", view.id)
    await access.service.engine.ask(OfferCall(view.id, agent.id))
    return CallOut.of(await access.call(call))


@router.post("/{call}/transfer", status_code=202, operation_id="transferCall", responses=errors(404, 409))
async def transfer(access: AgentAccess, call: PathId, body: TransferIn) -> CallOut:
    """Pass a conversation on. With an agent's token only the agent's own."""
    view = await own_talk(access, call, "transferred")
    kind, to = target(access, body.to)
    await access.audit("transferCall", view.id)
    if body.mode == "attended":
        await access.service.engine.ask(ConsultCall(view.id, kind, to))
    else:
        await access.service.engine.ask(TransferCall(view.id, kind, to, PlacePolicy(body.place)))
    return CallOut.of(await access.call(call))


async def own_talk(access: AgentAccess, call: str, wanted: str) -> CallView:
    """A call that talks; with an agent's token it must be the agent who has the caller."""
    view = await access.call(call)
    if access.principal.role is Role.AGENT and view.agent != access.principal.agent:
        raise illegal_transition(f"call {view.id}", view.state, wanted)
    _must_be(view, CallState.TALKING, wanted)
    return view


def target(access: AgentAccess, to: TargetIn) -> tuple[TargetKind, str]:
    """Supervisors pass calls to agents whom they see; agents to any."""
    kind, name = to.pair
    if kind is TargetKind.AGENT and access.principal.role is not Role.AGENT:
        access.agent(AgentId(name))
    return kind, name


def _must_be(view: CallView, state: CallState, wanted: str) -> None:
    """Before it is written down that somebody asked."""
    if view.state is not state:
        raise illegal_transition(f"call {view.id}", view.state, wanted)
