"""The lab's queues and agents, as a file for ``nobat apply``."""

_SALES = range(101, 121)
_SUPPORT = range(111, 141)


def declaration(agents: int) -> str:
    """YAML: queues ``sales`` and ``support``, agents 101 … with their phones and PINs.

    Agents beyond 140 (a load test's) serve both queues.
    """
    lines = ["# Written by the lab.", "queues:"]
    lines += ["  - {id: sales, name: Sales, number: '8000'}", "  - {id: support, name: Support, number: '8001'}"]
    lines += ["agents:", *(_agent(number) for number in range(101, 101 + agents))]
    return "\n".join(lines) + "\n"


def _agent(number: int) -> str:
    queues = [name for name, served in (("sales", _SALES), ("support", _SUPPORT)) if number in served or number > 140]
    return (
        f"  - {{id: '{number}', name: Agent {number}, device: PJSIP/agent-{number}, queues: [{', '.join(queues)}], "
        f"pin: '{number}'}}"
    )
