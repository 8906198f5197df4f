"""The HTTP servers of the service: REST, and metrics if they have an address of their own.

uvicorn, run inside our own loop: signals are the composition root's, so are the sockets. This module is loaded, and ``Servers``
made, in a thread while calls are already being taken up.
"""

import asyncio
import contextlib
import math
import re
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING

import uvicorn
from starlette.types import ASGIApp

from nobat.api.application import create_api, create_metrics_api
from nobat.api.service import Service
from nobat.api.throttle import Rate, Throttle
from nobat.http_protocol import PatientProtocol
from nobat.settings import HttpSettings

if TYPE_CHECKING:
    from nobat.app import App

STOP_S = 1


class _Server(uvicorn.Server):
    """A server that leaves signals alone and says when it answers."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.answers = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.answers.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Servers:
    """All listeners of one service; the first socket is the REST interface's."""

    def __init__(self, app: "App", sockets: list[socket.socket]) -> None:
        service = service_of(app)
        interfaces: list[ASGIApp] = [create_api(service)]
        if len(sockets) > 1:
            interfaces.append(create_metrics_api(service))
        self._pairs = [
            (_server(interface, service.limits), one) for interface, one in zip(interfaces, sockets, strict=True)
        ]
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Return when all answer."""
        for server, one in self._pairs:
            self._tasks.append(asyncio.get_running_loop().create_task(server.serve([one])))
        for server, _ in self._pairs:
            await server.answers.wait()

    async def stop(self) -> None:
        """Answer what has been asked, then close."""
        for server, _ in self._pairs:
            server.should_exit = True
        await asyncio.gather(*self._tasks, return_exceptions=True)


def service_of(app: "App") -> Service:
    """The parts of ``app`` that the interface works with."""
    token, limits = app.settings.metrics.token, app.settings.http
    return Service(
        engine=app.engine,
        catalogue=app.keeper,
        directory=app.directory,
        database=app.database,
        recorder=app.recorder,
        authenticator=app.authenticator,
        voicemail=app.voicemail,
        figures=app.figures,
        mails=app.mails,
        feed=app.feed,
        recordings=app.recordings,
        supervision=app.supervision,
        callbacks=app.callbacks,
        risks=app.risks,
        metrics=app.metrics,
        now=app.clock.now,
        pbxs=app.pbxs,
        metrics_here=app.settings.metrics.port is None,
        metrics_token=token.get_secret_value() if token is not None else None,
        limits=app.settings.http,
        throttle=Throttle(
            Rate(limits.requests_per_s, limits.burst),
            Rate(limits.wrong_tokens_per_minute / 60, math.ceil(limits.wrong_tokens_per_minute)),
            app.clock.now,
            app.metrics.shed,
        ),
        mobile_numbers=re.compile(numbers) if (numbers := app.settings.mobile.numbers) else None,
    )


def _server(interface: ASGIApp, limits: HttpSettings) -> _Server:
    config = uvicorn.Config(
        interface,
        http=PatientProtocol.within(limits.body_s),
        forwarded_allow_ips=list(limits.proxies),
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=STOP_S,
        ws="none",
    )
    return _Server(config)
