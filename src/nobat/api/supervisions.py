"""``/v1/supervisions``: supervisors listen, whisper, break in, confer, take calls over and hand them back.

Roles and what a token may see are checked here, as for everything; who may hear whom at this moment is ``whisper.policy``'s, which
looks again at every change of the conversation.
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from fastapi import APIRouter

from acd.errors import Conflict, unknown
from acd.ids import AgentId, QueueId, SupervisionId
from nobat.api import devices
from nobat.api.access import Access, SupervisorAccess
from nobat.api.paging import Cursor, Limit, Page, cut, decode
from nobat.api.responses import errors
from nobat.api.supervision_models import (
    HandBackIn,
    HeardOut,
    ModeIn,
    SupervisionIn,
    SupervisionOut,
    SupervisionWhole,
)
from nobat.api.text import PathId
from nobat.storage import supervisions as stored
from nobat.storage.supervisions import StoredSupervision
from whisper import views
from whisper.commands import ChangeMode, HandBack, StartSupervision, StopSupervision, TakeOver
from whisper.policy import Supervisor
from whisper.sessions import State
from whisper.supervision import Supervision
from whisper.views import SupervisionView

router = APIRouter(prefix="/v1/supervisions", tags=["supervision"])

T = TypeVar("T")

LOOK_EVERY_S = 0.02
AT_ONCE_S = 1.0
"""How long a phone that refuses has to say so, to be the answer to the request itself."""


def supervisor_of(access: Access) -> Supervisor:
    """Whoever asks, as far as supervision is concerned."""
    who = access.principal
    return Supervisor(who.token, who.name, who.role.value, access.queues)


def _read(access: Access, view: Callable[[Supervision], T]) -> T:
    return view(access.service.supervision)


def _sees(access: Access, one: SupervisionView | StoredSupervision) -> bool:
    """One's own sessions, and for whoever may see everything all of them."""
    token = one.supervisor.token if isinstance(one, SupervisionView) else one.token
    return access.queues is None or token == access.principal.token


async def _find(access: Access, wanted: str) -> SupervisionView | StoredSupervision:
    """Live, or from history. Raises ``unknown_supervision``."""
    known = _read(access, lambda all_of_them: views.known(all_of_them, SupervisionId(wanted)))
    found = known if known is not None else await stored.get(access.service.database, wanted)
    if found is None or not _sees(access, found):
        raise unknown("supervision", wanted)
    return found


def _out(found: SupervisionView | StoredSupervision) -> SupervisionOut:
    return SupervisionOut.of(found) if isinstance(found, SupervisionView) else SupervisionOut.of_stored(found)


@router.post("", status_code=201, operation_id="startSupervision", responses=errors(404, 409))
async def start(access: SupervisorAccess, body: SupervisionIn) -> SupervisionOut:
    """Ring the supervisor's phone and bring it into the conversation. The phone rings once, whatever mode follows.

    409 names what keeps it from that: the phone (`phone_busy`, `phone_unreachable`, `phone_rejected`, `already_supervising`,
    `device_taken`), the rights of this moment (`outside_your_queues`, `supervision_forbidden`) or the call's state. A phone that
    nobody picks up ends the session with `phone_no_answer`.
    """
    agent = access.agent(body.agent) if body.agent is not None else None
    call = await access.call(body.call) if body.call is not None else None
    device = devices.named(access.service.home_pbx, body.device, accept=False)
    target = f"agent {agent.id}" if agent is not None else f"call {call.id}" if call is not None else ""
    await access.audit("startSupervision", f"{target} {body.mode} at {body.device}")
    await access.service.engine.ask(
        StartSupervision(
            supervisor_of(access),
            device,
            body.mode,
            agent.id if agent is not None else None,
            call.id if call is not None else None,
            body.ring_s,
        )
    )
    begun = _read(access, lambda all_of_them: views.latest_at(all_of_them, device))
    if begun is None:
        raise unknown("supervision", body.device)
    return SupervisionOut.of(await _unless_refused(access, begun))


