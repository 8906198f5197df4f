"""The composition root: settings become a running service, and a running service comes to an orderly end.

Order of the start: database (under its lock, brought up to date) > what was promised and counted > engine > PBX links > REST.
The PBX links come before the REST interface because callers wait already. A PBX that is away, or a database that is, stops
nothing: the service runs, ``/readyz`` says what is missing, and it goes on by itself.

Order of the end (SIGTERM): no new offers > offers in flight are settled > REST > links > history. Calls stay as they are.
"""

import asyncio
import contextlib
import importlib
import secrets
import signal
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from acd.calls import CallState
from acd.commands import Command, StopOffering
from acd.directory import Numbering
from acd.errors import AcdError
from acd.floor import Floor
from acd.ids import PbxId
from acd.limits import Route
from acd.telephony import Fact
from ami.health import HealthState
from ami.outputs import Asked, CallerAsked, NotesFound, PhoneAsked
from callback.keeper import Callbacks
from nobat import interpreter
from nobat.auth import Authenticator
from nobat.callback_desk import CallbackDesk
from nobat.callback_dialogue import CallbackDialogue
from nobat.callback_windows import follow_the_clocks
from nobat.catalogue import CatalogueKeeper
from nobat.clock import Clock
from nobat.directory import DirectoryKeeper
from nobat.engine import Engine
from nobat.failpoints import arm
from nobat.feed import Feed
from nobat.figures.keeper import FiguresKeeper
from nobat.heartbeat import Heartbeat
from nobat.leftovers import Leftovers
from nobat.links import WrongCertificates, make_ami_link
from nobat.mail.keeper import MailKeeper
from nobat.markers import MarkerSweeper
from nobat.metrics import Metrics
from nobat.phone_codes import PhoneCodes
from nobat.pins import Lockout
from nobat.ports import MakePbx, PbxLink
from nobat.reactor import Message, Reactor
from nobat.recording.keeper import RecordingKeeper
from nobat.recording.opening import keeper_of
from nobat.recording.vault import VaultError
from nobat.retention import RetentionKeeper
from nobat.risks import RiskWatch
from nobat.scrape import FloorSource
from nobat.settings import Settings
from nobat.storage import catalogue, startup
from nobat.storage.callbacks import restored_callbacks
from nobat.storage.database import LONG_S, Database
from nobat.storage.errors import StorageUnavailable
from nobat.storage.journal import Journal
from nobat.storage.live_parts import restored_parts
from nobat.storage.live_recordings import restored_recordings
from nobat.storage.migrate import migrate
from nobat.storage.nodelock import NodeLock
from nobat.storage.recorder import Recorder, write_leftovers
from nobat.storage.recorder_thread import RecorderThread
from nobat.storage.supervisions import restored_help, restored_supervisions
from nobat.supervision_rights import RightsWatch
from nobat.traced import CannotTrace, traced
from nobat.unseen import Unseen
from nobat.voicemail import VoicemailKeeper
from nobat.watch import WatchedLink
from whisper.supervision import Supervision

if TYPE_CHECKING:
    from nobat.web import Servers

log = structlog.get_logger(__name__)

_ON_THE_WAY = (HealthState.CONNECTING, HealthState.STARTING, HealthState.SYNCING)

RETRY_S = 1.0
SETTLE_S = 2.0
STOP_S = 4.5
"""For the whole stop: whoever asked for it kills after five seconds, or ten."""
HISTORY_S = 1.0
FOLLOW_CLOCK_S = 30.0


class CannotStart(Exception):
    """The service cannot run at all; the message is for the operator and complete."""


