"""One connection to one Asterisk: connect, log in, keep alive, send with a deadline, and start again.

The only module that imports panoramisk. Its Manager, Action ids and Message are kept; its protocol, its bookkeeping of actions
and its dispatch are replaced, because panoramisk 1.4 sends unanswered actions again after a reconnect (an Originate went out
three times), lets futures hang for ever, drops the characters that TCP cuts in two, never looks at the answer to a ping and
reconnects without pause or end. Here one task supervises everything (``Link.run``), an action is written at most once, and
every action ends in an ``Answer``: a lost link answers all that are open at once.

``ami.pbx`` owns a Link and says what to do after each login.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from ssl import SSLCertVerificationError, SSLContext, SSLError
from typing import Any

from panoramisk.actions import Action as PanoramiskAction
from panoramisk.ami_protocol import AMIProtocol
from panoramisk.manager import Manager
from panoramisk.message import Message

from ami import actions
from ami.answers import Answer, Outcome
from ami.checks import Headers
from ami.decoder import Decoder, only_value
from ami.events import Event, ListItem, Quarantined, Response
from ami.health import HealthState, Observer

log = logging.getLogger(__name__)

MAX_UNSENT = 1_000_000
"""Bytes that may wait in our own buffer for an Asterisk that does not read. Beyond it nothing more is queued."""

MAX_SILENT_PINGS = 3
"""Pings that may stay unanswered while other bytes still come."""

OVERSLEPT_S = 0.1
"""A deadline that comes this late was missed by ourselves (a stalled loop): it says nothing about Asterisk."""


@dataclass(frozen=True, slots=True)
class LinkConfig:
    """Where Asterisk is, and how long anything may take. All times in seconds."""

    host: str
    port: int
    username: str
    secret: str = field(repr=False)
    ssl: SSLContext | None = None
    connect_s: float = 2.0
    login_s: float = 5.0
    action_s: float = 3.0
    ping_every_s: float = 1.0
    ping_s: float = 1.5  # with ping_every_s: a link that carries nothing is given up within 2.5 s
    retry_first_s: float = 0.2
    retry_max_s: float = 5.0
    absent_retry_s: float = 0.8
    refused_retry_s: float = 10.0


class SentAction(PanoramiskAction):
    """An action on its way: panoramisk's id, our bookkeeping. It is answered exactly once."""

    def __init__(self, headers: Headers, done: "Callable[[SentAction, Answer], None]") -> None:
        super().__init__(_by_name(headers))
        loop = asyncio.get_running_loop()
        self.answer: asyncio.Future[Answer] = loop.create_future()
        self.sent_at = loop.time()
        self.events: list[bytes] = []
        self.deadline: asyncio.TimerHandle | None = None
        self.response: Message | None = None
        self._done = done

    def responded(self, message: Message) -> None:
        """The response; a list goes on after it."""
        self.response = message
        if message["response"] == "Error":
            self.finish(Outcome.REFUSED)
        elif str(message.get("eventlist", "")).lower() != "start":
            self.finish(Outcome.SUCCESS)

    def listed(self, raw: bytes) -> None:
        """One event of the list; the last one says that it is."""
        mark = (only_value(raw, b"EventList") or "").lower()
        if not mark:
            self.events.append(raw)
        else:
            self.finish(Outcome.SUCCESS if mark == "complete" else Outcome.REFUSED)

    def finish(self, outcome: Outcome) -> None:
        if self.answer.done():
            return
        if self.deadline is not None:
            self.deadline.cancel()
        headers = self.response if self.response is not None else {}
        answer = Answer(outcome, str(headers.get("message", "")), headers, tuple(self.events))
        self.answer.set_result(answer)
        self._done(self, answer)


def _by_name(headers: Headers) -> dict[str, str | list[str]]:
    """Headers as panoramisk takes them: one that is repeated has a list of values."""
    found: dict[str, str | list[str]] = {}
    for name, value in headers:
        before = found.get(name)
        found[name] = value if before is None else [*([before] if isinstance(before, str) else before), value]
    return found


