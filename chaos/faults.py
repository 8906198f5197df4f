"""What can go wrong: each fault is a coroutine that does it, heals it, and says what it did.

``FAULTS`` maps names to them with a weight. A fault takes at most some eight seconds; ``make chaos`` then waits until calls are
routed again. ``Fault.parts``: whose life is disturbed while it lasts, so that the watcher is patient with what it sees.
"""

import asyncio
import os
import random
import signal
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from time import perf_counter

from chaos.centre import Centre
from tests.support.ami_client import AmiError
from tests.support.until import until

Do = Callable[[Centre, random.Random], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Fault:
    """``lasting``: seconds after its end in which a word may still be missing (F17: lost events are made good within ten)."""

    name: str
    weight: int
    do: Do
    lasting: float = 0.0

    @property
    def blinds(self) -> bool:
        """Whether there may be callers of whom nobody can have left a word: Asterisk died with them."""
        return self.name == "PBX killed"


# ------------------------------------------------ the service


async def _killed(centre: Centre, chance: random.Random) -> str:
    await asyncio.to_thread(centre.service.kill)
    await asyncio.to_thread(centre.service.start)
    return "SIGKILL, started at once"


async def _killed_for_long(centre: Centre, chance: random.Random) -> str:
    away = chance.uniform(7, 16)
    await asyncio.to_thread(centre.service.kill)
    await asyncio.sleep(away)
    await asyncio.to_thread(centre.service.start)
    return f"SIGKILL, started after {away:.0f} s"


async def _stopped(centre: Centre, chance: random.Random) -> str:
    began = perf_counter()
    await asyncio.to_thread(centre.service.stop)
    took = perf_counter() - began
    await asyncio.to_thread(centre.service.start)
    if took > 5.5:
        raise AssertionError(f"SIGTERM took {took:.1f} s, more than the five that it may")
    return f"SIGTERM, gone after {took:.1f} s, started"


async def _frozen(centre: Centre, chance: random.Random) -> str:
    pid = centre.service.running_pid()
    if pid is None:
        raise AssertionError("the service does not run")
    os.kill(pid, signal.SIGSTOP)
    try:
        await asyncio.sleep(5)
    finally:
        os.kill(pid, signal.SIGCONT)
    return "SIGSTOP for 5 s"


# ------------------------------------------------ the link


async def _reset(centre: Centre, chance: random.Random) -> str:
    times = chance.choice((1, 1, 3))
    for _ in range(times):
        centre.proxy.reset()
        await asyncio.sleep(0.2 if times > 1 else 0)
    return f"RST, {times} times" if times > 1 else "RST"


async def _black_hole(centre: Centre, chance: random.Random) -> str:
    centre.proxy.black_hole()
    began = perf_counter()
    try:
        await until(lambda: _is_down(centre), "the service notices a black hole", within_s=6)
        noticed = perf_counter() - began
        await asyncio.sleep(chance.uniform(0, 3))
    finally:
        centre.proxy.light()
    return f"nothing passes; noticed after {noticed:.1f} s"


async def _is_down(centre: Centre) -> bool:
    return not await centre.ready()


async def _crumbs(centre: Centre, chance: random.Random) -> str:
    centre.proxy.slices = random.Random(chance.random())
    await asyncio.sleep(5)
    centre.proxy.slices = None
    return "cut into crumbs for 5 s"


async def _delayed(centre: Centre, chance: random.Random) -> str:
    centre.proxy.lag_s = chance.choice((0.05, 0.2, 0.6))
    said = f"held up by {centre.proxy.lag_s:g} s for 5 s"
    await asyncio.sleep(5)
    centre.proxy.lag_s = 0.0
    return said


async def _lossy(centre: Centre, chance: random.Random) -> str:
    centre.proxy.chance = random.Random(chance.random())
    centre.proxy.loses, before = chance.choice((0.01, 0.03, 0.1)), centre.proxy.lost
    said = f"{centre.proxy.loses:.0%} of the events dropped for 5 s"
    await asyncio.sleep(5)
    centre.proxy.loses = 0.0
    return f"{said} ({centre.proxy.lost - before})"


async def _doubled(centre: Centre, chance: random.Random) -> str:
    centre.proxy.twice = True
    await asyncio.sleep(5)
    centre.proxy.twice = False
    return "each event twice for 5 s"


async def _shuffled(centre: Centre, chance: random.Random) -> str:
    centre.proxy.shuffles = random.Random(chance.random())
    await asyncio.sleep(5)
    centre.proxy.shuffles = None
    return "events of different channels in another order for 5 s"


async def _unanswered(centre: Centre, chance: random.Random) -> str:
    """F10: actions in flight when the link is lost; their answers have been eaten."""
    centre.proxy.swallow = {b"Setvar", b"Redirect", b"Hangup"}
    await asyncio.sleep(chance.uniform(0.2, 1.5))
    centre.proxy.reset()
    centre.proxy.swallow = set()
    return "answers to actions eaten, then RST"


# ------------------------------------------------ the database


async def _database_away(centre: Centre, chance: random.Random) -> str:
    away = chance.uniform(4, 9)
    async with database_away(centre):
        await asyncio.sleep(away)
    return f"{'stopped' if centre.database is not None else 'locked by another program'} for {away:.0f} s"


@asynccontextmanager
async def database_away(centre: Centre) -> AsyncIterator[None]:
    """SQLite is locked by another program; PostgreSQL is stopped."""
    if centre.database is not None:
        await asyncio.to_thread(centre.database.pause)
        try:
            yield
        finally:
            await asyncio.to_thread(centre.database.resume)
        return
    other = sqlite3.connect(centre.service.directory / "nobat.db", isolation_level=None, timeout=20)
    try:
        other.execute("BEGIN EXCLUSIVE")
        yield
    finally:
        other.rollback()
        other.close()


async def _disk_full(centre: Centre, chance: random.Random) -> str:
    """F25: nothing can be written any more, neither history nor journal nor log."""
    away = chance.uniform(4, 8)
    if centre.disk is None:
        return "left out: nobody may mount a small disk here"
    filled = await asyncio.to_thread(centre.disk.full)
    try:
        await asyncio.sleep(away)
    finally:
        centre.disk.room()
    return f"the service's disk full for {away:.0f} s ({filled / 1e6:.0f} MB more)"


# ------------------------------------------------ the PBX and the phones


async def _reloaded(centre: Centre, chance: random.Random) -> str:
    """F22: the dialplan is read anew, again and again, under those who are in it."""
    times = chance.choice((1, 3, 10))
    for _ in range(times):
        await _command(centre, "dialplan reload")
        await asyncio.sleep(chance.uniform(0, 0.5))
    return f"dialplan read anew {times} times"


async def _pbx_restarts(centre: Centre, chance: random.Random) -> str:
    """F22: Asterisk lets nobody in any more, makes no leg and takes no action; when the last caller has left it starts again."""
    before = await _booted_at(centre)
    began = perf_counter()
    command = asyncio.ensure_future(_command(centre, "core restart gracefully"))  # returns when it goes down
    await asyncio.sleep(chance.uniform(3, 8))
    await centre.bank.ami.act("Hangup", Channel="/^PJSIP/", Cause="16")  # those who wait in vain give up

    async def again() -> bool:
        try:
            return await _booted_at(centre) != before
        except (OSError, AmiError, TimeoutError, asyncio.IncompleteReadError):
            return False

    try:
        await until(again, "Asterisk has started again", within_s=40, every_s=0.1)
    finally:
        await asyncio.gather(command, return_exceptions=True)
    took = perf_counter() - began
    await centre.until_ready()
    await centre.bank.register([phone.endpoint for phone in centre.bank.phones], 20)
    return f"Asterisk restarted gracefully, which took {took:.0f} s"


async def _booted_at(centre: Centre) -> str:
    client = await asyncio.wait_for(centre.pbx.ami(), 2)
    try:
        status = await client.act("CoreStatus")
    finally:
        await client.close()
    return f"{status['CoreStartupDate']} {status['CoreStartupTime']}"


async def _command(centre: Centre, words: str) -> None:
    """At Asterisk's own console."""
    instance = centre.pbx.instance
    command = instance.home.command("-C", instance.inside("etc", "asterisk.conf"), "-rx", words)
    done = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        said, _ = await asyncio.wait_for(done.communicate(), 60)
    except TimeoutError:
        done.kill()
        raise
    if done.returncode:
        raise AssertionError(f"{words}: {said.decode(errors='replace').strip()}")


async def _pbx_killed(centre: Centre, chance: random.Random) -> str:
    alive = await centre.pbx.ami()
    live = len(await alive.list("Status"))
    await alive.close()
    await asyncio.to_thread(centre.pbx.instance.kill)
    await centre.bank.ami.act("Hangup", Channel="/^PJSIP/", Cause="16")  # their other side is no more
    await asyncio.sleep(chance.choice((0.0, 2.0)))
    await centre.pbx.restart()
    booted = perf_counter()
    await centre.until_ready()
    took = perf_counter() - booted
    await centre.bank.register([phone.endpoint for phone in centre.bank.phones], 20)
    return f"Asterisk killed with {live} channels; routed on {took:.2f} s after its start"


async def _phones_die(centre: Centre, chance: random.Random) -> str:
    """Some phones in the middle of something send nothing any more, and do not say goodbye."""
    busy = sorted({moment.phone for moment in centre.bank.moments[-40:] if moment.kind == "PhoneAnswer"})
    dying = chance.sample(busy, min(3, len(busy)))
    died = 0
    for phone in dying:
        with suppress(AmiError):  # one that has just hung up
            await centre.bank.die(phone)
            died += 1
    return f"{died} phones fell silent"


async def _phones_leave(centre: Centre, chance: random.Random) -> str:
    gone = [f"agent-{agent}" for agent in chance.sample(centre.agents, 3)]
    await centre.bank.unregister(gone)
    await asyncio.sleep(chance.uniform(2, 6))
    await centre.bank.register(gone, 20)
    return "3 phones signed off at the PBX for some seconds"


async def _phones_in_bad_temper(centre: Centre, chance: random.Random) -> str:
    tempers = {
        f"agent-{agent}": chance.choice(("silent", "busy", "reject")) for agent in chance.sample(centre.agents, 5)
    }
    for phone, does in tempers.items():
        await centre.bank.given_phone(phone, does=does)
    await asyncio.sleep(6)
    for phone in tempers:
        await centre.bank.given_phone(phone, does="answer")
    return ", ".join(sorted(tempers.values())) + " phones for 6 s"


FAULTS = (
    Fault("service killed", 3, _killed),
    Fault("service killed, back late", 2, _killed_for_long),
    Fault("service stopped", 2, _stopped),
    Fault("service frozen", 2, _frozen),
    Fault("link reset", 3, _reset),
    Fault("link black hole", 2, _black_hole),
    Fault("link in crumbs", 1, _crumbs),
    Fault("link delayed", 2, _delayed, 5),
    Fault("link loses events", 3, _lossy, 10),
    Fault("link doubles events", 2, _doubled),
    Fault("link shuffles events", 2, _shuffled, 10),
    Fault("answers lost with the link", 2, _unanswered),
    Fault("database away", 3, _database_away),
    Fault("disk full", 2, _disk_full),
    Fault("PBX killed", 2, _pbx_killed),
    Fault("PBX restarted gracefully", 1, _pbx_restarts),
    Fault("dialplan reloaded", 2, _reloaded),
    Fault("phones die", 2, _phones_die, 8),
    Fault("phones sign off", 1, _phones_leave),
    Fault("phones in bad temper", 2, _phones_in_bad_temper),
)


def dealt(chance: random.Random, wanted: Sequence[Fault]) -> Iterator[Fault]:
    """Without end, as cards from a shuffled deck in which each fault is as often as it weighs: none fails to come for long."""
    deck = [fault for fault in wanted for _ in range(fault.weight)]
    while deck:
        chance.shuffle(deck)
        yield from deck
