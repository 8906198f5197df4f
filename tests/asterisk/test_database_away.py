"""The database is away while callers come: they never notice, and every record is there afterwards, once."""

import asyncio
import sqlite3
from collections import Counter

from tests.support.serving import Serving
from tests.support.until import until


async def test_calls_of_an_outage_are_all_in_the_history(serving: Serving) -> None:
    await serving.bank.given_phone("any", does="answer", talk=(0.2, 0.6))
    await serving.given_available("101", "102", "103", "104")
    other = sqlite3.connect(serving.service.directory / "nobat.db", isolation_level=None, timeout=20)
    other.execute("BEGIN EXCLUSIVE")
    try:
        customers = []
        for _ in range(15):
            customers.append(await serving.bank.call("8000"))
            await asyncio.sleep(0.2)
        await serving.until_over(customers)
    finally:
        other.rollback()
        other.close()
    numbers = {customer.number for customer in customers}

    async def all_written() -> bool:
        return "acd_history_pending 0.0" in (await serving.api.get("/metrics")).text

    await until(all_written, "history is written")
    other = sqlite3.connect(serving.service.directory / "nobat.db", timeout=20)
    marks = ",".join("?" * len(numbers))
    rows = other.execute(f"SELECT number, outcome FROM calls WHERE number IN ({marks})", sorted(numbers)).fetchall()
    other.close()
    assert Counter(number for number, _ in rows) == Counter(numbers)
    assert {outcome for _, outcome in rows} == {"answered"}
