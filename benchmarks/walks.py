"""Walks through all twelve changes between two modes of supervision, several conversations side by side, and what was heard.

Every party has a tone of its own and records what it hears; the service may record the conversation beside. For each change a
``Row`` counts whether everybody heard whom he should and nobody else, the longest gap in the caller's and the agent's sound
around it, the time from the request to its sound, and whether the file holds both voices afterwards.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise

from benchmarks.figures import verdict
from tests.support.phonebank import Customer
from tests.support.serving import Serving
from tests.support.supervising import (
    ABSENT,
    AGENT_TONE,
    CALLER_TONE,
    EVERY_CHANGE,
    HEARD_AT,
    PRESENT,
    TONES,
    Heard,
    Supervisor,
    both_sides,
    given_a_talk,
    recordings,
)
from tests.support.tones import goertzel
from tests.support.until import until

SIDE_BY_SIDE = 2
DWELL_S = 1.4
STEP_S = 0.01
GAP_GOAL_S, SOUND_GOAL_S = 0.06, 0.3


@dataclass(frozen=True, slots=True)
class Change:
    """From one mode to another: when it was asked for, when the service said it is so, when the next one was asked for."""

    before: str
    after: str
    asked_at: float
    there_at: float
    until_at: float


@dataclass(slots=True)
class Row:
    """What was found of one change in all walks. Times in seconds; ``sound`` where caller or agent can hear it."""

    times: int = 0
    right: int = 0
    recorded: int = 0
    gaps: list[float] = field(default_factory=list)
    sound: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


Rows = dict[tuple[str, str], Row]


@asynccontextmanager
async def centre(agents: int = SIDE_BY_SIDE) -> AsyncIterator[tuple[Serving, list[Supervisor]]]:
    """A centre with as many supervisors as agents."""
    serving = await Serving.opened(agents=agents)
    supervisors = [await Supervisor.given(serving, f"supervisor-{201 + number}") for number in range(agents)]
    try:
        yield serving, supervisors
    finally:
        for one in supervisors:
            await one.close()
        await serving.close()


async def walk_all(serving: Serving, supervisors: Sequence[Supervisor], walks: int, *, recorded: bool) -> Rows:
    """So many walks, side by side."""
    rows: Rows = {change: Row() for change in sorted(set(pairwise(EVERY_CHANGE)))}
    for first in range(0, walks, len(supervisors)):
        await serving.set_queue(recording={"mode": "always" if recorded else "never"})
        together = supervisors[: walks - first]
        customers = []
        for number, supervisor in enumerate(together, start=101):
            await serving.bank.given_phone(
                supervisor.phone, does="answer", ring=0, talk=0, tone=TONES["s"], record=True
            )
            customers.append(await given_a_talk(serving, str(number)))
        calls = [(await serving.call_of(customer))["id"] for customer in customers]
        walked = await asyncio.gather(*map(_walk, together, map(str, range(101, 101 + len(together)))))
        for customer in customers:
            await serving.bank.leave(customer)
        for supervisor in together:
            await supervisor.stop()
        await until(serving.pbx.is_quiet, "everybody has left", within_s=20, seen=lambda: serving.pbx.left)
        for number, changes in enumerate(walked):
            file = await both_sides(serving, calls[number]) if recorded else None
            await _judge(serving, rows, changes, customers[number], number, file)
        await serving.quiet()
    return rows


async def _walk(supervisor: Supervisor, agent: str) -> list[Change]:
    first, *others = EVERY_CHANGE
    await supervisor.joins(first, agent=agent)
    await asyncio.sleep(DWELL_S)
    marks: list[tuple[float, float]] = []
    for mode in others:
        asked_at = _now()
        await supervisor.change(mode)
        marks.append((asked_at, _now()))
        await asyncio.sleep(DWELL_S)
    ends = [asked for asked, _ in marks[1:]] + [_now()]
    return [
        Change(before, after, *mark, end)
        for (before, after), mark, end in zip(pairwise(EVERY_CHANGE), marks, ends, strict=True)
    ]


async def _judge(
    serving: Serving, rows: Rows, changes: Sequence[Change], customer: Customer, number: int, file: list[Heard] | None
) -> None:
    phone = f"supervisor-{201 + number}"
    heard = await recordings(serving, customer, f"agent-{101 + number}", phone)
    heard["supervisor"] = heard[phone]
    for change in changes:
        row = rows[change.before, change.after]
        row.times += 1
        found = _wrong(change, heard)
        row.right += not found
        row.wrong += found
        row.gaps += [
            heard[who].longest_gap_s(change.asked_at - 0.1, change.there_at + 0.4, tone)
            for who, tone in (("caller", AGENT_TONE), ("agent", CALLER_TONE))
        ]
        row.sound += _times_of_sound(change, heard)
        if file is not None:
            sides = zip(file, (CALLER_TONE, AGENT_TONE), strict=True)
            lowest = [side.steady(change.there_at, change.until_at, tone)[0] for side, tone in sides]
            row.recorded += min(lowest) > PRESENT
            if min(lowest) <= PRESENT:
                row.wrong.append(f"recorded: caller {lowest[0]:.0f}, agent {lowest[1]:.0f}")


def _wrong(change: Change, heard: dict[str, Heard]) -> list[str]:
    """Whom somebody heard in the new mode and should not, or should have heard and did not."""
    found = []
    for where, by_mode in HEARD_AT.items():
        for who, tone in TONES.items():
            if who == where[0]:
                continue
            low, high = heard[where].steady(change.there_at, change.until_at, tone)
            if not (low > PRESENT if who in by_mode[change.after] else high < ABSENT):
                found.append(f"{who} at {where}: {low:.0f} to {high:.0f}")
    return found


def _times_of_sound(change: Change, heard: dict[str, Heard]) -> list[float]:
    """From the request until the supervisor's voice has come to, or gone from, each party that hears the difference."""
    found = []
    for where in ("caller", "agent"):
        was, becomes = ("s" in HEARD_AT[where][mode] for mode in (change.before, change.after))
        if was is not becomes:
            found.append(first_time(heard[where], change.asked_at, TONES["s"], there=becomes) - change.asked_at)
    return found


