"""A PBX as small as it can be and still true: it holds callers and phones, and tells the facts that a real one would tell.

It is the other half of the state machine test. What it holds is the truth; what the floor believes is compared with it. It
obeys the port's order (``acd.telephony``) and nothing else: any order that the port allows may happen.
"""

from dataclasses import dataclass, field, replace

from acd import telephony as t
from acd.ids import CallId, DeviceId, LegId, OfferId, PbxId
from acd.telephony import DeviceState, Fact, LegStage, MissCause, SnapshotCall
from tests.property.model_supervisors import ModelSupervisors

PBX = PbxId("pbx1")


@dataclass
class Channel:
    """A caller's channel."""

    entered: t.CallEntered
    stage: LegStage = LegStage.WAITING
    offer: OfferId | None = None
    ringing: dict[DeviceId, LegId] = field(default_factory=dict)
    silent: list[DeviceId] = field(default_factory=list)  # targets whose phone does not ring yet
    picked_up: DeviceId | None = None
    talking_to: DeviceId | None = None
    agent_leg: LegId | None = None
    connected_at: float = 0.0
    announcement: str | None = None  # not begun
    record: str = ""
    muted: bool = False  # what is recorded is silence


class ModelPbx:
    """Callers and phones. Methods change the truth and return the facts that tell of it."""

    def __init__(self) -> None:
        self.channels: dict[CallId, Channel] = {}
        self.registered: dict[DeviceId, bool] = {}
        self.elsewhere: set[DeviceId] = set()
        self.legs = 0
        self.boot = 1
        self.supervisors = ModelSupervisors()

    def state(self, device: DeviceId) -> DeviceState:
        """What the PBX would say of a phone."""
        for channel in self.channels.values():
            if device in (channel.talking_to, channel.picked_up):
                return DeviceState.IN_USE
            if device in channel.ringing:
                return DeviceState.RINGING
        if not self.registered.get(device, False):
            return DeviceState.UNAVAILABLE
        return DeviceState.IN_USE if device in self.elsewhere else DeviceState.NOT_IN_USE

    def changed(self, device: DeviceId) -> Fact:
        return t.DeviceChanged(device, self.state(device))

    def offer(self, request: t.Offer) -> list[Fact]:
        """Carry out an offer. The floor must have asked for a caller who waits, and never twice for one id."""
        channel = self.channels.get(request.call)
        if channel is None:
            return [t.RequestFailed(request, t.RequestFailure.NO_SUCH_LEG)]
        assert channel.stage is LegStage.WAITING or request.passed_on, "a Redirect would cut this caller off"
        assert channel.offer != request.offer, "the same offer twice"
        channel.stage, channel.offer, channel.announcement = LegStage.OFFERED, request.offer, None
        channel.silent = list(request.targets)
        channel.record, channel.muted = request.record, False
        return self._lets_go(channel)

    def _lets_go(self, channel: Channel) -> list[Fact]:
        """The caller was moved out of a conversation: the agent's leg ends, and it is no fact of the call any more."""
        device, channel.talking_to, channel.agent_leg = channel.talking_to, None, None
        return [self.changed(device)] if device is not None else []

    def back_in_line(self, request: t.ReturnToLine) -> list[Fact]:
        """Carry out a return to the line."""
        channel = self.channels.get(request.call)
        if channel is None:
            return [t.RequestFailed(request, t.RequestFailure.NO_SUCH_LEG)]
        assert channel.stage is not LegStage.OFFERED, "a Redirect would cut the ringing off"
        channel.stage = LegStage.WAITING
        if request.visit is not None:
            channel.entered = replace(channel.entered, queue_key=request.visit.queue, visit=request.visit)
        return self._lets_go(channel)

    def pass_on(self, call: CallId, to: str) -> list[Fact]:
        """The agent's phone passes the caller on: its leg ends, the caller waits for what comes of it."""
        channel = self.channels[call]
        assert channel.talking_to is not None
        assert channel.agent_leg is not None
        gone = t.AgentLegGone(call, channel.agent_leg, channel.talking_to, 16, hung_up=False, fault=False)
        channel.stage = LegStage.AFTER
        return [gone, *self._lets_go(channel), t.TransferAsked(call, channel.entered.leg, to)]

    def announce(self, request: t.Announce) -> None:
        """Leave an announcement with a caller; the floor speaks to those who wait, and to nobody else."""
        channel = self.channels.get(request.call)
        if channel is not None:
            assert request.prompts
            assert channel.stage is LegStage.WAITING, "this caller cannot hear it"
            channel.announcement = request.say

    def speak(self) -> list[Fact]:
        """All who have an announcement begin to hear it."""
        facts: list[Fact] = []
        for call, channel in self.channels.items():
            if channel.announcement is not None:
                facts.append(t.Announced(call, channel.announcement))
                channel.entered, channel.announcement = replace(channel.entered, told=channel.announcement), None
        return facts

    def mark(self, request: t.Mark) -> None:
        channel = self.channels.get(request.call)
        if channel is not None:
            since = request.place_since if request.place_since is not None else channel.entered.place_since
            language = request.language or channel.entered.language
            channel.entered = replace(channel.entered, place_since=since, language=language)

    def lead(self, request: t.Place | t.Lead) -> list[Fact]:
        """Another queue's line, or away from the line. The floor must have asked for a caller who waits."""
        channel = self.channels.get(request.call)
        if channel is None:
            return [t.RequestFailed(request, t.RequestFailure.NO_SUCH_LEG)]
        assert channel.stage is LegStage.WAITING, "a Redirect would cut this caller off"
        if isinstance(request, t.Place):
            channel.entered = replace(channel.entered, queue_key=request.visit.queue, visit=request.visit)
        else:
            channel.stage = LegStage.LED
        return []

    def ring(self, call: CallId, device: DeviceId) -> list[Fact]:
        channel = self.channels[call]
        channel.silent.remove(device)
        assert channel.offer is not None
        if self.state(device) is DeviceState.UNAVAILABLE:
            return [t.OfferMissed(call, channel.offer, device, MissCause.UNREACHABLE), *self._over(call)]
        self.legs += 1
        leg = channel.ringing[device] = LegId(f"{PBX}-9.{self.legs}")
        return [self.changed(device), t.OfferRinging(call, channel.offer, device, leg)]

    def miss(self, call: CallId, device: DeviceId, cause: MissCause) -> list[Fact]:
        channel = self.channels[call]
        del channel.ringing[device]
        assert channel.offer is not None
        return [t.OfferMissed(call, channel.offer, device, cause), self.changed(device), *self._over(call)]

    def _over(self, call: CallId) -> list[Fact]:
        channel = self.channels[call]
        if channel.ringing or channel.silent or channel.picked_up or channel.offer is None:
            return []
        channel.stage = LegStage.WAITING
        return [t.OfferEnded(call, channel.offer)]

    def pick_up(self, call: CallId, device: DeviceId) -> list[Fact]:
        channel = self.channels[call]
        assert channel.offer is not None
        channel.picked_up, channel.agent_leg = device, channel.ringing.pop(device)
        others = [*channel.ringing]
        channel.ringing.clear()
        channel.silent.clear()
        facts: list[Fact] = [t.OfferAnswered(call, channel.offer, device, channel.agent_leg), self.changed(device)]
        for other in others:
            facts += [t.OfferMissed(call, channel.offer, other, MissCause.CANCELLED), self.changed(other)]
        return facts

    def bridge(self, call: CallId, now: float) -> list[Fact]:
        channel = self.channels[call]
        assert channel.offer is not None
        assert channel.picked_up is not None
        assert channel.agent_leg is not None
        channel.stage, channel.talking_to, channel.connected_at = LegStage.TALKING, channel.picked_up, now
        channel.picked_up = None
        return [t.TalkBegan(call, channel.offer, channel.talking_to, channel.agent_leg)]

    def agent_leaves(self, call: CallId, *, fault: bool) -> list[Fact]:
        channel = self.channels[call]
        assert channel.talking_to is not None
        assert channel.agent_leg is not None
        assert channel.offer is not None
        device, channel.talking_to, channel.stage = channel.talking_to, None, LegStage.AFTER
        gone = t.AgentLegGone(call, channel.agent_leg, device, 16, hung_up=not fault, fault=fault)
        said = [] if fault else [t.AgentHungUp(call, channel.agent_leg, device)]
        return [*said, gone, self.changed(device), t.CallerFreed(call, channel.offer)]

    def caller_leaves(self, call: CallId) -> list[Fact]:
        channel = self.channels.pop(call)
        facts: list[Fact] = []
        if channel.talking_to is not None and channel.agent_leg is not None:
            device = channel.talking_to
            facts.append(t.AgentLegGone(call, channel.agent_leg, device, 16, hung_up=False, fault=False))
        facts.append(t.CallGone(call, 16))
        phones = {*channel.ringing, *filter(None, (channel.picked_up, channel.talking_to))}
        return facts + [self.changed(device) for device in sorted(phones)]

    def restart(self) -> None:
        self.channels.clear()
        self.elsewhere.clear()
        self.supervisors.legs.clear()
        self.boot += 1

    def ringing_now(self) -> list[Fact]:
        """Said after a snapshot: the phones that ring."""
        return [
            t.OfferRinging(call, channel.offer, device, leg)
            for call, channel in self.channels.items()
            if channel.offer is not None
            for device, leg in channel.ringing.items()
        ]

    def snapshot(self) -> t.PbxSnapshot:
        calls = tuple(
            SnapshotCall(
                channel.entered,
                channel.stage,
                channel.offer,
                channel.talking_to,
                channel.agent_leg if channel.talking_to else None,
                channel.connected_at if channel.talking_to else None,
                record=channel.record,
            )
            for channel in self.channels.values()
        )
        devices = tuple((device, self.state(device)) for device in self.registered)
        return t.PbxSnapshot(PBX, f"boot-{self.boot}", calls, devices, supervisors=self.supervisors.shown())

    def talking(self) -> set[LegId]:
        """The agents' legs that are in a conversation."""
        return {one.agent_leg for one in self.channels.values() if one.talking_to is not None and one.agent_leg}
