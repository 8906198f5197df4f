"""Commands that work on the database past the REST interface leave a row in the audit too: by the account that ran them.

Used by ``nobat.cli`` and the commands beside it, by ``nobat.storage.migrate`` and ``nobat.storage.backup``. As over REST, the
row comes first: if it cannot be written, nothing is done.
"""

import os
import pwd
import secrets
import socket
from collections.abc import Iterable

from sqlalchemy.ext.asyncio import AsyncConnection

from nobat.clock import Clock
from nobat.storage import audit
from nobat.storage.audit import AuditEntry
from nobat.storage.database import Database

ROLE = "operator"
NO_TOKEN = "-"  # noqa: S105 - what stands where a token's id would

Done = tuple[str, str]
"""What is done, by the name of its operation, and to what."""


def operator() -> str:
    """``account@machine``; of somebody who has become another, both, the first as he says himself."""
    uid = os.getuid()
    try:
        account = pwd.getpwuid(uid).pw_name
    except KeyError:
        account = str(uid)
    before = os.environ.get("SUDO_USER", "")
    return f"{account}@{socket.gethostname()}" + (f" (sudo by {before})" if before and before != account else "")


def entry(action: str, target: str) -> AuditEntry:
    """One row, now."""
    return AuditEntry(Clock().now(), NO_TOKEN, operator(), ROLE, action, target)


async def note(database: Database, *done: Done) -> None:
    """Write down what is about to be done. Raises ``StorageUnavailable``."""
    async with database.write() as connection:
        await _append(connection, done)


async def note_after(connection: AsyncConnection, *done: Done) -> None:
    """Write down what has been done and cannot be left: a chain that somebody has beheaded shall stop no start of a service."""
    if await audit.has_head(connection):
        await _append(connection, done)


async def _append(connection: AsyncConnection, done: Iterable[Done]) -> None:
    run = int(Clock().now() * 1_000)
    await audit.append(connection, [(run, secrets.randbits(62), entry(*one)) for one in done])
