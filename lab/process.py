"""Background processes by pidfile: start, is it ours, end. Never a signal to a process that only has the same number."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path


def start(command: list[str], output: Path, pid_file: Path, env: Mapping[str, str] | None = None) -> int:
    """Start ``command`` in a session of its own, so that it outlives us and our terminal; its number is in ``pid_file``."""
    writing = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    files: list[tuple[object, ...]] = [
        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(output), writing, 0o640),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    pid = os.posix_spawnp(command[0], command, {**os.environ, **(env or {})}, file_actions=files, setsid=True)
    pid_file.write_text(f"{pid}\n")
    return pid


def running(pid_file: Path, mark: str) -> int | None:
    """The process of ``pid_file`` if it lives and has ``mark`` among its arguments."""
    try:
        pid = int(pid_file.read_text())
    except (OSError, ValueError):
        return None
    return pid if _is_ours(pid, mark) else None


def end(pid_file: Path, mark: str, how: signal.Signals, patience_s: float) -> None:
    """Send ``how``, and SIGKILL if it is still there after ``patience_s``; returns when it is gone."""
    pid = running(pid_file, mark)
    if pid is not None:
        os.kill(pid, how)
        if not until(lambda: not _is_ours(pid, mark), patience_s):
            os.kill(pid, signal.SIGKILL)
            until(lambda: not _is_ours(pid, mark), 5.0)
    pid_file.unlink(missing_ok=True)


def until(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether ``condition`` came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _is_ours(pid: int, mark: str) -> bool:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # a child of ours that ended must not stay a zombie
    for _ in range(20):
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return False
        if command or state == "Z":
            return mark.encode() in command.split(b"\0")
        time.sleep(0.005)  # between fork and exec a process has no command line
    return False
