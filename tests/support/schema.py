"""A database's schema at any revision, for tests of migrations."""

from collections.abc import Callable

from alembic import command
from sqlalchemy import Connection

from nobat.storage.migrate import alembic_config


def moved(to: str, *, up: bool) -> Callable[[Connection], None]:
    """What brings the schema up or down to a revision, for ``run_sync``."""

    def work(connection: Connection) -> None:
        config = alembic_config()
        config.attributes["connection"] = connection
        (command.upgrade if up else command.downgrade)(config, to)

    return work
