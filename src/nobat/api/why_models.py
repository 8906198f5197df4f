"""Answers of ``/v1/calls/{call}/why`` and ``/v1/agents/{agent}/why-idle``: what the deciding code says of its decisions."""

from pydantic import BaseModel, Field

from acd.agents import AgentState
from acd.announcing import Said
from acd.calls import CallState, Visit
from acd.decisions import Decision
from acd.explain import CallerBar, CallWhy, Candidate, IdleWhy, LineWhy
from acd.forecast import Growth, Promise
from acd.limits import Limit
from acd.routing import Bar
from nobat.api.times import Moment, moment, perhaps, rounded

TERMS = (
    "What the order is made of: offers to this caller that the agent let pass, then the numbers of the queue's strategy. "
    "Compared from left to right, the smallest first."
)


class CandidateOut(BaseModel):
    """One agent of the queue, as routing sees him for this caller."""

    agent: str = Field(examples=["101"])
    state: AgentState
    bar: Bar | None = Field(description="Why this agent does not get the call; null if nothing keeps him from it.")
    terms: list[float] | None = Field(description=TERMS)

    @classmethod
    def of(cls, one: Candidate) -> "CandidateOut":
        terms = list(one.terms) if one.terms is not None else None
        return cls(agent=one.agent, state=one.state, bar=one.bar, terms=terms)


class RankOut(BaseModel):
    """One agent's place in the order of a decision."""

    agent: str
    terms: list[float] = Field(description=TERMS)


class DecisionOut(BaseModel):
    """An offer that was made, and the order that it came from."""

    at: Moment
    offer: str
    strategy: str
    chosen: list[str] = Field(description="The agents who were rung.")
    order: list[RankOut] = Field(description="The first of all who could have been rung.")

    @classmethod
    def of(cls, one: Decision) -> "DecisionOut":
        return cls(
            at=moment(one.at),
            offer=one.offer,
            strategy=one.strategy,
            chosen=[str(agent) for agent in one.chosen],
            order=[RankOut(agent=agent, terms=[misses, *key]) for misses, key, agent in one.order],
        )


class PromiseOut(BaseModel):
    """A wait that is expected, or was told to the caller."""

    at: Moment
    low_s: float = Field(description="The turn comes this much later than `at`, or …")
    high_s: float = Field(description="… up to this much later.")
    ahead: int = Field(description="Callers before this one.")
    agents: int = Field(description="Agents at work who can serve this caller.")
    because: Growth | None = Field(description="Why it is later than what was told before; null if it is not.")

    @classmethod
    def of(cls, one: Promise) -> "PromiseOut":
        return cls(
            at=moment(one.at),
            low_s=rounded(one.low_s),
            high_s=rounded(one.high_s),
            ahead=one.ahead,
            agents=one.agents,
            because=one.because,
        )


class OverflowOut(BaseModel):
    """A visit to a queue that one of its limits ended."""

    at: Moment | None
    queue: str
    limit: Limit | None
    led_to: str | None = Field(description="`queue:…`, `number:…`, `voicemail` or `message`.")

    @classmethod
    def of(cls, visit: Visit) -> "OverflowOut":
        return cls(at=perhaps(visit.decided_at), queue=visit.queue, limit=visit.limit, led_to=visit.led_to)


class SaidOut(BaseModel):
    """An announcement that the caller began to hear."""

    at: Moment
    language: str = Field(description="Empty: the channel's own, which is not known.")
    prompts: list[str] = Field(description="In order; empty if it was made before a restart of the service.")
    promise: PromiseOut | None = Field(description="The wait that was told.")

    @classmethod
    def of(cls, one: Said) -> "SaidOut":
        promise = PromiseOut.of(one.promise) if one.promise is not None else None
        return cls(at=moment(one.at), language=one.language, prompts=list(one.prompts), promise=promise)


