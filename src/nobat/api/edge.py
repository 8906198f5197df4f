"""What stands before the routes: security headers, the size limit, authentication, and the net under everything.

Plain ASGI, outermost first: ``SafetyNet`` > ``SlowAnswers`` > ``SizeLimit`` > ``SlowBodies`` > ``Shedding`` > ``Authentication`` >
FastAPI. Authentication comes before anything of the body is looked at.
"""

import math
from collections.abc import MutableMapping
from typing import Any

import structlog
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nobat.api.problems import problem, token_ended, unauthenticated
from nobat.api.throttle import Throttle, address_of
from nobat.auth import Authenticator, Principal, TokenEnded
from nobat.storage.errors import StorageUnavailable

log = structlog.get_logger(__name__)

PROTECTED = "/v1"
SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
     b"frame-ancestors 'none'"),
)  # fmt: skip
ONLY_OVER_TLS = ((b"strict-transport-security", b"max-age=31536000"),)


def security_headers(scheme: str) -> tuple[tuple[bytes, bytes], ...]:
    """What every answer carries. ``scheme`` is the browser's, also behind a proxy that is trusted."""
    return SECURITY_HEADERS + (ONLY_OVER_TLS if scheme == "https" else ())


class SafetyNet:
    """Adds the security headers; what nobody caught becomes a 500 that tells nothing, and a log entry that tells all."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def sending(message: MutableMapping[str, Any]) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message.get("headers", ()), *security_headers(scope["scheme"])]
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception:
            log.exception("a request failed", method=scope["method"], path=scope["path"])
            if not started:
                await problem(500)(scope, receive, sending)


class SizeLimit:
    """Refuses a body that says it is too long at once, and one that does not say so as soon as it is."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app, self._max = app, max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if not declared.isdigit() or int(declared) > self._max:
            await problem(413, detail=f"at most {self._max} bytes")(scope, receive, send)
            return
        received = 0

        async def receiving() -> Message:
            nonlocal received
            message = await receive()
            if message["type"] == "http.request":
                received += len(message.get("body", b""))
                if received > self._max:
                    raise HTTPException(413)
            return message

        await self._app(scope, receiving, send)


class Authentication:
    """Lets nobody without a valid token into ``/v1``, nobody too often, and says who the others are."""

    def __init__(self, app: ASGIApp, authenticator: Authenticator, throttle: Throttle) -> None:
        self._app, self._authenticator, self._throttle = app, authenticator, throttle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] != "http" or not (path == PROTECTED or path.startswith(PROTECTED + "/")):
            await self._app(scope, receive, send)
            return
        token = bearer_token(scope)
        try:
            principal = await self._whose(token, address_of(scope)) if token else None
        except StorageUnavailable:
            await problem(503, headers={"Retry-After": "2"})(scope, receive, send)
            return
        except TooOften as too_often:
            await too_many(too_often.wait_s)(scope, receive, send)
            return
        except TokenEnded:
            await token_ended()(scope, receive, send)
            return
        if principal is None:
            await unauthenticated()(scope, receive, send)
            return
        scope.setdefault("state", {})["principal"] = principal
        await self._app(scope, receive, send)

    async def _whose(self, token: str, address: str) -> Principal | None:
        """Raises ``TooOften`` and ``TokenEnded``. A token that is known passes whatever others at its address have tried."""
        if not self._authenticator.remembers(token) and (wait_s := self._throttle.shut(address)):
            raise TooOften(wait_s)
        try:
            principal = await self._authenticator.principal(token)
        except TokenEnded:
            self._throttle.wrong(address)
            raise
        if principal is None:
            self._throttle.wrong(address)
        elif wait_s := self._throttle.asked(principal.token):
            raise TooOften(wait_s)
        return principal


class TooOften(Exception):
    """Come again in ``wait_s``."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(wait_s)
        self.wait_s = wait_s


def too_many(wait_s: float) -> JSONResponse:
    """429, with the whole seconds to wait."""
    return problem(429, headers={"Retry-After": str(max(1, math.ceil(wait_s)))})


def bearer_token(scope: Scope) -> str | None:
    """The token of the one Authorization header; None if there is none, or more than one."""
    values = [value for name, value in scope["headers"] if name == b"authorization"]
    if len(values) != 1:
        return None
    scheme, _, token = values[0].partition(b" ")
    return token.strip().decode("latin-1") or None if scheme.lower() == b"bearer" else None
