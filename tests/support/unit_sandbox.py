"""Runs a program as a systemd unit would: ``python unit_sandbox.py UNIT COMMAND…``, without systemd, and becomes the command.

What ``SystemCallFilter=`` and its neighbours come to is loaded into the kernel by libseccomp, as systemd does; the groups of system
calls are asked from ``systemd-analyze``. Capabilities are dropped, nothing can bring them back, and the system is read-only but for
what the unit may write (a mount namespace of the process). Used by the tests of the shipped units.

Not done: another user, ``/proc`` of others hidden, devices, clock and kernel tunables (that user has no rights to them anyway).
Standard library only: the kernel is asked through ctypes.
"""

import ctypes
import ctypes.util
import errno
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

ALLOW = 0x7FFF0000
EQUAL, MASKED_EQUAL = 4, 7  # how libseccomp compares an argument
PROT_WRITE, PROT_EXEC, SHM_EXEC = 2, 4, 0o100000
NAMESPACES = 0x7E020080  # CLONE_NEW*
SUID = (0o4000, 0o2000)
FAMILIES = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10}
BIND, AGAIN, READ_ONLY, DEEP, PRIVATE = 4096, 32, 1, 16384, 1 << 18
KEPT = {"nosuid": 2, "nodev": 4, "noexec": 8, "noatime": 1024, "relatime": 1 << 21}
PR_SET_NO_NEW_PRIVS, PR_CAPBSET_DROP, PR_CAP_AMBIENT = 38, 24, 47


