"""Once a second: tell every PBX that the service lives, and who of the fallback queues' members is paused.

The beat goes through the engine's inbox, so it stops when calls are not handled any more, whatever else still runs; then the
dialplan serves by itself. ``nobat.app`` runs it from the moment in which agents and queues are taken up.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from acd.ids import PbxId
from nobat.engine import Engine
from nobat.fallback import Pauses, pauses, standing
from nobat.ports import PbxLink

BEAT_S = 1.0


@dataclass(slots=True)
class Heartbeat:
    engine: Engine
    pbxs: Mapping[PbxId, PbxLink]
    _told: list[tuple[object, ...]] = field(default_factory=list)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.beat()
            await asyncio.sleep(BEAT_S)

    async def beat(self) -> None:
        """One beat, when everything that came in before is handled."""
        await self.engine.caught_up()
        now = self.engine.read(lambda floor, _: standing(floor))
        changed, self._told = now != self._told, now
        for name, link in self.pbxs.items():
            link.beat(self._pauses(name) if changed else None)

    def _pauses(self, pbx: PbxId) -> Pauses:
        return self.engine.read(lambda floor, _: pauses(floor, pbx))
