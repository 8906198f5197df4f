"""What chaos is done to: PBX, phone bank and the service as it is shipped, which sees its PBX through a fault proxy.

``async with centre(...)`` starts it with all agents signed in. Used by ``make chaos`` and by the benchmarks of recovery.
"""

import asyncio
import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from chaos.disk import SmallDisk
from lab.declaration import fallback_queues
from lab.service import Service
from tests.support.fault_proxy import FaultProxy
from tests.support.pbx import TestPbx
from tests.support.phonebank import PhoneBank
from tests.support.ports import free_port
from tests.support.postgres import PostgresServer, start_postgres
from tests.support.until import until

Json = dict[str, Any]
NUMBER = "8000"


@dataclass(frozen=True, slots=True)
class SentOffer:
    """An offer as it went over the wire."""

    at: float
    offer: str
    channel: str
    targets: tuple[str, ...]


@dataclass(slots=True)
class Wire:
    """What the service told its PBX, read at the proxy."""

    now: Callable[[], float]
    sent: list[SentOffer] = field(default_factory=list)
    logins: list[float] = field(default_factory=list)
    _told: dict[str, list[str]] = field(default_factory=dict)

    def heard(self, raw: bytes) -> None:
        """One action. An offer is told to the caller's channel first; its Redirect sets it going."""
        headers = dict(re.findall(r"^(\w+): (.*?)\r?$", raw.decode("utf-8", "replace"), re.MULTILINE))
        channel = headers.get("Channel", "")
        if headers.get("Action") == "Login":
            self.logins.append(self.now())
        elif headers.get("Action") == "Setvar" and headers.get("Variable", "").startswith("ARRAY(ACD_OFFER,"):
            self._told[channel] = headers.get("Value", "").split(",")
        elif headers.get("Action") == "Redirect" and headers.get("Context") == "acd-offer":
            offer, targets, *_ = self._told.pop(channel, ["", ""])
            self.sent.append(SentOffer(self.now(), offer, channel, tuple(targets.split("&"))))


@dataclass(slots=True)
class Centre:
    """Everything that runs, and an administrator's view of it."""

    pbx: TestPbx
    bank: PhoneBank
    service: Service
    proxy: FaultProxy
    wire: Wire
    api: httpx.AsyncClient
    agents: tuple[str, ...]
    database: PostgresServer | None = None  # None: SQLite in the service's folder
    disk: SmallDisk | None = None  # what the service writes to; None: the machine's own

    async def get(self, path: str, **query: Any) -> Json:
        """An answer of the API."""
        reply = await self.api.get(path, params=query)
        reply.raise_for_status()
        found: Json = reply.json()
        return found

    async def all(self, path: str, **query: Any) -> list[Json]:
        """Every page of a list."""
        items: list[Json] = []
        page = await self.get(path, limit=200, **query)
        items += page["items"]
        while page["next"] is not None:
            page = await self.get(path, limit=200, cursor=page["next"], **query)
            items += page["items"]
        return items

    async def stats(self) -> Json:
        return await self.get("/v1/queues/sales/stats", window="today")

    async def choose(self, agent: str, status: str) -> None:
        (await self.api.put(f"/v1/agents/{agent}/status", json={"status": status})).raise_for_status()

    async def ready(self) -> bool:
        """Whether ``/readyz`` says that calls are routed. (A database that is away does not hinder calls.)"""
        try:
            reply = await self.api.get("/readyz", timeout=1)
        except httpx.HTTPError:
            return False
        return all(pbx["ready"] for pbx in reply.json().get("pbx", {"": {"ready": False}}).values())

    async def until_ready(self, within_s: float = 30) -> float:
        """Wait until calls are routed; how long that took, in seconds."""
        began = asyncio.get_running_loop().time()
        await until(self.ready, "the service routes calls", within_s=within_s, every_s=0.02, seen=self.service.log_tail)
        return asyncio.get_running_loop().time() - began

    async def until_quiet(self, within_s: float = 30) -> None:
        """Everybody has hung up, and the service knows."""
        await self.bank.ami.act("Hangup", Channel="/^PJSIP/", Cause="16")
        await until(self.pbx.is_quiet, "no channel is left", within_s=within_s, seen=lambda: self.pbx.left)
        await until(self._no_live_call, "no call is live", within_s=within_s)

    async def _no_live_call(self) -> bool:
        try:
            found = await self.get("/v1/calls", state=["waiting", "offered", "talking", "after"], limit=1)
        except httpx.HTTPError:
            return False
        return not found["items"]


@asynccontextmanager
async def centre(
    agents: int,
    *,
    settings: str = "",
    ring_s: int = 4,
    rest_s: float = 0.2,
    postgres: bool = False,
    rtp_timeout_s: int = 5,
    small_disk: bool = False,
) -> AsyncIterator[Centre]:
    """Bring everything up. ``settings``: more of the service's configuration; ``postgres``: its database, else SQLite.

    ``small_disk``: the service writes to one that can be filled up, where that can be made.
    """
    directory = Path(tempfile.mkdtemp(prefix=f"nobat-serving-{os.getpid()}-"))  # the tests' sweep removes what is left
    disk = SmallDisk.at(directory) if small_disk else None
    names = tuple(str(number) for number in range(101, 101 + agents))
    declaration = directory / "queues.yaml"
    declaration.write_text(_declaration(names, ring_s, rest_s))
    server, bank, service, pbx = None, None, None, None
    try:
        if postgres:
            server = await asyncio.to_thread(start_postgres)
        pbx = await TestPbx.started(
            "chaos", agents=agents, queues=fallback_queues(declaration), rtp_timeout_s=rtp_timeout_s
        )
        bank = await pbx.phone_bank()
        async with FaultProxy(pbx.ami_port) as proxy:
            wire = Wire(asyncio.get_running_loop().time)
            proxy.heard = wire.heard
            url = server.create_database() if server is not None else None
            service = Service(directory, free_port(), proxy.port, pbx.ami_secret, database_url=url)
            service.write()
            with service.config.open("a") as config:
                config.write(settings)
            await asyncio.to_thread(service.prepare, declaration)
            token = service.token(directory / "token", "--role", "admin", "--name", "chaos")
            await asyncio.to_thread(service.start)
            headers = {"Authorization": f"Bearer {token}"}
            async with httpx.AsyncClient(base_url=service.url, headers=headers, timeout=10) as api:
                made = Centre(pbx, bank, service, proxy, wire, api, names, server, disk)
                await made.until_ready()
                for name in names:
                    await made.choose(name, "available")
                yield made
    finally:
        await _close(service, bank, pbx)
        if server is not None:
            await asyncio.to_thread(server.stop)
        if disk is not None:
            disk.close()
        shutil.rmtree(directory, ignore_errors=True)


async def _close(service: Service | None, bank: PhoneBank | None, pbx: TestPbx | None) -> None:
    if service is not None:
        await asyncio.to_thread(service.stop)
    if bank is not None:
        await bank.close()
    if pbx is not None:
        await pbx.close()


def _declaration(agents: tuple[str, ...], ring_s: int, rest_s: float) -> str:
    queue = (
        f"queues:\n  - {{id: sales, number: '{NUMBER}', ring_s: {ring_s}, wrap_up_s: 0.0, rest_s: {rest_s}}}\nagents:\n"
    )
    return queue + "".join(
        f"  - {{id: '{agent}', device: PJSIP/agent-{agent}, queues: [sales], pin: '{agent}'}}\n" for agent in agents
    )
