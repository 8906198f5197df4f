"""Finds the Asterisk that the lab and the tests run: the machine's own if its version fits, else one in the cache.

``tools/rootfs.py`` puts it into the cache; this module only looks. Standard library only, for the set-up uses it too.
"""

import os
import re
import shutil
import socket
import subprocess
from pathlib import Path

from lab.asterisk import AsteriskHome, LabError
from lab.mend import mend

# Structured event filters came with 22.1; 22.11.0 breaks whisper and bridging after spying.
OLDEST, TOO_NEW = (22, 1), (22, 11)
# Without an answer for this name each call stalls for 5 s in DNS.
_DEAD_NAMES = ("a.root-servers.net", "A.ROOT-SERVERS.NET")


def cache_folder() -> Path:
    """``$XDG_CACHE_HOME/nobat``, the one place outside the checkout that the set-up writes."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nobat"


def version_of(text: str) -> tuple[int, ...] | None:
    """``Asterisk 22.10.1+dfsg…`` as numbers; None if it does not say."""
    found = re.search(r"Asterisk (\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(int(part or 0) for part in found.groups()) if found else None


def fits(version: tuple[int, ...] | None) -> bool:
    return version is not None and OLDEST <= version[:2] < TOO_NEW


def ask_version(home: AsteriskHome) -> tuple[int, ...] | None:
    """What the Asterisk at ``home`` says of itself."""
    try:
        done = subprocess.run(home.command("-V"), capture_output=True, text=True, timeout=20, check=False)
    except OSError:
        return None
    return version_of(done.stdout)


def system_home() -> AsteriskHome | None:
    """The machine's own Asterisk, when there is one of a fitting version."""
    home = AsteriskHome(Path("/"))
    return home if shutil.which("asterisk") and fits(ask_version(home)) else None


def cached_home(key: str | None = None) -> AsteriskHome | None:
    """The newest root file system of the cache, built by the recipe ``key`` if one is asked for."""
    found = [path for path in cache_folder().glob(f"asterisk-*-{key or '*'}") if (path / "complete").exists()]
    newest = max(found, key=lambda path: (path / "complete").stat().st_mtime, default=None)
    return AsteriskHome(newest) if newest else None


def find_home() -> AsteriskHome:
    """The Asterisk to run; says how to get one if there is none."""
    if os.geteuid() != 0:
        raise LabError("this needs root: Asterisk runs in a root file system of its own. Try again with sudo.")
    home = system_home() or cached_home()
    if home is None:
        raise LabError("there is no Asterisk yet; `make lab`, `make demo` and `make test` bring one")
    if not home.is_system:
        name_hosts(home.root)
        mend(home.root)
    return home


def name_hosts(root: Path) -> None:
    """Let the root file system know this machine's name, so that Asterisk asks no name server during a call."""
    hosts = root / "etc/hosts"
    lines = [f"127.0.0.1 localhost {socket.gethostname()}", "::1 localhost", f"127.0.0.1 {' '.join(_DEAD_NAMES)}"]
    text = "\n".join(lines) + "\n"
    if not hosts.exists() or hosts.read_text() != text:
        fresh = hosts.with_name(f"hosts.{os.getpid()}")
        fresh.write_text(text)
        fresh.replace(hosts)
