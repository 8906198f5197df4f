"""The events of a call as short words, for the tests of the tracker: who is on which leg and what Asterisk says of them."""

from collections.abc import Iterable, Sequence

from acd.ids import CallId, DeviceId, LegId, OfferId, PbxId
from acd.telephony import Fact, Offer
from ami import events as e
from ami import names
from ami.outputs import Asked, Look, Output, Purpose, SnapshotWanted
from ami.readings import ChannelReading, LookFailure
from ami.resync import Findings, build
from ami.tracker import Tracker
from ami.translate import Refused, translate

PBX = PbxId("pbx1")
CALL = CallId("pbx1-1795317144100.7")
CALLER = LegId("pbx1-1795317144.7")
CALLER_CHANNEL = "PJSIP/trunk-00000007"


def device(number: int) -> DeviceId:
    return DeviceId(f"pbx1/PJSIP/agent-{number}")


def agent_channel(number: int, serial: int) -> str:
    return f"PJSIP/agent-{number}-{serial:08x}"


def leg(serial: int) -> LegId:
    return LegId(f"pbx1-1795317145.{serial}")


def comes_in() -> e.CallerCameIn:
    return e.CallerCameIn(CALLER_CHANNEL, CALLER, "8000", CALL)


def dial_begins(number: int, serial: int) -> e.DialBegan:
    return e.DialBegan(agent_channel(number, serial), leg(serial), CALLER)


def dial_ends(number: int, serial: int, status: str) -> e.DialEnded:
    return e.DialEnded(agent_channel(number, serial), leg(serial), status, CALLER)


def picks_up(number: int, serial: int, offer: str = "of1") -> e.PhonePickedUp:
    return e.PhonePickedUp(agent_channel(number, serial), leg(serial), CALL, offer)


def agent_bridged(number: int, serial: int) -> e.BridgeEntered:
    return e.BridgeEntered("bridge-1", agent_channel(number, serial), leg(serial))


def caller_bridged() -> e.BridgeEntered:
    return e.BridgeEntered("bridge-1", CALLER_CHANNEL, CALLER)


def caller_unbridged() -> e.BridgeLeft:
    return e.BridgeLeft("bridge-1", CALLER_CHANNEL, CALLER)


def agent_unbridged(number: int, serial: int) -> e.BridgeLeft:
    return e.BridgeLeft("bridge-1", agent_channel(number, serial), leg(serial))


def agent_hangs_up(number: int, serial: int, cause: str = "16") -> e.HangupAsked:
    return e.HangupAsked(agent_channel(number, serial), leg(serial), cause)


def agent_gone(number: int, serial: int, cause: int = 16) -> e.HungUp:
    return e.HungUp(agent_channel(number, serial), leg(serial), cause)


def caller_hangs_up() -> e.HangupAsked:
    return e.HangupAsked(CALLER_CHANNEL, CALLER, "16")


def caller_gone(cause: int = 16) -> e.HungUp:
    return e.HungUp(CALLER_CHANNEL, CALLER, cause)


def offer_over(status: str = "NOANSWER", offer: str = "of1") -> e.OfferOver:
    return e.OfferOver(CALLER_CHANNEL, CALLER, CALL, offer, status)


def talk_over(offer: str = "of1") -> e.TalkOver:
    return e.TalkOver(CALLER_CHANNEL, CALLER, CALL, offer)


def caller_reading(state: str = "waiting", **variables: str) -> ChannelReading:
    said = {names.CALL: CALL, names.QUEUE: "sales", names.PRIORITY: "3", names.STATE: state, **variables}
    return ChannelReading(CALLER_CHANNEL, CALLER, True, None, "09121234567", "مریم رضایی", said)


def the_offer(*targets: int, offer: str = "of1") -> Offer:
    return Offer(CALL, CALLER, OfferId(offer), tuple(device(number) for number in targets), 20)


class Desk:
    """A tracker whose questions are answered at once, as an idle Asterisk does, unless ``answers`` says otherwise."""

    def __init__(self) -> None:
        self.tracker = Tracker(PBX)
        self.tracker.prime(build(PBX, Findings("boot")))
        self.facts: list[Fact | Asked] = []
        self.looks: list[Look] = []
        self.snapshots_wanted = 0
        self.answers: dict[Purpose, ChannelReading | LookFailure] = {
            Purpose.WHO_CALLS: caller_reading(),
            Purpose.WHAT_IS_ASKED: LookFailure.NO_ANSWER,
        }

    def hears(self, *events: e.Event | e.Quarantined) -> "Desk":
        for event in events:
            self._take(self.tracker.feed(event))
        return self

    def asks(self, request: Offer) -> bool:
        return not isinstance(translate(self.tracker, request), Refused)

    def answer(self, look: Look, found: ChannelReading | LookFailure) -> None:
        self._take(self.tracker.answer(look, found))

    def _take(self, outputs: Iterable[Output]) -> None:
        for output in outputs:
            if isinstance(output, SnapshotWanted):
                self.snapshots_wanted += 1
            elif not isinstance(output, Look):
                self.facts.append(output)
            elif output.purpose in self.answers:
                self.answer(output, self.answers[output.purpose])
            else:
                self.looks.append(output)


def given_a_waiting_caller() -> Desk:
    """A caller who has come in; the fact of that is put aside."""
    desk = Desk().hears(comes_in())
    desk.facts.clear()
    return desk


def given_an_offer(*targets: int) -> Desk:
    desk = given_a_waiting_caller()
    assert desk.asks(the_offer(*targets))
    return desk


def kinds(facts: Sequence[object]) -> list[str]:
    return [type(fact).__name__ for fact in facts]
