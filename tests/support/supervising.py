"""Supervisors for the tests of ``tests/asterisk``: their phones, their tokens, and what was heard while they were in a mode.

Every party plays a tone of its own and records what it hears. ``Heard`` cuts a recording into the times between two changes, so
that a test says who was heard by whom in each mode. Clocks of tests and phone bank are the same.
"""

import asyncio
import io
import time
import wave
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import httpx

from tests.support.phonebank import Customer
from tests.support.serving import Json, Serving
from tests.support.tones import goertzel, samples_of
from tests.support.until import until

CALLER_TONE, AGENT_TONE, SUPERVISOR_TONE = 2000, 2680, 3400
AGENT_TONES = (AGENT_TONE, 2860, 3040)
PRESENT, ABSENT = 5000.0, 100.0
WINDOW_S = 0.1
SETTLED_S = 0.25
"""After a change and before the next one: what is on the way is not judged."""

AUDIBLY = 0.9
"""How long a mode lasts that is to be judged."""

MODES = ("listen", "whisper", "barge", "conference")
EVERY_CHANGE = (
    *("listen", "whisper", "listen", "barge", "listen", "conference", "whisper"),
    *("barge", "whisper", "conference", "barge", "conference", "listen"),
)
"""A walk that makes each of the twelve changes between two modes once."""

HEARD_AT = {
    "caller": {"listen": "a", "whisper": "a", "barge": "as", "conference": "as"},
    "agent": {"listen": "c", "whisper": "cs", "barge": "cs", "conference": "cs"},
    "supervisor": dict.fromkeys(MODES, "ca"),
}
"""Who is heard where in each mode: c the caller, a the agent, s the supervisor."""

TONES = {"c": CALLER_TONE, "a": AGENT_TONE, "s": SUPERVISOR_TONE}

_serials = count(1)


@dataclass(slots=True)
class Supervisor:
    """One supervisor: a token and a phone."""

    serving: Serving
    api: httpx.AsyncClient
    phone: str
    session: str = ""

    @classmethod
    async def given(
        cls, serving: Serving, phone: str = "supervisor-201", tone: int = SUPERVISOR_TONE, *queues: str
    ) -> "Supervisor":
        """A supervisor of these queues, or of all."""
        name = f"sup{next(_serials)}"
        bound = [part for queue in queues for part in ("--queue", queue)]
        token = serving.service.token(serving.service.directory / name, "--role", "supervisor", "--name", name, *bound)
        await serving.bank.given_phone(phone, does="answer", ring=0, talk=0, tone=tone, record=True)
        headers = {"Authorization": f"Bearer {token}"}
        return cls(serving, httpx.AsyncClient(base_url=serving.service.url, headers=headers, timeout=20), phone)

    async def start(self, mode: str = "listen", **target: str) -> httpx.Response:
        """Ask for a session; its phone is this supervisor's."""
        body = {"device": f"PJSIP/{self.phone}", "mode": mode, **target}
        answer = await self.api.post("/v1/supervisions", json=body)
        if answer.status_code == 201:
            self.session = answer.json()["id"]
        return answer

    async def joins(self, mode: str = "listen", **target: str) -> Json:
        """A session that is in a conversation."""
        answer = await self.start(mode, **target)
        assert answer.status_code == 201, answer.text
        return await self.until(state="joined", mode=mode)

    async def change(self, mode: str) -> None:
        """Another mode, and wait until the supervisor is in it."""
        answer = await self.api.patch(f"/v1/supervisions/{self.session}", json={"mode": mode})
        assert answer.status_code == 200, answer.text
        await self.until(state="joined", mode=mode)

    async def act(self, what: str, **body: Any) -> httpx.Response:
        return await self.api.post(f"/v1/supervisions/{self.session}/{what}", json=body)

    async def stop(self) -> None:
        (await self.api.delete(f"/v1/supervisions/{self.session}")).raise_for_status()

    async def seen(self) -> Json:
        answer = await self.api.get(f"/v1/supervisions/{self.session}")
        answer.raise_for_status()
        return dict(answer.json())

    async def until(self, within_s: float = 10, **wanted: object) -> Json:
        """Wait until the session has these values; the session."""
        now: Json = {}

        async def is_so() -> bool:
            now.update(await self.seen())
            return all(now[name] == value for name, value in wanted.items())

        await until(is_so, f"{self.phone}: {wanted}", within_s=within_s, seen=lambda: now)
        return now

    async def close(self) -> None:
        await self.api.aclose()


async def given_a_talk(serving: Serving, agent: str = "101", tone: int = AGENT_TONE) -> Customer:
    """A caller talks to an agent; both have a tone and record."""
    await serving.bank.given_phone(f"agent-{agent}", talk=0, tone=tone, record=True)
    await serving.given_available(agent)
    customer = await serving.bank.call("8000", tone=CALLER_TONE, record=True)
    await serving.until_call(customer, state="talking", agent=agent)
    return customer


@dataclass(slots=True)
class Timeline:
    """What happened when, by the machine's clock."""

    spans: list[tuple[str, float, float]] = field(default_factory=list)
    _open: tuple[str, float] | None = None

    def now(self, name: str) -> None:
        """From now on it is ``name``."""
        at = time.time()  # noqa: TID251 - the phone bank tells the time by the same clock
        if self._open is not None:
            self.spans.append((*self._open, at))
        self._open = (name, at)

    async def lasts(self, name: str, seconds: float = AUDIBLY) -> None:
        """It is ``name``, for so long: sound takes time."""
        self.now(name)
        await asyncio.sleep(seconds)

    def end(self) -> None:
        self.now("")


