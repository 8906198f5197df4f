"""Text, ids and numbers as they may come in. Control characters are refused everywhere: some of it reaches a PBX."""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

_FORBIDDEN_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
_BIDI_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def without_control(text: str) -> str:
    """Refuses control characters, line and paragraph separators, and what turns the direction of the text around it."""
    for character in text:
        if unicodedata.category(character) in _FORBIDDEN_CATEGORIES or character in _BIDI_OVERRIDES:
            raise ValueError("control characters are not allowed")
    return text


def is_clean(text: str) -> bool:
    """Whether ``without_control`` would take it."""
    try:
        without_control(text)
    except ValueError:
        return False
    return True


def masked(number: str) -> str:
    """A telephone number as the audit has it: its end, for the audit is never changed, and whoever is erased must not be in it."""
    return f"…{number[-3:]}"


def not_all_digits(text: str) -> str:
    """A queue is named by id or by number in the same places, so an id must not look like a number."""
    if text.isdigit():
        raise ValueError("must not be all digits")
    return text


def known_zone(text: str) -> str:
    """An IANA time zone of this machine."""
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(text)
    except (OSError, ValueError, KeyError):
        raise ValueError("is no time zone such as Europe/Berlin") from None
    return text


_clean = AfterValidator(without_control)

Name = Annotated[str, StringConstraints(max_length=100), _clean]
Word = Annotated[str, StringConstraints(min_length=1, max_length=40), _clean]
Notes = Annotated[str, StringConstraints(max_length=4_000), _clean]
PathId = Annotated[str, StringConstraints(min_length=1, max_length=128), _clean]
QueueSlug = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$"),
    AfterValidator(not_all_digits),
    Field(examples=["sales"]),
]
AgentSlug = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$"), Field(examples=["101"])]
SkillName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
SkillLevel = Annotated[int, Field(ge=1, le=100)]
Number = Annotated[str, StringConstraints(pattern=r"^[0-9]{2,15}$"), Field(examples=["8000"])]
Pin = Annotated[str, StringConstraints(pattern=r"^[0-9]{3,12}$"), Field(examples=["4711"])]
DialString = Annotated[
    str,
    StringConstraints(pattern=r"^PJSIP/[A-Za-z0-9+][A-Za-z0-9_.-]{0,47}(@[A-Za-z0-9][A-Za-z0-9_.-]{0,31})?$"),
    Field(
        examples=["PJSIP/agent-101", "PJSIP/09121234567@trunk"],
        description="A phone of the PBX, or a number through a trunk.",
    ),
]
Zone = Annotated[
    str, StringConstraints(max_length=64), _clean, AfterValidator(known_zone), Field(examples=["Europe/Berlin"])
]
Strategy = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$"), Field(examples=["longest_idle"])]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(_[A-Za-z0-9]{2,8})?$"), Field(examples=["fa"])]
MusicClass = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$")]
PromptName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$"), Field(examples=["all-busy"])]
