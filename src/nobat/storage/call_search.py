"""The statement that finds ended calls: newest entry first, and as quick in a million calls as in a thousand.

Whatever is asked for, the calls are taken in order from an index that begins where the page begins, and only as many as are shown.
A number, an outcome, a disposition or a span of time has one such index. An agent or a queue has two, for the last part of a call
stands in its row and earlier parts in ``earlier_parties``: each gives its newest calls, and the newest of both are the page.

``nobat.storage.history`` runs it; ``python -m benchmarks history`` measures it and prints the plans.
"""

from collections.abc import Sequence
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, or_, select, union

from nobat.call_list import CallFilter
from nobat.storage import schema
from nobat.storage.database import when
from nobat.storage.keyset import behind

MOST_BRANCHES = 25
"""So many queues are looked for one by one. Whoever sees more sees most of all calls: they are walked through in order."""

Role = Literal["agent", "queue"]

_c, _earlier = schema.calls.c, schema.earlier_parties.c
_LAST = {"agent": _c.agent_id, "queue": _c.queue_id}


def search(wanted: CallFilter, limit: int) -> Select[Any]:
    """The newest ``limit`` rows of ``calls`` that are wanted."""
    role, parties = _driving(wanted)
    newest = select(schema.calls).order_by(_c.entered_at.desc(), _c.id.desc()).limit(limit)
    if role is None:
        return newest.where(*_span(wanted, _c.entered_at, _c.id), *_rest(wanted, None))
    rest = _rest(wanted, role)
    branches = [
        branch.subquery()
        for party in parties
        for branch in (
            _last(wanted, _LAST[role] == party, rest).limit(limit),
            _before_the_last(wanted, role, party, rest).limit(limit),
        )
    ]
    found = union(*(select(branch) for branch in branches)).subquery()
    return newest.join(found, found.c.id == _c.id)


def _driving(wanted: CallFilter) -> tuple[Role | None, Sequence[str]]:
    """By whose calls to go; None: by those of a number, or by all."""
    agent = wanted.agent or wanted.own
    if wanted.numbers is not None:
        return None, ()
    if agent is not None:
        return "agent", [agent]
    if wanted.queues is not None and len(wanted.queues) <= MOST_BRANCHES:
        return "queue", sorted(wanted.queues)
    return None, ()


def _last(wanted: CallFilter, by: ColumnElement[bool], rest: list[ColumnElement[bool]]) -> Select[Any]:
    statement = select(_c.id, _c.entered_at).where(by, *_span(wanted, _c.entered_at, _c.id), *rest)
    return statement.order_by(_c.entered_at.desc(), _c.id.desc())


def _before_the_last(wanted: CallFilter, role: Role, party: str, rest: list[ColumnElement[bool]]) -> Select[Any]:
    span = _span(wanted, _earlier.entered_at, _earlier.call_id)
    return (
        select(_earlier.call_id.label("id"), _earlier.entered_at)
        .join(schema.calls, _c.id == _earlier.call_id)
        .where(_earlier.role == role, _earlier.party_id == party, *span, *rest)
        .order_by(_earlier.entered_at.desc(), _earlier.call_id.desc())
    )


def _span(wanted: CallFilter, moment: Any, identity: Any) -> list[ColumnElement[bool]]:
    """From when to when, and after which."""
    found: list[ColumnElement[bool]] = []
    if wanted.entered_from is not None:
        found.append(moment >= when(wanted.entered_from))
    if wanted.entered_to is not None:
        found.append(moment < when(wanted.entered_to))
    if wanted.before is not None:
        found.append(behind(moment, identity, wanted.before))
    return found


def _rest(wanted: CallFilter, driven_by: Role | None) -> list[ColumnElement[bool]]:
    """What else a call must be, besides being of the agent or the queue that is gone by."""
    found: list[ColumnElement[bool]] = []
    if wanted.numbers is not None:
        found.append(_c.number.in_(sorted(wanted.numbers)))
    if wanted.outcome is not None:
        found.append(_c.outcome == wanted.outcome.value)
    if wanted.disposition is not None:
        found.append(_c.disposition == wanted.disposition)
    agents = {one for one in (wanted.agent, wanted.own) if one is not None}
    if driven_by == "agent":
        agents.discard(wanted.agent or wanted.own)
    found += [_had("agent", [agent]) for agent in sorted(agents)]
    if wanted.queues is not None and driven_by != "queue":
        found.append(_had("queue", sorted(wanted.queues)))
    return found


def _had(role: Role, parties: Sequence[str]) -> ColumnElement[bool]:
    """The call was one of theirs, at its end or before."""
    earlier = select(_earlier.call_id).where(
        _earlier.role == role,
        _earlier.party_id.in_(parties),
        _earlier.entered_at == _c.entered_at,
        _earlier.call_id == _c.id,
    )
    return or_(_LAST[role].in_(parties), earlier.exists())
