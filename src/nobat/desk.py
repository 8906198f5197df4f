"""What people mean, as commands: the same wish from REST and from a phone becomes the same command."""

from acd import picture
from acd.agents import Status
from acd.commands import BecomeAvailable, Command, SignIn, SignOut, TakeBreak
from acd.ids import AgentId, DeviceId
from acd.views import AgentView
from nobat.engine import Engine


def agent_view(engine: Engine, agent: AgentId) -> AgentView:
    """The agent as he is now. Raises ``unknown_agent``."""
    return engine.read(lambda floor, now: picture.agent(floor, agent, now))


async def choose_status(
    engine: Engine, agent: AgentId, status: Status, reason: str | None = None, device: DeviceId | None = None
) -> AgentView:
    """Do what an agent chose; the agent afterwards. Whoever is not on a break becomes available by signing in."""
    command: Command
    match status:
        case Status.SIGNED_OUT:
            command = SignOut(agent)
        case Status.BREAK:
            command = TakeBreak(agent, reason)
        case Status.AVAILABLE if device is None and agent_view(engine, agent).status is Status.BREAK:
            command = BecomeAvailable(agent)
        case Status.AVAILABLE:
            command = SignIn(agent, device)
    await engine.ask(command)
    return agent_view(engine, agent)
