"""Puts the interface together: routes, error handlers, what stands before them, and the OpenAPI document."""

from importlib.metadata import PackageNotFoundError, version
from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from starlette.types import ASGIApp

from nobat.api import (
    agent_history,
    agents,
    breaks,
    call_history,
    callback_reports,
    callbacks,
    callers,
    calls,
    closings,
    consults,
    docs,
    erasures,
    feed,
    health,
    help_requests,
    mails,
    moves,
    opt_outs,
    queues,
    recordings,
    reports,
    supervisions,
    voicemails,
)
from nobat.api.edge import Authentication, SafetyNet, SizeLimit
from nobat.api.examples import add_examples
from nobat.api.patience import SlowAnswers, SlowBodies
from nobat.api.problems import MEDIA_TYPE, add_handlers
from nobat.api.responses import of_bodies
from nobat.api.service import Service
from nobat.api.shedding import Shedding

DESCRIPTION = (
    "Contact-centre control for Asterisk. Times are RFC 3339 in UTC, durations are seconds and their fields end in _s, "
    "lists come as items and next. Every error is application/problem+json with a stable slug. "
    "Send a token made by `nobat token create` as `Authorization: Bearer …`."
)


def installed_version() -> str:
    """The version of this program."""
    try:
        return version("nobat")
    except PackageNotFoundError:
        return "0"


def create_api(service: Service) -> ASGIApp:
    """The whole interface."""
    api = bare_api(with_metrics=service.metrics_here)
    api.openapi()  # builds what FastAPI would else build while the first requests, and calls, wait
    api.state.service = service
    known = Authentication(api, service.authenticator, service.throttle)
    return _sheltered(Shedding(known, service.engine.behind_s, service.metrics.shed), service)


def _sheltered(app: ASGIApp, service: Service) -> ASGIApp:
    """Behind what every interface needs, whatever it serves."""
    patient = SizeLimit(SlowBodies(app, service.limits.body_s), service.limits.max_body_bytes)
    return SafetyNet(SlowAnswers(patient, service.limits.answer_s))


def create_metrics_api(service: Service) -> ASGIApp:
    """Nothing but ``/metrics``, for an address of its own."""
    api = FastAPI(title="Nobat metrics", openapi_url=None, docs_url=None, redoc_url=None)
    add_handlers(api)
    api.include_router(health.metrics_router)
    api.state.service = service
    return _sheltered(api, service)


def bare_api(*, with_metrics: bool = True) -> FastAPI:
    """Routes and document without anything behind them: enough to generate the reference."""
    api = FastAPI(
        title="Nobat",
        version=installed_version(),
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
    )
    add_handlers(api)
    parts = (
        health,
        queues,
        closings,
        agents,
        breaks,
        calls,
        moves,
        consults,
        callers,
        voicemails,
        reports,
        callback_reports,
        call_history,
        agent_history,
        mails,
        feed,
        recordings,
        supervisions,
        help_requests,
        callbacks,
        opt_outs,
        erasures,
    )
    for part in parts:
        api.include_router(part.router)
    if with_metrics:
        api.include_router(health.metrics_router)

    @api.get("/docs", include_in_schema=False)
    async def documentation() -> HTMLResponse:
        return HTMLResponse(docs.page(api.openapi()))

    _describe_errors(api, with_metrics=with_metrics)
    return api


_documents: dict[bool, dict[str, Any]] = {}
"""The document with and without ``/metrics``: the same for every interface of this process, and half a second's work."""


def _describe_errors(api: FastAPI, *, with_metrics: bool) -> None:
    """FastAPI writes errors down as plain JSON; ours are problem documents, and it lists its own 422 besides."""
    original = api.openapi

    def openapi() -> dict[str, Any]:
        if api.openapi_schema is None:
            api.openapi_schema = _documents.get(with_metrics)
        if api.openapi_schema is None:
            document = original()
            for path in document["paths"].values():
                for operation in path.values():
                    _only_problems(operation["responses"])
                    if "requestBody" in operation:
                        operation["responses"] |= of_bodies()
            add_examples(document)
            for unused in ("HTTPValidationError", "ValidationError"):
                document["components"]["schemas"].pop(unused, None)
            api.openapi_schema = _documents[with_metrics] = document
        return api.openapi_schema

    api.openapi = openapi  # type: ignore[method-assign]


def _only_problems(responses: dict[str, Any]) -> None:
    problem_schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
    for status, response in responses.items():
        if status[0] in "45" and MEDIA_TYPE in response.get("content", {}):
            response["content"] = {MEDIA_TYPE: problem_schema}


def operation_ids(api: FastAPI) -> list[str]:
    """All operations by name."""
    return [operation["operationId"] for path in api.openapi()["paths"].values() for operation in path.values()]
