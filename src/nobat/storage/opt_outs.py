"""Numbers that do not want to be called back, in E.164. Asked at each request, so that no copy can be out of date."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, delete, select

from nobat.storage import schema
from nobat.storage.database import Database, when

_c = schema.opt_outs.c


@dataclass(frozen=True, slots=True)
class OptOut:
    """One of them: since when, and the name of the token or ``apply`` that entered it."""

    number: str
    since: float
    by: str


async def has(database: Database, number: str) -> bool:
    """Whether ``number`` is one of them. Raises ``StorageUnavailable``."""
    async with database.read() as connection:
        return (await connection.execute(select(_c.number).where(_c.number == number))).first() is not None


async def listed(database: Database, after: str | None, most: int) -> list[OptOut]:
    """By number, those behind ``after``."""
    wanted = select(schema.opt_outs).order_by(_c.number).limit(most)
    if after is not None:
        wanted = wanted.where(_c.number > after)
    async with database.read() as connection:
        return [_opt_out(row) for row in (await connection.execute(wanted)).mappings()]


async def find(database: Database, numbers: Iterable[str]) -> list[OptOut]:
    """Those of ``numbers`` that are among them."""
    wanted = select(schema.opt_outs).where(_c.number.in_(list(numbers)))
    async with database.read() as connection:
        return [_opt_out(row) for row in (await connection.execute(wanted)).mappings()]


async def entered_by(database: Database, by: str) -> list[OptOut]:
    """All that were entered under this name."""
    async with database.read() as connection:
        rows = await connection.execute(select(schema.opt_outs).where(_c.by == by))
        return [_opt_out(row) for row in rows.mappings()]


async def put(database: Database, numbers: Iterable[str], by: str, now: float, *, over: str = "") -> None:
    """Enter numbers; one that is there already stays as it is, unless ``over`` entered it: then it is ``by``'s from now on."""
    rows = [{"number": number, "since": when(now), "by": by} for number in numbers]
    if rows:
        async with database.write() as connection:
            statement = database.insert(schema.opt_outs).on_conflict_do_update(
                index_elements=["number"], set_={"by": by}, where=and_(_c.by == over, _c.by != by)
            )
            await connection.execute(statement, rows)


async def remove(database: Database, number: str) -> bool:
    """Take a number out; False if it was not there."""
    async with database.write() as connection:
        return bool((await connection.execute(delete(schema.opt_outs).where(_c.number == number))).rowcount)


def _opt_out(row: Any) -> OptOut:
    return OptOut(row["number"], row["since"].timestamp(), row["by"])
