"""One service for each SQLite database: a lock on a file beside it, which the kernel drops when the process dies."""

import fcntl
import os
from pathlib import Path
from typing import IO

from nobat.storage.errors import WrongDatabase


def take_node_lock(database: Path) -> IO[str]:
    """Lock ``<database>.lock`` for the life of the returned file. Raises ``WrongDatabase`` when another service has it."""
    path = database.with_name(database.name + ".lock")
    try:
        handle = path.open("a+", encoding="ascii")
    except OSError as error:
        raise WrongDatabase(
            f"{path}: {error.strerror}: the service must be able to write beside its database"
        ) from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.seek(0)
        holder = handle.read().strip()
        handle.close()
        raise WrongDatabase(f"{database} is in use by another nobat serve (process {holder or 'unknown'})") from None
    handle.truncate(0)
    handle.write(f"{os.getpid()}\n")
    handle.flush()
    return handle
