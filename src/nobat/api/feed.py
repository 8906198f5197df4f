"""``/v1/events``: what happens, as server-sent events."""

import json
import re
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse

from acd import picture
from acd.errors import Conflict
from acd.events import CallRefused
from acd.ids import AgentId, QueueId
from acd.supervision_events import AgentTold, SessionEvent, SupervisionBegun
from nobat.api.access import Access, AgentAccess
from nobat.api.edge import bearer_token
from nobat.api.responses import errors
from nobat.api.text import PathId
from nobat.auth import Principal, Role, TokenEnded
from nobat.feed import Feed, Seen

router = APIRouter(prefix="/v1", tags=["live"])

RECHECK_S = 1.0
"""The token is looked at again after so long. With what is remembered of it, and the silence in which nobody looks, a stream ends
within five seconds of its token."""
PHASES = 20
LOOK_AROUND_S = 2.0
"""And after so long at whom it may see."""
SILENCE_S = 15.0
"""A comment after so long a silence, so that nobody between takes the connection for dead."""
AT_ONCE = 500
MOST_READERS = 2_000
MOST_OF_ONE = 1_200
"""Streams of one token: nobody shuts out all others."""
_ID = re.compile(r"([0-9]{1,16})-([0-9]{1,16})")
_ONE: dict[str, Any] = {
    "type": "object",
    "description": "One event of the stream, by its lines.",
    "properties": {
        "id": {"type": "string", "description": "For `Last-Event-ID`."},
        "event": {
            "type": "string",
            "examples": ["CallQueued"],
            "description": "Its kind; `gap` where some are missing.",
        },
        "data": {"type": "string", "description": "JSON: the event's fields, or a gap's `reason`."},
        "retry": {"type": "integer", "description": "Milliseconds before one connects again."},
    },
}
_STREAM: dict[int | str, dict[str, Any]] = {
    200: {"description": "A stream that goes on.", "content": {"text/event-stream": {"schema": _ONE}}}
}


@router.get(
    "/events", operation_id="streamEvents", responses={**errors(404, 409), **_STREAM}, response_class=StreamingResponse
)
async def stream_events(
    request: Request,
    access: AgentAccess,
    queue: Annotated[list[PathId] | None, Query(description="Only events of these queues.")] = None,
    agent: Annotated[list[PathId] | None, Query(description="Only events of these agents.")] = None,
    kind: Annotated[list[PathId] | None, Query(description="Only these kinds.", examples=["CallQueued"])] = None,
    last_event_id: Annotated[str | None, Header(description="Go on after this event.", max_length=64)] = None,
) -> StreamingResponse:
    """Events as they happen (`text/event-stream`), of what the token may see.

    `Last-Event-ID` goes on after that event. If what follows it is not there any more (the service was restarted, or the reader was
    too slow), an event `gap` says so: ask for lists and figures again. A token that is revoked ends its streams within five
    seconds, one whose time is over likewise.
    """
    for name in queue or ():
        access.queue(name)
    for name in agent or ():
        access.agent(name)
    feed = access.service.feed
    if feed.readers >= MOST_READERS:
        raise Conflict("too_many_readers", f"{MOST_READERS:,} streams are open")
    if feed.readers_of[access.principal.token] >= MOST_OF_ONE:
        raise Conflict("too_many_readers", f"{MOST_OF_ONE:,} streams of this token are open")
    wanted = _Wanted(_set(queue), _set(agent), _set(kind))
    reader = _Reader(access, wanted, bearer_token(request.scope) or "", feed)
    return StreamingResponse(
        reader.stream(last_event_id), media_type="text/event-stream", headers={"x-accel-buffering": "no"}
    )


