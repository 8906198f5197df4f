"""Which figures stand in which report, in which order and by which name. The keys are those of the JSON answers."""

from collections.abc import Sequence
from dataclasses import asdict

from acd.queues import ServiceLevel
from acd.sla import ServiceLevels
from acd.views import CallView
from nobat.figures.report import AgentFigures, QueueFigures
from nobat.figures.sheets import Column, Kind, Value

_T, _C, _S, _R = Kind.TEXT, Kind.COUNT, Kind.SECONDS, Kind.SHARE

SPAN = (Column("from", _T, "From", "از"), Column("to", _T, "To", "تا"))

OFFSET = Column("utc_offset", _T, "Clock", "ساعت")
"""Of the clock by which the row's times are written."""

LEVELS = (
    Column("primary", _R, "Service level", "سطح خدمت"),
    Column("answered_only", _R, "SL, answered only", "سطح خدمت، فقط پاسخ‌داده‌شده‌ها"),
    Column("early_abandon_good", _R, "SL, early abandons good", "سطح خدمت، انصراف زودهنگام قابل قبول"),
    Column("strict", _R, "SL, strict", "سطح خدمت، سخت‌گیرانه"),
    Column("short_excluded", _R, "SL, short abandons excluded", "سطح خدمت، بدون انصراف‌های کوتاه"),
)

QUEUES = (
    Column("queue", _T, "Queue", "صف"),
    *SPAN,
    Column("offered", _C, "Offered", "ورودی"),
    Column("answered", _C, "Answered", "پاسخ داده شده"),
    Column("abandoned", _C, "Abandoned", "انصراف"),
    Column("short_abandoned", _C, "of these short", "انصراف کوتاه"),
    Column("overflowed", _C, "Overflowed", "سرریز"),
    Column("deferred", _C, "Deferred", "تماس مجدد"),
    Column("lost", _C, "Lost", "ازدست‌رفته"),
    Column("waiting", _C, "Waiting", "در انتظار"),
    *LEVELS,
    Column("answer_rate", _R, "Answer rate", "نرخ پاسخ"),
    Column("abandonment_rate", _R, "Abandonment", "نرخ انصراف"),
    Column("asa_s", _S, "ASA", "میانگین زمان پاسخ"),
    Column("longest_wait_s", _S, "Longest wait", "بیشترین انتظار"),
    Column("handled", _C, "Conversations", "مکالمات"),
    Column("talk_s", _S, "Talk", "زمان مکالمه"),
    Column("hold_s", _S, "of this hold", "زمان نگه‌داشتن"),
    Column("wrap_up_s", _S, "Wrap-up", "کار پس از تماس"),
    Column("aht_s", _S, "AHT", "میانگین زمان رسیدگی"),
    Column("told", _C, "Waits told", "انتظارهای اعلام‌شده"),
    Column("told_mae_s", _S, "Error of these", "میانگین خطای آنها"),
    Column("told_inside", _R, "Inside the range", "درون بازهٔ اعلام‌شده"),
    OFFSET,
)

_PROMISE = (
    *QUEUES[1 : next(at for at, column in enumerate(QUEUES) if column.key == "answer_rate")],
    Column("target_s", _S, "Promised within", "زمان هدف"),
    Column("ratio", _R, "Promised share", "سهم هدف"),
    Column("met", _T, "Met", "محقق شد"),
    OFFSET,
)

SLA = {
    "queue": (QUEUES[0], *_PROMISE),
    "skill": (QUEUES[0], Column("skill", _T, "Skill", "مهارت"), *_PROMISE),
    "segment": (QUEUES[0], Column("segment", _T, "Segment", "گروه مشتری"), *_PROMISE),
}

GROUPS = {
    "skill": (Column("skill", _T, "Skill", "مهارت"), *QUEUES[1:]),
    "segment": (Column("segment", _T, "Segment", "گروه مشتری"), *QUEUES[1:]),
}

AGENTS = (
    Column("agent", _T, "Agent", "کارشناس"),
    Column("name", _T, "Name", "نام"),
    *SPAN,
    Column("handled", _C, "Conversations", "مکالمات"),
    Column("missed", _C, "Missed offers", "پیشنهادهای بی‌پاسخ"),
    Column("talk_s", _S, "Talk", "زمان مکالمه"),
    Column("hold_s", _S, "of this hold", "زمان نگه‌داشتن"),
    Column("wrap_up_s", _S, "Wrap-up", "کار پس از تماس"),
    Column("aht_s", _S, "AHT", "میانگین زمان رسیدگی"),
    Column("signed_in_s", _S, "Signed in", "زمان حضور"),
    Column("idle_s", _S, "Idle", "آماده"),
    Column("ringing_s", _S, "Ringing", "زنگ"),
    Column("talking_s", _S, "Talking", "در مکالمه"),
    Column("working_s", _S, "In wrap-up", "در کار پس از تماس"),
    Column("break_s", _S, "On break", "استراحت"),
    Column("productive_s", _S, "of this productive", "استراحت کاری"),
    Column("elsewhere_s", _S, "Busy elsewhere", "مشغول در جای دیگر"),
    Column("unreachable_s", _S, "Unreachable", "خارج از دسترس"),
    Column("occupancy", _R, "Occupancy", "ضریب اشتغال"),
    OFFSET,
)

