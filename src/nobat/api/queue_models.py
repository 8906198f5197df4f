"""Bodies of ``/v1/queues``."""

from dataclasses import asdict
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from acd.agents import AgentState
from acd.errors import Invalid
from acd.ewt import Estimator
from acd.ids import QueueId
from acd.limits import Limit
from acd.queues import MissPolicy, QueueSpec, ServiceLevel
from acd.skills import RelaxStep
from acd.sla import ServiceLevels
from acd.views import LineEntry, QueueStats, QueueView, WaitAccuracy
from nobat.api.announcement_models import AnnouncementsIn, AnnouncementsPatch, plain
from nobat.api.callback_policy_models import CallbacksIn, CallbacksPatch, of_policy
from nobat.api.limit_models import ClosingOut, HoursIn, OverflowIn
from nobat.api.recording_models import (
    RecordingPolicyIn,
    RecordingPolicyPatch,
    SurveyOut,
    SurveyPolicyIn,
    SurveyPolicyPatch,
    of_recording,
)
from nobat.api.risk_models import BreachRiskOut
from nobat.api.supervision_models import SupervisionPolicyIn, SupervisionPolicyPatch
from nobat.api.text import Name, Number, QueueSlug, SkillLevel, SkillName, Strategy, Zone
from nobat.api.time_models import BreakPolicyIn, BreakPolicyPatch, WrapUpPolicyIn, WrapUpPolicyPatch, of_wrap_up
from nobat.api.times import Moment, moment, perhaps, rounded
from nobat.limit_json import hours_json, hours_of, overflow_json, overflow_of

Skills = Annotated[dict[SkillName, SkillLevel], Field(max_length=50, examples=[{"english": 3}])]


class Body(BaseModel):
    """What comes in: no field that we do not know, no conversion from other types."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class ServiceLevelIn(Body):
    """The promise: `ratio` of the callers answered within `target_s` seconds of entry."""

    target_s: Annotated[float, Field(gt=0, le=3600, examples=[20])] = 20.0
    ratio: Annotated[float, Field(gt=0, le=1, examples=[0.8])] = 0.8


class RelaxIn(Body):
    """From `after_s` seconds of waiting on, `skills` is asked for instead of what was asked for before."""

    after_s: Annotated[float, Field(gt=0, le=86_400, examples=[30])]
    skills: Annotated[Skills, Field(description="Empty: every agent of the queue will do.")] = {}


def _each_later(steps: list[RelaxIn]) -> list[RelaxIn]:
    if len({step.after_s for step in steps}) < len(steps):
        raise ValueError("two steps have the same after_s")
    return sorted(steps, key=lambda step: step.after_s)


Relax = Annotated[
    list[RelaxIn],
    Field(max_length=20, examples=[[{"after_s": 30, "skills": {"english": 1}}, {"after_s": 90, "skills": {}}]]),
    AfterValidator(_each_later),
]
Misses = Annotated[int, Field(ge=0, le=100)]
PriorityS = Annotated[
    float,
    Field(
        ge=0,
        le=86_400,
        description="What one level of priority is worth in waiting time: who waits longer is not passed.",
    ),
]
StickyS = Annotated[
    float,
    Field(
        ge=0, le=3600, description="How long a caller waits for the agent preferred or spoken to last; 0: not at all."
    ),
]


class MissesIn(Body):
    """Offers in a row that an agent's phone may let pass, by cause, before the agent is set on a break; 0: never."""

    no_answer: Misses = 3
    busy: Misses = 0
    rejected: Misses = 3
    failed: Misses = 0


