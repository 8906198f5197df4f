"""A caller is erased: what the floor remembers of somebody who is not on the line. ``acd.floor`` calls the handler."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from acd.commands import ForgetCaller
from acd.directory import normal
from acd.errors import Conflict, Invalid
from acd.turn import Turn

if TYPE_CHECKING:
    from acd.floor import Floor


def forget(floor: "Floor", _turn: Turn, command: ForgetCaller) -> None:
    """Calls that have ended stay, and so does what they count for, without the caller."""
    caller = normal(command.number, floor.numbering)
    if caller is None:
        raise Invalid("invalid_number", "a number has digits", field="number")
    if any(call.caller == caller for call in floor.calls.values()):
        raise Conflict(
            "caller_on_the_line", "this caller is on the line, or about to be called back: try again afterwards"
        )
    for call in floor.ended.values():
        if call.caller == caller:
            call.number = call.name = call.caller = call.known_as = call.notes = None
    floor.served_by.pop(caller, None)
    for key in [key for key in floor.kept if key[0] == caller]:
        del floor.kept[key]


HANDLERS: dict[type, Callable[["Floor", Turn, Any], None]] = {ForgetCaller: forget}
