"""``nobat apply FILE``: make queues and agents what the file says. Running it twice changes nothing the second time.

Without an address it writes to the database, and a running service picks the change up within a second. With ``--url`` and a
token it speaks to a service's REST interface instead. Both are a ``Target``: something that tells what is and does a plan.
"""

import asyncio
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

from acd.agents import AgentSpec
from acd.ids import AgentId, PbxId, QueueId, reached_by
from acd.queues import QueueSpec
from nobat import pins
from nobat.api.agent_models import AgentIn
from nobat.api.devices import named
from nobat.api.queue_models import QueueIn, QueueOut
from nobat.clock import Clock
from nobat.declaration import Declaration
from nobat.plan import BY_FILE, NOBODY, Plan, make_plan
from nobat.rest_client import RestClient, segment
from nobat.storage import catalogue, operators, opt_outs
from nobat.storage.catalogue import Catalogue, Changes
from nobat.storage.database import Database
from nobat.storage.errors import StorageConflict
from nobat.storage.migrate import migrate


class ApplyError(Exception):
    """The plan could not be carried out; the message is for the operator."""


class Target(Protocol):
    """Where queues and agents are."""

    def plan(self, wanted: Declaration, *, prune: bool) -> Plan: ...

    def carry_out(self, plan: Plan) -> None: ...


@dataclass(slots=True)
class DatabaseTarget:
    """The service's own database."""

    url: str
    home: PbxId

    def plan(self, wanted: Declaration, *, prune: bool) -> Plan:
        known, opted_out = asyncio.run(self._load(wanted))
        right = _right_pins(known.pin_hashes, wanted.agents.values())
        return make_plan(
            wanted,
            known.queues,
            known.agents,
            self.home,
            lambda agent, _: agent in right,
            prune=prune,
            opted_out=opted_out,
        )

    def carry_out(self, plan: Plan) -> None:
        with ThreadPoolExecutor() as threads:
            hashes = list(threads.map(pins.hash_pin, [pin for _, pin in plan.new_pins]))
        changes = Changes(
            queues=(*plan.added_queues, *(new for _, new in plan.changed_queues)),
            agents=(*plan.added_agents, *(new for _, new in plan.changed_agents)),
            pin_hashes=tuple((agent, one) for (agent, _), one in zip(plan.new_pins, hashes, strict=True)),
            removed_queues=plan.removed_queues,
            removed_agents=plan.removed_agents,
        )
        asyncio.run(self._change(changes, plan))

    async def _load(self, wanted: Declaration) -> tuple[Catalogue, dict[str, str]]:
        database = Database(self.url)
        try:
            await migrate(database)
            known = await catalogue.load(database)
            there = await opt_outs.find(database, wanted.opt_outs or ())
            by_file = await opt_outs.entered_by(database, BY_FILE)
            return known, {one.number: one.by for one in (*there, *by_file)}
        finally:
            await database.close()

    async def _change(self, changes: Changes, plan: Plan) -> None:
        database = Database(self.url)
        try:
            await operators.note(database, *plan.done())
            if changes != Changes():
                await catalogue.change(database, changes)
            await opt_outs.put(database, plan.added_opt_outs, BY_FILE, Clock().now())
            for number in plan.removed_opt_outs:
                await opt_outs.remove(database, number)
        except StorageConflict:
            raise ApplyError("somebody else changed queues or agents meanwhile; run it again") from None
        finally:
            await database.close()


def _right_pins(hashes: Mapping[AgentId, str], agents: Iterable[AgentIn]) -> set[AgentId]:
    """The agents whose PIN is stored as the file gives it."""
    given = [(AgentId(one.id), one.pin) for one in agents if one.pin is not None and AgentId(one.id) in hashes]
    with ThreadPoolExecutor() as threads:
        right = list(threads.map(lambda one: pins.matches(hashes[one[0]], one[1]), given))
    return {agent for (agent, _), yes in zip(given, right, strict=True) if yes}


