"""The tracker: what an operator would say of a call, whatever the wire repeats, delays or invents."""

from dataclasses import replace

import pytest

from acd.ids import LegId
from acd.telephony import (
    AgentHungUp,
    AgentLegGone,
    CallEntered,
    CallerFreed,
    CallGone,
    DeviceChanged,
    DeviceState,
    Held,
    MissCause,
    OfferAnswered,
    OfferEnded,
    OfferMissed,
    OfferRinging,
    PbxDraining,
    Resumed,
    TalkBegan,
    TransferAsked,
)
from ami import events as e
from ami import names
from ami.outputs import Look, PhoneAsked, Purpose
from ami.readings import ChannelReading, LookFailure
from tests.unit.ami.wire import (
    CALL,
    CALLER,
    CALLER_CHANNEL,
    Desk,
    agent_bridged,
    agent_channel,
    agent_gone,
    agent_hangs_up,
    agent_unbridged,
    caller_bridged,
    caller_gone,
    caller_hangs_up,
    caller_reading,
    caller_unbridged,
    comes_in,
    device,
    dial_begins,
    dial_ends,
    given_a_waiting_caller,
    given_an_offer,
    kinds,
    leg,
    offer_over,
    picks_up,
    talk_over,
    the_offer,
)

ENTERED = CallEntered(CALL, CALLER, "sales", 1795317144.1, 7, 3, "09121234567", "مریم رضایی")


def given_a_conversation() -> Desk:
    desk = given_an_offer(101)
    desk.hears(
        dial_begins(101, 8), picks_up(101, 8), dial_ends(101, 8, "ANSWER"), agent_bridged(101, 8), caller_bridged()
    )
    assert kinds(desk.facts) == ["OfferRinging", "OfferAnswered", "TalkBegan"]
    desk.facts.clear()
    return desk


class TestEntry:
    def test_a_caller_is_told_with_what_the_channel_says(self) -> None:
        assert Desk().hears(comes_in()).facts == [ENTERED]

    def test_nothing_of_the_caller_is_said_before_it_is_known(self) -> None:
        desk = Desk()
        del desk.answers[Purpose.WHO_CALLS]
        desk.hears(comes_in(), caller_hangs_up(), caller_gone())
        assert desk.facts == []
        (look,) = desk.looks
        desk.answer(look, caller_reading())
        assert desk.facts == [ENTERED, CallGone(CALL, 16)]
        assert desk.tracker.book.size() == 0

    @pytest.mark.parametrize("failure", list(LookFailure))
    def test_a_caller_who_cannot_be_asked_about_is_told_by_the_number_dialled(self, failure: LookFailure) -> None:
        desk = Desk()
        desk.answers[Purpose.WHO_CALLS] = failure
        assert desk.hears(comes_in()).facts == [CallEntered(CALL, CALLER, "8000", 1795317144.1, 7, 0, None, None)]

    def test_a_reading_of_another_leg_is_not_believed(self) -> None:
        desk = Desk()
        reading = caller_reading()
        desk.answers[Purpose.WHO_CALLS] = ChannelReading(
            reading.channel, "pbx1-1795317144.99", True, None, "1", "x", reading.variables
        )
        assert desk.hears(comes_in()).facts == [CallEntered(CALL, CALLER, "8000", 1795317144.1, 7, 0, None, None)]

    @pytest.mark.parametrize(
        ("told", "known"),
        [
            ("09120000007", "09120000007"),
            ("+98*1#", "+98*1#"),
            ("<unknown>", None),
            ("", None),
            ("1,Queue: vip", None),
            ("1" * 65, None),
        ],
    )
    def test_who_left_before_asterisk_could_be_asked_is_known_by_the_number_of_the_entry(
        self, told: str, known: str | None
    ) -> None:
        desk = Desk()
        desk.answers[Purpose.WHO_CALLS] = LookFailure.NO_SUCH_CHANNEL
        desk.hears(replace(comes_in(), number=told))
        assert desk.facts == [CallEntered(CALL, CALLER, "8000", 1795317144.1, 7, 0, known, None)]

    def test_what_the_channel_says_of_the_number_is_better_than_what_the_entry_said(self) -> None:
        desk = Desk().hears(replace(comes_in(), number="666"))
        assert [fact.number for fact in desk.facts if isinstance(fact, CallEntered)] == [caller_reading().number]

    @pytest.mark.parametrize(
        ("call", "own"),
        [
            ("pbx1-1795317144100.8", CALLER),  # the serial is another leg's
            ("pbx2-1795317144100.7", CALLER),
            ("pbx1-1795317144100.7", "pbx2-1795317144.7"),
            ("", CALLER),
            ("nonsense", CALLER),
        ],
    )
    def test_a_call_id_that_our_dialplan_cannot_have_made_is_ignored(self, call: str, own: str) -> None:
        desk = Desk().hears(e.CallerCameIn(CALLER_CHANNEL, own, "8000", call))
        assert (desk.facts, desk.looks, desk.tracker.book.size()) == ([], [], 0)

    def test_a_caller_who_has_gone_does_not_come_back_by_an_echo(self) -> None:
        desk = given_a_waiting_caller().hears(caller_gone(), comes_in(), caller_gone())
        assert desk.facts == [CallGone(CALL, 16)]


