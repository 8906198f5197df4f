"""Who may do what to which object: roles and visibility, in one place.

A route asks for ``Annotated[Access, Depends(role)]`` and gets objects only through it. A thing one may not see does not exist
(404); an operation above one's role is refused whatever the object (403).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from starlette.exceptions import HTTPException

from acd import picture
from acd.errors import NotFound, unknown
from acd.ids import AgentId, CallId, QueueId
from acd.views import AgentView, CallView, QueueView
from nobat.api.service import Service
from nobat.auth import Principal, Role
from nobat.storage import history
from nobat.storage.audit import AuditEntry

_scheme = HTTPBearer(auto_error=False, description="A token made by `nobat token create`.")


@dataclass(frozen=True, slots=True)
class Access:
    """One caller's view of the service, for one request."""

    service: Service
    principal: Principal

    async def audit(self, action: str, target: str) -> None:
        """Write down what is about to be done; on disk when this returns. Raises ``StorageUnavailable``."""
        who = self.principal
        entry = AuditEntry(self.service.now(), who.token, who.name, who.role.value, action, target)
        await self.service.recorder.commit([entry])

    @property
    def queues(self) -> frozenset[QueueId] | None:
        """The queues that may be seen; None for all."""
        if self.principal.role is Role.AGENT:
            try:
                return frozenset(self._own_agent().queues)
            except NotFound:
                return frozenset()
        return self.principal.queues or None if self.principal.role is Role.SUPERVISOR else None

    def queue(self, queue: str) -> QueueView:
        """Raises ``unknown_queue``."""
        if not self.sees_queue(QueueId(queue)):
            raise unknown("queue", queue)
        return self.service.engine.read(lambda floor, now: picture.queue(floor, QueueId(queue), now))

    def only(self, queue: str | None) -> frozenset[QueueId] | None:
        """The queues that may be seen, or of these the one that is asked for: none if it may not."""
        if queue is None:
            return self.queues
        return frozenset({QueueId(queue)}) if self.sees_queue(QueueId(queue)) else frozenset()

    def sees_queue(self, queue: QueueId) -> bool:
        return self.queues is None or queue in self.queues

    def agent(self, agent: str) -> AgentView:
        """Raises ``unknown_agent``."""
        found = self.service.engine.read(lambda floor, now: picture.agent(floor, AgentId(agent), now))
        if not self.sees_agent(found):
            raise unknown("agent", agent)
        return found

    def sees_agent(self, agent: AgentView) -> bool:
        """Agents see themselves; supervisors those who share a queue with them."""
        if self.principal.role is Role.AGENT:
            return agent.id == self.principal.agent
        return self.queues is None or not self.queues.isdisjoint(agent.queues)

    async def call(self, call: str) -> CallView:
        """Live or from history. Raises ``unknown_call``."""
        try:
            found = self.service.engine.read(lambda floor, now: picture.call(floor, CallId(call), now))
        except NotFound:
            stored = await history.call(self.service.database, call)
            if stored is None:
                raise
            found = stored
        if not self.sees_call(found):
            raise unknown("call", call)
        return found

    def sees_call(self, call: CallView) -> bool:
        """Agents see the calls that they are offered or had; supervisors those that went through their queues."""
        if self.principal.role is Role.AGENT:
            had = (talk.agent for talk in call.talks)
            asked = call.consult.agent if call.consult is not None else None
            return self.principal.agent is not None and self.principal.agent in (*had, *call.offered_to, asked)
        return self.queues is None or any(visit.queue in self.queues for visit in call.visits)

    def _own_agent(self) -> AgentView:
        own = self.principal.agent or AgentId("")
        return self.service.engine.read(lambda floor, now: picture.agent(floor, own, now))


def at_least(role: Role) -> Callable[..., Awaitable[Access]]:
    """The dependency of a route that needs ``role``."""

    async def allowed(request: Request, _bearer: Annotated[object, Depends(_scheme)]) -> Access:
        principal = getattr(request.state, "principal", None)
        if not isinstance(principal, Principal):
            raise HTTPException(401)
        if not principal.at_least(role):
            raise HTTPException(403)
        return Access(cast(Service, request.app.state.service), principal)

    return allowed


AgentAccess = Annotated[Access, Depends(at_least(Role.AGENT))]
SupervisorAccess = Annotated[Access, Depends(at_least(Role.SUPERVISOR))]
AdminAccess = Annotated[Access, Depends(at_least(Role.ADMIN))]
