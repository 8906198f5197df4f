"""Known callers: by REST and from a file, found however their number is written, known to the very next call."""

from pathlib import Path

import pytest

from acd.directory import Numbering
from acd.ids import AgentId
from nobat.caller_file import CallerFileError, read_callers, write_callers
from nobat.storage import callers
from nobat.storage.database import Database
from tests.support.office import Office, until

VIP = {
    "name": "Ali",
    "segment": "vip",
    "priority": 2,
    "skills": {"english": 3},
    "language": "fa",
    "preferred_agent": "101",
}


async def test_a_caller_is_one_however_the_number_is_written(office: Office) -> None:
    admin = await office.admin()
    put = await admin.ask("PUT", "/v1/callers/02112345678", json=VIP)
    assert (put.status_code, put.json()) == (200, {"number": "+982112345678", **VIP})
    for written in ("+982112345678", "00982112345678", "۰۲۱۱۲۳۴۵۶۷۸", "982112345678"):
        assert (await admin.get(f"/v1/callers/{written}"))["name"] == "Ali"
    call = office.pbx.caller("8000", number="02112345678")
    await office.settled()
    why = await admin.get(f"/v1/calls/{call}/why")
    assert (why["segment"], why["priority"], why["skills"]) == ("vip", 2, {"english": 3})
    await office.die()
    await office.start()
    admin = await office.admin()
    again = office.pbx.caller("8000", number="+982112345678")
    await office.settled()
    assert (await admin.get(f"/v1/calls/{again}/why"))["segment"] == "vip"
    assert (await admin.ask("DELETE", "/v1/callers/02112345678")).status_code == 204
    assert (await admin.ask("GET", "/v1/callers/02112345678")).json()["slug"] == "unknown_caller"
    assert (await admin.ask("DELETE", "/v1/callers/02112345678")).status_code == 404
    stranger = office.pbx.caller("8000", number="02112345678")
    await office.settled()
    assert (await admin.get(f"/v1/calls/{stranger}/why"))["segment"] is None


async def test_the_list_goes_on_where_the_cursor_stands(counter: Office) -> None:
    admin = await counter.admin()
    numbers = [f"+4930123450{n}" for n in range(5)]
    for number in reversed(numbers):
        await admin.ask("PUT", f"/v1/callers/{number}", json={})
    found, cursor = [], None
    while True:
        page = await admin.get("/v1/callers", limit=2, **({"cursor": cursor} if cursor else {}))
        found += [one["number"] for one in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert found == numbers


@pytest.mark.parametrize("number", ["nobody", "1" * 30, "%00", "00", "٠٠", "9.82112E+11", "0912l234567", "+00123"])
async def test_what_is_no_number_is_422_and_is_not_written(counter: Office, number: str) -> None:
    admin = await counter.admin()
    response = await admin.ask("PUT", f"/v1/callers/{number}", json={})
    assert response.status_code == 422
    assert (await admin.get("/v1/callers"))["items"] == []


def written(tmp_path: Path, *lines: str) -> Path:
    file = tmp_path / "callers.csv"
    file.write_text("number,name,segment,priority,skills,language,preferred_agent\n" + "\n".join(lines) + "\n")
    return file


async def test_an_import_reaches_a_running_service_in_parts(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nobat.caller_file.AT_ONCE", 300)
    file = written(tmp_path, *(f"0211{n:07},Caller {n},loyal,1,english=2; german=1,fa,101" for n in range(1200)))
    entries = read_callers(file, Numbering())
    assert entries[7][0] == "982110000007"
    assert (entries[7][1].skills, entries[7][1].preferred_agent) == ((("english", 2), ("german", 1)), AgentId("101"))
    done: list[int] = []
    await write_callers(office.app.database, entries, done.append)
    assert done == [300, 600, 900, 1200]
    await until(lambda: office.app.engine.read(lambda floor, _: len(floor.directory)) == 1200, "all callers are known")
    call = office.pbx.caller("8000", number="02110001199")
    await office.settled()
    assert (await (await office.admin()).get(f"/v1/calls/{call}/why"))["segment"] == "loyal"


async def test_a_removal_by_another_program_is_followed(office: Office) -> None:
    admin = await office.admin()
    await admin.ask("PUT", "/v1/callers/02112345678", json=VIP)
    other = Database(office.url)
    await callers.put(other, [("982112345678", None)])
    await other.close()
    await until(lambda: not office.app.engine.read(lambda floor, _: len(floor.directory)), "the caller is forgotten")


def test_every_bad_line_is_named_and_nothing_else_is_done(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        "02112345678,fine,,,,,",
        "nobody,,,,,,",
        "02112345679,,,much,,,",
        "02112345670,,,,english,,",
        "02112345671,,,,English=3,,",
        "+982112345678,,,,,,",
        "02112345672,too,short",
        "02112345673,,,9999,,,",
        "00,,,,,,",
        "9.82112E+11,,,,,,",
        "02112345674,,,,english=1;english=3,,",
        "02112345675,,,1_0,,,",
    )
    with pytest.raises(CallerFileError) as told:
        read_callers(file, Numbering())
    lines = [one.removeprefix(f"{file}: ") for one in str(told.value).splitlines()]
    assert [one.split(":")[0] for one in lines] == [f"line {n}" for n in range(3, 14)]
    assert lines[1] == "line 4: priority: 'much' is no whole number"
    assert lines[4] == "line 7: number: is the same as in line 2"


@pytest.mark.parametrize("content", [b"name,segment\nx,y\n", b"number,colour\n1,red\n", b"", b"number\n\xff\xfe\n"])
def test_a_file_that_is_no_table_of_callers_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "callers.csv"
    file.write_bytes(content)
    with pytest.raises(CallerFileError, match=r"header|UTF-8"):
        read_callers(file, Numbering())
