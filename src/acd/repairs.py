"""What a look at a PBX put right: counted by kind, and told one by one with the reason.

``acd.reconcile`` notes them; readers of the log and of history learn which call or phone it was and why.
"""

from collections import Counter
from typing import Final

from acd.calls import Call
from acd.events import Repaired
from acd.ids import DeviceId, PbxId
from acd.turn import Turn

WHY: Final[dict[str, str]] = {
    "call_adopted": "the PBX has a caller whom nobody here knew",
    "call_ended": "the caller has gone, and nobody had said so",
    "call_lost": "the PBX was started anew, and its calls are gone",
    "consult": "who is talked to, or asked meanwhile, had changed",
    "device_state": "the phone is in another state than was known",
    "fallback_ended": "the caller is back from being served by the PBX alone",
    "fallback_found": "the caller is being served by the PBX alone",
    "lead_found": "the caller is on the way out of the line already",
    "lead_repeated": "the caller was led on and still stands in line: he is led once more",
    "offer_ended": "the offer is over, and nobody had said so",
    "offer_found": "an offer is on its way that nobody here knew",
    "talk_ended": "the conversation is over, and nobody had said so",
    "talk_found": "the caller and an agent are talking, and nobody had said so",
    "talk_lost": "the caller who was talking waits again",
}
"""Kinds of repairs, and what was found."""


class Repairs:
    """Those of one look at ``pbx``."""

    def __init__(self, turn: Turn, pbx: PbxId) -> None:
        self._turn, self._pbx = turn, pbx
        self._counts: Counter[str] = Counter()

    def of_call(self, kind: str, call: Call) -> None:
        """Something about a call was put right."""
        self._counts[kind] += 1
        self._turn.emit(Repaired(self._turn.now, self._pbx, kind, WHY[kind], call.id, call.queue, None))

    def of_device(self, kind: str, device: DeviceId) -> None:
        """Something about a phone was put right."""
        self._counts[kind] += 1
        self._turn.emit(Repaired(self._turn.now, self._pbx, kind, WHY[kind], None, None, device))

    def counts(self) -> tuple[tuple[str, int], ...]:
        """How many, by kind."""
        return tuple(sorted(self._counts.items()))
