"""How long a request may take: its body to come, and its answer to begin.

Plain ASGI. ``SlowBodies`` is 408 for who sends byte by byte, ``SlowAnswers`` 503 for what takes too long here. A stream has begun
its answer and may go on as long as it likes. Headers that never end are ``nobat.web``'s business, because nothing is here yet.
"""

import asyncio

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nobat.api.problems import problem


class SlowBodies:
    """Gives the whole body ``within_s``, counted from the first time that somebody wants it."""

    def __init__(self, app: ASGIApp, within_s: float) -> None:
        self._app, self._within_s = app, within_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        until: float | None = None
        whole = False

        async def receiving() -> Message:
            nonlocal until, whole
            if whole:  # now it is waited for the end of the connection, and that may take hours
                return await receive()
            until = until or asyncio.get_running_loop().time() + self._within_s
            try:
                async with asyncio.timeout_at(until):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408) from None
            whole = message["type"] != "http.request" or not message.get("more_body", False)
            return message

        await self._app(scope, receiving, send)


class SlowAnswers:
    """Gives up on an answer that has not begun ``within_s``."""

    def __init__(self, app: ASGIApp, within_s: float) -> None:
        self._app, self._within_s = app, within_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        deadline = asyncio.timeout(self._within_s)

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                deadline.reschedule(None)
            await send(message)

        try:
            async with deadline:
                await self._app(scope, receive, sending)
        except TimeoutError:
            if not deadline.expired():
                raise
            detail = f"no answer within {self._within_s:g} s; what was asked may have been done"
            await problem(503, "too_slow", detail, headers={"Retry-After": "10"})(scope, receive, send)
