"""Puts an Asterisk 22 into the cache: a small Debian root file system, built once and used by ``chroot``.

Debian 12 and 13 have no ``asterisk`` package. Debian's testing release has one; ``mmdebstrap`` unpacks it with what it
needs into a folder. The mirror is the one that this machine's apt already uses.

Called by ``tools/setup.py`` under its lock.
"""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from lab.asterisk import AsteriskHome
from lab.home import TOO_NEW, ask_version, cache_folder, cached_home, fits, name_hosts, system_home
from tools.progress import SetupError, run, say

RELEASE = "forky"
PACKAGES = (
    "asterisk",
    "asterisk-modules",
    "asterisk-config",
    "asterisk-core-sounds-en-gsm",
    "asterisk-moh-opsound-wav",
    "ca-certificates",
)
KEY = hashlib.sha256(" ".join((RELEASE, *PACKAGES)).encode()).hexdigest()[:8]


def have_asterisk() -> AsteriskHome | None:
    """The Asterisk that would be used now, if there is one."""
    return system_home() or cached_home(KEY)


def build(log: Path) -> AsteriskHome:
    """Build the root file system and move it into place when it is whole."""
    folder = cache_folder()
    work = folder / f"building-{os.getpid()}"
    shutil.rmtree(work, ignore_errors=True)
    options = [f"--aptopt={option}" for option in _apt_options()]
    command = [
        "mmdebstrap",
        "--variant=apt",
        f"--include={','.join(PACKAGES)}",
        *options,
        RELEASE,
        str(work),
        debian_mirror(),
    ]
    try:
        run("building a root file system with Asterisk 22 (once, 360 MB)", command, log=log)
        return _into_place(work)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _into_place(work: Path) -> AsteriskHome:
    name_hosts(work)
    version = ask_version(AsteriskHome(work))
    if version is None:
        raise SetupError(f"the root file system has no working Asterisk: chroot {work} asterisk -V")
    text = ".".join(map(str, version))
    if not fits(version):
        say(
            f"warning: Asterisk {text} is outside the tried range (22.1 up to, not including, {TOO_NEW[0]}.{TOO_NEW[1]})"
        )
    target = cache_folder() / f"asterisk-{text}-{KEY}"
    shutil.rmtree(target, ignore_errors=True)  # an earlier one without its mark is not whole
    work.rename(target)
    (target / "complete").touch()
    return AsteriskHome(target)


def debian_mirror() -> str:
    """The Debian archive from which this machine installs its own packages."""
    command = ["apt-get", "indextargets", "--format", "$(ORIGIN) $(LABEL) $(REPO_URI)", "Created-By: Packages"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    for line in listed.splitlines():
        origin, label, uri = (*line.split(" ", 2), "", "", "")[:3]
        if origin == "Debian" and label == "Debian" and uri:
            return uri
    raise SetupError("no Debian archive among this machine's apt sources; run `apt-get update` and try again")


def _apt_options() -> list[str]:
    """Options for the new system's apt: a mirror that is a snapshot has an expired Release file; and our proxy."""
    wanted = ("Acquire::http::Proxy", "Acquire::https::Proxy", "Acquire::https::CaInfo")
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=False).stdout
    ours = [line.strip().removesuffix(";") for line in dump.splitlines() if line.startswith(wanted)]
    return ['Acquire::Check-Valid-Until "false"', *ours]
