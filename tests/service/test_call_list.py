"""``GET /v1/calls``: live and ended calls as one list, filtered and in parts."""

from typing import Any

import pytest

from tests.support.office import Office, Person


async def all_pages(person: Person, **query: Any) -> list[str]:
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = await person.get("/v1/calls", limit=3, **query, **({"cursor": cursor} if cursor else {}))
        found += [one["id"] for one in page["items"]]
        cursor = page["next"]
        if cursor is None:
            return found


@pytest.fixture
async def calls(office: Office) -> list[str]:
    """Ten calls, newest last: the first six have ended, half of them only history knows; four wait."""
    made = []
    for n in range(10):
        made.append(office.pbx.caller("8000" if n % 2 else "8001", str(100 + n)))
        await office.pass_time(1)
    for call in made[:6]:
        office.pbx.caller_hangs_up(call)
    await office.settled()
    await office.written()
    office.app.engine.read(lambda floor, _: [floor.ended.pop(call) for call in made[:3]])
    return made


async def test_parts_miss_and_repeat_nothing(office: Office, calls: list[str]) -> None:
    assert await all_pages(await office.admin()) == calls[::-1]


async def test_filters(office: Office, calls: list[str]) -> None:
    admin = await office.admin()
    newest_first = calls[::-1]
    assert await all_pages(admin, state="waiting") == newest_first[:4]
    assert await all_pages(admin, state="ended") == newest_first[4:]
    assert await all_pages(admin, state=["ended", "waiting"]) == newest_first
    assert await all_pages(admin, outcome="abandoned") == newest_first[4:]
    assert await all_pages(admin, queue="sales") == newest_first[::2]
    assert await all_pages(admin, queue="sales", state="ended") == [calls[5], calls[3], calls[1]]
    assert await all_pages(admin, number="101") == [calls[1]]
    assert await all_pages(admin, agent="101") == []
    entered = (await admin.get(f"/v1/calls/{calls[2]}"))["entered_at"]
    assert await all_pages(admin, to=entered) == [calls[1], calls[0]]
    assert await all_pages(admin, **{"from": entered}) == newest_first[:8]


async def test_a_line_comes_in_parts(office: Office, calls: list[str]) -> None:
    admin = await office.admin()
    first = await admin.get("/v1/queues/sales/line", limit=1)
    second = await admin.get("/v1/queues/sales/line", limit=1, cursor=first["next"])
    assert [one["call_id"] for one in (*first["items"], *second["items"])] == [calls[7], calls[9]]
    assert second["next"] is None


async def test_times_are_rfc_3339_in_utc_with_milliseconds(office: Office, calls: list[str]) -> None:
    live, ended = [await (await office.admin()).get(f"/v1/calls/{calls[n]}") for n in (9, 0)]
    for call in (live, ended):
        assert call["entered_at"].endswith("Z")
        assert len(call["entered_at"]) == len("2026-01-01T00:00:00.000Z")
    assert ended["waited_s"] >= 9
    assert live["ended_at"] is None
