"""Which numbers may be called back: what somebody typed or a network claims becomes one E.164 number, or a reason why not.

A number field is a weapon: it can be a dial string, a line of an AMI message, a premium number that pays whoever named it, the
police, or one of our own queues. So the text itself is judged first, by characters that may stand in a number; then the plan of its
country and the site's rules (``callback.plans``). Whatever is not clearly a subscriber whom the site wants to pay for is refused.

The plans are loaded with the first number that is judged: they take a tenth of a second, which callers do not wait for at a start.

``callback.harm`` limits how often; ``nobat.callback_desk`` asks both before anything is promised.
"""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from callback.refusals import Refusal

LONGEST = 40
"""Characters of a number as people write it, with all separators."""

SHORTEST = 7
"""Digits: what is shorter without a plus is an extension, an emergency or a service."""

DIGITS = str.maketrans("۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩", "01234567890123456789")
"""Persian and Arabic digits. Others that Unicode has (full-width, Devanagari) are not what people here type."""

_SEPARATORS = frozenset(" \u00a0\u202f\u2009-\u2010\u2011\u2012\u2013\u2014().\u00b7/")
_INVISIBLE = frozenset("\u200e\u200f\u061c\u200c\u202a\u202b\u202c\u2066\u2067\u2068\u2069")
"""Marks of direction: a number copied from a Persian text brings them."""

EMERGENCY = frozenset({"112", "911", "999", "000", "110", "113", "115", "125"})
"""Wherever we are: somebody's police is not to be rung by a machine. Those of the own country are known besides."""

ALL_KINDS = (
    *(
        "fixed",
        "mobile",
        "fixed_or_mobile",
        "voip",
        "toll_free",
        "premium",
        "shared_cost",
        "personal",
        "pager",
        "universal",
    ),
    *("voicemail", "satellite", "unknown"),
)
"""Types of numbers by the words of the settings."""

USUAL_DENIED = frozenset(ALL_KINDS) - {"fixed", "mobile", "fixed_or_mobile", "voip"}


@dataclass(frozen=True, slots=True)
class NumberRules:
    """What a site allows.

    ``region`` is the country (ISO 3166) of numbers without a country code, and the only one that is called unless
    ``countries`` names others. ``never`` are digits with which a number may begin neither as it was written nor in E.164
    without the plus: own numbers, ranges that turned out to cost.
    """

    region: str = "IR"
    countries: frozenset[str] = frozenset()
    denied: frozenset[str] = USUAL_DENIED
    never: tuple[str, ...] = ()

    def e164(self, text: str) -> str | None:
        """A number in any writing as E.164, whether it may be called or not; None if no subscriber has it."""
        written = _written(text)
        if written is None or len(written) < SHORTEST:
            return None
        from callback import plans

        return plans.e164(written, self.region)


@dataclass(frozen=True, slots=True)
class Accepted:
    """A number that may be called. ``zones`` are the time zones in which it may be (a mobile of a large country: several)."""

    e164: str  # with its plus
    region: str
    kind: str
    zones: tuple[str, ...]
    written: str = ""  # as people where we are write it, and else E.164: what is read back, and dialled

    def __repr__(self) -> str:
        return f"Accepted(region={self.region!r}, kind={self.kind!r})"  # numbers stay out of logs and tracebacks


@dataclass(frozen=True, slots=True)
class Refused:
    """A number that is not called, and why. The reason is a label of a metric and the whole of what is told outside."""

    reason: Refusal


def screen(text: str | None, rules: NumberRules, own: AbstractSet[str] = frozenset()) -> Accepted | Refused:
    """Judge a number in any writing. ``own`` are numbers of queues, as they are dialled: nobody is called back there."""
    if text is None or not text.strip():
        return Refused(Refusal.WITHHELD)
    written = _written(text)
    if written is None:
        return Refused(Refusal.NOT_A_NUMBER)
    digits = written.lstrip("+")
    if digits in own or begins(digits, rules.never):
        return Refused(Refusal.OWN_NUMBER)
    from callback import plans

    return plans.judged(written, rules, own)


def begins(digits: str, starts: Iterable[str]) -> bool:
    """Whether a number begins with one of these."""
    return any(digits.startswith(start) for start in starts)


def _written(text: str) -> str | None:
    """The digits, with a leading plus if there is one; None if anything else stands there, or a plus elsewhere."""
    if len(text) > LONGEST:
        return None
    kept = [one for one in text.translate(DIGITS) if one not in _SEPARATORS and one not in _INVISIBLE]
    plus = kept[:1] == ["+"]
    digits = kept[1:] if plus else kept
    if not digits or any(one not in "0123456789" for one in digits):
        return None
    return ("+" if plus else "") + "".join(digits)
