"""Builds the container images: ``python -m tools.image [--base-from-cache]``. Called by ``make image`` and by tests/image.

Takes the engine that works here: docker, podman, or buildah, which needs no daemon and, as root, no kernel features either (its
``chroot`` isolation). ``--base-from-cache`` is for machines that cannot pull images: the root file system of decision 0009 then
stands in for ``debian:forky-slim``, and the images are larger by what it has besides.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT))

from lab.home import cache_folder, cached_home  # noqa: E402
from tools.progress import SetupError, run, say  # noqa: E402

BASE = "debian:forky-slim"
TARGETS = {"service": "nobat", "asterisk": "nobat-asterisk"}
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


@dataclass(frozen=True, slots=True)
class Engine:
    """How images are built here."""

    name: str
    command: tuple[str, ...]
    build: tuple[str, ...]


def buildah() -> Engine:
    """Buildah with a store of its own in the cache, so that nothing of the machine's is touched."""
    if shutil.which("buildah") is None or os.geteuid() != 0:
        raise SetupError("no container engine works here: install docker, podman or (as root) buildah")
    store = cache_folder() / "images"
    command = ("buildah", "--root", str(store / "root"), "--runroot", str(store / "run"))
    return Engine("buildah", command, ("bud", "--isolation", "chroot", "--format", "docker", "--layers"))


def engine() -> Engine:
    """The first that works."""
    for name in ("docker", "podman"):
        works = shutil.which(name) is not None
        if works and subprocess.run([name, "info"], capture_output=True, check=False).returncode == 0:
            return Engine(name, (name,), ("build",))
    return buildah()


def import_base(using: Engine) -> None:
    """Make the cached root file system known as ``BASE``, once."""
    if (
        subprocess.run(
            [*using.command, "inspect", "--type", "image", BASE], capture_output=True, check=False
        ).returncode
        == 0
    ):
        return
    home = cached_home()
    if home is None:
        raise SetupError("there is no root file system in the cache; `make lab` brings one")
    script = (
        'c=$("$@" from scratch) && m=$("$@" mount "$c")'
        ' && tar -C "$ROOT" --exclude=./nobat --exclude=./complete -cf - . | tar -C "$m" -xf -'
        f' && "$@" umount "$c" && "$@" commit --rm "$c" localhost/{BASE}'
    )
    command = ["sh", "-ec", script, "import", *using.command]
    run(f"importing {BASE}", command, log=log_file(), env={"ROOT": str(home.root)})


def build(using: Engine, target: str, *more: str) -> str:
    """Build one image; its tag."""
    tag = f"{TARGETS[target]}:latest"
    command = [*using.command, *using.build, "--target", target, "--tag", tag, *more, str(CHECKOUT)]
    run(f"building {tag} with {using.name}", command, log=log_file())
    return tag


def from_cache(using: Engine) -> tuple[str, ...]:
    """What a build on the imported base is told besides: pull nothing, and trust whom this machine trusts while building."""
    import_base(using)
    trusted = ("--volume", f"{CERTIFICATES}:{CERTIFICATES}:ro") if CERTIFICATES.exists() else ()
    return ("--pull-never", *trusted)


def log_file() -> Path:
    cache_folder().mkdir(parents=True, exist_ok=True)
    return cache_folder() / "image.log"


def main(arguments: list[str]) -> int:
    try:
        using = buildah() if arguments == ["--base-from-cache"] else engine()
        more = from_cache(using) if arguments == ["--base-from-cache"] else ()
        for target in TARGETS:
            say(f"there is {build(using, target, *more)}")
    except SetupError as error:
        print(f"nobat: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
