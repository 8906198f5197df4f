"""What the floor's machine (``test_floor_machine``) does about callbacks, and what must hold of them whatever happens.

Promises and intents are written down when a rule says so, or not at all; customers pick up, press a key or do neither; facts get
lost with the link. The disk is a list: what is on it when the floor asks for a customer to be dialled is checked there and then.
"""

from collections import Counter
from collections.abc import Sequence

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from acd import callback_commands as c
from acd import callback_port as p
from acd.agents import Ringing
from acd.callback_events import CallbackAttempted, CallbackEnded, CallbackPromised
from acd.callback_policy import AttemptResult, CallbackMode, CallbackPolicy, Retries, Retry
from acd.callback_port import AttemptStage
from acd.calls import Call, CallState
from acd.commands import BecomeAvailable, Command, EndWrapUp, SignIn
from acd.events import Event
from acd.floor import Floor
from acd.ids import AgentId, AttemptId, CallbackId, CallId, LegId, QueueId
from acd.telephony import Fact, LegStage
from callback.keeper import Callbacks
from callback.places import entry_of
from callback.sessions import Session, SessionState
from tests.property.model_callbacks import CallingBackPbx
from tests.property.model_pbx import PBX

picks = st.integers(0, 999)
THEN = ("", "busy", "he presses one", "they talk")
NUMBERS = ("0912000001", "0912000002", "0912000003")
ENDS = (
    AttemptResult.BUSY,
    AttemptResult.NO_ANSWER,
    AttemptResult.VOICEMAIL,
    AttemptResult.HUNG_UP,
    AttemptResult.FAILED,
)


def calls_back(mode: CallbackMode) -> CallbackPolicy:
    """Soon again, and a few times."""
    retries = Retries(*(Retry(2, 3.0) for _ in Retries.__slots__))
    return CallbackPolicy(
        True, mode, "PJSIP/{number}@trunk", ring_s=10, most_attempts=3, retries=retries, expires_s=200.0, target=0.5
    )


