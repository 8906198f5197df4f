"""Phone codes: an agent dials ``*11`` to ``*15`` and hears what became of it.

The dialplan asks (``PhoneAsked``) and speaks the prompt that belongs to the reply's slug. Refusals are told with as little as
possible: a wrong PIN and an agent who has none sound the same. No digit that was typed is logged.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import structlog

from acd import picture
from acd.agents import Status
from acd.commands import EndWrapUp
from acd.errors import AcdError
from acd.ids import AgentId, DeviceId
from ami.outputs import PhoneAsked
from nobat import pins
from nobat.desk import choose_status
from nobat.engine import Engine, StorageUnavailable
from nobat.pins import Lockout
from nobat.ports import PbxLink

log = structlog.get_logger(__name__)

ANSWER_WITHIN_S = 4.5
"""The dialplan waits five seconds and then speaks for itself."""

AT_ONCE = 4
"""PINs looked at in parallel: each costs tens of milliseconds of a core."""


@dataclass(slots=True)
class PhoneCodes:
    """Answers what agents ask by phone. ``pin_hash`` gives the stored hash of an agent's PIN, None without one."""

    engine: Engine
    now: Callable[[], float]
    pin_hash: Callable[[AgentId], str | None]
    lockout: Lockout
    break_reasons: Mapping[str, str]
    _open: set["asyncio.Task[None]"] = field(default_factory=set)
    _hashing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    def asked(self, pbx: PbxLink, question: PhoneAsked) -> None:
        """Answer in the background."""
        task = asyncio.get_running_loop().create_task(self._answer(pbx, question))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def _answer(self, pbx: PbxLink, question: PhoneAsked) -> None:
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                reply = await self.decide(question)
        except TimeoutError:
            reply = "unavailable"
        except Exception:
            log.exception("a phone code could not be handled", kind=question.kind, device=question.device)
            reply = "unavailable"
        await pbx.answer_phone(question.id, reply)

    async def decide(self, question: PhoneAsked) -> str:
        """Do what was asked; the slug of the prompt to speak."""
        try:
            if question.kind == "sign_in":
                return await self._sign_in(question)
            return await self._of_signed_in(question)
        except AcdError as refusal:
            log.info("a phone code was refused", kind=question.kind, device=question.device, why=refusal.slug)
            return "unknown_agent" if refusal.slug == "unknown_agent" else "not_allowed"

    async def _sign_in(self, question: PhoneAsked) -> str:
        agent = AgentId(question.agent)
        if self.lockout.locked(agent, self.now()):
            log.warning("a locked agent tried to sign in by phone", agent=agent, device=question.device)
            return "locked"
        pin_hash = self.pin_hash(agent)
        async with self._hashing:
            right = await asyncio.to_thread(pins.matches, pin_hash, question.pin)
        if self.lockout.locked(agent, self.now()):  # by guesses made at the same time from other phones
            return "locked"
        if not right:
            return self._wrong_pin(agent, question.device)
        self.lockout.right(agent)
        await self._choose(agent, Status.AVAILABLE, device=DeviceId(question.device))
        log.info("agent signed in by phone", agent=agent, device=question.device)
        return "signed_in"

    async def _choose(
        self, agent: AgentId, status: Status, reason: str | None = None, device: DeviceId | None = None
    ) -> None:
        """Done is done: a database that is away has been reported by the engine, and the status is stored when it is back."""
        with contextlib.suppress(StorageUnavailable):
            await choose_status(self.engine, agent, status, reason, device)

    def _wrong_pin(self, agent: AgentId, device: str) -> str:
        if self.lockout.wrong(agent, self.now()):
            log.warning("too many wrong PINs: sign-in by phone is locked", agent=agent, device=device)
            return "locked"
        log.warning("wrong PIN", agent=agent, device=device)
        return "wrong_pin"

    async def _of_signed_in(self, question: PhoneAsked) -> str:
        device = DeviceId(question.device)
        agent = self.engine.read(
            lambda floor, now: next((one.id for one in picture.agents(floor, now) if one.device == device), None)
        )
        if agent is None:
            return "not_signed_in"
        match question.kind:
            case "sign_out":
                await self._choose(agent, Status.SIGNED_OUT)
                return "signed_out"
            case "break":
                reason = self.break_reasons.get(question.reason, question.reason) or None
                await self._choose(agent, Status.BREAK, reason)
                return "on_break"
            case "available":
                await self._choose(agent, Status.AVAILABLE)
                return "available"
            case "end_wrap_up":
                await self.engine.ask(EndWrapUp(agent))
                return "wrap_up_ended"
            case _:
                log.warning("an unknown phone code was asked", device=question.device)
                return "not_allowed"
