"""Makes requests for every operation of the OpenAPI document, always the same ones for the same seed.

``cases`` asks schemathesis for requests that the document allows and for such that it does not. Half of them get paths of things
that exist, or nothing would be looked at but 404. ``send`` sends one, ``mistakes`` says what in the answer the document does not
allow. Used by ``tests.fuzz.run``.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


def operations(document: dict[str, Any]) -> dict[str, Any]:
    """All operations by their ids; what takes things away comes last."""
    schema = schemathesis.openapi.from_dict(document)
    found = [one.ok() for one in schema.get_all_operations()]
    found.sort(key=lambda one: (one.method.lower() == "delete", one.definition.raw["operationId"] in LAST))
    return {one.definition.raw["operationId"]: one for one in found}


LAST = {"streamEvents"}
"""It never ends while the feed is open: the run closes the feed before it."""


def cases(operation: Any, count: int, start: int) -> list[schemathesis.Case]:
    """Up to ``count`` requests: the first half as the document allows, the other half not, where that can be."""
    found: list[schemathesis.Case] = []
    for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):
        with quiet():
            found += _drawn(operation, mode, count // 2, start)
    return found


def _drawn(operation: Any, mode: schemathesis.GenerationMode, count: int, start: int) -> list[schemathesis.Case]:
    drawn: list[schemathesis.Case] = []

    @seed(start)
    @settings(
        max_examples=count,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode))
    def draw(case: schemathesis.Case) -> None:
        drawn.append(case)

    try:
        draw()
    except Exception as error:  # an operation without anything that could be wrong
        if mode is schemathesis.GenerationMode.POSITIVE or type(error).__name__ not in UNTOUCHABLE:
            raise
    return drawn


UNTOUCHABLE = {"Unsatisfiable", "SkipTest", "Skipped"}


@contextmanager
def quiet() -> Iterator[None]:
    """Warnings of the tools about how they make things up are not ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


async def send(
    client: httpx.AsyncClient, case: schemathesis.Case, token: str | None, known: dict[str, str]
) -> httpx.Response:
    """Send a request with a token, or without any; ``known`` are values for parameters of its path."""
    for name in case.path_parameters.keys() & known.keys():
        case.path_parameters[name] = known[name]
    with quiet():
        prepared = requests.Request(**_request(case)).prepare()
    headers = {name: value for name, value in prepared.headers.items() if name.lower() != "authorization"}
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    body = prepared.body.encode() if isinstance(prepared.body, str) else prepared.body
    return await client.request(prepared.method or "GET", prepared.url or "", headers=headers, content=body)


def _request(case: schemathesis.Case) -> dict[str, Any]:
    wanted = ("method", "url", "headers", "params", "json", "data", "files", "cookies")
    return {k: v for k, v in case.as_transport_kwargs(base_url="http://nobat").items() if k in wanted}


def mistakes(case: schemathesis.Case, response: httpx.Response) -> list[str]:
    """What the document does not allow in this answer."""
    try:
        with quiet():
            case.validate_response(response, checks=CHECKS)
    except FailureGroup as group:
        return [_said(case, response, one) for one in group.exceptions]
    except Failure as failure:
        return [_said(case, response, failure)]
    return []


def _said(case: schemathesis.Case, response: httpx.Response, failure: BaseException) -> str:
    request = response.request
    sent = request.content[:400].decode("utf-8", "replace")
    return (
        f"{case.operation.definition.raw['operationId']}: {failure}\n  {request.method} {request.url} {sent}\n"
        f"  {response.status_code} {response.text[:400]}"
    )
