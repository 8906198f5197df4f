"""Which numbers may be called back: what somebody typed or a network claims becomes one E.164 number, or a reason why not.

A number field is a weapon: it can be a dial string, a line of an AMI message, a premium number that pays whoever named it, the
police, or one of our own queues. So the text itself is judged first, by characters that may stand in a number; then the plan of
its country, from ``phonenumbers`` (data and regular expressions of libphonenumber, no I/O beyond its own modules); then the
site's rules. Whatever is not clearly a subscriber whom the site wants to pay for is refused.

``callback.harm`` limits how often; ``nobat.callback_desk`` asks both before anything is promised.
"""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberType
from phonenumbers.timezone import time_zones_for_number

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

SATELLITE = frozenset({870, 881, 882, 883})
"""Inmarsat, the global mobile satellite systems, and the international networks that share their prices."""

KINDS = {
    PhoneNumberType.FIXED_LINE: "fixed",
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "fixed_or_mobile",
    PhoneNumberType.VOIP: "voip",
    PhoneNumberType.TOLL_FREE: "toll_free",
    PhoneNumberType.PREMIUM_RATE: "premium",
    PhoneNumberType.SHARED_COST: "shared_cost",
    PhoneNumberType.PERSONAL_NUMBER: "personal",
    PhoneNumberType.PAGER: "pager",
    PhoneNumberType.UAN: "universal",
    PhoneNumberType.VOICEMAIL: "voicemail",
}
"""Types of numbers by the words of the settings. Satellite is told by its country code, all else is unknown."""

ALL_KINDS = (*KINDS.values(), "satellite", "unknown")
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
        with suppress(phonenumbers.NumberParseException):
            number = phonenumbers.parse(written, self.region)
            if phonenumbers.is_valid_number(number):
                return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        return None


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
    if digits in own or _begins(digits, rules.never):
        return Refused(Refusal.OWN_NUMBER)
    if digits in EMERGENCY or phonenumbers.is_emergency_number(digits, rules.region):
        return Refused(Refusal.EMERGENCY)
    if len(digits) < SHORTEST:
        return Refused(Refusal.SHORT_NUMBER)
    try:
        number = phonenumbers.parse(written, rules.region)
    except phonenumbers.NumberParseException:
        return Refused(Refusal.INVALID)
    return _judge(number, rules, own)


def _judge(number: PhoneNumber, rules: NumberRules, own: AbstractSet[str]) -> Accepted | Refused:
    """A number that could be parsed."""
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    national = phonenumbers.national_significant_number(number)
    region = phonenumbers.region_code_for_number(number) or ""
    if _begins(e164[1:], rules.never) or not {e164[1:], national, f"0{national}"}.isdisjoint(own):
        return Refused(Refusal.OWN_NUMBER)
    satellite = number.country_code in SATELLITE
    kind = "satellite" if satellite else KINDS.get(phonenumbers.number_type(number), "unknown")
    if satellite and kind in rules.denied:
        return Refused(Refusal.KIND)  # whatever its plan says: it changes with every launch
    if not phonenumbers.is_valid_number(number):
        return Refused(_why_invalid(national, region or rules.region))
    if kind in rules.denied:
        return Refused(Refusal.KIND)
    if region not in (rules.countries or {rules.region}):
        return Refused(Refusal.COUNTRY)
    return Accepted(e164, region, kind, tuple(time_zones_for_number(number)), _at_home(number, rules.region) or e164)


def _at_home(number: PhoneNumber, region: str) -> str | None:
    """A number of our own country as it is dialled within it."""
    if phonenumbers.country_code_for_region(region) != number.country_code:
        return None
    text = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    return "".join(one for one in text if one in "0123456789") or None


def _why_invalid(national: str, region: str) -> Refusal:
    """Some networks look at the first digits alone, and put a number that is none through to an emergency service."""
    known = region in phonenumbers.SUPPORTED_REGIONS
    near = national in EMERGENCY or (known and phonenumbers.connects_to_emergency_number(national, region))
    return Refusal.EMERGENCY if near else Refusal.INVALID


def _begins(digits: str, starts: Iterable[str]) -> bool:
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