class WireProtocol(AMIProtocol):
    """Bytes in, messages out."""

    def __init__(self, manager: "WireManager") -> None:
        self._manager = manager
        self.decoder = Decoder()
        self.heard_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.factory = self._manager
        self.encoding = "utf-8"
        self.heard_at = self._manager.now()

    def data_received(self, data: bytes) -> None:
        self.heard_at = self._manager.now()
        for message in self.decoder.feed(data):
            self._manager.dispatch(message)
        counts = self.decoder.take_counts()
        if counts:
            self._manager.observer.events(counts)

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        self._manager.connection_lost(exc)

    def close(self) -> None:
        """Give the connection up at once: waiting to flush to a peer that is gone would never end."""
        if not self.closed:
            self.closed = True
            self.transport.abort()


class WireManager(Manager):
    """panoramisk's Manager without its own ideas of reconnecting: one connection, and the table of its open actions."""

    def __init__(
        self, config: LinkConfig, receive: "Callable[[Event | Quarantined], None]", observer: Observer
    ) -> None:
        super().__init__(host=config.host, port=config.port, encoding="utf-8")
        self.observer = observer
        self.open: dict[str, SentAction] = {}
        self.loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[str] = self.loop.create_future()
        self._receive = receive
        self._ssl = config.ssl
        self.ami: WireProtocol | None = None

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def open_connection(self) -> None:
        """Connect, once. Raises OSError."""
        loop = asyncio.get_running_loop()
        host, port = self.config["host"], self.config["port"]
        _, self.ami = await loop.create_connection(lambda: WireProtocol(self), host, port, ssl=self._ssl)

    def takes(self, wanted: Sequence[actions.Action]) -> bool:
        """Whether actions can be written now: nothing but a login before the login, nothing into a full buffer."""
        if self.ami is None or self.ami.closed:
            return False
        logged_in = self.authenticated or all(isinstance(action, actions.Login) for action in wanted)
        return logged_in and self.ami.transport.get_write_buffer_size() <= MAX_UNSENT

    def write(self, sent: Sequence[SentAction], deadline_s: float) -> None:
        """Write actions as one piece, each with its deadline."""
        if self.ami is None:
            return
        for action in sent:
            self.open[action.id] = action
            action.deadline = asyncio.get_running_loop().call_later(deadline_s, action.finish, Outcome.TIMEOUT)
        self.ami.transport.write("".join(str(action) for action in sent).encode())

    def heard_at(self) -> float:
        """When the last bytes came, by the loop's clock."""
        return self.ami.heard_at if self.ami is not None else 0.0

    def dispatch(self, event: Any) -> list[str]:
        """One message to whom it concerns. Whatever a handler does, the connection and the next message go on."""
        try:
            if isinstance(event, Response):
                self._responded(event.raw)
            elif isinstance(event, ListItem):
                self._listed(event.raw)
            else:
                if isinstance(event, Quarantined):
                    self.observer.quarantined(event.reason)
                self._receive(event)
        except Exception:
            log.exception("a message could not be handled; others go on")
        return []

    def _responded(self, raw: bytes) -> None:
        sent = self.open.get(only_value(raw, b"ActionID") or "")
        message = Message.from_line(raw.decode("utf-8", "replace"))
        if sent is not None and message is not None:
            sent.responded(message)

    def _listed(self, raw: bytes) -> None:
        sent = self.open.get(only_value(raw, b"ActionID") or "")
        if sent is not None:
            sent.listed(raw)

    def connection_lost(self, exc: Exception | None) -> None:
        self.give_up("connection_reset" if exc is not None else "connection_closed")

    def give_up(self, reason: str) -> None:
        """The connection is over: answer every open action, keep nothing for later."""
        if not self.lost.done():
            self.lost.set_result(reason)
        if self.ami is not None:
            self.ami.close()
        for sent in list(self.open.values()):
            sent.finish(Outcome.LINK_LOST)

    def close(self) -> None:
        self.give_up("closed")


