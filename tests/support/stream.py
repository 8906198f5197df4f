"""A reader of server-sent events: asks the interface itself and reads what comes, piece by piece, as a browser would."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from starlette.types import ASGIApp, Message

from tests.support.office import until


@dataclass
class Stream:
    """What has come so far."""

    status: int | None = None
    text: str = ""
    over: bool = False
    reading: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def events(self) -> list[tuple[str | None, str, dict[str, Any]]]:
        """Id, kind and data of each whole event."""
        found = []
        for block in self.text.split("\n\n")[:-1]:
            lines = dict(line.partition(": ")[::2] for line in block.split("\n") if not line.startswith(":"))
            if "data" in lines:
                found.append((lines.get("id"), lines["event"], json.loads(lines["data"])))
        return found

    @property
    def kinds(self) -> list[str]:
        return [kind for _, kind, _ in self.events]

    async def until_kind(self, kind: str) -> dict[str, Any]:
        await until(lambda: kind in self.kinds, f"{kind} in the stream")
        return next(data for _, name, data in self.events if name == kind)


def scope_of(token: str, last: str | None = None, **query: Any) -> dict[str, Any]:
    """The request for the stream."""
    headers = [(b"authorization", f"Bearer {token}".encode())]
    headers += [(b"last-event-id", last.encode())] if last is not None else []
    return {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": "GET",
        "scheme": "http", "path": "/v1/events", "raw_path": b"/v1/events", "root_path": "", "headers": headers,
        "query_string": urlencode(query, doseq=True).encode(), "client": ("127.0.0.1", 1), "server": ("nobat", 80),
    }  # fmt: skip


@asynccontextmanager
async def streaming(app: ASGIApp, token: str, last: str | None = None, **query: Any) -> AsyncIterator[Stream]:
    """Read ``/v1/events`` while the block runs. Clear ``reading`` to let the sender wait."""
    stream, gone = Stream(), asyncio.Event()
    stream.reading.set()
    asked = False

    async def receive() -> Message:
        nonlocal asked
        if not asked:
            asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        await stream.reading.wait()
        if message["type"] == "http.response.start":
            stream.status = message["status"]
        else:
            stream.text += message.get("body", b"").decode()

    task = asyncio.create_task(app(scope_of(token, last, **query), receive, send))  # type: ignore[arg-type]
    task.add_done_callback(lambda _: setattr(stream, "over", True))
    await until(lambda: stream.text or stream.over, "the stream begins")
    try:
        yield stream
    finally:
        gone.set()
        stream.reading.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(5):
                await asyncio.wait({task})
        assert task.done()
