"""Chosen times on clocks that are set, in every zone that there is."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import pytest

from acd import telephony as t
from acd.callback_commands import RestoreCallback, ScheduleCallback
from acd.callback_events import CallbackEnded
from acd.callback_policy import AttemptResult, CallbackMode, CallbackPolicy, Retries, Retry
from acd.ids import CallbackId, PbxId, QueueId
from callback.schedule import (
    Instants,
    Quiet,
    Window,
    first_instant,
    instants,
    is_quiet,
    may_be_called_at,
    may_be_promised,
    read,
    written,
)
from nobat.callback_windows import moved
from tests.support.callbacks import CallbackWorld
from tests.support.world import PBX, SALES, device

ONCE = Retries(no_answer=Retry(1, 60.0))
BERLIN = ZoneInfo("Europe/Berlin")
TEHRAN = ZoneInfo("Asia/Tehran")


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def local(text: str) -> datetime:
    return datetime.fromisoformat(text)


@cache
def tricky_days() -> tuple[tuple[str, date], ...]:
    """Every zone with the days on which its clocks are set, in three years; one zone of those that are set alike."""
    first, last = datetime(2024, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    moments = [first + timedelta(days=number) for number in range((last - first).days)]
    seen: set[tuple[timedelta | None, ...]] = set()
    found = []
    for name in sorted(available_timezones() - {"localtime", "posixrules", "Factory"}):
        zone = ZoneInfo(name)
        offsets = tuple(moment.astimezone(zone).utcoffset() for moment in moments)
        if offsets in seen:
            continue
        seen.add(offsets)
        for moment, before, after in zip(moments[1:], offsets, offsets[1:], strict=False):
            if before != after:
                found += [(name, (moment.astimezone(zone) - timedelta(days=back)).date()) for back in (0, 1)]
    return tuple(dict.fromkeys(found))


def dials(window: Window, zone: ZoneInfo) -> list[float]:
    """One agent is free all the time; the clock runs from the day before to the day after, and nobody ever picks up."""
    found = instants(window, zone)
    world = CallbackWorld.with_agents("101", callbacks=CallbackPolicy(enabled=True, retries=ONCE), wrap_up_s=0)
    assert isinstance(world, CallbackWorld)
    world.now = found.due_from - 86_400
    world.do(t.PbxSnapshot(PBX, "boot-1", (), ((device("101"), t.DeviceState.NOT_IN_USE),)))
    world.do(ScheduleCallback(CallbackId("pbx1-1.cs"), PBX, SALES, "+989123456789", found.due_from, found.due_until))
    at: list[float] = []
    for _ in range(3 * 24 * 4):
        world.wait(900)
        if len(world.dialled()) > len(at):
            at += [world.now] * (len(world.dialled()) - len(at))
            world.not_reached(AttemptResult.NO_ANSWER)
    assert world.ends() == ["gave_up"]
    assert all(found.due_from <= one <= found.due_until + 900 for one in at)
    return at


def test_every_zone_has_days_to_be_tried_on() -> None:
    assert len(tricky_days()) > 150


def test_on_days_when_clocks_are_set_a_customer_is_due_once_and_not_before_the_chosen_time() -> None:
    for name, day in tricky_days():
        zone = ZoneInfo(name)
        for begin in [time(hour, minute) for hour in (0, 1, 2, 3, 23) for minute in (0, 30)]:
            window = Window(day, begin, time((begin.hour + 1) % 24, begin.minute))
            found = instants(window, zone)
            assert found.due_from < found.due_until, (name, window)
            shown = datetime.fromtimestamp(found.due_from, zone).replace(tzinfo=None)
            wanted = datetime.combine(day, begin)
            assert shown >= wanted, (name, window)
            just_before = datetime.fromtimestamp(found.due_from - 1, zone).replace(tzinfo=None)
            assert just_before < wanted, (name, window, "an earlier instant shows the time already")


def test_on_days_when_clocks_are_set_each_customer_is_dialled_exactly_once() -> None:
    for name, day in tricky_days()[::3]:
        for begin, end in ((time(1, 30), time(2, 30)), (time(2, 10), time(2, 50)), (time(0, 0), time(1, 0))):
            found = dials(Window(day, begin, end), ZoneInfo(name))
            assert len(found) == 1, (name, day, begin)


def test_a_time_that_the_day_does_not_have_is_the_first_instant_after_the_gap() -> None:
    jump = at("2026-03-29T01:00:00+00:00")
    assert first_instant(local("2026-03-29T02:30"), BERLIN) == jump
    assert instants(Window(date(2026, 3, 29), time(2, 0), time(3, 0)), BERLIN) == Instants(jump, jump + 3600)
    assert instants(Window(date(2026, 3, 29), time(2, 10), time(2, 50)), BERLIN) == Instants(jump, jump + 2400)
    assert instants(Window(date(2026, 3, 29), time(1, 30), time(2, 30)), BERLIN) == Instants(jump - 1800, jump)


def test_a_time_that_the_day_has_twice_is_the_first_of_the_two() -> None:
    first = at("2026-10-25T02:30:00+02:00")
    assert first_instant(local("2026-10-25T02:30"), BERLIN) == first
    assert instants(Window(date(2026, 10, 25), time(2, 30), time(3, 0)), BERLIN) == Instants(first, first + 90 * 60)


def test_a_day_that_was_left_out_ends_with_the_next() -> None:
    apia = ZoneInfo("Pacific/Apia")  # 30 December 2011 did not happen
    assert first_instant(local("2011-12-30T12:00"), apia) == at("2011-12-31T00:00:00+14:00")


def test_a_window_over_midnight_ends_on_the_next_day() -> None:
    found = instants(Window(date(2026, 11, 22), time(23, 30), time(0, 30)), TEHRAN)
    assert found == Instants(at("2026-11-22T23:30:00+03:30"), at("2026-11-23T00:30:00+03:30"))


def test_what_cannot_be_promised() -> None:
    now = at("2026-11-22T12:00:00+00:00")
    assert may_be_promised(Instants(now - 3600, now + 1), now)
    assert not may_be_promised(Instants(now - 3600, now), now)
    assert not may_be_promised(Instants(now + 91 * 86_400, now + 92 * 86_400), now)
    assert not may_be_promised(Instants(now, now + 30 * 3600), now)


# ---------------------------------------------------------------- quiet hours


@pytest.mark.parametrize(
    ("local", "quiet"), [("20:59", False), ("21:00", True), ("00:00", True), ("08:59", True), ("09:00", False)]
)
def test_quiet_hours_go_over_midnight(local: str, quiet: bool) -> None:
    assert is_quiet(at(f"2026-11-22T{local}:00+03:30"), [TEHRAN], Quiet()) is quiet


def test_hours_within_a_day_and_none() -> None:
    noon = at("2026-11-22T13:00:00+03:30")
    assert is_quiet(noon, [TEHRAN], Quiet(12 * 60, 14 * 60))
    assert not is_quiet(noon, [TEHRAN], Quiet(0, 0))


def test_a_number_that_may_be_in_several_zones_is_called_when_it_is_day_in_all() -> None:
    zones = [ZoneInfo("America/New_York"), ZoneInfo("America/Los_Angeles")]
    morning = at("2026-11-23T09:30:00-05:00")
    assert not is_quiet(morning, zones[:1], Quiet())
    assert is_quiet(morning, zones, Quiet())
    assert may_be_called_at(morning, zones, Quiet()) == at("2026-11-23T09:00:00-08:00")


def test_a_number_at_whose_places_it_is_never_day_together_is_not_called() -> None:
    assert (
        may_be_called_at(0.0, [ZoneInfo("Pacific/Auckland"), ZoneInfo("Europe/Lisbon")], Quiet(20 * 60, 10 * 60))
        is None
    )


# ---------------------------------------------------------------- after an outage


def test_who_became_due_in_an_outage_is_dialled_as_agents_are_free_in_order_and_whose_window_is_over_is_told() -> None:
    world = CallbackWorld.with_agents("101", "102", callbacks=CallbackPolicy(enabled=True), wrap_up_s=0)
    assert isinstance(world, CallbackWorld)
    now = world.now
    for number in range(6):
        due_from = now + 60 + number
        window = (due_from, due_from + (600 if number == 2 else 7200))
        world.do(ScheduleCallback(CallbackId(f"pbx1-{number}.cs"), PBX, SALES, f"+98912345670{number}", *window))
    world.do(t.LinkDown(PBX, "connection_lost"))
    world.wait(1800)
    assert world.dialled() == []
    assert [(one.callback, one.why.value) for one in world.events if isinstance(one, CallbackEnded)] == [
        ("pbx1-2.cs", "expired")
    ]
    free = tuple((device(agent), t.DeviceState.NOT_IN_USE) for agent in ("101", "102"))
    world.do(t.PbxSnapshot(PBX, "boot-1", (), free))
    world.wait(1)
    assert [one.number[-1] for one in world.dialled()] == ["0", "1"], "as many as agents are free, and no more"
    for attempt in [one.attempt for one in world.dialled()]:
        world.not_reached(AttemptResult.BUSY, attempt)
        world.wait(1)
    assert [one.number[-1] for one in world.dialled()] == ["0", "1", "3", "4"]


@pytest.mark.parametrize("mode", CallbackMode)
def test_fifty_became_due_while_the_service_was_away_and_each_is_dialled_once_as_agents_are_free(
    mode: CallbackMode,
) -> None:
    policy = CallbackPolicy(enabled=True, mode=mode, retries=ONCE)
    world = CallbackWorld.with_agents("101", "102", callbacks=policy, wrap_up_s=0)
    assert isinstance(world, CallbackWorld)
    now = world.now
    for number in range(50):
        until = now - 1 if number % 10 == 3 else now + 7200  # some windows are over by now
        due_from = now - 600 + number
        world.do(
            RestoreCallback(
                CallbackId(f"pbx1-{number}.cs"), PBX, SALES, f"+9891234567{number:02}", due_from, 0, 0, now - 900, until,
                due_from=due_from,
            )
        )  # fmt: skip
    world.wait(0)
    world.wait(0.1)
    assert world.ends() == ["expired"] * 5
    before = 0
    while len(world.ends()) < 50:
        dialled = world.dialled()
        assert len(dialled) - before <= 2, "never more than there are agents"
        before = len(dialled)
        for attempt in [one.attempt for one in dialled if world.state(one.callback) == "dialling"]:
            world.not_reached(AttemptResult.NO_ANSWER, attempt)
        world.wait(1)
    numbers = [int(one.number[-2:]) for one in world.dialled()]
    assert numbers == [number for number in range(50) if number % 10 != 3]


def test_a_window_is_kept_as_it_was_chosen_and_follows_new_rules_of_its_zone() -> None:
    chosen = Window(date(2026, 11, 25), time(10, 0), time(11, 30))
    assert (written(chosen), read(written(chosen))) == ("2026-11-25 10:00 11:30", chosen)
    right = instants(chosen, ZoneInfo("Asia/Tehran"))
    old_rules = RestoreCallback(
        CallbackId("pbx1-1.1.cs"),
        PbxId("pbx1"),
        QueueId("sales"),
        "09121111111",
        since=right.due_from - 3600,
        serial=0,
        priority=0,
        promised_at=0.0,
        expires_at=right.due_until - 3600,
        due_from=right.due_from - 3600,
        zone="Asia/Tehran",
        chosen=written(chosen),
    )
    (change,) = moved([old_rules], right.due_from - 7200)
    assert (change.due_from, change.due_until) == (right.due_from, right.due_until)
    assert not moved([replace(old_rules, due_from=right.due_from)], 0.0)
    assert not moved([replace(old_rules, chosen="")], 0.0)
    assert not moved([old_rules], right.due_from - 1800)  # begun by the old ones
