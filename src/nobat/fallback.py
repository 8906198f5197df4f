"""The queues by which Asterisk serves callers when the service is gone: their definition, and who of their members is paused.

The definition is a file for app_queue (``nobat fallback`` prints it). Its members are static: every agent's configured device.
Each has a turn of its own (a penalty), whatever the queue's strategy is, for app_queue keeps callers in order only where it
believes that all phones ring together: docs/decisions/0017 says why. Where they are to ring together, all have the same.

While the service lives it mirrors one thing alone, the chosen status, by pausing members; whether a phone is busy Asterisk knows
by itself, and a mirrored *talking* would stay for ever when the service dies in the middle of a call.

``nobat.heartbeat`` tells the PBXs who is paused; the lab and ``nobat.cli`` write the definition.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypeGuard

from acd.agents import AgentSpec, Status
from acd.ids import DeviceId, PbxId, accepts_by_key, split_device
from acd.queues import QueueSpec

if TYPE_CHECKING:
    from acd.floor import Floor

LAST_TURN = 999
"""The dialplan gives phones that have been rung later turns than these (``acd-turn``); app_queue takes no penalty above 2147."""

_HEAD = """\
; The queues that serve callers while Nobat is gone. Written by `nobat fallback`: write it again after a change of queues or
; of agents' devices, beside queues.conf, and say `queue reload all` to Asterisk.
"""

Pauses = dict[tuple[str, str], bool]
"""(queue's name in app_queue, dial string) -> paused."""


def queues_conf(queues: Iterable[QueueSpec], agents: Iterable[AgentSpec], pbx: PbxId) -> str:
    """The file for one PBX. Each queue is there by its id and by its number, which is all that Asterisk knows after a restart."""
    known = list(agents)
    sections = [_HEAD]
    for queue in queues:
        members = sorted(
            (agent for agent in known if queue.id in agent.queues), key=lambda one: dict(one.ranks).get(queue.id, 0)
        )
        sections.append("\n".join(_section(queue, members, pbx)))
    return "\n".join(sections)


def _section(queue: QueueSpec, members: Iterable[AgentSpec], pbx: PbxId) -> Iterator[str]:
    yield f"[{queue.id}]"
    yield "strategy = ringall"
    yield f"timeout = {queue.ring_s}"
    yield f"wrapuptime = {round(queue.wrap_up_s)}"
    yield "timeoutpriority = conf"  # a phone that rings is not cut off by the end of a slice
    yield "retry = 1"
    yield "ringinuse = no"
    yield "autofill = yes"
    yield "joinempty = yes"
    yield "leavewhenempty = no"
    yield "announce-frequency = 0"
    phones = dict.fromkeys(split_device(agent.device)[1] for agent in members if _is_member(agent.device, pbx))
    for turn, phone in enumerate(phones, 1):
        yield f"member => {phone},{0 if queue.strategy == 'ring_all' else min(turn, LAST_TURN)}"
    for name in names_in_app_queue(queue):
        if name != queue.id:
            yield f"\n[{name}]({queue.id})"
    yield ""


def names_in_app_queue(queue: QueueSpec) -> tuple[str, ...]:
    """What a fallback queue is called."""
    return (str(queue.id),) if queue.id == queue.number else (str(queue.id), queue.number)


def pauses(floor: "Floor", pbx: PbxId) -> Pauses:
    """Who is to be paused: members at whose phone nobody of the queue is available."""
    found: Pauses = {}
    for queue in floor.queues.values():
        members = queue.members.values()
        sitting: set[DeviceId | None] = {agent.device for agent in members if agent.status is Status.AVAILABLE}
        for agent in members:
            device = agent.spec.device
            if _is_member(device, pbx):
                for name in names_in_app_queue(queue.spec):
                    found[name, split_device(device)[1]] = device not in sitting
    return found


def standing(floor: "Floor") -> list[tuple[object, ...]]:
    """What ``pauses`` depends on, quick to make and to compare."""
    agents = [(agent.spec, agent.status, agent.device) for agent in floor.agents.values()]
    return [*agents, *((queue.spec.id, queue.spec.number) for queue in floor.queues.values())]


def _is_member(device: DeviceId | None, pbx: PbxId) -> TypeGuard[DeviceId]:
    """Whether app_queue may ring this phone. Not one that accepts by a key: nobody knows whether it is busy."""
    return device is not None and split_device(device)[0] == pbx and not accepts_by_key(device)
