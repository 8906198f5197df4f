"""Takes a fault out of Debian's Asterisk that costs recordings a voice, without building it anew.

Debian compiles Asterisk with a patch of its own (``2016_opus_plc``): a translator throws away what seems to come late by its RTP
sequence number. A frame that a mixing bridge has made has the number 0. After it, when only two are left and their frames keep
the numbers of their phones, a number above 32,768 counts as late: the translator in front of the recorder (and of ``ChanSpy``)
says nothing any more until the numbers begin anew, minutes later. That was every second conversation which had been one of three.
Asterisk's own source has no such test, and compares nothing (docs/decisions/0030).

``mended`` turns the one conditional jump in front of the test into one that is always taken, so that every frame is translated as
Asterisk's own source does it. ``lab.home`` puts the mended program beside the package's, into ``/usr/local/sbin``, which is looked
into first; a site does it by hand: ``python -m lab.mend /usr/sbin/asterisk /usr/local/sbin/asterisk``. Standard library only.
"""

import os
import sys
from pathlib import Path

PACKAGED, MENDED = Path("usr/sbin/asterisk"), Path("usr/local/sbin/asterisk")

_BEFORE = bytes.fromhex("8b9788000000 81faffff0000")  # path->f.seqno, compared with the highest number there is
_ABOVE, _ALWAYS = b"\x77", b"\xeb"  # ja, jmp: over the comparison
_AFTER = bytes.fromhex("68 8bae80000000 39ea")  # how far; f->seqno, compared with path->f.seqno
_FAULT = _BEFORE + _ABOVE + _AFTER


def has_fault(program: bytes) -> bool:
    """Whether this is an Asterisk for amd64 with Debian's patch, as Debian compiles it."""
    return program.count(_FAULT) == 1


def mended(program: bytes) -> bytes:
    """The same program, one byte different. A program without the fault is returned as it is."""
    return program.replace(_FAULT, _BEFORE + _ALWAYS + _AFTER) if has_fault(program) else program


def mend(root: Path) -> None:
    """Put a mended Asterisk into the root file system ``root``, if its own has the fault and there is none yet."""
    source, target = root / PACKAGED, root / MENDED
    if target.exists() or not source.exists():
        return
    program = source.read_bytes()
    if has_fault(program):
        _write(target, mended(program))


def _write(target: Path, program: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f"{target.name}.{os.getpid()}")
    fresh.write_bytes(program)
    fresh.chmod(0o755)
    fresh.replace(target)


def main(arguments: list[str]) -> int:
    """Say whether a program has the fault, and write a mended one if a second path is given."""
    if len(arguments) not in (1, 2):
        print("python -m lab.mend PROGRAM [MENDED]")
        return 2
    program = Path(arguments[0]).read_bytes()
    faulty = has_fault(program)
    print(f"{arguments[0]}: {'loses frames after a conversation of three' if faulty else 'nothing known to mend'}")
    if faulty and len(arguments) == 2:
        _write(Path(arguments[1]), mended(program))
        print(f"{arguments[1]}: written")
    return int(faulty and len(arguments) == 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
