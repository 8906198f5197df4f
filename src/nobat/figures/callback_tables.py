"""The columns of reports about callbacks; the keys are those of the JSON answers."""

from nobat.figures.callbacks import ENDS, OPEN, RESULTS, CallbackFigures
from nobat.figures.sheets import Column, Kind, Value
from nobat.figures.tables import OFFSET, SPAN

_T, _C, _S = Kind.TEXT, Kind.COUNT, Kind.SECONDS

_END_TITLES = {
    "reached": ("Reached", "مکالمه انجام شد"),
    "hung_up": ("Left before an agent was on", "قطع پیش از پاسخ کارشناس"),
    "gave_up": ("No more attempts", "پایان تلاش‌ها"),
    "cancelled": ("Cancelled", "لغو شده"),
    "expired": ("Expired", "منقضی"),
    "rang_again": ("Rang again", "تماس دوبارهٔ مشتری"),
    "refused": ("Not to be called", "غیرمجاز"),
    OPEN: ("Open", "باز"),
}
_RESULT_TITLES = {
    "connected": ("connected", "وصل شد"),
    "busy": ("busy", "مشغول"),
    "no_answer": ("no answer", "بی‌پاسخ"),
    "unreachable": ("unreachable", "خارج از دسترس"),
    "rejected": ("rejected", "رد شد"),
    "voicemail": ("voicemail", "پیغام‌گیر"),
    "hung_up": ("hung up", "قطع شد"),
    "failed": ("failed", "ناموفق"),
    "cancelled": ("cancelled", "لغو"),
    "not_dialled": ("not dialled", "شماره‌گیری نشد"),
    "unknown": ("unknown", "نامعلوم"),
    OPEN: ("going on", "در جریان"),
}

CALLBACKS = (
    Column("queue", _T, "Queue", "صف"),
    *SPAN,
    Column("requested", _C, "Requested", "درخواست‌شده"),
    Column("promised", _C, "Promised", "قول داده شده"),
    *(Column(name, _C, *titles) for name, titles in _END_TITLES.items()),
    Column("attempts", _C, "Attempts", "تلاش‌ها"),
    *(Column(f"attempts_{name}", _C, f"of these {en}", f"از این تلاش‌ها: {fa}") for name, (en, fa) in _RESULT_TITLES.items()),
    Column("wait_s", _S, "Mean wait, reached", "میانگین انتظار"),
    Column("longest_wait_s", _S, "Longest wait", "بیشترین انتظار"),
    Column("late", _C, "Later than promised", "دیرتر از قول"),
    Column("late_s", _S, "Mean lateness", "میانگین دیرکرد"),
    OFFSET,
)  # fmt: skip

EACH = (
    Column("id", _T, "Callback", "تماس مجدد"),
    Column("queue", _T, "Queue", "صف"),
    Column("number", _T, "Number", "شماره"),
    Column("name", _T, "Caller", "تماس‌گیرنده"),
    Column("entered_at", _T, "Place since", "نوبت از"),
    Column("promised_at", _T, "Promised", "زمان قول"),
    Column("window_from", _T, "Promised from", "قول از"),
    Column("window_to", _T, "Promised until", "قول تا"),
    Column("ended_at", _T, "Over", "پایان"),
    Column("ended", _T, "Why", "نتیجه"),
    Column("waited_s", _S, "Waited", "انتظار"),
    Column("tries", _C, "Attempts", "تلاش‌ها"),
    Column("results", _T, "Their results", "نتیجهٔ تلاش‌ها"),
    Column("call", _T, "Promised in call", "تماس اول"),
    Column("reached_in", _T, "Reached in call", "تماس انجام‌شده"),
    OFFSET,
)


def callback_values(figures: CallbackFigures) -> dict[str, Value]:
    """All figures by their keys."""
    return {
        "requested": figures.requested,
        "promised": figures.promised,
        **{name: figures.ends[name] for name in (*ENDS, OPEN)},
        "attempts": figures.tried,
        **{f"attempts_{name}": figures.attempts[name] for name in (*RESULTS, OPEN)},
        "wait_s": figures.wait_s,
        "longest_wait_s": figures.longest_wait_s,
        "late": figures.late,
        "late_s": figures.late_s,
    }
