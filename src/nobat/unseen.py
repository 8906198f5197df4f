"""Callers whom the service never saw: they came and went while it was away, and Asterisk has left a note of each.

``ami.notes`` reads the notes after every look at everything. Who is in history already is forgotten there; who lives is left alone;
of whom nobody knows, history is made as it would have been: a visit with its outcome, a conversation if Asterisk has let him have
one. So nobody who was let in is missing, whatever was away.

``nobat.app`` hands over what a PBX delivers.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from acd.agents import Agent
from acd.calling import agent_at
from acd.calls import CallState
from acd.commands import RestorePlace, RestoreVisit
from acd.errors import AcdError
from acd.events import CallConnected, CallEnded, CallQueued, Event, TalkEnded, VisitDecided
from acd.floor import Floor
from acd.ids import AgentId, CallId, QueueId, pbx_of
from acd.outcomes import Outcome
from acd.views import CallView, TalkView, VisitView
from ami.outputs import Note, NotesFound
from nobat.engine import Engine
from nobat.ports import PbxLink
from nobat.storage.database import Database
from nobat.storage.errors import StorageUnavailable
from nobat.storage.unfinished import Known, known_to_history

log = structlog.get_logger(__name__)

SETTLES_S = 2.0
"""A note may be read before the events that tell of the same caller are worked through."""

MOST_PENDING = 1_000
"""Rows of history that may still be on their way to the database. A call that the floor does not remember any more ended before so
many others that there are more behind it: it is in the database then, or was never seen."""

BLINK_S = 0.25
"""A phone that was picked up and lost so soon may never have come into the conversation: the caller left, and nobody spoke."""


class History(Protocol):
    """The recorder, as far as it is needed here."""

    @property
    def pending(self) -> int: ...

    def note(self, events: Sequence[Event], ended: Sequence[CallView]) -> None: ...


@dataclass(slots=True)
class Unseen:
    """Of all PBXs."""

    engine: Engine
    database: Database
    history: History
    _written: set[CallId] = field(default_factory=set)  # by this run; not seen in the database yet
    _busy: set[PbxLink] = field(default_factory=set)
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    def found(self, link: PbxLink, what: NotesFound) -> None:
        """Deal with notes, after a moment. Those that come meanwhile are read again later."""
        if link not in self._busy:
            self._busy.add(link)
            task = asyncio.get_running_loop().create_task(self._deal_with(link, what.notes))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """What is not written now is at the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _deal_with(self, link: PbxLink, notes: tuple[Note, ...]) -> None:
        try:
            await asyncio.sleep(SETTLES_S)
            if self.history.pending > MOST_PENDING:
                return
            known = await known_to_history(self.database, [note.call for note in notes])
            self._written -= known.ended
            link.forget([note.call for note in notes if note.call in known.ended])
            written = [note for note in notes if await self._write(note, known)]
            if written:
                log.info("callers whom nobody saw are accounted for", calls=len(written))
        except StorageUnavailable:
            log.info("notes of callers wait for the database", notes=len(notes))
        finally:
            self._busy.discard(link)

    async def _write(self, note: Note, known: Known) -> bool:
        """Whether this caller is in history now, and was not."""
        if note.call in known.ended or note.call in known.begun or note.call in self._written:
            return False
        told = self.engine.read(lambda floor, now: history_of(floor, note, now))
        if told is None:
            return False
        self._written.add(note.call)
        events, view = told
        visit = view.visits[0]
        decided_at = visit.decided_at if visit.decided_at is not None else visit.entered_at
        outcome = view.outcome or Outcome.LOST
        with suppress(AcdError):
            await self.engine.ask(RestoreVisit(note.call, view.queue, visit.entered_at, decided_at, outcome))
        if outcome is not Outcome.ANSWERED and note.number is not None:
            with suppress(AcdError):
                await self.engine.ask(
                    RestorePlace(note.call, view.queue, note.number, note.entered_at, view.state_since)
                )
        self.history.note(events, [view])
        return True


def history_of(floor: Floor, note: Note, now: float) -> tuple[list[Event], CallView] | None:
    """What would have been told of this caller, and his record. None: he is known, or came to a queue that is no more."""
    queue = floor.queue_by_key(note.queue)
    if queue is None or note.call in floor.calls or note.call in floor.ended:
        return None
    gone_at = min(note.gone_at, now) if note.gone_at is not None else now
    connected_at = note.connected_at
    if connected_at is not None and gone_at - connected_at < BLINK_S:
        connected_at = None
    agent = agent_at(floor, note.device) if connected_at is not None and note.device is not None else None
    if connected_at is not None:
        outcome, decided_at = Outcome.ANSWERED, connected_at
    else:
        outcome, decided_at = Outcome.ABANDONED if note.gone_at is not None else Outcome.LOST, gone_at
    ended_by = "unseen" if note.gone_at is not None else "pbx_restart"
    view = _view(note, queue.spec.id, now, outcome, decided_at, gone_at, agent, ended_by)
    return _events(note, view, now, decided_at, agent), view


def _events(note: Note, view: CallView, now: float, decided_at: float, agent: Agent | None) -> list[Event]:
    call, queue, outcome = note.call, view.queue, view.outcome or Outcome.LOST
    waited_s = max(0.0, decided_at - note.entered_at)
    told: list[Event] = [
        CallQueued(now, call, queue, note.leg, note.entered_at, note.priority, note.number, None, adopted=True)
    ]
    if outcome is Outcome.ANSWERED:
        told.append(CallConnected(now, call, queue, _id(agent), note.device, waited_s))
        if agent is not None and view.talk_s is not None:
            told.append(TalkEnded(now, call, queue, agent.id, view.talk_s, 0.0, fault=False))
    told.append(VisitDecided(now, call, queue, outcome, note.entered_at, waited_s))
    told.append(CallEnded(now, call, queue, outcome, view.ended_by or "unseen"))
    return told


def _view(  # noqa: PLR0913, PLR0917 - what has been worked out of the note
    note: Note,
    queue: QueueId,
    now: float,
    outcome: Outcome,
    decided_at: float,
    gone_at: float,
    agent: Agent | None,
    ended_by: str,
) -> CallView:
    answered = outcome is Outcome.ANSWERED
    ended = answered and note.gone_at is not None
    by_agent = note.ended_at is not None and decided_at <= note.ended_at <= gone_at
    talked_until = note.ended_at if by_agent and note.ended_at is not None else gone_at
    talk_s = max(0.0, talked_until - decided_at) if ended else None  # of one nobody saw end, no figure is invented
    talk = TalkView(queue, _id(agent), note.device, None, None, decided_at, talked_until, talk_s or 0.0, 0.0)
    return CallView(
        id=note.call,
        leg=note.leg,
        pbx=pbx_of(note.call),
        queue=queue,
        state=CallState.ENDED,
        state_since=now,
        number=note.number,
        name=None,
        priority=note.priority,
        entered_at=note.entered_at,
        waited_s=max(0.0, decided_at - note.entered_at),
        position=None,
        outcome=outcome,
        offer=None,
        offered_to=(),
        agent=_id(agent),
        device=note.device if answered else None,
        connected_at=decided_at if answered else None,
        talk_s=talk_s,
        hold_s=0.0,
        ended_at=gone_at,
        ended_by=ended_by,
        disposition=None,
        notes=None,
        visits=(VisitView(queue, note.entered_at, decided_at, outcome),),
        talks=(talk,) if ended else (),
    )


def _id(agent: Agent | None) -> AgentId | None:
    return agent.id if agent is not None else None
