"""Whether an Asterisk may be routed on: what its answers must be, and what it must refuse. Used by ``ami.pbx``."""

from ami import actions
from ami.answers import Answer, Outcome
from ami.health import HealthState
from ami.link import Link


class Unfit(Exception):
    """Asterisk must not be routed on. ``unanswered``: it has not said so, only nothing, and may say more when asked again."""

    def __init__(self, state: HealthState, reason: str, *, unanswered: bool = False) -> None:
        super().__init__(reason)
        self.state = state
        self.reason = reason
        self.unanswered = unanswered


def must(answer: Answer) -> None:
    """Raise Unfit for an answer without which there is nothing to stand on."""
    if answer.ok:
        return
    if answer.outcome is Outcome.REFUSED and "permission" in answer.message.lower():
        raise Unfit(HealthState.MISSING_RIGHTS, "missing_rights")
    raise Unfit(HealthState.SYNCING, f"action_{answer.outcome}", unanswered=answer.outcome is Outcome.TIMEOUT)


async def refuses_what_is_dangerous(link: Link) -> None:
    """Raise Unfit if this Asterisk lets the account do what only its dialplan may (``live_dangerously``)."""
    tried = await link.ask(actions.TryDangerous())
    if tried.ok:
        await link.ask(actions.TryDangerous(forget=True))
        raise Unfit(HealthState.DANGEROUS, "live_dangerously")
    if tried.outcome is not Outcome.REFUSED or "permission" in tried.message.lower():
        must(tried)
