"""A small AMI client for the phone bank and for tests that look at an Asterisk from outside.

It is on purpose not ``ami.link``: what tests use to judge the product must not be the product.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

Message = dict[str, str]
Heard = Callable[[Message], None]


class AmiError(Exception):
    """Asterisk refused an action; the text is its own."""


def parse(block: bytes) -> Message:
    """One AMI message. A header that comes more than once (``Variable``) keeps its values on lines of their own."""
    message: Message = {}
    for line in block.decode(errors="replace").split("\r\n"):
        name, colon, value = line.partition(":")
        if colon:
            value = value.removeprefix(" ")
            message[name] = f"{message[name]}\n{value}" if name in message else value
    return message


@dataclass(slots=True)
class _Pending:
    reply: asyncio.Future[Message]
    as_list: bool
    items: list[Message] = field(default_factory=list)


class AmiClient:
    """One login. ``heard`` is called with each event, in order."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, heard: Heard) -> None:
        self._reader = reader
        self._writer = writer
        self._heard = heard
        self._ids = count(1)
        self._pending: dict[str, _Pending] = {}
        self._booted = asyncio.Event()
        self._task = asyncio.create_task(self._read())

    @classmethod
    async def connect(cls, port: int, username: str, secret: str, heard: Heard = lambda _: None) -> "AmiClient":
        """Connect to 127.0.0.1, log in, wait until Asterisk has loaded everything. OSError while it is not there yet."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await reader.readline()  # the banner
        client = cls(reader, writer, heard)
        try:
            await client.act("Login", Username=username, Secret=secret)
            await asyncio.wait_for(client._booted.wait(), 20)
        except BaseException:
            await client.close()
            raise
        return client

    async def act(self, action: str, *, variables: dict[str, str] | None = None, **headers: str) -> Message:
        """Send an action and wait for its reply."""
        return await self._send(action, headers, variables or {}, as_list=False)

    async def list(self, action: str, **headers: str) -> list[Message]:
        """Send an action that answers with a list of events; the event that ends the list is left out."""
        pending = await self._send_raw(action, headers, {}, as_list=True)
        await asyncio.wait_for(pending.reply, 10)
        return pending.items

    async def _send(self, action: str, headers: dict[str, str], variables: dict[str, str], *, as_list: bool) -> Message:
        pending = await self._send_raw(action, headers, variables, as_list=as_list)
        return await asyncio.wait_for(pending.reply, 10)

    async def _send_raw(
        self, action: str, headers: dict[str, str], variables: dict[str, str], *, as_list: bool
    ) -> _Pending:
        action_id = str(next(self._ids))
        lines = [f"Action: {action}", f"ActionID: {action_id}", *(f"{k}: {v}" for k, v in headers.items())]
        lines += [f"Variable: {name}={value}" for name, value in variables.items()]
        pending = _Pending(asyncio.get_running_loop().create_future(), as_list)
        self._pending[action_id] = pending
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        await self._writer.drain()
        return pending

    async def _read(self) -> None:
        try:
            while True:
                self._take(parse(await self._reader.readuntil(b"\r\n\r\n")))
        except (asyncio.IncompleteReadError, ConnectionError):
            for pending in self._pending.values():
                if not pending.reply.done():
                    pending.reply.set_exception(AmiError("the connection is lost"))

    def _take(self, message: Message) -> None:
        if message.get("Event") == "FullyBooted":
            self._booted.set()
        pending = self._pending.get(message.get("ActionID", ""))
        if pending is None:
            if "Event" in message:
                self._heard(message)
            return
        if message.get("Response") == "Error":
            self._settle(message, AmiError(message.get("Message", "refused")))
        elif pending.as_list:
            if message.get("EventList") == "Complete":
                self._settle(message, None)
            elif "Event" in message:
                pending.items.append(message)
        elif "Response" in message:
            self._settle(message, None)
        else:
            self._heard(message)  # an event that repeats the ActionID: OriginateResponse

    def _settle(self, message: Message, error: AmiError | None) -> None:
        pending = self._pending.pop(message["ActionID"])
        if pending.reply.done():
            return
        if error is None:
            pending.reply.set_result(message)
        else:
            pending.reply.set_exception(error)

    async def close(self) -> None:
        """Log off without ceremony."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()