class QueueSettings(Body):
    """What can be chosen of a queue. Durations are seconds."""

    name: Name = ""
    strategy: Annotated[Strategy, Field(description="Who of several free agents is rung first.")] = "longest_idle"
    ring_s: Annotated[int, Field(ge=1, le=300, description="How long a phone rings before the next.")] = 15
    wrap_up_s: Annotated[float, Field(ge=0, le=3600, description="Time for the work after a call.")] = 10.0
    rest_s: Annotated[float, Field(ge=0, le=3600, description="Pause for an agent who did not take an offer.")] = 5.0
    short_abandon_s: Annotated[
        float, Field(ge=0, le=3600, description="Callers who give up within this time are reported apart.")
    ] = 5.0
    service_level: ServiceLevelIn = ServiceLevelIn()
    skills: Annotated[Skills, Field(description="Level of each skill that an agent needs at least.")] = {}
    relax: Annotated[Relax, Field(description="How the required skills relax while a caller waits.")] = []
    priority_s: PriorityS = 300.0
    sticky_s: StickyS = 0.0
    misses: MissesIn = MissesIn()
    announcements: AnnouncementsIn = AnnouncementsIn()
    timezone: Annotated[Zone, Field(description="Where the queue's day begins at midnight.")] = "UTC"
    wrap_up: WrapUpPolicyIn = WrapUpPolicyIn()
    breaks: BreakPolicyIn = BreakPolicyIn()
    recording: RecordingPolicyIn = RecordingPolicyIn()
    survey: SurveyPolicyIn = SurveyPolicyIn()
    callbacks: CallbacksIn = CallbacksIn()
    hours: HoursIn = HoursIn()
    overflow: OverflowIn = OverflowIn()
    supervision: SupervisionPolicyIn = SupervisionPolicyIn()


class QueueIn(QueueSettings):
    """A new queue."""

    id: QueueSlug
    number: Annotated[Number, Field(description="What callers dial.")]

    def spec(self) -> QueueSpec:
        return QueueSpec(
            id=QueueId(self.id),
            number=self.number,
            name=self.name,
            strategy=self.strategy,
            ring_s=self.ring_s,
            wrap_up_s=self.wrap_up_s,
            rest_s=self.rest_s,
            short_abandon_s=self.short_abandon_s,
            service_level=ServiceLevel(self.service_level.target_s, self.service_level.ratio),
            skills=tuple(sorted(self.skills.items())),
            relax=tuple(RelaxStep(step.after_s, tuple(sorted(step.skills.items()))) for step in self.relax),
            priority_s=self.priority_s,
            sticky_s=self.sticky_s,
            misses=MissPolicy(**self.misses.model_dump()),
            timezone=self.timezone,
            hours=hours_of(self.hours.model_dump()),
            overflow=overflow_of(self.overflow.model_dump()),
            announcements=self.announcements.policy(),
            wrap_up=self.wrap_up.policy(),
            breaks=self.breaks.policy(),
            recording=self.recording.policy(),
            survey=self.survey.policy(),
            supervision=self.supervision.policy(),
            callbacks=self.callbacks.policy(),
        )


class ServiceLevelPatch(Body):
    target_s: Annotated[float, Field(gt=0, le=3600)] | None = None
    ratio: Annotated[float, Field(gt=0, le=1)] | None = None


class MissesPatch(Body):
    no_answer: Misses | None = None
    busy: Misses | None = None
    rejected: Misses | None = None
    failed: Misses | None = None


_PARTS = (
    "service_level",
    "misses",
    "announcements",
    "wrap_up",
    "breaks",
    "recording",
    "survey",
    "supervision",
    "callbacks",
)


class QueuePatch(Body):
    """Only what is named changes."""

    number: Number | None = None
    name: Name | None = None
    strategy: Strategy | None = None
    ring_s: Annotated[int, Field(ge=1, le=300)] | None = None
    wrap_up_s: Annotated[float, Field(ge=0, le=3600)] | None = None
    rest_s: Annotated[float, Field(ge=0, le=3600)] | None = None
    short_abandon_s: Annotated[float, Field(ge=0, le=3600)] | None = None
    service_level: ServiceLevelPatch | None = None
    skills: Skills | None = None
    relax: Relax | None = None
    priority_s: PriorityS | None = None
    sticky_s: StickyS | None = None
    misses: MissesPatch | None = None
    announcements: AnnouncementsPatch | None = None
    timezone: Zone | None = None
    wrap_up: WrapUpPolicyPatch | None = None
    breaks: BreakPolicyPatch | None = None
    recording: RecordingPolicyPatch | None = None
    survey: SurveyPolicyPatch | None = None
    supervision: SupervisionPolicyPatch | None = None
    callbacks: CallbacksPatch | None = None
    hours: HoursIn | None = None
    overflow: Annotated[OverflowIn | None, Field(description="Limits that are not named stay.")] = None

    def onto(self, spec: QueueSpec) -> QueueSpec:
        """``spec`` with what is named here. Raises ``invalid_request`` for what does not go with what is there already."""
        current = QueueOut.of_spec(spec)
        changes = self.model_dump(exclude_none=True, exclude={"hours", "overflow"})
        if self.hours is not None:
            changes["hours"] = self.hours.model_dump()
        if self.overflow is not None:
            changes["overflow"] = current["overflow"] | self.overflow.model_dump(exclude_unset=True)
        parts = {name: current[name] | changes.pop(name, {}) for name in _PARTS}
        try:
            return QueueIn.model_validate({**current, **changes, **parts}).spec()
        except ValidationError as error:
            (wrong, *_) = error.errors()
            field = ".".join(str(part) for part in wrong["loc"])
            raise Invalid("invalid_request", wrong["msg"].removeprefix("Value error, "), field=field) from None


