"""What is between the service and Asterisk: a connection in memory, and all that can happen to one.

Bytes arrive in order after a while, or not at all when the connection is cut or black. Events may be lost, doubled, or held back so
that those of other channels overtake them; the order on one channel stays, as it does between Asterisk's threads. Answers to
actions are only lost with the whole connection, or one by one where ``Faults.mute`` says so.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol

from tests.simulator.clockwork import Clockwork, ProcessLoop, Wires


@dataclass
class Faults:
    """What the wire does, as probabilities and seconds."""

    lost: float = 0.0
    doubled: float = 0.0
    held_back: float = 0.0
    held_back_s: float = 0.03
    mute: float = 0.0  # an action that is done and never answered
    latency_s: float = 0.0005
    refused: bool = False  # nobody listens
    black: bool = False  # nothing comes through, and nobody is told


class Peer(Protocol):
    """Asterisk's end of a connection."""

    def connected(self, connection: "Connection") -> None: ...

    def received(self, connection: "Connection", data: bytes) -> None: ...

    def gone(self, connection: "Connection") -> None: ...


class Connection(asyncio.Transport):
    """The service's end."""

    def __init__(self, wire: "Wire", loop: ProcessLoop, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self._wire, self._loop, self._protocol = wire, loop, protocol
        self._there_at = self._here_at = 0.0
        self.open = True
        self.told = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self.open and not self._loop.dead:
            self._there_at = max(self._wire.arrival(), self._there_at)
            self._wire.clockwork.at(self._there_at, lambda: self._arrived(bytes(data)))

    def _arrived(self, data: bytes) -> None:
        if self.open and not self._wire.faults.black:
            self._wire.peer.received(self, data)

    def deliver(self, data: bytes) -> None:
        """From Asterisk to the service."""
        if self.open:
            self._here_at = max(self._wire.arrival(), self._here_at)
            self._wire.clockwork.at(self._here_at, lambda: self._came(data))

    def _came(self, data: bytes) -> None:
        if self.open and not self._wire.faults.black:
            self._loop.call_soon(self._protocol.data_received, data)

    def cut(self, why: Exception | None) -> None:
        """Both ends lose it; what is on the way is lost."""
        if self.open:
            self.open = False
            self._wire.peer.gone(self)
            self._loop.call_soon(self._protocol.connection_lost, why)

    def abort(self) -> None:
        self.close()

    def close(self) -> None:
        if self.open:
            self.open = False
            if not self._wire.faults.black:
                self._wire.peer.gone(self)
            self._loop.call_soon(self._protocol.connection_lost, None)

    def is_closing(self) -> bool:
        return not self.open

    def get_write_buffer_size(self) -> int:
        return 0

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default


class Wire(Wires):
    """Every connection to one Asterisk."""

    def __init__(self, clockwork: Clockwork, dice: Random, faults: Faults, peer: Peer) -> None:
        self.clockwork, self.dice, self.faults, self.peer = clockwork, dice, faults, peer
        self.connections: list[Connection] = []
        self.lost: Callable[[bytes], None] = lambda _: None
        self._released: dict[str, float] = {}

    def open(self, loop: ProcessLoop, protocol: asyncio.Protocol) -> asyncio.Transport:
        if self.faults.refused:
            raise ConnectionRefusedError
        if self.faults.black:
            raise TimeoutError
        connection = Connection(self, loop, protocol)
        self.connections = [one for one in self.connections if one.open] + [connection]
        loop.call_soon(protocol.connection_made, connection)
        loop.call_soon(self.peer.connected, connection)
        return connection

    def arrival(self) -> float:
        return self.clockwork.now + self.faults.latency_s * self.dice.uniform(0.3, 1.7)

    def cut(self, *, reset: bool = True) -> None:
        """Every connection ends."""
        for connection in self.connections:
            connection.cut(ConnectionResetError() if reset else None)
        self.connections.clear()

    def carry_event(self, connection: Connection, key: str, event: bytes) -> None:
        """An event of one channel, with what may happen to it."""
        faults, dice = self.faults, self.dice
        if key and faults.lost and dice.random() < faults.lost:
            self.lost(event)
            return
        copies = 2 if faults.doubled and dice.random() < faults.doubled else 1
        hold = dice.uniform(0, faults.held_back_s) if faults.held_back and dice.random() < faults.held_back else 0.0
        for _ in range(copies):
            at = max(self.clockwork.now + hold, self._released.get(key, 0.0))
            if at <= self.clockwork.now:
                connection.deliver(event)
            else:
                self._released[key] = at
                self.clockwork.at(at, lambda: connection.deliver(event))
            hold += dice.uniform(0, 0.05) if copies > 1 else 0.0
