"""What callers hear, and whose place they have again: set over REST and by file, stored, told to the PBX, kept through restarts."""

from pathlib import Path
from typing import Any

import pytest

from acd.announcements import Announcements
from acd.ids import PbxId
from nobat.apply import DatabaseTarget
from nobat.declaration import read_declaration
from nobat.storage import catalogue
from tests.support.office import Office, Person, until

SPOKEN = {"language": "fa", "position": True, "expected_wait": True, "first_after_s": 5, "messages": ["our-offer"]}
REJOIN = {"announcements": {"rejoin_s": 300}}


async def line(admin: Person) -> list[str]:
    return [one["call_id"] for one in (await admin.get("/v1/queues/sales/line"))["items"]]


async def test_a_queues_announcements_are_changed_field_by_field_and_told_to_the_pbx(office: Office) -> None:
    admin = await office.admin()
    assert (await admin.get("/v1/queues/sales"))["announcements"]["position"] is False
    changed = await admin.ask("PATCH", "/v1/queues/sales", json={"announcements": SPOKEN})
    assert changed.status_code == 200, changed.text
    again = await admin.ask("PATCH", "/v1/queues/sales", json={"announcements": {"music": "jazz", "messages": []}})
    wanted = {**SPOKEN, "music": "jazz", "messages": []}
    assert {name: again.json()["announcements"][name] for name in wanted} == wanted
    assert office.pbx.sounds == {"sales": ("jazz", "fa"), "support": ("", "")}
    admin = await office.restarted()
    assert (await admin.get("/v1/queues/sales"))["announcements"] == again.json()["announcements"]
    assert office.pbx.sounds["sales"] == ("jazz", "fa")


@pytest.mark.parametrize(
    "wrong",
    [
        {"language": "farsi"},
        {"language": "fa,x"},
        {"music": "../x"},
        {"welcome": "a/b"},
        {"messages": ["A b"]},
        {"messages": ["x"] * 21},
        {"every_s": 1},
        {"message_every_s": 0},
        {"first_after_s": -1},
        {"rejoin_s": 1e9},
        {"position": 1},
        {"volume": 11},
    ],
)
async def test_what_cannot_be_said_is_refused(counter: Office, wrong: dict[str, Any]) -> None:
    admin = await counter.admin()
    assert (await admin.ask("PATCH", "/v1/queues/sales", json={"announcements": wrong})).status_code == 422
    body = {"id": "new", "number": "8009", "announcements": wrong}
    assert (await admin.ask("POST", "/v1/queues", json=body)).status_code == 422


async def test_what_was_announced_is_told_with_the_call(office: Office) -> None:
    admin = await office.admin()
    await admin.ask("PATCH", "/v1/queues/sales", json={"announcements": SPOKEN})
    await admin.chooses("101", "available")
    talking = office.pbx.caller("8000", number="1001")
    await office.settled()
    office.pbx.pick_up(talking)
    call = office.pbx.caller("8000", number="1002")
    await office.settled()
    await office.pass_time(6)
    await until(lambda: office.pbx.world.channels[call].entered.told, "the caller hears it")
    await office.settled()
    why = await admin.get(f"/v1/calls/{call}/why")
    (said,) = why["announced"]
    assert said["prompts"][0] == "you-are-next"
    assert said["promise"] == why["told"][0]
    assert (said["language"], why["language"], why["place_since"]) == ("fa", "fa", None)
    assert (await admin.get(f"/v1/calls/{call}"))["language"] == "fa"
    page = (await office.client.get("/metrics")).text
    assert 'acd_announcements_total{queue="sales"} 1.0' in page
    promised = why["told"][0]
    admin = await office.restarted()  # the promise is on the channel
    told = (await admin.get(f"/v1/calls/{call}/why"))["told"][0]
    assert abs(told["high_s"] - promised["high_s"]) < 0.01
    office.pbx.caller_hangs_up(call)
    await office.settled()
    await office.written()
    assert (await admin.get("/v1/calls", number="1002"))["items"][0]["language"] == "fa"


async def test_the_directorys_language_goes_to_the_channel(office: Office) -> None:
    admin = await office.admin()
    assert (await admin.ask("PUT", "/v1/callers/1005", json={"language": "farsi"})).status_code == 422
    await admin.ask("PUT", "/v1/callers/1005", json={"language": "fa"})
    call = office.pbx.caller("8000", number="1005")
    await until(lambda: office.pbx.world.channels[call].entered.language == "fa", "the channel's language")


async def test_a_place_is_regained_through_a_restart(office: Office) -> None:
    admin = await office.admin()
    await admin.ask("PATCH", "/v1/queues/sales", json=REJOIN)
    first = office.pbx.caller("8000", number="02112345678")
    await office.pass_time(10)
    second = office.pbx.caller("8000", number="1002")
    await office.settled()
    office.pbx.caller_hangs_up(first)
    await office.settled()
    admin = await office.restarted()
    again = office.pbx.caller("8000", number="+982112345678")
    await office.settled()
    assert await line(admin) == [again, second]
    entered = (await admin.get(f"/v1/calls/{first}"))["entered_at"]
    assert (await admin.get(f"/v1/calls/{again}"))["place_since"] == entered
    admin = await office.restarted()
    assert await line(admin) == [again, second]
    late = office.pbx.caller("8000", number="02112345678")
    await office.settled()
    assert await line(admin) == [again, second, late]  # that place was given back already


async def test_a_place_is_regained_when_pbx_and_service_died_together(office: Office) -> None:
    admin = await office.admin()
    await admin.ask("PATCH", "/v1/queues/sales", json=REJOIN)
    first = office.pbx.caller("8000", number="02112345678")
    await office.settled()
    await office.written()
    await office.die()
    office.pbx.world.restart()
    await office.start()
    await office.settled()
    admin = await office.admin()
    await until(lambda: office.app.engine.read(lambda floor, _: len(floor.kept)), "the lost call is accounted for")
    other = office.pbx.caller("8000", number="1002")
    again = office.pbx.caller("8000", number="02112345678")
    await office.settled()
    assert await line(admin) == [again, other]
    await office.written()
    assert (await admin.get(f"/v1/calls/{first}"))["outcome"] == "lost"


async def test_a_row_of_an_older_version_has_defaults_for_what_it_lacks() -> None:
    assert catalogue._announcements({}) == Announcements()
    assert catalogue._announcements({"messages": ["x"], "music": "jazz"}) == Announcements(
        messages=("x",), music="jazz"
    )


def test_a_file_says_what_callers_hear(tmp_path: Path) -> None:
    file = tmp_path / "floor.yaml"
    file.write_text("queues: [{id: sales, number: '8000', announcements: {position: true, messages: [a, b]}}]")
    target = DatabaseTarget(f"sqlite:///{tmp_path / 'nobat.db'}", PbxId("pbx1"))
    target.carry_out(target.plan(read_declaration(file), prune=False))
    assert target.plan(read_declaration(file), prune=False).empty
    file.write_text("queues: [{id: sales, number: '8000', announcements: {position: true, messages: [a]}}]")
    (shown,) = target.plan(read_declaration(file), prune=False).lines()
    assert "messages=a/b" in shown
