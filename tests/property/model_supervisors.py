"""Supervisors' legs of a model PBX: rung, moved from mode to mode, and loose as soon as the agent's leg they hear is gone."""

from dataclasses import dataclass, replace

from acd.ids import DeviceId, LegId, SupervisionId
from acd.supervision_port import (
    EndSupervision,
    Mode,
    Quieten,
    RingSupervisor,
    SnapshotSupervisor,
    Supervise,
    SupervisionFact,
    SupervisorGone,
    SupervisorHears,
    SupervisorLoose,
    SupervisorMissed,
    SupervisorRequest,
    SupervisorUp,
)
from acd.telephony import MissCause, RequestFailed, RequestFailure

Facts = list[SupervisionFact | RequestFailed]


@dataclass(frozen=True, slots=True)
class Leg:
    """A supervisor's phone that rings or is picked up."""

    device: DeviceId
    up: bool = False
    mode: Mode | None = None
    leg: LegId | None = None


class ModelSupervisors:
    """All of them on one PBX. ``refuses`` says what phones do that do not just ring."""

    def __init__(self) -> None:
        self.legs: dict[SupervisionId, Leg] = {}
        self.rung: list[SupervisionId] = []

    def carry_out(self, request: SupervisorRequest, talking: set[LegId], refuses: MissCause | None) -> Facts:
        """``talking``: the agents' legs that are in a conversation now."""
        if isinstance(request, RingSupervisor):
            self.rung.append(request.session)
            if refuses is not None:
                return [SupervisorMissed(request.session, refuses)]
            self.legs[request.session] = Leg(request.device)
            return []
        leg = self.legs.get(request.session)
        if leg is None:
            return [RequestFailed(request, RequestFailure.NO_SUCH_LEG)]
        match request:
            case Supervise() if request.leg in talking:
                self.legs[request.session] = replace(leg, mode=request.mode, leg=request.leg)
                return [SupervisorHears(request.session, request.mode, request.leg)]
            case Supervise():
                return [SupervisorLoose(request.session, request.leg)]
            case Quieten():
                self.legs[request.session] = replace(leg, mode=None, leg=None)
            case EndSupervision():
                del self.legs[request.session]
                return [SupervisorGone(request.session, 16, hung_up=False)]
        return []

    def picks_up(self, session: SupervisionId) -> Facts:
        self.legs[session] = replace(self.legs[session], up=True)
        return [SupervisorUp(session)]

    def hangs_up(self, session: SupervisionId) -> Facts:
        del self.legs[session]
        return [SupervisorGone(session, 16, hung_up=True)]

    def loosened(self, talking: set[LegId]) -> Facts:
        """Those whose conversation is over."""
        facts: Facts = []
        for session, leg in self.legs.items():
            if leg.leg is not None and leg.leg not in talking:
                facts.append(SupervisorLoose(session, leg.leg))
                self.legs[session] = replace(leg, mode=None, leg=None)
        return facts

    def shown(self) -> tuple[SnapshotSupervisor, ...]:
        return tuple(SnapshotSupervisor(session, leg.up, leg.mode, leg.leg) for session, leg in self.legs.items())
