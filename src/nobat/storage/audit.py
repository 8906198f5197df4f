"""The audit as a chain: each row carries the hash of the one before, so that none can be changed or taken away unnoticed.

A row's hash is SHA-256 over ``canonical`` of its place in the chain, the hash before it, and what it says. The place and hash of
the newest row stand in ``audit_head``: whoever adds rows holds that row's lock (PostgreSQL) or is the only writer there is
(SQLite), so that any number of writers make one chain. ``trim`` forgets the oldest rows and remembers where the rest begins.

``append`` is called by ``nobat.storage.statements`` in the transaction of what is promised; ``verify``, ``head`` and ``trim`` by
``nobat audit``. What the chain proves and what it does not: docs/guides/audit.md.
"""

import hashlib
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from nobat.storage import rows, schema
from nobat.storage.database import Database, when
from nobat.storage.rows import Row

START = "0" * 64
"""What the first row of all has in the place of a hash before it."""

MOST_NAMED = 1_000
"""Wrong rows that are named; the others are counted, so that a chain of any length is walked in the same room."""

SAID = ("run", "seq", "at", "token_id", "token_name", "role", "action", "target")
AT_ONCE = 1_000
_row, _head = schema.audit.c, schema.audit_head.c


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who asked for what over the API; on disk before it is done."""

    at: float
    token_id: str
    token_name: str
    role: str
    action: str
    target: str


@dataclass(frozen=True, slots=True)
class Link:
    """A place in the chain, and the hash of what stands there."""

    number: int
    hash: str

    def __str__(self) -> str:
        return f"{self.number}:{self.hash}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What ``verify`` found. ``first`` and ``head`` are the row before the oldest one kept, and the newest one; ``unnamed`` counts
    what is wrong beyond the ``MOST_NAMED`` places that ``wrong`` names."""

    rows: int
    first: Link
    head: Link
    wrong: tuple[str, ...]
    unnamed: int = 0


def canonical(number: int, before: str, row: Row) -> bytes:
    """One row in the one way to write it: a JSON array without spaces, ASCII, times in UTC with six digits of a second."""
    said = [_plain(row[name]) for name in SAID]
    return json.dumps(["nobat-audit-1", number, before, *said], ensure_ascii=True, separators=(",", ":")).encode(
        "ascii"
    )


def _plain(value: Any) -> Any:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ") if isinstance(value, datetime) else value


def digest(number: int, before: str, row: Row) -> str:
    """The hash of one row."""
    return hashlib.sha256(canonical(number, before, row)).hexdigest()


# ---------------------------------------------------------------- writing


async def append(connection: AsyncConnection, entries: Sequence[tuple[int, int, AuditEntry]]) -> None:
    """Add rows (run, number in the run, entry) to the end of the chain; those that are there already stay as they are.

    Raises when the head is missing: somebody took it away, and nothing is done any more that could not be held against him.
    """
    if not entries:
        return
    last = await _lock(connection)
    keys = [(run, seq) for run, seq, _ in entries]
    there = await connection.execute(select(_row.run, _row.seq).where(tuple_(_row.run, _row.seq).in_(keys)))
    known = {(one.run, one.seq) for one in there}
    made: list[Row] = []
    for run, seq, entry in entries:
        if (run, seq) in known:
            continue
        known.add((run, seq))
        row = _columns(run, seq, entry)
        number = last.number + 1
        row |= {"number": number, "before": last.hash, "hash": digest(number, last.hash, row)}
        made.append(row)
        last = Link(number, row["hash"])
    if made:
        await connection.execute(insert(schema.audit), made)
        await connection.execute(update(schema.audit_head).values(number=last.number, hash=last.hash))


async def _lock(connection: AsyncConnection) -> Link:
    """The newest row, with the right to add the next one until the transaction ends."""
    found = (await connection.execute(select(_head.number, _head.hash).with_for_update())).one()
    return Link(found.number, found.hash)


def _columns(run: int, seq: int, entry: AuditEntry) -> Row:
    return {
        "run": run,
        "seq": seq,
        "at": when(entry.at),
        "token_id": rows.clean(entry.token_id, 64),
        "token_name": rows.clean(entry.token_name),
        "role": rows.clean(entry.role, 20),
        "action": rows.clean(entry.action, 80),
        "target": rows.clean(entry.target),
    }


# ---------------------------------------------------------------- looking


async def head(database: Database) -> Link | None:
    """The newest row as the head says, None if there is no head."""
    async with database.read() as connection:
        found = (await connection.execute(select(_head.number, _head.hash))).first()
    return Link(found.number, found.hash) if found is not None else None


