"""Why a phone did not take a call, from all that was seen of its leg. Used by ``ami.course`` and ``ami.aside``."""

from acd.telephony import MissCause
from ami import causes
from ami.book import AgentLeg


def verdict(agent: AgentLeg, otherwise: MissCause) -> MissCause:
    """Why a phone did not take the call: our doing, its own word, another phone's answer, or else ``otherwise``."""
    if agent.by_us:
        return MissCause.CANCELLED
    if agent.hangup_asked:
        return causes.of_refusal(agent.refusal) if agent.refusal is not None else MissCause.REJECTED
    return MissCause.CANCELLED if agent.cancelled else otherwise
