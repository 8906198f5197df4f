"""Days in reports: when clocks are set, calls across midnight, and several time zones at once."""

import csv
import io
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from acd.events import VisitDecided
from acd.ids import CallId, QueueId
from acd.outcomes import Outcome
from nobat.figures.stays import start_of
from nobat.storage import figures
from nobat.storage.recorder import write_notes
from nobat.storage.statements import Note
from tests.support.office import Office, agent, queue

ZONES = {"sales": ZoneInfo("Europe/Berlin"), "support": ZoneInfo("Asia/Tehran")}
BEGIN, END = datetime(2025, 10, 24, 12, tzinfo=UTC), datetime(2025, 10, 27, 12, tzinfo=UTC)
"""In Berlin clocks go back on the 26th; in Tehran they do not, and midnight is at half past a UTC hour."""


def visits() -> list[VisitDecided]:
    """Every ten minutes one in each queue, decided up to half an hour after the entry: some on the next day."""
    dice, found, at = random.Random(3), [], BEGIN
    while at < END:
        for name in ZONES:
            entered, waited = at.timestamp() + dice.random() * 600, dice.random() * 1800
            outcome = dice.choice([Outcome.ANSWERED, Outcome.ABANDONED])
            call = CallId(f"pbx1-{int(entered * 1000)}.{name}")
            found.append(VisitDecided(entered + waited, call, QueueId(name), outcome, entered, waited))
        at += timedelta(minutes=10)
    return found


@pytest.fixture
async def office(database_url: str) -> Office:
    place = Office(database_url)
    queues = [queue(name, f"800{n}", timezone=zone.key) for n, (name, zone) in enumerate(ZONES.items())]
    await place.prepare(queues, [agent("101", *ZONES)])
    return place


async def test_days_and_hours_are_those_of_each_queues_wall(office: Office) -> None:
    happened = visits()
    span = {"from": BEGIN.isoformat(), "to": END.isoformat()}
    async with office.open():
        await write_notes(office.app.database, [Note(1, number, event) for number, event in enumerate(happened)])
        await figures.work_out(office.app.database, start_of(BEGIN.timestamp()), office.clock.now())
        admin = await office.admin()
        days = (await admin.get("/v1/reports/queues", **span, interval="day"))["items"]
        response = await admin.ask("GET", "/v1/reports/queues", params={**span, "interval": "hour", "format": "csv"})
        berlin = (await admin.get("/v1/reports/queues", **span, interval="day", zone="Europe/Berlin"))["items"]
    by_day = Counter((one.queue, datetime.fromtimestamp(one.entered_at, ZONES[one.queue]).date()) for one in happened)
    across = [one for one in happened if start_of(one.entered_at) // 86_400 != start_of(one.at) // 86_400]
    assert len(across) > 2
    found = {(row["queue"], _local(row["from"], ZONES[row["queue"]]).date()): row["offered"] for row in days}
    assert found == by_day
    assert sum(row["offered"] for row in berlin) == len(happened)
    lengths = {row["queue"]: [] for row in days}
    for row in days:
        took = datetime.fromisoformat(row["to"]) - datetime.fromisoformat(row["from"])
        lengths[row["queue"]].append(took.total_seconds() / 3600)
    assert lengths == {"sales": [10, 24, 25, 13], "support": [8.5, 24, 24, 15.5]}

    lines = list(csv.DictReader(io.StringIO(response.text.removeprefix("\ufeff"))))
    named = Counter((line["Queue"], line["From"], line["Clock"]) for line in lines)
    assert set(named.values()) == {1}  # the hour that comes twice is told apart
    twice = [line["Clock"] for line in lines if (line["Queue"], line["From"]) == ("sales", "2025-10-26 02:00")]
    assert twice == ["UTC+02:00", "UTC+01:00"]
    assert {line["Clock"] for line in lines if line["Queue"] == "support"} == {"UTC+03:30"}
    assert sum(int(line["Offered"]) for line in lines) == len(happened)


def _local(moment: str, zone: ZoneInfo) -> datetime:
    return datetime.fromisoformat(moment).astimezone(zone)
