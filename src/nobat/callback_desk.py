"""Whether somebody may be called back: every request passes here, the caller's own by key and that of a web form alike.

The number is screened (``callback.numbers``), opt-outs are looked up, caps and quiet hours asked (``callback.harm``,
``callback.schedule``), and every refusal is counted by its reason. No number is in a log, a metric or the text of an error.

Stands between the engine and the metrics, because what was promised and what became of it arrives as events.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog

from acd.callback_commands import CancelCallback, goes_on
from acd.callback_events import (
    CallbackAttemptEnded,
    CallbackChanged,
    CallbackEnd,
    CallbackEnded,
    CallbackPromised,
)
from acd.callback_policy import AttemptResult, CallbackPolicy, HarmPolicy
from acd.errors import AcdError, Conflict, Invalid
from acd.events import Event
from acd.floor import Floor
from acd.ids import CallbackId, PbxId, QueueId
from callback import views
from callback.codes import WrongCodes, code_of, is_right
from callback.harm import DAY_S, Caps, Ledger, Rate
from callback.numbers import Accepted, NumberRules, Refused, screen
from callback.refusals import Refusal
from callback.schedule import Quiet, is_quiet
from nobat.callback_settings import CallbackSettings
from nobat.engine import Engine, Gauge
from nobat.storage import callback_day, opt_outs
from nobat.storage.callback_secret import callback_secret
from nobat.storage.database import Database
from nobat.storage.errors import StorageUnavailable

log = structlog.get_logger(__name__)

LOOK_S = 20.0
"""How often open callbacks are compared with the quiet hours."""


@dataclass(slots=True)
class CallbackDesk:
    """One for the whole service. Stands before ``gauge``; ``count`` is told of each refusal."""

    gauge: Gauge
    count: Callable[[Refusal], None]
    database: Database
    settings: CallbackSettings
    engine: Engine | None = None
    ledger: Ledger = field(default_factory=Ledger)
    rate: Rate = field(default_factory=Rate)
    wrong_codes: WrongCodes = field(default_factory=WrongCodes)
    _secret: bytes = b""
    _due_from: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rate = Rate(self.settings.requests, self.settings.requests_in_s)

    # ------------------------------------------------------------ judging

    async def judge(
        self, queue: QueueId, text: str | None, calls_at: Iterable[float] = (), changed: str | None = None
    ) -> Accepted | Refused:
        """May this number be promised a callback in this queue, to be called at about these moments? Refusals are counted.

        ``changed``: the open callback that is to have it. Raises ``unknown_queue``, ``StorageUnavailable``.
        """
        found = await self._judge(queue, text, tuple(calls_at), changed)
        if isinstance(found, Refused):
            self.refused(found.reason)
        return found

    async def _judge(
        self, queue: QueueId, text: str | None, calls_at: tuple[float, ...], changed: str | None = None
    ) -> Accepted | Refused:
        policy, own, now = self._read(queue)
        if not policy.enabled:
            return Refused(Refusal.NOT_OFFERED)
        found = screen(text, self.rules, own)
        if isinstance(found, Refused):
            return found
        if await opt_outs.has(self.database, found.e164):
            return Refused(Refusal.OPTED_OUT)
        quiet, zones = _quiet(policy.harm), zones_of(found.zones)
        if any(is_quiet(at, zones, quiet) for at in calls_at):
            return Refused(Refusal.QUIET_HOURS)
        why = self.ledger.bar(found.e164, queue, self._caps(policy.harm), now, changed)
        return Refused(why) if why is not None else found

    async def admit(
        self, asker: str, queue: QueueId, text: str, calls_at: Iterable[float] = (), changed: str | None = None
    ) -> Accepted:
        """For requests from outside: ``asker`` (a token) has a rate. Raises ``callback_refused`` with the reason.

        ``changed``: the open callback that is to have this number; it stands in its own way in no cap.
        """
        _, _, now = self._read(queue)
        if not self.rate.allows(asker, now):
            self.refused(Refusal.TOO_MANY_REQUESTS)
            raise refusal_error(Refusal.TOO_MANY_REQUESTS)
        found = await self._judge(queue, text, tuple(calls_at), changed)
        if isinstance(found, Refused):
            self.refused(found.reason)
            raise refusal_error(found.reason)
        return found

    def refuse_quiet(self, queue: QueueId, number: str, calls_at: Iterable[float]) -> None:
        """Raises ``callback_refused`` if one of these moments is in the quiet hours of the number."""
        if any(self._is_quiet(queue, number, at) for at in calls_at):
            self.refused(Refusal.QUIET_HOURS)
            raise refusal_error(Refusal.QUIET_HOURS)

    def refused(self, reason: Refusal) -> None:
        """Count a refusal."""
        self.count(reason)
        log.info("a callback was refused", why=reason.value)

    def dialled(self, found: Accepted) -> str:
        """The number as the PBX is to dial it."""
        return found.e164 if self.settings.dial_as == "e164" else found.written

    def _key(self, number: str) -> str:
        """One form for one subscriber, however callbacks have it."""
        return self.rules.e164(number) or number

    @property
    def rules(self) -> NumberRules:
        """Which numbers the site calls."""
        chosen = self.settings
        return NumberRules(chosen.region, frozenset(chosen.countries), frozenset(chosen.denied), chosen.never)

    def _caps(self, harm: HarmPolicy) -> Caps:
        chosen = self.settings
        return Caps(
            harm.number_a_day,
            chosen.number_open,
            harm.most_open,
            chosen.most_open,
            chosen.a_day,
            chosen.short_answers,
            chosen.short_answers_of_range,
        )

    def _read(self, queue: QueueId) -> tuple[CallbackPolicy, frozenset[str], float]:
        """The queue's policy, the numbers of all queues, and the time."""

        def view(floor: Floor, now: float) -> tuple[CallbackPolicy, frozenset[str], float]:
            numbers = frozenset(one.spec.number for one in floor.queues.values())
            return floor.queue(queue).spec.callbacks, numbers, now

        return self._engine().read(view)

    def _engine(self) -> Engine:
        if self.engine is None:
            raise RuntimeError("the desk is asked before it is connected")
        return self.engine

    # ------------------------------------------------------------ who has promised it knows the code

    def calls_back(self, queue: QueueId) -> bool:
        return self._read(queue)[0].enabled

    def code(self, callback: CallbackId) -> str:
        """What is told with the promise."""
        return code_of(self._secret, callback)

    def proves(self, callback: CallbackId | None, keyed: str, number: str | None, now: float) -> bool:
        """Whether the caller who has rung in with ``number`` is the one who was promised ``callback``.

        Takes as long, and counts as wrong, whether there is a callback of the number or none.
        """
        whose = self._key(number) if number is not None else ""
        if self.wrong_codes.locked(whose, now):
            return False
        right = is_right(self._secret, callback or CallbackId(""), keyed) and callback is not None
        if not right:
            self.wrong_codes.note(whose, now)
        return right

    # ------------------------------------------------------------ what happened

    async def take_up(self) -> None:
        """What was promised in the last day, and what is open, before a restart. Raises ``StorageUnavailable``."""
        self._secret = await callback_secret(self.database)
        now = self._engine().read(lambda _, now: now)
        for one in await callback_day.known(self.database, now - DAY_S):
            number, counts = self._key(one.number), not goes_on(CallbackId(one.id))
            self.ledger.note_promise(one.id, number, one.queue, one.promised_at, still_open=one.is_open, counts=counts)
            for at in one.short_answers:
                self.ledger.note_short_answer(self._key(one.number), at)
            if one.is_open and one.due_from is not None:
                self._due_from[one.id] = one.due_from

    def observe(self, events: Sequence[Event], now: float) -> None:
        """Keep account, and hand on."""
        self.gauge.observe(events, now)
        for event in events:
            match event:
                case CallbackPromised():
                    number, counts = self._key(event.number), not goes_on(event.callback)
                    self.ledger.note_promise(event.callback, number, event.queue, event.at, counts=counts)
                    if event.due_from is not None:
                        self._due_from[event.callback] = event.due_from
                case CallbackChanged():
                    self.ledger.note_number(event.callback, self._key(event.number), event.at)
                    if event.due_from is not None:
                        self._due_from[event.callback] = event.due_from
                case CallbackAttemptEnded(result=AttemptResult.HUNG_UP) if event.callback in self.ledger.open:
                    self.ledger.note_short_answer(self.ledger.open[event.callback][0], event.at)
                case CallbackEnded():
                    self._due_from.pop(event.callback, None)
                    if event.why is CallbackEnd.NOT_KEPT:
                        self.ledger.take_back(event.callback, counts=not goes_on(event.callback))
                        self.refused(Refusal.NOT_DURABLE)
                    else:
                        self.ledger.note_end(event.callback)
                case _:
                    pass

    def inbox_lag(self, seconds: float) -> None:
        self.gauge.inbox_lag(seconds)

    def dispatched(self, pbx: PbxId, seconds: float) -> None:
        self.gauge.dispatched(pbx, seconds)

    # ------------------------------------------------------------ what must not go on

    async def follow(self) -> None:
        """End callbacks that would ring somebody at night. Runs until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            await self.end_quiet()

    async def end_quiet(self) -> None:
        """End every open callback whose customer has quiet hours now; one whose window is to come is left alone."""
        now = self._engine().read(lambda _, now: now)
        for callback, (number, queue) in list(self.ledger.open.items()):
            if self._due_from.get(callback, 0.0) <= now and self._is_quiet(QueueId(queue), number, now):
                await self._cancel(callback, "quiet_hours")

    def _is_quiet(self, queue: QueueId, number: str, now: float) -> bool:
        with suppress(AcdError):
            policy, _, _ = self._read(queue)
            found = screen(number, self.rules)
            return isinstance(found, Accepted) and is_quiet(now, zones_of(found.zones), _quiet(policy.harm))
        return False

    async def opted_out(self, number: str) -> None:
        """Somebody does not want to be called any more: what is open for the number ends."""
        await self.end_of(number, "opt_out")

    async def end_of(self, number: str, by: str) -> list[str]:
        """End what is open for a number, and what would go on; which callbacks were open."""
        mine = [callback for callback, (of_number, _) in self.ledger.open.items() if of_number == number]
        rung_into = self._engine().read(lambda floor, _: views.rung_into(floor))
        for callback in (*mine, *(callback for callback, whose in rung_into.items() if self._key(whose) == number)):
            await self._cancel(callback, by)
        return mine

    async def _cancel(self, callback: str, by: str) -> None:
        with suppress(AcdError, StorageUnavailable):  # being dialled, or over by now
            await self._engine().ask(CancelCallback(CallbackId(callback), by))


def refusal_error(reason: Refusal) -> Conflict | Invalid:
    """What a request from outside is told."""
    if reason in (Refusal.NOT_A_NUMBER, Refusal.WITHHELD):
        return Invalid("invalid_number", "this is no telephone number", field="number", reason=reason.value)
    if reason is Refusal.NOT_OFFERED:
        return Conflict("no_callbacks", "this queue does not call back", reason=reason.value)
    if reason is Refusal.OPEN_ALREADY:
        return Conflict("callback_pending", "the queue calls this number back already", reason=reason.value)
    return Conflict("callback_refused", f"this is not called back: {reason.value}", reason=reason.value)


def zones_of(names: Iterable[str]) -> list[tzinfo]:
    """Time zones by their names; one that this machine does not know is passed over."""
    zones: list[tzinfo] = []
    for name in names:
        with suppress(ZoneInfoNotFoundError, ValueError):
            zones.append(ZoneInfo(name))
    return zones


def _quiet(harm: HarmPolicy) -> Quiet:
    return Quiet.between(harm.quiet_from, harm.quiet_until)
