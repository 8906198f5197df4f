"""Every recorded call gives the facts that are written down beside it, in that order and however the bytes are cut."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ami.decoder import Decoder
from ami.events import Quarantined
from tests.replay.player import RECORDINGS, Player, expectation, requests_in

NAMES = sorted(path.stem for path in RECORDINGS.glob("*.facts"))


def tape(name: str) -> bytes:
    return (RECORDINGS / f"{name}.ami").read_bytes()


def test_every_call_on_tape_has_its_facts_written_down() -> None:
    tapes = {path.stem for path in Path(RECORDINGS).glob("*.ami")}
    assert tapes - set(NAMES) == {"snapshot"}  # tests/unit/ami/test_resync.py reads that one


@pytest.mark.parametrize("name", NAMES)
def test_recording_gives_its_facts(name: str) -> None:
    expected = expectation(name)
    player = Player(requests_in(expected))
    assert player.play(tape(name)) == expected


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_remembered_of_a_call_that_is_over(name: str) -> None:
    player = Player(requests_in(expectation(name)))
    player.play(tape(name))
    assert player.tracker.book.size() == 0


@pytest.mark.parametrize("name", NAMES)
def test_every_event_twice_changes_nothing(name: str) -> None:
    expected = expectation(name)
    player = Player(requests_in(expected))
    blocks = tape(name).split(b"\r\n\r\n")
    twice = [copy for block in blocks for copy in ([block] * 2 if block.startswith(b"Event: ") else [block])]
    assert player.play(b"\r\n\r\n".join(twice)) == expected


@pytest.mark.parametrize("name", NAMES)
def test_the_whole_call_again_changes_nothing(name: str) -> None:
    """A link that repeats everything, late."""
    expected = expectation(name)
    player = Player(requests_in(expected))
    events = [block for block in tape(name).split(b"\r\n\r\n") if block.startswith(b"Event: ")]
    assert player.play(tape(name) + b"\r\n\r\n".join([b"", *events])) == expected


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from([*NAMES, "snapshot"]), data=st.data())
def test_bytes_cut_anywhere_give_the_same_messages(name: str, data: st.DataObject) -> None:
    raw = b"Asterisk Call Manager/11.0.0\r\n" + tape(name)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=30)))
    whole, sliced = Decoder(), Decoder()
    expected = whole.feed(raw)
    got = [message for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True) for message in sliced.feed(raw[a:b])]
    assert got == expected
    assert not any(isinstance(message, Quarantined) for message in got)
    assert sliced.counts == whole.counts


def test_bytes_one_by_one_keep_a_persian_name() -> None:
    decoder = Decoder()
    raw = b"Asterisk Call Manager/11.0.0\r\n" + tape("persian_name").replace(
        b"Event: Status\r\n", b"Event: Status\r\nActionID: x\r\n"
    )
    items = [message for byte in raw for message in decoder.feed(bytes([byte]))]
    assert any("نوبت‌دهی شرکت".encode() in item.raw for item in items if hasattr(item, "raw"))
