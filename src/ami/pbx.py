"""One PBX as the rest of Nobat sees it: facts come out, requests go in, and ``health`` says how it is.

After each login: wait until Asterisk is fully booted, check that it is the PBX we mean and has our dialplan, tell it the
queues' numbers, take a snapshot while events are kept back, and only then let facts through. The same snapshot is taken again
from time to time, and whenever something was lost or not to be believed.

``nobat.app`` makes one Pbx for each Asterisk; ``nobat.engine`` sends to it and gets what it delivers.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from types import MappingProxyType

from acd.callback_port import DialCustomer, ReadAttempt, StopAttempt
from acd.ids import AttemptId, CallId, LegId, PbxId
from acd.recording_port import ShowRecording, Silence
from acd.telephony import Announce, Fact, LinkDown, Mark, Request, RequestFailed, RequestFailure, Resync
from ami import actions, attempts, dialogue, markers, names, notes, resync
from ami.answers import Answer
from ami.book import Snapshot
from ami.events import Event, FullyBooted, Quarantined
from ami.fitness import Unfit, must, refuses_what_is_dangerous
from ami.health import Health, HealthState, Observer, version_warnings
from ami.lifeline import Lifeline, Pauses
from ami.link import Link, LinkConfig
from ami.outbox import Outbox
from ami.outputs import Asked, Look, Output, Purpose, SnapshotWanted
from ami.readings import CALL_VARIABLES, LOOK_VARIABLES, ChannelReading, LookFailure, read_channel
from ami.tracker import Tracker

log = logging.getLogger(__name__)

NO_TITLES: Mapping[str, str] = MappingProxyType({})

BUFFER = 200_000
"""Events kept back during a snapshot. More than that and the snapshot is taken again."""

GLOBALS_AT_ONCE = 50

HANGUP_S = 0.1
"""How long a leg's Hangup may come after the end of its conversation before Asterisk is asked. It says whether it was a fault;
an answer to a question would overtake it, for Asterisk says it a millisecond or two late.
"""


@dataclass(frozen=True, slots=True)
class PbxConfig:
    """One Asterisk. ``pbx`` is its ``systemname``. All times in seconds."""

    pbx: PbxId
    link: LinkConfig
    epoch: str = "0"  # which run of the service this is
    boot_s: float = 30.0  # how long a login may precede the end of Asterisk's start
    recheck_s: float = 5.0  # between two looks at an Asterisk that is not fit to route
    look_s: float = 2.0  # for a question about one channel; a slow network may take one for it
    snapshot_s: float = 5.0
    snapshot_every_s: float = 8.0  # and what a lost event has left behind is put right by the second look after it
    snapshot_pause_s: float = 1.0  # between two snapshots, however many are wanted


class Pbx:
    """Runs on one event loop. ``run`` is its task; everything else may be called at any time on that loop."""

    def __init__(
        self,
        config: PbxConfig,
        deliver: Callable[[Fact | Asked], None],
        observer: Observer,
        clock: Callable[[], float],
        jitter: Random | None = None,
    ) -> None:
        self._config, self._deliver, self._observer, self._clock = config, deliver, observer, clock
        self._tracker = Tracker(config.pbx, config.epoch)
        self._link = Link(config.link, self._receive, self._started, self._link_lost, observer, jitter or Random())  # noqa: S311
        self._lifeline = Lifeline(self._link, self._tracker.book, config.epoch, _loop_time)
        self._outbox = Outbox(self._link, self._tracker, self._may_offer, self._request_failed, self._tell)
        self._health = Health(HealthState.CONNECTING, "connecting", clock())
        self._version: str | None = None
        self._warnings: tuple[str, ...] = ()
        self._session = 0
        self._kept_back: list[Event | Quarantined] | None = []
        self._booted = asyncio.Event()
        self._snapshot_wanted = asyncio.Event()
        self._numbers: dict[str, str] = {}
        self._sounds: dict[str, str] = {}
        self._titles: dict[str, str] = {}
        self._told_down: str | None = None

    @property
    def health(self) -> Health:
        """How the PBX is, now."""
        return self._health

    def remembered(self) -> int:
        """Records of calls and legs that live, as far as is known."""
        return self._tracker.book.size()

    async def run(self) -> None:
        """Keep the PBX connected until cancelled. Calls go on when this ends."""
        await self._link.run()

    # ------------------------------------------------------------ requests

    def send(self, requests: Sequence[Request]) -> None:
        """Carry requests out. A failure comes back as a ``RequestFailed``; nothing is raised and nothing is sent twice."""
        if any(isinstance(request, Resync) for request in requests):
            self._snapshot_wanted.set()
        for request in requests:
            if isinstance(request, ReadAttempt):
                attempts.read_marker(self._link, request, self._tell)
        self._outbox.put([request for request in requests if not isinstance(request, Resync | ReadAttempt)])

    async def answer_phone(self, ask: str, reply: str) -> bool:
        """Let a phone that dialled a code hear ``reply``. False if it has hung up, or the dialplan has spoken for itself."""
        phone = self._tracker.book.asking.get(LegId(ask))
        if phone is None:
            return False
        try:
            answers = self._link.send(
                actions.SetVariable(phone.channel, names.REPLY, reply),
                actions.Redirect(phone.channel, names.CODES, "reply"),
            )
        except actions.ActionRefused as refusal:
            log.warning("a phone could not be answered", extra={"slug": refusal.slug})
            return False
        return all(answer.ok for answer in await asyncio.gather(*answers))

    async def answer_caller(self, call: CallId, ask: str, step: str, prompts: Sequence[str]) -> bool:
        """Move a caller who has put a question on to ``step``, where ``prompts`` are heard. False if he does not wait for it."""
        try:
            made = dialogue.answer(self._tracker.book, call, ask, step, prompts)
        except actions.ActionRefused as refusal:
            log.warning("a caller could not be answered", extra={"slug": refusal.slug})
            return False
        return made is not None and all(answer.ok for answer in await asyncio.gather(*self._link.send(*made)))

    def forget(self, calls: Sequence[CallId]) -> None:
        """These calls are in the database: what the dialplan has noted of them is not needed any more."""
        notes.forget(self._link, self._config.epoch, calls)

    async def markers(self) -> Sequence[AttemptId]:
        """Attempts of which Asterisk keeps a marker; none while it does not say."""
        return await markers.listed(self._link) if self._health.ready else ()

    async def forget_markers(self, attempts: Sequence[AttemptId]) -> bool:
        """Let Asterisk forget these. False if it did not take it now."""
        return self._health.ready and await markers.forget(self._link, self._config.epoch, attempts)

    def beat(self, pauses: Pauses | None) -> None:
        """The engine lives. ``pauses`` is who is paused in the fallback queues, when that has changed."""
        if self._health.ready:
            self._lifeline.beat(pauses)
        else:
            self._lifeline.want(pauses)

    def _may_offer(self) -> bool:
        return self._health.ready and self._lifeline.holds()

    async def set_queue_numbers(self, numbers: Mapping[str, str], titles: Mapping[str, str] = NO_TITLES) -> bool:
        """Which number is which queue, and what phones show of each queue. Kept, and told again after each reconnect.

        False if Asterisk did not take it now.
        """
        sound = {
            number: queue
            for number, queue in numbers.items()
            if queue and _may_be_set(names.QUEUE_OF_NUMBER + number, queue)
        }
        if len(sound) < len(numbers):
            log.warning(
                "numbers that cannot be told to the dialplan are left out", extra={"count": len(numbers) - len(sound)}
            )
        self._numbers = {**dict.fromkeys(self._numbers, ""), **sound}
        shown = {queue: actions.title_of(title) for queue, title in titles.items() if _may_be_sent(queue)}
        self._titles = {**dict.fromkeys(self._titles, ""), **shown}
        try:
            await self._tell_numbers()
        except Unfit:
            return False
        return len(sound) == len(numbers)

    async def set_queue_sounds(self, sounds: Mapping[str, tuple[str, str]]) -> bool:
        """Each queue's music and language, for the dialplan. Kept and told as the numbers are."""
        told = {}
        for queue, (music, language) in sounds.items():
            told[names.MUSIC_OF_QUEUE + queue] = music
            told[names.LANGUAGE_OF_QUEUE + queue] = language
        chosen = {name: value for name, value in told.items() if value}
        sound = {name: value for name, value in chosen.items() if _may_be_set(name, value)}
        self._sounds = {**dict.fromkeys(self._sounds, ""), **sound}
        try:
            await self._tell_globals(self._sounds)
        except Unfit:
            return False
        return len(sound) == len(chosen)

    def _request_failed(self, failure: RequestFailed) -> None:
        harmless = isinstance(failure.request, Announce | Mark | Silence | ShowRecording | StopAttempt | DialCustomer)
        if failure.why in (RequestFailure.UNKNOWN_OUTCOME, RequestFailure.REFUSED) and not harmless:
            self._snapshot_wanted.set()  # what we believe of that call is not so: look
        self._tell(failure)

    # ------------------------------------------------------------ what comes in

    def _receive(self, event: Event | Quarantined) -> None:
        if isinstance(event, FullyBooted):
            self._booted.set()
        elif self._kept_back is None:
            self._put_out(self._tracker.feed(event))
        elif len(self._kept_back) < BUFFER:
            self._kept_back.append(event)
        else:
            self._snapshot_wanted.set()

    def _put_out(self, outputs: Sequence[Output]) -> None:
        for output in outputs:
            if isinstance(output, Look) and output.purpose is Purpose.STILL_THERE:
                asyncio.get_running_loop().call_later(HANGUP_S, self._look, output, self._session)
            elif isinstance(output, Look):
                self._look(output, self._session)
            elif isinstance(output, SnapshotWanted):
                self._snapshot_wanted.set()
            else:
                self._tell(output)

    def _tell(self, what: Fact | Asked) -> None:
        """Deliver one. Whoever fails over it fails alone: the next one is delivered all the same."""
        try:
            self._deliver(what)
        except Exception:
            log.exception("a fact could not be delivered; others go on")

    def _look(self, look: Look, session: int, tries: int = 2) -> None:
        """Ask Asterisk about a channel and put the answer into the tracker, whatever it is."""
        if session != self._session:
            return
        variables = LOOK_VARIABLES.get(look.purpose, CALL_VARIABLES)
        try:
            (answer,) = self._link.send(actions.Status(variables, look.channel), deadline_s=self._config.look_s)
        except actions.ActionRefused:
            asyncio.get_running_loop().call_soon(self._looked, look, session, LookFailure.NO_ANSWER)
            return

        def answered(future: asyncio.Future[Answer]) -> None:
            found = _found(future.result())
            if isinstance(found, Quarantined):
                self._observer.quarantined(found.reason)
                if tries > 1:
                    self._look(look, session, tries - 1)
                    return
                found = LookFailure.NO_ANSWER
            self._looked(look, session, found)

        answer.add_done_callback(answered)

    def _looked(self, look: Look, session: int, found: ChannelReading | LookFailure) -> None:
        if session == self._session:
            self._put_out(self._tracker.answer(look, found))

    # ------------------------------------------------------------ a session

    async def _started(self) -> None:
        """What follows a login, until the connection is lost."""
        self._session += 1
        self._kept_back = []
        self._set_health(HealthState.STARTING, "waiting_for_boot")
        boot_was_said = await self._booted_within(self._config.boot_s)
        harmless = False
        while True:
            try:
                if not harmless:  # it does not change while Asterisk runs, and each try is a line in its log
                    await refuses_what_is_dangerous(self._link)
                    harmless = True
                await self._check(boot_was_said=boot_was_said)
                await self._tell_globals(self._sounds)
                await self._tell_numbers()
                self._set_health(HealthState.SYNCING, "snapshot")
                await self._snapshot()
                self._told_down = None
                self._link.settled()
                self._set_health(HealthState.READY, "ready")
                notes.read(self._link, self._config.pbx, self._config.epoch, self._tell)
                await self._stay_in_step(boot_was_said=boot_was_said)
            except Unfit as unfit:
                self._set_health(unfit.state, unfit.reason)
                self._tell_down(unfit.reason)
                await asyncio.sleep(self._config.snapshot_pause_s if unfit.unanswered else self._config.recheck_s)

    async def _booted_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._booted.wait()
        except TimeoutError:
            log.warning("no word of a full boot: the account may lack the right to read, or a filter may be missing")
            return False
        return True

    async def _check(self, *, boot_was_said: bool) -> None:
        """Raise Unfit unless this is the Asterisk we mean, with our dialplan in it."""
        contexts = [actions.ShowDialPlan(context) for context in names.CONTEXTS]
        settings, *plans = await asyncio.gather(*self._link.send(actions.CoreSettings(), *contexts))
        must(settings)
        self._version = str(settings.headers.get("asteriskversion", ""))
        self._warnings = version_warnings(self._version) + (() if boot_was_said else ("no_boot_event",))
        system_name = str(settings.headers.get("systemname", ""))
        if system_name != self._config.pbx:
            raise Unfit(HealthState.WRONG_SYSTEM_NAME, "wrong_system_name")
        missing = [c for c, plan in zip(names.CONTEXTS, plans, strict=True) if "did not find" in plan.message.lower()]
        if missing:
            raise Unfit(HealthState.MISSING_CONTEXTS, "missing_contexts:" + ",".join(missing))
        for plan in plans:
            must(plan)

    async def _tell_numbers(self) -> None:
        """Set the globals that the dialplan maps numbers with, and last the one that says they are told."""
        numbers = {names.QUEUE_OF_NUMBER + number: queue for number, queue in self._numbers.items()}
        await self._set_globals([actions.SetTitle(queue, title) for queue, title in self._titles.items()])
        await self._tell_globals({**numbers, names.SERVICE: "1"})

    async def _tell_globals(self, values: Mapping[str, str]) -> None:
        await self._set_globals([actions.SetGlobal(name, value) for name, value in values.items()])

    async def _set_globals(self, wanted: Sequence[actions.SetTitle | actions.SetGlobal]) -> None:
        for start in range(0, len(wanted), GLOBALS_AT_ONCE):
            for answer in await asyncio.gather(*self._link.send(*wanted[start : start + GLOBALS_AT_ONCE])):
                must(answer)

    async def _snapshot(self) -> None:
        """Take the truth, then what happened meanwhile. Raises Unfit if Asterisk does not say."""
        self._kept_back = []
        shown = await self._look_at_everything()
        must(await self._lifeline.begin())
        self._put_out(self._tracker.prime(shown))
        kept_back, self._kept_back = self._kept_back, None
        for event in kept_back:
            self._put_out(self._tracker.feed(event))

    async def _compare(self) -> None:
        """Set what we know against the truth, while events go on. Raises Unfit if Asterisk does not say."""
        shown = await self._look_at_everything()
        self._put_out(self._tracker.compare(shown, self._outbox.offers()))

    async def _look_at_everything(self) -> Snapshot:
        self._snapshot_wanted.clear()
        self._tracker.begin_look()
        asked_at = self._clock()
        try:
            findings = await resync.ask(self._link, self._config.snapshot_s)
        except resync.SnapshotFailed as failure:
            raise Unfit(HealthState.SYNCING, failure.reason, unanswered=failure.unanswered) from failure
        for item in findings.damaged:
            self._observer.quarantined(item.reason)
        return resync.build(self._config.pbx, findings, asked_at)

    async def _stay_in_step(self, *, boot_was_said: bool) -> None:
        """Look at everything again from time to time, and soon when something was lost. Raises Unfit.

        The dialplan may have been reloaded without our contexts, and a Redirect into one that is not there ends the call.
        """
        while True:
            await asyncio.sleep(self._config.snapshot_pause_s)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, self._config.snapshot_every_s - self._config.snapshot_pause_s)):
                    await self._snapshot_wanted.wait()
            try:
                await self._look_round(boot_was_said=boot_was_said)
            except Unfit as unfit:
                if not unfit.unanswered:
                    raise
                # One answer that does not come is no verdict: without a heartbeat callers would soon be left alone.
                await self._look_round(boot_was_said=boot_was_said)

    async def _look_round(self, *, boot_was_said: bool) -> None:
        if not self._snapshot_wanted.is_set():
            await self._check(boot_was_said=boot_was_said)
        await self._compare()
        notes.read(self._link, self._config.pbx, self._config.epoch, self._tell)

    def _link_lost(self, state: HealthState, reason: str) -> None:
        self._session += 1
        self._booted.clear()
        self._kept_back = []
        self._set_health(state, reason)
        self._tell_down(reason)

    def _tell_down(self, reason: str) -> None:
        if reason != self._told_down:
            self._told_down = reason
            self._tell(LinkDown(self._config.pbx, reason))

    def _set_health(self, state: HealthState, reason: str) -> None:
        same = (state, reason) == (self._health.state, self._health.reason)
        since = self._health.since if same else self._clock()
        self._health = Health(state, reason, since, self._version, self._warnings)
        if not same:
            self._observer.health(self._health)


def _loop_time() -> float:
    return asyncio.get_running_loop().time()


def _may_be_set(name: str, value: str) -> bool:
    return _sound(actions.SetGlobal(name, value))


def _may_be_sent(queue: str) -> bool:
    return _sound(actions.SetTitle(queue, ""))


def _sound(action: actions.Action) -> bool:
    try:
        actions.encode(action)
    except actions.ActionRefused:
        return False
    return True


def _found(answer: Answer) -> ChannelReading | LookFailure | Quarantined:
    if answer.no_such_channel:
        return LookFailure.NO_SUCH_CHANNEL
    items = [raw for raw in answer.items if raw.startswith(b"Event: Status\r\n")]
    if not answer.ok or len(items) != 1:
        return LookFailure.NO_ANSWER
    return read_channel(items[0])
