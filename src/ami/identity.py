"""Who a caller is: the call's id, and what the channel says of number, name, queue and priority.

Used for a caller who has just come in (``ami.tracker``) and for those that a snapshot finds (``ami.resync``), so that both
see the same caller.
"""

import re
from dataclasses import dataclass

from acd.ids import AttemptId, CallId, LegId, PbxId, QueueId
from acd.telephony import CallEntered, LineVisit
from ami import names
from ami.readings import ChannelReading

_CALL = re.compile(r"(?P<pbx>.+)-(?P<ms>[0-9]{10,15})\.(?P<serial>[0-9]{1,10})")
_VISIT = re.compile(r"([0-9]{10,15})-([0-9]{10,15})-([01])")
_MOMENT = re.compile(r"[0-9]{10,15}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(_[A-Za-z0-9]{2,8})?")
_NUMBER = re.compile(r"[0-9+*#]{1,64}")  # what ``acd-enter`` lets through
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


def _visit(found: ChannelReading) -> LineVisit | None:
    """The stay in a line in which the caller is, if it is not the first."""
    parts = _VISIT.fullmatch(found.variables.get(names.VISIT, ""))
    if parts is None:
        return None
    queue = QueueId(found.variables.get(names.QUEUE, ""))
    trail = tuple(QueueId(one) for one in found.variables.get(names.TRAIL, "").split(".") if one)
    return LineVisit(queue, int(parts[1]) / 1000, int(parts[2]) / 1000, front=parts[3] == "1", trail=trail)


def entry(call: CallName, dialled: str, found: ChannelReading | None, number: str = "") -> CallEntered:
    """Who has come in. Of a caller who left before Asterisk could be asked, only the number ``dialled`` and the own are known."""
    if found is None or found.variables.get(names.CALL) != call.id:
        own = number if found is None and _NUMBER.fullmatch(number) else None
        return CallEntered(call.id, call.leg, dialled, call.entered_at, call.serial, 0, own, None)
    priority, since = found.variables.get(names.PRIORITY, ""), found.variables.get(names.PLACE, "")
    attempt = found.variables.get(names.ATTEMPT)
    language = found.language if found.language is not None and _LANGUAGE.fullmatch(found.language) else None
    return CallEntered(
        call.id,
        call.leg,
        found.variables.get(names.QUEUE, dialled),
        call.entered_at,
        call.serial,
        int(priority) if _PRIORITY.fullmatch(priority) else 0,
        found.number,
        _own_name(found),
        visit=_visit(found),
        language=language,
        chosen=language is not None and found.variables.get(names.LANGUAGE) == language,
        place_since=int(since) / 1000 if _MOMENT.fullmatch(since) else None,
        told=found.variables.get(names.TOLD),
        attempt=AttemptId(attempt) if attempt is not None else None,
        private=found.variables.get(names.CONSENT) == "no",
    )


def _own_name(found: ChannelReading) -> str | None:
    """The caller's name, not what stands in its place while phones are to show the queue."""
    shown = found.variables.get(names.SHOW)
    return found.name if shown is None or shown != found.name else found.variables.get(names.NAME)


def seconds(milliseconds: str | None) -> float | None:
    """A moment that a variable holds."""
    return int(milliseconds) / 1000 if milliseconds is not None and _MS.fullmatch(milliseconds) else None
