"""Recordings as files: two halves become stereo, what must be silent is, and only the right key opens what was kept."""

import io
import struct
import wave
from array import array
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.recordings import RecordingAction, RecordingMode, RecordingState
from nobat.recording import stereo
from nobat.recording.spans import Step, absences, demanded, missing_s, silent_spans, state_after
from nobat.recording.vault import CHUNK, MAGIC, TAG, Vault, VaultError, master_key

ALWAYS, ON_DEMAND = RecordingMode.ALWAYS, RecordingMode.ON_DEMAND
PAUSE, RESUME, START, STOP = (RecordingAction(word) for word in ("pause", "resume", "start", "stop"))


def half(file: Path, samples: list[int], *, whole: bool = True, rate: int = 8000) -> stereo.Half:
    """A file as Asterisk writes it; its head gets a length only when the recording ends."""
    said = len(samples) * 2 if whole else 0
    head = struct.pack(
        "<4sI8sIHHIIHH4sI", b"RIFF", 36 + said, b"WAVEfmt ", 16, 1, 1, rate, rate * 2, 2, 16, b"data", said
    )
    file.write_bytes(head + array("h", samples).tobytes())
    return stereo.half(file)


def sides(content: bytes) -> tuple[list[int], list[int]]:
    with wave.open(io.BytesIO(content)) as file:
        assert (file.getnchannels(), file.getframerate()) == (2, 8000)
        samples = array("h")
        samples.frombytes(file.readframes(file.getnframes()))
    return list(samples[0::2]), list(samples[1::2])


# ---------------------------------------------------------------- two halves


def test_the_caller_is_on_the_left_and_the_shorter_half_is_filled_up(tmp_path: Path) -> None:
    caller, agent = half(tmp_path / "c.wav", [1, 2, 3]), half(tmp_path / "a.wav", [9])
    assert sides(b"".join(stereo.stereo(caller, agent, ()))) == ([1, 2, 3], [9, 0, 0])


def test_what_must_be_silent_is_silent_on_both_sides_across_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stereo, "BLOCK", 1000)
    caller, agent = half(tmp_path / "c.wav", [5] * 8000), half(tmp_path / "a.wav", [7] * 8000)
    left, right = sides(b"".join(stereo.stereo(caller, agent, ((0.1, 0.55), (0.9, 99.0)))))
    quiet = [800 <= n < 4400 or n >= 7200 for n in range(8000)]
    assert left == [0 if silent else 5 for silent in quiet]
    assert right == [0 if silent else 7 for silent in quiet]


def test_a_file_says_whether_it_is_whole(tmp_path: Path) -> None:
    assert half(tmp_path / "a.wav", [1, 2]).whole
    assert not half(tmp_path / "b.wav", [1, 2], whole=False).whole
    (tmp_path / "c.wav").write_bytes(b"RIFF")
    with pytest.raises(stereo.NotSound):
        stereo.half(tmp_path / "c.wav")
    with pytest.raises(stereo.NotSound):
        list(stereo.stereo(half(tmp_path / "d.wav", [1]), half(tmp_path / "e.wav", [1], rate=16_000), ()))


# ---------------------------------------------------------------- what was asked for


def test_pauses_and_demands_become_spans() -> None:
    asked = [(102.0, PAUSE), (103.0, PAUSE), (105.0, RESUME), (108.0, PAUSE)]
    assert silent_spans(ALWAYS, asked, 100.0, 10.0) == ((2.0, 5.0), (8.0, 10.0))
    assert silent_spans(ALWAYS, [], 100.0, 10.0) == ()
    assert silent_spans(ON_DEMAND, [], 100.0, 10.0) == ((0.0, 10.0),)
    assert silent_spans(ON_DEMAND, [(101.0, START), (104.0, STOP)], 100.0, 10.0) == ((0.0, 1.0), (4.0, 10.0))
    assert silent_spans(ALWAYS, [(300.0, PAUSE)], 100.0, 10.0) == ()
    assert state_after(ALWAYS, asked) == (RecordingState.PAUSED, 108.0)
    assert state_after(ON_DEMAND, []) == (RecordingState.READY, None)
    assert not demanded(ON_DEMAND, [])
    assert demanded(ON_DEMAND, [(1.0, START), (2.0, STOP)])


