"""start: what ``nobat serve`` computes until it logs in at Asterisk, and until the first caller is offered.

Seconds of computing, not of the clock: while 200 calls are held, media keep the machine busy, and what a start computes is what
callers wait for. The AMI is a played one with a hundred callers in line and one free agent. The peer is a Python that only imports
the libraries on which calls cannot be routed: asyncio, pydantic, SQLAlchemy with aiosqlite, and structlog.
"""

import asyncio
import json
import os
import resource
import subprocess
import sys
import urllib.request
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.figures import Spread, cpu_seconds, heading, verdict
from lab import process
from lab.service import Service
from nobat.clock import Clock
from tests.support.fake_ami import FakeAmi, FakeChannel
from tests.support.ports import free_port
from tests.support.until import until

AGENTS, WAITING = 100, 100
LIBRARIES = "import asyncio, pydantic_settings, sqlalchemy.ext.asyncio, sqlalchemy.dialects.sqlite.aiosqlite, structlog"
GOAL_S = 0.75


async def run(*, full: bool) -> bool:
    """Print both; whether a start computes no more than the goal until it logs in."""
    logins, offers, bare = [], [], []
    with TemporaryDirectory() as folder:
        service = await asyncio.to_thread(_prepared, Path(folder))
        await _started(service)  # what Python compiles on first use is there from now on
        for _ in range(20 if full else 5):
            login, offer = await _started(service)
            logins.append(login)
            offers.append(offer)
            bare.append(await asyncio.to_thread(_libraries))
    heading("start", f"nobat serve with {AGENTS} agents and {WAITING} callers in line, SQLite")
    print(f"   computed until the AMI login, s:       {Spread.of(logins)}   least {min(logins):.2f}")
    print(f"   computed until the first offer, s:     {Spread.of(offers)}   least {min(offers):.2f}")
    print(f"   peer, importing the libraries only, s: {Spread.of(bare)}   least {min(bare):.2f}")
    print(f"   a start computes {min(logins) / min(bare):.2f} times what the libraries cost")
    return verdict("least computing until the login, s", min(logins), f"<= {GOAL_S:g}", min(logins) <= GOAL_S)


def _prepared(folder: Path) -> Service:
    service = Service(folder, free_port(), free_port(), "secret", recording_dir=folder)
    service.write()
    floor = folder / "queues.yaml"
    agents = "".join(
        f"  - {{id: '{n}', device: PJSIP/agent-{n}, queues: [sales], pin: '{n}'}}\n" for n in range(101, 101 + AGENTS)
    )
    floor.write_text(f"queues:\n  - {{id: sales, number: '8000'}}\nagents:\n{agents}")
    service.prepare(floor)
    token = service.token(folder / "token", "--role", "admin", "--name", "start")
    service.start()
    process.until(lambda: service.readiness()[0] != 0, 30)
    for agent in range(101, 101 + AGENTS):
        asked = urllib.request.Request(
            f"{service.url}/v1/agents/{agent}/status",
            json.dumps({"status": "available"}).encode(),
            {"authorization": f"Bearer {token}", "content-type": "application/json"},
            method="PUT",
        )
        urllib.request.urlopen(asked, timeout=10).close()
    service.stop()
    return service


async def _started(service: Service) -> tuple[float, float]:
    """Start it and end it; what it had used at its login and at its first offer."""
    fake = FakeAmi()
    fake.port = service.ami_port
    fake.devices = {f"PJSIP/agent-{n}": "NOT_INUSE" if n == 101 else "BUSY" for n in range(101, 101 + AGENTS)}
    entered = int(Clock().now() * 1000) - 60_000
    for serial in range(WAITING):
        channel, leg = f"PJSIP/trunk-{serial:08x}", f"pbx1-{entered // 1000}.{serial}"
        said = {"ACD_CALL": f"pbx1-{entered}.{serial}", "ACD_QUEUE": "sales", "ACD_ENTERED": str(entered + serial),
                "ACD_STATE": "waiting", "ACD_PRIO": "0"}  # fmt: skip
        fake.channels[channel] = FakeChannel(channel, leg, number=f"0912{serial:07}", variables=said)
    async with fake:
        await asyncio.to_thread(service.start)
        try:
            await until(
                lambda: bool(fake.logins), "the service logs in", within_s=30, every_s=0.001, seen=service.log_tail
            )
            login = cpu_seconds(service.running_pid() or 0)
            await until(
                lambda: bool(fake.actions("Redirect")), "an offer", within_s=30, every_s=0.001, seen=service.log_tail
            )
            return login, cpu_seconds(service.running_pid() or 0)
        finally:
            await asyncio.to_thread(service.kill)


def _libraries() -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", LIBRARIES], check=True, env=dict(os.environ))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