class Link:
    """Supervises one connection. ``run`` is its only task; ``send`` may be called from anywhere on the loop."""

    def __init__(
        self,
        config: LinkConfig,
        receive: Callable[[Event | Quarantined], None],
        started: Callable[[], Awaitable[None]],
        report: Callable[[HealthState, str], None],
        observer: Observer,
        jitter: Random,
    ) -> None:
        self._config, self._receive, self._started, self._report = config, receive, started, report
        self._observer, self._jitter = observer, jitter
        self._manager: WireManager | None = None
        self._failures = 0

    async def run(self) -> None:
        """Keep a session alive until cancelled."""
        try:
            while True:
                pause = await self._session()
                await asyncio.sleep(pause)
        finally:
            self.drop("stopped")

    def settled(self) -> None:
        """The session works: the next loss is a first one."""
        self._failures = 0

    def drop(self, reason: str) -> None:
        """Give this connection up; ``run`` makes the next one."""
        if self._manager is not None:
            self._manager.give_up(reason)

    def send(self, *wanted: actions.Action, deadline_s: float | None = None) -> list[asyncio.Future[Answer]]:
        """Write actions in one piece and return their answers to come; none of them ever fails or hangs.

        Raises ActionRefused, before anything is written, if one of them may not be sent.
        """
        encoded = [actions.encode(action) for action in wanted]
        sent = [SentAction(headers, self._finished) for headers in encoded]
        if self._manager is not None and self._manager.takes(wanted):
            self._manager.write(sent, self._config.action_s if deadline_s is None else deadline_s)
        else:
            for action in sent:
                action.finish(Outcome.NOT_CONNECTED)
        return [action.answer for action in sent]

    async def ask(self, wanted: actions.Action, deadline_s: float | None = None) -> Answer:
        """Send one action and wait for what becomes of it."""
        return await self.send(wanted, deadline_s=deadline_s)[0]

    def _finished(self, sent: SentAction, answer: Answer) -> None:
        if self._manager is not None:
            self._manager.open.pop(sent.id, None)
        seconds = asyncio.get_running_loop().time() - sent.sent_at
        self._observer.action(str(sent["action"]), answer.outcome, seconds)

    async def _session(self) -> float:
        """One connection from beginning to end. Returns how long to wait before the next."""
        manager = self._manager = WireManager(self._config, self._receive, self._observer)
        try:
            async with asyncio.timeout(self._config.connect_s):
                await manager.open_connection()
        except ConnectionRefusedError:
            # The host is there and Asterisk is not: it may be back in a moment, and asking costs nothing.
            return min(self._lost("connection_refused"), self._config.absent_retry_s)
        except SSLCertVerificationError:  # whoever answers is not the one that we trust with the secret
            return self._refused("certificate_refused")
        except SSLError:
            return self._lost("no_tls")
        except (OSError, TimeoutError):
            return self._lost("unreachable")
        login = await self.ask(actions.Login(self._config.username, self._config.secret), self._config.login_s)
        if login.outcome is Outcome.REFUSED:
            manager.close()
            self._report(HealthState.LOGIN_REFUSED, "login_refused")
            return self._config.refused_retry_s * self._jitter.uniform(0.7, 1.0)
        if not login.ok:
            manager.close()
            return self._lost("login_unanswered")
        manager.authenticated = True
        return self._lost(await self._watch(manager))

    async def _watch(self, manager: WireManager) -> str:
        """Run what follows a login beside the pings, until the connection is lost. Returns why."""
        started = asyncio.ensure_future(self._started())
        try:
            silent = 0
            while True:
                waiting: set[asyncio.Future[Any]] = {manager.lost} if started.done() else {manager.lost, started}
                await asyncio.wait(waiting, timeout=self._config.ping_every_s, return_when=asyncio.FIRST_COMPLETED)
                if started.done() and not manager.lost.done() and (failure := started.exception()) is not None:
                    log.error("the start of a session failed", exc_info=failure)
                    return "start_failed"
                if manager.lost.done():
                    return manager.lost.result()
                asked_at = manager.now()
                answer = await self.ask(actions.Ping(), self._config.ping_s)
                if manager.lost.done():
                    return manager.lost.result()
                overslept = manager.now() - asked_at > self._config.ping_s + OVERSLEPT_S
                silent = silent + 1 if answer.outcome is Outcome.TIMEOUT and not overslept else 0
                if silent >= MAX_SILENT_PINGS or (silent and manager.heard_at() < asked_at):
                    return "ping_unanswered"
        finally:
            manager.close()
            started.cancel()
            await asyncio.gather(started, return_exceptions=True)

    def _refused(self, reason: str) -> float:
        """Report what does not mend by itself, and return a longer pause."""
        self._report(HealthState.DOWN, reason)
        return self._config.refused_retry_s * self._jitter.uniform(0.7, 1.0)

    def _lost(self, reason: str) -> float:
        """Report the loss and return the pause before the next try: short at first, longer each time, never in step."""
        self._report(HealthState.DOWN, reason)
        pause = min(self._config.retry_max_s, self._config.retry_first_s * 2.0**self._failures)
        self._failures = min(self._failures + 1, 16)
        return pause * self._jitter.uniform(0.5, 1.0)
