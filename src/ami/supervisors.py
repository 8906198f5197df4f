"""Supervisors' legs: their events become facts, the domain's requests become actions.

They belong to no call, so ``ami.tracker`` has them looked after here: it hands on what no call wants. Each leg is named by its
session from the first request on; of a leg that is not, nothing is believed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from acd.ids import CallId, LegId, PbxId, SupervisionId, split_device
from acd.port_words import MissCause, RequestFailure
from acd.supervision_port import (
    EndSupervision,
    Mode,
    Quieten,
    RingSupervisor,
    SnapshotSupervisor,
    Supervise,
    SupervisorGone,
    SupervisorHears,
    SupervisorLoose,
    SupervisorMissed,
    SupervisorRequest,
    SupervisorUp,
)
from ami import actions, causes, names
from ami import events as e
from ami.outputs import Output
from ami.readings import ChannelReading
from ami.supervisor_actions import PlayTone, RingPhone, SetTarget

TIMED_OUT = "3"
"""Reason of an Originate whose time ran out."""

NOWHERE = LegId("")


@dataclass(slots=True)
class SupervisorLeg:
    """``channel`` is known as soon as the phone rings."""

    session: SupervisionId
    channel: str | None = None
    up: bool = False
    refusal: int | None = None
    failed: str | None = None  # why the Originate did, once it is known to have
    over: bool = False
    hangup_asked: bool = False
    target: LegId = NOWHERE  # the agent's leg that it was sent to last
    touched: int = 0  # the last look at everything that was begun before it was rung


class Supervisors:
    """All supervisors' legs of one PBX."""

    def __init__(self, say: Callable[[Output], None]) -> None:
        self.legs: dict[LegId, SupervisorLeg] = {}
        self._say = say
        self.look = 0

    # ------------------------------------------------------------ events

    def follow(self, event: e.Event) -> None:
        """An event that is no call's. Most are nobody's."""
        if not self.legs:
            return
        match event:
            case e.DialBegan():
                leg = self.legs.get(LegId(event.dest_leg))
                if leg is not None:
                    leg.channel = event.dest_channel
            case e.HangupAsked() if event.leg in self.legs:
                leg = self.legs[LegId(event.leg)]
                leg.hangup_asked = True
                if event.cause.isdecimal():
                    leg.refusal = int(event.cause)
            case e.BridgeEntered() if event.leg in self.legs:
                leg = self.legs[LegId(event.leg)]
                self._say(SupervisorHears(leg.session, Mode.CONFERENCE, leg.target))
            case e.HungUp() if event.leg in self.legs:
                self._hung_up(LegId(event.leg), event.cause)
            case _:
                return

    def at(self, event: e.SupervisorAt) -> None:
        """A supervisor's leg has come somewhere."""
        leg = self.legs.get(LegId(event.leg))
        if leg is None or event.spy != event.leg:
            return
        leg.channel = event.channel
        if event.now == "up":
            if not leg.up:
                leg.up = True
                self._say(SupervisorUp(leg.session))
        elif event.now == "over":
            self._say(SupervisorLoose(leg.session, LegId(event.at), _mode(event.how)))
        else:
            mode = _mode(event.now)
            if mode is not None:
                self._say(SupervisorHears(leg.session, mode, LegId(event.at)))

    def originated(self, event: e.Originated) -> None:
        """Only failures are news: a phone that was picked up says so itself."""
        leg = self.legs.get(LegId(event.leg))
        if leg is None or event.response == "Success" or leg.up:
            return
        leg.failed = event.reason
        if leg.channel is None or leg.over or leg.refusal is not None or event.reason == TIMED_OUT:
            self._missed(LegId(event.leg), leg)  # else its end, which may come later, tells why

    def _missed(self, name: LegId, leg: SupervisorLeg) -> None:
        del self.legs[name]
        self._say(SupervisorMissed(leg.session, _why(leg, leg.failed or "")))

    def _hung_up(self, name: LegId, cause: int) -> None:
        leg = self.legs[name]
        leg.over = True
        if leg.up:
            del self.legs[name]
            fault = cause in causes.FAULTS and not leg.hangup_asked
            self._say(SupervisorGone(leg.session, cause, leg.hangup_asked, fault))
        elif leg.failed is not None:
            leg.refusal = leg.refusal if leg.refusal is not None else cause
            self._missed(name, leg)  # else what became of the Originate is still to come

    # ------------------------------------------------------------ snapshots

    def replace(self, found: Sequence[SnapshotSupervisor], channels: Mapping[LegId, str]) -> None:
        """A snapshot shows these; what it does not show is gone, unless it is younger than the question."""
        shown = {LegId(one.session): one for one in found}
        for name, one in shown.items():
            leg = self.legs.setdefault(name, SupervisorLeg(one.session))
            leg.channel, leg.up = channels.get(name, leg.channel), leg.up or one.up
            leg.target = one.leg or leg.target
        for name in [name for name, leg in self.legs.items() if name not in shown and leg.touched < self.look]:
            del self.legs[name]

    def forget(self) -> None:
        """The link was lost: what a snapshot does not show is gone."""
        self.legs.clear()

    # ------------------------------------------------------------ requests

    def translate(
        self, request: SupervisorRequest, channel_of: Callable[[LegId], str | None]
    ) -> Sequence[actions.Action] | RequestFailure:
        """The actions of a request, or why there are none. Raises ``ActionRefused``."""
        if isinstance(request, RingSupervisor):
            return self._ring(request)
        leg = self.legs.get(LegId(request.session))
        if leg is None:
            return RequestFailure.NO_SUCH_LEG
        match request:
            case Supervise():
                return self._supervise(leg, request, channel_of(request.leg))
            case Quieten() if leg.channel is not None:
                leg.target = NOWHERE
                return (actions.Redirect(leg.channel, names.SUPERVISE, "quiet"),)
            case EndSupervision() if leg.channel is not None:
                return (actions.Hangup(leg.channel),)
        return RequestFailure.NO_SUCH_LEG

    def _ring(self, request: RingSupervisor) -> Sequence[actions.Action]:
        _, dial_string = split_device(request.device)
        made = RingPhone(request.session, dial_string, request.ring_s, actions.title_of(request.shows) or "nobat")
        actions.encode(made)
        self.legs[LegId(request.session)] = SupervisorLeg(request.session, touched=self.look)
        return (made,)

    @staticmethod
    def _supervise(
        leg: SupervisorLeg, request: Supervise, target: str | None
    ) -> Sequence[actions.Action] | RequestFailure:
        if leg.channel is None or target is None:
            return RequestFailure.NO_SUCH_LEG
        made: tuple[actions.Action, ...] = (
            SetTarget(leg.channel, target, request.leg),
            actions.Redirect(leg.channel, names.SUPERVISE, request.mode),
        )
        if request.tone:
            made = (*made, PlayTone(target))
        for action in made:
            actions.encode(action)
        leg.target = request.leg
        return made


