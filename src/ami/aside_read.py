"""Who talks to whom, read from the channels alone: after a restart of the service, and by the slow look at everything.

Each leg says by its variables whose it is, and the bridges say who hears whom. Pure; ``ami.resync`` calls it for each caller in a
conversation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from acd.consult_port import ConsultFound, ConsultStage
from acd.ids import DeviceId, LegId, OfferId, PbxId
from ami import names
from ami.book import AgentLeg, Aside, LiveCall, LiveOffer
from ami.identity import seconds
from ami.readings import ChannelReading
from ami.targets import device_of

Leg = tuple[AgentLeg, ChannelReading]


@dataclass(frozen=True, slots=True)
class Conversation:
    """``answered`` has the caller, since ``since`` where its leg says so itself."""

    answered: AgentLeg | None
    since: float | None = None
    aside: Aside | None = None
    consult: ConsultFound | None = None


def offer_of(found: ChannelReading) -> str | None:
    """The offer that a leg was dialled for; of an agent who asks somebody else, not the consult's that he passes on."""
    return found.variables.get(names.OWN_OFFER) or found.variables.get(names.FOR_OFFER)


def is_held(caller: ChannelReading) -> bool:
    """Whether the caller is on hold because of a consult."""
    return caller.variables.get(names.STATE) == "held"


def read(
    pbx: PbxId,
    call: LiveCall,
    offer: LiveOffer,
    caller: ChannelReading,
    legs: Sequence[Leg],
    bridged: Mapping[str, Sequence[ChannelReading]],
) -> Conversation:
    """``legs`` are all that belong to the call, ``bridged`` what is in which bridge."""
    asker = next((one for one in legs if one[0].offer == offer.id and names.ASIDE in one[1].variables), None)
    consult = _consult(caller, asker, legs) if asker is not None else None
    if asker is not None and consult is not None:
        return consult
    together = [one for one in legs if one[1].bridge is not None and one[1].bridge == caller.bridge]
    up = [one for one in legs if one[1].up and one[0].offer == offer.id]
    found = next(iter(together or up), None) or _stranger(pbx, call, offer, bridged.get(caller.bridge or "", ()))
    if found is None:
        return Conversation(None)
    found[0].offer = offer.id
    return Conversation(found[0], seconds(found[1].variables.get(names.CONNECTED)))


def _stranger(pbx: PbxId, call: LiveCall, offer: LiveOffer, others: Sequence[ChannelReading]) -> Leg | None:
    """A phone to which an agent's phone has given the caller by itself: nothing on it says whose it is. A supervisor's leg does."""
    for one in others:
        if names.CALL not in one.variables and names.SPY not in one.variables and one.leg != call.leg:
            return AgentLeg(LegId(one.leg), one.channel, device_of(pbx, one.channel), call.id, offer.id), one
    return None


def _consult(caller: ChannelReading, asker: Leg, legs: Sequence[Leg]) -> Conversation | None:
    """The consult that goes on, if the one of which the asker's leg speaks does."""
    agent, reading = asker
    consult, asked = OfferId(reading.variables[names.ASIDE]), reading.variables.get(names.ASKED, "")
    theirs = next((one for one in legs if one is not asker and one[1].variables.get(names.FOR_OFFER) == consult), None)
    in_line = asked.startswith("queue-")
    if theirs is None:
        if not (in_line and is_held(caller)):
            return None  # over, and the agent has the caller again
        aside = Aside(consult, asked, agent, None, ConsultStage.WAITING, in_line=True)
        return Conversation(agent, aside=aside, consult=ConsultFound(consult, aside.stage, asked))
    rung, found = theirs
    rung.offer = consult
    stage = _stage(caller, reading, found)
    aside = Aside(consult, asked, agent, rung.device, stage, in_line=in_line, rung=rung)
    since = seconds(found.variables.get(names.CONNECTED))
    held_since = seconds(caller.variables.get(names.HELD_AT)) if is_held(caller) else None
    device: DeviceId = rung.device
    told = ConsultFound(consult, stage, asked, device, rung.leg, since, held_since)
    return Conversation(agent, aside=aside, consult=told)


def _stage(caller: ChannelReading, asker: ChannelReading, asked: ChannelReading) -> ConsultStage:
    if not asked.up:
        return ConsultStage.RINGING
    if is_held(caller):
        return ConsultStage.TALKING
    apart = asked.bridge is None or asked.bridge not in (caller.bridge, asker.bridge)
    return ConsultStage.SWAPPED if apart else ConsultStage.MERGED


def legs_of(call: LiveCall) -> list[AgentLeg]:
    """The legs of a consult, and of whoever has the caller by no offer of ours."""
    found = [call.offer.answered] if call.offer is not None else []
    if call.aside is not None:
        found.append(call.aside.rung)
    return [one for one in found if one is not None]