def _set(names: list[str] | None) -> frozenset[str] | None:
    return frozenset(names) if names is not None else None


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the reader asked for; None: everything."""

    queues: frozenset[str] | None
    agents: frozenset[str] | None
    kinds: frozenset[str] | None

    def takes(self, event: Seen) -> bool:
        return (
            (self.kinds is None or type(event).__name__ in self.kinds)
            and (self.queues is None or not self.queues.isdisjoint(_queues(event)))
            and (self.agents is None or not self.agents.isdisjoint(_agents(event)))
        )


def _queues(event: Seen) -> tuple[QueueId, ...]:
    queue = getattr(event, "queue", None)
    return (queue,) if queue is not None else getattr(event, "queues", ())


def _agents(event: Seen) -> tuple[AgentId, ...]:
    agent = getattr(event, "agent", None)
    return (agent,) if agent is not None else getattr(event, "agents", ())


@dataclass(slots=True)
class _Reader:
    """One stream, from the first byte to the last."""

    access: Access
    wanted: _Wanted
    token: str
    feed: Feed
    phase_s: float = 0.0
    """By so much the second look at the token comes sooner: readers who came together do not all look at the same moment."""
    checked_at: float = 0.0
    looked_at: float = 0.0
    queues: frozenset[QueueId] | None = None
    agents: frozenset[AgentId] | None = field(default=frozenset())

    async def stream(self, last: str | None) -> AsyncIterator[bytes]:
        mine = self.access.principal.token
        self.phase_s = RECHECK_S * (self.feed.readers % PHASES) / PHASES
        self.feed.readers += 1
        self.feed.readers_of[mine] += 1
        try:
            async for chunk in self._chunks(last):
                yield chunk
        finally:
            self.feed.readers -= 1
            self.feed.readers_of[mine] -= 1
            self.feed.readers_of += Counter()  # forgets who has none left

    async def _chunks(self, last: str | None) -> AsyncIterator[bytes]:
        feed, now = self.feed, self.access.service.now
        at, missing = self._place(last)
        yield b"retry: 2000\n\n" + (_gap(missing) if missing else b"")
        said_at = now()
        while not feed.closed and await self._still_may():
            if at < feed.begin:
                yield _gap("too_slow")
                at = feed.begin
            frames, count = [], 0
            for entry in feed.after(at, AT_ONCE):
                count += 1
                if self.wanted.takes(entry.event) and self._sees(entry.event):
                    frames.append(entry.frame)
            at += count
            if frames or now() - said_at >= SILENCE_S:
                yield b"".join(frames) if frames else b":\n\n"
                said_at = now()
            if not count:
                await feed.wait()

    def _place(self, last: str | None) -> tuple[int, str | None]:
        """From which event on, and what is missing before it."""
        feed = self.feed
        if last is None:
            return feed.end, None
        found = _ID.fullmatch(last)
        if found is None or int(found[1]) != feed.run or int(found[2]) >= feed.end:
            return feed.end, "restarted"
        following = int(found[2]) + 1
        return (following, None) if following >= feed.begin else (feed.begin, "too_old")

    async def _still_may(self) -> bool:
        """Look at the token again from time to time, and at whom it may see."""
        service = self.access.service
        if service.now() - self.checked_at < RECHECK_S:
            return True
        try:
            principal = await service.authenticator.principal(self.token)
        except TokenEnded:
            return False
        if principal is None:
            return False
        first, self.checked_at = not self.checked_at, service.now()
        if principal != self.access.principal or self.checked_at - self.looked_at >= LOOK_AROUND_S:
            self.looked_at = self.checked_at
            self._take(principal)
        if first:
            self.checked_at -= self.phase_s
        return True

    def _take(self, principal: Principal) -> None:
        self.access = Access(self.access.service, principal)
        self.queues = self.access.queues
        if principal.role is Role.AGENT:
            self.agents = frozenset({principal.agent} if principal.agent is not None else ())
        elif self.queues is None:
            self.agents = None
        else:
            everybody = self.access.service.engine.read(picture.agents)
            self.agents = frozenset(view.id for view in everybody if self.access.sees_agent(view))

    def _sees(self, event: Seen) -> bool:
        """Of a queue that one may not see, or an agent, nothing."""
        if isinstance(event, CallRefused):
            return self.queues is None
        if isinstance(event, SessionEvent):  # nobody learns from here that he is listened to
            token = event.token if isinstance(event, SupervisionBegun) else None
            return self.queues is None or token == self.access.principal.token
        if isinstance(event, AgentTold):  # to himself alone, and to who sees all sessions anyway
            return self.queues is None or event.agent == self.access.principal.agent
        queues, agents = _queues(event), _agents(event)
        if self.queues is not None and queues and self.queues.isdisjoint(queues):
            return False
        return self.agents is None or not agents or not self.agents.isdisjoint(agents)


def _gap(why: str) -> bytes:
    return f"event: gap\ndata: {json.dumps({'reason': why})}\n\n".encode("ascii")