async def has_head(connection: AsyncConnection) -> bool:
    """Whether rows can be added."""
    return (await connection.execute(select(_head.number))).first() is not None


async def verify(database: Database, expected: Link | None = None) -> Verdict:
    """Walk the whole chain. ``expected``: a row as it was noted down elsewhere, which must stand there still."""
    async with database.read() as connection:
        state = (await connection.execute(select(schema.audit_head))).mappings().first()
        first = Link(state["trimmed_number"], state["trimmed_hash"]) if state is not None else Link(0, START)
        newest = Link(state["number"], state["hash"]) if state is not None else None
        walk = _Walk(first, expected)
        async for row in _in_order(connection):
            walk.take(row)
        walk.end(newest)
    return Verdict(walk.count, first, walk.last, tuple(walk.wrong), walk.unnamed)


async def _in_order(connection: AsyncConnection) -> AsyncIterator[Row]:
    after = -(1 << 62)
    while True:
        wanted = select(schema.audit).where(_row.number > after).order_by(_row.number).limit(AT_ONCE)
        some = list((await connection.execute(wanted)).mappings())
        for row in some:
            yield dict(row)
        if len(some) < AT_ONCE:
            return
        after = some[-1]["number"]


class _Walk:
    """Goes from row to row; what is wrong is named once, and the walk goes on behind it."""

    def __init__(self, first: Link, expected: Link | None) -> None:
        self.last, self.expected = first, expected
        self.count = 0
        self.wrong: list[str] = []
        self.unnamed = 0
        self._met = expected is None or expected.number <= first.number

    def take(self, row: Row) -> None:
        self.count += 1
        number, due = row["number"], self.last.number + 1
        if number < due:
            self._tell(f"{_name(row)} stands before the beginning of the chain: it was inserted")
            return
        if number > due:
            missing = f"row {due} is" if number == due + 1 else f"rows {due} to {number - 1} are"
            self._tell(f"{missing} missing before {_name(row)}")
        if digest(number, row["before"], row) != row["hash"]:
            self._tell(f"{_name(row)} was changed")
        elif number == due and row["before"] != self.last.hash:
            self._tell(f"{_name(row)} does not follow row {self.last.number}: one of the two was replaced")
        self.last = Link(number, row["hash"])
        self._hold(self.last)

    def _tell(self, what: str) -> None:
        if len(self.wrong) < MOST_NAMED:
            self.wrong.append(what)
        else:
            self.unnamed += 1

    def _hold(self, link: Link) -> None:
        if self.expected is not None and link.number == self.expected.number:
            self._met = True
            if link.hash != self.expected.hash:
                self.wrong.append(f"row {link.number} is not the one that was noted down")

    def end(self, newest: Link | None) -> None:
        if newest is None:
            self.wrong.append("the head of the chain is missing: rows at its end may be, too")
        elif newest.number > self.last.number:
            self.wrong.append(f"rows {self.last.number + 1} to {newest.number} are missing at the end")
        elif newest.number < self.last.number:
            self.wrong.append(f"rows {newest.number + 1} to {self.last.number} stand after the end: they were inserted")
        elif newest.hash != self.last.hash:
            self.wrong.append(f"row {newest.number} is not the one that the head names: it was replaced")
        if not self._met and self.expected is not None:
            self.wrong.append(f"row {self.expected.number}, which was noted down, is missing")


def _name(row: Row) -> str:
    """A row in words that lead to it."""
    return f"row {row['number']} ({_plain(row['at'])} {row['action']} by {row['token_name']}, key {row['run']}/{row['seq']})"


# ---------------------------------------------------------------- forgetting


async def trim(database: Database, before: float, entry: AuditEntry, run: int) -> int:
    """Forget rows older than ``before``, from the oldest on and without a gap; that it was done is a row itself. How many."""
    async with database.write() as connection:
        await _lock(connection)
        kept = (await connection.execute(select(func.min(_row.number)).where(_row.at >= when(before)))).scalar()
        wanted = select(_row.number, _row.hash).order_by(_row.number.desc()).limit(1)
        if kept is not None:
            wanted = wanted.where(_row.number < kept)
        last = (await connection.execute(wanted)).first()
        if last is None:
            return 0
        gone = await connection.execute(delete(schema.audit).where(_row.number <= last.number))
        await connection.execute(update(schema.audit_head).values(trimmed_number=last.number, trimmed_hash=last.hash))
        await append(connection, [(run, 0, entry)])
        return gone.rowcount
