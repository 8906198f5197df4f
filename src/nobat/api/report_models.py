"""What reports answer in JSON."""

from typing import Any

from pydantic import BaseModel, Field

from nobat.api.queue_models import ServiceLevelsOut
from nobat.api.times import Moment, moment, rounded
from nobat.figures.report import AgentFigures, QueueFigures
from nobat.figures.spans import Span
from nobat.storage.groups import GroupKind


def _perhaps(seconds: float | None) -> float | None:
    return rounded(seconds) if seconds is not None else None


class VisitFiguresOut(BaseModel):
    """Visits that began within the row. offered = answered + abandoned + overflowed + deferred + lost + waiting, always."""

    offered: int
    answered: int
    abandoned: int
    short_abandoned: int = Field(description="Of the abandoned, those who gave up within `short_abandon_s`.")
    overflowed: int
    deferred: int
    lost: int
    waiting: int = Field(description="Still in line.")
    service_level: ServiceLevelsOut = Field(description="Each visit against the promise that held when it was decided.")


class FiguresRowOut(VisitFiguresOut):
    """Visits and the conversations that came of them, in one row's span."""

    from_: Moment = Field(serialization_alias="from")
    to: Moment
    answer_rate: float | None
    abandonment_rate: float | None
    asa_s: float | None = Field(description="Average speed of answer.")
    longest_wait_s: float
    handled: int = Field(description="Conversations that came of these visits.")
    talk_s: float = Field(description="Hold included.")
    hold_s: float
    wrap_up_s: float
    aht_s: float | None = Field(description="Average handle time.")
    told: int = Field(description="Waits that callers were told as a range, of those who were answered then.")
    told_mae_s: float | None = Field(description="Mean absolute error of the ranges' middles.")
    told_inside: float | None = Field(description="Share of the waits that fell into the range.")

    @staticmethod
    def fields_of(span: Span, figures: QueueFigures) -> dict[str, Any]:
        counts, talks = figures.counts, figures.talks
        return {
            "from_": moment(span.begin),
            "to": moment(span.end),
            "offered": figures.offered,
            "answered": counts.answered,
            "abandoned": counts.abandoned,
            "short_abandoned": counts.short_abandoned,
            "overflowed": counts.overflowed,
            "deferred": counts.deferred,
            "lost": counts.lost,
            "waiting": figures.waiting,
            "service_level": ServiceLevelsOut.of(figures.levels),
            "answer_rate": figures.answer_rate,
            "abandonment_rate": figures.abandonment_rate,
            "asa_s": _perhaps(figures.asa_s),
            "longest_wait_s": rounded(counts.longest_wait_s),
            "handled": talks.handled,
            "talk_s": rounded(talks.talk_s),
            "hold_s": rounded(talks.hold_s),
            "wrap_up_s": rounded(talks.wrap_up_s),
            "aht_s": _perhaps(talks.aht_s),
            "told": figures.told.number,
            "told_mae_s": _perhaps(figures.told.mae_s),
            "told_inside": figures.told.inside,
        }


class QueueRowOut(FiguresRowOut):
    """A queue in one row's span."""

    queue: str

    @classmethod
    def of(cls, queue: str, span: Span, figures: QueueFigures) -> "QueueRowOut":
        return cls(queue=queue, **cls.fields_of(span, figures))


class GroupRowOut(FiguresRowOut):
    """A skill or a segment, over all queues that were asked for, in one row's span."""

    skill: str | None = Field(default=None, description="Of a report by skill; null: those who asked for none.")
    segment: str | None = Field(default=None, description="Of a report by segment; null: callers of none.")

    @classmethod
    def of(cls, kind: GroupKind, name: str, span: Span, figures: QueueFigures) -> "GroupRowOut":
        return cls(**{kind.value: name or None}, **cls.fields_of(span, figures))


class SlaRowOut(VisitFiguresOut):
    """The promise of a queue in one row's span, and what came of it."""

    queue: str
    skill: str | None = Field(default=None, description="With `by=skill`; null: those who asked for none.")
    segment: str | None = Field(default=None, description="With `by=segment`; null: callers of none.")
    from_: Moment = Field(serialization_alias="from")
    to: Moment
    target_s: float = Field(description="As it is promised now.")
    ratio: float = Field(description="As it is promised now.")
    met: bool | None = Field(description="Whether `primary` reached `ratio`; null when nothing counts.")


class AgentRowOut(BaseModel):
    """An agent in one row's span. Conversations belong to the row in which they began, states to those in which they passed."""

    agent: str
    name: str
    from_: Moment = Field(serialization_alias="from")
    to: Moment
    handled: int
    missed: int = Field(description="Offers that the phone did not take, those withdrawn aside.")
    talk_s: float = Field(description="Hold included.")
    hold_s: float
    wrap_up_s: float
    aht_s: float | None
    signed_in_s: float
    idle_s: float
    ringing_s: float
    talking_s: float
    working_s: float = Field(description="In wrap-up.")
    break_s: float
    productive_s: float = Field(
        description="Of `break_s`: on breaks whose reason is marked as work. Outside of occupancy, as all breaks."
    )
    elsewhere_s: float = Field(description="Busy with calls that are not ours.")
    unreachable_s: float
    occupancy: float | None = Field(description="(talking + wrap-up) / (talking + wrap-up + idle + ringing)")

    @classmethod
    def of(cls, agent: str, name: str, span: Span, figures: AgentFigures) -> "AgentRowOut":
        talks = figures.talks
        return cls(
            agent=agent,
            name=name,
            from_=moment(span.begin),
            to=moment(span.end),
            handled=talks.handled,
            missed=figures.missed,
            talk_s=rounded(talks.talk_s),
            hold_s=rounded(talks.hold_s),
            wrap_up_s=rounded(talks.wrap_up_s),
            aht_s=_perhaps(talks.aht_s),
            signed_in_s=rounded(figures.signed_in_s),
            productive_s=rounded(figures.productive_s),
            occupancy=figures.occupancy,
            **{name: rounded(value) for name, value in figures.seconds.items()},
        )


class QueueReportOut(BaseModel):
    """Rows by queue and time."""

    worked_out_at: Moment | None = Field(
        description="Until when history is in these figures; null before the first time."
    )
    items: list[QueueRowOut]
    total: QueueRowOut | None = Field(description="All rows as one; null when there are none.")


class GroupReportOut(BaseModel):
    """Rows by skill or segment, and time."""

    worked_out_at: Moment | None
    items: list[GroupRowOut]


class SlaReportOut(BaseModel):
    """Rows by queue and time."""

    worked_out_at: Moment | None
    items: list[SlaRowOut]


class AgentReportOut(BaseModel):
    """Rows by agent and time."""

    worked_out_at: Moment | None
    items: list[AgentRowOut]