class QueueOut(BaseModel):
    """A queue and how it stands now."""

    id: str = Field(examples=["sales"])
    number: str = Field(examples=["8000"])
    name: str
    strategy: str
    ring_s: int
    wrap_up_s: float
    rest_s: float
    short_abandon_s: float
    service_level: ServiceLevelIn
    skills: dict[str, int]
    relax: list[RelaxIn]
    priority_s: float
    sticky_s: float
    misses: MissesIn
    announcements: AnnouncementsIn
    timezone: str
    wrap_up: WrapUpPolicyIn
    breaks: BreakPolicyIn
    recording: RecordingPolicyIn
    survey: SurveyPolicyIn
    callbacks: CallbacksIn
    hours: HoursIn
    overflow: OverflowIn
    supervision: SupervisionPolicyIn
    closed: Limit | None = Field(description="Why no callers are taken now; null while it is open.")
    changes_at: Moment | None = Field(description="When its hours open or close it next.")
    closing: ClosingOut | None = Field(description="Closed by a supervisor.")
    waiting: int = Field(description="Callers in line, those for whom phones ring included.")
    longest_wait_s: float
    agents: dict[AgentState, int] = Field(description="Agents who serve this queue, by observed state.")

    @staticmethod
    def of_spec(spec: QueueSpec) -> dict[str, Any]:
        """What is configured, as a body that makes the same queue."""
        return {
            "id": str(spec.id),
            "number": spec.number,
            "name": spec.name,
            "strategy": spec.strategy,
            "ring_s": spec.ring_s,
            "wrap_up_s": spec.wrap_up_s,
            "rest_s": spec.rest_s,
            "short_abandon_s": spec.short_abandon_s,
            "service_level": {"target_s": spec.service_level.target_s, "ratio": spec.service_level.ratio},
            "skills": dict(spec.skills),
            "relax": [{"after_s": step.after_s, "skills": dict(step.skills)} for step in spec.relax],
            "priority_s": spec.priority_s,
            "sticky_s": spec.sticky_s,
            "misses": asdict(spec.misses),
            "announcements": plain(spec.announcements),
            "timezone": spec.timezone,
            "wrap_up": of_wrap_up(spec.wrap_up),
            "breaks": asdict(spec.breaks),
            "recording": of_recording(spec.recording),
            "survey": asdict(spec.survey),
            "supervision": {**asdict(spec.supervision), "exempt": list(spec.supervision.exempt)},
            "callbacks": of_policy(spec.callbacks),
            "hours": hours_json(spec.hours),
            "overflow": overflow_json(spec.overflow),
        }

    @classmethod
    def of(cls, view: QueueView) -> "QueueOut":
        return cls.model_validate({
            **cls.of_spec(view.spec),
            "closed": view.closed,
            "changes_at": perhaps(view.changes_at),
            "closing": ClosingOut.of(view.closing) if view.closing is not None else None,
            "waiting": view.waiting,
            "longest_wait_s": rounded(view.longest_wait_s),
            "agents": dict(view.agents),
        })  # fmt: skip


class CallerOut(BaseModel):
    """Who calls, as the PBX was told; nothing here proves it. `number` null: withheld."""

    number: str | None = Field(examples=["4930123456"])
    name: str | None


def _rounded(waits: tuple[float, float] | None) -> tuple[float, float] | None:
    return (rounded(waits[0]), rounded(waits[1])) if waits is not None else None