@dataclass(frozen=True, slots=True)
class Heard:
    """A recording with the moment at which it began."""

    rate: int
    samples: Sequence[int]
    began_at: float

    @classmethod
    def of(cls, path: Path, began_at: float) -> "Heard":
        return cls(*samples_of(path), began_at)

    def between(self, from_at: float, to_at: float) -> Sequence[int]:
        first, last = (max(0, round((at - self.began_at) * self.rate)) for at in (from_at, to_at))
        return self.samples[first:last]

    def levels(self, from_at: float, to_at: float, tone: int) -> list[float]:
        """The tone's amplitude in each window of a time, its ends left out."""
        samples = self.between(from_at + SETTLED_S, to_at - SETTLED_S / 2)
        size = round(self.rate * WINDOW_S)
        return [
            goertzel(samples[start : start + size], self.rate, tone)
            for start in range(0, len(samples) - size + 1, size)
        ]

    def steady(self, from_at: float, to_at: float, tone: int) -> tuple[float, float]:
        """The lowest and the highest of them, but for one in five: a busy machine loses a packet of 20 ms now and then, which
        is missed in the window that it should have been in, and spreads over every other tone there.
        """
        levels = sorted(self.levels(from_at, to_at, tone))
        lost = (len(levels) + 1) // 5
        kept = levels[lost : len(levels) - lost] or [0.0]
        return kept[0], kept[-1]

    def longest_gap_s(self, from_at: float, to_at: float, tone: int) -> float:
        """The longest time for which a tone was not there."""
        size = self.rate // 100
        samples = self.between(from_at, to_at)
        longest = run = 0
        for start in range(0, len(samples) - size + 1, size):
            silent = goertzel(samples[start : start + size], self.rate, tone) < PRESENT / 2
            run = run + 1 if silent else 0
            longest = max(longest, run)
        return longest / 100


async def recordings(
    serving: Serving, customer: Customer, agent_phone: str = "agent-101", *phones: str
) -> dict[str, Heard]:
    """What caller, agent and supervisor heard, each leg over."""
    bank = serving.bank
    assert customer.answered_ms is not None
    found = {"caller": Heard.of(await bank.recording(customer.customer), customer.answered_ms / 1000)}
    names = {"agent": (agent_phone, customer.number), "supervisor": ("supervisor-201", "nobat")}
    names.update({phone: (phone, "nobat") for phone in phones})
    for who, (phone, caller) in names.items():
        answered = [m.ms for m in bank.moments if (m.kind, m.phone, m.caller) == ("PhoneAnswer", phone, caller)]
        if answered:
            found[who] = Heard.of(await bank.recording(f"{phone}-{caller}"), answered[-1] / 1000)
    return found


async def both_sides(serving: Serving, call: str, which: int = 0) -> list[Heard]:
    """A recording of the call, the newest first, when it is no longer being worked on: what the caller said, and what he heard."""
    found: list[Json] = []

    async def is_there() -> bool:
        found[:] = (await serving.get("/v1/recordings", call=call))["items"]
        return bool(found) and all(one["state"] != "open" for one in found)

    await until(is_there, f"the recording of {call}", within_s=30, seen=lambda: found)
    reply = await serving.api.get(f"/v1/recordings/{found[which]['id']}/audio")
    reply.raise_for_status()
    with wave.open(io.BytesIO(reply.content)) as sound:
        samples, rate = array("h", sound.readframes(sound.getnframes())), sound.getframerate()
    began_at = datetime.fromisoformat(found[which]["began_at"]).timestamp()
    return [Heard(rate, samples[side::2], began_at) for side in (0, 1)]


def wrong(timeline: Timeline, heard: dict[str, Heard], expected: dict[str, dict[str, str]]) -> list[str]:
    """Every time at which somebody heard whom he should not, or did not hear whom he should."""
    found: list[str] = []
    for where, by_name in expected.items():
        for number, (name, from_at, to_at) in enumerate(timeline.spans):
            if name not in by_name:
                continue
            for who, tone in TONES.items():
                if (where[0], who) in (("c", "c"), ("a", "a"), ("s", "s")):
                    continue
                low, high = heard[where].steady(from_at, to_at, tone)
                if not (low > PRESENT if who in by_name[name] else high < ABSENT):
                    found.append(f"{number} {name}: {who} at {where}: {low:.0f} to {high:.0f}")
    return found


def gaps(timeline: Timeline, heard: dict[str, Heard], names: Iterable[str] = MODES) -> dict[str, float]:
    """The longest gap in the agent's sound at the caller and in the caller's at the agent, over all of the modes."""
    wanted = set(names)
    times = [(from_at, to_at) for name, from_at, to_at in timeline.spans if name in wanted]
    from_at, to_at = times[0][0], times[-1][1]
    return {
        "caller": heard["caller"].longest_gap_s(from_at, to_at, AGENT_TONE),
        "agent": heard["agent"].longest_gap_s(from_at, to_at, CALLER_TONE),
    }
