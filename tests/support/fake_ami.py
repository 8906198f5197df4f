"""A TCP server that speaks AMI as Asterisk 22.10.1 was measured to speak it, and misbehaves on demand.

A real server, so that the link under test meets real sockets: greeting, login (refused in the same words), FullyBooted, answers
with the caller's ActionID, lists ended by ``EventList: Complete``, and the errors for channels and contexts that are not there.
``tests/asterisk`` pins the same behaviour on the real one.

Faults: ``reset`` (RST to everybody), ``black_hole`` (reads and writes stop, the connection stays), ``mute`` (actions that are
done and never answered), ``slice_bytes`` (every write is cut into small pieces), ``drop_on`` (the connection is cut when an action
comes in), ``refuse`` (an action answered by an error).
"""

import asyncio
import random
import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field

from ami import names

Headers = dict[str, str]

CONTEXTS = names.CONTEXTS


@dataclass
class FakeChannel:
    """One channel, as ``Status`` shows it."""

    name: str
    uniqueid: str
    number: str = "<unknown>"
    caller_name: str = "<unknown>"
    bridge: str = ""
    up: bool = True
    variables: Headers = field(default_factory=dict)
    raw_name: bytes | None = None  # instead of caller_name, for what no encoder would write

    def status(self, action_id: str, wanted: Iterable[str]) -> bytes:
        lines = [
            "Event: Status",
            "Privilege: Call",
            f"Channel: {self.name}",
            f"ChannelState: {6 if self.up else 0}",
            f"CallerIDNum: {self.number}",
            "CallerIDName: @NAME@",
            "ConnectedLineNum: <unknown>",
            "Context: acd-wait",
            "Exten: s",
            f"Uniqueid: {self.uniqueid}",
            f"Linkedid: {self.uniqueid}",
            f"BridgeID: {self.bridge}",
            *(f"Variable: {name}={self.variables.get(name, '(null)')}" for name in wanted),
            f"ActionID: {action_id}",
        ]
        shown = self.raw_name if self.raw_name is not None else self.caller_name.encode()
        return block(*lines).replace(b"@NAME@", shown)


def block(*lines: str) -> bytes:
    """One message."""
    return "\r\n".join([*lines, "", ""]).encode()


