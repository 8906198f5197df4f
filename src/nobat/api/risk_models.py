"""What is said of an interval that may miss its service level."""

from typing import Literal

from pydantic import BaseModel, Field

from acd.breach import BreachRisk, NextBreach, Remedy, RemedyKind
from nobat.api.times import Moment, moment


class NextBreachOut(BaseModel):
    """The caller who is late next."""

    call_id: str
    at: Moment = Field(description="When the target is over.")
    chance: float = Field(description="Of still waiting then.")

    @classmethod
    def of(cls, one: NextBreach) -> "NextBreachOut":
        return cls(call_id=one.call, at=moment(one.at), chance=round(one.chance, 3))


class RemedyOut(BaseModel):
    """Something that would help, and by how much."""

    kind: Literal["callbacks", "recall", "overflow"]
    agents: list[str] = Field(description="`recall`: whom to call back from the break.")
    to: str | None = Field(description="`overflow`: where to lead those who would be late, as limits are written.")
    takes: float | None = Field(description="`callbacks`: the share of late callers who are taken to accept.")
    risk_before: float
    risk_after: float
    enough: bool = Field(description="Whether nothing more need be done.")
    text: str = Field(examples=["Call back 102 and 107 from the break: the risk falls from 62 % to 18 %."])

    @classmethod
    def of(cls, one: Remedy) -> "RemedyOut":
        return cls(
            kind=one.kind.value,
            agents=list(one.agents),
            to=one.to,
            takes=round(one.takes, 3) if one.takes is not None else None,
            risk_before=round(one.before, 3),
            risk_after=round(one.after, 3),
            enough=one.is_enough,
            text=f"{_asked(one)}: the risk falls from {one.before:.0%} to {one.after:.0%}.".replace("%", " %"),
        )


def _asked(one: Remedy) -> str:
    match one.kind:
        case RemedyKind.CALLBACKS:
            return "Offer callbacks at once"
        case RemedyKind.RECALL:
            return f"Call back {' and '.join(one.agents)} from the break"
        case RemedyKind.OVERFLOW:
            return f"Lead those who would be late to {one.to}"


class BreachRiskOut(BaseModel):
    """The chance that the interval that goes on misses its service level."""

    risk: float = Field(description="0 to 1: of the primary service level below its ratio when the interval is over.")
    at: Moment = Field(description="When this was worked out, a second ago at most.")
    from_: Moment = Field(serialization_alias="from", description="The interval's beginning.")
    to: Moment
    next_breach: NextBreachOut | None = Field(
        description="The first who will rather be late than not, or who is nearest to it; null when nobody waits."
    )
    remedies: list[RemedyOut] | None = Field(
        description="The cheapest that is enough first. Empty below a risk of 0.25, or when nothing helps; null for agents."
    )

    @classmethod
    def of(cls, risk: BreachRisk, *, whole: bool) -> "BreachRiskOut":
        return cls(
            risk=round(risk.risk, 3),
            at=moment(risk.at),
            from_=moment(risk.since),
            to=moment(risk.until),
            next_breach=NextBreachOut.of(risk.next) if risk.next is not None else None,
            remedies=[RemedyOut.of(one) for one in risk.remedies] if whole else None,
        )
