"""The service is killed at a chosen place of a promise or an attempt, on a real PBX, and started again: what of the customer?

``struck(serving, place, mode)`` lets one caller take a callback, kills at ``place``, and waits until that customer has talked to
an agent, whatever it takes. A place is a failpoint with what it is about (``outbox.written/DialCustomer``: the service kills
itself) or a moment at the phones (``his phone rings``: it is killed from outside). *Double*: his phone rang more often than
attempts were dialled, or after he had been served. *Forgotten*: nobody talked to him.

Used by ``tests/asterisk/test_callback_kills.py`` and ``benchmarks.callback_kills``.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import httpx

from tests.support.called_back import busy_agent, calls_back, results
from tests.support.phonebank import Customer, PhoneMoment
from tests.support.serving import Json, Serving
from tests.support.team import Team, subscriber
from tests.support.until import Late, until

RINGS, PICKED_UP, AGENT_RINGS, TALKS = "his phone rings", "he picks up", "the agent's phone rings", "they talk"
BUSY, AGAIN = "busy: ", "rings again: "
"""His line is busy at the first attempt; he rings again himself while the callback is pending."""

PROMISE = tuple(
    f"{place}/{what}"
    for place, what in (
        ("engine.handled", "CallbackPromised"),
        ("recorder.promised", "CallbackPromised"),
        ("engine.kept", "CallbackPromised"),
        ("engine.handled", "Lead"),
        ("engine.sent", "Lead"),
        ("outbox.translated", "Lead"),
        ("outbox.written", "Lead"),
    )
)
ATTEMPT = (
    "engine.handled/CallbackAttempted",
    "recorder.promised/CallbackAttempted",
    "engine.kept/CallbackAttempted",
    "engine.handled/DialCustomer",
    "engine.sent/DialCustomer",
    "outbox.translated/DialCustomer",
    "outbox.written/DialCustomer",
    RINGS,
    PICKED_UP,
    "engine.handled/CallbackAttemptEnded",
    "recorder.promised/CallbackAttemptEnded",
    "engine.kept/CallbackAttemptEnded",
    "engine.handled/Offer",
    "outbox.translated/Offer",
    "outbox.written/Offer",
    AGENT_RINGS,
    "engine.handled/CallbackEnded",
    "recorder.promised/CallbackEnded",
    "engine.kept/CallbackEnded",
    TALKS,
)
NOT_REACHED = tuple(
    BUSY + place
    for place in (
        "engine.handled/CallbackAttemptEnded",
        "recorder.promised/CallbackAttemptEnded",
        "engine.kept/CallbackAttemptEnded",
        "outbox.written/DialCustomer:2",
    )
)
RANG_AGAIN = tuple(
    AGAIN + place
    for place in ("engine.handled/CallbackEnded", "recorder.promised/CallbackEnded", "engine.kept/CallbackEnded")
)
PLACES = (*PROMISE, *ATTEMPT, *NOT_REACHED, *RANG_AGAIN)


@dataclass(slots=True)
class Struck:
    """One run."""

    place: str
    died: bool = False
    promised: bool = False
    rings: int = 0
    attempts: list[str | None] = field(default_factory=list)
    ended: str | None = None
    problems: list[str] = field(default_factory=list)


async def struck(serving: Serving, place: str, mode: str = "agent_first") -> Struck:
    """Kill at ``place``, start again, and see."""
    return await _Run(serving, place, mode).run()


class _Run:
    def __init__(self, serving: Serving, place: str, mode: str) -> None:
        self.serving, self.mode = serving, mode
        self.busy, self.again = place.startswith(BUSY), place.startswith(AGAIN)
        self.at = place.removeprefix(BUSY).removeprefix(AGAIN)
        self.number = subscriber()[0]
        self.made = Struck(place)

    async def run(self) -> Struck:
        bank, service = self.serving.bank, self.serving.service
        callbacks = calls_back(mode=self.mode, ring_s=10, confirm_s=4)
        self.team = team = await Team.given(self.serving, "ann", callbacks=callbacks, ring_s=10)
        await bank.given_phone(self.number, does="busy" if self.busy else "answer", ring=0.4, talk=0, keys="1")
        talking = await busy_agent(team, "ann")
        service.kill()
        with _armed(self.at):
            service.start()
        service.wait_ready()
        await self.serving.until_agent("ann", "talking")
        await team.phone("ann", talk=0.8, ring=0.4)
        await self._strike(talking)
        self.made.died = service.running_pid() is None
        await bank.given_phone(self.number, does="answer")
        service.start()
        service.wait_ready()
        if not talking.is_over:
            await bank.leave(talking)
        await self._served()
        await self._judge()
        return self.made

    async def _strike(self, talking: Customer) -> None:
        """All that happens until the service is dead."""
        bank, service, team = self.serving.bank, self.serving.service, self.team
        customer = await team.call(self.number)
        call = await self.serving.until_call(customer, state="waiting")
        with suppress(httpx.TransportError):
            reply = await self.serving.api.post("/v1/callbacks", json={"call": call["id"], "number": self.number})
            self.made.promised = reply.status_code == 201
        await bank.until(lambda: customer.is_over or not self._lives(), "he is let go", 15)
        if not self._lives():
            return
        if self.again:
            await team.call(self.number)
        else:
            await bank.leave(talking)
        moments = {
            RINGS: ("PhoneInvite", self.number, None),
            PICKED_UP: ("PhoneAnswer", self.number, None),
            AGENT_RINGS: ("PhoneInvite", team.device("ann"), self.number),
            TALKS: ("PhoneAnswer", team.device("ann"), self.number),
        }
        if self.at in moments:
            kind, phone, caller = moments[self.at]
            await bank.until(lambda: bool(self._seen(kind, phone, caller)), self.at, 20)
            service.kill()
        with suppress(Late):
            await until(lambda: not self._lives(), f"the service is dead at {self.at}", within_s=20)

    def _lives(self) -> bool:
        return self.serving.service.running_pid() is not None

    def _seen(self, kind: str, phone: str, caller: str | None) -> list[PhoneMoment]:
        moments = self.serving.bank.moments[self.team.since :]
        return [one for one in moments if (one.kind, one.phone) == (kind, phone) and caller in (None, one.caller)]

    async def _served(self) -> None:
        """Wait until an agent has picked up for him."""
        try:
            await self.serving.bank.until(
                lambda: bool(self._seen("PhoneAnswer", self.team.device("ann"), self.number)), "he is served", 45
            )
        except Late:
            self.made.problems.append("forgotten")

    async def _judge(self) -> None:
        found: list[Json] = []

        async def nothing_is_open() -> bool:
            found[:] = (await self.serving.get("/v1/callbacks", queue=self.team.queue))["items"]
            return all(one["ended"] is not None for one in found) and not await self.serving.calls(
                "waiting", "offered", "talking"
            )

        try:
            await until(nothing_is_open, "nothing is open", within_s=20, every_s=0.2)
        except Late:
            self.made.problems.append("something is left open")
        if found:
            self.made.attempts, self.made.ended = results(found[0]), found[0]["ended"]
        rung = self._seen("PhoneInvite", self.number, None)
        self.made.rings = len(rung)
        dialled = sum(one not in ("not_dialled", "cancelled") for one in self.made.attempts)
        if len(rung) > dialled:
            self.made.problems.append(f"double: {len(rung)} rings of {self.made.attempts}")
        served = self._seen("PhoneAnswer", self.team.device("ann"), self.number)
        if len(served) > 1 or (served and any(one.ms > served[0].ms for one in rung)):
            self.made.problems.append("double: called after he had been served")


@contextmanager
def _armed(place: str) -> Iterator[None]:
    """A service that is started meanwhile kills itself there."""
    if "." not in place:
        yield
        return
    os.environ["NOBAT_TESTING__FAILPOINTS"], os.environ["NOBAT_TESTING__FAILPOINT"] = "true", place
    try:
        yield
    finally:
        del os.environ["NOBAT_TESTING__FAILPOINTS"], os.environ["NOBAT_TESTING__FAILPOINT"]
