"""What ``nobat apply`` is about to do: the difference between what is and what shall be, pure and readable.

A plan is computed before anything is changed, printed, and then carried out whole.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from types import MappingProxyType
from typing import TypeVar

from acd.agents import AgentSpec
from acd.hours import Hours
from acd.ids import AgentId, PbxId, QueueId
from acd.limits import Overflow
from acd.queues import QueueSpec
from nobat.declaration import Declaration, DeclarationError
from nobat.limit_json import Json, hours_json, overflow_json

NOBODY: Mapping[str, str] = MappingProxyType({})

BY_FILE = "nobat apply"
"""Who entered an opt-out that stood in a file."""

Key = TypeVar("Key", QueueId, AgentId)
Spec = TypeVar("Spec", QueueSpec, AgentSpec)


@dataclass(frozen=True, slots=True)
class Plan:
    """Changes in an order that always works: queues come before the agents who serve them and go after them."""

    added_queues: tuple[QueueSpec, ...] = ()
    changed_queues: tuple[tuple[QueueSpec, QueueSpec], ...] = ()
    removed_queues: tuple[QueueId, ...] = ()
    added_agents: tuple[AgentSpec, ...] = ()
    changed_agents: tuple[tuple[AgentSpec, AgentSpec], ...] = ()
    removed_agents: tuple[AgentId, ...] = ()
    new_pins: tuple[tuple[AgentId, str], ...] = ()
    added_opt_outs: tuple[str, ...] = ()
    removed_opt_outs: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        return self == Plan()

    @property
    def removes(self) -> bool:
        return bool(self.removed_queues or self.removed_agents or self.removed_opt_outs)

    def done(self) -> list[tuple[str, str]]:
        """For the audit: each change by the name that its operation has over REST."""
        pins = {agent for agent, _ in self.new_pins} - {agent.id for agent in self.added_agents}
        changed = {new.id for _, new in self.changed_agents}
        done = [("createQueue", str(one.id)) for one in self.added_queues]
        done += [("changeQueue", str(new.id)) for _, new in self.changed_queues]
        done += [("createAgent", str(one.id)) for one in self.added_agents]
        done += [("changeAgent", str(one)) for one in sorted(pins | changed)]
        done += [("deleteAgent", str(one)) for one in self.removed_agents]
        done += [("deleteQueue", str(one)) for one in self.removed_queues]
        if self.added_opt_outs:
            done.append(("putOptOut", f"{len(self.added_opt_outs)} numbers of a file"))
        if self.removed_opt_outs:
            done.append(("deleteOptOut", f"{len(self.removed_opt_outs)} numbers of a file"))
        return done

    def lines(self) -> list[str]:
        """For people: ``+`` is added, ``~`` changed, ``-`` removed. PINs are never shown."""
        pins = {agent for agent, _ in self.new_pins}
        added = {agent.id for agent in self.added_agents}
        changed = {old.id for old, _ in self.changed_agents}
        lines = [f"+ queue {one.id} (number {one.number})" for one in self.added_queues]
        lines += [f"~ queue {new.id}: {_difference(old, new)}" for old, new in self.changed_queues]
        lines += [f"- queue {one}" for one in self.removed_queues]
        lines += [f"+ agent {one.id} ({', '.join(one.queues) or 'no queues'})" for one in self.added_agents]
        for old, new in self.changed_agents:
            lines.append(f"~ agent {new.id}: {_difference(old, new)}{', pin' if new.id in pins else ''}")
        lines += [f"~ agent {one}: pin" for one in sorted(pins - added - changed)]
        lines += [f"- agent {one}" for one in self.removed_agents]
        if self.added_opt_outs:  # how many: numbers do not belong on a screen
            lines.append(f"+ opt-outs ({len(self.added_opt_outs)} numbers)")
        if self.removed_opt_outs:
            lines.append(f"- opt-outs ({len(self.removed_opt_outs)} numbers)")
        return lines


def make_plan(
    wanted: Declaration,
    queues: Mapping[QueueId, QueueSpec],
    agents: Mapping[AgentId, AgentSpec],
    home: PbxId,
    pin_is: Callable[[AgentId, str], bool],
    *,
    prune: bool,
    opted_out: Mapping[str, str] = NOBODY,
) -> Plan:
    """``pin_is`` says whether an agent's PIN is already the one given. Raises ``DeclarationError``.

    ``opted_out`` says who entered each number. One that people have asked for is in no file and stays; ``prune`` takes out those
    that an earlier file has entered and this one, which is about opt-outs, does not name.
    """
    opt_outs = wanted.opt_outs if wanted.opt_outs is not None else frozenset()
    by_file = {number for number, by in opted_out.items() if by == BY_FILE}
    queue_specs = {one: spec.spec() for one, spec in wanted.queues.items()}
    agent_specs = {one: spec.spec(home) for one, spec in wanted.agents.items()}
    kept = {} if prune else {one: spec for one, spec in queues.items() if one not in queue_specs}
    _check(kept, queue_specs, agent_specs)
    return Plan(
        added_queues=_added(queues, queue_specs),
        changed_queues=_changed(queues, queue_specs),
        removed_queues=tuple(sorted(queues.keys() - queue_specs.keys())) if prune else (),
        added_agents=_added(agents, agent_specs),
        changed_agents=_changed(agents, agent_specs),
        removed_agents=tuple(sorted(agents.keys() - agent_specs.keys())) if prune else (),
        new_pins=tuple(
            (one, agent.pin)
            for one, agent in wanted.agents.items()
            if agent.pin is not None and not pin_is(one, agent.pin)
        ),
        added_opt_outs=tuple(sorted(opt_outs - opted_out.keys())),
        removed_opt_outs=tuple(sorted(by_file - opt_outs)) if prune and wanted.opt_outs is not None else (),
    )


def _check(
    kept: Mapping[QueueId, QueueSpec], queues: Mapping[QueueId, QueueSpec], agents: Mapping[AgentId, AgentSpec]
) -> None:
    """What the file says must fit with what is there and stays."""
    holders = {spec.number: spec.id for spec in kept.values()}
    for queue in queues.values():
        if queue.number in holders:
            raise DeclarationError(f"queue {queue.id}: number: {queue.number} is queue {holders[queue.number]}'s")
    for agent in agents.values():
        missing = [one for one in agent.queues if one not in queues and one not in kept]
        if missing:
            raise DeclarationError(f"agent {agent.id}: queues: there is no queue {missing[0]!r}")


def _added(known: Mapping[Key, Spec], wanted: Mapping[Key, Spec]) -> tuple[Spec, ...]:
    return tuple(spec for one, spec in wanted.items() if one not in known)


def _changed(known: Mapping[Key, Spec], wanted: Mapping[Key, Spec]) -> tuple[tuple[Spec, Spec], ...]:
    return tuple((known[one], spec) for one, spec in wanted.items() if one in known and known[one] != spec)


def _difference(old: Spec, new: Spec) -> str:
    return ", ".join(
        shown
        for field in fields(old)
        for shown in _changes(field.name, getattr(old, field.name), getattr(new, field.name))
    )


def _changes(name: str, old: object, new: object) -> list[str]:
    if old == new:
        return []
    if isinstance(old, Hours) and isinstance(new, Hours):
        return _json_changes(name, hours_json(old), hours_json(new))
    if isinstance(old, Overflow) and isinstance(new, Overflow):
        return _json_changes(name, overflow_json(old), overflow_json(new))
    return [f"{name} {_shown(old)} -> {_shown(new)}"]


def _json_changes(name: str, old: Json, new: Json) -> list[str]:
    shown = {key: json.dumps(new[key], ensure_ascii=False) for key in new if old[key] != new[key]}
    return [f"{name}.{key} {json.dumps(old[key], ensure_ascii=False)} -> {value}" for key, value in shown.items()]


def _shown(value: object) -> str:
    if value is None or value in ((), ""):
        return "none"
    if is_dataclass(value) and not isinstance(value, type):
        return " ".join(f"{one.name}={_shown(getattr(value, one.name))}" for one in fields(value))
    if isinstance(value, tuple):
        return "/".join(f"{one[0]}={one[1]}" if isinstance(one, tuple) else _shown(one) for one in value)
    return str(value)
