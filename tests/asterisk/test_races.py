"""Callers hang up, phones answer, reject and ring out in the same instant: whoever wins, nobody is stuck, everybody is counted."""

import random

import pytest

from benchmarks.races import KINDS, batch
from tests.support.serving import Serving

AGENTS = [str(number) for number in range(101, 113)]
PARTS = ("answered", "abandoned", "overflowed", "deferred", "lost", "waiting")


@pytest.mark.parametrize("kind", [KINDS[0], KINDS[1], KINDS[4]])
async def test_ten_races(serving: Serving, kind: str) -> None:
    before = await serving.stats()
    await serving.set_queue(ring_s=1, rest_s=0.0)
    customers, contradictions = await batch(serving, AGENTS, kind, random.Random(kind))
    assert contradictions == []
    after = await serving.stats()
    assert after["offered"] == sum(after[part] for part in PARTS) == before["offered"] + len(customers)
    for customer in customers:
        record = await serving.call_of(customer)
        assert record["state"] == "ended"
        rung = [moment.phone for moment in serving.bank.moments if moment.caller == customer.number]
        assert (record["outcome"] == "answered") >= (record["agent"] is not None)
        assert rung
