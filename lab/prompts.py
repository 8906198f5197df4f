"""The spoken prompts for the lab's Asterisk and the tests': made once for each set of texts, and kept in the cache.

Called by ``lab.pbx``. A site does the same with ``nobat prompts build`` and has no use for this.
"""

import fcntl
import shutil
import sys
from pathlib import Path

from lab.asterisk import LabError
from lab.home import cache_folder
from nobat.prompts.build import build, key
from nobat.prompts.synthesis import PromptError


def ready_prompts() -> Path:
    """A folder with ``<language>/nobat/<name>.wav``, whole."""
    folder = cache_folder() / f"prompts-{key()}"
    if folder.exists():
        return folder
    cache_folder().mkdir(parents=True, exist_ok=True)
    with (cache_folder() / "prompts.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _make(folder)
    return folder


def _make(folder: Path) -> None:
    """Moved into place when it is whole. Older sets stay: another checkout may be about to copy one."""
    print("nobat: making the spoken prompts (once)", file=sys.stderr, flush=True)
    work = cache_folder() / "prompts-building"
    shutil.rmtree(work, ignore_errors=True)
    try:
        build(work)
    except PromptError as error:
        raise LabError(f"no prompts: {error}") from error
    work.rename(folder)
