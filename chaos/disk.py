"""A small disk for the service: everything that it writes (database, journal, log) is on a tmpfs that can be filled up.

``SmallDisk.at`` mounts it, where mounting is allowed; ``full`` fills it and ``room`` makes room again. Used by ``chaos.centre``.
"""

import errno
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

SIZE = "128m"
PIECE = 1 << 16


@dataclass(slots=True)
class SmallDisk:
    """Mounted on ``folder``."""

    folder: Path

    @classmethod
    def at(cls, folder: Path, size: str = SIZE, more: str = "mode=0700") -> "SmallDisk | None":
        """One on ``folder``, which must be empty; ``more``: options of the file system. None where nobody may mount."""
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size},{more}", "tmpfs", str(folder)],
            capture_output=True,
            check=False,
        )
        return cls(folder) if done.returncode == 0 else None

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"

    def full(self) -> int:
        """Fill it to the last byte; how many bytes that took."""
        written = 0
        with self._ballast.open("wb", buffering=0) as ballast:
            size = PIECE
            while size:
                try:
                    written += ballast.write(bytes(size))
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    size //= 2
        return written

    def room(self) -> None:
        """As it was."""
        self._ballast.unlink(missing_ok=True)

    def close(self) -> None:
        """Unmount it, even if something is still open there."""
        self.room()
        subprocess.run(["umount", "-l", str(self.folder)], capture_output=True, check=False)

    def free(self) -> int:
        """Bytes that there is room for."""
        found = os.statvfs(self.folder)
        return found.f_bavail * found.f_bsize
