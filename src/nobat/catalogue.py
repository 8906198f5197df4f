"""Keeps the configured queues and agents the same in database, floor and PBX, whoever changes them.

The API changes them here: conflicts are looked for first, then the database is written, then the floor is told, then the PBX.
A removal asks the floor first, for only the floor knows whether anybody is still there. Changes that another program makes
(``nobat apply`` on the database) are noticed by ``follow`` within two seconds and brought to the floor.
"""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

import structlog

from acd.agents import AgentSpec
from acd.commands import Command, DefineAgent, DefineQueue, RemoveAgent, RemoveQueue, SetTimetable
from acd.errors import AcdError, Conflict, Invalid, NotFound, unknown
from acd.floor import Floor
from acd.hours import Timetable
from acd.ids import AgentId, PbxId, QueueId, split_device
from acd.limits import Destination, ToNumber, ToQueue, dialled
from acd.queues import QueueSpec
from acd.strategies import STRATEGIES
from nobat.engine import Engine
from nobat.holiday_lists import HolidayLists, kept
from nobat.ports import PbxLink
from nobat.storage import catalogue as stored
from nobat.storage.catalogue import Catalogue, Changes
from nobat.storage.database import Database
from nobat.storage.errors import StorageConflict, StorageUnavailable
from nobat.timetables import timetable

log = structlog.get_logger(__name__)

FOLLOW_S = 2.0
TIMETABLES_S = 3600.0


