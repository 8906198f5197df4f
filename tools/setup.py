"""Brings what a command needs: Debian packages, the virtual environment, Asterisk, the compiled core. Called by the Makefile.

    python3 tools/setup.py venv [asterisk] [postgresql] [prometheus] [fail2ban] [buildah] [podman] [compiled]

Running it again costs a look at a stamp. Several runs at once wait for each other. Nothing outside the checkout and the
cache folder is changed, Debian packages aside, and those are named before they are installed.
Standard library only: it runs before anything is installed.
"""

import fcntl
import hashlib
import importlib.util
import os
import platform
import shutil
import sys
import sysconfig
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT))

from lab.home import cache_folder  # noqa: E402
from tools import rootfs, unpacked  # noqa: E402
from tools.progress import SetupError, run, say  # noqa: E402

VENV = CHECKOUT / ".venv"
STAMP = VENV / "nobat-setup"
COMPILED = VENV / "compiled"
PARTS = ("venv", "asterisk", "postgresql", "prometheus", "fail2ban", "buildah", "podman", "compiled")
VOICES = ("espeak-ng", "sox")  # Debian packages and their programs: with them the prompts of Asterisk are made


def main(parts: list[str]) -> int:
    unknown = set(parts) - set(PARTS)
    if unknown or not parts:
        print(f"usage: setup.py {' '.join(PARTS)}: any of them", file=sys.stderr)
        return 2
    if "asterisk" in parts and os.geteuid() != 0:
        print(
            "nobat: this needs root, for Debian packages and for Asterisk's own root file system: sudo make …",
            file=sys.stderr,
        )
        return 1
    try:
        if not all(_is_there(part) for part in parts):
            _bring(parts)
    except SetupError as error:
        print(f"nobat: {error}", file=sys.stderr)
        return 1
    return 0


def _bring(parts: list[str]) -> None:
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "setup.log"
    with (folder / "setup.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("another set-up is running; waiting for it …")
            fcntl.flock(lock, fcntl.LOCK_EX)
        missing = [part for part in parts if not _is_there(part)]
        _install(_packages(missing), log)
        if "venv" in missing:
            _make_venv(log)
        if "asterisk" in missing and rootfs.have_asterisk() is None:
            home = rootfs.build(log)
            say(f"Asterisk is in {home.root}")
        for package in unpacked.PACKAGES:
            if package in missing:
                unpacked.bring(package, log)
        if "compiled" in missing:
            _compile(log)


def _is_there(part: str) -> bool:
    if part == "venv":
        return STAMP.exists() and STAMP.read_text() == _venv_key()
    if part == "asterisk":
        return rootfs.have_asterisk() is not None and all(shutil.which(program) for program in VOICES)
    if part in ("buildah", "podman"):
        return shutil.which(part) is not None
    if part in unpacked.PACKAGES:
        return unpacked.have(part)
    if part == "compiled":
        stamp = COMPILED / STAMP.name
        return stamp.exists() and stamp.read_text() == _core_key()
    return bool(list(Path("/usr/lib/postgresql").glob("*/bin/initdb")))


# ---------------------------------------------------------------- Debian packages


def _packages(missing: list[str]) -> list[str]:
    """The Debian packages that ``missing`` parts need and that are not there."""
    wanted = []
    if "venv" in missing and importlib.util.find_spec("ensurepip") is None:
        wanted.append("python3-venv")
    if "asterisk" in missing and rootfs.have_asterisk() is None and shutil.which("mmdebstrap") is None:
        wanted.append("mmdebstrap")
    if "asterisk" in missing:
        wanted += [program for program in VOICES if shutil.which(program) is None]
    if "postgresql" in missing:
        wanted.append("postgresql")
    if "buildah" in missing:
        wanted.append("buildah")
    if "podman" in missing:
        wanted += ["podman", "runc"]
    if "compiled" in missing and shutil.which("gcc") is None:
        wanted += ["gcc", "libc6-dev"]
    if "compiled" in missing and not Path(sysconfig.get_path("include"), "Python.h").exists():
        wanted.append("python3-dev")
    return wanted


def _install(packages: list[str], log: Path) -> None:
    if not packages:
        return
    if shutil.which("apt-get") is None:
        raise SetupError(f"this is no Debian: install {' '.join(packages)} by hand")
    if os.geteuid() != 0:
        raise SetupError(f"root is needed to install {' '.join(packages)}: run it with sudo, or install them first")
    say(f"installing Debian packages: {' '.join(packages)}")
    env = {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}  # RUNLEVEL: no server is started by the installation
    run("reading the package lists", ["apt-get", "update"], log=log, env=env)
    command = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    run("installing them", command, log=log, env=env)


# ---------------------------------------------------------------- the virtual environment


def _venv_key() -> str:
    """Changes when the dependencies or the interpreter change."""
    seen = hashlib.sha256(platform.python_version().encode())
    for name in ("pyproject.toml", "constraints.txt"):
        seen.update((CHECKOUT / name).read_bytes())
    return seen.hexdigest()


def _make_venv(log: Path) -> None:
    if not (VENV / "bin/python").exists():
        run("making the virtual environment", [sys.executable, "-m", "venv", str(VENV)], log=log)
    pip = [str(VENV / "bin/python"), "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
    command = [*pip, "-c", str(CHECKOUT / "constraints.txt"), "-e", f"{CHECKOUT}[dev]"]
    run("installing Python packages into .venv", command, log=log)
    STAMP.write_text(_venv_key())


# ---------------------------------------------------------------- the compiled core


def _core_key() -> str:
    """Changes when the core, the compiler or the way it is used changes."""
    seen = hashlib.sha256(_venv_key().encode())
    for source in [
        *sorted((CHECKOUT / "src/acd").rglob("*.py")),
        CHECKOUT / "tools/native.py",
        CHECKOUT / "tools/compiled.py",
    ]:
        seen.update(source.read_bytes())
    return seen.hexdigest()


def _compile(log: Path) -> None:
    key = _core_key()
    run(
        "compiling the core (a minute or two)",
        [str(VENV / "bin/python"), str(CHECKOUT / "tools/compiled.py"), str(COMPILED)],
        log=log,
    )
    (COMPILED / STAMP.name).write_text(key)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
