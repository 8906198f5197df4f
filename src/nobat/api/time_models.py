"""How a queue ends wrap-ups and limits breaks, as part of the bodies of ``/v1/queues``."""

from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from acd.queues import BreakPolicy, WrapUpForm, WrapUpPolicy
from nobat.api.text import Word


def _each_once(words: list[str]) -> list[str]:
    if len(set(words)) < len(words):
        raise ValueError("the same word twice")
    return words


Form = Annotated[
    WrapUpForm,
    Field(
        strict=False,
        description="`fixed` ends after `wrap_up_s` or by the agent, `open` by the agent, `disposition` not without one.",
    ),
]
Dispositions = Annotated[
    list[Word],
    Field(
        max_length=99,
        examples=[["sold", "not_interested"]],
        description="What a call can have been about; empty: any word. In this order they are `*15` with 1, 2, …",
    ),
    AfterValidator(_each_once),
]
Longest = Annotated[
    float, Field(ge=0, le=86_400, description="A wrap-up longer than this is told, once, and shown; 0: never.")
]
Force = Annotated[bool, Field(description="And the agent is made free, even without a disposition.")]
Most = Annotated[
    int,
    Field(ge=0, le=10_000, description="So many agents may be on a break at the same time; 0: all. More have to wait."),
]


class _Part(BaseModel):
    """A part of a body, as strict as the whole."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class WrapUpPolicyIn(_Part):
    """How the work after a call ends."""

    form: Form = WrapUpForm.FIXED
    dispositions: Dispositions = []
    longest_s: Longest = 0.0
    force: Force = False

    @model_validator(mode="after")
    def _can_end(self) -> Self:
        if self.form is WrapUpForm.DISPOSITION and not self.dispositions:
            raise ValueError("the form disposition needs dispositions to choose from")
        if self.force and not self.longest_s:
            raise ValueError("force needs longest_s")
        return self

    def policy(self) -> WrapUpPolicy:
        return WrapUpPolicy(self.form, tuple(self.dispositions), self.longest_s, self.force)


class WrapUpPolicyPatch(_Part):
    form: Form | None = None
    dispositions: Dispositions | None = None
    longest_s: Longest | None = None
    force: Force | None = None


class BreakPolicyIn(_Part):
    """How many may be on a break."""

    most: Most = 0

    def policy(self) -> BreakPolicy:
        return BreakPolicy(self.most)


class BreakPolicyPatch(_Part):
    most: Most | None = None


def of_wrap_up(policy: WrapUpPolicy) -> dict[str, Any]:
    """As a body that makes the same."""
    return {
        "form": policy.form.value,
        "dispositions": list(policy.dispositions),
        "longest_s": policy.longest_s,
        "force": policy.force,
    }
