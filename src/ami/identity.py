"""Who a caller is: the call's id, and what the channel says of number, name, queue and priority.

Used for a caller who has just come in (``ami.tracker``) and for those that a snapshot finds (``ami.resync``), so that both
see the same caller.
"""

import re
from dataclasses import dataclass

from acd.ids import CallId, LegId, PbxId
from acd.telephony import CallEntered
from ami import names
from ami.readings import ChannelReading

_CALL = re.compile(r"(?P<pbx>.+)-(?P<ms>[0-9]{10,15})\.(?P<serial>[0-9]{1,10})")
_PRIORITY = re.compile(r"[0-9]{1,9}")
_MS = re.compile(r"[0-9]{1,15}")


@dataclass(frozen=True, slots=True)
class CallName:
    """A call's id taken apart: ``<pbx>-<ms of entry>.<serial of the leg>``."""

    id: CallId
    leg: LegId
    entered_at: float
    serial: int


def named(pbx: PbxId, call: str, leg: str) -> CallName | None:
    """The name of ``call`` if the dialplan of ``pbx`` can have made it for ``leg``; else None."""
    parts = _CALL.fullmatch(call)
    if (
        parts is None
        or parts["pbx"] != pbx
        or parts["serial"] != leg.rpartition(".")[2]
        or not leg.startswith(f"{pbx}-")
    ):
        return None
    return CallName(CallId(call), LegId(leg), int(parts["ms"]) / 1000, int(parts["serial"]))


def entry(call: CallName, dialled: str, found: ChannelReading | None) -> CallEntered:
    """Who has come in. Of a caller who left before Asterisk could be asked, only the number ``dialled`` is known."""
    if found is None or found.variables.get(names.CALL) != call.id:
        return CallEntered(call.id, call.leg, dialled, call.entered_at, call.serial, 0, None, None)
    said = found.variables
    priority = said.get(names.PRIORITY, "")
    return CallEntered(
        call.id,
        call.leg,
        found.variables.get(names.QUEUE, dialled),
        call.entered_at,
        call.serial,
        int(priority) if _PRIORITY.fullmatch(priority) else 0,
        found.number,
        found.name,
        seconds(said.get(names.VISIT)),
        seconds(said.get(names.PLACE)),
        tuple(one for one in said.get(names.TRAIL, "").split(".") if one),
    )


def seconds(milliseconds: str | None) -> float | None:
    """A moment that a variable holds."""
    return int(milliseconds) / 1000 if milliseconds is not None and _MS.fullmatch(milliseconds) else None
