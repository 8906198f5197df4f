"""Bodies of ``/v1/calls``."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from acd.calls import CallState
from acd.consult_port import ConsultStage
from acd.limits import Limit
from acd.outcomes import Outcome
from acd.talks import TargetKind, Transfer, TransferMode, TransferResult
from acd.views import CallView, ConsultView, TalkView
from nobat.api.devices import shown
from nobat.api.queue_models import Body, CallerOut
from nobat.api.recording_models import LiveRecordingOut
from nobat.api.text import Notes, Word
from nobat.api.times import Moment, moment, perhaps, rounded

Party = Literal["caller", "agent", "outside"]


class LegOut(BaseModel):
    """One party's connection to the PBX."""

    id: str
    party: Party
    device: str | None = Field(description="The phone, of all but the caller.")


class TalkOut(BaseModel):
    """One party's conversation with the caller."""

    queue: str
    agent: str | None = Field(description="Null where an outside number talks, or nobody is known at the phone.")
    device: str | None
    number: str | None = Field(description="The outside number to which the call was passed on.")
    began_at: Moment
    ended_at: Moment | None
    talk_s: float = Field(description="Hold included.")
    hold_s: float


class TransferOut(BaseModel):
    """The call was passed on. A caller whose transfer failed stands at the head of the line."""

    at: Moment
    by: str | None = Field(description="The agent who had the call.")
    mode: TransferMode
    to: dict[TargetKind, str | None] = Field(
        description="Null: a number that was erased.", examples=[{"queue": "support"}]
    )
    result: TransferResult


class ConsultOut(BaseModel):
    """The agent who has the caller asks somebody else."""

    by: str | None = Field(description="The agent who asks.")
    to: dict[TargetKind, str] = Field(examples=[{"agent": "102"}])
    stage: Annotated[
        ConsultStage,
        Field(
            description=(
                "`waiting` in a queue's line, `ringing`, `talking` (the caller is on hold), `swapped` (who is asked is on hold), "
                "`merged` (all three hear each other)."
            )
        ),
    ]
    since: Moment
    agent: str | None = Field(description="Who is rung, or talked to.")
    device: str | None
    answered_at: Moment | None


class VisitOut(BaseModel):
    """One stay in a queue; its outcome is decided once."""

    queue: str
    entered_at: Moment
    decided_at: Moment | None
    outcome: Outcome | None
    limit: Limit | None = Field(description="The limit of the queue that ended it; null unless it overflowed.")
    led_to: str | None = Field(description="Where that led: `queue:…`, `number:…`, `voicemail` or `message`.")


class CallOut(BaseModel):
    """One caller's stay with us."""

    id: str = Field(examples=["pbx1-1767225600123.42"])
    pbx: str
    state: CallState
    state_since: Moment
    queue: str
    outcome: Outcome | None = Field(description="Of the last visit; null while the caller waits.")
    caller: CallerOut
    priority: int
    entered_at: Moment
    waited_s: float = Field(description="From the entry into the line to its end, or until now.")
    position: int | None = Field(description="In the line; 1 is the head.")
    offered_to: list[str] = Field(description="The agents whose phones ring now.")
    agent: str | None
    connected_at: Moment | None
    talk_s: float | None
    hold_s: float
    ended_at: Moment | None
    ended_by: str | None = Field(examples=["caller"])
    disposition: str | None
    notes: str | None
    legs: list[LegOut]
    talks: list[TalkOut]
    transfers: list[TransferOut]
    consult: ConsultOut | None = Field(description="While one goes on.")
    visits: list[VisitOut]
    language: str | None = Field(description="In which the caller hears prompts.", examples=["fa"])
    survey: int | None = Field(description="What the caller thought of it, 1 to 5.")
    recording: LiveRecordingOut | None = Field(
        description="Of the conversation that goes on; null when it is not recorded."
    )
    place_since: Moment | None = Field(
        description="Of a caller who was cut off and rang again: the entry that the place in the line counts from."
    )
    callback: str | None = Field(description="By which the customer was reached, or that he has a place of.")

    @classmethod
    def of(cls, view: CallView) -> "CallOut":
        legs = [LegOut(id=view.leg, party="caller", device=None)]
        for talk in view.talks:
            if talk.leg is not None:
                party: Party = "agent" if talk.number is None else "outside"
                legs.append(LegOut(id=talk.leg, party=party, device=shown(talk.device)))
        if view.consult is not None and view.consult.leg is not None:
            asked: Party = "outside" if view.consult.kind is TargetKind.NUMBER else "agent"
            legs.append(LegOut(id=view.consult.leg, party=asked, device=shown(view.consult.device)))
        return cls(
            id=view.id,
            pbx=view.pbx,
            state=view.state,
            state_since=moment(view.state_since),
            queue=view.queue,
            outcome=view.outcome,
            caller=CallerOut(number=view.number, name=view.name),
            priority=view.priority,
            entered_at=moment(view.entered_at),
            waited_s=rounded(view.waited_s),
            position=view.position,
            offered_to=list(view.offered_to),
            agent=view.agent,
            connected_at=perhaps(view.connected_at),
            talk_s=rounded(view.talk_s) if view.talk_s is not None else None,
            hold_s=rounded(view.hold_s),
            ended_at=perhaps(view.ended_at),
            ended_by=view.ended_by,
            disposition=view.disposition,
            notes=view.notes,
            legs=legs,
            talks=[_talk(talk) for talk in view.talks],
            transfers=[_transfer(transfer) for transfer in view.transfers],
            consult=_consult(view.consult) if view.consult is not None else None,
            visits=[
                VisitOut(
                    queue=visit.queue,
                    entered_at=moment(visit.entered_at),
                    decided_at=perhaps(visit.decided_at),
                    outcome=visit.outcome,
                    limit=visit.limit,
                    led_to=visit.led_to,
                )
                for visit in view.visits
            ],
            language=view.language,
            place_since=perhaps(view.place_since),
            survey=view.survey,
            recording=LiveRecordingOut.of(view.recording) if view.recording is not None else None,
            callback=view.callback,
        )


def _talk(talk: TalkView) -> TalkOut:
    return TalkOut(
        queue=talk.queue,
        agent=talk.agent,
        device=shown(talk.device),
        number=talk.number,
        began_at=moment(talk.began_at),
        ended_at=perhaps(talk.ended_at),
        talk_s=rounded(talk.talk_s),
        hold_s=rounded(talk.hold_s),
    )


def _consult(one: ConsultView) -> ConsultOut:
    return ConsultOut(
        by=one.by,
        to={one.kind: one.to},
        stage=one.stage,
        since=moment(one.since),
        agent=one.agent,
        device=shown(one.device),
        answered_at=perhaps(one.answered_at),
    )


def _transfer(one: Transfer) -> TransferOut:
    return TransferOut(at=moment(one.at), by=one.by, mode=one.mode, to={one.kind: one.to}, result=one.result)


class CallPatch(Body):
    """Only what is named changes. A changed priority moves the caller in the line."""

    priority: Annotated[
        int | None, Field(ge=-1_000, le=1_000, description="Higher comes first; needs a supervisor's token.")
    ] = None
    disposition: Annotated[Word | None, Field(examples=["sold"])] = None
    notes: Notes | None = None