class TestMisses:
    @pytest.mark.parametrize(
        ("refusal", "status", "cause"),
        [
            ("17", "BUSY", MissCause.BUSY),
            ("21", "NOANSWER", MissCause.REJECTED),
            ("19", "NOANSWER", MissCause.NO_ANSWER),
            ("18", "NOANSWER", MissCause.NO_ANSWER),
            ("23", "CANCEL", MissCause.REJECTED),
            ("20", "CHANUNAVAIL", MissCause.UNREACHABLE),
            ("58", "CONGESTION", MissCause.FAILED),
            ("", "NOANSWER", MissCause.REJECTED),
            (None, "NOANSWER", MissCause.NO_ANSWER),
            (None, "CONGESTION", MissCause.FAILED),
        ],
    )
    def test_a_phone_that_does_not_take_the_call(self, refusal: str | None, status: str, cause: MissCause) -> None:
        desk = given_an_offer(101).hears(dial_begins(101, 8))
        if refusal is not None:
            desk.hears(agent_hangs_up(101, 8, refusal))
        desk.hears(dial_ends(101, 8, status), offer_over(), agent_gone(101, 8, 0))
        assert desk.facts == [
            OfferRinging(CALL, "of1", device(101), leg(8)),
            OfferMissed(CALL, "of1", device(101), cause),
            OfferEnded(CALL, "of1"),
        ]

    def test_a_phone_that_never_rings_is_unreachable(self) -> None:
        desk = given_an_offer(101, 103).hears(dial_begins(101, 8), dial_ends(101, 8, "NOANSWER"), offer_over())
        assert desk.facts[1:] == [
            OfferMissed(CALL, "of1", device(101), MissCause.NO_ANSWER),
            OfferMissed(CALL, "of1", device(103), MissCause.UNREACHABLE),
            OfferEnded(CALL, "of1"),
        ]

    def test_a_redirect_is_a_rejection_although_dial_says_cancel_first(self) -> None:
        desk = given_an_offer(101).hears(dial_begins(101, 8), dial_ends(101, 8, "CANCEL"), dial_ends(101, 8, "BUSY"))
        assert desk.facts[1:] == [OfferMissed(CALL, "of1", device(101), MissCause.REJECTED)]

    def test_phones_that_rang_in_vain_are_cancelled_before_the_answer_is_told(self) -> None:
        desk = given_an_offer(101, 102).hears(
            dial_begins(101, 8),
            dial_begins(102, 9),
            dial_ends(101, 8, "CANCEL"),
            picks_up(102, 9),
            agent_gone(101, 8, 26),
        )
        assert desk.facts[2:] == [
            OfferMissed(CALL, "of1", device(101), MissCause.CANCELLED),
            OfferAnswered(CALL, "of1", device(102), leg(9)),
        ]

    def test_a_caller_who_leaves_is_nobodys_fault(self) -> None:
        desk = given_an_offer(101, 102).hears(dial_begins(101, 8), caller_hangs_up(), caller_gone(), agent_gone(101, 8))
        assert desk.facts[1:] == [
            OfferMissed(CALL, "of1", device(101), MissCause.CANCELLED),
            OfferMissed(CALL, "of1", device(102), MissCause.CANCELLED),
            CallGone(CALL, 16),
        ]

    def test_a_phone_we_hung_up_is_cancelled(self) -> None:
        desk = given_an_offer(101).hears(dial_begins(101, 8))
        desk.tracker.book.agents[leg(8)].by_us = True
        desk.hears(dial_ends(101, 8, "NOANSWER"))
        assert desk.facts[1:] == [OfferMissed(CALL, "of1", device(101), MissCause.CANCELLED)]

    @pytest.mark.parametrize(
        ("cause", "expected"), [(0, MissCause.NO_ANSWER), (26, MissCause.CANCELLED), (17, MissCause.BUSY)]
    )
    def test_a_lost_dial_end_is_made_up_for_by_the_hangup(self, cause: int, expected: MissCause) -> None:
        desk = given_an_offer(101).hears(dial_begins(101, 8), agent_gone(101, 8, cause))
        assert desk.facts[1:] == [OfferMissed(CALL, "of1", device(101), expected)]

    def test_the_next_offer_is_made_while_the_last_legs_hangup_is_on_its_way(self) -> None:
        desk = given_an_offer(101).hears(dial_begins(101, 8), dial_ends(101, 8, "NOANSWER"), offer_over())
        assert desk.asks(the_offer(102, offer="of2"))
        desk.hears(agent_gone(101, 8, 0), dial_begins(102, 9))
        assert desk.facts[-1] == OfferRinging(CALL, "of2", device(102), leg(9))


