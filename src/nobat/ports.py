"""What the service needs of a PBX link, whoever provides it: ``ami.pbx`` for Asterisk, an in-memory one in tests."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from acd.telephony import Request
from ami.health import Health


class PhoneAsked(Protocol):
    """An agent dialled a phone code. ``device`` is the phone that asks; ``pin`` and ``agent`` are digits as typed."""

    @property
    def id(self) -> str: ...

    @property
    def device(self) -> str: ...

    @property
    def kind(self) -> str: ...

    @property
    def agent(self) -> str: ...

    @property
    def pin(self) -> str: ...

    @property
    def reason(self) -> str: ...


class PbxLink(Protocol):
    """One PBX."""

    @property
    def health(self) -> Health: ...

    async def run(self) -> None: ...

    def send(self, requests: Sequence[Request]) -> None: ...

    async def answer_phone(self, ask: str, reply: str) -> None: ...

    async def set_queue_numbers(self, numbers: Mapping[str, str]) -> None: ...
