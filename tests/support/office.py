"""The whole service in the test's own event loop: real engine, real storage, real REST interface, a PBX in memory.

Nothing sleeps: time is the test's (``pass_time``), and ``until`` looks again and again until something holds.
"""

import asyncio
import shutil
import time
import wave
import weakref
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import httpx

from acd.agents import AgentSpec
from acd.ids import AgentId, PbxId, QueueId
from acd.queues import QueueSpec
from acd.telephony import DeviceChanged, DeviceState
from nobat.api.application import create_api
from nobat.app import App
from nobat.auth import Role, new_token
from nobat.clock import Clock
from nobat.mail.settings import MailReportSettings, MailSettings
from nobat.pins import hash_pin
from nobat.ports import Deliver, Observer
from nobat.retention_settings import RetentionSettings
from nobat.settings import DatabaseSettings, HistorySettings, NumberRoute, PbxSettings, RecordingSettings, Settings
from nobat.storage import catalogue, tokens
from nobat.storage.catalogue import Changes
from nobat.storage.database import Database
from nobat.storage.migrate import migrate
from nobat.web import service_of
from tests.support.memory_pbx import MemoryPbx

DEADLINE_S = 10.0


class TestClock(Clock):
    """The real clock, moved forward by hand."""

    __test__ = False

    def move(self, seconds: float) -> None:
        self._offset += seconds


async def until(condition: Callable[[], Any], what: str = "what was awaited") -> Any:
    """The first true value of ``condition``; fails when it does not come within the deadline."""
    deadline = time.monotonic() + DEADLINE_S
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {DEADLINE_S:g} s")
        await asyncio.sleep(0.001)
    return value


@dataclass
class Person:
    """Somebody with a token."""

    client: httpx.AsyncClient
    token: str | None

    async def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.token}"} if self.token is not None else {}
        return await self.client.request(method, path, headers=headers | options.pop("headers", {}), **options)

    async def get(self, path: str, **query: Any) -> Any:
        """The body of an answer that must be good."""
        response = await self.ask("GET", path, params=query)
        assert response.status_code == 200, response.text
        return response.json()

    async def chooses(self, agent: str, status: str, **more: Any) -> Any:
        response = await self.ask("PUT", f"/v1/agents/{agent}/status", json={"status": status, **more})
        assert response.status_code == 200, response.text
        return response.json()


