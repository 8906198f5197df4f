"""events_per_call: what one answered call costs on the AMI link, with the shipped source filters and without any."""

import asyncio

from benchmarks.figures import heading, verdict
from benchmarks.rig import OURS, rig


class Tap:
    """A login that only counts what it is sent."""

    def __init__(self) -> None:
        self.events = self.octets = 0
        self._task: asyncio.Task[None] | None = None

    async def open(self, port: int, username: str, secret: str) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"Action: Login\r\nUsername: {username}\r\nSecret: {secret}\r\n\r\n".encode())
        self._task = asyncio.create_task(self._count(reader, writer))

    async def _count(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while block := await reader.readuntil(b"\r\n\r\n"):
                if block.startswith(b"Event: "):
                    self.events += 1
                    self.octets += len(block)
        finally:
            writer.close()

    def close(self) -> None:
        if self._task is not None:
            self._task.cancel()


async def run(*, full: bool) -> bool:
    """Print both; whether the goals were reached."""
    calls = 200 if full else 40
    filtered, whole = Tap(), Tap()
    async with rig(10, talk_s=(0.3, 0.6), ring_s=0.2) as running:
        await filtered.open(running.pbx.ami_port, "nobat", running.pbx.ami_secret)
        await whole.open(running.pbx.ami_port, "unfiltered", running.pbx.ami_secret)
        await asyncio.sleep(1)
        before = (filtered.events, filtered.octets, whole.events, whole.octets)
        for _ in range(calls):
            customer = await running.bank.call(OURS)
            await running.bank.until(lambda c=customer: c.is_over, "the call is over", 20)  # type: ignore[misc]
        await asyncio.sleep(0.5)
        after = (filtered.events, filtered.octets, whole.events, whole.octets)
        filtered.close()
        whole.close()
    ours, octets, all_events, all_octets = ((late - early) / calls for early, late in zip(before, after, strict=True))
    heading("events_per_call", f"{calls} answered calls")
    print(f"   with the shipped filters {ours:.1f} events, {octets / 1000:.2f} kB a call")
    print(f"   without filters          {all_events:.1f} events, {all_octets / 1000:.2f} kB a call")
    print(f"   ratio {all_events / ours:.1f} in events, {all_octets / octets:.1f} in bytes")
    reached = [
        verdict("events a call", ours, "<= 18", ours <= 18),
        verdict("kB a call", octets / 1000, "<= 7.5", octets <= 7500),
    ]
    return all(reached)
