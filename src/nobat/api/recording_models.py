"""What a queue wants of recordings and of callers' answers, as part of ``/v1/queues``; bodies of ``/v1/recordings``."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from acd.recordings import RecordingAction, RecordingMode, RecordingPolicy
from acd.surveys import SurveyPolicy
from acd.views import RecordingView
from nobat.api.times import Moment, moment, perhaps, rounded
from nobat.storage.recordings import StoredRecording

Mode = Annotated[
    RecordingMode,
    Field(
        strict=False,
        description="`share` records that part of all calls; `on_demand` what an agent or a supervisor asks for, from then on.",
    ),
]
Share = Annotated[float, Field(ge=0, le=1, description="Of all calls, for the mode `share`.", examples=[0.1])]
MostPause = Annotated[
    float, Field(ge=0, le=86_400, description="A pause longer than this is told, once, and counted; 0: never.")
]
KeepDays = Annotated[int, Field(ge=0, le=36_500, description="How long a recording is kept; 0: until it is erased.")]
Offered = Annotated[bool, Field(description="Callers are asked for 1 to 5 when the agent has hung up.")]


class _Part(BaseModel):
    """A part of a body, as strict as the whole."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class RecordingPolicyIn(_Part):
    """Which conversations are recorded, and for how long that is kept."""

    mode: Mode = RecordingMode.NEVER
    share: Share = 0.0
    most_pause_s: MostPause = 300.0
    keep_days: KeepDays = 90

    @model_validator(mode="after")
    def _share_of_something(self) -> Self:
        if self.mode is RecordingMode.SHARE and not self.share:
            raise ValueError("the mode share needs a share above 0")
        return self

    def policy(self) -> RecordingPolicy:
        return RecordingPolicy(self.mode, self.share, self.most_pause_s, self.keep_days)


class RecordingPolicyPatch(_Part):
    mode: Mode | None = None
    share: Share | None = None
    most_pause_s: MostPause | None = None
    keep_days: KeepDays | None = None


class SurveyPolicyIn(_Part):
    """The question after the conversation."""

    offered: Offered = False

    def policy(self) -> SurveyPolicy:
        return SurveyPolicy(self.offered)


class SurveyPolicyPatch(_Part):
    offered: Offered | None = None


def of_recording(policy: RecordingPolicy) -> dict[str, Any]:
    """As a body that makes the same."""
    return {
        "mode": policy.mode.value,
        "share": policy.share,
        "most_pause_s": policy.most_pause_s,
        "keep_days": policy.keep_days,
    }


class RecordingControlIn(_Part):
    """What is to become of a recording. `start` and `stop` are for queues that record on demand."""

    action: Annotated[RecordingAction, Field(strict=False)]


class LiveRecordingOut(BaseModel):
    """The recording of a conversation that goes on."""

    id: str
    mode: RecordingMode
    state: Literal["ready", "running", "paused", "stopped"] = Field(
        description="`ready`: on demand, and not yet asked for. Only what is said while it is `running` is kept."
    )
    since: Moment
    confirmed: bool = Field(description="Whether the PBX has said that it is so.")

    @classmethod
    def of(cls, view: RecordingView) -> "LiveRecordingOut":
        return cls(id=view.id, mode=view.mode, state=view.state.value, since=moment(view.since), confirmed=view.obeyed)


class SurveyOut(BaseModel):
    """Callers who were asked after their conversation, by the time of asking."""

    asked: int
    answered: int
    mean: float | None = Field(description="Of 1 to 5; null when nobody has answered.")


class RecordingOut(BaseModel):
    """A recording: stereo, the caller on the left and what the caller heard on the right."""

    id: str
    call: str
    queue: str
    agent: str | None
    number: str | None = Field(
        description="The caller's, international and without a plus; null when withheld or erased."
    )
    mode: RecordingMode
    began_at: Moment
    ended_at: Moment | None
    state: Literal["open", "whole", "short", "missing", "damaged", "erased"] = Field(
        description="`open`: the conversation goes on, or its sound is being worked on. `short`: a part of it is missing."
    )
    duration_s: float | None
    silent_s: float | None = Field(description="Of it, what was paused or not asked for.")
    supervised: bool
    size: int | None = Field(description="Bytes of the audio.")
    keep_until: Moment | None
    erased_at: Moment | None
    erased_by: str | None

    @classmethod
    def of(cls, one: StoredRecording) -> "RecordingOut":
        return cls.model_validate({
            "id": one.id,
            "call": one.call,
            "queue": one.queue,
            "agent": one.agent,
            "number": one.number,
            "mode": one.mode,
            "began_at": moment(one.began_at),
            "ended_at": perhaps(one.ended_at),
            "state": one.state,
            "duration_s": rounded(one.duration_s) if one.duration_s is not None else None,
            "silent_s": rounded(one.silent_s) if one.silent_s is not None else None,
            "supervised": one.supervised,
            "size": one.size,
            "keep_until": perhaps(one.keep_until),
            "erased_at": perhaps(one.erased_at),
            "erased_by": one.erased_by,
        })  # fmt: skip


class EraseIn(_Part):
    """Whose recordings are to be erased: the caller's number, in any writing."""

    number: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[0-9+*#]+$")]


class ErasedOut(BaseModel):
    """How many that were."""

    erased: int
