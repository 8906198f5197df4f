"""Every error, from a wrong field to a fault of ours, as ``application/problem+json`` (RFC 9457) with a stable slug.

Slugs are API and are not renamed. The three classes of the domain's refusals map to statuses here and nowhere else.
"""

from collections.abc import Mapping
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from acd.errors import AcdError, Conflict, Invalid, NotFound
from nobat.engine import Overloaded
from nobat.engine import StorageUnavailable as NotDurable
from nobat.recording.confirmation import NotConfirmed
from nobat.storage.errors import StorageConflict, StorageUnavailable

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"

STATUS_OF: dict[type[AcdError], int] = {NotFound: 404, Conflict: 409, Invalid: 422}

_OF_STATUS: dict[int, tuple[str, str]] = {
    400: ("malformed_body", "The body cannot be read."),
    401: ("unauthenticated", "A valid bearer token is needed."),
    403: ("forbidden", "This token's role does not allow it."),
    404: ("not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address does not take this method."),
    408: ("body_too_slow", "The body took too long to come."),
    413: ("body_too_large", "The body is too large."),
    422: ("invalid_request", "A field of the request is wrong."),
    429: ("too_many_requests", "Too many requests, or too many wrong tokens; Retry-After says when to come again."),
    500: ("internal_error", "Something went wrong here; it has been logged."),
    503: ("storage_unavailable", "The database is away; nothing was changed. Try again later."),
}


class FieldError(BaseModel):
    """One field that is wrong."""

    field: str = Field(examples=["service_level.ratio"])
    message: str = Field(examples=["input should be less than or equal to 1"])


class Problem(BaseModel):
    """What every error looks like. Refusals of the domain add fields of their own, such as `current` and `requested`."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["urn:nobat:problem:unknown_queue"])
    slug: str = Field(examples=["unknown_queue"], description="Stable; programs compare this.")
    title: str
    status: int
    detail: str | None = None
    errors: list[FieldError] | None = None


def problem(
    status: int,
    slug: str | None = None,
    detail: str | None = None,
    *,
    headers: dict[str, str] | None = None,
    more: Mapping[str, object] | None = None,
) -> JSONResponse:
    """The response of one error."""
    default_slug, title = _OF_STATUS.get(status, ("error", "The request was refused."))
    body: dict[str, Any] = {"type": f"urn:nobat:problem:{slug or default_slug}", "slug": slug or default_slug}
    body |= {"title": title, "status": status}
    if detail is not None:
        body["detail"] = detail
    body |= {key: value for key, value in (more or {}).items() if key not in body}
    return JSONResponse(body, status, headers, media_type=MEDIA_TYPE)


def unauthenticated() -> JSONResponse:
    """401 for no token and for a wrong one alike."""
    return problem(401, headers={"WWW-Authenticate": 'Bearer realm="nobat"'})


def token_ended() -> JSONResponse:
    """401 for a token that was right until its time was over: whoever has it knows the secret, and is told."""
    headers = {"WWW-Authenticate": 'Bearer realm="nobat", error="invalid_token"'}
    return problem(401, "token_ended", "This token's time is over: it needs a new one.", headers=headers)


def add_handlers(api: FastAPI) -> None:
    """Every exception that a route may raise on purpose. What else it raises is logged in ``nobat.api.edge``."""
    api.add_exception_handler(AcdError, _refused)
    api.add_exception_handler(RequestValidationError, _invalid)
    api.add_exception_handler(HTTPException, _http)
    api.add_exception_handler(StorageUnavailable, _away)
    api.add_exception_handler(NotDurable, _not_durable)
    api.add_exception_handler(NotConfirmed, _not_confirmed)
    api.add_exception_handler(Overloaded, _overloaded)
    api.add_exception_handler(StorageConflict, _storage_conflict)
    api.add_exception_handler(Exception, _ours)  # answered here, logged in nobat.api.edge


def _refused(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, AcdError):
        raise error
    status = next((status for kind, status in STATUS_OF.items() if isinstance(error, kind)), 422)
    more: dict[str, object] = dict(error.details)
    field = more.pop("field", None)
    if field is not None:
        more["errors"] = [{"field": field, "message": error.message}]
    return problem(status, error.slug, error.message, more=more)


def _invalid(_request: Request, error: Exception) -> JSONResponse:
    """Names each wrong field, and repeats nothing of what was sent."""
    if not isinstance(error, RequestValidationError):
        raise error
    errors = [{"field": _field(one["loc"]), "message": _message(one["msg"])} for one in error.errors()]
    first = f"{errors[0]['field']}: {errors[0]['message']}" if errors else None
    return problem(422, detail=first, more={"errors": errors})


def _field(where: tuple[int | str, ...]) -> str:
    """The field's path in the body, or the parameter's name; ``body`` when the whole body is wrong."""
    inside = [str(part) for part in where[1:] if not isinstance(part, int) or where[0] == "body"]
    if where and where[0] == "body" and (not inside or inside[0].isdigit()):
        return "body"
    return ".".join(part.encode("utf-8", "replace").decode()[:100] for part in inside) or str(where[0])


def _message(message: str) -> str:
    message = message.removeprefix("Value error, ")
    return message[:1].lower() + message[1:]


def _http(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    if error.status_code == 400:  # FastAPI's word for a body that is no JSON at all
        wrong = [{"field": "body", "message": "cannot be read as JSON"}]
        return problem(422, "malformed_body", "the body cannot be read as JSON", more={"errors": wrong})
    headers = dict(error.headers) if error.headers else None
    if error.status_code == 401:
        return unauthenticated()
    return problem(error.status_code, headers=headers)


def _away(_request: Request, _error: Exception) -> JSONResponse:
    return problem(503, headers={"Retry-After": "2"})


def _not_durable(_request: Request, _error: Exception) -> JSONResponse:
    detail = "It is done, but the database is away: a restart before it is back would forget it."
    return problem(503, "not_durable", detail, headers={"Retry-After": "2"})


def _not_confirmed(_request: Request, _error: Exception) -> JSONResponse:
    detail = "It is promised, and the PBX has not confirmed it yet: until it has, what is said may be recorded."
    return problem(503, "not_confirmed", detail)


def _overloaded(_request: Request, _error: Exception) -> JSONResponse:
    return problem(503, "overloaded", "calls come first; nothing was changed", headers={"Retry-After": "2"})


def _ours(_request: Request, _error: Exception) -> JSONResponse:
    return problem(500)


def _storage_conflict(_request: Request, _error: Exception) -> JSONResponse:
    return problem(409, "conflict", "another change came between; read again and repeat")