class CallbackRules(RuleBasedStateMachine):
    """A part of ``FloorMachine``, which has the floor and the PBX."""

    floor: Floor
    pbx: CallingBackPbx
    now: float
    linked: bool
    serial: int
    events: list[Event]

    def __init__(self) -> None:
        super().__init__()
        self.unwritten: list[AttemptId | CallbackId] = []
        self.on_disk: set[str] = set()
        self.over: set[CallbackId] = set()

    def tell(self, message: Fact | Command, times: int = 1) -> None:
        raise NotImplementedError

    def hear(self, facts: list[Fact], times: int = 1) -> None:
        raise NotImplementedError

    def some(self, pick: int, *stages: LegStage) -> CallId | None:
        raise NotImplementedError

    def enter(self, queue: str, priority: int = 0, number: str | None = None, times: int = 1) -> CallId:
        raise NotImplementedError

    # ------------------------------------------------ plumbing

    @property
    def keeper(self) -> Callbacks:
        assert isinstance(self.floor.keeper, Callbacks)
        return self.floor.keeper

    def note_callbacks(self, events: Sequence[Event]) -> None:
        for event in events:
            match event:
                case CallbackPromised():
                    self.unwritten.append(event.callback)
                case CallbackAttempted():
                    self.unwritten.append(event.attempt)
                case CallbackEnded():
                    assert event.callback not in self.over, "it was over before"
                    self.over.add(event.callback)

    def carry_out_attempt(self, request: p.DialCustomer | p.StopAttempt | p.ReadAttempt) -> None:
        match request:
            case p.DialCustomer():
                assert request.attempt in self.on_disk, "dialled before it was written down"
                assert request.callback not in self.over, "dialled though it is over"
                self.hear(self.pbx.dial(request))
            case p.StopAttempt():
                self.hear(self.pbx.stop(request))
            case p.ReadAttempt():
                self.hear(self.pbx.read(request))

    def may_be_served(self, call: Call) -> bool:
        """Whether an agent is for him now: one who is away has to be one that may be dialled."""
        return not call.away or self.keeper.may_dial(self.floor, call, self.now)

    def had_the_turn(self, call: Call) -> bool:
        """As before an offer that has just been made: with just in time one may pass, and that may have been this one."""
        if not call.away or self.floor.queues[call.queue].spec.callbacks.mode is CallbackMode.AGENT_FIRST:
            return self.may_be_served(call)
        return self.may_be_served(call) and self.keeper.sessions[CallbackId(call.id)].passed > 1

    def write(self, kept: bool) -> None:
        """What is to be on disk is, or cannot be."""
        what = self.unwritten.pop(0)
        if kept:
            self.on_disk.add(what)
        self.tell(c.Kept(what) if kept else c.NotKept(what))

    def session(self, pick: int) -> Session | None:
        known = list(self.keeper.sessions.values())
        return known[pick % len(known)] if known else None

    def attempt(self, pick: int, *stages: AttemptStage) -> AttemptId | None:
        known = [attempt for attempt, stage in self.pbx.stages.items() if stage in stages]
        return known[pick % len(known)] if known else None

    # ------------------------------------------------ promises

    @rule(pick=picks, number=st.sampled_from(NUMBERS), written=st.booleans())
    def a_caller_takes_a_callback(self, pick: int, number: str, written: bool) -> None:
        call = self.some(pick, *LegStage)
        if call is not None:
            self.tell(c.PromiseCallback(call, number, ("goodbye",)))
            if written:
                self.all_is_written()

    @rule(
        queue=st.sampled_from(["sales", "support"]),
        number=st.sampled_from(NUMBERS),
        begins=st.sampled_from([0.0, 10.0]),
        lasts=st.sampled_from([3.0, 60.0]),
        agent=st.sampled_from([None, "102"]),
    )
    def one_is_scheduled(self, queue: str, number: str, begins: float, lasts: float, agent: str | None) -> None:
        self.serial += 1
        callback, begin = CallbackId(f"{PBX}-{self.serial}.web"), self.now + begins
        wanted = AgentId(agent) if agent is not None else None
        self.tell(c.ScheduleCallback(callback, PBX, QueueId(queue), number, begin, begin + lasts, agent=wanted))

    @rule(pick=picks)
    def one_is_cancelled(self, pick: int) -> None:
        found = self.session(pick)
        if found is not None:
            self.tell(c.CancelCallback(found.id, "somebody"))

    @rule(pick=picks, number=st.sampled_from([None, *NUMBERS]), priority=st.sampled_from([None, 0, 5]))
    def one_is_changed(self, pick: int, number: str | None, priority: int | None) -> None:
        found = self.session(pick)
        if found is not None:
            self.tell(c.ChangeCallback(found.id, number, priority=priority))

    @precondition(lambda self: self.unwritten)
    @rule(kept=st.sampled_from([True, True, True, False]))
    def the_disk_answers(self, kept: bool) -> None:
        self.write(kept)

    # ------------------------------------------------ customers

    @rule(pick=picks, result=st.sampled_from(ENDS), twice=st.booleans())
    def a_customer_is_not_reached(self, pick: int, result: AttemptResult, twice: bool) -> None:
        attempt = self.attempt(pick, AttemptStage.DIALLING, AttemptStage.ANSWERED)
        if attempt is not None:
            self.hear(self.pbx.not_reached(attempt, result), 1 + twice)

    @rule(pick=picks, twice=st.booleans())
    def a_customer_picks_up(self, pick: int, twice: bool) -> None:
        attempt = self.attempt(pick, AttemptStage.DIALLING)
        if attempt is not None:
            self.hear(self.pbx.picks_up(attempt), 1 + twice)

    @rule(pick=picks, twice=st.booleans())
    def a_customer_presses_one(self, pick: int, twice: bool) -> None:
        attempt = self.attempt(pick, AttemptStage.DIALLING, AttemptStage.ANSWERED)
        if attempt is not None:
            self.press(attempt, 1 + twice)

    def press(self, attempt: AttemptId, times: int = 1) -> None:
        self.serial += 1
        call = CallId(f"{PBX}-{int(self.now * 1000)}.{self.serial}")
        leg = LegId(f"{PBX}-{int(self.now)}.{self.serial}")
        self.hear(self.pbx.presses_one(attempt, call, leg, self.now, self.serial), times)

    @precondition(lambda self: self.linked)
    @rule(queue=st.sampled_from(["sales", "support"]), number=st.sampled_from(NUMBERS), then=st.sampled_from(THEN))
    def a_customer_is_called_back(self, queue: str, number: str, then: str) -> None:
        """All in one step, for steps by chance seldom come that far."""
        call = self.enter(queue, number=number)
        self.tell(c.PromiseCallback(call, number))
        self.all_is_written()
        for agent in list(self.floor.agents.values()):
            device = agent.spec.device
            if device is not None:
                self.pbx.registered[device] = True
                self.pbx.elsewhere.discard(device)
                self.hear([self.pbx.changed(device)])
            for command in (SignIn(agent.id), BecomeAvailable(agent.id), EndWrapUp(agent.id, forced=True)):
                self.tell(command)
        self.all_is_written()
        attempt = self.attempt(0, AttemptStage.DIALLING)
        if attempt is not None and then == "busy":
            self.hear(self.pbx.not_reached(attempt, AttemptResult.BUSY))
        elif attempt is not None and then:
            self.press(attempt)
            if then == "they talk":
                self.they_talk(number)

    def they_talk(self, number: str) -> None:
        for call in [call for call, channel in self.pbx.channels.items() if channel.entered.number == number]:
            for device in list(self.pbx.channels[call].silent):
                self.hear(self.pbx.ring(call, device))
                if device in self.pbx.channels[call].ringing:
                    self.hear(self.pbx.pick_up(call, device))
                    self.hear(self.pbx.bridge(call, self.now))

    def all_is_written(self) -> None:
        while self.unwritten:
            self.write(True)

    # ------------------------------------------------ what must hold

    @invariant()
    def a_number_has_one_open_callback_in_a_queue(self) -> None:
        open_for = Counter((one.caller, one.queue) for one in self.keeper.sessions.values())
        assert all(times == 1 for times in open_for.values()), open_for
        assert set(open_for) == set(self.keeper.by_number)

    @invariant()
    def what_was_promised_is_open_or_over(self) -> None:
        promised = [event.callback for event in self.events if isinstance(event, CallbackPromised)]
        assert len(set(promised)) == len(promised)
        assert set(promised) == self.keeper.sessions.keys() | self.over
        assert not self.keeper.sessions.keys() & self.over

    @invariant()
    def a_customer_stands_in_line_once(self) -> None:
        """As an entry, or as a live caller, never both; and always at the place of the first entry."""
        for session in self.keeper.sessions.values():
            entry = entry_of(self.floor, session)
            live = [one for one in self.floor.calls.values() if one.callback == session.id and not one.away]
            if session.state is SessionState.ON:
                assert entry is None
                assert len(live) <= 1
            elif session.state is SessionState.PROMISED:
                assert entry is None
            elif session.due_from is None or session.due_from <= self.floor.now:
                assert entry is not None, f"{session.id} is {session.state} and stands nowhere"
            if entry is not None:
                assert (entry.visit.since, entry.serial) == (session.since, session.serial)
                assert (entry.state is CallState.OFFERED) == (entry.offer is not None)
        entries = {CallbackId(one.id) for one in self.floor.calls.values() if one.away}
        assert entries <= self.keeper.sessions.keys()

    @invariant()
    def one_attempt_goes_on_and_each_is_dialled_once(self) -> None:
        assert all(times == 1 for times in self.pbx.dialled.values())
        for session in self.keeper.sessions.values():
            assert sum(one.result is None for one in session.attempts) <= 1

    @invariant()
    def an_agent_who_is_reserved_is_somebodys(self) -> None:
        for agent in self.floor.agents.values():
            if isinstance(agent.engagement, Ringing):
                assert agent.engagement.call in self.floor.calls
