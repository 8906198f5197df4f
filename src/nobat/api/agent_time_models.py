"""Bodies about an agent's time: the call that is his now, the work after it, and breaks with those that have to wait."""

from pydantic import BaseModel, Field

from acd.breaks import BreakReason
from acd.views import BreakRequestView, CurrentCall, WrapUpView
from nobat.api.caller_models import KnownCallerOut
from nobat.api.times import Moment, moment, perhaps, rounded


class BreakRequestOut(BaseModel):
    """A break that waits for its turn."""

    agent: str
    reason: str | None
    asked_at: Moment
    number: int = Field(description="1 is next among those who wait for a place in one of the same queues.")

    @classmethod
    def of(cls, view: BreakRequestView) -> "BreakRequestOut":
        return cls(agent=view.agent, reason=view.reason, asked_at=moment(view.asked_at), number=view.number)


class BreakReasonOut(BaseModel):
    """A known reason for a break."""

    code: str = Field(description="Dialled after `*13`.")
    name: str
    planned_s: float | None
    productive: bool = Field(description="It is work away from the phone, and counts as such.")

    @classmethod
    def of(cls, reason: BreakReason) -> "BreakReasonOut":
        return cls(code=reason.code, name=reason.name, planned_s=reason.planned_s, productive=reason.productive)


class WrapUpOut(BaseModel):
    """The work after a call."""

    queue: str
    since: Moment
    until: Moment | None = Field(description="Null: no end by time.")
    owes_disposition: bool = Field(description="Only a disposition ends it.")
    dispositions: list[str]

    @classmethod
    def of(cls, view: WrapUpView) -> "WrapUpOut":
        return cls(
            queue=view.queue,
            since=moment(view.since),
            until=perhaps(view.until),
            owes_disposition=view.owes,
            dispositions=list(view.dispositions),
        )


class CurrentCallOut(BaseModel):
    """The call that rings for the agent, is talked or worked on: known from the moment in which the phone is asked to ring."""

    call: str
    state: str
    queue: str
    queue_name: str
    number: str | None
    name: str | None = Field(description="As the PBX was told; nothing here proves it.")
    priority: int
    waited_s: float
    caller: KnownCallerOut | None = Field(description="Null: the directory does not know the number.")
    callback: str | None = Field(
        description="He is being called back, or was: while he is dialled, `call` is this id too."
    )
    listened_to: bool | None = Field(
        None,
        description="For the agent himself, where the queue tells its agents (`supervision.display`): whether a supervisor is in "
        "the conversation. Null for everybody else, and where it does not.",
    )

    @classmethod
    def of(cls, view: CurrentCall, listened_to: bool | None = None) -> "CurrentCallOut":
        known = view.profile
        return cls(
            call=view.id,
            state=view.state.value,
            queue=view.queue,
            queue_name=view.queue_name,
            number=view.number,
            name=view.name,
            priority=view.priority,
            waited_s=rounded(view.waited_s),
            caller=KnownCallerOut.of(view.caller, known) if view.caller is not None and known is not None else None,
            callback=view.callback,
            listened_to=listened_to,
        )