class TestConversation:
    def test_it_begins_when_the_caller_is_in_the_bridge(self) -> None:
        desk = given_an_offer(101).hears(dial_begins(101, 8), picks_up(101, 8), agent_bridged(101, 8))
        assert desk.facts[-1] == OfferAnswered(CALL, "of1", device(101), leg(8))
        desk.hears(caller_bridged())
        assert desk.facts[-1] == TalkBegan(CALL, "of1", device(101), leg(8))

    def test_a_lost_dial_begin_and_dial_end_do_not_matter(self) -> None:
        desk = given_an_offer(101).hears(picks_up(101, 8), caller_bridged())
        assert kinds(desk.facts) == ["OfferRinging", "OfferAnswered", "TalkBegan"]

    @pytest.mark.parametrize("first", ["agent", "caller"])
    def test_the_agents_end_is_told_before_the_caller_is_free(self, first: str) -> None:
        desk = given_a_conversation().hears(agent_hangs_up(101, 8), agent_unbridged(101, 8), caller_unbridged())
        pair: list[e.Event] = [agent_gone(101, 8), talk_over()]
        desk.hears(*(pair if first == "agent" else reversed(pair)))
        assert desk.facts == [
            AgentHungUp(CALL, leg(8), device(101)),
            AgentLegGone(CALL, leg(8), device(101), 16, True, False),
            CallerFreed(CALL, "of1"),
        ]

    @pytest.mark.parametrize("found", [LookFailure.NO_SUCH_CHANNEL, LookFailure.NO_ANSWER])
    def test_a_lost_hangup_of_the_agent_does_not_keep_the_caller(self, found: LookFailure) -> None:
        desk = given_a_conversation().hears(agent_hangs_up(101, 8), talk_over())
        (look,) = desk.looks
        assert look == Look(Purpose.STILL_THERE, agent_channel(101, 8), leg(8), CALL)
        desk.answer(look, found)
        assert desk.facts[-1] == CallerFreed(CALL, "of1")
        desk.hears(agent_gone(101, 8), talk_over())
        assert kinds(desk.facts).count("CallerFreed") == 1

    def test_an_agents_leg_that_lives_on_frees_the_caller_too(self) -> None:
        desk = given_a_conversation().hears(talk_over())
        desk.answer(desk.looks[0], ChannelReading(agent_channel(101, 8), leg(8), True, "bridge-9", None, None))
        assert desk.facts == [CallerFreed(CALL, "of1")]

    @pytest.mark.parametrize("cause", [27, 38, 41, 44, 102])
    def test_a_leg_that_died_is_a_fault(self, cause: int) -> None:
        desk = given_a_conversation().hears(agent_gone(101, 8, cause), talk_over())
        assert desk.facts[0] == AgentLegGone(CALL, leg(8), device(101), cause, False, True)

    def test_a_leg_that_was_hung_up_is_none(self) -> None:
        desk = given_a_conversation().hears(agent_hangs_up(101, 8), agent_gone(101, 8, 44))
        assert desk.facts[-1] == AgentLegGone(CALL, leg(8), device(101), 44, True, False)

    def test_a_phone_that_hangs_up_is_told_at_once_and_once(self) -> None:
        desk = given_a_conversation().hears(agent_hangs_up(101, 8), agent_hangs_up(101, 8))
        assert desk.facts == [AgentHungUp(CALL, leg(8), device(101))]

    def test_a_leg_that_we_hung_up_is_none(self) -> None:
        desk = given_a_conversation()
        desk.tracker.book.agents[leg(8)].by_us = True
        assert desk.hears(agent_gone(101, 8, 44)).facts == [AgentLegGone(CALL, leg(8), device(101), 44, False, False)]

    def test_a_transfer_that_takes_the_caller_out_of_the_bridge_is_no_end(self) -> None:
        assert given_a_conversation().hears(caller_unbridged(), caller_bridged()).facts == []

    def test_a_phone_passes_the_caller_on(self) -> None:
        desk = given_a_conversation().hears(
            caller_unbridged(), e.PassedOn(CALLER_CHANNEL, CALLER, CALL, "8001"), agent_gone(101, 8)
        )
        gone = AgentLegGone(CALL, leg(8), device(101), 16, False, False)
        assert desk.facts == [TransferAsked(CALL, CALLER, "8001"), gone]

    def test_another_leg_cannot_pass_the_caller_on(self) -> None:
        assert given_a_conversation().hears(e.PassedOn(agent_channel(101, 8), leg(8), CALL, "8001")).facts == []

    def test_hold_and_resume(self) -> None:
        desk = given_a_conversation()
        desk.hears(e.HoldBegan(agent_channel(101, 8), leg(8), "1.1"), e.HoldBegan(agent_channel(101, 8), leg(8), "1.1"))
        desk.hears(e.HoldEnded(agent_channel(101, 8), leg(8), "2.2"), e.HoldBegan(agent_channel(101, 8), leg(8), "1.1"))
        assert desk.facts == [Held(CALL), Resumed(CALL)]

    def test_the_callers_own_hold_is_not_the_agents(self) -> None:
        assert given_a_conversation().hears(e.HoldBegan(CALLER_CHANNEL, CALLER, "1.1")).facts == []

    def test_nothing_follows_the_end_of_the_call(self) -> None:
        desk = given_a_conversation().hears(
            caller_hangs_up(), caller_gone(), agent_gone(101, 8), talk_over(), picks_up(101, 8)
        )
        assert desk.facts == [CallGone(CALL, 16)]
        assert desk.tracker.book.size() == 0


