"""Speaking to callers who wait: what is written, what is refused, what is heard back, and that it waits for what moves calls."""

import asyncio

import pytest

from acd.ids import LegId
from acd.telephony import Announce, Announced, CallEntered, HangUp, Mark, RequestFailed, RequestFailure
from ami import actions, names
from ami import events as e
from ami.actions import ActionRefused, encode
from ami.answers import Answer
from ami.decoder import Decoder
from ami.outbox import SPOKEN, WINDOW, Outbox
from ami.outputs import Purpose
from ami.readings import ChannelReading, LookFailure
from ami.translate import Refused, translate
from tests.unit.ami.wire import (
    CALL,
    CALLER,
    CALLER_CHANNEL,
    Desk,
    agent_gone,
    agent_hangs_up,
    caller_bridged,
    caller_reading,
    comes_in,
    dial_begins,
    given_a_waiting_caller,
    given_an_offer,
    offer_over,
    picks_up,
    talk_over,
    the_offer,
)

SPEECH = Announce(CALL, CALLER, "1700000000000", ("you-are", "ord-3", "in-line"))


# ---------------------------------------------------------------- what is written


def test_an_announcement_is_left_on_the_channel() -> None:
    (made,) = translate(given_a_waiting_caller().tracker, SPEECH)  # type: ignore[misc]
    assert dict(encode(made)) == {
        "Action": "Setvar", "Channel": CALLER_CHANNEL, "Variable": "ARRAY(ACD_ANNOUNCE_ID,ACD_ANNOUNCE)",
        "Value": "1700000000000,you-are&ord-3&in-line",
    }  # fmt: skip


def test_what_is_known_of_a_caller_is_left_on_the_channel() -> None:
    made = translate(given_a_waiting_caller().tracker, Mark(CALL, CALLER, "fa", 1_700_000_000.123))
    assert made == [actions.SetLanguage(CALLER_CHANNEL, "fa"), actions.SetPlace(CALLER_CHANNEL, 1_700_000_000_123)]
    assert dict(encode(actions.SetLanguage(CALLER_CHANNEL, "fa")))["Variable"] == "CHANNEL(language)"


@pytest.mark.parametrize(
    "action",
    [
        actions.SetAnnouncement(CALLER_CHANNEL, "1", ()),
        actions.SetAnnouncement(CALLER_CHANNEL, "1", ("../../etc/passwd",)),
        actions.SetAnnouncement(CALLER_CHANNEL, "1", ("a,b",)),
        actions.SetAnnouncement(CALLER_CHANNEL, "1", ("a&b",)),
        actions.SetAnnouncement(CALLER_CHANNEL, "1\r\nAction: Hangup", ("a",)),
        actions.SetAnnouncement(CALLER_CHANNEL, "1", ("long-name-of-a-prompt",) * 60),
        actions.SetAnnouncement("PJSIP/", "1", ("a",)),
        actions.SetLanguage(CALLER_CHANNEL, "fa,x"),
        actions.SetLanguage(CALLER_CHANNEL, "/etc"),
        actions.SetGlobal("ACD_MUSIC_", "jazz"),
        actions.SetGlobal("ACD_MUSIC_sales", "jazz,x"),
        actions.SetGlobal("ACD_MUSIC_sa les", "jazz"),
    ],
)
def test_what_could_be_read_in_two_ways_is_not_sent(action: actions.Action) -> None:
    with pytest.raises(ActionRefused):
        encode(action)


def test_nobody_is_spoken_to_who_rings_talks_or_is_not_there() -> None:
    assert translate(given_an_offer(101).tracker, SPEECH) == Refused(RequestFailure.REFUSED)
    talking = given_an_offer(101).hears(dial_begins(101, 8), picks_up(101, 8), caller_bridged())
    assert translate(talking.tracker, SPEECH) == Refused(RequestFailure.REFUSED)
    assert translate(Desk().tracker, SPEECH) == Refused(RequestFailure.NO_SUCH_LEG)
    other = Announce(CALL, LegId("pbx1-1.9"), "1", ("a",))
    assert translate(given_a_waiting_caller().tracker, other) == Refused(RequestFailure.NO_SUCH_LEG)
    assert not isinstance(translate(given_an_offer(101).hears(offer_over()).tracker, SPEECH), Refused)


# ---------------------------------------------------------------- what is heard back


def test_the_beginning_of_an_announcement_is_told() -> None:
    desk = given_a_waiting_caller().hears(e.AnnouncementBegan(CALLER_CHANNEL, CALLER, CALL, "17"))
    assert desk.facts == [Announced(CALL, "17")]
    desk.hears(e.AnnouncementBegan(CALLER_CHANNEL, CALLER, "pbx1-1795317144100.8", "18"))
    assert len(desk.facts) == 1


