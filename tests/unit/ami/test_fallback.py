"""What the PBX does alone, as its events and a snapshot tell it; and the line by which it knows that we live."""

import asyncio

import pytest

from acd.ids import OfferId
from acd.telephony import FallbackAnswered, FallbackBegan, FallbackEnded, LegStage, SnapshotCall, TalkBegan
from ami import actions, names
from ami import events as e
from ami.answers import Answer, Outcome
from ami.book import Book
from ami.lifeline import LEASE_S, MEMBERS_AT_ONCE, Lifeline
from tests.unit.ami.test_compare import DOUBTFUL, look, stages
from tests.unit.ami.test_resync import agent_reading, caller
from tests.unit.ami.wire import (
    CALL,
    CALLER,
    CALLER_CHANNEL,
    Desk,
    caller_bridged,
    device,
    dial_begins,
    dial_ends,
    given_a_waiting_caller,
    leg,
    offer_over,
    picks_up,
    the_offer,
)

OWN = OfferId(f"{CALL}.1")
LEFT = {names.OFFER_ID: str(OWN)}


def left_alone() -> e.LeftAlone:
    return e.LeftAlone(CALLER_CHANNEL, CALLER, CALL, OWN)


def given_a_caller_alone() -> Desk:
    desk = given_a_waiting_caller().hears(left_alone())
    assert desk.facts == [FallbackBegan(CALL, OWN)]
    desk.facts.clear()
    return desk


class TestEvents:
    def test_a_caller_alone_is_redirected_by_nobody(self) -> None:
        desk = given_a_caller_alone()
        assert not desk.asks(the_offer(101))
        assert desk.hears(left_alone()).facts == []

    def test_it_tries_whom_it_likes_and_only_who_answers_is_news(self) -> None:
        desk = given_a_caller_alone()
        desk.hears(dial_begins(101, 8), dial_ends(101, 8, "NOANSWER"), dial_begins(101, 9), dial_begins(102, 10))
        assert desk.facts == []
        desk.hears(picks_up(102, 10, OWN), caller_bridged())
        assert desk.facts == [
            FallbackAnswered(CALL, OWN, device(102), leg(10)),
            TalkBegan(CALL, OWN, device(102), leg(10)),
        ]

    def test_an_answer_is_known_without_its_dial(self) -> None:
        desk = given_a_caller_alone().hears(picks_up(101, 8, OWN))
        assert desk.facts == [FallbackAnswered(CALL, OWN, device(101), leg(8))]

    def test_the_caller_comes_back_and_may_be_offered(self) -> None:
        desk = given_a_caller_alone().hears(offer_over("FALLBACK", OWN))
        assert desk.facts == [FallbackEnded(CALL, OWN)]
        assert desk.asks(the_offer(101))

    def test_one_that_comes_while_our_offer_is_on_its_way_changes_nothing(self) -> None:
        desk = given_a_waiting_caller()
        assert desk.asks(the_offer(101))
        assert desk.hears(left_alone()).facts == []


class TestSnapshots:
    def test_a_caller_alone_is_found_so(self) -> None:
        desk = Desk()
        assert stages(look(desk, caller("fallback", **LEFT), agent_reading(101, 8, offer=OWN))) == [
            (LegStage.FALLBACK, OWN)
        ]
        desk.hears(picks_up(101, 8, OWN), caller_bridged())
        assert [type(fact) for fact in desk.facts] == [FallbackAnswered, TalkBegan]

    def test_two_looks_that_show_the_same_change_nothing(self) -> None:
        desk = given_a_caller_alone()
        for _ in range(2):
            outputs = look(desk, caller("fallback", **LEFT))
            assert (stages(outputs), len(outputs)) == ([(LegStage.FALLBACK, OWN)], 1)

    def test_a_caller_who_was_left_alone_unheard_is_found_by_the_second_look(self) -> None:
        desk = given_a_waiting_caller()
        assert look(desk, caller("fallback", **LEFT))[1:] == (DOUBTFUL,)
        assert stages(look(desk, caller("fallback", **LEFT))) == [(LegStage.FALLBACK, OWN)]
        assert not desk.asks(the_offer(101))

    def test_who_talks_by_the_fallback_is_found_with_the_phone(self) -> None:
        found = caller("talking", "bridge-1", **LEFT, **{names.CONNECTED: "1795317150500"})
        fact = look(Desk(), found, agent_reading(101, 8, "bridge-1", OWN, up=True))[0]
        (call,) = fact.calls  # type: ignore[union-attr]
        assert isinstance(call, SnapshotCall)
        assert (call.stage, call.device, call.agent_leg) == (LegStage.TALKING, device(101), leg(8))


class Wire:
    """A link that keeps what is sent and answers when it is told to."""

    def __init__(self) -> None:
        self.sent: list[actions.Action] = []
        self.answers: list[asyncio.Future[Answer]] = []
        self.now = 100.0
        self.book = Book()
        self.lifeline = Lifeline(self, self.book, "42", lambda: self.now)

    def send(self, *wanted: actions.Action, deadline_s: float | None = None) -> "list[asyncio.Future[Answer]]":
        for action in wanted:
            actions.encode(action)
        made = [asyncio.get_running_loop().create_future() for _ in wanted]
        self.sent.extend(wanted)
        self.answers.extend(made)
        return made

    async def answer(self, outcome: Outcome = Outcome.SUCCESS, value: str = "1") -> list[actions.Action]:
        """Answer all that is open; what was sent."""
        for future in self.answers:
            future.set_result(Answer(outcome, headers={"value": value}))
        self.answers.clear()
        sent, self.sent = self.sent, []
        await asyncio.sleep(0)
        return sent