CALLS = (
    Column("id", _T, "Call", "تماس"),
    Column("entered_at", _T, "Entered", "زمان ورود"),
    Column("queue", _T, "Queue", "صف"),
    Column("number", _T, "Number", "شماره"),
    Column("caller", _T, "Caller", "تماس‌گیرنده"),
    Column("outcome", _T, "Outcome", "نتیجه"),
    Column("waited_s", _S, "Waited", "انتظار"),
    Column("agent", _T, "Agent", "کارشناس"),
    Column("talk_s", _S, "Talk", "زمان مکالمه"),
    Column("hold_s", _S, "of this hold", "زمان نگه‌داشتن"),
    Column("ended_by", _T, "Ended by", "پایان‌دهنده"),
    Column("disposition", _T, "Disposition", "نتیجه‌گیری"),
    Column("notes", _T, "Notes", "یادداشت"),
    OFFSET,
)

TITLES = {
    "sla": ("Service level", "سطح خدمت"),
    "queues": ("Queues", "صف‌ها"),
    "skills": ("Skills", "مهارت‌ها"),
    "segments": ("Segments", "گروه‌های مشتری"),
    "agents": ("Agents", "کارشناسان"),
    "calls": ("Calls", "تماس‌ها"),
    "callbacks": ("Callbacks", "تماس‌های مجدد"),
    "callbacks_each": ("Callbacks", "تماس‌های مجدد"),
}

Row = tuple[Value, ...]


def levels(of: ServiceLevels) -> dict[str, float | None]:
    return {column.key: getattr(of, column.key) for column in LEVELS}


def queue_values(figures: QueueFigures) -> dict[str, Value]:
    """All figures of a queue by their keys; the service levels among them."""
    counts, talks = figures.counts, figures.talks
    return {
        "offered": figures.offered,
        "answered": counts.answered,
        "abandoned": counts.abandoned,
        "short_abandoned": counts.short_abandoned,
        "overflowed": counts.overflowed,
        "deferred": counts.deferred,
        "lost": counts.lost,
        "waiting": figures.waiting,
        **levels(figures.levels),
        "answer_rate": figures.answer_rate,
        "abandonment_rate": figures.abandonment_rate,
        "asa_s": figures.asa_s,
        "longest_wait_s": counts.longest_wait_s,
        **asdict(talks),
        "aht_s": talks.aht_s,
        "told": figures.told.number,
        "told_mae_s": figures.told.mae_s,
        "told_inside": figures.told.inside,
    }


def is_met(figures: QueueFigures, promise: ServiceLevel) -> bool | None:
    """Whether the primary service level reached what is promised; None where nothing counts."""
    primary = figures.levels.primary
    return primary >= promise.ratio if primary is not None else None


def promise_values(figures: QueueFigures, promise: ServiceLevel, language: str) -> dict[str, Value]:
    """All figures of a queue, and what is promised of it."""
    met = is_met(figures, promise)
    words = ("بله", "خیر") if language == "fa" else ("yes", "no")
    said = None if met is None else words[0] if met else words[1]
    return {**queue_values(figures), "target_s": promise.target_s, "ratio": promise.ratio, "met": said}


def agent_values(figures: AgentFigures) -> dict[str, Value]:
    """All figures of an agent by their keys."""
    return {
        **asdict(figures.talks),
        "missed": figures.missed,
        "aht_s": figures.talks.aht_s,
        "signed_in_s": figures.signed_in_s,
        **figures.seconds,
        "productive_s": figures.productive_s,
        "occupancy": figures.occupancy,
    }


def call_values(view: CallView, entered: str, utc_offset: str) -> dict[str, Value]:
    """A call in one line."""
    return {
        "id": view.id,
        "entered_at": entered,
        "utc_offset": utc_offset,
        "queue": view.queue,
        "number": view.number,
        "caller": view.name,
        "outcome": view.outcome.value if view.outcome is not None else None,
        "waited_s": view.waited_s,
        "agent": view.agent,
        "talk_s": view.talk_s,
        "hold_s": view.hold_s,
        "ended_by": view.ended_by,
        "disposition": view.disposition,
        "notes": view.notes,
    }


def in_order(columns: Sequence[Column], values: dict[str, Value]) -> Row:
    return tuple(values[column.key] for column in columns)
