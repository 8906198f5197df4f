"""The site's secret from which the codes of callbacks are worked out: made once, the same for every run."""

import secrets

from sqlalchemy import select

from nobat.storage import schema
from nobat.storage.database import Database

_c = schema.callback_secret.c


async def callback_secret(database: Database) -> bytes:
    """Read it; the first time, make it. Raises ``StorageUnavailable``."""
    async with database.write() as connection:
        made = {"id": 1, "secret": secrets.token_hex(32)}
        await connection.execute(database.insert(schema.callback_secret).on_conflict_do_nothing(), [made])
        found = (await connection.execute(select(_c.secret).where(_c.id == 1))).scalar_one()
    return bytes.fromhex(found)
