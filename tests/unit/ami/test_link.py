"""The link against a server that speaks AMI and misbehaves: nothing hangs, nothing is sent twice, and it goes on by itself."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from time import perf_counter

import pytest

from ami import actions
from ami.actions import ActionRefused
from ami.answers import Outcome
from ami.events import Event, HungUp, Quarantined
from ami.health import HealthState, NobodyObserves
from ami.link import Link, LinkConfig
from tests.support.fake_ami import FakeAmi
from tests.support.until import until

CHANNEL = "PJSIP/agent-101-0000001a"
HANGUP = (
    "Event: Hangup",
    "Channel: PJSIP/trunk-00000007",
    "CallerIDName: مریم رضایی",
    "Uniqueid: pbx1-1.7",
    "Cause: 16",
)


class Counts(NobodyObserves):
    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        self.results: Counter[tuple[str, str]] = Counter()
        self.reasons: Counter[str] = Counter()

    def events(self, counts: Mapping[str, int]) -> None:
        self.seen.update(counts)

    def action(self, action: str, result: str, seconds: float) -> None:
        assert seconds >= 0
        self.results[action, result] += 1

    def quarantined(self, reason: str) -> None:
        self.reasons[reason] += 1


class Wire:
    """A link under test, what it told and what it got."""

    def __init__(self, config: LinkConfig) -> None:
        self.counts = Counts()
        self.events: list[Event | Quarantined] = []
        self.reports: list[tuple[HealthState, str]] = []
        self.sessions = 0
        self.fail_handler = False
        self.link = Link(config, self.receive, self.started, self.report, self.counts, random.Random(7))

    def receive(self, event: Event | Quarantined) -> None:
        self.events.append(event)
        if self.fail_handler:
            raise RuntimeError("a handler that fails")

    async def started(self) -> None:
        self.sessions += 1
        self.link.settled()
        await asyncio.Event().wait()

    def report(self, state: HealthState, reason: str) -> None:
        self.reports.append((state, reason))

    async def up(self, sessions: int = 1) -> None:
        await until(lambda: self.sessions >= sessions, f"{sessions} sessions", every_s=0.002, seen=lambda: self.reports)

    async def told(self, reason: str) -> None:
        await until(lambda: reason in [r for _, r in self.reports], reason, every_s=0.002, seen=lambda: self.reports)


def config(fake: FakeAmi, **changed: float | str) -> LinkConfig:
    quick = {
        "ping_every_s": 0.05,
        "ping_s": 0.2,
        "action_s": 0.3,
        "login_s": 0.3,
        "retry_first_s": 0.02,
        "refused_retry_s": 0.1,
    }
    return LinkConfig("127.0.0.1", fake.port, "nobat", "secret", **(quick | changed))  # type: ignore[arg-type]


@asynccontextmanager
async def linked(fake: FakeAmi, **changed: float | str) -> AsyncIterator[Wire]:
    wire = Wire(config(fake, **changed))
    task = asyncio.create_task(wire.link.run())
    try:
        await wire.up()
        yield wire
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()


@pytest.fixture
async def fake() -> AsyncIterator[FakeAmi]:
    async with FakeAmi() as server:
        yield server


async def test_it_logs_in_and_answers_come_back(fake: FakeAmi) -> None:
    async with linked(fake) as wire:
        answer = await wire.link.ask(actions.CoreSettings())
        assert answer.ok
        assert answer.headers["systemname"] == "pbx1"
        assert fake.logins == 1


async def test_several_actions_leave_in_one_write(fake: FakeAmi) -> None:
    async with linked(fake, ping_every_s=60) as wire:
        await until(lambda: wire.counts.seen["FullyBooted"] == 1, "boot")
        fake.writes.clear()
        wanted = [actions.SetGlobal(f"ACD_NUMBER_{n}", "sales") for n in range(5)]
        answers = await asyncio.gather(*wire.link.send(*wanted))
        assert all(answer.ok for answer in answers)
        assert fake.writes == [5]


async def test_a_list_ends_where_it_says_so(fake: FakeAmi) -> None:
    fake.devices = {f"PJSIP/agent-{n}": "NOT_INUSE" for n in range(100, 300)}
    async with linked(fake) as wire:
        answer = await wire.link.ask(actions.DeviceStateList())
        assert answer.ok
        assert len(answer.items) == 200
        assert wire.counts.seen["DeviceStateChange"] == 0  # answers are no events


async def test_an_error_is_an_answer_to_a_list_too(fake: FakeAmi) -> None:
    async with linked(fake) as wire:
        answer = await wire.link.ask(actions.ShowDialPlan("nowhere"))
        assert (answer.outcome, answer.message) == (Outcome.REFUSED, "Did not find context nowhere")
        assert (await wire.link.ask(actions.Hangup(CHANNEL))).no_such_channel
        assert wire.counts.results["Hangup", "refused"] == 1


async def test_a_cancelled_list_is_refused_and_does_not_hang(fake: FakeAmi) -> None:
    async with linked(fake, action_s=30) as wire:
        fake.mute.add("Status")
        (future,) = wire.link.send(actions.Status())
        await until(lambda: bool(fake.actions("Status")), "Status")
        tag = f"ActionID: {fake.actions('Status')[0]['ActionID']}"
        fake.say("Response: Success", tag, "EventList: start", "Message: Channel status will follow")
        fake.say("Event: StatusComplete", tag, "EventList: cancelled")
        assert (await future).outcome is Outcome.REFUSED


async def test_hostile_text_is_refused_before_anything_is_written(fake: FakeAmi) -> None:
    async with linked(fake, ping_every_s=60) as wire:
        await wire.link.ask(actions.Ping())
        before = len(fake.received)
        with pytest.raises(ActionRefused):
            wire.link.send(actions.Hangup(CHANNEL), actions.Hangup("/^.*$/"))
        with pytest.raises(ActionRefused):
            wire.link.send(actions.SetGlobal("ACD_NUMBER_1", "x\r\n\r\nAction: Hangup\r\nChannel: /.*/"))
        await wire.link.ask(actions.Ping())
        assert [action["Action"] for action in fake.received[before:]] == ["Ping"]


async def test_an_answer_that_never_comes_is_unknown_after_the_deadline(fake: FakeAmi) -> None:
    async with linked(fake) as wire:
        fake.mute.add("Redirect")
        started = perf_counter()
        answer = await wire.link.ask(actions.Redirect(CHANNEL, "acd-wait"), deadline_s=0.05)
        assert answer.outcome is Outcome.TIMEOUT
        assert answer.unknown
        assert perf_counter() - started < 0.5
        assert wire.sessions == 1  # the link itself is well
        assert wire.counts.results["Redirect", "timeout"] == 1


async def test_a_late_answer_belongs_to_nobody(fake: FakeAmi) -> None:
    async with linked(fake) as wire:
        fake.mute.add("Hangup")
        await wire.link.ask(actions.Hangup(CHANNEL), deadline_s=0.05)
        tag = fake.actions("Hangup")[0]["ActionID"]
        fake.say("Response: Success", f"ActionID: {tag}")
        fake.say("Response: Success", "ActionID: somebody-elses")
        assert (await wire.link.ask(actions.Ping())).ok


async def test_a_reset_is_followed_by_a_new_login_within_300_ms(fake: FakeAmi) -> None:
    async with linked(fake, retry_first_s=0.2) as wire:  # the shipped value
        took = []
        for sessions in range(2, 5):
            cut_at = perf_counter()
            fake.reset()
            await wire.up(sessions)
            took.append(perf_counter() - cut_at)
        assert min(took) < 0.3  # the machine may be busy once
        assert wire.reports[0][0] is HealthState.DOWN


async def test_a_lost_link_answers_all_that_was_open_and_sends_none_of_it_again(fake: FakeAmi) -> None:
    fake.mute |= {"Setvar", "Redirect", "Hangup", "Status"}
    async with linked(fake, action_s=30) as wire:
        open_actions = wire.link.send(
            *(actions.SetGlobal(f"ACD_NUMBER_{n}", "sales") for n in range(50)),
            actions.Redirect(CHANNEL, "acd-wait"),
            actions.Hangup(CHANNEL),
            actions.Status(),
        )
        await until(lambda: len(fake.actions("Status")) == 1, "all written")
        fake.reset()
        answers = await asyncio.wait_for(asyncio.gather(*open_actions), 1)
        assert {answer.outcome for answer in answers} == {Outcome.LINK_LOST}
        await wire.up(2)
        assert (await wire.link.ask(actions.Ping())).ok
        assert Counter(a["Action"] for a in fake.received if a["Action"] not in ("Ping", "Login")) == Counter(
            Setvar=50, Redirect=1, Hangup=1, Status=1
        )


async def test_an_action_whose_coming_cuts_the_link_is_unknown(fake: FakeAmi) -> None:
    fake.drop_on.add("Redirect")
    async with linked(fake, action_s=30) as wire:
        answer = await asyncio.wait_for(wire.link.ask(actions.Redirect(CHANNEL, "acd-wait")), 1)
        assert answer.outcome is Outcome.LINK_LOST
        await wire.up(2)
        assert len(fake.actions("Redirect")) == 1


async def test_sending_while_disconnected_ends_at_once(fake: FakeAmi) -> None:
    wire = Wire(config(fake))
    assert (await wire.link.ask(actions.Ping())).outcome is Outcome.NOT_CONNECTED
    async with linked(fake, retry_first_s=5, retry_max_s=5) as other:
        fake.reset()
        await other.told("connection_reset")
        started = perf_counter()
        answers = await asyncio.gather(*other.link.send(actions.Hangup(CHANNEL), actions.Status()))
        assert {answer.outcome for answer in answers} == {Outcome.NOT_CONNECTED}
        assert perf_counter() - started < 0.05
        assert fake.actions("Hangup") == []


async def test_nothing_but_a_login_is_written_before_the_login_is_through(fake: FakeAmi) -> None:
    fake.mute.add("Login")
    wire = Wire(config(fake, login_s=2))
    task = asyncio.create_task(wire.link.run())
    await until(lambda: len(fake.actions("Login")) == 1, "login")
    assert (await wire.link.ask(actions.Hangup(CHANNEL))).outcome is Outcome.NOT_CONNECTED
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert [action["Action"] for action in fake.received] == ["Login"]


async def test_a_black_hole_is_noticed_and_left(fake: FakeAmi) -> None:
    async with linked(fake, action_s=30) as wire:
        (open_action,) = wire.link.send(actions.Ping())
        await open_action
        fake.black_hole()
        (open_action,) = wire.link.send(actions.Hangup(CHANNEL))
        lost_at = perf_counter()
        await wire.told("ping_unanswered")
        assert perf_counter() - lost_at < 0.05 + 0.2 + 0.7  # one pause, one deadline, and air for a busy machine
        assert (await open_action).outcome is Outcome.LINK_LOST
        fake.light()
        await wire.up(2)


def test_the_shipped_deadlines_declare_a_black_hole_dead_within_3_s() -> None:
    shipped = LinkConfig("127.0.0.1", 5038, "nobat", "secret")
    assert shipped.ping_every_s + shipped.ping_s < 3
    assert shipped.retry_first_s <= 0.3
    assert shipped.retry_max_s <= 5


async def test_a_link_that_is_busy_is_not_taken_for_dead(fake: FakeAmi) -> None:
    """Events flow while the answer to a ping is late: no reason to cut, until it is late three times."""
    async with linked(fake, ping_s=0.05) as wire:
        fake.mute.add("Ping")
        for _ in range(8):
            fake.say(*HANGUP)
            await asyncio.sleep(0.01)
        assert wire.reports == []

        async def chatter() -> None:
            while True:
                fake.say(*HANGUP)
                await asyncio.sleep(0.01)

        task = asyncio.create_task(chatter())
        await wire.told("ping_unanswered")
        task.cancel()


async def test_a_stall_of_our_own_does_not_cost_the_link(fake: FakeAmi) -> None:
    """The loop stood still beyond every deadline; the answers were there all the time."""
    async with linked(fake, ping_s=0.1, ping_every_s=0.02) as wire:
        for _ in range(5):
            await asyncio.sleep(0.02)
            stall_until = perf_counter() + 0.3
            while perf_counter() < stall_until:
                pass
        assert wire.sessions == 1
        assert wire.reports == []


async def test_a_refused_login_is_a_state_of_its_own_and_is_retried_slowly(fake: FakeAmi) -> None:
    wire = Wire(config(fake, refused_retry_s=0.2))
    fake.secret = "another"
    task = asyncio.create_task(wire.link.run())
    await wire.told("login_refused")
    assert wire.reports[-1][0] is HealthState.LOGIN_REFUSED
    assert len(fake.actions("Login")) == 1
    fake.secret = "secret"
    await wire.up()
    assert len(fake.actions("Login")) == 2
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_login_that_is_never_answered_is_given_up(fake: FakeAmi) -> None:
    fake.mute.add("Login")
    wire = Wire(config(fake, login_s=0.05))
    task = asyncio.create_task(wire.link.run())
    await wire.told("login_unanswered")
    fake.mute.clear()
    await wire.up()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_it_waits_for_an_asterisk_that_is_not_there_and_pauses_grow(fake: FakeAmi) -> None:
    await fake.vanish()
    wire = Wire(config(fake, retry_first_s=0.02, absent_retry_s=0.1))
    task = asyncio.create_task(wire.link.run())
    await wire.told("connection_refused")
    await until(lambda: len(wire.reports) > 4, "some tries")
    await fake.listen()
    await wire.up()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def test_pauses_are_never_in_step_and_have_a_cap() -> None:
    wire = Wire(LinkConfig("127.0.0.1", 1, "nobat", "secret"))
    pauses = [wire.link._lost("x") for _ in range(30)]
    assert pauses[0] <= 0.3
    assert max(pauses) <= 5
    assert min(pauses[10:]) >= 2.5
    assert len({round(pause, 6) for pause in pauses}) == len(pauses)


async def test_a_handler_that_fails_costs_neither_the_link_nor_the_next_event(
    fake: FakeAmi, caplog: pytest.LogCaptureFixture
) -> None:
    async with linked(fake) as wire:
        wire.fail_handler = True
        fake.say(*HANGUP)
        fake.say(*HANGUP)
        await until(lambda: sum(isinstance(e, HungUp) for e in wire.events) == 2, "both events")
        assert (await wire.link.ask(actions.Ping())).ok
        assert wire.sessions == 1
        assert "مریم" not in caplog.text


async def test_events_survive_any_cut_of_the_stream(fake: FakeAmi) -> None:
    fake.slice_bytes = random.Random(1)
    async with linked(fake, ping_s=2, action_s=5, login_s=5) as wire:
        for _ in range(20):
            fake.say(*HANGUP)
        assert (await wire.link.ask(actions.CoreSettings())).ok
        await until(lambda: wire.counts.seen["Hangup"] == 20, "all events")
        assert not any(isinstance(event, Quarantined) for event in wire.events)


async def test_counters_move(fake: FakeAmi) -> None:
    async with linked(fake) as wire:
        fake.say("Event: Hangup", "Channel: x")
        fake.say("Event: Nonsense", "Channel: x")
        await until(lambda: wire.counts.seen["other"] == 1, "both events")
        assert wire.counts.reasons == Counter(missing_header=1)
        assert wire.counts.results["Login", "success"] == 1


async def test_a_shutdown_event_is_news_and_no_reason_to_hang_up(fake: FakeAmi) -> None:
    async with linked(fake) as wire:
        fake.say("Event: Shutdown", "Shutdown: Cleanly", "Restart: True")
        assert (await wire.link.ask(actions.Ping())).ok
        assert wire.sessions == 1


async def test_a_start_that_fails_is_logged_and_tried_again(fake: FakeAmi, caplog: pytest.LogCaptureFixture) -> None:
    wire = Wire(config(fake))
    tries = 0

    async def started() -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise RuntimeError("boom")
        await wire.started()

    wire.link._started = started
    task = asyncio.create_task(wire.link.run())
    await wire.up()
    assert tries == 2
    assert wire.reports[0] == (HealthState.DOWN, "start_failed")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_stopping_answers_what_is_open(fake: FakeAmi) -> None:
    fake.mute.add("Status")
    async with linked(fake, action_s=30) as wire:
        (future,) = wire.link.send(actions.Status())
    assert (await asyncio.wait_for(future, 1)).outcome is Outcome.LINK_LOST


async def test_an_asterisk_that_does_not_read_is_not_fed_without_end(fake: FakeAmi) -> None:
    async with linked(fake, action_s=30, ping_every_s=30) as wire:
        fake.black_hole()
        outcomes: set[Outcome] = set()
        for _ in range(400):
            futures = wire.link.send(*(actions.SetGlobal(f"ACD_NUMBER_{n}", "q" * 60) for n in range(90)))
            outcomes |= {future.result().outcome for future in futures if future.done()}
        assert outcomes == {Outcome.NOT_CONNECTED}
        manager = wire.link._manager
        assert manager is not None
        assert manager.ami is not None
        assert manager.ami.transport.get_write_buffer_size() < 1_100_000
