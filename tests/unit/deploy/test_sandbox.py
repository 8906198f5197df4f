"""What the shipped units forbid is forbidden: tried by a program that runs as they would run it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lab.pbx import CHECKOUT
from tests.support import unit_sandbox

UNITS = sorted((CHECKOUT / "deploy/systemd").glob("*.service"))
TRIED = """
import ctypes, errno, json, mmap, os, socket, sys, time
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
def tried(work):
    try:
        done = work()
    except OSError as error:
        return errno.errorcode[error.errno]
    return errno.errorcode[ctypes.get_errno()] if done in (-1, 2**64 - 1) else "done"
def write(path):
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(json.dumps({
    "code that was written": tried(lambda: libc.mmap(None, 4096, 7, 34, -1, 0)),
    "data": tried(lambda: len(mmap.mmap(-1, 4096))),
    "another user": tried(lambda: os.setuid(65534)),
    "a namespace": tried(lambda: libc.unshare(0x10000000)),
    "a mount": tried(lambda: libc.mount(b"none", b"/mnt", b"tmpfs", 0, None)),
    "somebody's memory": tried(lambda: libc.ptrace(0, 0, 0, 0)),
    "the clock": tried(lambda: time.clock_settime(time.CLOCK_REALTIME, time.time())),
    "a higher priority": tried(lambda: os.setpriority(os.PRIO_PROCESS, 0, -5)),
    "a raw socket": tried(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW)),
    "a socket": tried(lambda: socket.socket().fileno() * 0),
    "a file of the system": tried(lambda: write("/etc/of-nobat")),
    "a file of its own": tried(lambda: write(sys.argv[1] + "/file")),
    "rights": [status[name].strip() for name in ("CapEff", "CapBnd", "NoNewPrivs", "Seccomp")],
}))
"""
FREE = {"data", "a socket", "a file of its own"}


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: str(unit.name))
def test_what_a_unit_forbids_is_refused_by_the_kernel(unit: Path, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None or os.geteuid() != 0:
        pytest.skip("only root with systemd-analyze can run a program as a unit would")
    command = [sys.executable, unit_sandbox.__file__, str(unit), sys.executable, "-c", TRIED, str(tmp_path)]
    environment = {**os.environ, "WRITABLE": str(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found.pop("rights") == ["0" * 16, "0" * 16, "1", "2"]
    assert found.pop("a raw socket") == "EAFNOSUPPORT"
    assert found.pop("a file of the system") == "EROFS"
    if not any("@resources" in word for line in unit_sandbox.Unit(unit).words("SystemCallFilter") for word in line):
        found.pop("a higher priority")
    assert {what for what, how in found.items() if how == "done"} == FREE
    assert {how for what, how in found.items() if what not in FREE} == {"EPERM"}
