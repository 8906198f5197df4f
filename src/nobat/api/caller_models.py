"""Bodies of ``/v1/callers``."""

from typing import Annotated

from pydantic import BaseModel, Field

from acd.directory import CallerProfile
from acd.ids import AgentId
from nobat.api.queue_models import Body, Skills
from nobat.api.text import AgentSlug, Language, Name, Word
from nobat.directory import shown


class CallerIn(Body):
    """What being known brings a caller."""

    name: Name | None = None
    segment: Annotated[Word | None, Field(examples=["vip"])] = None
    priority: Annotated[int, Field(ge=-1_000, le=1_000, description="Added to the call's own.")] = 0
    skills: Skills = Field(default_factory=dict, description="Asked for besides what the queue asks; never relaxes.")
    language: Annotated[Language | None, Field(description="In which the caller hears prompts.")] = None
    preferred_agent: Annotated[
        AgentSlug | None, Field(description="Held for this agent for the queue's `sticky_s`.")
    ] = None

    def profile(self) -> CallerProfile:
        return CallerProfile(
            name=self.name,
            segment=self.segment,
            priority=self.priority,
            skills=tuple(sorted(self.skills.items())),
            language=self.language,
            preferred_agent=AgentId(self.preferred_agent) if self.preferred_agent is not None else None,
        )


class KnownCallerOut(BaseModel):
    """A known caller."""

    number: str = Field(
        description="As `[numbering]` understands it: international, or an extension.", examples=["+982112345678"]
    )
    name: str | None
    segment: str | None
    priority: int
    skills: dict[str, int]
    language: str | None
    preferred_agent: str | None

    @classmethod
    def of(cls, key: str, profile: CallerProfile) -> "KnownCallerOut":
        return cls(
            number=shown(key),
            name=profile.name,
            segment=profile.segment,
            priority=profile.priority,
            skills=dict(profile.skills),
            language=profile.language,
            preferred_agent=profile.preferred_agent,
        )