class TestStrangers:
    def test_events_of_foreign_channels_change_nothing(self) -> None:
        desk = given_an_offer(101)
        stranger = LegId("pbx1-1795317145.77")
        desk.hears(
            e.DialBegan("PJSIP/agent-101-0000004d", stranger, "pbx1-1795317145.76"),
            e.DialEnded("PJSIP/agent-101-0000004d", stranger, "ANSWER", "pbx1-1795317145.76"),
            e.BridgeEntered("bridge-9", "PJSIP/agent-101-0000004d", stranger),
            e.HoldBegan("PJSIP/agent-101-0000004d", stranger),
            e.HungUp("PJSIP/agent-101-0000004d", stranger, 16),
        )
        assert desk.facts == []

    def test_a_phone_that_was_not_asked_cannot_join_an_offer(self) -> None:
        assert given_an_offer(101).hears(dial_begins(109, 8), picks_up(109, 8)).facts == []

    def test_echoes_of_an_earlier_offer_do_not_touch_the_next(self) -> None:
        desk = given_an_offer(101).hears(
            dial_begins(101, 8), dial_ends(101, 8, "NOANSWER"), offer_over(), agent_gone(101, 8)
        )
        assert desk.asks(the_offer(101, offer="of2"))
        before = len(desk.facts)
        desk.hears(
            dial_begins(101, 8),
            picks_up(101, 8),
            dial_ends(101, 8, "ANSWER"),
            offer_over(),
            agent_gone(101, 8),
            talk_over(),
        )
        assert desk.facts[before:] == []
        desk.hears(dial_begins(101, 9))
        assert desk.facts[before:] == [OfferRinging(CALL, "of2", device(101), leg(9))]

    @pytest.mark.parametrize("call", ["pbx1-1795317144100.8", "", "x"])
    def test_an_end_told_by_another_channel_is_ignored(self, call: str) -> None:
        desk = given_an_offer(101).hears(dial_begins(101, 8))
        before = len(desk.facts)
        desk.hears(e.OfferOver(CALLER_CHANNEL, CALLER, call, "of1", "NOANSWER"))
        desk.hears(e.OfferOver("PJSIP/agent-101-00000008", leg(8), CALL, "of1", "NOANSWER"))
        assert desk.facts[before:] == []


