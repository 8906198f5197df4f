"""The rig of the benchmarks that need calls: one PBX that also carries the peer, a phone bank, and the service as users run it.

The peer is Asterisk's own ``app_queue`` on the same PBX: number 9000, the same phones, the settings that its users choose for
speed (autofill, retry of a second, no ringing of busy phones). Nobat's queue is 8000, the service runs with database and API.
"""

import asyncio
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.figures import cpu_seconds
from lab.asterisk import Instance
from lab.home import find_home
from lab.pbx import PbxSettings, write_pbx
from lab.phones import lab_phones
from lab.service import Service
from tests.support.pbx import TestPbx
from tests.support.phonebank import Customer, PhoneBank, PhoneMoment
from tests.support.ports import free_port, free_udp_port

OURS, PEER = "8000", "9000"


@dataclass(slots=True)
class Rig:
    """Everything that runs, and the client of the API."""

    pbx: TestPbx
    bank: PhoneBank
    service: Service
    api: httpx.AsyncClient
    agents: int

    def service_cpu(self) -> float:
        return cpu_seconds(self.service.running_pid() or 0)

    def pbx_cpu(self) -> float:
        return cpu_seconds(self.pbx.instance.running_pid() or 0)

    async def get(self, path: str) -> dict[str, object]:
        """An answer of the API."""
        reply = await self.api.get(path)
        reply.raise_for_status()
        found: dict[str, object] = reply.json()
        return found

    async def keep_calling(
        self,
        number: str,
        live: int,
        enough: Callable[[], bool],
        within_s: float,
        before_quiet: Callable[[], None] = lambda: None,
    ) -> None:
        """Keep ``live`` customers on the line to ``number`` until ``enough``, then let them all go."""
        began = asyncio.get_running_loop().time()
        mine: list[Customer] = []
        while not enough() and asyncio.get_running_loop().time() - began < within_s:
            mine = [customer for customer in mine if not customer.is_over]
            for _ in range(live - len(mine)):
                mine.append(await self.bank.call(number))
            await asyncio.sleep(0.02)
        before_quiet()
        await self.quiet()

    async def quiet(self) -> None:
        """No call anywhere, every agent free."""
        await self.bank.ami.act("Hangup", Channel="/^PJSIP/", Cause="16")
        await self.until(self.pbx.is_quiet)
        await self.until(self._all_idle)

    async def _all_idle(self) -> bool:
        items = (await self.get("/v1/agents?limit=200"))["items"]
        assert isinstance(items, list)
        return sum(agent["state"] == "idle" for agent in items) == self.agents

    async def until(self, condition: Callable[[], Awaitable[bool]], within_s: float = 30) -> None:
        deadline = asyncio.get_running_loop().time() + within_s
        while not await condition():
            if asyncio.get_running_loop().time() > deadline:
                raise RuntimeError(f"the rig did not become quiet: {await self.get('/v1/agents?limit=200')}")
            await asyncio.sleep(0.05)


@asynccontextmanager
async def rig(
    agents: int, *, talk_s: tuple[float, float], ring_s: float = 0.0, dialplan: str = ""
) -> AsyncIterator[Rig]:
    """Bring everything up with ``agents`` signed in; each talks for a random time of ``talk_s`` and hangs up."""
    directory = Path(tempfile.mkdtemp(prefix="nobat-bench-"))
    pbx = await _pbx(directory, agents, dialplan)
    service = Service(
        directory / "service", free_port(), pbx.ami_port, pbx.ami_secret, recording_dir=pbx.instance.recordings
    )
    bank: PhoneBank | None = None
    try:
        bank = await pbx.phone_bank()
        await bank.given_phone("any", does="answer", ring=ring_s, talk=talk_s, tone=0)
        service.write()
        declaration = directory / "bench.yaml"
        declaration.write_text(_declaration(agents))
        service.prepare(declaration)
        token = service.token(directory / "token", "--role", "admin", "--name", "bench")
        service.start()
        service.wait_ready()
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(base_url=service.url, headers=headers, timeout=20) as api:
            for number in range(101, 101 + agents):
                (await api.put(f"/v1/agents/{number}/status", json={"status": "available"})).raise_for_status()
            running = Rig(pbx, bank, service, api, agents)
            await running.quiet()
            yield running
    finally:
        service.stop()
        if bank is not None:
            await bank.close()
        await pbx.close()
        shutil.rmtree(directory, ignore_errors=True)


async def _pbx(directory: Path, agents: int, dialplan: str) -> TestPbx:
    """The shipped PBX, with the peer's queue, an account without event filters and one that may raise events added to it."""
    instance = Instance(f"bench-{os.getpid()}-{secrets.token_hex(2)}", find_home(), directory / "pbx")
    settings = PbxSettings(
        sip_port=free_udp_port(),
        ami_port=free_port(),
        ami_secret=secrets.token_hex(16),
        trunk=f"127.0.0.1:{free_udp_port()}",
        phones=lab_phones(agents),
        rtp_start=20000,
        rtp_end=29999,
    )
    write_pbx(instance, settings)
    etc = instance.directory / "etc"
    members = "\n".join(f"member => PJSIP/agent-{number}" for number in range(101, 101 + agents))
    _add(etc / "modules.conf", "load = app_queue.so\n")
    _add(
        etc / "queues.conf",
        "[general]\nautofill = yes\n[peer]\nstrategy = leastrecent\nretry = 1\ntimeout = 15\nautofill = yes\n"
        f"ringinuse = no\nwrapuptime = 0\nmusicclass = default\n{members}\n",
        like=etc / "modules.conf",
    )
    _add(
        etc / "extensions.conf",
        "\n[from-trunk](+)\nexten => 9000,1,Answer()\n same => n,Queue(peer)\n same => n,Hangup()\n" + dialplan,
    )
    _add(
        etc / "manager.conf",
        f"\n[unfiltered]\nsecret = {settings.ami_secret}\nread = all\nwrite = reporting\nwritetimeout = 5000\n"
        f"\n[storm]\nsecret = {settings.ami_secret}\nread = user\nwrite = user\nwritetimeout = 5000\n",
    )
    pbx = TestPbx(instance, settings)
    instance.start()
    await pbx.until_booted()
    return pbx


def _add(file: Path, text: str, like: Path | None = None) -> None:
    with file.open("a") as appended:
        appended.write(text)
    if like is not None:
        model = like.stat()
        os.chown(file, model.st_uid, model.st_gid)
        file.chmod(model.st_mode)


def _declaration(agents: int) -> str:
    lines = ["queues:", "  - {id: sales, name: Sales, number: '8000', wrap_up_s: 0, ring_s: 15}", "agents:"]
    lines += [
        f"  - {{id: '{number}', name: Agent {number}, device: PJSIP/agent-{number}, queues: [sales], pin: '{number}'}}"
        for number in range(101, 101 + agents)
    ]
    return "\n".join(lines) + "\n"


def hand_offs(moments: Sequence[PhoneMoment]) -> list[float]:
    """Milliseconds from each phone's BYE to its next INVITE, both by the phone bank's clock."""
    left: dict[str, float] = {}
    spans: list[float] = []
    for moment in moments:
        if moment.kind == "PhoneBye":
            left[moment.phone] = moment.ms
        elif moment.kind == "PhoneInvite" and moment.phone in left:
            spans.append(moment.ms - left.pop(moment.phone))
    return spans
