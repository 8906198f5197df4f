"""Notes of callers: what Asterisk has written down is read strictly, and forgotten in pieces that fit a line."""

import asyncio
from collections.abc import Sequence

from acd.ids import CallId, DeviceId, LegId, PbxId
from ami import actions, notes
from ami.answers import Answer, Outcome
from ami.outputs import Note, NotesFound

PBX = PbxId("pbx1")
CALL = "pbx1-1795000000123.7"
LEG = "pbx1-1795000000.7"


class Asterisk:
    """Answers each action with these items, and keeps what it was asked."""

    def __init__(self, *values: str, key: str = CALL) -> None:
        self.items = tuple(
            f"Event: DBGetTreeResponse\r\nActionID: 1\r\nKey: /acd-note/{key}\r\nVal: {value}\r\n\r\n".encode()
            for value in values
        )
        self.asked: list[actions.Headers] = []

    def send(self, *wanted: actions.Action, deadline_s: float | None = None) -> "list[asyncio.Future[Answer]]":
        self.asked += [actions.encode(one) for one in wanted]
        answers = [asyncio.get_running_loop().create_future() for _ in wanted]
        for answer in answers:
            answer.set_result(Answer(Outcome.SUCCESS, items=self.items))
        return answers


async def read(*values: str, key: str = CALL) -> Sequence[Note]:
    found: list[NotesFound] = []
    notes.read(Asterisk(*values, key=key), PBX, "7", found.append)
    await asyncio.sleep(0)
    return [note for one in found for note in one.notes]


async def test_who_was_served_by_asterisk_alone() -> None:
    value = f"1/sales/5/0912/1795000014000/1795000020000/1795000021000/{LEG}/PJSIP/agent-101-0000001a"
    (note,) = await read(value)
    assert (note.call, note.leg, note.queue, note.priority, note.number) == (CALL, LEG, "sales", 5, "0912")
    assert (note.entered_at, note.connected_at, note.ended_at, note.gone_at) == (
        1795000000.123,
        1795000014.0,
        1795000020.0,
        1795000021.0,
    )
    assert note.device == DeviceId("pbx1/PJSIP/agent-101")


async def test_who_withheld_the_number_and_is_not_known_to_have_ended() -> None:
    (note,) = await read(f"1/sales/0/////{LEG}/")
    assert (note.number, note.connected_at, note.gone_at, note.device) == (None, None, None, None)
    assert "0912" not in repr(note)


async def test_what_is_no_note_of_this_pbx_is_left_out() -> None:
    good = f"1/sales/0/////{LEG}/"
    assert await read("rubbish", "2/sales/0/////x/", f"1/sales;x/0/////{LEG}/") == []
    assert await read(good, key="pbx2-1795000000123.7") == []
    assert await read(good, key="pbx1-1795000000123.8") == []
    assert await read() == []


async def test_what_will_never_be_read_is_forgotten_and_what_another_program_may_read_is_not() -> None:
    for value, forgotten in (
        (f"1/sales/0/////{LEG}8/", [CALL]),
        (f"2/sales/0/////{LEG}/", []),
        (f"1/sales/0/////{LEG}/", []),
    ):
        asterisk = Asterisk(value)
        notes.read(asterisk, PBX, "7", lambda _: None)
        await asyncio.sleep(0)
        said = [dict(headers).get("Variable", "") for headers in asterisk.asked[1:]]
        assert said == [f"ACD_FORGET={call}" for call in forgotten]


async def test_notes_are_forgotten_in_lines_that_asterisk_takes() -> None:
    asterisk = Asterisk()
    calls = [CallId(f"pbx1-1795000000123.{number}") for number in range(40)]
    notes.forget(asterisk, "7", calls)
    said = [dict(headers)["Variable"].removeprefix("ACD_FORGET=").split("&") for headers in asterisk.asked]
    assert [one for part in said for one in part] == calls
    assert all(len(value.encode()) < 1000 for headers in asterisk.asked for _, value in headers)
    assert all(("Variable", "ACD_FOR_EPOCH=7") in headers for headers in asterisk.asked)
    assert {dict(headers)["Channel"] for headers in asterisk.asked} == {"Local/forget@acd-note/n"}
    notes.forget(asterisk, "7", [CallId("pbx1-1,DB(x)")])  # never sent
    assert len(asterisk.asked) == len(said)
    assert LegId(LEG)