@dataclass(slots=True)
class RestTarget:
    """A service somewhere, by an admin's token. It does not tell PINs: one that an agent has already is left alone."""

    client: RestClient
    _pins: dict[AgentId, str] = field(default_factory=dict)

    def plan(self, wanted: Declaration, *, prune: bool) -> Plan:
        queues = [_queue(one) for one in self.client.everything("/v1/queues")]
        told = self.client.everything("/v1/agents")
        agents = [_agent(one) for one in told]
        with_pin = {one["id"] for one in told if one["has_pin"]}
        pbxs = self.client.ask("GET", "/readyz", accept=503)["pbx"]
        return make_plan(
            wanted,
            {one.id: one for one in queues},
            {one.id: one for one in agents},
            PbxId(next(iter(pbxs), "pbx1")),
            lambda agent, _: agent in with_pin,
            prune=prune,
            opted_out=self._opted_out() if wanted.opt_outs is not None else NOBODY,
        )

    def carry_out(self, plan: Plan) -> None:
        self._pins = dict(plan.new_pins)
        for queue in plan.added_queues:
            self.client.ask("POST", "/v1/queues", QueueOut.of_spec(queue))
        for _, queue in plan.changed_queues:
            body = {key: value for key, value in QueueOut.of_spec(queue).items() if key != "id"}
            self.client.ask("PATCH", f"/v1/queues/{segment(queue.id)}", body)
        for agent in plan.added_agents:
            self.client.ask("POST", "/v1/agents", {"id": agent.id, **self._agent_body(agent)})
        for _, agent in plan.changed_agents:
            self.client.ask("PATCH", f"/v1/agents/{segment(agent.id)}", self._agent_body(agent))
        for agent_id, pin in list(self._pins.items()):
            self.client.ask("PATCH", f"/v1/agents/{segment(agent_id)}", {"pin": pin})
        for agent_id in plan.removed_agents:
            self.client.ask("DELETE", f"/v1/agents/{segment(agent_id)}")
        for queue_id in plan.removed_queues:
            self.client.ask("DELETE", f"/v1/queues/{segment(queue_id)}")
        for number in plan.added_opt_outs:
            self.client.ask("PUT", f"/v1/opt-outs/{segment(number)}?by_file=true")
        for number in plan.removed_opt_outs:
            self.client.ask("DELETE", f"/v1/opt-outs/{segment(number)}")

    def _opted_out(self) -> dict[str, str]:
        return {one["number"]: one["by"] for one in self.client.everything("/v1/opt-outs")}

    def _agent_body(self, agent: AgentSpec) -> dict[str, Any]:
        pbx, dial_string, accept = reached_by(agent.device) if agent.device is not None else (None, None, None)
        body: dict[str, Any] = {"name": agent.name, "device": dial_string, "accept": accept, "pbx": pbx}
        body |= {"queues": list(agent.queues), "skills": dict(agent.skills)}
        body |= {"weights": dict(agent.weights), "ranks": dict(agent.ranks)}
        pin = self._pins.pop(agent.id, None)
        return body | ({"pin": pin} if pin is not None else {})


def _queue(told: dict[str, Any]) -> QueueSpec:
    return QueueIn.model_validate({name: told[name] for name in QueueIn.model_fields}).spec()


def _agent(told: dict[str, Any]) -> AgentSpec:
    device = told["device"]
    return AgentSpec(
        id=AgentId(told["id"]),
        name=told["name"],
        device=named(PbxId(told["pbx"]), device, told["accept"]) if device is not None else None,
        queues=tuple(QueueId(queue) for queue in told["queues"]),
        skills=tuple(sorted(told["skills"].items())),
        weights=tuple(sorted((QueueId(queue), number) for queue, number in told["weights"].items())),
        ranks=tuple(sorted((QueueId(queue), number) for queue, number in told["ranks"].items())),
    )
