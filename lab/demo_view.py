"""The table of ``make demo``: queues, agents and calls, redrawn on a terminal; a line every five seconds elsewhere."""

import time
from collections import Counter
from types import TracebackType
from typing import Any

from rich.columns import Columns
from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from tests.support.phonebank import Customer

_COLOURS = {
    "idle": "green",
    "ringing": "yellow",
    "talking": "cyan",
    "wrap_up": "magenta",
    "waiting": "yellow",
    "offered": "bright_yellow",
}
_ROWS = 14


class View:
    """``with View() as view: view.show(...)`` as often as there is something new."""

    def __init__(self) -> None:
        console = Console()
        self._live = Live(console=console, refresh_per_second=4) if console.is_terminal else None
        self._told = 0.0

    def __enter__(self) -> "View":
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, queues: list[Any], agents: list[Any], calls: list[Any], customers: list[Customer]) -> None:
        """Draw what REST says, and how many customers called so far."""
        if self._live is not None:
            tables = Columns([_queues(queues), _agents(agents)])
            self._live.update(Group(tables, _calls(calls), f"{len(customers)} customers so far; Ctrl-C ends the demo"))
        elif time.monotonic() - self._told >= 5:
            self._told = time.monotonic()
            states = Counter(agent["state"] for agent in agents)
            waiting = sum(queue["waiting"] for queue in queues)
            doing = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
            print(f"nobat: {len(customers)} customers so far, {waiting} waiting; agents: {doing}", flush=True)


def _queues(queues: list[Any]) -> Table:
    table = Table("queue", "number", "waiting", "longest wait", title="Queues")
    for queue in queues:
        table.add_row(queue["name"], queue["number"], str(queue["waiting"]), f"{queue['longest_wait_s']:.0f} s")
    return table


def _agents(agents: list[Any]) -> Table:
    table = Table("agent", "state", "queues", title="Agents")
    for agent in agents:
        table.add_row(agent["id"], _coloured(agent["state"]), ", ".join(agent["queues"]))
    return table


def _calls(calls: list[Any]) -> Table:
    table = Table("caller", "name", "queue", "state", "waited", "agent", title="Calls")
    for call in sorted(calls, key=lambda one: str(one["entered_at"]))[:_ROWS]:
        caller = call["caller"]
        with_whom = call["agent"] or ", ".join(call["offered_to"])
        table.add_row(
            escape(caller["number"] or "withheld"), escape(caller["name"] or ""), call["queue"], _coloured(call["state"]),
            f"{call['waited_s']:.0f} s", with_whom,
        )  # fmt: skip
    if len(calls) > _ROWS:
        table.caption = f"and {len(calls) - _ROWS} more"
    return table


def _coloured(state: str) -> str:
    colour = _COLOURS.get(state, "white")
    return f"[{colour}]{state}[/{colour}]"
