"""``/v1/calls``: live calls from the floor and ended ones from history, as one list."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime
from starlette.exceptions import HTTPException

from acd import explain
from acd.calls import CallState
from acd.commands import AmendCall, HangUpCall
from acd.directory import writings
from acd.errors import NotFound, illegal_transition
from acd.events import CallAmended
from acd.ids import AgentId, QueueId
from acd.outcomes import Outcome
from acd.views import CallView
from nobat.api.access import Access, AgentAccess, SupervisorAccess
from nobat.api.call_models import CallOut, CallPatch
from nobat.api.paging import Cursor, Limit, Page, cut, decode
from nobat.api.responses import errors
from nobat.api.text import PathId, Word
from nobat.api.why_models import CallWhyOut
from nobat.auth import Role
from nobat.call_list import CallFilter, known_to_floor, of_floor
from nobat.storage import history

router = APIRouter(prefix="/v1/calls", tags=["calls"])

LAST_SECOND = 253_402_300_799.0


def _seconds(moment: datetime | None) -> float | None:
    """A bound as seconds since the epoch. No call is older than that or younger than the year 9999: such a bound is open."""
    return min(max(moment.timestamp(), 0.0), LAST_SECOND) if moment is not None else None


@router.get("", operation_id="listCalls", responses=errors())
async def list_calls(  # noqa: PLR0913, PLR0917 - one parameter for each filter
    access: AgentAccess,
    state: Annotated[list[CallState] | None, Query(description="May be given several times.")] = None,
    queue: Annotated[PathId | None, Query()] = None,
    agent: Annotated[PathId | None, Query()] = None,
    number: Annotated[
        PathId | None, Query(description="The caller's, in any writing that `[numbering]` understands.")
    ] = None,
    outcome: Outcome | None = None,
    disposition: Annotated[Word | None, Query(description="As the agent gave it, exactly.")] = None,
    entered_from: Annotated[AwareDatetime | None, Query(alias="from", description="Entered at or after.")] = None,
    entered_to: Annotated[AwareDatetime | None, Query(alias="to", description="Entered before.")] = None,
    limit: Limit = 200,
    cursor: Cursor = None,
) -> Page[CallOut]:
    """Calls, newest entry first."""
    before = decode(cursor, (float, str))
    is_agent = access.principal.role is Role.AGENT
    wanted = CallFilter(
        states=frozenset(state or CallState),
        queues=_queues(None if is_agent else access.queues, queue),
        agent=AgentId(agent) if agent is not None else None,
        own=(access.principal.agent or AgentId("")) if is_agent else None,
        numbers=writings(number, access.service.directory.numbering) if number is not None else None,
        entered_from=_seconds(entered_from),
        entered_to=_seconds(entered_to),
        outcome=outcome,
        disposition=disposition,
        before=(float(before[0]), str(before[1])) if before is not None else None,
    )
    views = await _newest(access, wanted, limit + 1)
    items, following = cut((((view.entered_at, view.id), CallOut.of(view)) for view in views), limit)
    return Page(items=items, next=following)


def _queues(visible: frozenset[QueueId] | None, queue: str | None) -> frozenset[QueueId] | None:
    """The queues that are wanted and may be seen; an agent's own calls may be of any queue."""
    if queue is None:
        return visible
    return frozenset({QueueId(queue)}) & visible if visible is not None else frozenset({QueueId(queue)})


async def _newest(access: Access, wanted: CallFilter, count: int) -> list[CallView]:
    """The newest ``count`` calls; where floor and history both know a call, the floor is right.

    A call of history that is among them has fewer than ``count`` rows of history before it, so so many are enough.
    """
    read = access.service.engine.read
    ended = await history.calls(access.service.database, wanted, count) if CallState.ENDED in wanted.states else []
    known = read(known_to_floor(ended))
    found = [*read(of_floor(wanted, count)), *(view for view in ended if view.id not in known)]
    return sorted(found, key=lambda view: (view.entered_at, view.id), reverse=True)[:count]


@router.get("/{call}", operation_id="getCall", responses=errors(404))
async def get_call(access: AgentAccess, call: PathId) -> CallOut:
    """One call, live or ended."""
    return CallOut.of(await access.call(call))


@router.get("/{call}/why", operation_id="whyCall", responses=errors(404))
async def why_call(access: AgentAccess, call: PathId) -> CallWhyOut:
    """Why a call is where it is: candidates, each exclusion with its reason, the order, what was decided and told.

    Of live calls and the last 2,000 that have ended; of older ones only the history is kept, and this is 404. An agent's
    token is told the agent's own part.
    """
    view = await access.call(call)
    why = access.service.engine.read(lambda floor, now: explain.why_call(floor, view.id, now))
    return CallWhyOut.of(_own_part(why, access.principal.agent) if access.principal.role is Role.AGENT else why)


def _own_part(why: explain.CallWhy, own: AgentId | None) -> explain.CallWhy:
    """What an agent may know: of colleagues, whom agents do not see, nothing."""
    decisions = tuple(
        replace(
            one,
            chosen=tuple(agent for agent in one.chosen if agent == own),
            order=tuple(rank for rank in one.order if rank[2] == own),
        )
        for one in why.decisions
    )
    return replace(
        why,
        held_for=why.held_for if why.held_for == own else None,
        candidates=tuple(one for one in why.candidates if one.agent == own),
        decisions=decisions,
    )


@router.patch("/{call}", operation_id="changeCall", responses=errors(404, 409))
async def change_call(access: AgentAccess, call: PathId, body: CallPatch) -> CallOut:
    """Priority, disposition and notes."""
    view = await access.call(call)
    if body.priority is not None and not access.principal.at_least(Role.SUPERVISOR):
        raise HTTPException(403)
    await access.audit("changeCall", view.id)
    try:
        await access.service.engine.ask(AmendCall(view.id, body.priority, body.disposition, body.notes))
    except NotFound:  # the floor has forgotten it: it is history
        await _amend_history(access, view, body)
    return CallOut.of(await access.call(call))


async def _amend_history(access: Access, view: CallView, body: CallPatch) -> None:
    if body.priority is not None:
        raise illegal_transition(f"call {view.id}", view.state, "waiting at another priority")
    disposition = body.disposition if body.disposition is not None else view.disposition
    notes = body.notes if body.notes is not None else view.notes
    amended = CallAmended(access.service.now(), view.id, view.queue, view.priority, disposition, notes)
    await access.service.recorder.commit([amended])


@router.post("/{call}/hangup", status_code=202, operation_id="hangUpCall", responses=errors(404, 409))
async def hang_up(access: SupervisorAccess, call: PathId) -> CallOut:
    """End a call. 409 when it has ended already."""
    view = await access.call(call)
    if view.state is CallState.ENDED:
        raise illegal_transition(f"call {view.id}", view.state, CallState.ENDED)
    await access.audit("hangUpCall", view.id)
    await access.service.engine.ask(HangUpCall(view.id))
    return CallOut.of(await access.call(call))
