"""What callers are told, as the words they hear. Numbers are read back by a reader that knows words only, not prompts."""

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.forecast import Growth, Promise, hold_to
from acd.speech.prompts import LARGEST, Message, every_prompt
from acd.speech.sayings import (
    Announcement,
    ClockTime,
    Duration,
    ExpectedWait,
    Number,
    PhoneNumber,
    Position,
    Saying,
    say,
)
from nobat.prompts.texts import texts

LANGUAGES = ("en", "fa")
ANY_NUMBER = (
    st.integers(0, LARGEST) | st.integers(0, 130) | st.sampled_from([1000, 1001, 1100, 20_000, 21_021, 100_000])
)
ANY_LANGUAGE = st.sampled_from(LANGUAGES)


def words(saying: Saying, language: str) -> str:
    """The text that is heard."""
    return " ".join(texts(language)[name].written for name in say(saying, language))


# ---------------------------------------------------------------- a slow reader of number words

EN_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
    "nineteen twenty thirty forty fifty sixty seventy eighty ninety"
)
FA_WORDS = (
    "صفر یک دو سه چهار پنج شش هفت هشت نه ده یازده دوازده سیزده چهارده پانزده شانزده هفده هجده نوزده "
    "بیست سی چهل پنجاه شصت هفتاد هشتاد نود صد دویست سیصد چهارصد پانصد ششصد هفتصد هشتصد نهصد"
)
EN = dict(zip(EN_WORDS.split(), [*range(20), *range(20, 100, 10)], strict=True))
FA = dict(zip(FA_WORDS.split(), [*range(20), *range(20, 100, 10), *range(100, 1000, 100)], strict=True))


def read_english(text: str) -> int:
    total = group = 0
    for one in text.split():
        if one == "thousand":
            total, group = group * 1000, 0
        elif one == "hundred":
            group *= 100
        elif one != "and":
            group += EN[one]
    return total + group


def read_persian(text: str) -> int:
    total = group = 0
    for one in text.split():
        if one == "هزار":
            total, group = (group or 1) * 1000, 0
        elif one != "و":
            group += FA[one]
    return total + group


@given(ANY_NUMBER)
def test_every_number_reads_back(value: int) -> None:
    assert read_english(words(Number(value), "en")) == value
    assert read_persian(words(Number(value), "fa")) == value


@given(ANY_NUMBER)
def test_persian_joins_all_parts_and_english_the_last_of_a_hundred(value: int) -> None:
    persian = words(Number(value), "fa").replace(" هزار", "هزار").split(" و ")
    assert all(" " not in part for part in persian)
    english = words(Number(value), "en").split()
    for before, after in itertools.pairwise(english):
        assert (after == "and") <= (before in {"hundred", "thousand"})
        assert (before == "hundred" and after in EN) is False
        assert before not in EN or after not in EN or (EN[before] >= 20 and 0 < EN[after] < 10)


@pytest.mark.parametrize(("value", "english", "persian"), [
    (0, "zero", "صفر"),
    (23, "twenty three", "بیست و سه"),
    (105, "one hundred and five", "صد و پنج"),
    (1000, "one thousand", "هزار"),
    (1001, "one thousand and one", "هزار و یک"),
    (2120, "two thousand one hundred and twenty", "دو هزار و صد و بیست"),
    (21_300, "twenty one thousand three hundred", "بیست و یک هزار و سیصد"),
])  # fmt: skip
def test_numbers(value: int, english: str, persian: str) -> None:
    assert (words(Number(value), "en"), words(Number(value), "fa")) == (english, persian)


@pytest.mark.parametrize("saying", [Number(-1), Number(LARGEST + 1), Position(0), ClockTime(24, 0), ClockTime(9, 60)])
def test_what_cannot_be_said_is_an_error_of_the_program(saying: Saying) -> None:
    with pytest.raises(ValueError, match=r"not|no time"):
        say(saying, "en")


# ---------------------------------------------------------------- the place in the line


