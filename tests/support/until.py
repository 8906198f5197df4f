"""Wait for a condition with a deadline: how tests wait for anything that a real process does."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable

Condition = Callable[[], bool] | Callable[[], Awaitable[bool]]


class Late(AssertionError):
    """Something that was to happen did not within its time; the message says what was seen instead."""


async def until(
    condition: Condition, what: str, *, within_s: float = 10, every_s: float = 0.02, seen: Callable[[], object] = str
) -> None:
    """Return as soon as ``condition`` holds. ``seen`` tells what was there instead when it did not."""
    deadline = asyncio.get_running_loop().time() + within_s
    while True:
        held = condition()
        if await held if inspect.isawaitable(held) else held:
            return
        if asyncio.get_running_loop().time() > deadline:
            raise Late(f"not within {within_s} s: {what}. Seen: {seen()}")
        await asyncio.sleep(every_s)
