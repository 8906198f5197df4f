"""A TCP proxy in front of a real AMI port that does to the link what networks do.

``reset`` cuts with RST, ``black_hole`` swallows both ways and tells nobody, ``swallow`` hides the answers to named actions,
``twice`` repeats every event, ``slices`` cuts what goes to the service into pieces of a few bytes.
"""

import asyncio
import random
import re
import socket
import struct

_ACTION = re.compile(rb"^Action: (\w+)\r?$", re.MULTILINE)
_ACTION_ID = re.compile(rb"^ActionID: (\S+)\r?$", re.MULTILINE)
END = b"\r\n\r\n"


class FaultProxy:
    """``async with FaultProxy(port)``; the service connects to ``.port``."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.twice = False
        self.slices: random.Random | None = None
        self.swallow: set[bytes] = set()
        self.actions: list[bytes] = []  # names, in the order in which they went to Asterisk
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
        try:
            while data := await reader.read(65536):
                if self._hole:
                    continue
                for raw in data.split(END):
                    name, action_id = _ACTION.search(raw), _ACTION_ID.search(raw)
                    if name is not None:
                        self.actions.append(name[1])
                        if name[1] in self.swallow and action_id is not None:
                            self._swallowed.add(action_id[1])
                writer.write(data)
        except ConnectionError:
            return

    async def _down(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        rest = b""
        try:
            while data := await reader.read(65536):
                if self._hole:
                    continue
                *whole, rest = (rest + data).split(END)
                for raw in whole:
                    self._pass_on(writer, raw + END)
        except ConnectionError:
            return

    def _pass_on(self, writer: asyncio.StreamWriter, raw: bytes) -> None:
        action_id = _ACTION_ID.search(raw)
        if action_id is not None and action_id[1] in self._swallowed:
            return
        copies = 2 if self.twice and raw.startswith(b"Event: ") and action_id is None else 1
        for _ in range(copies):
            rest = raw
            while rest:
                size = self.slices.randint(1, 9) if self.slices is not None else len(rest)
                writer.write(rest[:size])
                rest = rest[size:]
