"""What callers have answered after their conversations, summed up."""

from dataclasses import dataclass

from sqlalchemy import func, select

from acd.ids import QueueId
from nobat.storage import schema
from nobat.storage.database import Database, when


@dataclass(frozen=True, slots=True)
class SurveyFigures:
    """``mean`` None: nobody has answered."""

    asked: int
    answered: int
    mean: float | None


async def figures(database: Database, queue: QueueId, since: float) -> SurveyFigures:
    """Of one queue, of those who were asked since then."""
    column = schema.surveys.c
    query = select(func.count(), func.count(column.score), func.avg(column.score)).where(
        column.queue_id == queue, column.at >= when(since)
    )
    async with database.read() as connection:
        asked, answered, mean = (await connection.execute(query)).one()
    return SurveyFigures(int(asked), int(answered), float(mean) if mean is not None else None)