@dataclass(slots=True)
class CatalogueKeeper:
    """One writer at a time; readers ask the floor."""

    engine: Engine
    database: Database
    pbxs: Mapping[PbxId, PbxLink]
    pbx_names: frozenset[str]
    holiday_lists: HolidayLists = field(default_factory=dict)
    pin_hashes: dict[AgentId, str] = field(default_factory=dict)
    _version: int = -1
    _leaving: frozenset[QueueId] = frozenset()
    _stubborn: set[str] = field(default_factory=set)
    _timed_at: float = 0.0
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def pin_hash(self, agent: AgentId) -> str | None:
        """The stored hash of an agent's PIN."""
        return self.pin_hashes.get(agent)

    async def take_up(self, catalogue: Catalogue) -> None:
        """Bring the floor in line with ``catalogue``; the first time, fill it."""
        floor_queues, floor_agents = self.engine.read(_specs)
        self._leaving = self.engine.read(_still_used) - catalogue.queues.keys()
        for queue in _redefined_queues(floor_queues, catalogue.queues):
            await self._tell(self._defined(queue))
        for spec in catalogue.agents.values():
            wanted = self._until_it_is_gone(spec, floor_agents.get(spec.id))
            if floor_agents.get(spec.id) != wanted:
                await self._tell(DefineAgent(wanted))
        done = [await self._tell(RemoveAgent(agent)) for agent in floor_agents.keys() - catalogue.agents.keys()]
        done += [await self._tell(RemoveQueue(queue)) for queue in floor_queues.keys() - catalogue.queues.keys()]
        self.pin_hashes = dict(catalogue.pin_hashes)
        self._version = catalogue.version if all(done) else -1
        await self._tell_pbxs()

    def _until_it_is_gone(self, spec: AgentSpec, current: AgentSpec | None) -> AgentSpec:
        """A queue that goes still has callers: whoever serves it goes on until the last of them is served."""
        kept = [queue for queue in current.queues if queue in self._leaving] if current is not None else []
        return replace(spec, queues=(*spec.queues, *kept)) if kept else spec

    async def follow(self) -> None:
        """Notice what other programs change. Runs until cancelled."""
        while True:
            await asyncio.sleep(FOLLOW_S)
            await self._look_ahead()
            try:
                async with self._lock:
                    if await stored.version(self.database) != self._version:
                        await self.take_up(await stored.load(self.database))
            except StorageUnavailable:
                continue  # the recorder and /readyz speak of it

    def _defined(self, spec: QueueSpec) -> DefineQueue:
        now = self.engine.read(lambda _, now: now)
        missing = sorted(set(spec.hours.lists) - self.holiday_lists.keys())
        if missing:
            log.warning("a queue keeps lists of holidays that the settings do not have", queue=spec.id, lists=missing)
        return DefineQueue(spec, self._timetable(spec, now))

    def _timetable(self, spec: QueueSpec, now: float) -> Timetable | None:
        return timetable(kept(spec.hours, self.holiday_lists), spec.timezone, now)

    async def _look_ahead(self) -> None:
        """Work out the timetables of the coming weeks anew, every hour."""
        now = self.engine.read(lambda _, now: now)
        if abs(now - self._timed_at) < TIMETABLES_S:
            return
        self._timed_at = now
        queues, _ = self.engine.read(_specs)
        for spec in queues.values():
            if not spec.hours.always:
                await self._tell(SetTimetable(spec.id, self._timetable(spec, now)))

    async def put_queue(self, spec: QueueSpec, *, new: bool) -> None:
        """Create a queue or change it. Conflict ``queue_exists``, ``number_taken``; Invalid ``unknown_strategy``,
        ``unknown_holiday_list``.
        """
        async with self._lock:
            self.engine.read(lambda floor, _: _check_queue(floor, spec, new))
            known = self.engine.read(lambda floor, _: floor.queues.get(spec.id))
            _check_lists(spec, {*self.holiday_lists, *(known.spec.hours.lists if known is not None else ())})
            try:
                version = await stored.change(self.database, Changes(queues=(spec,)))
            except StorageConflict:
                raise Conflict("number_taken", f"number {spec.number} is another queue's", number=spec.number) from None
            await self.engine.ask(self._defined(spec))
            self._changed(version)
            await self._tell_pbxs()

    async def remove_queue(self, queue: QueueId) -> None:
        """Conflict ``queue_in_use`` while callers are in it. Its agents serve it no more."""
        async with self._lock:
            specs, agents = self.engine.read(_specs)
            await self.engine.ask(RemoveQueue(queue))
            members = [agent for agent in agents.values() if queue in agent.queues]
            try:
                version = await stored.change(self.database, Changes(removed_queues=(queue,)))
            except StorageUnavailable:
                await self.engine.ask(self._defined(specs[queue]))
                raise
            for agent in members:
                await self.engine.ask(DefineAgent(_without(agent, queue)))
            self._changed(version)
            await self._tell_pbxs()

    async def put_agent(
        self, spec: AgentSpec, *, new: bool, pin_hash: str | None = None, pin_given: bool = False
    ) -> None:
        """Create an agent or change one; the PIN too if ``pin_given``. Conflict ``agent_exists``."""
        async with self._lock:
            self.engine.read(lambda floor, _: _check_agent(floor, spec, new, self.pbx_names))
            pins = ((spec.id, pin_hash),) if pin_given else ()
            try:
                version = await stored.change(self.database, Changes(agents=(spec,), pin_hashes=pins))
            except StorageConflict:
                raise Invalid("unknown_queue", "a queue of this agent does not exist", agent=spec.id) from None
            await self.engine.ask(DefineAgent(spec))
            if pin_given:
                self.pin_hashes.pop(spec.id, None)
                if pin_hash is not None:
                    self.pin_hashes[spec.id] = pin_hash
            self._changed(version)

    async def remove_agent(self, agent: AgentId) -> None:
        """Conflict ``agent_in_use`` unless signed out and free."""
        async with self._lock:
            _, agents = self.engine.read(_specs)
            await self.engine.ask(RemoveAgent(agent))
            try:
                version = await stored.change(self.database, Changes(removed_agents=(agent,)))
            except StorageUnavailable:
                await self.engine.ask(DefineAgent(agents[agent]))
                raise
            self.pin_hashes.pop(agent, None)
            self._changed(version)

    def _changed(self, version: int) -> None:
        """Our own change need not be followed; if another program's came between, the difference shows and is."""
        if version == self._version + 1:
            self._version = version

    async def _tell(self, command: Command) -> bool:
        """Bring one change of another program to the floor; False if it must be tried again."""
        try:
            await self.engine.ask(command)
        except NotFound:
            return True
        except AcdError as refusal:
            if refusal.message not in self._stubborn:
                self._stubborn.add(refusal.message)
                log.warning(
                    "a change of queues or agents has to wait", why=refusal.slug, command=type(command).__name__
                )
            return False
        return True

    async def _tell_pbxs(self) -> None:
        queues, _ = self.engine.read(_specs)
        numbers = {spec.number: str(spec.id) for spec in queues.values() if spec.id not in self._leaving}
        titles = {str(spec.id): spec.name or str(spec.id) for spec in queues.values()}
        sounds = {str(one.id): (one.announcements.music, one.announcements.language) for one in queues.values()}
        for pbx in self.pbxs.values():
            await pbx.set_queue_sounds(sounds)
            await pbx.set_queue_numbers(numbers, titles)


