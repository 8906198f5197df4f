"""The hands of the service, for tests of the dialplan alone: what it sends for an offer, a verdict, a reply.

What a test hears back are the events of the same account. The heart beats as the service's does, or Asterisk would serve the
callers by itself.
"""

import asyncio
import contextlib
import time

from tests.support.ami_client import AmiClient, Message
from tests.support.pbx import TestPbx
from tests.support.until import until


class Hands:
    """A login that keeps the events it hears."""

    def __init__(self, ami: AmiClient, events: list[Message]) -> None:
        self.ami = ami
        self.events = events
        self._heart = asyncio.create_task(self._beat())

    @classmethod
    async def on(cls, pbx: TestPbx) -> "Hands":
        events: list[Message] = []
        opened = cls(await pbx.ami(events.append), events)
        await opened.beats_once()
        return opened

    async def close(self) -> None:
        self._heart.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._heart
        await self.ami.close()

    async def beats_once(self) -> None:
        await self.ami.act("Setvar", Variable="ACD_HEARTBEAT", Value=str(time.monotonic_ns()))

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(1)
            await self.beats_once()

    async def event(self, name: str, occurrence: int = 1, within_s: float = 10, **headers: str) -> Message:
        """The n-th event of that name (an Acd name means a UserEvent) with these headers, awaited."""
        wanted = {"UserEvent": name, **headers} if name.startswith("Acd") else {"Event": name, **headers}

        def found() -> list[Message]:
            return [event for event in self.events if wanted.items() <= event.items()]

        await until(
            lambda: len(found()) >= occurrence,
            f"{name} {headers}",
            within_s=within_s,
            seen=lambda: [event.get("UserEvent", event["Event"]) for event in self.events],
        )
        return found()[occurrence - 1]

    async def variables(self, channel: str, *names: str) -> dict[str, str]:
        """Variables of one channel, as the service reads them; a variable that is not set is left out."""
        status = await self.ami.list("Status", Channel=channel, Variables=",".join(names))
        pairs = (line.partition("=") for line in status[0]["Variable"].split("\n"))
        return {name: value for name, _, value in pairs if value != "(null)"}

    async def offer(self, caller: Message, targets: str, ring_s: int = 10, offer: str = "of1") -> None:
        for name, value in (("ACD_OFFER", offer), ("ACD_TARGETS", targets), ("ACD_RING", str(ring_s))):
            await self.ami.act("Setvar", Channel=caller["Channel"], Variable=name, Value=value)
        await self.move(caller["Channel"], "acd-offer", "s")

    async def reply(self, ask: Message, slug: str) -> None:
        await self.ami.act("Setvar", Channel=ask["Channel"], Variable="ACD_REPLY", Value=slug)
        await self.move(ask["Channel"], "acd-codes", "reply")

    async def move(self, channel: str, context: str, exten: str) -> None:
        await self.ami.act("Redirect", Channel=channel, Context=context, Exten=exten, Priority="1")