class TestLifeline:
    async def test_nobody_is_moved_on_a_heartbeat_that_is_old_or_was_not_taken(self) -> None:
        wire = Wire()
        assert wire.lifeline.holds()  # nobody beats, nobody promises
        wire.lifeline.beat(None)
        assert not wire.lifeline.holds()
        wire.now += 3
        await wire.answer()
        assert wire.lifeline.holds()
        wire.now += LEASE_S - 3.1  # counted from when it was sent
        assert wire.lifeline.holds()
        wire.now += 0.2
        assert not wire.lifeline.holds()
        wire.lifeline.beat(None)
        await wire.answer(Outcome.TIMEOUT)
        assert not wire.lifeline.holds()

    async def test_it_counts_and_names_the_run(self) -> None:
        wire = Wire()
        begun = asyncio.create_task(wire.lifeline.begin())
        await asyncio.sleep(0)
        assert await wire.answer() == [
            actions.SetGlobal("ACD_EPOCH", "42"),
            actions.SetGlobal("ACD_HEARTBEAT", "1"),
        ]
        assert (await begun).ok
        wire.lifeline.beat(None)
        assert await wire.answer() == [actions.SetGlobal("ACD_HEARTBEAT", "2")]

    async def test_pauses_are_told_once_and_again_after_a_reconnect(self) -> None:
        wire = Wire()
        pauses = {("sales", "PJSIP/agent-101"): False, ("sales", "PJSIP/agent-102"): True}
        told = [actions.PauseMember(*key, paused) for key, paused in pauses.items()]
        wire.lifeline.beat(pauses)
        assert (await wire.answer())[1:] == [actions.QueueExists("sales")]
        wire.lifeline.beat(None)
        assert (await wire.answer())[1:] == told
        wire.lifeline.beat({**pauses, ("sales", "PJSIP/agent-102"): False})
        assert (await wire.answer())[1:] == [actions.PauseMember("sales", "PJSIP/agent-102", False)]
        again = asyncio.create_task(wire.lifeline.begin())
        await asyncio.sleep(0)
        await wire.answer()
        await again
        wire.lifeline.beat(None)
        await wire.answer()
        wire.lifeline.beat(None)
        assert len(await wire.answer()) == 3

    async def test_a_queue_that_is_not_there_is_told_once(self, caplog: pytest.LogCaptureFixture) -> None:
        wire = Wire()
        for _ in range(3):
            wire.lifeline.beat({("rare", "PJSIP/agent-101"): bool(len(caplog.records))})
            await wire.answer(value="0")
        assert [record.message for record in caplog.records].count(
            "PBX lacks a fallback queue: its callers will only wait if the service goes"
        ) == 1

    async def test_many_are_told_a_part_at_a_time(self) -> None:
        wire = Wire()
        wire.lifeline.beat({("sales", f"PJSIP/agent-{n}"): True for n in range(MEMBERS_AT_ONCE + 50)})
        await wire.answer()
        told = []
        for _ in range(3):
            wire.lifeline.beat(None)
            told.append(len(await wire.answer()) - 1)
        assert told == [MEMBERS_AT_ONCE, 50, 0]

    async def test_callers_are_asked_back_unless_a_phone_rings(self) -> None:
        wire, desk = Wire(), given_a_caller_alone()
        wire.book.add(desk.tracker.book.calls[CALL])
        wire.lifeline.beat(None)
        assert (await wire.answer())[1:] == [actions.WithdrawCaller("sales", CALLER_CHANNEL)]
        desk.hears(dial_begins(101, 8))
        wire.lifeline.beat(None)
        assert len(await wire.answer()) == 1

    async def test_app_queue_gets_no_agent_while_its_callers_come_back(self) -> None:
        """Else who is the last to come back would be the first to be served."""
        wire, desk = Wire(), given_a_caller_alone()
        wire.book.add(desk.tracker.book.calls[CALL])
        wire.lifeline.beat({("sales", "PJSIP/agent-101"): False, ("sales", "PJSIP/agent-102"): True})
        assert (await wire.answer())[1] == actions.PauseMember("sales", "PJSIP/agent-101", True)
        wire.lifeline.beat(None)
        assert (await wire.answer())[2:] == [actions.PauseMember("sales", "PJSIP/agent-102", True)]
        desk.hears(offer_over("FALLBACK", OWN))
        wire.lifeline.beat(None)
        assert (await wire.answer())[1:] == [actions.PauseMember("sales", "PJSIP/agent-101", False)]

    @pytest.mark.parametrize("queue", ["sa,les", "s)", "", "a\nb"])
    def test_what_could_be_read_in_two_ways_is_not_sent(self, queue: str) -> None:
        for action in (
            actions.PauseMember(queue, "PJSIP/agent-101", True),
            actions.QueueExists(queue),
            actions.WithdrawCaller(queue, CALLER_CHANNEL),
            actions.PauseMember("sales", queue, True),
        ):
            with pytest.raises(actions.ActionRefused):
                actions.encode(action)