def _mode(word: str) -> Mode | None:
    try:
        return Mode(word)
    except ValueError:
        return None


def _why(leg: SupervisorLeg, reason: str) -> MissCause:
    if leg.refusal is not None:
        return causes.of_refusal(leg.refusal)
    if reason == TIMED_OUT:
        return MissCause.NO_ANSWER
    return MissCause.UNREACHABLE if leg.channel is None else MissCause.FAILED


def found(
    pbx: PbxId, channels: Sequence[ChannelReading], bridges: Mapping[str, CallId]
) -> tuple[tuple[SnapshotSupervisor, ...], dict[LegId, str]]:
    """The supervisors' legs among ``channels``, and their channels' names. ``bridges``: whose conversation each bridge is."""
    shown: list[SnapshotSupervisor] = []
    known: dict[LegId, str] = {}
    for one in channels:
        session = one.variables.get(names.SPY)
        if session != one.leg or not session.startswith(f"{pbx}-"):
            continue
        at = one.variables.get(names.SPY_AT)
        shown.append(
            SnapshotSupervisor(
                SupervisionId(session),
                one.up,
                _mode(one.variables.get(names.SPY_NOW, "")),
                LegId(at) if at is not None else None,
                bridges.get(one.bridge) if one.bridge is not None else None,
            )
        )
        known[LegId(session)] = one.channel
    return tuple(shown), known
