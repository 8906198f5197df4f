"""Looks at the API and at Asterisk itself, twice a second, and notes what contradicts what for too long.

A contradiction's age counts only while calls are routed and nothing disturbs the link: what a service that is away does not
know is no fault. Asterisk is asked over a login of the watcher's own, past the proxy.
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from chaos.centre import Centre, Json
from tests.support.ami_client import AmiClient, AmiError, Message

EVERY_S = 0.5
PARTS = ("answered", "abandoned", "overflowed", "deferred", "lost", "waiting")
LIVE = ("waiting", "offered", "talking", "after")
PHONE = re.compile(r"PJSIP/agent-(\d+)-[0-9a-f]+$")

LIMITS_S = {
    "stuck agent": 10.0,
    "ghost call": 10.0,
    "unknown caller": 10.0,
    "idle beside a caller": 10.0,
    "orphan leg": 5.0,
}
"""How old a contradiction may get: a lost word is made good within ten seconds; a leg without a call goes by itself in five."""


@dataclass(slots=True)
class Life:
    """One process of the service: when it began, when it first answered, and its memory over time."""

    pid: int
    began: float
    ready_at: float | None = None
    memory: list[tuple[float, int]] = field(default_factory=list)

    def growth(self, warm_s: float) -> float | None:
        """Share by which it grew since it was warm, so long after its first answer; None of a life too short to tell."""
        if self.ready_at is None:
            return None
        warm = [size for at, size in self.memory if at - self.ready_at >= warm_s]
        if len(warm) < 20:
            return None
        early, late = warm[:10], warm[-10:]
        return (sum(late) / len(late)) / (sum(early) / len(early)) - 1

    def by_half_minute(self) -> list[int]:
        """Bytes at each half minute of its life."""
        found: list[int] = []
        for at, size in self.memory:
            if at - self.began >= 30 * len(found):
                found.append(size)
        return found

    @property
    def seconds(self) -> float:
        return self.memory[-1][0] - self.began if self.memory else 0.0


@dataclass(slots=True)
class Watch:
    """``run`` until cancelled; ``found`` is what must not have been."""

    centre: Centre
    found: list[str] = field(default_factory=list)
    lives: list[Life] = field(default_factory=list)
    seen_in_line: dict[str, float] = field(default_factory=dict)
    """A caller's number, and when the service first showed the caller in line."""
    alone: set[str] = field(default_factory=set)
    """Numbers of callers whom Asterisk served by itself for a while."""
    blind: list[tuple[float, float]] = field(default_factory=list)
    """Times in which somebody may have come and gone without the service's fault."""
    disturbed_until: float = 0.0
    weighs: bool = True
    """Whether memory is noted. Not while the judge reads all of history over and over: that is no call centre's day."""
    samples: int = 0
    _ages: dict[tuple[str, str], float] = field(default_factory=dict)
    _said: set[tuple[str, str]] = field(default_factory=set)
    _ami: AmiClient | None = None

    async def run(self) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        last = loop.time()
        try:
            while True:
                await asyncio.sleep(max(0.0, last + EVERY_S - loop.time()))
                now = loop.time()
                await self._look(now, min(now - last, 2 * EVERY_S))
                last = now
        finally:
            if self._ami is not None:
                await self._ami.close()

    def disturb(self, until: float) -> None:
        """Until then, contradictions do not age."""
        self.disturbed_until = max(self.disturbed_until, until)

    async def _look(self, now: float, passed: float) -> None:
        if self.weighs:
            self._note_memory(now)
        ready = await self.centre.ready()
        if ready and self.lives and self.lives[-1].ready_at is None:
            self.lives[-1].ready_at = now
        channels = await self._channels()
        if channels is not None:
            self._note_alone(channels)
        if not ready or channels is None:
            return
        try:
            calls = await self.centre.all("/v1/calls", state=list(LIVE))
            agents = await self.centre.all("/v1/agents")
            stats = await self.centre.stats()
        except httpx.HTTPError:
            return
        self.samples += 1
        for call in calls:
            if call["state"] in ("waiting", "offered") and call["caller"]["number"]:
                self.seen_in_line.setdefault(call["caller"]["number"], now)
        self._check_equation(stats)
        self._age(contradictions(calls, agents, channels), passed if now >= self.disturbed_until else 0.0)

    def _check_equation(self, stats: Json) -> None:
        if stats["offered"] != sum(stats[part] for part in PARTS):
            self._say("equation", "", f"the equation does not hold: {stats['offered']} offered, {_parts(stats)}")

    def _age(self, seen: Mapping[tuple[str, str], str], passed: float) -> None:
        self._ages = {key: self._ages.get(key, 0.0) + passed for key in seen}
        for (kind, what), age in self._ages.items():
            if age > LIMITS_S[kind]:
                self._say(kind, what, f"{kind} for {age:.0f} s: {seen[kind, what]}")

    def _say(self, kind: str, what: str, text: str) -> None:
        if (kind, what) not in self._said:
            self._said.add((kind, what))
            self.found.append(text)
            print(f"        !! {text}", flush=True)

    async def _channels(self) -> list[Message] | None:
        """What Asterisk has, by its own word; None while it is away."""
        try:
            if self._ami is None:
                self._ami = await asyncio.wait_for(self.centre.pbx.ami(), 2)
            return await asyncio.wait_for(
                self._ami.list("Status", Variables="ACD_CALL,ACD_STATE,ACD_FOR,ACD_FOR_OFFER"), 2
            )
        except (OSError, AmiError, TimeoutError, asyncio.IncompleteReadError):
            if self._ami is not None:
                await self._ami.close()
                self._ami = None
            return None

    def _note_alone(self, channels: list[Message]) -> None:
        self.alone |= {
            one["CallerIDNum"] for one in channels if "ACD_STATE=fallback" in one.get("Variable", "").split("\n")
        }

    def _note_memory(self, now: float) -> None:
        pid = self.centre.service.running_pid()
        if pid is None:
            return
        if not self.lives or self.lives[-1].pid != pid:
            self.lives.append(Life(pid, now))
        size = resident(pid)
        if size:
            self.lives[-1].memory.append((now, size))


