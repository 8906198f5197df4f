"""What the numbering plans of the world say of a number, and the site's rules then.

The plans are those of ``phonenumbers``: data and regular expressions of libphonenumber, no I/O beyond its own modules.
``callback.numbers`` calls this with what it has found to be written as a number.
"""

from collections.abc import Set as AbstractSet

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberType
from phonenumbers.timezone import time_zones_for_number

from callback.numbers import EMERGENCY, SHORTEST, Accepted, NumberRules, Refused, begins
from callback.refusals import Refusal

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
"""The words of the settings. Satellite is told by its country code, all else is unknown."""


def e164(written: str, region: str) -> str | None:
    """None if no subscriber has it."""
    try:
        number = phonenumbers.parse(written, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def judged(written: str, rules: NumberRules, own: AbstractSet[str]) -> Accepted | Refused:
    """A number as digits, with a plus or without."""
    digits = written.lstrip("+")
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
    if begins(e164[1:], rules.never) or not {e164[1:], national, f"0{national}"}.isdisjoint(own):
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
