"""Where in events telephone numbers and other words about callers stand: to be found again, and to be erased.

A test goes through every kind of event and fails when one has such a field that is not listed here.
"""

from typing import Any

from acd.callback_events import CallbackChanged, CallbackPromised
from acd.consult_events import ConsultAsked
from acd.events import CallAmended, CallQueued, CallTransferred, Event, PlaceKept, VoicemailLeft
from acd.recording_events import RecordingBegan
from acd.talks import TargetKind

OF_CALLERS: dict[type, tuple[str, ...]] = {
    CallQueued: ("number", "name"),
    VoicemailLeft: ("number", "name"),
    RecordingBegan: ("number",),
    CallbackPromised: ("number", "name"),
    CallbackChanged: ("number",),
    PlaceKept: ("caller",),
    CallAmended: ("notes",),
}
"""Fields that say who called, or what was written of them, by the kind of event."""

PASSED_ON: dict[type, str] = {CallTransferred: "to", ConsultAsked: "to"}
"""Fields with the number that a call was passed on to, where its target is one."""

_BY_NAME = {kind.__name__: kind for kind in (*OF_CALLERS, *PASSED_ON)}
_NUMBER = {kind: fields[0] for kind, fields in OF_CALLERS.items() if fields[0] in ("number", "caller")} | PASSED_ON


def of_event(event: Event) -> str | None:
    """The number that an event tells of."""
    kind: type = type(event)
    field = _NUMBER.get(kind)
    if field is None or (kind in PASSED_ON and getattr(event, "target", None) is not TargetKind.NUMBER):
        return None
    return getattr(event, field)  # type: ignore[no-any-return]


def blank(kind: str, data: dict[str, Any], writings: frozenset[str]) -> dict[str, Any]:
    """The stored ``data`` of an event without what tells of the caller: of a call passed on, without the number if it is one of
    ``writings``.
    """
    known = _BY_NAME.get(kind)
    if known in PASSED_ON:
        field = PASSED_ON[known]
        return {**data, field: None} if data.get(field) in writings else data
    return {**data, **dict.fromkeys((name for name in OF_CALLERS.get(known, ()) if name in data), None)}  # type: ignore[arg-type]
