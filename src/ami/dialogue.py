"""Questions of callers who wait, and their answers: the half of ``acd-callback-offer`` that is ours.

A question comes as an ``AcdAsk`` of the caller's own channel. What it is about is read from the channel, for nothing that a caller
keys in stands in an event. The answer is a ``Redirect``, which settles no race: it leaves only while that very question is
open, and the caller has been neither offered nor led on since. ``ami.tracker`` and ``ami.pbx`` call this.
"""

from collections.abc import Sequence

from acd.ids import CallId
from ami import actions, names
from ami.book import Book, LiveCall
from ami.events import PhoneAsks
from ami.outputs import CallerAsked, Look, Purpose
from ami.readings import ChannelReading

MOST_DIGITS = 40


def asks(call: LiveCall, event: PhoneAsks) -> Look | None:
    """A caller has put a question; None for one that was heard before, or that his channel could not have put."""
    leg, _, count = event.ask.rpartition(".")
    if leg != call.leg or not count.isdecimal() or event.ask == call.ask or not _waits(call):
        return None
    call.ask = event.ask
    return Look(Purpose.WHAT_A_CALLER_ASKS, call.channel, call.leg, call.id)


def asked(call: LiveCall, found: ChannelReading) -> CallerAsked | None:
    """What the channel says of the question that is open."""
    said = found.variables
    if call.ask is None or said.get(names.ASK) != call.ask or not _waits(call):
        return None
    keyed, code = _digits(said.get(names.ASK_KEYED, "")), _digits(said.get(names.ASK_CODE, ""))
    return CallerAsked(call.id, call.ask, said.get(names.ASK_KIND, ""), keyed, code)


def _digits(text: str) -> str:
    sound = text.isdecimal() and text.isascii() and len(text) <= MOST_DIGITS
    return text if sound else ""


def answer(
    book: Book, call: CallId, ask: str, step: str, prompts: Sequence[str]
) -> "tuple[actions.Action, ...] | None":
    """The actions of an answer; None if nobody waits for it any more. Raises ``ActionRefused``."""
    live = book.calls.get(call)
    if live is None or live.ask != ask or live.asked or not _waits(live):
        return None
    sounds = tuple(f"nobat/{prompt}" for prompt in prompts)
    made = (actions.SetLead(live.channel, sounds), actions.Redirect(live.channel, names.CALLBACK_OFFER, step))
    for action in made:
        actions.encode(action)
    live.ask = None
    return made


def _waits(call: LiveCall) -> bool:
    return call.offer is None and not call.led
