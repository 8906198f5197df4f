"""HTTP/1.1 as uvicorn speaks it, with a limit to how long somebody may take to say what he wants.

uvicorn waits for the headers of a request for ever, and its own answer to what is no HTTP carries none of our headers. Used by
``nobat.web`` for every listener.
"""

import asyncio
import logging
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from nobat.api.edge import security_headers
from nobat.api.problems import MEDIA_TYPE, problem

SELDOM_S = 60.0


class PatientProtocol(H11Protocol):
    """A connection on which no request is being answered is closed after ``headers_s``, whatever drips in."""

    headers_s: float = 10.0
    _silence: asyncio.TimerHandle | None = None

    @classmethod
    def within(cls, seconds: float) -> "type[PatientProtocol]":
        """The protocol with that limit."""
        return type(cls.__name__, (cls,), {"headers_s": seconds})

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._silence is not None and self._is_answering():
            self._silence.cancel()
            self._silence = None

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self._is_answering():
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._silence is not None:
            self._silence.cancel()

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _wait(self) -> None:
        if self._silence is not None:
            self._silence.cancel()
        self._silence = self.loop.call_later(self.headers_s, self._give_up)

    def _give_up(self) -> None:
        self._silence = None
        if not self._is_answering() and not self.transport.is_closing():
            self.transport.close()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's words are its own
        """What is no HTTP gets an answer like every other mistake, and the connection ends."""
        body = problem(400, "malformed_request", "this is no HTTP request").body
        headers = [(b"content-type", MEDIA_TYPE.encode()), (b"connection", b"close"), *security_headers("http")]
        for event in (h11.Response(status_code=400, headers=headers), h11.Data(data=bytes(body)), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()


class Seldom(logging.Filter):
    """Lets each sentence through once a minute: whoever sends rubbish shall not fill the disk with our words about it."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        said = self._said.get(record.msg)
        if said is not None and abs(record.created - said) < SELDOM_S:
            return False
        self._said[record.msg] = record.created  # static text, so these are few
        return True


logging.getLogger("uvicorn.error").addFilter(Seldom())
