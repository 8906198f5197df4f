"""What callers may expect is in the line, and how right it was is in figures and metrics."""

import pytest

from tests.support.office import Office


async def test_nobody_at_work_means_nothing_can_be_said(counter: Office) -> None:
    admin = await counter.admin()
    counter.pbx.caller("8000")
    await counter.settled()
    (entry,) = (await admin.get("/v1/queues/sales/line"))["items"]
    assert entry["expected_wait_s"] is None
    figures = (await admin.get("/v1/queues/sales/stats"))["expected_wait"]
    assert figures == {"estimator": "state", "mae_s": None, "inside": None, "n": 0}
    assert 'acd_expected_wait_error_seconds{queue="sales"} NaN' in (await admin.ask("GET", "/metrics")).text


async def test_whoever_stands_further_back_is_to_expect_more_on_every_page(counter: Office) -> None:
    admin = await counter.admin()
    await admin.chooses("101", "available")
    for _ in range(4):
        counter.pbx.caller("8000")
        await counter.settled()
    urgent = counter.pbx.caller("8000")
    await counter.settled()
    await admin.ask("PATCH", f"/v1/calls/{urgent}", json={"priority": 1})
    whole = (await admin.get("/v1/queues/sales/line"))["items"]
    assert [one["position"] for one in whole] == [1, 2, 3, 4, 5]
    assert whole[0]["call_id"] == urgent
    highs = [one["expected_wait_s"][1] for one in whole]
    assert highs == sorted(highs)
    assert all(low <= high for low, high in (one["expected_wait_s"] for one in whole))
    paged, cursor = [], None
    while True:
        page = await admin.get("/v1/queues/sales/line", limit=2, **({"cursor": cursor} if cursor else {}))
        paged += [(one["call_id"], one["position"]) for one in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert paged == [(one["call_id"], one["position"]) for one in whole]


async def test_what_came_true_is_counted(counter: Office) -> None:
    admin = await counter.admin()
    await admin.chooses("101", "available")
    first, second = counter.pbx.caller("8000"), counter.pbx.caller("8000")
    await counter.settled()
    counter.pbx.pick_up(first)
    await counter.settled()
    await counter.pass_time(60)
    counter.pbx.agent_hangs_up(first)
    await counter.settled()
    counter.pbx.pick_up(second)
    await counter.settled()
    figures = (await admin.get("/v1/queues/sales/stats"))["expected_wait"]
    assert (figures["n"], figures["estimator"]) == (1, "state")
    assert figures["mae_s"] > 0
    page = (await admin.ask("GET", "/metrics")).text
    (line,) = [one for one in page.splitlines() if one.startswith('acd_expected_wait_error_seconds{queue="sales"}')]
    assert float(line.split()[-1]) == pytest.approx(figures["mae_s"], abs=0.001)