class LineEntryOut(BaseModel):
    """One place in the line."""

    call_id: str
    kind: Literal["live", "callback"]
    position: int = Field(description="1 is the head of the line.")
    entered_at: Moment
    waited_s: float
    priority: int
    expected_wait_s: tuple[float, float] | None = Field(description="Low and high; null while nothing can be said.")
    caller: CallerOut
    offered: bool = Field(description="Phones ring for this caller now.")

    @classmethod
    def of(cls, entry: LineEntry) -> "LineEntryOut":
        return cls(
            call_id=entry.call,
            kind="callback" if entry.kind == "callback" else "live",
            position=entry.position,
            entered_at=moment(entry.entered_at),
            waited_s=rounded(entry.waited_s),
            priority=entry.priority,
            expected_wait_s=_rounded(entry.expected_wait_s),
            caller=CallerOut(number=entry.number, name=entry.name),
            offered=entry.offered,
        )


class ServiceLevelsOut(BaseModel):
    """The primary service level and its variants; null when nothing counts."""

    primary: float | None = Field(description="A≤T / (A + B>T)")
    answered_only: float | None = Field(description="A≤T / A")
    early_abandon_good: float | None = Field(description="(A≤T + B≤T) / (A + B)")
    strict: float | None = Field(description="A≤T / (A + B)")
    short_excluded: float | None = Field(description="A≤T / (A + B − short abandons)")

    @classmethod
    def of(cls, levels: ServiceLevels) -> "ServiceLevelsOut":
        return cls(
            primary=levels.primary,
            answered_only=levels.answered_only,
            early_abandon_good=levels.early_abandon_good,
            strict=levels.strict,
            short_excluded=levels.short_excluded,
        )


class ExpectedWaitOut(BaseModel):
    """How right the waits that callers were to expect were, over about the last fifty who had to wait and were answered."""

    estimator: Estimator = Field(description="The one in use: `state`, unless another has erred clearly less for long.")
    mae_s: float | None = Field(description="Mean absolute error; null before the first caller had to wait.")
    inside: float | None = Field(description="Share of the waits that fell into the range; four of five are meant to.")
    n: int = Field(description="Callers who had to wait and were answered, since the start of the service.")

    @classmethod
    def of(cls, accuracy: WaitAccuracy) -> "ExpectedWaitOut":
        return cls(
            estimator=accuracy.estimator,
            mae_s=rounded(accuracy.error_s) if accuracy.error_s is not None else None,
            inside=rounded(accuracy.inside) if accuracy.inside is not None else None,
            n=accuracy.n,
        )


class QueueStatsOut(BaseModel):
    """Figures of the callers who entered within the window.

    offered = answered + abandoned + overflowed + deferred + lost + waiting, always.
    """

    queue: str
    window: Literal["today", "15m", "1h"]
    since: Moment
    offered: int
    answered: int
    abandoned: int
    short_abandoned: int = Field(description="Of the abandoned, those who gave up within `short_abandon_s`.")
    overflowed: int
    deferred: int
    lost: int
    waiting: int
    service_level: ServiceLevelsOut
    asa_s: float | None = Field(description="Average speed of answer; null when nobody was answered.")
    longest_wait_s: float
    agents: dict[AgentState, int]
    expected_wait: ExpectedWaitOut
    breach_risk: BreachRiskOut | None = Field(
        description="Of the interval that goes on; null while others are worked out."
    )
    survey: SurveyOut | None = Field(description="Null while the database is away.")

    @classmethod
    def of(
        cls,
        stats: QueueStats,
        window: Literal["today", "15m", "1h"],
        survey: SurveyOut | None = None,
        breach_risk: BreachRiskOut | None = None,
    ) -> "QueueStatsOut":
        counts = stats.counts
        return cls(
            queue=stats.queue,
            window=window,
            since=moment(stats.since),
            offered=stats.offered,
            answered=counts.answered,
            abandoned=counts.abandoned,
            short_abandoned=counts.short_abandoned,
            overflowed=counts.overflowed,
            deferred=counts.deferred,
            lost=counts.lost,
            waiting=stats.waiting,
            service_level=ServiceLevelsOut.of(stats.service_level),
            asa_s=rounded(stats.asa_s) if stats.asa_s is not None else None,
            longest_wait_s=rounded(stats.longest_wait_s),
            agents=dict(stats.agents),
            expected_wait=ExpectedWaitOut.of(stats.expected_wait),
            breach_risk=breach_risk,
            survey=survey,
        )