class FakeAmi:
    """Start with ``async with``; ``port`` is where it listens."""

    def __init__(self, secret: str = "secret") -> None:
        self.secret = secret
        self.version = "22.10.1+dfsg+~cs6.17.60671434-1"
        self.system_name = "pbx1"
        self.contexts: set[str] = set(CONTEXTS)
        self.booted = True
        self.started_at = ("2026-11-22", "03:11:52")
        self.channels: dict[str, FakeChannel] = {}
        self.devices: Headers = {}
        self.globals: Headers = {}
        self.received: list[Headers] = []  # every action that came in, in order
        self.writes: list[int] = []  # how many actions each read brought
        self.logins = 0
        self.port = 0
        self.mute: set[str] = set()
        self.drop_on: set[str] = set()
        self.refuse: dict[str, str] = {}
        self.live_dangerously = False
        self.slice_bytes: random.Random | None = None
        self._black_hole = False
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "FakeAmi":
        await self.listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.vanish()

    async def listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def vanish(self) -> None:
        """As if Asterisk had been killed: nobody listens, every connection ends."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.reset()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # ------------------------------------------------------------ faults

    def reset(self) -> None:
        """RST to everybody."""
        for writer in tuple(self._writers):
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    def black_hole(self) -> None:
        """From now on nothing is read and nothing is written, and nobody is told."""
        self._black_hole = True
        for writer in self._writers:
            writer.transport.pause_reading()  # type: ignore[attr-defined]

    def light(self) -> None:
        """New connections work again."""
        self._black_hole = False

    # ------------------------------------------------------------ events

    def say(self, *lines: str) -> None:
        """Send one message to everybody who is logged in."""
        self.say_raw(block(*lines))

    def say_raw(self, raw: bytes) -> None:
        for writer in self._writers:
            self._write(writer, raw)

    def _write(self, writer: asyncio.StreamWriter, raw: bytes) -> None:
        if self._black_hole or writer.is_closing():
            return
        if self.slice_bytes is None:
            writer.write(raw)
            return
        while raw:
            cut = self.slice_bytes.randint(1, 7)
            writer.write(raw[:cut])
            raw = raw[cut:]

    # ------------------------------------------------------------ actions

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
        self._writers.add(writer)
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._write(writer, b"Asterisk Call Manager/11.0.0\r\n")
        try:
            await self._talk(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()
            if task is not None:
                self._tasks.discard(task)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        rest, logged_in = b"", False
        while data := await reader.read(65536):
            # Asterisk ends lines at a bare LF too: so does this.
            *whole, rest = (rest + data).replace(b"\r\n", b"\n").split(b"\n\n")
            self.writes.append(len(whole))
            for raw in whole:
                action = dict(
                    line.split(": ", 1) if ": " in line else (line.rstrip(":"), "") for line in raw.decode().split("\n")
                )
                self.received.append(action)
                name = action.get("Action", "")
                if name in self.drop_on:
                    writer.transport.abort()
                    return
                if not logged_in:
                    logged_in = await self._login(writer, action)
                    if not logged_in:
                        return
                elif not self._black_hole:
                    answer = self._answer(name, action)
                    if name not in self.mute:
                        self._write(writer, answer)

    async def _login(self, writer: asyncio.StreamWriter, action: Headers) -> bool:
        tag = f"ActionID: {action.get('ActionID', '')}"
        if "Login" in self.mute:
            return True
        if action.get("Secret") != self.secret:
            self._write(writer, block("Response: Error", tag, "Message: Authentication failed"))
            await writer.drain()
            return False
        self.logins += 1
        self._write(writer, block("Response: Success", tag, "Message: Authentication accepted"))
        if self.booted:
            self.boot()
        return True

    def boot(self) -> None:
        self.say("Event: FullyBooted", "Privilege: system,all", "Uptime: 3", "LastReload: 3", "Status: Fully Booted")

    def _answer(self, name: str, action: Headers) -> bytes:
        tag = f"ActionID: {action.get('ActionID', '')}"
        if name in self.refuse:
            return block("Response: Error", tag, f"Message: {self.refuse[name]}")
        answers = {
            "Ping": lambda: block("Response: Success", tag, "Ping: Pong", "Timestamp: 1795317116.967877"),
            "CoreSettings": lambda: self._core_settings(tag),
            "CoreStatus": lambda: self._core_status(tag),
            "ShowDialPlan": lambda: self._dialplan(tag, action["Context"]),
            "DeviceStateList": lambda: self._devices(tag),
            "Status": lambda: self._status(tag, action),
            "Setvar": lambda: self._set(tag, action),
            "Redirect": lambda: self._redirect(tag, action),
            "Hangup": lambda: self._hang_up(tag, action),
        }
        made = answers.get(name)
        return (
            made() if made is not None else block("Response: Error", tag, f"Message: Invalid/unknown command: {name}.")
        )

    def _core_settings(self, tag: str) -> bytes:
        return block(
            "Response: Success",
            tag,
            "AMIversion: 11.0.0",
            f"AsteriskVersion: {self.version}",
            f"SystemName: {self.system_name}",
        )

    def _core_status(self, tag: str) -> bytes:
        date, time = self.started_at
        return block(
            "Response: Success", tag, f"CoreStartupDate: {date}", f"CoreStartupTime: {time}", "CoreCurrentCalls: 0"
        )

    def _dialplan(self, tag: str, context: str) -> bytes:
        if context not in self.contexts:
            return block("Response: Error", tag, f"Message: Did not find context {context}")
        return (
            block("Response: Success", tag, "EventList: start", "Message: DialPlan list will follow")
            + block(
                "Event: ListDialplan", tag, f"Context: {context}", "Extension: s", "Priority: 1", "Application: Set"
            )
            + block("Event: ShowDialPlanComplete", tag, "EventList: Complete", "ListItems: 1")
        )

    def _devices(self, tag: str) -> bytes:
        return (
            block("Response: Success", tag, "EventList: start", "Message: Device State Changes will follow")
            + b"".join(
                block("Event: DeviceStateChange", tag, f"Device: {d}", f"State: {s}") for d, s in self.devices.items()
            )
            + block("Event: DeviceStateListComplete", tag, "EventList: Complete", f"ListItems: {len(self.devices)}")
        )

    def _status(self, tag: str, action: Headers) -> bytes:
        only = action.get("Channel")
        if only is not None and only not in self.channels:
            return block("Response: Error", tag, "Message: No such channel")
        shown = [self.channels[only]] if only is not None else list(self.channels.values())
        wanted = action.get("Variables", "").split(",")
        return (
            block("Response: Success", tag, "EventList: start", "Message: Channel status will follow")
            + b"".join(channel.status(action.get("ActionID", ""), wanted) for channel in shown)
            + block("Event: StatusComplete", tag, "EventList: Complete", f"ListItems: {len(shown)}")
        )

    def _set(self, tag: str, action: Headers) -> bytes:
        channel = action.get("Channel")
        if action["Variable"].startswith("DB(") and not self.live_dangerously:
            return block("Response: Error", tag, "Message: Variable not set")
        if channel is None:
            self.globals[action["Variable"]] = action.get("Value", "")
        elif channel in self.channels:
            # ARRAY(a,b)=x,y sets several variables at once.
            names = action["Variable"].removeprefix("ARRAY(").removesuffix(")").split(",")
            values = action.get("Value", "").split(",") if len(names) > 1 else [action.get("Value", "")]
            self.channels[channel].variables.update(zip(names, values, strict=True))
        else:
            return block("Response: Error", tag, "Message: No such channel")
        return block("Response: Success", tag, "Message: Variable Set")

    def _redirect(self, tag: str, action: Headers) -> bytes:
        if action["Channel"] not in self.channels:
            return block("Response: Error", tag, f"Message: Channel does not exist: {action['Channel']}")
        return block("Response: Success", tag, "Message: Redirect successful")

    def _hang_up(self, tag: str, action: Headers) -> bytes:
        if self.channels.pop(action["Channel"], None) is None:
            return block("Response: Error", tag, "Message: No such channel")
        return block("Response: Success", tag, "Message: Channel Hungup")

    def actions(self, name: str) -> list[Headers]:
        """The actions of that name that came in."""
        return [action for action in self.received if action.get("Action") == name]
