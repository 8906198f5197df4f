"""A TCP proxy in front of a real AMI port that does to the link what networks do.

``reset`` cuts with RST, ``black_hole`` swallows both ways and tells nobody, ``swallow`` hides the answers to named actions,
``twice`` repeats every event, ``slices`` cuts what goes to the service into pieces of a few bytes, ``lag_s`` holds both ways up,
``loses`` drops a share of the events, ``shuffles`` puts events of different channels into another order.
"""

import asyncio
import random
import re
import socket
import struct
from collections.abc import Callable, Sequence

_ACTION = re.compile(rb"^Action: (\w+)\r?$", re.MULTILINE)
_ACTION_ID = re.compile(rb"^ActionID: (\S+)\r?$", re.MULTILINE)
_CHANNEL = re.compile(rb"^(?:Dest)?Uniqueid: (\S+)\r?$", re.MULTILINE)
END = b"\r\n\r\n"
SHUFFLE_S = 0.05
"""How long events are held back to be put into another order."""


def shuffled(events: Sequence[bytes], chance: random.Random) -> list[bytes]:
    """Another order of ``events``, in which those that name the same channel follow each other as before."""
    left = [(raw, frozenset(_CHANNEL.findall(raw))) for raw in events]
    order: list[bytes] = []
    while left:
        free, seen = [], set[bytes]()
        for place, (_, channels) in enumerate(left):
            if not channels & seen:
                free.append(place)
            seen |= channels
        order.append(left.pop(chance.choice(free))[0])
    return order


class FaultProxy:
    """``async with FaultProxy(port)``; the service connects to ``.port``."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.twice = False
        self.slices: random.Random | None = None
        self.swallow: set[bytes] = set()
        self.lag_s = 0.0
        self.loses = 0.0
        self.shuffles: random.Random | None = None
        self.chance = random.Random(0)  # of what is lost
        self.lost = 0
        self.sessions = 0
        self.actions: list[bytes] = []  # names, in the order in which they went to Asterisk
        self.heard: Callable[[bytes], None] | None = None  # called with each action, whole
        self._hole = False
        self._swallowed: set[bytes] = set()
        self._server: asyncio.Server | None = None
        self._pairs: set[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "FaultProxy":
        self._server = await asyncio.start_server(self._join, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        self.reset()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def reset(self) -> None:
        for pair in tuple(self._pairs):
            for writer in pair:
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()

    def black_hole(self) -> None:
        self._hole = True

    def light(self) -> None:
        """The network is back; connections from before stay dead, as they would."""
        self.reset()
        self._hole = False

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
        try:
            theirs, to_them = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        pair = (writer, to_them)
        self._pairs.add(pair)
        try:
            await asyncio.wait(
                {asyncio.create_task(self._up(reader, to_them)), asyncio.create_task(self._down(theirs, writer))},
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            self._pairs.discard(pair)
            for end in pair:
                end.transport.abort()
            if task is not None:
                self._tasks.discard(task)

    async def _up(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        rest = b""
        try:
            while data := await reader.read(65536):
                if self._hole:
                    continue
                *whole, rest = (rest + data).split(END)
                for raw in whole:
                    self._note(raw)
                if self.lag_s:
                    await asyncio.sleep(self.lag_s)
                if writer.transport.is_closing():
                    return
                writer.write(data)
        except ConnectionError:
            return

    def _note(self, raw: bytes) -> None:
        name, action_id = _ACTION.search(raw), _ACTION_ID.search(raw)
        if name is None:
            return
        self.actions.append(name[1])
        if name[1] in self.swallow and action_id is not None:
            self._swallowed.add(action_id[1])
        if self.heard is not None:
            self.heard(raw)

    async def _down(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        rest = b""
        held: list[bytes] = []
        self.sessions += 1
        try:
            while data := await self._read(reader, writer, held):
                if self._hole:
                    continue
                *whole, rest = (rest + data).split(END)
                if self.lag_s:
                    await asyncio.sleep(self.lag_s)
                for raw in whole:
                    self._pass_on(writer, raw + END, held)
                await writer.drain()
        except ConnectionError:
            return

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, held: list[bytes]) -> bytes:
        """What Asterisk says next; meanwhile, what was held back leaves."""
        reading = asyncio.ensure_future(reader.read(65536))
        try:
            while held:
                await asyncio.wait({reading}, timeout=SHUFFLE_S)
                if self.shuffles is not None and reading.done() and len(held) < 50:
                    break
                for raw in shuffled(held, self.shuffles or self.chance):
                    self._write(writer, raw)
                held.clear()
            return await reading
        finally:
            reading.cancel()

    def _pass_on(self, writer: asyncio.StreamWriter, raw: bytes, held: list[bytes]) -> None:
        action_id = _ACTION_ID.search(raw)
        if action_id is not None and action_id[1] in self._swallowed:
            return
        is_event = raw.startswith(b"Event: ") and action_id is None
        if is_event and self.loses and self.chance.random() < self.loses:
            self.lost += 1
            return
        for _ in range(2 if self.twice and is_event else 1):
            if is_event and self.shuffles is not None:
                held.append(raw)
            else:
                self._write(writer, raw)

    def _write(self, writer: asyncio.StreamWriter, raw: bytes) -> None:
        rest = raw if not writer.transport.is_closing() else b""
        while rest:
            size = self.slices.randint(1, 9) if self.slices is not None else len(rest)
            writer.write(rest[:size])
            rest = rest[size:]
