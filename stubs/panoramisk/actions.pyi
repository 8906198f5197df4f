import asyncio
from typing import Any

from panoramisk.message import Message
from panoramisk.utils import CaseInsensitiveDict

class Action(CaseInsensitiveDict):
    as_list: bool | None
    responses: list[Message]
    future: asyncio.Future[Any]
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...
    @property
    def id(self) -> str: ...
    def add_message(self, message: Message) -> bool | None: ...
