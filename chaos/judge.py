"""What must hold when all is over: pure functions over what callers, phones, the wire and the service say.

Each returns sentences; none means that all is well.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chaos.centre import SentOffer

PARTS = ("answered", "abandoned", "overflowed", "deferred", "lost", "waiting")
AT_ONCE_S = 1.0
"""Callers who come, or are seen, within such a time of each other have no order that a look twice a second could tell."""


@dataclass(frozen=True, slots=True)
class Caller:
    """One customer who was let in, by everybody's word. Times are one clock's seconds; None: did not happen, or nobody saw it."""

    number: str
    came_at: float
    gone_at: float
    seen_in_line_at: float | None
    first_offered_at: float | None
    first_rung_at: float | None
    answered_by_phone: bool
    served_alone: bool
    records: tuple[Mapping[str, object], ...]

    @property
    def turn_at(self) -> float | None:
        """When it was this caller's turn."""
        turns = [at for at in (self.first_offered_at, self.first_rung_at) if at is not None]
        return min(turns, default=None)


def equation(stats: Mapping[str, int], records: Sequence[Mapping[str, Any]]) -> list[str]:
    """Entered = answered + abandoned + overflowed + to callback + lost + still here; and the figures are those of the records."""
    parts = {part: stats[part] for part in PARTS}
    found = []
    if stats["offered"] != sum(parts.values()):
        found.append(f"the equation does not hold: {stats['offered']} offered, {parts}")
    if stats["waiting"]:
        found.append(f"{stats['waiting']} callers are shown waiting when all have gone")
    visits = Counter(visit["outcome"] for record in records for visit in record["visits"])
    if {part: count for part, count in parts.items() if count} != visits:
        found.append(f"the queue's figures tell of {parts}, history of {dict(visits)}")
    return found


def accounted(callers: Iterable[Caller], away: Sequence[tuple[float, float]]) -> tuple[list[str], list[Caller]]:
    """Every caller has one record that has ended; those who were let in in the very moment in which Asterisk died are told apart.

    ``away``: those moments.
    """
    found, unseen = [], []
    for caller in callers:
        if len(caller.records) > 1:
            found.append(f"{caller.number} has {len(caller.records)} records")
        elif not caller.records:
            if any(begin <= caller.came_at <= end for begin, end in away):
                unseen.append(caller)
            else:
                found.append(f"{caller.number} was let in and has no record")
        else:
            found += _record(caller, caller.records[0])
    return found, unseen


def _record(caller: Caller, record: Mapping[str, object]) -> list[str]:
    if record["state"] != "ended":
        return [f"{caller.number} has gone and is shown {record['state']}"]
    talk_s = record["talk_s"]
    talked = (
        not isinstance(talk_s, float) or talk_s > AT_ONCE_S
    )  # a phone that was hung up on at once says nothing of it
    if record["outcome"] == "answered" and talked and not caller.answered_by_phone:
        return [f"{caller.number} is said to be answered, and no phone was picked up"]
    return []


def order(callers: Iterable[Caller]) -> list[str]:
    """Nobody who was known to wait was passed by somebody who came later."""
    found = []
    known = sorted((one for one in callers if one.seen_in_line_at is not None), key=lambda one: one.came_at)
    for place, earlier in enumerate(known):
        if earlier.seen_in_line_at is None or earlier.served_alone:
            continue
        until = earlier.turn_at if earlier.turn_at is not None else earlier.gone_at
        for later in known[place + 1 :]:
            if later.came_at < earlier.came_at + AT_ONCE_S or later.turn_at is None or later.served_alone:
                continue
            if earlier.seen_in_line_at + AT_ONCE_S < later.turn_at < until - AT_ONCE_S:
                found.append(
                    f"{later.number} was served before {earlier.number}, who came {later.came_at - earlier.came_at:.1f} s earlier"
                )
                break
    return found


def sent_once(sent: Iterable[SentOffer]) -> list[str]:
    """An offer goes over the wire once, whatever happens to the link."""
    times = Counter(offer.offer for offer in sent)
    return [f"offer {offer} was sent {count} times" for offer, count in times.items() if count > 1]


def rung_once(
    rings: Mapping[tuple[str, str], int], offered: Mapping[tuple[str, str], int], alone: Iterable[str]
) -> list[str]:
    """No phone rings more often for a caller than it was offered him. Keys: phone, caller. ``alone``: Asterisk rang as well."""
    by_itself = set(alone)
    return [
        f"{phone} rang {count} times for {caller}, of {offered.get((phone, caller), 0)} offers"
        for (phone, caller), count in rings.items()
        if caller not in by_itself and count > offered.get((phone, caller), 0)
    ]
