"""A call that was passed on and then lost from sight with the service: every visit is decided once, and the figures agree."""

from typing import Any

from tests.support.office import Office, until
from tests.support.until import until as awaited


async def test_the_second_visit_is_decided_after_a_restart_and_the_first_stays(office: Office) -> None:
    admin = await office.admin()
    await admin.chooses("101", "available")
    call = office.pbx.caller("8000", "4930123456")
    await until(lambda: office.pbx.ringing(call), "a ringing phone")
    office.pbx.pick_up(call)
    await office.settled()
    await office.pass_time(10)
    await admin.ask("POST", f"/v1/calls/{call}/transfer", json={"to": {"queue": "support"}})
    await office.settled()
    await office.written()
    await office.die()
    office.pbx.caller_hangs_up(call)
    await office.start()
    again = await office.admin()

    found: list[Any] = []

    async def is_written() -> bool:
        found[:] = (await again.get("/v1/calls", number="4930123456"))["items"]
        return bool(found)

    await awaited(is_written, "the call in the history")
    (view,) = found
    assert [(visit["queue"], visit["outcome"]) for visit in view["visits"]] == [
        ("sales", "answered"),
        ("support", "abandoned"),
    ]
    assert view["ended_by"] == "unseen"
    assert view["talk_s"] >= 10
    for queue, outcome in (("sales", "answered"), ("support", "abandoned")):
        stats = await again.get(f"/v1/queues/{queue}/stats")
        assert (stats["offered"], stats[outcome], stats["waiting"]) == (1, 1, 0)


async def test_who_leaves_unseen_after_two_crashes_is_counted_once(office: Office) -> None:
    """Each run that found the caller in line has said so in history; it is one stay all the same."""
    call = office.pbx.caller("8000", "4930123456")
    await office.settled()
    await office.restarted()
    await office.written()
    await office.die()
    office.pbx.caller_hangs_up(call)
    await office.start()
    again = await office.admin()

    async def is_counted() -> bool:
        return bool((await again.get("/v1/queues/sales/stats"))["abandoned"])

    await awaited(is_counted, "the visit in the figures")
    await office.written()
    (view,) = (await again.get("/v1/calls", number="4930123456"))["items"]
    assert [visit["outcome"] for visit in view["visits"]] == ["abandoned"]
    stats = await again.get("/v1/queues/sales/stats")
    assert (stats["offered"], stats["abandoned"], stats["waiting"]) == (1, 1, 0)
