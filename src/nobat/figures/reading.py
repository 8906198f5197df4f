"""Reports: intervals of 15 minutes from the database, summed up to the rows that somebody wants."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from acd.floor import Floor
from acd.sla import DecidedVisit
from acd.visits import asked_skills
from nobat.figures.callbacks import CallbackFigures
from nobat.figures.report import AgentFigures, QueueFigures, total
from nobat.figures.spans import Rows, Span
from nobat.storage import callback_figures, figures, groups, schema
from nobat.storage.database import Database
from nobat.storage.groups import GroupKind

Name = TypeVar("Name", str, tuple[str, str])
Figures = TypeVar("Figures", QueueFigures, AgentFigures, CallbackFigures)
Kept = TypeVar("Kept", QueueFigures, AgentFigures)
Found = list[tuple[Name, Span, Figures]]


@dataclass(frozen=True, slots=True)
class LiveVisit:
    """A visit that is in no figures yet: its caller is still in line, or it was ``decided`` a moment ago, against that promise."""

    queue: str
    entered_at: float
    segment: str | None = None
    skills: tuple[str, ...] = ()
    decided: tuple[DecidedVisit, float] | None = None

    def count(self, into: QueueFigures) -> None:
        """Take it in."""
        if self.decided is None:
            into.waiting += 1
        else:
            into.counts.count(*self.decided)


Live = Iterable[LiveVisit]


def live(floor: Floor, until: float | None) -> list[LiveVisit]:
    """Visits that are not in figures which hold ``until`` then; callers who are to be called back have had theirs."""
    waiting = [
        LiveVisit(call.queue, call.visit.entered_at, call.segment, asked_skills(call, floor.queues[call.queue]))
        for call in floor.calls.values()
        if call.visit.outcome is None and call.visit.counts and not call.away
    ]
    decided = [
        LiveVisit(name, one[0].entered_at, one[0].segment, one[0].skills, one)
        for name, queue in (floor.queues.items() if until is not None else ())
        for one in queue.ledger.decided_after(until or 0.0)
    ]
    return [*waiting, *decided]


async def of_queues(
    database: Database, wanted: Mapping[str, Rows], now: Live, gone: Rows | None = None
) -> Found[str, QueueFigures]:
    """One entry for each queue and each of its rows, in order; with ``gone`` the queues that are no more too, cut like that."""
    sums, cuts = await _sums(database, schema.queue_figures, "queue_id", wanted, gone, QueueFigures)
    for one in now:
        cut = wanted.get(one.queue)
        if cut is not None and cut.span.begin <= one.entered_at < cut.span.end:
            one.count(sums[one.queue][cut.of(int(one.entered_at))])
    return _listed(cuts, sums)


async def of_groups(
    database: Database, kind: GroupKind, wanted: Mapping[str, Rows], now: Live
) -> Found[tuple[str, str], QueueFigures]:
    """One entry for each queue, each segment or skill that there was in it, and each of its rows, in order.

    The empty name is last: those of no segment, or who asked for no skill.
    """
    sums: dict[tuple[str, str], list[QueueFigures]] = {}

    def of(queue: str, name: str, at: float) -> QueueFigures | None:
        cut = wanted.get(queue)
        if cut is None or not cut.span.begin <= at < cut.span.end:
            return None
        rows = sums.get((queue, name))
        if rows is None:
            rows = sums[queue, name] = [QueueFigures() for _ in range(len(cut))]
        return rows[cut.of(int(at))]

    if wanted:
        begin, end = min(cut.span.begin for cut in wanted.values()), max(cut.span.end for cut in wanted.values())
        async for part in groups.read(database, kind, sorted(wanted), begin, end):
            for row in part:
                if (figures_of_row := of(row["queue_id"], row["name"], row["start"])) is not None:
                    figures_of_row.add(row)
    for one in now:
        for name in groups.names_of(kind, one.segment, one.skills):
            if (figures_of_row := of(one.queue, name, one.entered_at)) is not None:
                one.count(figures_of_row)
    order = sorted(sums, key=lambda key: (list(wanted).index(key[0]), key[1] == groups.NONE, key[1]))
    return [(key, wanted[key[0]].span_of(row), one) for key in order for row, one in enumerate(sums[key])]


def over_all_queues(found: Found[tuple[str, str], QueueFigures]) -> Found[str, QueueFigures]:
    """The same names of all queues as one, row by row; all queues must have been cut alike."""
    together: dict[tuple[str, Span], list[QueueFigures]] = {}
    for (_, name), span, one in found:
        together.setdefault((name, span), []).append(one)
    order = sorted(together, key=lambda key: (key[0] == groups.NONE, key[0], key[1].begin))
    return [(name, span, total(together[name, span])) for name, span in order]


async def of_agents(
    database: Database, wanted: Mapping[str, Rows], gone: Rows | None = None
) -> Found[str, AgentFigures]:
    """One entry for each agent and each of the rows in which the agent was there, in order; with ``gone`` who has left, too."""
    sums, cuts = await _sums(database, schema.agent_figures, "agent_id", wanted, gone, AgentFigures)
    return [
        one for one in _listed(cuts, sums) if one[2].signed_in_s > 0 or one[2].talks.handled > 0 or one[2].missed > 0
    ]


async def callbacks_of_queues(database: Database, wanted: Mapping[str, Rows]) -> Found[str, CallbackFigures]:
    """One entry for each queue and each of its rows, in order."""
    sums = {name: [CallbackFigures() for _ in range(len(cut))] for name, cut in wanted.items()}
    if wanted:
        begin, end = min(cut.span.begin for cut in wanted.values()), max(cut.span.end for cut in wanted.values())
        parts = await callback_figures.counted(database, sorted(wanted), begin, end)
        for (queue, start), figures_of_part in parts.items():
            cut = wanted[queue]
            if cut.span.begin <= start < cut.span.end:
                sums[queue][cut.of(start)].add(figures_of_part)
    return [(name, cut.span_of(row), one) for name, cut in wanted.items() for row, one in enumerate(sums[name])]


async def _sums(
    database: Database, table: Any, key: str, wanted: Mapping[str, Rows], gone: Rows | None, new: Callable[[], Kept]
) -> tuple[dict[str, list[Kept]], Mapping[str, Rows]]:
    """Sums by name and row, and how each name is cut: who is ``gone`` comes last."""
    cuts: dict[str, Rows] = dict(wanted)
    sums = {name: [new() for _ in range(len(cut))] for name, cut in cuts.items()}
    spans = [cut.span for cut in (*cuts.values(), *((gone,) if gone is not None else ()))]
    if not spans:
        return sums, cuts
    begin, end = min(span.begin for span in spans), max(span.end for span in spans)
    names = sorted(wanted) if gone is None else None
    async for part in figures.read(database, table, key, names, begin, end):
        for row in part:
            cut = cuts.get(row[key], gone)
            if cut is None or not cut.span.begin <= row["start"] < cut.span.end:
                continue
            if row[key] not in sums:
                cuts[row[key]], sums[row[key]] = cut, [new() for _ in range(len(cut))]
            sums[row[key]][cut.of(row["start"])].add(row)
    late = {name: cuts[name] for name in sorted(cuts.keys() - wanted.keys())}
    return sums, {**wanted, **late}


def _listed(wanted: Mapping[str, Rows], sums: Mapping[str, Sequence[Kept]]) -> Found[str, Kept]:
    return [
        (name, cut.span_of(row), figures_of_row)
        for name, cut in wanted.items()
        for row, figures_of_row in enumerate(sums[name])
    ]