@dataclass(slots=True)
class App:
    """All parts of one service, wired together. ``make_pbx`` is Asterisk's link, or a test's PBX."""

    settings: Settings
    clock: Clock
    database: Database
    recorder: RecorderThread
    metrics: Metrics
    engine: Engine
    keeper: CatalogueKeeper
    directory: DirectoryKeeper
    phones: PhoneCodes
    pbxs: dict[PbxId, PbxLink]
    authenticator: Authenticator
    node: NodeLock
    leftovers: Leftovers
    journal: Journal
    voicemail: VoicemailKeeper
    figures: FiguresKeeper
    mails: MailKeeper
    feed: Feed
    recordings: RecordingKeeper
    supervision: Supervision
    callbacks: CallbackDesk
    risks: RiskWatch
    unseen: Unseen
    retention: RetentionKeeper
    tasks: dict[str, "asyncio.Task[None]"] = field(default_factory=dict)

    @classmethod
    def build(
        cls,
        settings: Settings,
        clock: Clock,
        make_pbx: MakePbx | None = None,
        recorder_in: Callable[[Callable[[], Recorder]], RecorderThread] = RecorderThread,
    ) -> "App":
        """Make and connect all parts; nothing runs yet. ``recorder_in`` is where the recorder works: a thread of its own."""
        history = settings.history
        database = Database(settings.database.url)
        started_at = clock.now()
        journal = Journal(settings.journal_folder, int(started_at * 1000))
        recorder = recorder_in(
            lambda: Recorder(
                Database(settings.database.url),
                run_id=int(started_at * 1000),
                batch_rows=history.batch_rows,
                batch_wait_s=history.batch_wait_s,
                memory_rows=history.memory_rows,
                journal=journal,
                commit_deadline_s=settings.database.commit_deadline_s,
            )
        )
        metrics = Metrics(started_at)
        local = settings.numbering
        numbering = Numbering(local.country, local.trunk, local.international)
        folders = {PbxId(one.name): one.voicemail_dir for one in settings.pbx if one.voicemail_dir is not None}
        recordings = keeper_of(settings, metrics, database, clock.now)
        feed = Feed(traced(recordings, settings.tracing), int(started_at * 1000))
        callbacks = CallbackDesk(feed, metrics.callback_refused, database, settings.callbacks)
        voicemail = VoicemailKeeper(callbacks, database, folders, clock.now)
        leftovers = Leftovers(voicemail, database, recorder, int(started_at * 1000))
        routes = tuple(Route(one.pattern, one.dial) for one in settings.numbers)
        floor = Floor(
            numbering=numbering,
            outside=settings.transfers.outside or None,
            routes=routes,
            break_reasons=settings.reasons(),
            salt=secrets.token_hex(32),
            recording_on=frozenset(recordings.folders),
            keeper=Callbacks(most_dialled=settings.callbacks.most_dialled),
        )
        supervision = Supervision(floor)
        leftovers.engine = engine = Engine(floor, clock, recorder, leftovers, Reactor(floor, supervision))
        voicemail.engine = recordings.engine = callbacks.engine = engine
        pbxs: dict[PbxId, PbxLink] = {}
        metrics.source = FloorSource(engine, recorder, pbxs, lambda: recordings.waiting, supervision)
        lists = {one.name: one.days() for one in settings.holiday_list}
        keeper = CatalogueKeeper(engine, database, pbxs, frozenset(one.name for one in settings.pbx), lists)
        codes = settings.phone_codes
        lockout = Lockout(codes.wrong_pins, codes.lock_s)
        phones = PhoneCodes(engine, clock.now, keeper.pin_hash, lockout)
        dialogue = CallbackDialogue(engine, callbacks)
        unseen = Unseen(engine, database, recorder)
        make = make_pbx or make_ami_link(settings, clock, int(started_at * 1000))
        for one in settings.pbx:
            name = PbxId(one.name)
            pbxs[name] = make(
                name, _deliver(engine, phones, dialogue, unseen, pbxs, name), WatchedLink(name, metrics.meter(name))
            )
        engine.connect(pbxs)
        authenticator = Authenticator(database, clock.now)
        figures = FiguresKeeper(database.another(LONG_S), clock.now, recorder)
        return cls(
            settings,
            clock,
            database,
            recorder,
            metrics,
            engine,
            keeper,
            DirectoryKeeper(engine, database, numbering),
            phones,
            pbxs,
            authenticator,
            NodeLock(database),
            leftovers,
            journal,
            voicemail,
            figures,
            MailKeeper(settings.mail, settings.mail_report, engine, database, figures, clock.now),
            feed,
            recordings,
            supervision,
            callbacks,
            RiskWatch(engine, feed.tell),
            unseen,
            RetentionKeeper(settings.retention, database, voicemail, clock.now),
        )

    async def start(self) -> None:
        """Take up what was left, then let the PBXs in. Returns when the links run; waits for a database that is away."""
        said = False
        while True:
            try:
                await self._take_up()
                break
            except StorageUnavailable as error:
                if not said:
                    log.error("the database is away: waiting for it before any call is routed", why=str(error))  # noqa: TRY400
                said = True
                await asyncio.sleep(RETRY_S)
        self._keep_running("history", self.recorder.run)
        self._keep_running("catalogue", self.keeper.follow)
        self._keep_running("directory", self.directory.follow)
        self._keep_running("clock", self._follow_clock)
        self._keep_running("node", lambda: self.node.watch(_leave))
        self._keep_running("heartbeat", Heartbeat(self.engine, self.pbxs).run)
        self._keep_running("voicemail", self.voicemail.follow)
        self._keep_running("figures", self.figures.follow)
        self._keep_running("retention", self.retention.follow)
        self._keep_running("mail", self.mails.follow)
        self._keep_running("recordings", self.recordings.follow)
        self._keep_running("rights", RightsWatch(self.engine, self.supervision, self.database, self.clock.now).run)
        self._keep_running("callbacks", self.callbacks.follow)
        self._keep_running("risks", self.risks.follow)
        forget_s = self.settings.callbacks.forget_s
        self._keep_running("markers", MarkerSweeper(self.pbxs, self.database, self.clock.now, forget_s).follow)
        if not self.pbxs:
            log.warning("the settings name no [[pbx]]: no call can be routed")
        for name, link in self.pbxs.items():
            self._keep_running(f"pbx {name}", link.run)

    async def until_heard(self, within_s: float) -> None:
        """Each PBX is routed, or cannot be now: what else a start has to do competes with that for the processor."""
        until = self.clock.now() + within_s
        while any(link.health.state in _ON_THE_WAY for link in self.pbxs.values()):
            if self.clock.now() > until:
                return
            await asyncio.sleep(0.005)

    async def _take_up(self) -> None:
        await self.node.take()
        await migrate(self.database, alone=True)
        await write_leftovers(self.database, self.journal, self.settings.history.batch_rows)
        away = await startup.away(self.database, self.clock.now())
        known = await catalogue.load(self.database)
        agents = await startup.restored_agents(self.database)
        closings = await startup.restored_closings(self.database)
        visits = await startup.restored_visits(self.database, known.queues.values(), self.clock.now())
        turns = await startup.restored_turns(self.database, known.agents.values(), self.clock.now())
        services = await startup.restored_services(self.database, self.clock.now())
        parts = await restored_parts(self.database, self.clock.now())
        recorded = await restored_recordings(self.database, self.clock.now())
        shifts = await startup.restored_shifts(self.database, self.clock.now())
        amended = await startup.restored_amendments(self.database, self.clock.now())
        places = await startup.restored_places(self.database, known.queues.values(), self.clock.now())
        wrap_ups = await startup.restored_wrap_ups(self.database, self.clock.now())
        requests = await startup.restored_break_requests(self.database, self.clock.now())
        sessions = await restored_supervisions(self.database, self.clock.now())
        asked = await restored_help(self.database, self.clock.now())
        callbacks = await restored_callbacks(self.database, self.clock.now())
        await self.keeper.take_up(known)
        await self.directory.take_up()
        await self.callbacks.take_up()
        people: tuple[Command, ...] = (*closings, *turns, *services, *shifts, *agents, *wrap_ups, *requests)
        calls: tuple[Command, ...] = (*visits, *parts, *recorded, *amended, *places, *callbacks)
        restored: tuple[Message, ...] = (*people, *calls, *sessions, *asked)
        for command in restored:
            with contextlib.suppress(AcdError):  # of an agent or a queue that is no more
                await self.engine.ask(command)
        await follow_the_clocks(self.engine, callbacks, self.clock.now())
        if away is not None:
            self.recorder.note([away])
        log.info("taken up from the database", queues=len(known.queues), agents=len(known.agents), visits=len(visits))

    async def stop(self) -> None:
        """Settle what is in flight and leave; within five seconds, whatever happens."""
        self.feed.close()
        await self.engine.ask(StopOffering())
        settled = await self._settled(SETTLE_S)
        log.info("stopping: no new offers", offers_left_to_the_pbx=0 if settled else self._offers())
        history = self.tasks.pop("history", None)
        await _end(*self.tasks.values())
        await self.leftovers.close()
        await self.unseen.close()
        await self.engine.close()
        if history is not None:
            await self.recorder.close(HISTORY_S)
            await _end(history)
        self.recorder.release()
        await self.node.release()
        await self.database.close()

    async def _settled(self, deadline_s: float) -> bool:
        """Whether no phone rings for us any more. A phone that goes on ringing is Asterisk's and is answered all the same."""
        until = self.clock.now() + deadline_s
        while self._offers():
            if self.clock.now() > until:
                return False
            await asyncio.sleep(0.05)
        return True

    def _offers(self) -> int:
        return self.engine.read(lambda floor, _: sum(one.state is CallState.OFFERED for one in floor.calls.values()))

    def _keep_running(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        self.tasks[name] = asyncio.get_running_loop().create_task(_again_and_again(name, work), name=name)

    async def _follow_clock(self) -> None:
        while True:
            await asyncio.sleep(FOLLOW_CLOCK_S)
            self.clock.follow()


def _leave(why: str) -> None:
    """Two services would ring two agents for one caller: the one that came late goes on, this one ends in order."""
    log.critical("another service has taken over: this one leaves", why=why)
    signal.raise_signal(signal.SIGTERM)


async def _end(*tasks: "asyncio.Task[None]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _again_and_again(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """A part that fails is begun again; the others never notice."""
    while True:
        try:
            await work()
        except Exception:
            log.exception("a part of the service failed and is begun again", part=name)
        await asyncio.sleep(RETRY_S)


def _deliver(
    engine: Engine,
    phones: PhoneCodes,
    dialogue: CallbackDialogue,
    unseen: Unseen,
    pbxs: dict[PbxId, PbxLink],
    name: PbxId,
) -> Callable[[Fact | Asked], None]:
    def deliver(what: Fact | Asked) -> None:
        if isinstance(what, PhoneAsked):
            phones.asked(pbxs[name], what)
        elif isinstance(what, CallerAsked):
            dialogue.asked(pbxs[name], what)
        elif isinstance(what, NotesFound):
            unseen.found(pbxs[name], what)
        else:
            engine.deliver(what)

    return deliver


async def serve(settings: Settings) -> None:
    """``nobat serve``: run until SIGTERM or SIGINT. Raises ``CannotStart`` or ``WrongDatabase``."""
    arm(settings.testing.failpoint)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    try:
        app = App.build(settings, Clock())
    except (CannotTrace, VaultError, WrongCertificates) as error:
        raise CannotStart(str(error)) from None
    with contextlib.ExitStack() as held:
        if app.database.is_sqlite:  # first of all, for its message is the better one
            await app.node.take()
        sockets = [held.enter_context(_listen(settings.http.host, settings.http.port))]
        if settings.metrics.host is not None and settings.metrics.port is not None:
            sockets.append(held.enter_context(_listen(settings.metrics.host, settings.metrics.port)))
        await _run(app, sockets, stopping)


async def _run(app: App, sockets: list[socket.socket], stopping: asyncio.Event) -> None:
    starting = asyncio.get_running_loop().create_task(app.start())
    await asyncio.wait({starting}, timeout=RETRY_S)  # callers first: the interface's libraries take their time to load
    if starting.done():
        starting.result()
        await app.until_heard(RETRY_S)
    servers = await asyncio.to_thread(_make_servers, app, sockets)
    await servers.start()
    await asyncio.to_thread(importlib.import_module, "nobat.later")  # what no call needs, and none shall wait for later
    interpreter.calm()
    log.info("nobat serves", host=app.settings.http.host, port=app.settings.http.port)
    waiting = asyncio.get_running_loop().create_task(stopping.wait())
    await asyncio.wait({starting, waiting}, return_when=asyncio.FIRST_COMPLETED)
    if starting.done() and not waiting.done():
        starting.result()  # what makes a start impossible ends the service here
        await waiting
    log.info("asked to stop")
    starting.cancel()
    waiting.cancel()
    try:
        async with asyncio.timeout(STOP_S):
            await asyncio.gather(app.stop(), servers.stop())
    except Exception:
        log.exception("the stop was not in order")
    log.info("stopped; calls go on")


def _make_servers(app: App, sockets: list[socket.socket]) -> "Servers":
    """In a thread: importing FastAPI and building the interface takes half a second that callers must not wait."""
    from nobat.web import Servers

    return Servers(app, sockets)


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises ``CannotStart`` when the port is taken."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        server = socket.create_server((host, port), family=family, backlog=512)
    except OSError as error:
        raise CannotStart(f"cannot listen on {host} port {port}: {error.strerror or error}") from None
    # Connections inherit it. asyncio sets it only on sockets that name their protocol, which these do not.
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return server