def test_the_event_is_read_from_the_wire() -> None:
    raw = (
        "Event: UserEvent\r\nChannel: PJSIP/trunk-00000007\r\nUniqueid: pbx1-1.7\r\nUserEvent: AcdSaid\r\n"
        "Call: pbx1-1795317144100.7\r\nSay: 17.18.0.60000.2.3\r\n\r\n"
    )
    assert Decoder().feed(b"Asterisk Call Manager/11.0.0\r\n" + raw.encode()) == [
        e.AnnouncementBegan("PJSIP/trunk-00000007", "pbx1-1.7", "pbx1-1795317144100.7", "17.18.0.60000.2.3")
    ]


def entered(language: str | None, **variables: str) -> CallEntered:
    """How the domain is told of a caller on such a channel."""
    desk, found = Desk(), caller_reading(**variables)
    desk.answers[Purpose.WHO_CALLS] = ChannelReading(
        found.channel, found.leg, True, None, found.number, found.name, found.variables, language
    )
    (fact,) = desk.hears(comes_in()).facts
    assert isinstance(fact, CallEntered)
    return fact


def test_a_channel_says_language_place_and_what_was_told() -> None:
    fact = entered("fa", **{names.PLACE: "1795317100123", names.TOLD: "17", names.LANGUAGE: "fa"})
    assert (fact.language, fact.chosen, fact.place_since, fact.told) == ("fa", True, 1795317100.123, "17")
    plain = entered("en")
    assert (plain.language, plain.chosen, plain.place_since, plain.told) == ("en", False, None, None)
    hostile = entered("fa;x", **{names.PLACE: "-1", names.LANGUAGE: "fa;x"})
    assert (hostile.language, hostile.chosen, hostile.place_since) == (None, False, None)


def test_an_agents_leg_that_was_seen_to_be_gone_before_its_end_is_confirmed() -> None:
    """Two questions about one leg, asked after something on the wire was not to be believed, answered one after the other."""
    desk = given_an_offer(101).hears(dial_begins(101, 8), picks_up(101, 8), caller_bridged(), talk_over())
    desk.hears(e.Quarantined(e.Reason.MISSING_HEADER, "x"), agent_hangs_up(101, 8), agent_gone(101, 8))
    assert [look.purpose for look in desk.looks] == [Purpose.STILL_THERE, Purpose.REALLY]
    for look in tuple(desk.looks):
        desk.answer(look, LookFailure.NO_SUCH_CHANNEL)
    assert type(desk.facts[-1]).__name__ == "CallerFreed"


# ---------------------------------------------------------------- on the way out


class Sender:
    """A link that answers when it is told to."""

    def __init__(self) -> None:
        self.sent: list[actions.Action] = []
        self.open: list[asyncio.Future[Answer]] = []

    def send(self, *wanted: actions.Action, deadline_s: float | None = None) -> "list[asyncio.Future[Answer]]":
        made = [asyncio.get_running_loop().create_future() for _ in wanted]
        self.sent += wanted
        self.open += made
        return made


def kinds(sender: Sender) -> list[str]:
    return [type(action).__name__ for action in sender.sent]


async def test_what_is_spoken_waits_for_what_moves_calls() -> None:
    sender, failed = Sender(), []
    outbox = Outbox(sender, given_a_waiting_caller().tracker, lambda: True, failed.append)
    outbox.put([SPEECH] * 20)
    assert kinds(sender) == ["SetAnnouncement"] * SPOKEN
    outbox.put([HangUp(CALLER)] * (WINDOW // 2))
    assert kinds(sender)[SPOKEN:] == ["Hangup"] * (WINDOW // 2)
    assert failed == []


async def test_what_waited_while_the_caller_was_offered_is_given_back() -> None:
    sender, failed = Sender(), []
    desk = given_a_waiting_caller()
    outbox = Outbox(sender, desk.tracker, lambda: True, failed.append)
    outbox.put([SPEECH, the_offer(101)])
    assert kinds(sender) == ["SetOffer", "Redirect"]
    outbox.put([SPEECH])
    assert RequestFailed(SPEECH, RequestFailure.REFUSED) in failed


async def test_nothing_is_said_on_a_pbx_that_is_not_ready() -> None:
    sender, failed = Sender(), []
    Outbox(sender, given_a_waiting_caller().tracker, lambda: False, failed.append).put([SPEECH])
    assert (sender.sent, failed) == ([], [RequestFailed(SPEECH, RequestFailure.LINK_DOWN)])
