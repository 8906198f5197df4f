"""The model PBX, with consults: who asks whom, and what becomes of the three when one of them leaves."""

from dataclasses import dataclass, replace

from acd import consult_port as p
from acd import telephony as t
from acd.consult_port import ConsultAction, ConsultStage
from acd.ids import CallId, DeviceId, LegId
from acd.telephony import DeviceState, Fact, LegStage, MissCause
from tests.property.model_pbx import PBX, Channel, ModelPbx


@dataclass
class Asked:
    """Whoever is asked in one call."""

    request: p.Consult
    stage: ConsultStage
    leg: LegId | None = None

    @property
    def device(self) -> DeviceId | None:
        return self.request.device if self.leg is not None else None


class ConsultingPbx(ModelPbx):
    """As ``ModelPbx``; consults are kept by call."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: dict[CallId, Asked] = {}

    # ------------------------------------------------ requests

    def consult(self, request: p.Consult) -> list[Fact]:
        """The caller on hold, and a phone rings, or the agent waits in line."""
        channel, before = self.channels.get(request.call), self.asked.get(request.call)
        if channel is None or channel.talking_to is None:
            return [t.RequestFailed(request, t.RequestFailure.NO_SUCH_LEG)]
        assert channel.stage is LegStage.TALKING
        assert channel.agent_leg == request.agent_leg
        assert before is None or before.stage is ConsultStage.WAITING, "two are asked at once"
        held: list[Fact] = [] if before is not None else [t.Held(request.call)]
        asked = self.asked[request.call] = Asked(request, ConsultStage.WAITING)
        if request.device is None:
            return held
        free = self.state(request.device) in (DeviceState.NOT_IN_USE, DeviceState.UNAVAILABLE)
        if not self.registered.get(request.device, True) or not free:
            return [*held, *self.not_taken(request.call, MissCause.UNREACHABLE)]
        self.legs += 1
        asked.leg, asked.stage = LegId(f"{PBX}-9.{self.legs}"), ConsultStage.RINGING
        return [
            *held,
            self.changed(request.device),
            p.ConsultRinging(request.call, request.offer, request.device, asked.leg),
        ]

    def move(self, request: p.MoveConsult) -> list[Fact]:
        """Swap, merge, complete or cancel."""
        asked = self.asked.get(request.call)
        if asked is None or asked.request.offer != request.offer:
            return [t.RequestFailed(request, t.RequestFailure.NO_SUCH_LEG)]
        call, offer = request.call, request.offer
        match request.action:
            case ConsultAction.SWAP:
                asked.stage = ConsultStage.SWAPPED if asked.stage is ConsultStage.TALKING else ConsultStage.TALKING
                swapped = asked.stage is ConsultStage.SWAPPED
                return [t.Resumed(call) if swapped else t.Held(call), p.ConsultMoved(call, offer, asked.stage)]
            case ConsultAction.MERGE:
                asked.stage = ConsultStage.MERGED
                return [t.Resumed(call), p.ConsultMoved(call, offer, asked.stage)]
            case ConsultAction.COMPLETE:
                return self.asker_leaves(call, by_phone=False)
            case ConsultAction.CANCEL:
                return self.asked_leaves(call)

    # ------------------------------------------------ what people do

    def is_ringing(self, call: CallId) -> bool:
        return call in self.asked and self.asked[call].stage is ConsultStage.RINGING

    def takes(self, call: CallId) -> list[Fact]:
        """It is picked up."""
        asked = self.asked[call]
        device, leg = asked.request.device, asked.leg
        assert device is not None
        assert leg is not None
        asked.stage = ConsultStage.TALKING
        return [p.ConsultBegan(call, asked.request.offer, device, leg), self.changed(device)]

    def not_taken(self, call: CallId, cause: MissCause) -> list[Fact]:
        asked = self.asked[call]
        device = asked.request.device
        assert device is not None
        facts: list[Fact] = [p.ConsultMissed(call, asked.request.offer, device, cause)]
        if asked.request.in_line:
            asked.stage, asked.leg = ConsultStage.WAITING, None
        else:
            del self.asked[call]
            facts.append(t.Resumed(call))
        return [*facts, self.changed(device)]

    def asked_leaves(self, call: CallId) -> list[Fact]:
        """Whoever is asked is gone, or nobody is asked any more: the agent has the caller."""
        asked = self.asked.pop(call)
        facts: list[Fact] = [p.ConsultOver(call, asked.request.offer)] if asked.leg is not None else []
        gone = [self.changed(asked.request.device)] if asked.request.device is not None else []
        return [*facts, t.Resumed(call), *gone]

    def asker_leaves(self, call: CallId, *, by_phone: bool) -> list[Fact]:
        """Whoever is asked has the caller, if he has picked up."""
        channel, asked = self.channels[call], self.asked.pop(call)
        assert channel.talking_to is not None
        assert channel.agent_leg is not None
        device, leg = channel.talking_to, channel.agent_leg
        said: list[Fact] = [t.AgentHungUp(call, leg, device)] if by_phone else []
        gone = t.AgentLegGone(call, leg, device, 16, hung_up=by_phone, fault=False)
        if asked.stage in (ConsultStage.WAITING, ConsultStage.RINGING):
            channel.talking_to, channel.agent_leg, channel.stage = None, None, LegStage.AFTER
        else:
            channel.talking_to, channel.agent_leg = asked.device, asked.leg
        others = [self.changed(asked.request.device)] if asked.request.device is not None else []
        return [*said, gone, t.Resumed(call), self.changed(device), *others]

    # ------------------------------------------------ as the model without consults

    def state(self, device: DeviceId) -> DeviceState:
        for asked in self.asked.values():
            if asked.device == device:
                return DeviceState.RINGING if asked.stage is ConsultStage.RINGING else DeviceState.IN_USE
        return super().state(device)

    def _lets_go(self, channel: Channel) -> list[Fact]:
        asked = self.asked.pop(channel.entered.call, None)
        facts = super()._lets_go(channel)
        return [*facts, self.changed(asked.device)] if asked is not None and asked.device is not None else facts

    def agent_leaves(self, call: CallId, *, fault: bool) -> list[Fact]:
        return (
            self.asker_leaves(call, by_phone=not fault)
            if call in self.asked
            else super().agent_leaves(call, fault=fault)
        )

    def caller_leaves(self, call: CallId) -> list[Fact]:
        asked = self.asked.pop(call, None)
        facts = super().caller_leaves(call)
        return [*facts, self.changed(asked.device)] if asked is not None and asked.device is not None else facts

    def restart(self) -> None:
        super().restart()
        self.asked.clear()

    def snapshot(self) -> t.PbxSnapshot:
        shown = super().snapshot()
        return replace(shown, calls=tuple(self._shown(one) for one in shown.calls))

    def _shown(self, one: t.SnapshotCall) -> t.SnapshotCall:
        asked = self.asked.get(one.entered.call)
        if asked is None:
            return one
        request = asked.request
        return replace(one, consult=p.ConsultFound(request.offer, asked.stage, request.asked, asked.device, asked.leg))
