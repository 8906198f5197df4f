"""Phone codes: an agent dials ``*11`` to ``*15``, and ``*18``, and hears what became of it.

The dialplan asks (``PhoneAsked``) and speaks the prompt that belongs to the reply's slug. Refusals are told with as little as
possible: a wrong PIN and an agent who has none sound the same. No digit that was typed is logged.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from acd import picture
from acd.agents import AgentState, Status
from acd.commands import EndWrapUp, ExtendWrapUp
from acd.errors import AcdError, Invalid
from acd.ids import AgentId, DeviceId
from acd.views import AgentView
from ami.outputs import PhoneAsked
from nobat import pins
from nobat.desk import agent_view, choose_status
from nobat.engine import Engine, StorageUnavailable
from nobat.pins import Lockout
from nobat.ports import PbxLink
from whisper.commands import AskForHelp

log = structlog.get_logger(__name__)

ANSWER_WITHIN_S = 4.5
"""The dialplan waits five seconds and then speaks for itself."""

_REFUSALS = {
    "unknown_agent": "unknown_agent",
    "disposition_required": "outcome_missing",
    "unknown_disposition": "outcome_missing",
}
"""Refusals that have a sentence of their own."""

SAID_UP_TO = 20
"""The largest number of a request that is told: more would need grammar."""

LEAST_MORE_S = 30.0
"""What ``*150`` adds to a wrap-up whose queue has none by time."""

AT_ONCE = 4
"""PINs looked at in parallel: each costs tens of milliseconds of a core."""


@dataclass(slots=True)
class PhoneCodes:
    """Answers what agents ask by phone. ``pin_hash`` gives the stored hash of an agent's PIN, None without one."""

    engine: Engine
    now: Callable[[], float]
    pin_hash: Callable[[AgentId], str | None]
    lockout: Lockout
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
            return _REFUSALS.get(refusal.slug, "not_allowed")

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
    ) -> AgentView:
        """Done is done: a database that is away has been reported by the engine, and the status is stored when it is back."""
        with contextlib.suppress(StorageUnavailable):
            return await choose_status(self.engine, agent, status, reason, device)
        return agent_view(self.engine, agent)

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
                return _break_reply(await self._choose(agent, Status.BREAK, question.reason or None))
            case "available":
                await self._choose(agent, Status.AVAILABLE)
                return "available"
            case "end_wrap_up":
                return await self._wrap_up(agent, question.reason)
            case "help":
                with contextlib.suppress(StorageUnavailable):
                    await self.engine.ask(AskForHelp(agent))
                return "help_asked"
            case _:
                log.warning("an unknown phone code was asked", device=question.device)
                return "not_allowed"

    async def _wrap_up(self, agent: AgentId, digits: str) -> str:
        """``*15`` ends it; with 1, 2, … it says which of the queue's dispositions it was; with 0 it goes on for as long again."""
        wrap_up = agent_view(self.engine, agent).wrap_up
        if wrap_up is None or not digits:
            await self.engine.ask(EndWrapUp(agent))
        elif not int(digits):
            await self.engine.ask(ExtendWrapUp(agent, wrap_up.usual_s or LEAST_MORE_S))
            return "wrap_up_goes_on"
        elif int(digits) <= len(wrap_up.dispositions):
            await self.engine.ask(EndWrapUp(agent, wrap_up.dispositions[int(digits) - 1]))
        else:
            raise Invalid("unknown_disposition", "the queue has no disposition of that number", queue=wrap_up.queue)
        return "wrap_up_ended"


def _break_reply(view: AgentView) -> str:
    """What an agent who asked for a break hears: the number of a request that waits follows its slug."""
    if view.break_request is not None:
        number = view.break_request.number
        return f"break_requested{number}" if number <= SAID_UP_TO else "break_requested"
    return "on_break" if view.state is AgentState.BREAK else "after_the_call"
