"""Bodies of ``/v1/callbacks``."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, Field, model_validator

from acd.callback_events import CallbackEnd
from acd.callback_policy import AttemptResult
from callback.sessions import SessionState
from callback.views import LiveCallback
from nobat.api.callback_offer_models import WindowIn
from nobat.api.queue_models import Body
from nobat.api.text import AgentSlug, Language, Name, PathId, QueueSlug, Zone
from nobat.api.times import Moment, moment, perhaps, rounded
from nobat.storage.database import seconds

CustomerNumber = Annotated[
    str, Field(min_length=1, max_length=40, description="In any writing.", examples=["+989121234567"])
]
When = Annotated[AwareDatetime, Field(strict=False)]
CODE = "With it the customer may change or cancel this by key. Told once, to whoever makes the promise; else null."
NOT_DIALLED = (
    "What keeps the customer from being dialled, whoever is free: `window_has_not_begun`, `gap_after_the_last_attempt`, "
    "`as_many_dialled_as_allowed`; null if nothing does."
)
Priority = Annotated[int, Field(ge=0, le=1_000)]


class CallbackIn(Body):
    """Either ``call``: a waiting caller is let go and called back at the own place. Or ``queue`` with a window of time."""

    number: CustomerNumber
    call: PathId | None = None
    queue: QueueSlug | None = None
    due_from: Annotated[When | None, Field(description="Not before; without it now.")] = None
    due_until: Annotated[When | None, Field(description="Not after: then it expires.")] = None
    window: Annotated[WindowIn | None, Field(description="Instead of both, a window on the clocks of `zone`.")] = None
    zone: Annotated[Zone, Field(description="Where the window was chosen.")] = "UTC"
    agent: Annotated[AgentSlug | None, Field(description="For this agent, as long as he is at work.")] = None
    name: Name | None = None
    language: Language | None = None
    priority: Priority = 0

    @model_validator(mode="after")
    def _one(self) -> "CallbackIn":
        if (self.call is None) is (self.queue is None):
            raise ValueError("name a call or a queue")
        if self.window is not None and (self.due_from is not None or self.due_until is not None):
            raise ValueError("name a window or its two moments")
        if self.queue is not None and self.due_until is None and self.window is None:
            raise ValueError("due_until is missing")
        return self


class CallbackPatch(Body):
    """Only what is named changes; not while the customer is being dialled."""

    number: CustomerNumber | None = None
    due_from: When | None = None
    due_until: When | None = None
    priority: Priority | None = None


class AttemptOut(BaseModel):
    """One try to reach the customer."""

    number: int = Field(description="1 is the first.")
    planned_at: Moment | None
    ended_at: Moment | None
    result: AttemptResult | None = Field(description="null: it goes on.")
    agent: str | None = Field(description="Who was reserved for it.")
    next_at: Moment | None = Field(description="Not again before.")


class CallbackOut(BaseModel):
    """A promise to call back, and what has become of it."""

    id: str
    queue: str
    number: str | None = Field(description="Null when it was erased.")
    name: str | None
    state: SessionState
    ended: CallbackEnd | None = Field(description="Why it is over.")
    ended_at: Moment | None
    position: int | None = Field(description="In line, 1 is the head; null when it does not stand there.")
    entered_at: Moment = Field(description="Where the place counts from.")
    promised_at: Moment
    expires_at: Moment
    due_from: Moment | None
    window: tuple[Moment, Moment] | None = Field(description="Between which times the customer was told to be called.")
    zone: str
    agent: str | None
    priority: int
    call: str | None = Field(description="Of the caller who was promised it.")
    reached_in: str | None = Field(description="The call in which the customer was on, or rang again.")
    waited_s: float | None = Field(description="From the entry to the end of it.")
    next_attempt_at: Moment | None
    not_dialled_because: str | None = Field(description=NOT_DIALLED)
    code: str | None = Field(default=None, description=CODE)
    attempts: list[AttemptOut]

    @classmethod
    def of(cls, row: dict[str, Any], attempts: list[dict[str, Any]], live: LiveCallback | None) -> "CallbackOut":
        if row["ended_at"] is None and live is not None and live.over is not None:  # not on disk yet
            end = live.over
            row = {
                **row,
                "ended_at": moment(end.at),
                "why": end.why.value,
                "in_call": end.call,
                "waited_s": end.waited_s,
            }
        over = row["ended_at"] is not None
        state = SessionState.ENDED if over else live.state if live is not None else SessionState.WAITING
        due = seconds(row["due_from"]) if row["due_from"] is not None else None
        return cls(
            id=row["id"],
            queue=row["queue_id"],
            number=row["number"],
            name=row["name"],
            state=state,
            ended=CallbackEnd(row["why"]) if over else None,
            ended_at=row["ended_at"],
            position=live.position if live is not None else None,
            entered_at=row["since"],
            promised_at=row["promised_at"],
            expires_at=row["expires_at"],
            due_from=row["due_from"] if due is not None else None,
            window=(row["window_from"], row["window_to"]) if row["window_from"] is not None else None,
            zone=row["zone"],
            agent=row["agent_id"],
            priority=row["priority"],
            call=row["call_id"],
            reached_in=row["in_call"] if row["in_call"] is not None else live.on if live is not None else None,
            waited_s=rounded(row["waited_s"]) if row["waited_s"] is not None else None,
            next_attempt_at=perhaps(live.next_at) if live is not None else None,
            not_dialled_because=live.held_up if live is not None else None,
            attempts=[_attempt(one, live) for one in attempts],
        )


def _attempt(row: dict[str, Any], live: LiveCallback | None) -> AttemptOut:
    """What is known of an attempt; the news of its end may not be on disk yet."""
    if row["result"] is None and live is not None and row["id"] in live.results:
        result, ended_at = live.results[row["id"]]
        row = {**row, "result": result.value, "ended_at": moment(ended_at)}
    return AttemptOut(
        number=int(row["id"].rpartition(".")[2]),
        planned_at=row["planned_at"],
        ended_at=row["ended_at"],
        result=AttemptResult(row["result"]) if row["result"] is not None else None,
        agent=row["agent_id"],
        next_at=row["next_at"],
    )


States = Literal["open", "reached", "hung_up", "gave_up", "cancelled", "expired", "rang_again", "not_kept", "refused"]
