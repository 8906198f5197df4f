"""The slow look at everything over a link that lives: what Asterisk shows against what its events have told us.

Events tell more than a look does (who refused, who hung up), and some of them are on their way while the look is taken. So a
difference counts only for a call of which nothing was heard or asked since the question, and only when the next look shows
the same one: then an event was lost, and what Asterisk shows is taken. Calls that are new to us are taken at once.

Pure. ``ami.tracker`` calls it; after a lost link it takes the whole snapshot instead.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from acd.consult_port import ConsultFound
from acd.ids import CallId
from acd.telephony import LegStage, Offer, SnapshotCall
from ami.book import AgentLeg, Book, LiveCall, Snapshot

GONE = "gone"
LOST = "lost"  # an offer that never moved its caller: its Redirect has not come


@dataclass(frozen=True, slots=True)
class Compared:
    """``calls`` is what the domain is told. ``doubtful``: look again soon. ``changed`` were taken as Asterisk shows them."""

    calls: tuple[SnapshotCall, ...]
    changed: tuple[LiveCall, ...]
    doubtful: bool


def compare(book: Book, snapshot: Snapshot, look: int, unsent: Mapping[CallId, Offer]) -> Compared:
    """Bring the book in line with the snapshot of look number ``look``. ``unsent`` are offers that were not written yet."""
    shown = {call.id: (call, fact) for call, fact in zip(snapshot.calls, snapshot.fact.calls, strict=True)}
    legs: dict[CallId, list[AgentLeg]] = {}
    for leg in snapshot.legs:
        legs.setdefault(leg.call, []).append(leg)
    told: list[SnapshotCall] = []
    changed: list[LiveCall] = []
    doubtful = False
    for call in tuple(book.calls.values()):
        if call.entered is None:
            continue  # the domain does not know it yet, and will be told as soon as Asterisk has said who it is
        theirs = shown.get(call.id)
        mine = as_known(call, unsent.get(call.id))
        if call.asked or call.touched >= look or call.id in unsent:
            call.doubt = None
            told.append(mine)
            continue
        seen = _seen(call, theirs)
        if seen == _mark(mine):
            call.doubt = None
            told.append(mine)
        elif seen != call.doubt:
            call.doubt, doubtful = seen, True
            told.append(mine)
        else:
            told.extend(_take(book, call, theirs, seen, legs.get(call.id, []), changed))
    for call, fact in shown.values():
        if call.id not in book.calls and not book.is_gone(call.leg):
            book.add(call)
            _add_legs(book, call, legs.get(call.id, []))
            told.append(fact)
            changed.append(call)
    for asking in [leg for leg, phone in book.asking.items() if leg not in snapshot.asking and phone.since < look]:
        book.remove_leg(asking)
    return Compared(tuple(told), tuple(changed), doubtful)


def as_known(call: LiveCall, unsent: Offer | None = None) -> SnapshotCall:
    """A call as the domain was told of it."""
    if call.entered is None:
        raise ValueError("a call that has not entered cannot be shown")
    offer = call.offer
    if call.led:
        return SnapshotCall(call.entered, LegStage.LED)
    if unsent is not None:
        return SnapshotCall(call.entered, LegStage.OFFERED, unsent.offer)
    if offer is None:
        return SnapshotCall(call.entered, LegStage.WAITING)
    if offer.fallback and offer.answered is None:
        return SnapshotCall(call.entered, LegStage.FALLBACK, offer.id)
    if not offer.talking and not offer.freed:
        return SnapshotCall(call.entered, LegStage.OFFERED, offer.id)
    # A leg that is over has nobody: a supervisor may have kept the caller.
    agent = offer.answered if offer.answered is not None and offer.answered.leg in call.legs else None
    return SnapshotCall(
        call.entered,
        LegStage.AFTER if offer.freed else LegStage.TALKING,
        offer.id,
        agent.device if agent is not None else None,
        agent.leg if agent is not None else None,
        consult=_consult(call),
    )


def _consult(call: LiveCall) -> ConsultFound | None:
    aside = call.aside
    if aside is None:
        return None
    rung = aside.rung
    leg = rung.leg if rung is not None else None
    return ConsultFound(aside.id, aside.stage, aside.asked, rung.device if rung is not None else None, leg)


def _mark(fact: SnapshotCall) -> str:
    if fact.stage in (LegStage.WAITING, LegStage.LED):
        return fact.stage
    consult = f" {fact.consult.offer} {fact.consult.stage}" if fact.consult is not None else ""
    return f"{fact.stage} {fact.offer}{consult}"


def _seen(call: LiveCall, theirs: tuple[LiveCall, SnapshotCall] | None) -> str:
    """What a look shows of a call, in a word to compare."""
    if theirs is None:
        return GONE
    found, fact = theirs
    if (
        found.offer is not None
        and found.offer.on_its_way
        and call.offer is not None
        and call.offer.id == found.offer.id
    ):
        return LOST
    return _mark(fact)


def _take(
    book: Book,
    call: LiveCall,
    theirs: tuple[LiveCall, SnapshotCall] | None,
    seen: str,
    legs: list[AgentLeg],
    changed: list[LiveCall],
) -> tuple[SnapshotCall, ...]:
    """The difference is real: an event was lost. Asterisk is right."""
    if theirs is None:
        book.remove_call(call)
        return ()
    if seen == LOST:
        call.offer, call.doubt = None, None
        return (as_known(call),)
    found, fact = theirs
    book.swap(call, found, legs)
    changed.append(found)
    return (fact,)


def _add_legs(book: Book, call: LiveCall, legs: list[AgentLeg]) -> None:
    for leg in legs:
        book.add_leg(call, leg)