def contradictions(calls: list[Json], agents: list[Json], channels: list[Message]) -> dict[tuple[str, str], str]:
    """What the service says and Asterisk does not, and the other way round: (kind, of whom) -> in words."""
    found: dict[tuple[str, str], str] = {}
    variables = [_variables(one) for one in channels]
    phones = {match[1] for one in channels if (match := PHONE.match(one["Channel"]))}
    callers = {values["ACD_CALL"]: one for one, values in zip(channels, variables, strict=True) if "ACD_CALL" in values}
    for agent in agents:
        if agent["state"] in ("ringing", "talking") and agent["id"] not in phones:
            found["stuck agent", agent["id"]] = f"{agent['id']} is shown {agent['state']}, the phone has no channel"
    known = {call["id"] for call in calls}
    for call in calls:
        if call["id"] not in callers:
            found["ghost call", call["id"]] = f"a call is shown {call['state']}, Asterisk has no such caller"
    for name, one in callers.items():
        if name not in known:
            found["unknown caller", name] = f"{one['Channel']} in {one['Context']} is shown nowhere"
    for one, values in zip(channels, variables, strict=True):
        call_of = values.get("ACD_FOR")
        if PHONE.match(one["Channel"]) and call_of is not None and call_of not in callers:
            found["orphan leg", one["Channel"]] = f"{one['Channel']} belongs to a call that is no more"
    idle = [agent["id"] for agent in agents if agent["state"] == "idle"]
    waiting = sorted((call for call in calls if call["state"] == "waiting"), key=lambda call: str(call["entered_at"]))
    if idle and waiting:
        found["idle beside a caller", waiting[0]["id"]] = f"{waiting[0]['id']} waits, {', '.join(idle)} idle"
    return found


def _variables(channel: Message) -> dict[str, str]:
    pairs = (line.partition("=") for line in channel.get("Variable", "").split("\n"))
    return {name: value for name, _, value in pairs if value and value != "(null)"}


def _parts(stats: Json) -> str:
    return ", ".join(f"{stats[part]} {part}" for part in PARTS)


def resident(pid: int) -> int:
    """Resident memory of a process in bytes; 0 when it is gone."""
    try:
        found = re.search(r"^VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0


def open_things(pid: int) -> dict[str, int]:
    """What a process holds: open files and threads."""
    return {
        kind: len(list(Path(f"/proc/{pid}/{folder}").iterdir()))
        for kind, folder in (("files", "fd"), ("threads", "task"))
    }
