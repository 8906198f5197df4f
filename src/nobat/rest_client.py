"""A small client of our own REST interface for ``nobat status`` and ``nobat apply --url``; standard library only."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

TIMEOUT_S = 10.0


class RestError(Exception):
    """The service refused or did not answer; the message is for the operator. ``status`` 0: no answer."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class RestClient:
    """One service and a token for it."""

    url: str
    token: str | None = None
    timeout_s: float = TIMEOUT_S

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None, accept: int | None = None) -> Any:
        """The decoded answer, None for an empty one. Raises ``RestError`` for any error but ``accept``."""
        if urlsplit(self.url).scheme not in {"http", "https"}:
            raise RestError(f"{self.url!r} is no http address")
        headers = {"content-type": "application/json"} if body is not None else {}
        if self.token is not None:
            headers["authorization"] = f"Bearer {self.token}"
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.url.rstrip("/") + path, data, headers, method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=self.timeout_s) as response:  # noqa: S310 - the scheme is checked above
                answer = response.read()
        except urllib.error.HTTPError as error:
            if error.code == accept:
                return json.loads(error.read())
            raise RestError(f"{method} {path}: {_reason(error)}", error.code) from None
        except (OSError, ValueError) as error:
            raise RestError(f"{self.url} does not answer: {getattr(error, 'reason', error)}") from None
        return json.loads(answer) if answer else None

    def everything(self, path: str) -> list[dict[str, Any]]:
        """All items of a list."""
        items: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            query = urlencode({"limit": 500} | ({"cursor": cursor} if cursor else {}))
            page = self.ask("GET", f"{path}?{query}")
            items += page["items"]
            cursor = page["next"]
            if cursor is None:
                return items


def segment(identifier: str) -> str:
    """An id as a part of a path."""
    return quote(identifier, safe="")


def _reason(error: urllib.error.HTTPError) -> str:
    try:
        told = json.loads(error.read())
        return str(told.get("detail") or told.get("title") or error.reason)
    except (ValueError, AttributeError):
        return f"{error.code} {error.reason}"
