"""The errors that an operation declares in the OpenAPI document."""

from typing import Any

from nobat.api.problems import MEDIA_TYPE, Problem

_WORDS = {
    401: "No valid token.",
    403: "The token's role does not allow it.",
    404: "There is no such thing, or this token may not see it.",
    409: "Its state does not allow it; the answer names the state.",
    413: "The body is too large.",
    422: "A field is wrong; the answer names it.",
    503: "The database is away.",
}


def errors(*more: int) -> dict[int | str, dict[str, Any]]:
    """What every operation may answer, and ``more``."""
    return {
        status: {"description": _WORDS[status], "model": Problem, "content": {MEDIA_TYPE: {}}}
        for status in sorted({401, 403, 422, 503, *more})
    }
