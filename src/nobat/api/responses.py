"""The errors that an operation declares in the OpenAPI document."""

from typing import Any

from nobat.api.problems import MEDIA_TYPE, Problem

_AGAIN = {
    "Retry-After": {
        "description": "Whole seconds.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
    }
}
_WORDS = {
    401: "No valid token.",
    403: "The token's role does not allow it.",
    404: "There is no such thing, or this token may not see it.",
    409: "Its state does not allow it; the answer names the state.",
    408: "The body took too long to come.",
    413: "The body is too large.",
    422: "A field is wrong; the answer names it.",
    429: "Too many requests with this token, or too many wrong tokens from this address.",
    503: "The database is away, calls come first, or it took too long; the slug says which.",
}


def errors(*more: int) -> dict[int | str, dict[str, Any]]:
    """What every operation may answer, and ``more``."""
    return {status: _error(status) for status in sorted({401, 403, 422, 429, 503, *more})}


def of_bodies() -> dict[str, dict[str, Any]]:
    """What every operation that takes a body may answer besides, as the document has it."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {str(status): {"description": _WORDS[status], "content": content} for status in (408, 413)}


def _error(status: int) -> dict[str, Any]:
    headers = {"headers": _AGAIN} if status == 429 else {}
    return {"description": _WORDS[status], "model": Problem, "content": {MEDIA_TYPE: {}}, **headers}