@pytest.mark.parametrize(("place", "english", "persian"), [
    (1, "You are next in line.", "نفر بعدی شما هستید."),
    (2, "You are second in line.", "شما نفر دوم در صف هستید."),
    (3, "You are third in line.", "شما نفر سوم در صف هستید."),
    (20, "You are twentieth in line.", "شما نفر بیستم در صف هستید."),
    (21, "You are twenty first in line.", "شما نفر بیست و یکم در صف هستید."),
    (30, "You are thirtieth in line.", "شما نفر سی‌ام در صف هستید."),
    (43, "You are forty third in line.", "شما نفر چهل و سوم در صف هستید."),
    (100, "You are one hundredth in line.", "شما نفر صدم در صف هستید."),
    (101, "You are one hundred and first in line.", "شما نفر صد و یکم در صف هستید."),
])  # fmt: skip
def test_places(place: int, english: str, persian: str) -> None:
    assert (words(Position(place), "en"), words(Position(place), "fa")) == (english, persian)


# ---------------------------------------------------------------- waits


@pytest.mark.parametrize(("low_s", "high_s", "english", "persian"), [
    (0, 40, "less than a minute.", "کمتر از یک دقیقه است."),
    (30, 61, "less than two minutes.", "کمتر از دو دقیقه است."),
    (120, 120, "about two minutes.", "حدود دو دقیقه است."),
    (70, 230, "between one and four minutes.", "بین یک تا چهار دقیقه است."),
    (300, 600, "between five and ten minutes.", "بین پنج تا ده دقیقه است."),
    (890, 1440, "between ten and twenty five minutes.", "بین ده تا بیست و پنج دقیقه است."),
    (1700, 5500, "more than twenty five minutes.", "بیش از بیست و پنج دقیقه است."),
    (3700, 5500, "more than an hour.", "بیش از یک ساعت است."),
])  # fmt: skip
def test_waits(low_s: float, high_s: float, english: str, persian: str) -> None:
    assert words(ExpectedWait(low_s, high_s), "en") == f"Your expected wait is {english}"
    assert words(ExpectedWait(low_s, high_s), "fa") == f"زمان انتظار شما {persian}"


def test_a_wait_of_which_nothing_is_known_is_not_told() -> None:
    assert say(ExpectedWait(20, 9000), "en") == ()


@given(st.floats(1, 5400), st.floats(0, 1), st.floats(0, 1))
def test_a_wait_that_has_come_nearer_is_never_told_longer(high_s: float, low: float, passed: float) -> None:
    """The rounding keeps what ``acd.forecast`` promises."""
    told, later = (_told_minutes(ExpectedWait(low * end, end)) for end in (high_s, high_s * passed))
    assert later <= told
    assert told * 60 >= high_s - 0.1


def _told_minutes(wait: ExpectedWait) -> int:
    """The end of the range."""
    if say(wait, "en") == ("wait-under-a-minute",):
        return 1
    text = words(wait, "en").removesuffix(" minutes.")
    return read_english(re.split(" than | about | between .* and ", text)[-1])


def test_an_announcement_says_why_the_wait_has_grown_before_the_longer_wait() -> None:
    first = Promise(at=0.0, low_s=60.0, high_s=180.0, ahead=2, agents=3)
    assert words(Announcement.of(first), "en") == (
        "You are third in line. Your expected wait is between one and three minutes."
    )
    grown = hold_to(first, Promise(at=60.0, low_s=240.0, high_s=480.0, ahead=2, agents=2))
    assert grown.because is Growth.FEWER_AGENTS
    assert say(Announcement.of(grown), "fa")[3] == Message.LONGER_FEWER_AGENTS
    assert words(Announcement.of(grown), "fa") == (
        "شما نفر سوم در صف هستید. با پوزش، زمان انتظار شما بیشتر شده است؛ چون تعداد همکاران پاسخ‌گو کمتر شده است. "
        "زمان انتظار شما بین چهار تا هشت دقیقه است."
    )


@pytest.mark.parametrize("because", Growth)
def test_every_reason_has_a_sentence(because: Growth) -> None:
    with_reason = say(Announcement(2, ExpectedWait(0, 100), because), "en")
    without = say(Announcement(2, ExpectedWait(0, 100)), "en")
    assert len(with_reason) == len(without) + 1


