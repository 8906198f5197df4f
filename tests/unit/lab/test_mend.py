"""Debian's Asterisk is mended by one byte, and nothing else is touched."""

from pathlib import Path

from lab import mend
from lab.asterisk import AsteriskHome

FAULT = bytes.fromhex("8b9788000000 81faffff0000 7768 8bae80000000 39ea")
PROGRAM = b"\x7fELF" + bytes(1000) + FAULT + bytes(500)


def given_root(tmp_path: Path, program: bytes) -> Path:
    (tmp_path / "usr/sbin").mkdir(parents=True)
    (tmp_path / mend.PACKAGED).write_bytes(program)
    return tmp_path


def test_one_byte_is_another() -> None:
    mended = mend.mended(PROGRAM)
    different = [at for at, (old, new) in enumerate(zip(PROGRAM, mended, strict=True)) if old != new]
    assert [(PROGRAM[at], mended[at]) for at in different] == [(0x77, 0xEB)]
    assert not mend.has_fault(mended)
    assert mend.mended(mended) == mended


def test_what_is_not_known_for_certain_is_left_alone() -> None:
    for program in (b"\x7fELF" + bytes(2000), PROGRAM + FAULT):
        assert mend.mended(program) == program


def test_the_mended_program_is_run_and_the_packages_own_is_kept(tmp_path: Path) -> None:
    root = given_root(tmp_path, PROGRAM)
    assert AsteriskHome(root).command("-V")[2] == "asterisk"
    mend.mend(root)
    mend.mend(root)
    assert (root / mend.PACKAGED).read_bytes() == PROGRAM
    assert (root / mend.MENDED).read_bytes() == mend.mended(PROGRAM)
    assert (root / mend.MENDED).stat().st_mode & 0o111 == 0o111
    assert AsteriskHome(root).command("-V")[2] == "/usr/local/sbin/asterisk"


def test_a_program_without_the_fault_gets_no_other(tmp_path: Path) -> None:
    root = given_root(tmp_path, b"\x7fELF")
    mend.mend(root)
    assert not (root / mend.MENDED).exists()


def test_by_hand(tmp_path: Path) -> None:
    packaged, local = given_root(tmp_path, PROGRAM) / mend.PACKAGED, tmp_path / "local/asterisk"
    assert mend.main([str(packaged)]) == 1
    assert mend.main([str(packaged), str(local)]) == 0
    assert mend.main([str(local)]) == 0
    assert mend.main([]) == 2