async def _unless_refused(access: Access, begun: SupervisionView) -> SupervisionView:
    """The session once its phone has said something, or a moment later. Raises Conflict for a phone that does not want it."""
    until = access.service.now() + AT_ONCE_S
    while True:
        seen = _read(access, lambda all_of_them: views.known(all_of_them, begun.id)) or begun
        if seen.state is State.ENDED and seen.reason is not None and seen.reason.startswith("phone_"):
            raise Conflict(seen.reason, "the supervisor's phone did not take the call", supervision=seen.id)
        if seen.state is not State.RINGING or access.service.now() >= until:
            return seen
        await asyncio.sleep(LOOK_EVERY_S)


@router.get("", operation_id="listSupervisions", responses=errors())
async def list_supervisions(
    access: SupervisorAccess, limit: Limit = 200, cursor: Cursor = None
) -> Page[SupervisionOut]:
    """Sessions, the newest first: live ones and those of history. A supervisor who is bound to queues sees the own."""
    before = decode(cursor, (float, str))
    key = (float(before[0]), str(before[1])) if before is not None else None
    live = _read(access, views.live)
    now = [one for one in live if _sees(access, one) and (key is None or (one.began_at, one.id) < key)]
    own = access.principal.token if access.queues is not None else None
    rows = await stored.listed(access.service.database, {one.id for one in live}, own, key, limit + 1)
    found: list[SupervisionView | StoredSupervision] = [*now, *rows]
    found.sort(key=lambda one: (one.began_at, one.id), reverse=True)
    items, following = cut((((one.began_at, one.id), _out(one)) for one in found), limit)
    return Page(items=items, next=following)


@router.get("/{supervision}", operation_id="getSupervision", responses=errors(404))
async def get(access: SupervisorAccess, supervision: PathId) -> SupervisionWhole:
    """One session, with every conversation that was heard in it, by mode."""
    found = await _find(access, supervision)
    spans = await stored.spans(access.service.database, found.id)
    return SupervisionWhole(**_out(found).model_dump(), heard=[HeardOut.of(one) for one in spans])


@router.patch("/{supervision}", operation_id="changeSupervision", responses=errors(404, 409))
async def change(access: SupervisorAccess, supervision: PathId, body: ModeIn) -> SupervisionOut:
    """Go on in another mode. Nobody's sound is cut, and the phone does not ring again."""
    found = await _find(access, supervision)
    await access.audit("changeSupervision", f"{found.id} {body.mode}")
    await access.service.engine.ask(ChangeMode(found.id, body.mode))
    return _out(await _find(access, supervision))


@router.delete("/{supervision}", status_code=204, operation_id="stopSupervision", responses=errors(404, 409))
async def stop(access: SupervisorAccess, supervision: PathId) -> None:
    """The supervisor leaves, the call goes on. One that was taken over ends: hand it back first."""
    found = await _find(access, supervision)
    await access.audit("stopSupervision", found.id)
    await access.service.engine.ask(StopSupervision(found.id))


@router.post("/{supervision}/take-over", status_code=202, operation_id="takeOver", responses=errors(404, 409))
async def take_over(access: SupervisorAccess, supervision: PathId) -> SupervisionOut:
    """From a conference: the agent leaves (his wrap-up begins) and the supervisor talks to the caller alone."""
    found = await _find(access, supervision)
    await access.audit("takeOver", found.id)
    await access.service.engine.ask(TakeOver(found.id))
    return _out(await _find(access, supervision))


@router.post("/{supervision}/hand-back", status_code=202, operation_id="handBack", responses=errors(404, 409))
async def hand_back(access: SupervisorAccess, supervision: PathId, body: HandBackIn) -> SupervisionOut:
    """Pass the caller who was taken over to the agent who had him, or to another; his wrap-up of this call ends. The session
    goes on in mode `listen`. An agent who does not answer brings the caller to the head of the line.
    """
    found = await _find(access, supervision)
    agent = access.agent(body.agent).id if body.agent is not None else None
    await access.audit("handBack", found.id)
    await access.service.engine.ask(HandBack(found.id, agent))
    return _out(await _find(access, supervision))


def visible(access: Access, queue: QueueId, agent: AgentId) -> bool:
    """Whether a request for help in a call of ``queue`` is the reader's to see."""
    if access.principal.agent is not None:
        return agent == access.principal.agent
    return access.sees_queue(queue)
