"""ami_drain: how fast what Asterisk says becomes events that the rest of Nobat can use.

The recorded calls, over and over, in reads of 16 kB: every event is one that is wanted and parsed, so nothing is gained by
skipping. Stock panoramisk with one callback for everything is the peer; a bare split into messages and names, which parses
nothing and checks nothing, shows the limit. The three take turns in short blocks, because the machine's speed wanders.
"""

import asyncio
import gc
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

from panoramisk.ami_protocol import AMIProtocol
from panoramisk.manager import Manager

from ami.health import NobodyObserves
from ami.link import LinkConfig, WireManager, WireProtocol
from benchmarks.figures import heading, verdict

RECORDINGS = Path(__file__).parents[1] / "tests" / "replay" / "recordings"
READ = 16_384
GREETING = b"Asterisk Call Manager/11.0.0\r\n"


class Nowhere(asyncio.Transport):
    """A transport for protocols that only listen."""

    def close(self) -> None:
        """Nothing to close."""

    def abort(self) -> None:
        """Nothing to abort."""


def stream(events: int) -> list[bytes]:
    """That many recorded events, cut as a socket cuts them."""
    recorded = [
        block
        for path in sorted(RECORDINGS.glob("*.ami"))
        for block in path.read_bytes().split(b"\r\n\r\n")
        if block.startswith(b"Event: ") and path.stem != "snapshot"
    ]
    raw = b"".join(recorded[index % len(recorded)] + b"\r\n\r\n" for index in range(events))
    return [raw[start : start + READ] for start in range(0, len(raw), READ)]


def ours() -> tuple[Callable[[bytes], None], Callable[[], int]]:
    """The link's own protocol, from bytes to frozen events."""
    seen: list[object] = []
    config = LinkConfig("127.0.0.1", 5038, "nobat", "secret")
    protocol = WireProtocol(WireManager(config, seen.append, NobodyObserves()))
    protocol.connection_made(Nowhere())
    protocol.data_received(GREETING)
    return protocol.data_received, lambda: len(seen)


def stock() -> tuple[Callable[[bytes], None], Callable[[], int]]:
    """panoramisk as it comes, one callback registered for every event."""
    seen: list[object] = []
    manager = Manager(loop=asyncio.get_running_loop())
    manager.register_event("*", lambda _manager, event: seen.append(event))
    protocol = AMIProtocol()
    protocol.connection_made(Nowhere())
    protocol.factory, protocol.encoding = manager, "utf8"
    protocol.data_received(GREETING)
    return protocol.data_received, lambda: len(seen)


def bare() -> tuple[Callable[[bytes], None], Callable[[], int]]:
    """Cut into messages, look at the first line, keep nothing."""
    seen: dict[bytes, int] = {}
    rest = b""

    def feed(data: bytes) -> None:
        nonlocal rest
        *whole, rest = (rest + data).split(b"\r\n\r\n")
        for raw in whole:
            name = raw[7 : raw.find(b"\r\n")]
            seen[name] = seen.get(name, 0) + 1

    return feed, lambda: sum(seen.values())


def rate(
    make: Callable[[], tuple[Callable[[bytes], None], Callable[[], int]]], chunks: list[bytes], events: int
) -> float:
    """Events a second through a fresh one; every event must have come out."""
    feed, count = make()
    gc.collect()
    started = perf_counter()
    for chunk in chunks:
        feed(chunk)
    seconds = perf_counter() - started
    if count() < events * 0.95:  # two user events of other kinds are counted and not kept
        raise RuntimeError(f"{count()} of {events} events came out")
    return events / seconds


async def run(*, full: bool) -> bool:
    """Print the three; whether the goal was reached."""
    events, blocks = (40_000, 15) if full else (10_000, 7)
    chunks = stream(events)
    size = sum(map(len, chunks)) / events
    rates: dict[str, list[float]] = {"nobat": [], "panoramisk": [], "bare split": []}
    for _ in range(blocks):
        for name, make in (("nobat", ours), ("panoramisk", stock), ("bare split", bare)):
            rates[name].append(rate(make, chunks, events))
    heading("ami_drain", f"recorded events of {size:.0f} bytes, events/s, median of {blocks} blocks of {events}")
    for name, found in rates.items():
        print(f"   {name:<11} {median(found):>11,.0f}   (from {min(found):,.0f} to {max(found):,.0f})")
    ratio = median(rates["nobat"]) / median(rates["panoramisk"])
    limit = median(rates["nobat"]) / median(rates["bare split"])
    print(f"   {limit:.0%} of a bare split")
    return verdict("nobat / panoramisk", ratio, ">= 3", ratio >= 3)
