"""The truth after a connect and from time to time: every channel with its variables, every device, asked in one round trip.

``ask`` puts the questions and reads the answers in slices, so that a snapshot of thousands of channels does not stop the
loop; a damaged item is asked for once more by itself. ``build`` is pure: it makes the snapshot that the domain gets and the
records that the tracker goes on from. After a connect ``ami.pbx`` keeps the events that come meanwhile and replays them
afterwards; over a link that lives ``ami.compare`` sets it against what they have told.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from acd.callback_port import AttemptStage
from acd.ids import AttemptId, CallId, DeviceId, LegId, OfferId, PbxId, device_on
from acd.telephony import LegStage, PbxSnapshot, SnapshotCall
from ami import actions, aside_read, causes, names
from ami.answers import Answer, Outcome
from ami.book import AgentLeg, AskingPhone, AttemptLeg, LiveCall, LiveOffer, Snapshot
from ami.decoder import read_device
from ami.events import DeviceStateSeen, Quarantined
from ami.identity import CallName, entry, named, seconds
from ami.readings import SNAPSHOT_VARIABLES, ChannelReading, read_channel
from ami.supervisors import found as supervisors_among
from ami.targets import NO_PHONES, device_at, device_of

SLICE = 100  # items read between two breaths of the loop


class Asker(Protocol):
    """The link, as far as a snapshot needs it."""

    def send(self, *wanted: actions.Action, deadline_s: float | None = None) -> "list[asyncio.Future[Answer]]": ...


class SnapshotFailed(Exception):
    """Asterisk did not say what there is. ``reason`` is a slug; ``unanswered``: an answer did not come in time."""

    def __init__(self, reason: str, *, unanswered: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.unanswered = unanswered


@dataclass(slots=True)
class Findings:
    """What Asterisk said. ``damaged`` counts items that could not be believed, ``lost`` those that stayed so."""

    boot: str
    channels: list[ChannelReading] = field(default_factory=list)
    devices: list[tuple[str, str]] = field(default_factory=list)
    damaged: list[Quarantined] = field(default_factory=list)


async def ask(link: Asker, deadline_s: float) -> Findings:
    """Ask for everything. Raises SnapshotFailed."""
    wanted = actions.CoreStatus(), actions.Status(SNAPSHOT_VARIABLES), actions.DeviceStateList()
    core, status, devices = await asyncio.gather(*link.send(*wanted, deadline_s=deadline_s))
    for answer in (core, status, devices):
        if not answer.ok:
            raise SnapshotFailed(f"snapshot_{answer.outcome}", unanswered=answer.outcome is Outcome.TIMEOUT)
    findings = Findings(f"{core.headers.get('corestartupdate', '')}T{core.headers.get('corestartuptime', '')}")
    for start in range(0, len(status.items), SLICE):
        for raw in status.items[start : start + SLICE]:
            if raw.startswith(b"Event: Status\r\n"):
                await _take_channel(link, findings, read_channel(raw), deadline_s)
        await asyncio.sleep(0)
    for raw in devices.items:
        device = read_device(raw)
        if isinstance(device, DeviceStateSeen):
            findings.devices.append((device.device, device.state))
        else:
            findings.damaged.append(device)
    return findings


async def _take_channel(link: Asker, findings: Findings, item: ChannelReading | Quarantined, deadline_s: float) -> None:
    if isinstance(item, Quarantined):
        findings.damaged.append(item)
        if item.channel is None:
            return
        try:
            (future,) = link.send(actions.Status(SNAPSHOT_VARIABLES, item.channel), deadline_s=deadline_s)
        except actions.ActionRefused:
            return
        again = (await future).items
        reread = read_channel(again[0]) if again else item
        if isinstance(reread, Quarantined):
            return
        item = reread
    findings.channels.append(item)


def build(pbx: PbxId, findings: Findings, asked_at: float = 0.0) -> Snapshot:
    """Channels and devices become calls, their phones' legs, and the phones that have dialled a code."""
    legs: dict[CallId, list[tuple[AgentLeg, ChannelReading]]] = {}
    asking: dict[LegId, AskingPhone] = {}
    attempts: dict[AttemptId, AttemptLeg] = {}
    stages: dict[AttemptId, AttemptStage] = {}
    bridged: dict[str, list[ChannelReading]] = {}
    for found in findings.channels:
        if found.bridge is not None:
            bridged.setdefault(found.bridge, []).append(found)
        for_call, for_offer = found.variables.get(names.FOR_CALL), aside_read.offer_of(found)
        if names.CALL not in found.variables and for_call is not None and for_offer is not None:
            whose, leg = CallId(for_call), LegId(found.leg)
            agent = AgentLeg(leg, found.channel, device_of(pbx, found.channel), whose, OfferId(for_offer))
            legs.setdefault(whose, []).append((agent, found))
        if found.variables.get(names.ASK) == found.leg:
            asking[LegId(found.leg)] = AskingPhone(found.channel)
        _take_attempt(found, attempts, stages)
    calls: list[LiveCall] = []
    facts: list[SnapshotCall] = []
    kept: list[AgentLeg] = []
    for found in findings.channels:
        name = named(pbx, found.variables.get(names.CALL, ""), found.leg)
        if name is None:
            continue
        call, fact = _call(pbx, name, found, legs.get(name.id, ()), bridged)
        calls.append(call)
        facts.append(fact)
        if call.offer is not None:
            own = {agent.leg: agent for agent, _ in legs.get(name.id, ()) if agent.offer == call.offer.id}
            kept.extend({**own, **{agent.leg: agent for agent in aside_read.legs_of(call)}}.values())
    states = tuple(
        (device_on(pbx, device), causes.device_state(state))
        for device, state in findings.devices
        if not device.startswith(NO_PHONES)
    )
    bridges = {call.bridge: call.id for call in calls if call.bridge is not None}
    supervisors, their_channels = supervisors_among(pbx, findings.channels, bridges)
    fact_of_all = PbxSnapshot(
        pbx, findings.boot, tuple(facts), states, asked_at, supervisors=supervisors, attempts=tuple(stages.items())
    )
    return Snapshot(fact_of_all, tuple(calls), tuple(kept), asking, supervisors=their_channels, attempts=attempts)


