"""The journal on its own: notes come back as they were, in order, from whatever a crash has left."""

import os
from itertools import count
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acd.agents import AgentState, Status
from acd.events import AgentStateChanged, AgentStatusChosen, CallHeld, CallOffered, CallQueued, Event, PbxReady
from acd.ids import AgentId, CallId, DeviceId, LegId, OfferId, PbxId, QueueId
from nobat.storage.backlog import Backlog
from nobat.storage.codec import Unreadable, decode, encode
from nobat.storage.journal import Journal
from nobat.storage.statements import Note

CALL, SALES = CallId("pbx1-1.1"), QueueId("sales")
EVENTS: tuple[Event, ...] = (
    CallQueued(1.25, CALL, SALES, LegId("pbx1-1.1"), 1.0, 0, "+982112345678", "آرش, \n\0 \ud800 =cmd", True),
    CallOffered(2.5, CALL, SALES, OfferId("o.1"), (AgentId("101"), AgentId("102"))),
    AgentStateChanged(3.0, AgentId("101"), AgentState.IDLE, AgentState.RINGING),
    AgentStatusChosen(3.5, AgentId("101"), Status.BREAK, None, DeviceId("pbx1/PJSIP/agent-101")),
    PbxReady(4.0, PbxId("pbx1"), (("call_lost", 2),)),
)


def held(number: int) -> Note:
    return Note(1, number, CallHeld(float(number), CALL, SALES))


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_a_note_comes_back_as_it_was(event: Event) -> None:
    line = encode(Note(7, 9, event))
    assert line.count(b"\n") == 1
    assert decode(line) == Note(7, 9, event)


@pytest.mark.parametrize(
    "line", [b"", b"\n", b"00000000 1 1 CallHeld {}\n", encode(held(1))[:-1], encode(held(1)).replace(b"1.0", b"2.0")]
)
def test_a_damaged_line_is_no_note(line: bytes) -> None:
    with pytest.raises(Unreadable):
        decode(line)


def test_an_unknown_kind_is_no_note() -> None:
    body = encode(held(1)).partition(b" ")[2].replace(b"CallHeld", b"CallHexd")
    with pytest.raises(Unreadable):
        decode(b"%08x %s" % (crc32(body[:-1]), body))


def test_what_is_confirmed_is_gone_and_what_is_not_is_found_by_the_next_run(tmp_path: Path) -> None:
    first = Journal(tmp_path, run=1, segment_notes=10)
    for number in range(35):
        first.append([held(number)])
    first.confirm(12)
    second = Journal(tmp_path, run=2)
    assert [note.seq for notes in second.left() for note in notes] == list(range(10, 35))
    assert list(second.left()) == []


def test_a_run_that_ends_in_order_leaves_no_file(tmp_path: Path) -> None:
    journal = Journal(tmp_path, run=1, segment_notes=3)
    for number in range(10):
        journal.append([held(number)])
    journal.confirm(10)
    journal.close()
    assert list(tmp_path.iterdir()) == []


def test_a_last_line_that_was_cut_off_costs_only_itself(tmp_path: Path) -> None:
    journal = Journal(tmp_path, run=1)
    journal.append([held(number) for number in range(5)])
    (path,) = tmp_path.iterdir()
    os.truncate(path, path.stat().st_size - 3)
    assert [note.seq for notes in Journal(tmp_path, run=2).left() for note in notes] == [0, 1, 2, 3]


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    Journal(tmp_path / "journal", run=1).append([held(1)])
    (path,) = (tmp_path / "journal").iterdir()
    assert path.stat().st_mode & 0o077 == 0
    assert (tmp_path / "journal").stat().st_mode & 0o077 == 0


class Disk(Journal):
    """A journal on a disk that fills up when it is told to."""

    full = False

    def append(self, notes: "list[Note] | tuple[Note, ...]") -> None:  # type: ignore[override]
        if self.full:
            raise OSError(28, "No space left on device")
        super().append(notes)


steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(1, 12)),
        st.tuples(st.just("write"), st.integers(1, 15)),
        st.tuples(st.sampled_from(["full", "room"]), st.just(0)),
    ),
    max_size=60,
)


@settings(max_examples=200, deadline=None)
@given(steps)
def test_order_is_kept_and_nothing_is_lost_or_twice_whatever_the_disk_does(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    folder = tmp_path_factory.mktemp("journal")
    disk = Disk(folder, run=1, segment_notes=7)
    backlog, numbers, database = Backlog(disk, memory_rows=10), count(), list[int]()
    added = 0
    for step, amount in steps:
        match step:
            case "add":
                backlog.add([held(next(numbers)) for _ in range(amount)])
                added += amount
            case "write":
                batch = backlog.first(amount)
                database += [note.seq for note in batch]
                backlog.done(len(batch))
            case _:
                disk.full = step == "full"
        assert len(backlog) + len(database) + backlog.lost == added
    if backlog.lost == 0:
        assert database == list(range(len(database)))
        if backlog.journal_fails is None:  # what a crash now would leave is what the database does not have
            left = [note.seq for notes in Journal(folder, run=2).left() for note in notes]
            assert set(left) >= set(range(len(database), added))
            assert left == sorted(set(left))
    else:
        assert database == sorted(set(database))


def test_memory_stays_small_while_the_database_is_away(tmp_path: Path) -> None:
    backlog = Backlog(Journal(tmp_path, run=1, segment_notes=100), memory_rows=50)
    for number in range(1_000):
        backlog.add([held(number)])
    assert len(backlog) == 1_000
    assert len(backlog._notes) <= 50
    written = []
    while backlog:
        batch = backlog.first(40)
        written += [note.seq for note in batch]
        backlog.done(len(batch))
    assert written == list(range(1_000))
    backlog.close()
    assert list(tmp_path.iterdir()) == []
