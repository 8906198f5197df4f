"""``/v1/calls/{call}/history``: all that is on record of one call, in one answer."""

from collections.abc import Iterable
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from acd.ids import QueueId
from acd.supervision_events import SessionEvent
from nobat.api.access import Access, SupervisorAccess
from nobat.api.call_models import CallOut
from nobat.api.callback_models import CallbackOut
from nobat.api.callbacks import as_shown
from nobat.api.recording_models import RecordingOut
from nobat.api.responses import errors
from nobat.api.text import PathId
from nobat.api.times import Moment, moment, rounded
from nobat.feed import plain
from nobat.storage import callbacks, happenings, recordings
from nobat.storage.happenings import Happening
from nobat.storage.recordings import Wanted

router = APIRouter(prefix="/v1/calls", tags=["calls"])

MOST_EVENTS = 2_000
MOST_LINKS = 20
"""Callbacks in one chain."""
MOST_RECORDINGS = 200
_SECRET = frozenset(kind.__name__ for kind in SessionEvent.__args__)


class MissOut(BaseModel):
    """An agent's phone did not take an offer."""

    agent: str
    at: Moment
    cause: str = Field(examples=["no_answer"])


class OfferOut(BaseModel):
    """Phones were rung for the caller."""

    id: str
    queue: str
    at: Moment
    agents: list[str]
    misses: list[MissOut]
    result: Literal["answered", "declined", "not_placed", "left"] = Field(
        description="`left`: the caller did, or the call was taken elsewhere; or phones ring still."
    )
    ended_at: Moment | None = Field(description="Null when that is not told apart from the end of the wait.")
    answered_by: str | None


class ConversationOut(BaseModel):
    """An agent's part of the call, with the work that followed."""

    queue: str
    agent: str
    began_at: Moment
    ended_at: Moment
    talk_s: float = Field(description="Hold included.")
    hold_s: float
    wrap_up_s: float | None = Field(description="Null: none, or it goes on.")
    fault: bool = Field(description="The agent's connection died.")


class HappeningOut(BaseModel):
    """An event, with the fields that it has in the live feed."""

    at: Moment
    kind: str = Field(examples=["CallQueued"])
    data: dict[str, Any]


class CallHistoryOut(BaseModel):
    """The call as `/v1/calls/{call}` has it (legs, visits, talks, transfers, survey, disposition), and what else is known of it."""

    call: CallOut
    offers: list[OfferOut]
    conversations: list[ConversationOut] = Field(description="Of agents, those that are over.")
    recordings: list[RecordingOut]
    callbacks: list[CallbackOut] = Field(
        description="The chain: callbacks promised in this call, or by which it came about, and so on, the earliest first."
    )
    chain: list[str] = Field(description="The calls of this chain, this one among them, in order of the promises.")
    events: list[HappeningOut] = Field(description="In order, 2,000 at most.")
    on_its_way: int = Field(description="Rows of history, of any call, that are not in the database yet.")


@router.get("/{call}/history", operation_id="getCallHistory", responses=errors(404))
async def get_call_history(access: SupervisorAccess, call: PathId) -> CallHistoryOut:
    """All that is on record of a call: each offer and who did not take it, conversations with the work after them, recordings, the
    chain of its callbacks, and every event. What has just happened may be on its way for a second."""
    view = await access.call(call)
    database = access.service.database
    events = [one for one in await happenings.of_call(database, view.id, MOST_EVENTS) if _may_see(access, one)]
    kept = await recordings.listed(database, Wanted(access.queues, call=view.id), MOST_RECORDINGS)
    chain, calls = await _chain(access, view.id)
    return CallHistoryOut(
        call=CallOut.of(view),
        offers=_offers(events),
        conversations=[_conversation(row) for row in await happenings.conversations(database, view.id)],
        recordings=[RecordingOut.of(one) for one in sorted(kept, key=lambda one: one.began_at)],
        callbacks=await as_shown(access, chain),
        chain=calls,
        events=[shown(one) for one in events],
        on_its_way=access.service.recorder.pending,
    )


def _may_see(access: Access, one: Happening) -> bool:
    """Who listens to whom is told as in the live feed: not to everybody."""
    return access.queues is None or one.kind not in _SECRET


def shown(one: Happening) -> HappeningOut:
    names = {"queue": one.queue, "agent": one.agent}
    data = {name: value for name, value in names.items() if value is not None}
    return HappeningOut(at=moment(one.at), kind=one.kind, data=data | plain(one.data))


def _conversation(row: dict[str, Any]) -> ConversationOut:
    return ConversationOut(
        queue=row["queue_id"],
        agent=row["agent_id"],
        began_at=row["began_at"],
        ended_at=row["ended_at"],
        talk_s=rounded(row["talk_s"]),
        hold_s=rounded(row["hold_s"]),
        wrap_up_s=rounded(row["wrap_up_s"]) if row["wrap_up_s"] is not None else None,
        fault=row["fault"],
    )


# ------------------------------------------------------------ offers


def _offers(events: Iterable[Happening]) -> list[OfferOut]:
    """Each offer with what came of it. A conversation is of the last one before it."""
    found: dict[str, OfferOut] = {}
    last: OfferOut | None = None
    for one in events:
        if one.kind == "CallOffered":
            last = found[one.data["offer"]] = OfferOut(
                id=one.data["offer"],
                queue=one.queue or "",
                at=moment(one.at),
                agents=one.data["agents"],
                misses=[],
                result="left",
                ended_at=None,
                answered_by=None,
            )
        elif one.kind == "CallConnected":
            if last is not None and last.result == "left" and (one.agent is None or one.agent in last.agents):
                last.result, last.ended_at, last.answered_by = "answered", moment(one.at), one.agent
        elif (offer := found.get(one.data.get("offer", ""))) is not None:
            _ended(offer, one)
    return list(found.values())


def _ended(offer: OfferOut, one: Happening) -> None:
    if one.kind == "OfferDeclined":
        offer.misses.append(MissOut(agent=one.agent or "", at=moment(one.at), cause=one.data["cause"]))
    elif one.kind == "OfferClosed":
        offer.result, offer.ended_at = "declined", moment(one.at)
    elif one.kind == "OfferNotPlaced":
        offer.result, offer.ended_at = "not_placed", moment(one.at)


# ------------------------------------------------------------ the chain of callbacks


async def _chain(access: Access, call: str) -> tuple[list[dict[str, Any]], list[str]]:
    """Callbacks that hang together with a call, and the calls between them: those in which each was promised and came true."""
    found: dict[str, dict[str, Any]] = {}
    calls, wanted = {call}, {call}
    while wanted and len(found) < MOST_LINKS:
        for row in await callbacks.of_call(access.service.database, wanted.pop()):
            if access.sees_queue(QueueId(row["queue_id"])):
                found[row["id"]] = row
                wanted |= {row["call_id"], row["in_call"]} - {None} - calls
                calls |= wanted
    rows = sorted(found.values(), key=lambda row: row["promised_at"])
    order = [one for row in rows for one in (row["call_id"], row["in_call"]) if one is not None]
    return rows, list(dict.fromkeys(order or [call]))