class TestSuspicion:
    """After a damaged message, whatever would end a call is believed only when Asterisk confirms it."""

    def test_a_forged_hangup_changes_nothing(self) -> None:
        desk = given_a_conversation().hears(e.Quarantined(e.Reason.MISSING_HEADER, "DialBegin"), caller_gone())
        assert desk.facts == []
        assert desk.snapshots_wanted == 1
        desk.answer(desk.looks[0], caller_reading("talking"))
        assert desk.facts == []
        assert CALL in desk.tracker.book.calls

    def test_a_true_hangup_is_told_once_confirmed_and_what_came_after_it_in_order(self) -> None:
        desk = given_a_conversation().hears(e.Quarantined(e.Reason.MISSING_HEADER, "DialBegin"))
        desk.hears(agent_hangs_up(101, 8), agent_gone(101, 8), talk_over())
        assert [look.purpose for look in desk.looks] == [Purpose.REALLY]
        desk.answer(desk.looks[0], LookFailure.NO_SUCH_CHANNEL)
        desk.answer(desk.looks[1], caller_reading("after"))
        assert kinds(desk.facts) == ["AgentLegGone", "CallerFreed"]

    def test_a_forged_end_of_an_offer_changes_nothing(self) -> None:
        desk = given_an_offer(101).hears(dial_begins(101, 8), e.Quarantined(e.Reason.FRAGMENT, "other"), offer_over())
        desk.answer(desk.looks[0], caller_reading("offered"))
        assert kinds(desk.facts) == ["OfferRinging"]

    def test_events_of_a_leg_that_began_meanwhile_are_not_lost(self) -> None:
        desk = given_an_offer(101).hears(e.Quarantined(e.Reason.FRAGMENT, "other"), caller_gone())
        desk.hears(dial_begins(101, 8), agent_hangs_up(101, 8, "17"), dial_ends(101, 8, "BUSY"))
        desk.answer(desk.looks[0], caller_reading("offered"))
        assert desk.facts[-1] == OfferMissed(CALL, "of1", device(101), MissCause.BUSY)

    def test_no_answer_to_the_question_asks_for_everything(self) -> None:
        desk = given_a_waiting_caller().hears(e.Quarantined(e.Reason.FRAGMENT, "other"), caller_gone())
        desk.answer(desk.looks[0], LookFailure.NO_ANSWER)
        assert desk.facts == []
        assert desk.snapshots_wanted == 2


class TestPhonesAndPbx:
    def test_a_devices_state_is_told_when_it_changes(self) -> None:
        desk = Desk().hears(
            e.DeviceStateSeen("PJSIP/agent-101", "NOT_INUSE", "1"),
            e.DeviceStateSeen("PJSIP/agent-101", "BUSY", "2"),
            e.DeviceStateSeen("PJSIP/agent-101", "NOT_INUSE", "1"),
            e.DeviceStateSeen("PJSIP/agent-101", "BUSY", "3"),
            e.DeviceStateSeen("PJSIP/agent-101", "UNAVAILABLE", "4"),
        )
        states = [DeviceState.NOT_IN_USE, DeviceState.BUSY, DeviceState.UNAVAILABLE]
        assert desk.facts == [DeviceChanged(device(101), state) for state in states]

    def test_local_channels_are_no_devices(self) -> None:
        assert Desk().hears(e.DeviceStateSeen("Local/1@x", "INUSE"), e.DeviceStateSeen("Queue:x", "INUSE")).facts == []

    def test_a_shutdown_is_told_once(self) -> None:
        assert Desk().hears(e.ShuttingDown("Cleanly"), e.ShuttingDown("Cleanly")).facts == [PbxDraining("pbx1")]

    def test_a_code_is_told_with_the_digits_that_the_channel_holds(self) -> None:
        desk, own = Desk(), LegId("pbx1-1795317145.5")
        said = {names.ASK: own, names.ASK_KIND: "sign_in", names.ASK_AGENT: "101", names.ASK_PIN: "12x4"}
        desk.answers[Purpose.WHAT_IS_ASKED] = ChannelReading(
            "PJSIP/agent-102-00000005", own, True, None, None, None, said
        )
        ask = e.PhoneAsks("PJSIP/agent-102-00000005", own, own, "sign_in")
        desk.hears(ask, ask)
        assert desk.facts == [PhoneAsked(own, device(102), "sign_in", "101", "", "")]
        assert "101" not in repr(desk.facts[0]).replace("agent-10", "")
        desk.hears(e.HungUp("PJSIP/agent-102-00000005", own, 16), ask)
        assert desk.tracker.book.size() == 0
        assert len(desk.facts) == 1
