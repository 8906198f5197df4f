"""Supervisors' legs on the wire: what their events mean, what their requests become, and what a snapshot shows of them."""

import pytest

from acd.ids import CallId, DeviceId, LegId, SupervisionId
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
    SupervisorUp,
)
from ami import actions
from ami import events as e
from ami.actions import ActionRefused
from ami.outputs import Output
from ami.readings import ChannelReading
from ami.supervisor_actions import PlayTone, SetTarget
from ami.supervisors import Supervisors, found

SESSION = SupervisionId("pbx1-1795340573000.s1")
CHANNEL = "PJSIP/supervisor-201-0000000a"
AGENT, AGENT_CHANNEL = LegId("pbx1-1795340570.8"), "PJSIP/agent-101-00000008"
CALL = CallId("pbx1-1795340569000.7")
RING = RingSupervisor(SESSION, DeviceId("pbx1/PJSIP/supervisor-201"), 25, "101")


class Wire:
    """The legs of one PBX, and what was said of them."""

    def __init__(self) -> None:
        self.said: list[Output] = []
        self.legs = Supervisors(self.said.append)

    def told(self, request: object) -> object:
        return self.legs.translate(request, {AGENT: AGENT_CHANNEL}.get)  # type: ignore[arg-type]

    def rings(self) -> "Wire":
        self.told(RING)
        self.legs.follow(e.DialBegan(CHANNEL, SESSION))
        return self

    def picked_up(self) -> "Wire":
        self.rings().at("up", "nowhere")
        return self

    def at(self, now: str, leg: str = AGENT, spy: str = SESSION, how: str = "none") -> None:
        self.legs.at(e.SupervisorAt(CHANNEL, SESSION, spy, now, leg, how))


def test_the_phone_is_rung_under_the_sessions_name() -> None:
    headers = dict(actions.encode(Wire().told(RING)[0]))  # type: ignore[index]
    assert headers["ChannelId"] == SESSION
    assert (headers["Channel"], headers["Context"], headers["Exten"]) == ("PJSIP/supervisor-201", "acd-supervise", "up")
    assert headers["Variable"] == f"ACD_SPY={SESSION}"


def test_a_mode_names_one_channel_exactly() -> None:
    wire = Wire().picked_up()
    assert wire.told(Supervise(SESSION, Mode.WHISPER, CALL, AGENT)) == (
        SetTarget(CHANNEL, AGENT_CHANNEL, AGENT),
        actions.Redirect(CHANNEL, "acd-supervise", "whisper"),
    )
    assert wire.told(Supervise(SESSION, Mode.LISTEN, CALL, AGENT, tone=True))[-1] == PlayTone(AGENT_CHANNEL)  # type: ignore[index]
    assert wire.told(Quieten(SESSION)) == (actions.Redirect(CHANNEL, "acd-supervise", "quiet"),)
    assert wire.told(EndSupervision(SESSION)) == (actions.Hangup(CHANNEL),)


@pytest.mark.parametrize("target", ["PJSIP/agent-101", "PJSIP/agent-101-0000000", "/PJSIP.*/", "PJSIP/a-00000001,x"])
def test_what_is_no_exact_name_is_never_sent(target: str) -> None:
    with pytest.raises(ActionRefused):
        actions.encode(SetTarget(CHANNEL, target, AGENT))


def test_an_agents_leg_that_is_gone_is_not_asked_for() -> None:
    wire = Wire().picked_up()
    assert wire.told(Supervise(SESSION, Mode.LISTEN, CALL, LegId("pbx1-1.99"))) is RequestFailure.NO_SUCH_LEG
    other = SupervisionId("pbx1-1.s9")
    assert wire.told(Supervise(other, Mode.LISTEN, CALL, AGENT)) is RequestFailure.NO_SUCH_LEG


def test_what_a_leg_tells() -> None:
    wire = Wire().picked_up()
    wire.told(Supervise(SESSION, Mode.CONFERENCE, CALL, AGENT))
    wire.at("up", "nowhere")  # said twice
    wire.at("whisper")
    wire.legs.follow(e.BridgeEntered("b1", CHANNEL, SESSION))
    wire.at("over", how="conference")
    wire.at("listen", spy="pbx1-1.s9")  # of another session: not believed
    wire.legs.follow(e.HangupAsked(CHANNEL, SESSION, "16"))
    wire.legs.follow(e.HungUp(CHANNEL, SESSION, 16))
    wire.legs.follow(e.HungUp(CHANNEL, SESSION, 16))
    assert wire.said == [
        SupervisorUp(SESSION),
        SupervisorHears(SESSION, Mode.WHISPER, AGENT),
        SupervisorHears(SESSION, Mode.CONFERENCE, AGENT),
        SupervisorLoose(SESSION, AGENT, Mode.CONFERENCE),
        SupervisorGone(SESSION, 16, hung_up=True),
    ]


@pytest.mark.parametrize(
    ("cause", "reason", "rang", "why"),
    [
        ("17", "0", True, MissCause.BUSY),
        ("21", "0", True, MissCause.REJECTED),
        ("19", "0", True, MissCause.NO_ANSWER),
        ("", "3", True, MissCause.NO_ANSWER),
        ("", "0", False, MissCause.UNREACHABLE),
        ("", "0", True, MissCause.FAILED),
    ],
)
def test_why_a_phone_was_not_picked_up(cause: str, reason: str, rang: bool, why: MissCause) -> None:
    """As measured: the phone's own word comes before the answer to the Originate, its Hangup after."""
    wire = Wire()
    wire.told(RING)
    if rang:
        wire.legs.follow(e.DialBegan(CHANNEL, SESSION))
    if cause:
        wire.legs.follow(e.HangupAsked(CHANNEL, SESSION, cause))
    wire.legs.originated(e.Originated(SESSION, "Failure", reason))
    wire.legs.follow(e.HungUp(CHANNEL, SESSION, int(cause or 0)))
    assert wire.said == [SupervisorMissed(SESSION, why)]


def test_a_snapshot_shows_legs_by_name_and_forgets_those_that_are_gone() -> None:
    said = {"ACD_SPY": SESSION, "ACD_SPY_NOW": "conference", "ACD_SPY_AT": AGENT}
    theirs = ChannelReading(CHANNEL, SESSION, True, "b1", None, None, said)
    forged = ChannelReading("PJSIP/x-00000001", "pbx1-1.4", True, None, None, None, said)
    shown, channels = found(pbx=SESSION.split("-")[0], channels=(theirs, forged), bridges={"b1": CALL})  # type: ignore[arg-type]
    assert shown == (SnapshotSupervisor(SESSION, True, Mode.CONFERENCE, AGENT, CALL),)
    wire = Wire()
    wire.legs.replace(shown, channels)
    assert wire.told(EndSupervision(SESSION)) == (actions.Hangup(CHANNEL),)
    wire.legs.look = 1
    wire.legs.replace((), {})
    assert wire.told(EndSupervision(SESSION)) is RequestFailure.NO_SUCH_LEG
