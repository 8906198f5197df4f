"""Bodies of ``/v1/agents``."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, model_validator

from acd.agents import AgentSpec, AgentState, Status
from acd.errors import Invalid
from acd.ids import AgentId, DeviceId, PbxId, QueueId, reached_by
from acd.views import AgentView
from nobat.api import devices
from nobat.api.agent_time_models import BreakRequestOut, CurrentCallOut, WrapUpOut
from nobat.api.devices import Accept
from nobat.api.queue_models import Body, Skills
from nobat.api.text import AgentSlug, DialString, Name, Notes, Pin, QueueSlug, Word
from nobat.api.times import Moment, moment, perhaps

Queues = Annotated[list[QueueSlug], Field(max_length=200, examples=[["sales"]])]
Weights = Annotated[
    dict[QueueSlug, Annotated[int, Field(ge=1, le=1_000)]],
    Field(
        max_length=200, examples=[{"sales": 3}], description="Chances by queue, for `weighted`; 1 where none is named."
    ),
]
Ranks = Annotated[
    dict[QueueSlug, Annotated[int, Field(ge=0, le=10_000)]],
    Field(
        max_length=200, examples=[{"sales": 1}], description="Place by queue, for `linear`: the smallest first; else 0."
    ),
]
PbxChoice = Annotated[Word | None, Field(description="The device's PBX; the first of the settings unless named.")]


class AgentIn(Body):
    """A new agent."""

    id: Annotated[AgentSlug, Field(description="Digits only if the agent is to sign in by phone.")]
    name: Name = ""
    device: Annotated[
        DialString | None, Field(description="Where the agent is reached unless he signs in elsewhere.")
    ] = None
    accept: Accept = None
    pbx: PbxChoice = None
    queues: Queues = Field(default_factory=list, description="The queues that the agent serves.")
    skills: Skills = Field(default_factory=dict)
    weights: Weights = Field(default_factory=dict)
    ranks: Ranks = Field(default_factory=dict)
    pin: Annotated[Pin | None, Field(description="For signing in by phone; never shown.")] = None

    @model_validator(mode="after")
    def _of_own_queues(self) -> Self:
        devices.check(self.device, self.accept)
        for name, given in (("weights", self.weights), ("ranks", self.ranks)):
            strange = sorted(given.keys() - set(self.queues))
            if strange:
                raise ValueError(f"{name}: the agent does not serve queue {strange[0]!r}")
        return self

    def spec(self, home: PbxId) -> AgentSpec:
        pbx = PbxId(self.pbx) if self.pbx is not None else home
        return AgentSpec(
            id=AgentId(self.id),
            name=self.name,
            device=devices.named(pbx, self.device, self.accept) if self.device is not None else None,
            queues=tuple(dict.fromkeys(QueueId(queue) for queue in self.queues)),
            skills=tuple(sorted(self.skills.items())),
            weights=_by_queue(self.weights),
            ranks=_by_queue(self.ranks),
        )


def _by_queue(given: Mapping[Any, int]) -> tuple[tuple[QueueId, int], ...]:
    return tuple(sorted((QueueId(queue), number) for queue, number in given.items()))


class AgentPatch(Body):
    """Only what is named changes. `device` and `pin` can be taken away with null."""

    name: Name | None = None
    device: DialString | None = None
    accept: Accept = None
    pbx: PbxChoice = None
    queues: Queues | None = None
    skills: Skills | None = None
    weights: Weights | None = None
    ranks: Ranks | None = None
    pin: Pin | None = None

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        devices.check(self.device, self.accept)
        return self

    @property
    def names_pin(self) -> bool:
        return "pin" in self.model_fields_set

    def onto(self, view: AgentView, home: PbxId) -> AgentSpec:
        """The agent with what is named here. Raises ``unknown_queue`` for a weight or a rank in a queue not served."""
        queues = (
            tuple(dict.fromkeys(QueueId(queue) for queue in self.queues)) if self.queues is not None else view.queues
        )
        return AgentSpec(
            id=view.id,
            name=self.name if self.name is not None else view.name,
            device=self._device(view.home_device, home),
            queues=queues,
            skills=tuple(sorted((self.skills if self.skills is not None else view.skills).items())),
            weights=_served(self.weights, view.weights, queues, "weights"),
            ranks=_served(self.ranks, view.ranks, queues, "ranks"),
        )

    def _device(self, current: DeviceId | None, home: PbxId) -> DeviceId | None:
        pbx, dial_string, accept = reached_by(current) if current is not None else (home, None, None)
        if "device" in self.model_fields_set:
            dial_string, accept = self.device, None
        if self.accept is not None:
            accept = self.accept
        if dial_string is not None and "@" in dial_string:
            accept = True  # of a number that stays, nobody can take it away
        if self.pbx is not None:
            pbx = PbxId(self.pbx)
        return devices.named(pbx, dial_string, accept) if dial_string is not None else None


def _served(
    given: Mapping[str, int] | None, current: Mapping[QueueId, int], queues: tuple[QueueId, ...], field: str
) -> tuple[tuple[QueueId, int], ...]:
    """Numbers by queue; what was there before goes with the queue."""
    if given is None:
        return _by_queue({queue: number for queue, number in current.items() if queue in queues})
    strange = sorted(given.keys() - set(queues))
    if strange:
        raise Invalid("unknown_queue", f"the agent does not serve queue {strange[0]!r}", field=field, queue=strange[0])
    return _by_queue(given)


class AgentOut(BaseModel):
    """An agent as configured, as chosen (`status`) and as observed (`state`)."""

    id: str = Field(examples=["101"])
    name: str
    device: str | None = Field(examples=["PJSIP/agent-101"])
    accept: bool = Field(description="Whoever picks up there has to press 1.")
    pbx: str | None = Field(examples=["pbx1"])
    queues: list[str]
    skills: dict[str, int]
    weights: dict[str, int]
    ranks: dict[str, int]
    has_pin: bool
    status: Status
    status_since: Moment
    reason: str | None = Field(description="Of a break.")
    state: AgentState
    state_since: Moment
    phone: str | None = Field(description="The device at which the agent is signed in now.")
    call: str | None = Field(description="The call that rings, is talked or is being wrapped up.")
    wrap_up_until: Moment | None
    current: CurrentCallOut | None = Field(description="That call, with what is known of the caller.")
    wrap_up: WrapUpOut | None = Field(description="The work after a call, while it is done.")
    break_due: Moment | None = Field(
        description="When the break that is on should be over, by its reason's planned length."
    )
    break_request: BreakRequestOut | None = Field(description="A break asked for that waits for its turn.")
    late: bool = Field(description="This break or wrap-up takes longer than it may.")

    @classmethod
    def of(cls, view: AgentView, has_pin: bool, listened_to: bool | None = None) -> "AgentOut":
        home = view.home_device
        pbx, device, accept = reached_by(home) if home is not None else (None, None, False)
        return cls(
            id=view.id,
            name=view.name,
            device=device,
            accept=accept,
            pbx=pbx,
            queues=list(view.queues),
            skills=dict(view.skills),
            weights={str(queue): number for queue, number in view.weights.items()},
            ranks={str(queue): number for queue, number in view.ranks.items()},
            has_pin=has_pin,
            status=view.status,
            status_since=moment(view.status_since),
            reason=view.reason,
            state=view.state,
            state_since=moment(view.state_since),
            phone=devices.shown(view.device),
            call=view.call,
            wrap_up_until=perhaps(view.wrap_up_until),
            current=CurrentCallOut.of(view.current, listened_to) if view.current is not None else None,
            wrap_up=WrapUpOut.of(view.wrap_up) if view.wrap_up is not None else None,
            break_due=perhaps(view.break_due),
            break_request=BreakRequestOut.of(view.break_request) if view.break_request is not None else None,
            late=view.late,
        )


class StatusIn(Body):
    """What the agent chooses."""

    status: Literal["available", "break", "signed_out"]
    reason: Annotated[Word | None, Field(description="Of a break.", examples=["lunch"])] = None
    device: Annotated[
        DialString | None, Field(description="The phone to sign in at, unless it is the agent's own.")
    ] = None
    accept: Accept = None
    pbx: PbxChoice = None

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        devices.check(self.device, self.accept)
        return self


class StatusOut(BaseModel):
    """What was chosen, and what is observed. A break asked for during a call begins after it."""

    agent: str
    status: Status
    status_since: Moment
    reason: str | None
    state: AgentState
    since: Moment = Field(description="Since when `state` holds.")
    phone: str | None
    call: str | None
    wrap_up_until: Moment | None
    break_request: BreakRequestOut | None = Field(description="The break has to wait: too many are on one.")

    @classmethod
    def of(cls, view: AgentView) -> "StatusOut":
        return cls(
            agent=view.id,
            status=view.status,
            status_since=moment(view.status_since),
            reason=view.reason,
            state=view.state,
            since=moment(view.state_since),
            phone=devices.shown(view.device),
            call=view.call,
            wrap_up_until=perhaps(view.wrap_up_until),
            break_request=BreakRequestOut.of(view.break_request) if view.break_request is not None else None,
        )


class WrapUpIn(Body):
    """Ends the wrap-up, or extends it by `extend_s`."""

    extend_s: Annotated[
        float | None, Field(gt=0, le=3600, description="Seconds more; without it the wrap-up ends.")
    ] = None
    disposition: Annotated[Word | None, Field(examples=["sold"])] = None
    notes: Notes | None = None
    force: Annotated[bool, Field(description="End it even without a disposition; for supervisors.")] = False
