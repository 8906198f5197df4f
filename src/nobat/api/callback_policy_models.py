"""``callbacks`` of a queue: whether and how its callers are called back."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from acd.callback_policy import CallbackPolicy
from nobat.api.callback_offer_models import HarmIn, OfferIn
from nobat.callback_json import policy_of

Most = Annotated[int, Field(ge=1, le=20, description="Attempts that may end so, of one callback.")]
Gap = Annotated[float, Field(ge=1, le=86_400, description="Seconds to the next attempt. The place is kept.")]
DialString = Annotated[str, Field(max_length=128, pattern=r"^([A-Za-z0-9]+/[A-Za-z0-9_.+@:/{}-]{1,120})?$")]
Shown = Annotated[str, Field(pattern=r"^(\+?[0-9]{3,15})?$", description="The number that customers see.")]
Mode = Literal["agent_first", "just_in_time"]
MODE = "Whom to wait for: `agent_first` reserves an agent and dials then; `just_in_time` dials so that an agent is free in time."
DIAL = "Dial string with `{number}`; empty: as calls are passed on outside (`transfers.outside`)."
Ring = Annotated[int, Field(ge=3, le=120, description="How long the customer's phone rings.")]
Confirm = Annotated[int, Field(ge=1, le=20, description='Seconds for the key after each "press 1 to be connected" …')]
Times = Annotated[int, Field(ge=1, le=5, description="… which is said so often.")]
Attempts = Annotated[int, Field(ge=1, le=50, description="Attempts of one callback in all.")]
Expires = Annotated[float, Field(ge=60, le=7 * 86_400, description="From the promise to the end of it.")]
Target = Annotated[float, Field(gt=0, lt=1, description="With `just_in_time`: how sure a free agent must be.")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class RetryIn(_Body):
    """After an attempt that ended in one way."""

    most: Most
    gap_s: Gap


class RetriesIn(_Body):
    """By what became of the last attempt."""

    busy: RetryIn = RetryIn(most=4, gap_s=60.0)
    no_answer: RetryIn = RetryIn(most=3, gap_s=300.0)
    unreachable: RetryIn = RetryIn(most=3, gap_s=300.0)
    rejected: RetryIn = RetryIn(most=1, gap_s=300.0)
    voicemail: RetryIn = RetryIn(most=2, gap_s=600.0)
    hung_up: RetryIn = RetryIn(most=2, gap_s=120.0)
    failed: RetryIn = RetryIn(most=3, gap_s=60.0)
    unknown: RetryIn = RetryIn(most=2, gap_s=300.0)


class CallbacksIn(_Body):
    """How callers are called back at their own place in the line."""

    enabled: bool = False
    mode: Annotated[Mode, Field(description=MODE)] = "agent_first"
    dial: Annotated[DialString, Field(description=DIAL)] = ""
    shows: Shown = ""
    ring_s: Ring = 30
    confirm_s: Confirm = 4
    confirm_times: Times = 3
    most_attempts: Attempts = 5
    retries: RetriesIn = RetriesIn()
    expires_s: Expires = 8 * 3600.0
    target: Target = 0.9
    offer: OfferIn = OfferIn()
    harm: HarmIn = HarmIn()

    def policy(self) -> CallbackPolicy:
        return policy_of(self.model_dump())


class CallbacksPatch(_Body):
    """Only what is named changes; of ``retries``, ``offer`` and ``harm`` what is not named has its default again."""

    enabled: bool | None = None
    mode: Mode | None = None
    dial: DialString | None = None
    shows: Shown | None = None
    ring_s: Ring | None = None
    confirm_s: Confirm | None = None
    confirm_times: Times | None = None
    most_attempts: Attempts | None = None
    retries: RetriesIn | None = None
    expires_s: Expires | None = None
    target: Target | None = None
    offer: OfferIn | None = None
    harm: HarmIn | None = None


def of_policy(policy: CallbackPolicy) -> dict[str, object]:
    """As a body that makes the same policy."""
    from nobat.callback_json import policy_json

    plain = policy_json(policy)
    return {name: plain[name] for name in CallbacksIn.model_fields}