@dataclass(eq=False)
class Office:
    """One service, its PBX and the people around it."""

    url: str
    clock: TestClock = field(default_factory=TestClock)
    commit_deadline_s: float = 10.0  # a busy machine may take its time to write
    batch_wait_s: float = 0.01
    numbers: tuple[NumberRoute, ...] = (NumberRoute(pattern="0219*", dial="PJSIP/{number}@trunk"),)
    mail: tuple[MailSettings, tuple[MailReportSettings, ...]] = (
        MailSettings(),
        (MailReportSettings(name="daily", to=("boss@example.org",)),),
    )

    retention: RetentionSettings = field(default_factory=RetentionSettings)

    def __post_init__(self) -> None:
        self.pbx = MemoryPbx(self.clock.now)
        folder = mkdtemp(prefix="nobat-office-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self.journal, self.voicemail_dir = Path(folder) / "journal", Path(folder) / "voicemail"
        self.recording_dir, self.vault = Path(folder) / "recording", Path(folder) / "vault"
        self.voicemail_dir.mkdir()
        self.recording_dir.mkdir()

    async def prepare(
        self, queues: list[QueueSpec], agents: list[AgentSpec], pins: dict[str, str] | None = None
    ) -> None:
        """The database as ``nobat migrate`` and ``nobat apply`` leave it."""
        database = Database(self.url)
        await migrate(database)
        hashes = tuple((AgentId(agent), _hashed(pin)) for agent, pin in (pins or {}).items())
        await catalogue.change(database, Changes(queues=tuple(queues), agents=tuple(agents), pin_hashes=hashes))
        await database.close()

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Office"]:
        """The service runs, and ends in order."""
        await self.start()
        try:
            yield self
        finally:
            await self.stop()

    async def start(self) -> None:
        self.app = App.build(
            self._settings(), self.clock, lambda _name, deliver, observer: self._link(deliver, observer)
        )
        await self.app.start()
        self.interface = create_api(service_of(self.app))
        transport = httpx.ASGITransport(self.interface, raise_app_exceptions=False)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://nobat")
        await until(
            lambda: self.app.engine.read(lambda floor, _: PbxId("pbx1") in floor.pbxs), "the first word of the PBX"
        )

    async def stop(self) -> None:
        await self.client.aclose()
        await self.app.stop()

    async def die(self) -> None:
        """As SIGKILL would have it: nothing is settled, nothing is written."""
        for task in self.app.tasks.values():
            task.cancel()
        await asyncio.gather(*self.app.tasks.values(), return_exceptions=True)
        await self.app.leftovers.close()
        await self.client.aclose()
        await self.app.node.release()
        await self.app.database.close()

    async def restarted(self) -> Person:
        """All is written, then the service is killed and started again; its administrator."""
        await self.written()
        await self.die()
        await self.start()
        await self.settled()
        return await self.admin()

    async def person(self, role: Role, agent: str | None = None, queues: tuple[str, ...] = ()) -> Person:
        """Somebody with a fresh token."""
        token, kept = new_token(role, f"a {role}", self.clock.now(), agent, queues)
        await tokens.add(self.app.database, kept)
        return Person(self.client, token)

    async def admin(self) -> Person:
        return await self.person(Role.ADMIN)

    async def pass_time(self, seconds: float) -> None:
        """Time passes, and whatever was due in it happens."""
        self.clock.move(seconds)
        self.app.engine.deliver(DeviceChanged(self.pbx.phone("PJSIP/nobody"), DeviceState.NOT_IN_USE))
        await self.settled()

    async def settled(self) -> None:
        """The inbox is empty and what came of it has been done."""
        for _ in range(20):
            await asyncio.sleep(0)
        await until(lambda: self.app.engine.backlog() == 0, "an empty inbox")

    async def written(self) -> None:
        """All history is in the database."""
        await until(lambda: self.app.recorder.pending == 0, "history in the database")

    def _link(self, deliver: Deliver, observer: Observer) -> Any:
        return self.pbx.link(deliver, observer)

    def _settings(self) -> Settings:
        return Settings(
            database=DatabaseSettings(url=self.url, commit_deadline_s=self.commit_deadline_s),
            pbx=(
                PbxSettings(
                    name="pbx1",
                    secret="not needed here",
                    voicemail_dir=self.voicemail_dir,
                    recording_dir=self.recording_dir,
                ),
            ),
            recordings=RecordingSettings(folder=self.vault),
            numbers=self.numbers,
            retention=self.retention,
            mail=self.mail[0],
            mail_report=self.mail[1],
            history=HistorySettings(batch_wait_s=self.batch_wait_s, journal=self.journal),
        )


@cache
def _hashed(pin: str) -> str:
    return hash_pin(pin)


def speak(file: Path, seconds: float = 2.0) -> None:
    """A message as Asterisk records one: silence, but whole."""
    with wave.open(str(file), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(int(16_000 * seconds)))


def queue(name: str = "sales", number: str = "8000", **more: Any) -> QueueSpec:
    return QueueSpec(QueueId(name), number, **{"wrap_up_s": 0.0, **more})


def agent(name: str, *queues: str, **more: Any) -> AgentSpec:
    """An agent with a phone of the same name."""
    from acd.ids import DeviceId

    device = DeviceId(f"pbx1/PJSIP/agent-{name}")
    return AgentSpec(AgentId(name), **{"device": device, "queues": tuple(QueueId(one) for one in queues), **more})
