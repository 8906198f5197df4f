"""Time that is played: one heap of moments for everything that happens, and an asyncio loop for the service on top of it.

The service's process has a loop of its own (``ProcessLoop``), whose timers stand in the same heap as the steps of Asterisk and of
people. Nothing waits for real, nothing runs at the same time, and what is due at one moment happens in the order in which it was
planned, so a seed always gives the same run. A process that dies is a loop that never turns again.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from heapq import heappop, heappush
from itertools import count
from typing import Any

MOST_TURNS = 100_000
"""Callbacks that may follow one another without time going on; more than that is a loop without end."""


class Died(SystemExit):
    """The process is no more; asyncio lets nothing but this pass at once."""


class Clockwork:
    """``now`` is seconds since the epoch."""

    def __init__(self, start: float) -> None:
        self.now = start
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()

    def at(self, when: float, do: Callable[[], None]) -> None:
        """Plan something; what is planned for the past happens next."""
        heappush(self._heap, (max(when, self.now), next(self._numbers), do))

    def after(self, seconds: float, do: Callable[[], None]) -> None:
        self.at(self.now + seconds, do)

    def run_until(self, when: float) -> None:
        """Let everything happen that is due until then."""
        while self._heap and self._heap[0][0] <= when:
            self.now, _, do = heappop(self._heap)
            do()
        self.now = when


class Wires:
    """Where a process's connections lead: ``open`` makes the two ends of one, or raises ``OSError``."""

    def open(self, loop: "ProcessLoop", protocol: asyncio.Protocol) -> asyncio.Transport:
        raise ConnectionRefusedError


class ProcessLoop(asyncio.AbstractEventLoop):
    """The event loop of one process. As much of one as the service needs below its REST interface."""

    def __init__(self, clockwork: Clockwork, wires: Wires) -> None:
        self._clockwork, self._wires = clockwork, wires
        self._ready: deque[asyncio.Handle] = deque()
        self._tasks: dict[asyncio.Task[Any], None] = {}
        self._turning = False
        self.dead = False
        self.troubles: list[dict[str, Any]] = []

    # ------------------------------------------------------------ turning

    def turn(self) -> None:
        """Run what is ready until nothing is. A process that dies on the way stops where it is."""
        if self._turning or self.dead:
            return
        self._turning = True
        outer = asyncio._get_running_loop()
        asyncio._set_running_loop(self)
        try:
            for _ in range(MOST_TURNS):
                if not self._ready or self.dead:
                    return
                handle = self._ready.popleft()
                if not handle.cancelled():
                    handle._run()
            raise AssertionError("the service turns without end")
        except Died:
            self.dead = True
        finally:
            asyncio._set_running_loop(outer)
            self._turning = False

    def bury(self) -> None:
        """After death: end what was left lying, so that no coroutine is torn up later. Nothing of it reaches anybody."""
        self.dead = False
        self.turn()
        for _ in range(20):
            for task in [one for one in self._tasks if not one.done()]:
                task.cancel()
            self.turn()
        self.dead = True
        for task in self._tasks:
            if task.done() and not task.cancelled():
                task.exception()
        self._tasks.clear()
        self._ready.clear()

    # ------------------------------------------------------------ what asyncio asks of a loop

    def time(self) -> float:
        return self._clockwork.now

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return self._turning

    def is_closed(self) -> bool:
        return False

    def call_soon(self, callback: Callable[..., Any], *args: Any, context: Context | None = None) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        if not self._turning and not self.dead:  # from outside: Asterisk or somebody else has done something
            self._clockwork.after(0.0, self.turn)
        return handle

    def call_soon_threadsafe(
        self, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        return self.call_soon(callback, *args, context=context)

    def call_later(
        self, delay: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self._clockwork.at(when, lambda: self._due(handle))
        return handle

    def _due(self, handle: asyncio.TimerHandle) -> None:
        if not self.dead and not handle.cancelled():
            self._ready.append(handle)
            self.turn()

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """It stays in the heap and does nothing."""

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(
        self, coro: Coroutine[Any, Any, Any], *, name: str | None = None, context: Context | None = None
    ) -> asyncio.Task[Any]:
        task = asyncio.Task(coro, loop=self, name=name, context=context)
        self._tasks[task] = None
        task.add_done_callback(lambda done: self._tasks.pop(done, None))
        return task

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        """At once: no second thread is played."""
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - it belongs to who asked
            future.set_exception(error)
        return future

    async def create_connection(self, protocol_factory: Any, *_: Any, **__: Any) -> Any:
        protocol = protocol_factory()
        transport = self._wires.open(self, protocol)
        await asyncio.sleep(0)  # the protocol has been told by then
        return transport, protocol

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        if not self.dead:
            self.troubles.append(context)

    async def shutdown_asyncgens(self) -> None:
        """None is left."""
