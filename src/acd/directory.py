"""Who calls: the directory of known callers, by normalised number, and what being known brings.

Entries are values handed in by commands; looking up is a dictionary access, so a caller is known before the first decision.
"""

from dataclasses import dataclass

from acd.ids import AgentId
from acd.skills import NOTHING, Needs

_DIGITS = str.maketrans("۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩", "01234567890123456789")


@dataclass(frozen=True, slots=True)
class CallerProfile:
    """What the directory says of one number. ``priority`` is added to the call's own; ``skills`` to the queue's."""

    name: str | None = None
    segment: str | None = None
    priority: int = 0
    skills: Needs = NOTHING
    language: str | None = None
    preferred_agent: AgentId | None = None


@dataclass(frozen=True, slots=True)
class Numbering:
    """How numbers are written where the PBX is: country code, and the prefixes of trunk and international calls."""

    country: str = "98"
    trunk: str = "0"
    international: str = "00"


def normal(number: str | None, numbering: Numbering) -> str | None:
    """One form for the same subscriber (E.164 without the plus), whatever way it was written; None for nobody.

    Numbers of up to five digits are extensions and stay as they are.
    """
    text = (number or "").translate(_DIGITS)
    digits = "".join(one for one in text if one in "0123456789")
    if text.lstrip().startswith("+"):
        return digits or None
    if digits.startswith(numbering.international):
        return digits[len(numbering.international) :] or None
    if not digits:
        return None
    if len(digits) <= 5:
        return digits
    if numbering.trunk and digits.startswith(numbering.trunk):
        return numbering.country + digits[len(numbering.trunk) :]
    if digits.startswith(numbering.country) and len(digits) > 10:
        return digits
    return numbering.country + digits


def writings(number: str, numbering: Numbering) -> frozenset[str]:
    """All ways in which PBXs write the number that ``number`` is, itself included: history keeps it as it came."""
    key = normal(number, numbering)
    if key is None:
        return frozenset({number})
    national = key.removeprefix(numbering.country)
    ways = {key, f"+{key}", numbering.international + key, national, numbering.trunk + national}
    return frozenset({number, *(one for one in ways if normal(one, numbering) == key)})
