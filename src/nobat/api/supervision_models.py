"""Bodies of ``/v1/supervisions`` and ``/v1/help-requests``, and what a queue wants of supervision."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from acd.ids import AgentId
from acd.queues import SupervisionPolicy
from acd.supervision_port import Mode
from nobat.api import devices
from nobat.api.text import AgentSlug, DialString
from nobat.api.times import Moment, moment, perhaps
from nobat.storage.supervisions import Span, StoredSupervision
from whisper.helping import HelpRequest
from whisper.sessions import Place, State
from whisper.views import SupervisionView


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


Tone = Annotated[bool, Field(description="Caller and agent hear a short tone as a supervisor joins them.")]
Display = Annotated[
    str,
    Field(
        max_length=40,
        pattern=r"^[A-Za-z0-9 .\u00a1-\ud7ff\uf900-\uffef-]*$",
        description="While a supervisor is in the conversation the agent's phone shows this in place of the caller's name, and the "
        "agent's own application is told (`current.listened_to`). Empty: neither.",
        examples=["Listened to"],
    ),
]
Exempt = Annotated[
    list[AgentSlug], Field(max_length=1_000, description="Agents who serve this queue and are never supervised.")
]
AMode = Annotated[
    Mode,
    Field(
        strict=False,
        description="`listen` hears both, heard by none; `whisper` is heard by the agent, `barge` by both; `conference` is a "
        "full member: agent or caller may leave, and the others talk on.",
    ),
]
Target = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9_.-]+$")]


class SupervisionPolicyIn(_Part):
    """What holds when a supervisor listens to this queue's calls."""

    tone: Tone = False
    display: Display = ""
    exempt: Exempt = []

    def policy(self) -> SupervisionPolicy:
        return SupervisionPolicy(self.tone, self.display, tuple(AgentId(one) for one in self.exempt))


class SupervisionPolicyPatch(_Part):
    tone: Tone | None = None
    display: Display | None = None
    exempt: Exempt | None = None


class SupervisionIn(_Part):
    """Whom to supervise, with which phone. Of an agent the session goes with him from call to call until it is ended; of a call it
    ends with it.
    """

    agent: Target | None = None
    call: Target | None = None
    device: DialString
    mode: AMode = Mode.LISTEN
    ring_s: Annotated[int, Field(ge=1, le=120, description="How long the supervisor's phone rings.")] = 25

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.agent is None) == (self.call is None):
            raise ValueError("name either agent or call")
        if "@" in self.device:
            raise ValueError("a supervisor's phone is a phone of the PBX")
        return self


class ModeIn(_Part):
    mode: AMode


class HandBackIn(_Part):
    """To whom the call goes back: unless said otherwise, to the agent who had it."""

    agent: Target | None = None


class HelpIn(_Part):
    """Who needs help. With an agent's token: the agent himself, whatever is said."""

    agent: Target | None = None


class ConversationOut(BaseModel):
    """Where the supervisor is, or is on the way to."""

    call: str
    queue: str
    agent: str

    @classmethod
    def of(cls, place: Place) -> "ConversationOut":
        return cls(call=place.call, queue=place.queue, agent=place.agent)


class SupervisionOut(BaseModel):
    """A session."""

    id: str
    supervisor: str = Field(description="The name of the token.")
    device: str | None
    agent: str | None = Field(description="Whom it follows; null for a session of one call.")
    call: str | None = Field(description="The call it is of; null for a session of an agent.")
    mode: Mode
    state: State = Field(
        description="`ringing`: the supervisor's phone; `quiet`: picked up, and there is nothing to hear; `joining`, `joined`; "
        "`ended`. `unseen`: the service was restarted and has not looked yet."
    )
    conversation: ConversationOut | None = Field(description="Null while it hears nobody.")
    taken_over: bool = Field(description="The agent has left: the supervisor has the caller alone.")
    began_at: Moment
    joined_at: Moment | None = Field(description="Since when it is in this conversation and mode.")
    ended_at: Moment | None
    reason: str | None = Field(
        description="Why it ended: `supervisor`, `call_ended`, `right_lost`, `agent_gone`, `leg_lost`, `not_recorded`, `unseen`, "
        "or what the phone did: `phone_busy`, `phone_no_answer`, `phone_rejected`, `phone_unreachable`, `phone_failed`."
    )

    @classmethod
    def of(cls, view: SupervisionView) -> "SupervisionOut":
        return cls(
            id=view.id,
            supervisor=view.supervisor.name,
            device=devices.shown(view.device),
            agent=view.agent,
            call=view.call,
            mode=view.mode,
            state=view.state,
            conversation=ConversationOut.of(view.place) if view.place is not None else None,
            taken_over=view.taken_over,
            began_at=moment(view.began_at),
            joined_at=perhaps(view.joined_at),
            ended_at=perhaps(view.ended_at),
            reason=view.reason,
        )

    @classmethod
    def of_stored(cls, one: StoredSupervision) -> "SupervisionOut":
        return cls(
            id=one.id,
            supervisor=one.name,
            device=devices.shown(one.device),
            agent=one.agent,
            call=one.call,
            mode=one.mode,
            state=State.ENDED,
            conversation=None,
            taken_over=False,
            began_at=moment(one.began_at),
            joined_at=None,
            ended_at=perhaps(one.ended_at),
            reason=one.reason,
        )


class HeardOut(BaseModel):
    """A conversation that was heard in one mode."""

    call: str
    queue: str
    agent: str
    mode: Mode
    from_at: Moment
    to_at: Moment | None = Field(description="Null while it is heard.")

    @classmethod
    def of(cls, span: Span) -> "HeardOut":
        return cls(
            call=span.call,
            queue=span.queue,
            agent=span.agent,
            mode=span.mode,
            from_at=moment(span.from_at),
            to_at=perhaps(span.to_at),
        )


class SupervisionWhole(SupervisionOut):
    """A session with all that was heard in it."""

    heard: list[HeardOut]


class HelpOut(BaseModel):
    """An agent asks for help in the call that is on."""

    agent: str
    call: str
    queue: str
    asked_at: Moment

    @classmethod
    def of(cls, one: HelpRequest) -> "HelpOut":
        return cls(agent=one.agent, call=one.call, queue=one.queue, asked_at=moment(one.asked_at))
