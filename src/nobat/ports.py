"""What the service needs of a PBX link, whoever provides it: ``ami.pbx`` for Asterisk, an in-memory one in tests."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from acd.ids import AttemptId, CallId, PbxId
from acd.telephony import Fact, Request
from ami.health import Health, Observer
from ami.outputs import Asked

Deliver = Callable[[Fact | Asked], None]
"""Where a link puts what it learns."""


class PbxLink(Protocol):
    """One PBX."""

    @property
    def health(self) -> Health: ...

    async def run(self) -> None: ...

    def remembered(self) -> int: ...

    def send(self, requests: Sequence[Request]) -> None: ...

    async def answer_phone(self, ask: str, reply: str) -> bool: ...

    async def answer_caller(self, call: CallId, ask: str, step: str, prompts: Sequence[str]) -> bool: ...

    def forget(self, calls: Sequence[CallId]) -> None: ...

    async def markers(self) -> Sequence[AttemptId]: ...

    async def forget_markers(self, attempts: Sequence[AttemptId]) -> bool: ...

    def beat(self, pauses: Mapping[tuple[str, str], bool] | None) -> None: ...

    async def set_queue_numbers(self, numbers: Mapping[str, str], titles: Mapping[str, str]) -> bool: ...

    async def set_queue_sounds(self, sounds: Mapping[str, tuple[str, str]]) -> bool: ...


MakePbx = Callable[[PbxId, Deliver, Observer], PbxLink]
"""Makes the link of one configured PBX."""
