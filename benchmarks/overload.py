"""overload: five thousand events a second on the AMI link, and calls beside them.

A login of its own raises UserEvents that say, of callers who wait, what the dialplan says when a prompt begins: each goes the
whole way from bytes to the floor. Measured: how long messages wait in the inbox, the hand-off of the calls beside, and whether
Asterisk keeps the link.
"""

import asyncio
import re

from benchmarks.figures import Spread, heading, verdict
from benchmarks.rig import OURS, Rig, hand_offs, rig
from tests.support.phonebank import Customer

RATE, PIECES = 5_000, 50
WAITING = 20


class Storm:
    """Raises events, so many a second."""

    def __init__(self) -> None:
        self.sent = 0
        self.behind_s = 0.0

    async def run(self, running: Rig, seconds: float) -> None:
        """Until ``seconds`` are over."""
        reader, writer = await asyncio.open_connection("127.0.0.1", running.pbx.ami_port)
        writer.write(
            f"Action: Login\r\nUsername: storm\r\nSecret: {running.pbx.ami_secret}\r\nEvents: off\r\n\r\n".encode()
        )
        drain = asyncio.ensure_future(_swallow(reader))
        events, looked_at = await _events(running), 0.0
        loop = asyncio.get_running_loop()
        began = loop.time()
        while (now := loop.time()) < began + seconds:
            due = int((now - began) * RATE) - self.sent
            self.behind_s = max(self.behind_s, due / RATE)
            if now > looked_at + 1:
                events, looked_at = await _events(running) or events, now
            for _ in range(min(due, RATE // PIECES)):
                writer.write(events[self.sent % len(events)])
                self.sent += 1
            await writer.drain()
            await asyncio.sleep(1 / PIECES / 2)
        writer.close()
        drain.cancel()


async def _swallow(reader: asyncio.StreamReader) -> None:
    while await reader.read(65536):
        pass


async def _events(running: Rig) -> list[bytes]:
    """What to say: one event of each caller who waits."""
    client = await running.pbx.ami()
    channels = await client.list("Status", Variables="ACD_CALL")
    await client.close()
    said = []
    for one in channels:
        call = re.search(r"ACD_CALL=(\S+)", one["Variable"])
        if call is not None and one["Context"] == "acd-wait":
            said.append(
                f"Action: UserEvent\r\nUserEvent: AcdSaid\r\nChannel: {one['Channel']}\r\nUniqueid: {one['Uniqueid']}\r\n"
                f"Linkedid: {one['Linkedid']}\r\nCall: {call[1]}\r\nSay: storm\r\n\r\n".encode()
            )
    return said


async def run(*, full: bool) -> bool:
    """Print the lag and the hand-offs; whether the goals were reached."""
    seconds = 30.0 if full else 8.0
    async with rig(10, talk_s=(0.5, 1.5)) as running:
        calm = await _calls(running, seconds / 2)
        before, log = await _page(running), len(running.service.log_file.read_text())
        storm = Storm()
        for _ in range(WAITING):
            await running.bank.call(OURS)
        raging = asyncio.ensure_future(storm.run(running, seconds))
        beside = await _calls(running, seconds, WAITING + 10)
        await raging
        after = await _page(running)
        dropped = running.service.log_file.read_text()[log:].count("out of reach")
        await running.quiet()
    lag = _quantile(before, after, 0.99)
    heard = _heard(after) - _heard(before)
    heading("overload", f"{storm.sent} events in {seconds:.0f} s beside calls")
    print(f"   generator at most {storm.behind_s * 1000:.0f} ms behind; the service heard {heard:.0f} events")
    print(f"   hand-off without the storm, ms: {Spread.of(calm)}")
    print(f"   hand-off beside the storm, ms:  {Spread.of(beside)}")
    return all(
        [
            verdict("events a second", storm.sent / seconds, ">= 4900", storm.sent / seconds >= 4900),
            verdict("inbox lag p99, at most, ms", lag * 1000, "< 100", lag < 0.1),
            verdict("links dropped", float(dropped), "0", dropped == 0),
        ]
    )


async def _calls(running: Rig, seconds: float, live: int = 12) -> list[float]:
    """Calls for a while; their hand-offs."""
    already = len(running.bank.moments)
    end = asyncio.get_running_loop().time() + seconds
    mine: list[Customer] = []
    while asyncio.get_running_loop().time() < end:
        mine = [one for one in mine if not one.is_over]
        for _ in range(live - len(mine)):
            mine.append(await running.bank.call(OURS))
        await asyncio.sleep(0.02)
    return hand_offs(running.bank.moments[already:])


async def _page(running: Rig) -> str:
    return (await running.api.get("/metrics")).text


def _count(page: str, series: str) -> float:
    found = re.search(rf"^{re.escape(series)} (\S+)$", page, re.MULTILINE)
    return float(found[1]) if found else 0.0


def _heard(page: str) -> float:
    """Events of the link, all names."""
    return sum(float(count) for count in re.findall(r"^ami_events_total\{.*\} (\S+)$", page, re.MULTILINE))


def _quantile(before: str, after: str, share: float) -> float:
    """The upper bound of the bucket in which this share of the messages between two scrapes lies."""
    bounds = re.findall(r'^acd_inbox_lag_seconds_bucket\{le="([^"]+)"\}', after, re.MULTILINE)
    counts = [
        _count(after, one) - _count(before, one)
        for one in (f'acd_inbox_lag_seconds_bucket{{le="{b}"}}' for b in bounds)
    ]
    return next(
        (float(bound) for bound, count in zip(bounds, counts, strict=True) if count >= share * counts[-1]), float("inf")
    )
