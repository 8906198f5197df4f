"""Numbers that may be called back, and those that may not: a corpus of both, each with its why."""

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callback.numbers import ALL_KINDS, Accepted, NumberRules, Refused, screen
from callback.refusals import Refusal

SITES = {
    "iran": (NumberRules(never=("98999", "8888")), frozenset({"8000", "02188880000"})),
    "german": (NumberRules("DE", frozenset({"DE", "AT", "CH"})), frozenset[str]()),
    "american": (NumberRules("US", denied=frozenset()), frozenset[str]()),
}
CORPUS = tomllib.loads((Path(__file__).parent / "hostile_numbers.toml").read_text(encoding="utf-8"))
ENTRIES = [(site, *entry) for site, entries in CORPUS.items() for entry in entries]


def outcome(site: str, text: str) -> str:
    rules, own = SITES[site]
    found = screen(text, rules, own)
    return found.e164 if isinstance(found, Accepted) else found.reason.value


@pytest.mark.parametrize(("site", "text", "wanted", "why"), ENTRIES, ids=[f"{one[0]}-{one[3]}" for one in ENTRIES])
def test_the_corpus(site: str, text: str, wanted: str, why: str) -> None:
    assert outcome(site, text) == wanted, why


def test_the_corpus_is_large_and_says_a_text_once() -> None:
    assert len(ENTRIES) >= 200
    assert len({(site, text) for site, text, *_ in ENTRIES}) == len(ENTRIES)
    about_numbers = {one.value for one in list(Refusal)[:8]}
    assert about_numbers <= {wanted for _, _, wanted, _ in ENTRIES}, "every reason has an example"


@given(st.text(max_size=60) | st.text("+0123456789۰۱۲۳٤٥ -()*#;", max_size=25))
def test_any_text_is_a_number_in_one_form_or_refused(text: str) -> None:
    found = screen(text, NumberRules(denied=frozenset(), countries=frozenset({"IR", "US", "DE", "001"})))
    if isinstance(found, Accepted):
        assert re.fullmatch(r"\+[1-9][0-9]{6,14}", found.e164)
        assert screen(found.e164, NumberRules(denied=frozenset(), countries=frozenset({found.region}))) == found


@given(st.from_regex(r"0(9[0-3]|21|31)[0-9]{8}", fullmatch=True))
def test_digits_of_three_alphabets_are_the_same_digits(text: str) -> None:
    rules = NumberRules()
    persian = text.translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"))
    arabic = text.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    assert screen(text, rules) == screen(persian, rules) == screen(arabic, rules)


def test_a_number_is_in_no_text_about_it() -> None:
    found = screen("09123456789", NumberRules())
    assert isinstance(found, Accepted)
    assert "912" not in repr(found)
    assert found.zones == ("Asia/Tehran",)


def test_what_a_site_denies_is_its_own_choice() -> None:
    assert screen("02112345678", NumberRules(denied=frozenset(ALL_KINDS))) == Refused(Refusal.KIND)
    assert screen("+4930123456", NumberRules(countries=frozenset({"DE"}))) != Refused(Refusal.COUNTRY)
    assert screen("09123456789", NumberRules(countries=frozenset({"DE"}))) == Refused(Refusal.COUNTRY)