class Comparison(ctypes.Structure):
    """``struct scmp_arg_cmp``."""

    _fields_ = (("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64))


class Unit:
    """What a unit file says, where words of one name add up."""

    def __init__(self, file: Path) -> None:
        self._lines = [
            line.split("=", 1) for line in file.read_text().splitlines() if "=" in line and line[0] not in "#;"
        ]

    def words(self, name: str) -> list[list[str]]:
        return [value.split() for key, value in self._lines if key == name]

    def on(self, name: str) -> bool:
        return self.words(name)[-1:] == [["yes"]]


@cache
def group(name: str) -> frozenset[str]:
    """The system calls of a group of systemd's, and of the groups in it."""
    done = subprocess.run(["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True)
    found: set[str] = set()
    for line in done.stdout.splitlines():
        word = line.strip()
        if word and not word.startswith("#") and word != name:
            found |= group(word) if word.startswith("@") else {word}
    return frozenset(found)


def allowed(unit: Unit) -> frozenset[str]:
    """As systemd reads it: what is listed first, then what later lines with ``~`` take away. ``@default`` is always allowed."""
    found: frozenset[str] = group("@default")
    for line in unit.words("SystemCallFilter"):
        away = line[0].startswith("~")
        for word in (one.lstrip("~") for one in line):
            calls = group(word) if word.startswith("@") else frozenset({word})
            found = found - calls if away else found | calls
    return found | {"execve", "exit", "exit_group", "rt_sigreturn"}


class Filter:
    """One filter of libseccomp."""

    def __init__(self, default: int) -> None:
        self._library = ctypes.CDLL(ctypes.util.find_library("seccomp") or "libseccomp.so.2", use_errno=True)
        self._library.seccomp_init.restype = ctypes.c_void_p
        self._context = ctypes.c_void_p(self._library.seccomp_init(ctypes.c_uint32(default)))

    def rule(self, action: int, name: str, *comparisons: tuple[int, int, int, int]) -> None:
        number = self._library.seccomp_syscall_resolve_name(name.encode())
        if number < 0:  # not of this machine
            return
        array = (Comparison * len(comparisons))(*(Comparison(*one) for one in comparisons))
        done = self._library.seccomp_rule_add_array(
            self._context, ctypes.c_uint32(action), number, len(comparisons), array
        )
        if done < 0:
            raise OSError(-done, f"seccomp: {name}: {os.strerror(-done)}")

    def load(self) -> None:
        done = self._library.seccomp_load(self._context)
        if done < 0:
            raise OSError(-done, f"seccomp: {os.strerror(-done)}")


def refuse_calls(unit: Unit) -> None:
    one = Filter(_error(errno.EPERM))
    for name in sorted(allowed(unit)):
        one.rule(ALLOW, name)
    one.load()


def refuse_arguments(unit: Unit) -> None:
    """What is refused only with some arguments."""
    one, refused = Filter(ALLOW), _error(errno.EPERM)
    if unit.on("MemoryDenyWriteExecute"):
        one.rule(refused, "mmap", (2, MASKED_EQUAL, PROT_WRITE | PROT_EXEC, PROT_WRITE | PROT_EXEC))
        for name in ("mprotect", "pkey_mprotect"):
            one.rule(refused, name, (2, MASKED_EQUAL, PROT_EXEC, PROT_EXEC))
        one.rule(refused, "shmat", (2, MASKED_EQUAL, SHM_EXEC, SHM_EXEC))
    if unit.on("RestrictNamespaces"):
        for bit in (1 << place for place in range(32) if NAMESPACES >> place & 1):
            one.rule(refused, "clone", (0, MASKED_EQUAL, bit, bit))
            one.rule(refused, "unshare", (0, MASKED_EQUAL, bit, bit))
        one.rule(_error(errno.ENOSYS), "clone3")  # its flags are in memory, which no filter reads
        one.rule(refused, "setns")
    if unit.on("RestrictRealtime"):
        for policy in (1, 2, 6):  # FIFO, RR, DEADLINE
            one.rule(refused, "sched_setscheduler", (1, EQUAL, policy, 0))
    if unit.on("RestrictSUIDSGID"):
        for bit in SUID:
            for name, place in (("chmod", 1), ("fchmod", 1), ("fchmodat", 2), ("mkdir", 1), ("mkdirat", 2)):
                one.rule(refused, name, (place, MASKED_EQUAL, bit, bit))
    if unit.on("LockPersonality"):
        for persona in (0x0008, 0x40000, 0x20000):
            one.rule(refused, "personality", (0, MASKED_EQUAL, persona, persona))
    known = {FAMILIES[word] for line in unit.words("RestrictAddressFamilies") for word in line}
    for family in (number for number in range(64) if known and number not in known):
        one.rule(_error(errno.EAFNOSUPPORT), "socket", (0, EQUAL, family, 0))
    one.load()


def _error(number: int) -> int:
    return 0x00050000 | number


def drop_rights() -> None:
    """No capability, for good, and nobody gives one back."""
    libc = ctypes.CDLL(None, use_errno=True)
    for number in range(64):
        libc.prctl(PR_CAPBSET_DROP, number, 0, 0, 0)
    libc.prctl(PR_CAP_AMBIENT, 4, 0, 0, 0)
    header, nothing = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if libc.capset(header, nothing) != 0:
        raise OSError(ctypes.get_errno(), "capset")


def close_the_system(writable: list[str]) -> None:
    """``ProtectSystem=strict``: everything is read-only in this process's own mount namespace but for these folders."""
    libc = ctypes.CDLL(None, use_errno=True)

    def mount(source: str, target: str, flags: int) -> None:
        if libc.mount(source.encode(), target.encode(), None, ctypes.c_ulong(flags), None) != 0:
            raise OSError(ctypes.get_errno(), f"mount {target}: {os.strerror(ctypes.get_errno())}")

    if libc.unshare(0x00020000) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    mount("none", "/", PRIVATE | DEEP)
    for folder in writable:
        mount(folder, folder, BIND)
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, target, _, options, *_ = line.split()
        if target in writable or target.startswith(("/proc", "/sys", "/dev")):
            continue
        kept = sum(KEPT.get(option, 0) for option in options.split(","))
        mount("none", target, BIND | AGAIN | READ_ONLY | kept)


def main(arguments: list[str]) -> None:
    file, *command = arguments
    unit = Unit(Path(file))
    if unit.words("ProtectSystem")[-1:] == [["strict"]]:
        close_the_system([folder for folder in os.environ.pop("WRITABLE", "").split(":") if folder])
    allowed(unit)  # asked while that is allowed; from now on it is remembered
    drop_rights()
    refuse_arguments(unit)
    refuse_calls(unit)
    os.execv(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