def _take_attempt(
    found: ChannelReading, attempts: dict[AttemptId, AttemptLeg], stages: dict[AttemptId, AttemptStage]
) -> None:
    """A channel of an attempt that has not become a caller. The customer's own one says more than the one that dials it."""
    attempt = found.variables.get(names.ATTEMPT)
    if attempt is None or names.CALL in found.variables:
        return
    picked_up = found.variables.get(names.STATE) == "asked"
    if picked_up or found.channel.endswith(";2") or AttemptId(attempt) not in attempts:
        attempts[AttemptId(attempt)] = AttemptLeg(found.channel)
    if picked_up or AttemptId(attempt) not in stages:
        stages[AttemptId(attempt)] = AttemptStage.ANSWERED if picked_up else AttemptStage.DIALLING


def _call(
    pbx: PbxId,
    name: CallName,
    found: ChannelReading,
    legs: Sequence[tuple[AgentLeg, ChannelReading]],
    bridged: Mapping[str, Sequence[ChannelReading]],
) -> tuple[LiveCall, SnapshotCall]:
    stage, offer_id = _stage(found), found.variables.get(names.OFFER_ID)
    dialled = found.variables.get(names.QUEUE, "")
    entered = entry(name, dialled, found)
    call = LiveCall(name, found.channel, dialled, entered, bridge=found.bridge)
    if stage is LegStage.LED:
        call.led = True
        return call, SnapshotCall(entered, LegStage.LED, OfferId(offer_id) if offer_id is not None else None)
    on_its_way = stage is LegStage.WAITING and offer_id is not None and offer_id != found.variables.get(names.DONE)
    if offer_id is None or (stage is LegStage.WAITING and not on_its_way):
        return call, SnapshotCall(entered, LegStage.WAITING, OfferId(offer_id) if offer_id is not None else None)
    mine = [(agent, reading) for agent, reading in legs if agent.offer == offer_id]
    if stage is LegStage.FALLBACK:
        call.offer = LiveOffer(OfferId(offer_id), _open((), mine), fallback=True)
        return call, SnapshotCall(entered, stage, call.offer.id)
    targets = [device_at(pbx, target) for target in found.variables.get(names.TARGETS, "").split("&") if target]
    offer = call.offer = LiveOffer(OfferId(offer_id), _open(targets, mine), begun=not on_its_way, on_its_way=on_its_way)
    record = found.variables.get(names.RECORD, "")
    if stage is LegStage.OFFERED and any(reading.up and names.CONNECTED in reading.variables for _, reading in mine):
        stage = LegStage.TALKING  # of a customer who was called back only his agent's leg says so
    if on_its_way or stage is LegStage.OFFERED:
        return call, SnapshotCall(entered, LegStage.OFFERED, offer.id, record=record)
    talk = aside_read.read(pbx, call, offer, found, legs, bridged)
    offer.answered, call.aside, call.held = talk.answered, talk.aside, aside_read.is_held(found)
    offer.open.clear()
    if offer.answered is not None and found.bridge is None and stage is LegStage.TALKING and not call.held:
        # Picked up, and on the way into the bridge: the conversation begins with the next event.
        return call, SnapshotCall(entered, LegStage.OFFERED, offer.id, record=record)
    offer.talking = True
    agent = offer.answered
    return call, SnapshotCall(
        entered,
        stage,
        offer.id,
        agent.device if agent is not None else _rung_alone(stage, targets),
        agent.leg if agent is not None else None,
        talk.since if talk.since is not None else seconds(found.variables.get(names.CONNECTED)),
        talk.consult,
        record,
        found.context == names.SURVEY,
    )


def _rung_alone(stage: LegStage, targets: Sequence[DeviceId]) -> DeviceId | None:
    """Whose phone it was that has hung up: known where the offer rang no other."""
    return targets[0] if stage is LegStage.AFTER and len(targets) == 1 else None


def _stage(found: ChannelReading) -> LegStage:
    if aside_read.is_held(found):
        return LegStage.TALKING
    try:
        return LegStage(found.variables.get(names.STATE, LegStage.WAITING))
    except ValueError:
        return LegStage.WAITING


def _open(targets: Sequence[DeviceId], legs: Sequence[tuple[AgentLeg, ChannelReading]]) -> dict[DeviceId, LegId | None]:
    """Targets of an offer that is out, with the legs that ring."""
    found: dict[DeviceId, LegId | None] = dict.fromkeys(targets)
    found.update((agent.device, agent.leg) for agent, _ in legs)
    return found
