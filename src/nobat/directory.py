"""Keeps the directory of known callers the same in database and floor, whoever changes it.

Filled at the start; then ``follow`` notices within two seconds what ``nobat callers import`` changes. The REST interface changes
it here: the database first, then the floor. Numbers are kept in one form (``acd.directory.normal``).
"""

import asyncio
from dataclasses import dataclass, field

from acd.commands import PutCallers
from acd.directory import CallerProfile, Numbering, normal
from acd.errors import Invalid, unknown
from nobat.engine import Engine
from nobat.storage import callers as stored
from nobat.storage.database import Database
from nobat.storage.errors import StorageUnavailable

FOLLOW_S = 2.0
LONGEST = 20
"""Digits of a number at most; E.164 has 15."""


def key_of(number: str, numbering: Numbering) -> str:
    """The normalised form of a number that somebody wrote. Raises ``invalid_number``.

    Letters are refused and not passed over: a spreadsheet writes ``9.82112E+11`` for a number, and that would be another caller.
    """
    key = normal(number, numbering)
    if key is None or len(key) > LONGEST:
        raise Invalid("invalid_number", f"a number has 1 to {LONGEST} digits", field="number")
    if any(one.isalpha() for one in number) or normal(shown(key), numbering) != key:
        raise Invalid("invalid_number", "this is no telephone number", field="number")
    return key


def shown(key: str) -> str:
    """A normalised number as it can be given back to ``key_of``: with its plus, unless it is an extension."""
    return f"+{key}" if len(key) > 5 else key


@dataclass(slots=True)
class DirectoryKeeper:
    """One writer at a time."""

    engine: Engine
    database: Database
    numbering: Numbering
    _version: int = -1
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def take_up(self) -> None:
        """Bring the floor up to date with the database. Raises ``StorageUnavailable``; what was taken up by then stays."""
        version = await stored.version(self.database)
        if version == self._version:
            return
        async for part in stored.changed_since(self.database, self._version):
            await self._tell(part)
        self._version = version

    async def follow(self) -> None:
        """Notice what other programs change. Runs until cancelled."""
        while True:
            await asyncio.sleep(FOLLOW_S)
            try:
                async with self._lock:
                    await self.take_up()
            except StorageUnavailable:
                continue  # the recorder and /readyz speak of it

    async def find(self, number: str) -> tuple[str, CallerProfile]:
        """Raises ``unknown_caller``, ``invalid_number``."""
        key = key_of(number, self.numbering)
        profile = await stored.find(self.database, key)
        if profile is None:
            raise unknown("caller", shown(key))
        return key, profile

    async def put(self, number: str, profile: CallerProfile) -> str:
        """Enter a caller or change one; the normalised number. Raises ``invalid_number``."""
        key = key_of(number, self.numbering)
        await self._change((key, profile))
        return key

    async def remove(self, number: str) -> None:
        """Raises ``unknown_caller``, ``invalid_number``."""
        key, _ = await self.find(number)
        await self._change((key, None))

    async def _change(self, entry: stored.Entry) -> None:
        async with self._lock:
            version = await stored.put(self.database, [entry])
            await self._tell([entry])
            if version == self._version + 1:  # nobody else's change came between
                self._version = version

    async def _tell(self, entries: list[stored.Entry]) -> None:
        await self.engine.ask(PutCallers(tuple((f"+{key}", profile) for key, profile in entries)))
