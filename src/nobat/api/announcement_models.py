"""``announcements`` of a queue: what its callers hear while they wait."""

from dataclasses import fields
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from acd.announcements import Announcements
from nobat.api.text import Language, MusicClass, PromptName

Period = Annotated[float, Field(ge=10, le=3600)]
First = Annotated[float, Field(ge=0, le=3600)]
Rejoin = Annotated[float, Field(ge=0, le=3600)]
Messages = Annotated[list[PromptName], Field(max_length=20, examples=[["please-hold", "our-offer"]])]
LANGUAGE = "Of callers of whom nothing else is known, as Asterisk names it; empty: their channel's own."
MUSIC = "Class of music on hold; empty: the PBX's default."


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class AnnouncementsIn(_Body):
    """What callers hear while they wait. An agent who is free cuts all of it off at once."""

    language: Annotated[Language | Literal[""], Field(description=LANGUAGE)] = ""
    music: Annotated[MusicClass | Literal[""], Field(description=MUSIC)] = ""
    welcome: Annotated[PromptName | Literal[""], Field(description="Said first to whoever has to wait.")] = ""
    position: Annotated[bool, Field(description="Tell the place in the line.")] = False
    expected_wait: Annotated[bool, Field(description="Tell the expected wait, as a range.")] = False
    first_after_s: Annotated[First, Field(description="Both for the first time after so much waiting …")] = 20.0
    every_s: Annotated[Period, Field(description="… and then again and again.")] = 60.0
    messages: Annotated[Messages, Field(description="Prompts told in turn, one at a time.")] = []
    message_every_s: Period = 60.0
    rejoin_s: Annotated[
        Rejoin, Field(description="Who was cut off and rings again within this time has the place again; 0: not.")
    ] = 0.0

    def policy(self) -> Announcements:
        return Announcements(**{**self.model_dump(), "messages": tuple(self.messages)})


class AnnouncementsPatch(_Body):
    """Only what is named changes."""

    language: Language | Literal[""] | None = None
    music: MusicClass | Literal[""] | None = None
    welcome: PromptName | Literal[""] | None = None
    position: bool | None = None
    expected_wait: bool | None = None
    first_after_s: First | None = None
    every_s: Period | None = None
    messages: Messages | None = None
    message_every_s: Period | None = None
    rejoin_s: Rejoin | None = None


def plain(policy: Announcements) -> dict[str, Any]:
    """As a body, or as a column of the catalogue."""
    values = {one.name: getattr(policy, one.name) for one in fields(policy)}
    return {**values, "messages": list(policy.messages)}