def _specs(floor: Floor, _now: float) -> tuple[dict[QueueId, QueueSpec], dict[AgentId, AgentSpec]]:
    return (
        {name: queue.spec for name, queue in floor.queues.items()},
        {name: agent.spec for name, agent in floor.agents.items()},
    )


def _without(agent: AgentSpec, queue: QueueId) -> AgentSpec:
    """As the database has it when the queue is gone."""
    return replace(
        agent,
        queues=tuple(one for one in agent.queues if one != queue),
        weights=tuple(one for one in agent.weights if one[0] != queue),
        ranks=tuple(one for one in agent.ranks if one[0] != queue),
    )


def _still_used(floor: Floor, _now: float) -> frozenset[QueueId]:
    return frozenset(name for name, queue in floor.queues.items() if queue.live_calls)


def _redefined_queues(known: dict[QueueId, QueueSpec], wanted: dict[QueueId, QueueSpec]) -> list[QueueSpec]:
    """Definitions in an order the floor accepts: numbers that change hands are let go before they are taken."""
    changed = [spec for spec in wanted.values() if known.get(spec.id) != spec]
    taken = {spec.number for spec in changed}
    holders = [
        spec for spec in known.values() if spec.number in taken and wanted.get(spec.id, spec).number != spec.number
    ]
    return [*(replace(spec, number=f"~{spec.id}") for spec in holders), *changed]


def _check_lists(spec: QueueSpec, lists: Collection[str]) -> None:
    for name in spec.hours.lists:
        if name not in lists:
            raise Invalid("unknown_holiday_list", f"the settings have no list of holidays {name!r}", list=name)


def _check_queue(floor: Floor, spec: QueueSpec, new: bool) -> None:
    if new and spec.id in floor.queues:
        raise Conflict("queue_exists", f"queue {spec.id} exists already", queue=spec.id)
    if not new and spec.id not in floor.queues:
        raise unknown("queue", spec.id)
    if spec.strategy not in STRATEGIES:
        known = ", ".join(sorted(STRATEGIES))
        raise Invalid(
            "unknown_strategy", f"there is no strategy {spec.strategy!r}; known are {known}", field="strategy"
        )
    holder = floor.queue_by_key(spec.number)
    if holder is not None and holder.spec.id != spec.id:
        raise Conflict(
            "number_taken",
            f"number {spec.number} is queue {holder.spec.id}'s",
            number=spec.number,
            queue=holder.spec.id,
        )
    for to in spec.overflow.destinations:
        check_destination(floor, spec.id, to)


def check_destination(floor: Floor, queue: QueueId, to: Destination) -> None:
    """Raise Invalid ``number_not_allowed`` or ``leads_nowhere`` for one that could never be reached."""
    if isinstance(to, ToNumber) and dialled(floor.routes, to.number) is None:
        raise Invalid("number_not_allowed", "the settings allow no calls to this number", field="overflow")
    if isinstance(to, ToQueue) and to.queue == queue:
        raise Invalid("leads_nowhere", "a queue cannot lead to itself", field="overflow")


def _check_agent(floor: Floor, spec: AgentSpec, new: bool, pbx_names: frozenset[str]) -> None:
    if new and spec.id in floor.agents:
        raise Conflict("agent_exists", f"agent {spec.id} exists already", agent=spec.id)
    if not new and spec.id not in floor.agents:
        raise unknown("agent", spec.id)
    missing = [queue for queue in spec.queues if queue not in floor.queues]
    if missing:
        raise Invalid("unknown_queue", f"there is no queue {missing[0]!r}", field="queues", queue=missing[0])
    if spec.device is not None and split_device(spec.device)[0] not in pbx_names:
        raise Invalid("unknown_pbx", "the device names a PBX that is not configured", field="pbx")
