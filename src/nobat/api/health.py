"""``/healthz`` (the process lives), ``/readyz`` (each part, with its reason), ``/metrics``."""

import secrets
from typing import Literal, cast

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from ami.health import Health
from nobat.api.edge import bearer_token, too_many
from nobat.api.problems import unauthenticated
from nobat.api.service import Service
from nobat.api.throttle import address_of
from nobat.api.times import Moment, moment
from nobat.metrics import CONTENT_TYPE

router = APIRouter(tags=["health"])
metrics_router = APIRouter(tags=["health"])

DATABASE_DEADLINE_S = 1.0


class Alive(BaseModel):
    status: Literal["ok"] = "ok"


class Part(BaseModel):
    """One thing the service needs."""

    ready: bool
    state: str = Field(examples=["login_refused"])
    reason: str | None


class PbxPart(Part):
    since: Moment
    asterisk: str | None = Field(description="Its version.")
    warnings: list[str]


class Readiness(BaseModel):
    """Whether calls can be routed and promises kept, and what is missing."""

    status: Literal["ready", "not_ready"]
    database: Part
    pbx: dict[str, PbxPart]


@router.get("/healthz", operation_id="healthz")
async def healthz() -> Alive:
    """The process runs and answers."""
    return Alive()


@router.get(
    "/readyz", operation_id="readyz", responses={503: {"model": Readiness, "description": "Not ready, and why."}}
)
async def readyz(request: Request, response: Response) -> Readiness:
    """Whether calls can be routed. 503 names the part that is missing; calls in progress go on regardless."""
    service = cast(Service, request.app.state.service)
    readiness = await _readiness(service)
    if readiness.status != "ready":
        response.status_code = 503
    return readiness


async def _readiness(service: Service) -> Readiness:
    away = await _database_away(service)
    upgrading = service.database.upgrading
    state = "upgrading" if upgrading else "ready" if away is None else "away"
    database = Part(ready=state == "ready", state=state, reason=upgrading or away)
    pbxs = {name: _pbx(link.health) for name, link in service.pbxs.items()}
    ready = database.ready and bool(pbxs) and all(part.ready for part in pbxs.values())
    return Readiness(status="ready" if ready else "not_ready", database=database, pbx=dict(pbxs))


async def _database_away(service: Service) -> str | None:
    """Why the database cannot be used, if it cannot."""
    return await service.database.check(DATABASE_DEADLINE_S) or service.recorder.away


def _pbx(health: Health) -> PbxPart:
    return PbxPart(
        ready=health.ready,
        state=health.state,
        reason=None if health.ready else health.reason,
        since=moment(health.since),
        asterisk=health.asterisk_version,
        warnings=list(health.warnings),
    )


@metrics_router.get("/metrics", operation_id="metrics", response_class=Response)
async def metrics(request: Request) -> Response:
    """For Prometheus."""
    service = cast(Service, request.app.state.service)
    wanted = service.metrics_token
    if wanted is not None:
        token, address = bearer_token(request.scope) or "", address_of(request.scope)
        if wait_s := service.throttle.shut(address):
            return too_many(wait_s)
        if not secrets.compare_digest(token.encode(), wanted.encode()):
            service.throttle.wrong(address)
            return unauthenticated()
    service.metrics.database(up=await _database_away(service) is None)
    return Response(await service.metrics.page(), media_type=CONTENT_TYPE)
