"""The lab's queues and agents, as a file for ``nobat apply``, and the queues that serve callers when the service is gone."""

from pathlib import Path

from acd.ids import PbxId
from nobat.declaration import read_declaration
from nobat.fallback import queues_conf

_SALES = range(101, 121)
_SUPPORT = range(111, 141)


def declaration(agents: int) -> str:
    """YAML: queues ``sales`` and ``support``, agents 101 … with their phones and PINs.

    Agents beyond 140 (a load test's) serve both queues.
    """
    lines = ["# Written by the lab.", "queues:"]
    callbacks = "callbacks: {enabled: true, offer: {after_standard: false}}"  # by the key 1, and nobody is told of it
    for queue, name, number in (("sales", "Sales", 8000), ("support", "Support", 8001)):
        lines.append(f"  - {{id: {queue}, name: {name}, number: '{number}', {callbacks}}}")
    lines += ["agents:", *(_agent(number) for number in range(101, 101 + agents))]
    return "\n".join(lines) + "\n"


def fallback_queues(file: Path, pbx: str = "pbx1") -> str:
    """What ``nobat fallback`` would print once ``file`` is applied."""
    wanted, home = read_declaration(file), PbxId(pbx)
    agents = [agent.spec(home) for agent in wanted.agents.values()]
    return queues_conf([queue.spec() for queue in wanted.queues.values()], agents, home)


def _agent(number: int) -> str:
    queues = [name for name, served in (("sales", _SALES), ("support", _SUPPORT)) if number in served or number > 140]
    return (
        f"  - {{id: '{number}', name: Agent {number}, device: PJSIP/agent-{number}, queues: [{', '.join(queues)}], "
        f"pin: '{number}'}}"
    )