# ---------------------------------------------------------------- times and numbers of phones


@pytest.mark.parametrize(("minutes", "english", "persian"), [
    (0, "zero minutes", "صفر دقیقه"),
    (1, "one minute", "یک دقیقه"),
    (15, "fifteen minutes", "پانزده دقیقه"),
    (60, "one hour", "یک ساعت"),
    (121, "two hours and one minute", "دو ساعت و یک دقیقه"),
])  # fmt: skip
def test_durations(minutes: int, english: str, persian: str) -> None:
    assert (words(Duration(minutes), "en"), words(Duration(minutes), "fa")) == (english, persian)


@pytest.mark.parametrize(("time", "english", "persian"), [
    (ClockTime(10, 20), "at ten twenty in the morning", "صبح ساعتِ ده و بیست دقیقه"),
    (ClockTime(8, 0), "at eight o'clock in the morning", "صبح ساعتِ هشت تمام"),
    (ClockTime(0, 5), "at twelve oh five at night", "بامداد ساعتِ دوازده و پنج دقیقه"),
    (ClockTime(12, 30), "at twelve thirty in the afternoon", "ظهر ساعتِ دوازده و سی دقیقه"),
    (ClockTime(16, 45), "at four forty five in the afternoon", "بعد از ظهر ساعتِ چهار و چهل و پنج دقیقه"),
    (ClockTime(18, 1), "at six oh one in the evening", "عصر ساعتِ شش و یک دقیقه"),
    (ClockTime(22, 59), "at ten fifty nine at night", "شب ساعتِ ده و پنجاه و نه دقیقه"),
    (ClockTime(14, 20, twelve=False), "at fourteen twenty", "ساعتِ چهارده و بیست دقیقه"),
    (ClockTime(0, 0, twelve=False), "at zero o'clock", "ساعتِ صفر تمام"),
])  # fmt: skip
def test_clock_times(time: ClockTime, english: str, persian: str) -> None:
    assert (words(time, "en"), words(time, "fa")) == (english, persian.replace("\u0650", ""))


def test_a_phone_number_is_read_back_in_groups() -> None:
    iranian = " ".join(say(PhoneNumber("09121234567"), "fa"))
    assert iranian == "digit-0 num-9 num-1 num-2 pause num-1 num-2 num-3 pause num-4 num-5 pause num-6 num-7"
    british = " ".join(say(PhoneNumber("+44 20 7946"), "en"))
    assert british == "plus num-4 num-4 num-2 pause digit-0 num-7 num-9 pause num-4 num-6"


@given(st.text("0123456789", min_size=1, max_size=20))
def test_no_digit_is_lost_and_none_stands_alone(digits: str) -> None:
    said = say(PhoneNumber(digits), "en")
    assert "".join(name.rpartition("-")[2] for name in said if name != "pause") == digits
    groups = " ".join(said).split(" pause ")
    assert len(digits) == 1 or all(2 <= len(group.split()) <= 4 for group in groups)


# ---------------------------------------------------------------- languages

ANY_SAYING = (
    ANY_NUMBER.map(Number)
    | st.integers(1, LARGEST).map(Position)
    | st.integers(0, 10_000).map(Duration)
    | st.builds(ExpectedWait, st.floats(0, 20_000), st.floats(0, 20_000))
    | st.builds(ClockTime, st.integers(0, 23), st.integers(0, 59), st.booleans())
    | st.text("+0123456789 ab", max_size=20).map(PhoneNumber)
    | st.builds(Announcement, st.integers(1, 2000), st.none(), st.sampled_from([None, *Growth]))
    | st.sampled_from(Message)
)


@given(ANY_SAYING, ANY_LANGUAGE)
def test_whatever_is_said_has_its_prompts(saying: Saying, language: str) -> None:
    assert set(say(saying, language)) <= every_prompt()


def test_a_dialect_has_the_grammar_of_its_language_and_an_unknown_language_that_of_english() -> None:
    assert say(Number(1000), "fa_IR") == say(Number(1000), "fa")
    assert say(Number(1000), "xx") == say(Number(1000), "en")
