"""Under overload, what serves screens is refused before what serves calls: screens can wait, callers cannot.

Plain ASGI, before authentication, so that a refusal costs next to nothing. What machines watch by (``/healthz``, ``/readyz``,
``/metrics``) is always answered.
"""

from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from nobat.api.edge import PROTECTED
from nobat.api.problems import problem

SCREENS_S = 0.5
"""Messages of calls have been late for so long: reading is refused."""

CHANGES_S = 5.0
"""And for so long: changes are, too."""

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Shedding:
    """``behind_s`` says how long calls have had to wait for us without a break; ``shed`` counts refusals by kind."""

    def __init__(self, app: ASGIApp, behind_s: Callable[[], float], shed: Callable[[str], None]) -> None:
        self._app, self._behind_s, self._shed = app, behind_s, shed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(PROTECTED + "/"):
            kind = "screen" if scope["method"] in SAFE else "change"
            if self._behind_s() > (SCREENS_S if kind == "screen" else CHANGES_S):
                self._shed(kind)
                await problem(503, "overloaded", "calls come first", headers={"Retry-After": "2"})(scope, receive, send)
                return
        await self._app(scope, receive, send)
