"""Shows what the set-up does: one line a step, time while it lasts, and the end of its output if it fails."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path


class SetupError(Exception):
    """A step did not work; the text says which, and the end of what it printed."""


def say(text: str) -> None:
    print(f"nobat: {text}", flush=True)


def run(title: str, command: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None) -> None:
    """Run ``command`` with its output in ``log``, telling the seconds as they pass."""
    began = time.monotonic()
    say(f"{title} …")
    with log.open("ab") as output:
        output.write(f"\n$ {' '.join(command)}\n".encode())
        output.flush()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env={**os.environ, **(env or {})}
        )
        code = _wait(process, title, began)
    if code != 0:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
        raise SetupError(f"{title}: failed with {code}. The end of {log}:\n{tail}")


def _wait(process: subprocess.Popen[bytes], title: str, began: float) -> int:
    """Wait for the end. A terminal sees the seconds count, a log a line every ten."""
    terminal = sys.stdout.isatty()
    told = began
    try:
        while True:
            try:
                code = process.wait(timeout=1)
                break
            except subprocess.TimeoutExpired:
                now = time.monotonic()
                if terminal:
                    print(f"\r  {now - began:3.0f} s", end="", flush=True)
                elif now - told >= 10:
                    told = now
                    say(f"{title}: {now - began:.0f} s so far")
    except BaseException:
        process.terminate()
        process.wait()
        raise
    if terminal:
        print("\r", end="")
    return code
