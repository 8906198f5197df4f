"""A call centre that works: PBX, phone bank and the service as it is shipped, on ports of their own.

``Serving.opened`` -> ``given_available(...)`` -> calls by ``bank`` -> what the API says (``agent``, ``call_of``, ``line``,
``stats``) -> ``quiet`` -> ``close``. Used by the tests of ``tests/asterisk`` that need the whole.
"""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx

from lab.declaration import fallback_queues
from lab.service import Service
from tests.support.pbx import TestPbx
from tests.support.phonebank import Customer, PhoneBank
from tests.support.ports import free_port
from tests.support.until import until

Json = dict[str, Any]
QUEUE, NUMBER = "sales", "8000"
NUMBERS = (("0219*", "PJSIP/{number}@trunk"),)


class Serving:
    """Everything that runs, and an admin's view of it."""

    def __init__(self, pbx: TestPbx, bank: PhoneBank, service: Service, token: str) -> None:
        self.pbx = pbx
        self.bank = bank
        self.service = service
        headers = {"Authorization": f"Bearer {token}"}
        self.api = httpx.AsyncClient(base_url=service.url, headers=headers, timeout=20)

    # ------------------------------------------------ life

    @classmethod
    async def opened(cls, agents: int = 12) -> "Serving":
        """One queue ``sales`` (8000: rings 2 s, no wrap-up, rest of half a second) and agents 101 … who serve it."""
        _sweep()
        directory = Path(tempfile.mkdtemp(prefix=f"nobat-serving-{os.getpid()}-"))
        declaration = directory / "queues.yaml"
        declaration.write_text(_declaration(agents))
        pbx = await TestPbx.started("serving", agents=agents, queues=fallback_queues(declaration))
        bank = await pbx.phone_bank()
        service = Service(
            directory,
            free_port(),
            pbx.ami_port,
            pbx.ami_secret,
            voicemail_dir=pbx.instance.voicemail,
            recording_dir=pbx.instance.recordings,
            numbers=NUMBERS,
        )
        service.write()
        service.prepare(declaration)
        token = service.token(directory / "token", "--role", "admin", "--name", "tests")
        service.start()
        service.wait_ready()
        return cls(pbx, bank, service, token)

    @asynccontextmanager
    async def on_database(self, url: str | None) -> AsyncIterator["Serving"]:
        """The same PBX and phones with a service of its own on another database (None: SQLite); this one rests meanwhile."""
        self.service.stop()
        directory = Path(tempfile.mkdtemp(prefix=f"nobat-serving-{os.getpid()}-"))
        service = replace(self.service, directory=directory, database_url=url, http_port=free_port())
        try:
            service.write()
            (directory / "queues.yaml").write_text(_declaration(4))
            service.prepare(directory / "queues.yaml")
            other = Serving(
                self.pbx, self.bank, service, service.token(directory / "token", "--role", "admin", "--name", "tests")
            )
            service.start()
            service.wait_ready()
            yield other
            await other.api.aclose()
            other.service.stop()
        finally:
            service.stop()
            self.service.start()
            shutil.rmtree(directory, ignore_errors=True)
        self.service.wait_ready()

    async def close(self) -> None:
        await self.api.aclose()
        self.service.stop()
        await self.bank.close()
        await self.pbx.close()
        shutil.rmtree(self.service.directory, ignore_errors=True)

    async def quiet(self) -> None:
        """Nobody calls, nobody is signed in, every phone is as at first; no channel is left on the PBX."""
        if self.service.running_pid() is None:
            self.service.start()
        self.service.wait_ready()
        for one in (await self.get("/v1/callbacks", state="open"))["items"]:
            await self.api.delete(f"/v1/callbacks/{one['id']}")
        await self.bank.quiet()
        await until(self.pbx.is_quiet, "no channel is left", within_s=15, seen=lambda: self.pbx.left)
        await until(self._no_live_call, "no call is live", within_s=15)
        for agent in await self.agents():
            if agent["state"] == "wrap_up":
                (await self.api.post(f"/v1/agents/{agent['id']}/wrap-up", json={"force": True})).raise_for_status()
            if agent["status"] != "signed_out":
                await self.choose(agent["id"], "signed_out")
        await self.set_queue(ring_s=2, wrap_up_s=0.0, rest_s=0.5, strategy="longest_idle")
        await self._remove_what_tests_made()

    async def _remove_what_tests_made(self) -> None:
        """Agents whose id is no number, queues beside ``sales``, and known callers."""
        made = [f"agents/{one['id']}" for one in await self.agents() if not one["id"].isdecimal()]
        made += [f"queues/{one['id']}" for one in (await self.get("/v1/queues"))["items"] if one["id"] != QUEUE]
        made += [f"callers/{one['number']}" for one in (await self.get("/v1/callers"))["items"]]
        for path in made:
            (await self.api.delete(f"/v1/{path}")).raise_for_status()

    async def _no_live_call(self) -> bool:
        return not await self.calls("waiting", "offered", "talking", "after")

    # ------------------------------------------------ what people do over REST

    async def choose(self, agent: str, status: str, **more: str) -> Json:
        reply = await self.api.put(f"/v1/agents/{agent}/status", json={"status": status, **more})
        reply.raise_for_status()
        return dict(reply.json())

    async def given_available(self, *agents: str) -> None:
        """These agents are signed in, in this order, and idle."""
        for agent in agents:
            await self.choose(agent, "available")
            await self.until_agent(agent, "idle")

    async def set_queue(self, **settings: object) -> None:
        (await self.api.patch(f"/v1/queues/{QUEUE}", json=settings)).raise_for_status()

    # ------------------------------------------------ what the API says

    async def get(self, path: str, **query: Any) -> Json:
        reply = await self.api.get(path, params=query)
        reply.raise_for_status()
        return dict(reply.json())

    async def agents(self) -> list[Json]:
        return list((await self.get("/v1/agents", limit=200))["items"])

    async def agent(self, agent: str) -> Json:
        return await self.get(f"/v1/agents/{agent}")

    async def calls(self, *states: str) -> list[Json]:
        return list((await self.get("/v1/calls", state=list(states), limit=200))["items"])

    async def call_of(self, customer: Customer) -> Json:
        """The customer's call, live or ended; empty before it has entered."""
        found = (await self.get("/v1/calls", number=customer.number))["items"]
        own = [one for one in found if one["caller"]["number"] == customer.number]  # found in any writing of the number
        return dict(own[0]) if own else {}

    async def line(self) -> list[str]:
        """Numbers of the callers in line, from its head."""
        items = (await self.get(f"/v1/queues/{QUEUE}/line", limit=200))["items"]
        return [str(item["caller"]["number"]) for item in items]

    async def stats(self) -> Json:
        return await self.get(f"/v1/queues/{QUEUE}/stats", window="today")

    # ------------------------------------------------ waiting for what is to come

    async def until_agent(self, agent: str, state: str, within_s: float = 10) -> None:
        seen: list[object] = []

        async def is_so() -> bool:
            now = await self.agent(agent)
            seen[:] = [now["state"], now["status"]]
            return bool(now["state"] == state)

        await until(is_so, f"agent {agent} is {state}", within_s=within_s, seen=lambda: seen)

    async def until_call(self, customer: Customer, within_s: float = 10, **wanted: object) -> Json:
        """Wait until the customer's call has these values; the call."""
        seen: Json = {}

        async def is_so() -> bool:
            now = await self.call_of(customer)
            seen.clear()
            seen.update(now)
            return bool(now) and all(now[name] == value for name, value in wanted.items())

        shown = ("state", "outcome", "agent", "position", "offered_to")
        await until(
            is_so,
            f"{customer.customer}: {wanted}",
            within_s=within_s,
            seen=lambda: {name: seen.get(name) for name in shown},
        )
        return seen

    async def until_line(self, customers: Sequence[Customer], within_s: float = 10) -> None:
        """Wait until exactly these customers are in line, in this order."""
        seen: list[str] = []

        async def is_so() -> bool:
            seen[:] = await self.line()
            return seen == [customer.number for customer in customers]

        await until(is_so, f"line {[c.number for c in customers]}", within_s=within_s, seen=lambda: seen)

    async def until_over(self, customers: Iterable[Customer], within_s: float = 20) -> None:
        waiting = list(customers)
        await self.bank.until(lambda: all(one.is_over for one in waiting), "all calls are over", within_s)


def _sweep() -> None:
    """End and remove the services of test runs that were killed."""
    for directory in Path(tempfile.gettempdir()).glob("nobat-serving-*-*"):
        maker = directory.name.split("-")[2]
        if maker.isdecimal() and not Path(f"/proc/{maker}").exists():
            Service(directory, 0, 0, "").stop()
            shutil.rmtree(directory, ignore_errors=True)


def _declaration(agents: int) -> str:
    queue = "queues:\n  - {id: sales, number: '8000', ring_s: 2, wrap_up_s: 0.0, rest_s: 0.5}\nagents:\n"
    return queue + "".join(
        f"  - {{id: '{number}', device: PJSIP/agent-{number}, queues: [sales], pin: '{number}'}}\n"
        for number in range(101, 101 + agents)
    )