def test_what_comes_after_a_consult_stands_earlier_in_the_file() -> None:
    steps = [
        (110.0, Step.HELD),  # by the phone: the caller hears music in the conversation
        (112.0, Step.RESUMED),
        (120.0, Step.ASKED),
        (120.1, Step.HELD),
        (130.1, Step.RESUMED),
        (135.1, Step.HELD),
        (140.1, Step.SETTLED),
        (140.2, Step.RESUMED),
    ]
    absent = absences(steps, 200.0)
    assert absent == ((120.1, 130.1), (135.1, 140.1))
    assert absences(steps[:4], 125.1) == ((120.1, 125.1),)
    asked = [(115.0, PAUSE), (118.0, RESUME), (150.0, PAUSE), (155.0, RESUME)]
    assert silent_spans(ALWAYS, asked, 100.0, 60.0, absent) == ((15.0, 18.0), (35.0, 40.0))
    assert missing_s(absent, 100.0, 200.0) == 15.0


# ---------------------------------------------------------------- the vault


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path, master_key(tmp_path / "master.key"))


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 7])
def test_any_part_of_what_went_in_comes_out(vault: Vault, size: int) -> None:
    plain = bytes(n * 7 % 251 for n in range(size))
    key, length = vault.put("one", iter([plain[:5], plain[5:]]))
    assert length == size
    assert b"".join(vault.read("one", key, size)) == plain
    for start, end in ((0, 1), (CHUNK - 1, CHUNK + 1), (size // 2, size), (size - 1, size)):
        if 0 <= start < end <= size:
            assert b"".join(vault.read("one", key, size, start, end)) == plain[start:end]


@given(start=st.integers(0, 200_000), length=st.integers(1, 200_000))
def test_every_range_is_the_same_as_of_the_plain_bytes(
    start: int, length: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder, key, plain = _kept(tmp_path_factory)
    end = min(start + length, len(plain))
    if start < end:
        assert b"".join(folder.read("same", key, len(plain), start, end)) == plain[start:end]


_once: list[tuple[Vault, str, bytes]] = []


def _kept(factory: pytest.TempPathFactory) -> tuple[Vault, str, bytes]:
    if not _once:
        folder = factory.mktemp("vault")
        made = Vault(folder, master_key(folder / "key"))
        plain = bytes(n % 256 for n in range(150_000))
        _once.append((made, made.put("same", iter([plain]))[0], plain))
    return _once[0]


def test_each_file_has_a_key_of_its_own_and_nobody_else_reads_the_file(vault: Vault) -> None:
    first, _ = vault.put("one", iter([b"secret" * 100]))
    second, _ = vault.put("two", iter([b"secret" * 100]))
    file = vault.file_of("one")
    assert file.stat().st_mode & 0o777 == 0o600
    assert b"secret" not in file.read_bytes()
    with pytest.raises(VaultError):
        list(vault.read("one", second, 600))
    file.write_bytes(vault.file_of("two").read_bytes())
    with pytest.raises(VaultError):
        list(vault.read("one", first, 600))


def test_a_changed_a_moved_and_a_missing_part_are_refused(vault: Vault) -> None:
    plain = bytes(3 * CHUNK)
    key, size = vault.put("one", iter([plain]))
    good = vault.file_of("one").read_bytes()
    chunk = CHUNK + TAG
    first, second = good[len(MAGIC) :][:chunk], good[len(MAGIC) + chunk :][:chunk]
    for bad in (
        good[:5000] + bytes([good[5000] ^ 1]) + good[5001:],
        MAGIC + second + first + good[len(MAGIC) + 2 * chunk :],
        good[: len(MAGIC) + chunk],
        b"x" + good[1:],
    ):
        vault.file_of("one").write_bytes(bad)
        with pytest.raises(VaultError):
            list(vault.read("one", key, size))


def test_another_master_key_opens_nothing_and_a_bad_one_is_told(vault: Vault, tmp_path: Path) -> None:
    key, size = vault.put("one", iter([b"x"]))
    with pytest.raises(VaultError, match="master key"):
        list(Vault(tmp_path, master_key(tmp_path / "other.key")).read("one", key, size))
    assert master_key(tmp_path / "master.key") == vault.master
    assert (tmp_path / "master.key").stat().st_mode & 0o777 == 0o600
    (tmp_path / "bad").write_text("too short")
    with pytest.raises(VaultError):
        master_key(tmp_path / "bad")
    with pytest.raises(VaultError):
        master_key(tmp_path / "no such folder" / "key")


def test_a_put_that_was_cut_off_is_done_again(vault: Vault) -> None:
    vault.file_of("one").with_suffix(".part").write_bytes(b"rest of a crash")
    key, size = vault.put("one", iter([b"sound"]))
    assert b"".join(vault.read("one", key, size)) == b"sound"
    vault.remove("one")
    vault.remove("one")
