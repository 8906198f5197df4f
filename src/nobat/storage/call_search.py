"""The statement that finds ended calls: newest entry first, and as quick in a million calls as in a thousand.

Whatever is asked for, the calls are taken in order from one index that begins where the page begins, and only as many as are shown:
that of the number, the agent, the disposition, an outcome that few calls have, the queue, or else of time, whichever of these is
asked for, in this order. What else is asked is looked up in the row, and the database is kept from going by it, for SQLite knows no
sizes. An agent or a queue has two indexes, for the last part of a call stands in its row and earlier parts in ``earlier_parties``:
each gives its newest calls, and the newest of both are the page. Of several queues each is asked for its newest, and
the page is chosen from those by time and id, which stand in the indexes: no row is read before it is known to be shown.

``nobat.storage.history`` runs it; ``python -m benchmarks history`` measures it and prints the plans.
"""

from collections.abc import Sequence
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, or_, select, union

from acd.ids import AgentId
from acd.outcomes import Outcome
from nobat.call_list import CallFilter
from nobat.storage import schema
from nobat.storage.database import when
from nobat.storage.keyset import behind

MOST_BRANCHES = 25
"""So many queues are looked for one by one. Whoever sees more sees most of all calls: they are walked through in order."""

Role = Literal["agent", "queue"]

_c, _earlier = schema.calls.c, schema.earlier_parties.c
_LAST: dict[str, Any] = {"agent": _c.agent_id, "queue": _c.queue_id}
_COMMON = frozenset({Outcome.ANSWERED, Outcome.ABANDONED})


def search(wanted: CallFilter, limit: int) -> Select[Any]:
    """The newest ``limit`` rows of ``calls`` that are wanted."""
    driver = _driver(wanted)
    rest = _rest(wanted, driver)
    newest = select(schema.calls).order_by(_c.entered_at.desc(), _c.id.desc()).limit(limit)
    if driver not in _LAST:
        return newest.where(*_span(wanted, _c.entered_at, _c.id), *rest)
    role: Role = "agent" if driver == "agent" else "queue"
    branches = [
        branch.subquery()
        for party in _parties(wanted, role)
        for branch in (
            _last(wanted, _LAST[role] == party, rest).limit(limit),
            _before_the_last(wanted, role, party, rest).limit(limit),
        )
    ]
    found = union(*(select(branch) for branch in branches)).subquery()
    page = select(found.c.id).order_by(found.c.entered_at.desc(), found.c.id.desc()).limit(limit).subquery()
    return newest.join(page, page.c.id == _c.id)


def _driver(wanted: CallFilter) -> str:
    """By what to go through the calls."""
    if wanted.numbers is not None:
        return "number"
    if wanted.agent is not None or wanted.own is not None:
        return "agent"
    if wanted.disposition is not None:
        return "disposition"
    if wanted.outcome is not None and wanted.outcome not in _COMMON:
        return "outcome"
    if wanted.queues is not None and len(wanted.queues) <= MOST_BRANCHES:
        return "queue"
    return "outcome" if wanted.outcome is not None and wanted.queues is None else "time"


def _parties(wanted: CallFilter, role: Role) -> Sequence[str]:
    if role == "agent":
        return [wanted.agent or wanted.own or ""]
    return sorted(wanted.queues or ())


def _last(wanted: CallFilter, by: ColumnElement[bool], rest: list[ColumnElement[bool]]) -> Select[Any]:
    statement = select(_c.id, _c.entered_at).where(by, *_span(wanted, _c.entered_at, _c.id), *rest)
    return statement.order_by(_c.entered_at.desc(), _c.id.desc())


def _before_the_last(wanted: CallFilter, role: Role, party: str, rest: list[ColumnElement[bool]]) -> Select[Any]:
    span = _span(wanted, _earlier.entered_at, _earlier.call_id)
    statement = select(_earlier.call_id.label("id"), _earlier.entered_at)
    if rest:  # else its index says all: it is written and removed with its call
        statement = statement.join(schema.calls, _c.id == _earlier.call_id)
    return statement.where(_earlier.role == role, _earlier.party_id == party, *span, *rest).order_by(
        _earlier.entered_at.desc(), _earlier.call_id.desc()
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


def _rest(wanted: CallFilter, driver: str) -> list[ColumnElement[bool]]:
    """What a call must be besides being of the agent or the queue that is gone by."""
    found: list[ColumnElement[bool]] = []
    if wanted.numbers is not None:
        found.append(_c.number.in_(sorted(wanted.numbers)))
    for name, asked in (("outcome", wanted.outcome), ("disposition", wanted.disposition)):
        if asked is not None:
            found.append((_c[name] if driver == name else _c[name].concat("")) == str(asked))
    agents = {one for one in (wanted.agent, wanted.own) if one is not None}
    if driver == "agent":
        agents.discard(AgentId(_parties(wanted, "agent")[0]))
    found += [_had("agent", [agent]) for agent in sorted(agents)]
    if wanted.queues is not None and driver != "queue":
        found.append(_had("queue", sorted(wanted.queues)))
    return found


def _had(role: Role, parties: Sequence[str]) -> ColumnElement[bool]:
    """The call was one of theirs, at its end or before."""
    part = schema.earlier_parties.alias("part").c
    earlier = select(part.call_id).where(
        part.role == role, part.party_id.in_(parties), part.entered_at == _c.entered_at, part.call_id == _c.id
    )
    return or_(_LAST[role].in_(parties), earlier.exists())
