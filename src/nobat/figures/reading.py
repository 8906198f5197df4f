"""Reports: intervals of 15 minutes from the database, summed up to the rows that somebody wants."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from nobat.figures.report import AgentFigures, QueueFigures
from nobat.figures.spans import Rows, Span
from nobat.storage import figures, schema
from nobat.storage.database import Database

Figures = TypeVar("Figures", QueueFigures, AgentFigures)
Found = list[tuple[str, Span, Figures]]
Waiting = Iterable[tuple[str, float]]
"""Queue and time of entry of each visit that is not decided yet."""


async def of_queues(database: Database, wanted: Mapping[str, Rows], waiting: Waiting) -> Found[QueueFigures]:
    """One entry for each queue and each of its rows, in order."""
    sums = await _sums(database, schema.queue_figures, "queue_id", wanted, QueueFigures)
    for queue, entered_at in waiting:
        cut = wanted.get(queue)
        if cut is not None and cut.span.begin <= entered_at < cut.span.end:
            sums[queue][cut.of(int(entered_at))].waiting += 1
    return _listed(wanted, sums)


async def of_agents(database: Database, wanted: Mapping[str, Rows]) -> Found[AgentFigures]:
    """One entry for each agent and each of the rows in which the agent was there, in order."""
    sums = await _sums(database, schema.agent_figures, "agent_id", wanted, AgentFigures)
    return [
        one for one in _listed(wanted, sums) if one[2].signed_in_s > 0 or one[2].talks.handled > 0 or one[2].missed > 0
    ]


async def _sums(
    database: Database, table: Any, key: str, wanted: Mapping[str, Rows], new: Callable[[], Figures]
) -> dict[str, list[Figures]]:
    sums = {name: [new() for _ in range(len(cut))] for name, cut in wanted.items()}
    if not wanted:
        return sums
    begin = min(cut.span.begin for cut in wanted.values())
    end = max(cut.span.end for cut in wanted.values())
    async for part in figures.read(database, table, key, sorted(wanted), begin, end):
        for row in part:
            cut = wanted[row[key]]
            if cut.span.begin <= row["start"] < cut.span.end:
                sums[row[key]][cut.of(row["start"])].add(row)
    return sums


def _listed(wanted: Mapping[str, Rows], sums: Mapping[str, Sequence[Figures]]) -> Found[Figures]:
    return [
        (name, cut.span_of(row), figures_of_row)
        for name, cut in wanted.items()
        for row, figures_of_row in enumerate(sums[name])
    ]