def first_time(heard: Heard, from_at: float, tone: int, *, there: bool = True) -> float:
    """When a tone is there, or is not, first after a moment; two seconds later if never."""
    for step in range(200):
        at = from_at + step * STEP_S
        if (goertzel(heard.between(at, at + STEP_S), heard.rate, tone) > PRESENT / 2) is there:
            return at
    return from_at + 200 * STEP_S


def _now() -> float:
    return time.time()  # noqa: TID251 - the phone bank tells the time by the same clock


def show(rows: Rows, *, recorded: bool) -> bool:
    """Print the table and its verdicts; whether all goals were reached."""
    file = "file holds both  " if recorded else ""
    print(f"   {'change':<24}heard right  {file}longest gap  request to sound, most")
    for (before, after), row in rows.items():
        sound = f"{max(row.sound) * 1000:.0f} ms" if row.sound else "no difference"
        kept = f"{f'{row.recorded} of {row.times}':<17}" if recorded else ""
        right = f"{row.right} of {row.times}"
        print(f"   {f'{before} > {after}':<24}{right:<13}{kept}{f'{max(row.gaps) * 1000:.0f} ms':<13}{sound}")
        for what in row.wrong[:3]:
            print(f"      {what}")
    times, right = (sum(getattr(row, name) for row in rows.values()) for name in ("times", "right"))
    gap = max(gap for row in rows.values() for gap in row.gaps)
    sound_s = max(sound for row in rows.values() for sound in row.sound)
    reached = [
        verdict("changes after which everybody hears whom he should", right, f"= {times}", right == times),
        verdict("ms of gap at the caller or the agent, at most", gap * 1000, "< 60", gap < GAP_GOAL_S),
        verdict("ms from the request to its sound, at most", sound_s * 1000, "<= 300", sound_s <= SOUND_GOAL_S),
    ]
    if recorded:
        kept = sum(row.recorded for row in rows.values())
        reached.append(verdict("changes after which the file holds both voices", kept, f"= {times}", kept == times))
    return all(reached)