class CallWhyOut(BaseModel):
    """Why a call is where it is."""

    call: str
    state: CallState
    queue: str
    strategy: str | None = Field(description="Null if the call has ended and its queue is no more.")
    position: int | None = Field(description="In the line; 1 is the head. Null unless the caller waits.")
    priority: int = Field(description="The call's own and what the directory adds to it.")
    head_start_s: float = Field(description="What the priority is worth in waiting time.")
    segment: str | None = Field(description="From the directory of known callers.")
    skills: dict[str, int] = Field(description="What an agent must be able to do, as it stands now.")
    held_for: str | None = Field(description="The agent whom the caller waits for …")
    held_until: Moment | None = Field(description="… until then.")
    not_offered_because: str | None = Field(
        description="What keeps the call from everybody: `service_stopping`, `pbx_not_ready`, `with_the_fallback` (Asterisk serves "
        "him alone, for it had missed the service) or `last_offer_not_placed`."
    )
    candidates: list[CandidateOut] = Field(
        description="All agents of the queue, those who may be rung first, in order."
    )
    decisions: list[DecisionOut] = Field(description="The last offers that were made, oldest first.")
    expected: PromiseOut | None = Field(description="What could be told to the caller now.")
    told: list[PromiseOut] = Field(
        description="The waits that the caller was told, oldest first; `at`: when worked out."
    )
    language: str | None = Field(description="In which the caller hears prompts.")
    place_since: Moment | None = Field(description="The entry that the place counts from, if it is an earlier call's.")
    announced: list[SaidOut] = Field(description="The last announcements that the caller began to hear, oldest first.")
    overflows: list[OverflowOut] = Field(description="The limits that led the caller on, oldest first.")

    @classmethod
    def of(cls, why: CallWhy) -> "CallWhyOut":
        return cls(
            call=why.call,
            state=why.state,
            queue=why.queue,
            strategy=why.strategy,
            position=why.position,
            priority=why.priority,
            head_start_s=why.head_start_s,
            segment=why.segment,
            skills=dict(why.needs),
            held_for=why.held_for,
            held_until=perhaps(why.held_until),
            not_offered_because=why.not_offered_because,
            candidates=[CandidateOut.of(one) for one in why.candidates],
            decisions=[DecisionOut.of(one) for one in why.decisions],
            expected=PromiseOut.of(why.expected) if why.expected is not None else None,
            told=[PromiseOut.of(one) for one in why.told],
            overflows=[OverflowOut.of(one) for one in why.overflows],
            language=why.language,
            place_since=perhaps(why.place_since),
            announced=[SaidOut.of(one) for one in why.announced],
        )


class CallerBarOut(BaseModel):
    """One caller of a line, and what keeps the agent from him."""

    call: str
    bar: Bar | None = Field(
        description="What keeps this agent from this caller; null: nothing but what is said elsewhere."
    )
    held_up_by: str | None = Field(description="What keeps the caller from everybody.")

    @classmethod
    def of(cls, one: CallerBar) -> "CallerBarOut":
        return cls(call=one.call, bar=one.bar, held_up_by=one.held_up_by)


class LineWhyOut(BaseModel):
    """One of the agent's lines."""

    queue: str
    waiting: int = Field(description="Callers in line for whom no phone rings.")
    first: list[CallerBarOut] = Field(description="The first of them.")

    @classmethod
    def of(cls, one: LineWhy) -> "LineWhyOut":
        return cls(queue=one.queue, waiting=one.waiting, first=[CallerBarOut.of(bar) for bar in one.first])


class IdleWhyOut(BaseModel):
    """Why an agent has no call."""

    agent: str
    state: AgentState
    bar: Bar | None = Field(description="What keeps the agent from any call; null if nothing does.")
    rests_until: Moment | None = Field(description="The phone did not take an offer: left in peace until then.")
    lines: list[LineWhyOut] = Field(description="The lines of all queues that the agent serves.")

    @classmethod
    def of(cls, why: IdleWhy) -> "IdleWhyOut":
        return cls(
            agent=why.agent,
            state=why.state,
            bar=why.bar,
            rests_until=perhaps(why.rests_until),
            lines=[LineWhyOut.of(one) for one in why.lines],
        )
