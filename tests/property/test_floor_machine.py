"""The floor against a model PBX, driven at random: what must hold whatever happens, in whatever order.

10,000 steps in each run (200 examples of 50). A failure prints the shortest way to it.
"""

from collections import Counter
from itertools import pairwise

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from acd import consult_port as p
from acd import telephony as t
from acd.agents import AgentSpec, AgentState, Ringing, Status, Talking, WrapUp
from acd.announcements import Announcements
from acd.callback_policy import CallbackMode
from acd.callback_port import DialCustomer, ReadAttempt, StopAttempt
from acd.calls import Call, CallState
from acd.commands import (
    AmendCall,
    ApproveBreak,
    BecomeAvailable,
    ChangeConsult,
    CloseQueue,
    Command,
    ConsultCall,
    ControlRecording,
    DefineAgent,
    DefineQueue,
    EndWrapUp,
    ExtendWrapUp,
    ForgetCaller,
    HangUpCall,
    OfferCall,
    OpenQueue,
    RefuseBreak,
    SetTimetable,
    SignIn,
    SignOut,
    TakeBreak,
    TransferCall,
    WithdrawBreak,
)
from acd.directory import normal
from acd.errors import AcdError
from acd.events import CallConnected, CallEnded, CallOffered, CallQueued, Event, VisitDecided, WrapUpEnded
from acd.floor import Floor
from acd.hours import Timetable
from acd.ids import AgentId, CallId, LegId, QueueId, device_on
from acd.limits import Overflow, Presence, ToQueue, ToVoicemail
from acd.picture import line, stats
from acd.queues import BreakPolicy, MissPolicy, QueueSpec, WrapUpForm, WrapUpPolicy
from acd.recording_port import Silence, Silenced
from acd.recordings import RecordingAction, RecordingMode, RecordingPolicy
from acd.routing import agent_bar, call_bar
from acd.surveys import AskCaller, CallerAnswered, SurveyPolicy
from acd.talks import PlacePolicy, TargetKind, TransferResult
from acd.telephony import Fact, LegStage, MissCause
from acd.turn import Effects
from callback.keeper import Callbacks
from tests.property.callback_rules import CallbackRules, calls_back
from tests.property.model_callbacks import CallingBackPbx
from tests.property.model_pbx import PBX, Channel

LIMITS = Overflow(
    closed=ToQueue(QueueId("support")),
    most_waiting=4,
    full=ToVoicemail(),
    waiting_needs=Presence.REACHABLE,
    empty_s=3.0,
    no_agent=ToQueue(QueueId("support")),
    most_wait_s=60.0,
    waited=ToQueue(QueueId("support"), keep_place=False),
)
BACK = Overflow(most_wait_s=40.0, waited=ToQueue(QueueId("sales")), joining_needs=Presence.SIGNED_IN)
SPOKEN = Announcements(
    welcome="all-busy",
    position=True,
    expected_wait=True,
    first_after_s=2,
    every_s=5,
    messages=("x",),
    message_every_s=4,
    rejoin_s=60,
)
QUEUES = (
    QueueSpec(
        QueueId("sales"),
        "8000",
        strategy="longest_idle",
        wrap_up_s=5,
        announcements=SPOKEN,
        overflow=LIMITS,
        rest_s=2,
        misses=MissPolicy(0, 0, 0, 0),
        wrap_up=WrapUpPolicy(WrapUpForm.DISPOSITION, ("sold",), 45, force=True),
        breaks=BreakPolicy(1),
        callbacks=calls_back(CallbackMode.AGENT_FIRST),
        recording=RecordingPolicy(RecordingMode.ALWAYS, most_pause_s=20.0),
    ),
    QueueSpec(
        QueueId("support"),
        "8001",
        strategy="round_robin",
        wrap_up_s=0,
        overflow=BACK,
        skills=(("network", 1),),
        misses=MissPolicy(0, 0, 0, 0),
        wrap_up=WrapUpPolicy(WrapUpForm.OPEN, longest_s=60),
        breaks=BreakPolicy(2),
        callbacks=calls_back(CallbackMode.JUST_IN_TIME),
        recording=RecordingPolicy(RecordingMode.ON_DEMAND),
        survey=SurveyPolicy(True),
    ),
)
NUMBERS = (None, None, "0912000001", "0912000002")
AGENTS = tuple(
    AgentSpec(
        AgentId(str(number)),
        device=device_on(PBX, f"PJSIP/agent-{number}"),
        queues=tuple(QueueId(name) for name in queues),
        skills=(("network", level),),
    )
    for number, queues, level in (
        (101, ("sales",), 0),
        (102, ("sales", "support"), 1),
        (103, ("sales", "support"), 0),
        (104, ("support",), 2),
    )
)
agent_ids = st.sampled_from([agent.id for agent in AGENTS])
picks = st.integers(0, 999)
TARGETS = [
    (TargetKind.QUEUE, "sales"),
    (TargetKind.QUEUE, "support"),
    (TargetKind.AGENT, "102"),
    (TargetKind.AGENT, "103"),
    (TargetKind.NUMBER, "0912777"),
]


def a_floor() -> Floor:
    return Floor(recording_on=frozenset({PBX}), salt="salt", keeper=Callbacks())


def turn_in_line(call: Call) -> tuple[float, float, int]:
    """Said again, apart from the code under test: a level of priority is worth five minutes of waiting."""
    visit = call.visits[-1]
    since = visit.since or visit.entered_at
    return (since - 300.0 * call.priority - (1e8 if visit.front else 0.0), since, call.serial)


class FloorMachine(CallbackRules):
    def __init__(self) -> None:
        super().__init__()
        self.floor = a_floor()
        self.pbx, self.now = CallingBackPbx(), 1_700_000_000.0
        self.linked = True
        self.by_hand = False  # a person chose, not routing
        self.log: list[tuple[Fact | Command | None, float, Effects | str]] = []
        self.events: list[Event] = []
        self.entered: set[CallId] = set()
        self.serial = self.seen = 0
        self.approved: set[AgentId] = set()  # are on a break that no limit counted for
        for agent in AGENTS:
            assert agent.device is not None
            self.pbx.registered[agent.device] = True
        self.tell(self.pbx.snapshot())
        for queue in QUEUES:
            self.tell(DefineQueue(queue))
        for agent in AGENTS:
            self.tell(DefineAgent(agent))
            self.tell(SignIn(agent.id))

    # ------------------------------------------------ plumbing

    def tell(self, message: Fact | Command, times: int = 1) -> None:
        """Hand over one message; requests are carried out on the model at once."""
        for _ in range(times):
            try:
                effects = self.floor.handle(message, self.now)
            except AcdError as refusal:
                assert isinstance(message, Command), f"a fact cannot be refused: {message}"
                self.log.append((message, self.now, refusal.slug))
                continue
            self.log.append((message, self.now, effects))
            self.carry_out(effects)

    def carry_out(self, effects: Effects) -> None:
        self.events.extend(effects.events)
        self.note_callbacks(effects.events)
        for event in effects.events:
            if isinstance(event, CallOffered) and not self.by_hand:
                self.nobody_was_passed_over(event)
        for request in effects.requests:
            match request:
                case t.Offer():
                    for fact in self.pbx.offer(request):
                        self.tell(fact)
                case t.Withdraw():
                    self.withdraw(request)
                case t.ReturnToLine():
                    self.hear(self.pbx.back_in_line(request))
                case t.HangUp():
                    self.hang_up_leg(request.leg)
                case t.Place() | t.Lead():
                    for fact in self.pbx.lead(request):
                        self.tell(fact)
                case t.Announce():
                    self.pbx.announce(request)
                case t.Mark():
                    self.pbx.mark(request)
                case DialCustomer() | StopAttempt() | ReadAttempt():
                    self.carry_out_attempt(request)
                case p.Consult():
                    self.hear(self.pbx.consult(request))
                case p.MoveConsult():
                    self.hear(self.pbx.move(request))
                case Silence() if request.call in self.pbx.channels:
                    self.pbx.channels[request.call].muted = request.silent
                    self.tell(Silenced(request.call, request.recording, request.silent))
                case AskCaller():
                    self.tell(CallerAnswered(request.call, 3))
                    self.hang_up_leg(request.leg)
                case t.Resync() if self.linked:
                    self.tell(self.pbx.snapshot())

    def nobody_was_passed_over(self, offered: CallOffered) -> None:
        """No one who stands before the offered caller could be served by the agent who was chosen."""
        chosen = self.floor.calls[offered.call]
        if chosen.decisions and chosen.decisions[-1].strategy == "callback":
            return  # the agent was reserved for him when it was his turn, before his phone rang
        for agent in (self.floor.agents[agent] for agent in offered.agents):
            for queue in (self.floor.queues[name] for name in agent.spec.queues):
                for call in (self.floor.calls[call_id] for call_id in queue.waiting()):
                    served = call_bar(agent, call, queue, self.now) is None
                    if served and call.hold_off_until <= self.now and self.had_the_turn(call):
                        assert turn_in_line(call) > turn_in_line(chosen), (
                            f"{chosen.id} overtook {call.id} at {agent.id}"
                        )

    def withdraw(self, request: t.Withdraw) -> None:
        channel = self.pbx.channels.get(request.call)
        if channel is not None:
            for device in [d for d, leg in channel.ringing.items() if leg in request.legs]:
                self.hear(self.pbx.miss(request.call, device, MissCause.CANCELLED))

    def hang_up_leg(self, leg: LegId) -> None:
        for call in [call for call, channel in self.pbx.channels.items() if channel.entered.leg == leg]:
            self.hear(self.pbx.caller_leaves(call))

    def hear(self, facts: list[Fact], times: int = 1) -> None:
        """Facts reach the floor while the link is up; while it is down nobody hears them."""
        for fact in facts:
            if self.linked:
                self.tell(fact, times)

    def some(self, pick: int, *stages: LegStage) -> CallId | None:
        calls = [call for call, channel in self.pbx.channels.items() if channel.stage in stages]
        return calls[pick % len(calls)] if calls else None

    def ringing(self, pick: int) -> tuple[CallId, object] | None:
        pairs = [(call, device) for call, channel in self.pbx.channels.items() for device in channel.ringing]
        return pairs[pick % len(pairs)] if pairs else None

    # ------------------------------------------------ callers

    @rule(
        queue=st.sampled_from(["sales", "8001"]),
        priority=st.sampled_from([0, 0, 0, 5]),
        number=st.sampled_from(NUMBERS),
        twice=st.booleans(),
    )
    def a_caller_enters(self, queue: str, priority: int, number: str | None, twice: bool) -> None:
        self.enter(queue, priority, number, 1 + twice)

    def enter(self, queue: str, priority: int = 0, number: str | None = None, times: int = 1) -> CallId:
        self.serial += 1
        call = CallId(f"{PBX}-{int(self.now * 1000)}.{self.serial}")
        leg = LegId(f"{PBX}-{int(self.now)}.{self.serial}")
        fact = t.CallEntered(call, leg, queue, self.now, self.serial, priority, number, None)
        self.pbx.channels[call] = Channel(fact)
        self.entered.add(call)
        self.hear([fact], times)
        return call

    @rule(twice=st.booleans())
    def announcements_are_heard(self, twice: bool) -> None:
        self.hear(self.pbx.speak(), 1 + twice)

    @rule(pick=picks, twice=st.booleans())
    def a_caller_leaves(self, pick: int, twice: bool) -> None:
        call = self.some(pick, *LegStage)
        if call is not None:
            self.hear(self.pbx.caller_leaves(call), 1 + twice)

    @rule(pick=picks, priority=st.sampled_from([0, 5, 9]))
    def a_priority_changes(self, pick: int, priority: int) -> None:
        call = self.some(pick, *LegStage)
        if call is not None:
            self.tell(AmendCall(call, priority))

    @rule(number=st.sampled_from([number for number in NUMBERS if number is not None]))
    def a_caller_is_erased(self, number: str) -> None:
        """Refused while one of the calls lives; afterwards nothing tells of the number, and every count is as it was."""
        caller = normal(number, self.floor.numbering)
        live = any(call.caller == caller for call in self.floor.calls.values())
        counted = [(call.id, call.visit.outcome) for call in self.floor.ended.values()]
        self.tell(ForgetCaller(number))
        assert counted == [(call.id, call.visit.outcome) for call in self.floor.ended.values()]
        if not live:
            assert caller not in self.floor.served_by
            assert not any(call.caller == caller or call.number == number for call in self.floor.ended.values())
            assert not any(key[0] == caller for key in self.floor.kept)

    @rule(pick=picks)
    def a_supervisor_ends_a_call(self, pick: int) -> None:
        call = self.some(pick, *LegStage)
        if call is not None and self.linked:
            self.tell(HangUpCall(call))

    @rule(pick=picks, agent=agent_ids)
    def a_supervisor_hands_a_call_to_an_agent(self, pick: int, agent: AgentId) -> None:
        call = self.some(pick, *LegStage)
        if call is not None:
            self.by_hand = True
            self.tell(OfferCall(call, agent))
            self.by_hand = False

    @rule(pick=picks, to=st.sampled_from(TARGETS), place=st.sampled_from(PlacePolicy))
    def a_conversation_is_passed_on(self, pick: int, to: tuple[TargetKind, str], place: PlacePolicy) -> None:
        call = self.some(pick, LegStage.TALKING)
        if call is not None:
            self.by_hand = to[0] is TargetKind.AGENT
            self.tell(TransferCall(call, *to, place))
            self.by_hand = False

    @precondition(lambda self: self.linked)
    @rule(to=st.sampled_from(TARGETS), taken=st.booleans(), action=st.sampled_from([None, *p.ConsultAction]))
    def a_conversation_begins_in_which_somebody_is_asked(
        self, to: tuple[TargetKind, str], taken: bool, action: p.ConsultAction | None
    ) -> None:
        """All in one step, for steps by chance seldom come that far."""
        for agent in AGENTS:
            self.sign_in(agent.id)
            self.a_phone_registers_or_not(agent, True)
            self.a_phone_is_used_elsewhere(agent, False)
            self.tell(EndWrapUp(agent.id, forced=True))
        call = self.enter("sales")
        self.a_conversation_begins(0)
        self.tell(ConsultCall(call, *to))
        if taken and self.pbx.is_ringing(call):
            self.hear(self.pbx.takes(call))
        if action is not None:
            self.tell(ChangeConsult(call, action))

    @rule(pick=picks, to=st.sampled_from(TARGETS))
    def somebody_is_asked(self, pick: int, to: tuple[TargetKind, str]) -> None:
        call = self.some(pick, LegStage.TALKING)
        if call is not None:
            self.tell(ConsultCall(call, *to))

    @rule(pick=picks, action=st.sampled_from(p.ConsultAction))
    def a_consult_is_changed(self, pick: int, action: p.ConsultAction) -> None:
        calls = list(self.pbx.asked)
        if calls:
            self.tell(ChangeConsult(calls[pick % len(calls)], action))

    @rule(pick=picks, taken=st.booleans(), twice=st.booleans())
    def whoever_is_asked_takes_it_or_not(self, pick: int, taken: bool, twice: bool) -> None:
        calls = [call for call in self.pbx.asked if self.pbx.is_ringing(call)]
        if calls:
            call = calls[pick % len(calls)]
            self.hear(self.pbx.takes(call) if taken else self.pbx.not_taken(call, MissCause.BUSY), 1 + twice)

    @rule(pick=picks, twice=st.booleans())
    def whoever_is_asked_leaves(self, pick: int, twice: bool) -> None:
        calls = [call for call, one in self.pbx.asked.items() if one.leg is not None and not self.pbx.is_ringing(call)]
        if calls:
            self.hear(self.pbx.asked_leaves(calls[pick % len(calls)]), 1 + twice)

    @rule(pick=picks, action=st.sampled_from(RecordingAction))
    def a_recording_is_controlled(self, pick: int, action: RecordingAction) -> None:
        call = self.some(pick, LegStage.TALKING)
        if call is not None:
            self.tell(ControlRecording(call, action, "somebody"))

    @rule(pick=picks, to=st.sampled_from(["8001", "102", "777777", "abc"]), twice=st.booleans())
    def a_phone_passes_its_call_on(self, pick: int, to: str, twice: bool) -> None:
        call = self.some(pick, LegStage.TALKING)
        if call is not None and self.linked and call not in self.pbx.asked:
            self.by_hand = to == "102"
            self.hear(self.pbx.pass_on(call, to), 1 + twice)
            self.by_hand = False

    # ------------------------------------------------ phones

    @rule(pick=picks)
    def a_phone_begins_to_ring(self, pick: int) -> None:
        pairs = [(call, device) for call, channel in self.pbx.channels.items() for device in channel.silent]
        if pairs:
            call, device = pairs[pick % len(pairs)]
            self.hear(self.pbx.ring(call, device))

    @rule(pick=picks, cause=st.sampled_from([MissCause.NO_ANSWER, MissCause.BUSY, MissCause.REJECTED]))
    def a_phone_does_not_take_it(self, pick: int, cause: MissCause) -> None:
        found = self.ringing(pick)
        if found is not None:
            self.hear(self.pbx.miss(found[0], found[1], cause))  # type: ignore[arg-type]

    @rule(pick=picks, twice=st.booleans())
    def a_phone_is_picked_up(self, pick: int, twice: bool) -> None:
        found = self.ringing(pick)
        if found is not None:
            self.hear(self.pbx.pick_up(found[0], found[1]), 1 + twice)  # type: ignore[arg-type]

    @rule(pick=picks)
    def a_conversation_begins(self, pick: int) -> None:
        """The common way, in one step: the phone rings, is picked up, and the two are bridged."""
        pairs = [(call, device) for call, channel in self.pbx.channels.items() for device in channel.silent]
        if pairs:
            call, device = pairs[pick % len(pairs)]
            self.hear(self.pbx.ring(call, device))
            if device in self.pbx.channels[call].ringing:
                self.hear(self.pbx.pick_up(call, device))
                self.hear(self.pbx.bridge(call, self.now))

    @rule(pick=picks, twice=st.booleans())
    def two_are_bridged(self, pick: int, twice: bool) -> None:
        calls = [call for call, channel in self.pbx.channels.items() if channel.picked_up is not None]
        if calls:
            self.hear(self.pbx.bridge(calls[pick % len(calls)], self.now), 1 + twice)

    @rule(pick=picks, fault=st.booleans(), twice=st.booleans())
    def an_agent_hangs_up(self, pick: int, fault: bool, twice: bool) -> None:
        call = self.some(pick, LegStage.TALKING)
        if call is not None:
            self.hear(self.pbx.agent_leaves(call, fault=fault), 1 + twice)

    @rule(agent=st.sampled_from(AGENTS), registered=st.booleans())
    def a_phone_registers_or_not(self, agent: AgentSpec, registered: bool) -> None:
        assert agent.device is not None
        self.pbx.registered[agent.device] = registered
        self.hear([self.pbx.changed(agent.device)])

    @rule(agent=st.sampled_from(AGENTS), busy=st.booleans())
    def a_phone_is_used_elsewhere(self, agent: AgentSpec, busy: bool) -> None:
        assert agent.device is not None
        (self.pbx.elsewhere.add if busy else self.pbx.elsewhere.discard)(agent.device)
        self.hear([self.pbx.changed(agent.device)])

    # ------------------------------------------------ people

    @rule(agent=agent_ids)
    def sign_in(self, agent: AgentId) -> None:
        self.tell(SignIn(agent))

    @rule(agent=agent_ids, kind=st.sampled_from([SignOut, TakeBreak, BecomeAvailable, EndWrapUp]))
    def choose(self, agent: AgentId, kind: type[Command]) -> None:
        self.tell(kind(agent))  # type: ignore[call-arg]

    @rule(agent=agent_ids, disposition=st.sampled_from([None, "sold", "stolen"]), forced=st.booleans())
    def end_wrap_up(self, agent: AgentId, disposition: str | None, forced: bool) -> None:
        self.tell(EndWrapUp(agent, disposition, forced=forced))

    @rule(pick=picks)
    def a_call_gets_a_disposition(self, pick: int) -> None:
        call = self.some(pick, *LegStage)
        if call is not None:
            self.tell(AmendCall(call, disposition="sold"))

    @rule(agent=agent_ids)
    def ask_for_a_break(self, agent: AgentId) -> None:
        self.tell(TakeBreak(agent, "lunch"))

    @rule(agent=agent_ids, kind=st.sampled_from([ApproveBreak, RefuseBreak, WithdrawBreak]))
    def settle_a_break(self, agent: AgentId, kind: type[Command]) -> None:
        before = len(self.log)
        self.tell(kind(agent))  # type: ignore[call-arg]
        if kind is ApproveBreak and not isinstance(self.log[before][2], str):
            self.approved.add(agent)

    @rule(agent=agent_ids)
    def extend_wrap_up(self, agent: AgentId) -> None:
        self.tell(ExtendWrapUp(agent, 7))

    @rule(queue=st.sampled_from(QUEUES), leave=st.booleans())
    def a_supervisor_closes(self, queue: QueueSpec, leave: bool) -> None:
        self.tell(CloseQueue(queue.id, "sara", leave=leave))

    @rule(queue=st.sampled_from(QUEUES))
    def a_supervisor_opens(self, queue: QueueSpec) -> None:
        self.tell(OpenQueue(queue.id, "sara"))

    @rule(queue=st.sampled_from(QUEUES), opens=st.sampled_from([0.0, 20.0, 90.0]), lasts=st.sampled_from([5.0, 50.0]))
    def hours_are_set(self, queue: QueueSpec, opens: float, lasts: float) -> None:
        opens_at = self.now + opens
        self.tell(SetTimetable(queue.id, Timetable(((opens_at, opens_at + lasts),), (), opens_at + lasts + 30)))

    @rule(pick=picks, recorded=st.booleans(), by_caller=st.booleans())
    def what_a_caller_was_led_to_is_over(self, pick: int, recorded: bool, by_caller: bool) -> None:
        call = self.some(pick, LegStage.LED)
        if call is not None:
            self.hear([t.LeadEnded(call, by_caller, recorded), *self.pbx.caller_leaves(call)])

    # ------------------------------------------------ time and links

    @rule(seconds=st.sampled_from([0.0, 0.001, 0.5, 3.0, 30.0]))
    def time_passes(self, seconds: float) -> None:
        end = self.now + seconds
        for _ in range(200):
            deadline = self.floor.next_deadline()
            if deadline is None or deadline > end:
                break
            self.now = max(self.now, deadline)
            effects = self.floor.tick(self.now)
            self.log.append((None, self.now, effects))
            self.carry_out(effects)
        self.now = end

    @precondition(lambda self: self.linked)
    @rule()
    def the_link_breaks(self) -> None:
        self.tell(t.LinkDown(PBX, "reset"))
        self.linked = False

    @rule(restarted=st.sampled_from([False, False, True]))
    def the_link_is_back(self, restarted: bool) -> None:
        if restarted:
            self.pbx.restart()
            waiting = {c.id for c in self.floor.calls.values() if c.visit.outcome is None and c.visit.counts}
            before = len(self.events)
        self.linked = True
        self.tell(self.pbx.snapshot())
        self.hear(self.pbx.ringing_now())
        if restarted:
            decided = [event for event in self.events[before:] if isinstance(event, VisitDecided)]
            assert {event.call for event in decided} == waiting
            assert all(event.outcome == "lost" for event in decided)

    # ------------------------------------------------ what must hold

    @invariant()
    def no_more_are_on_a_break_than_the_queue_allows(self) -> None:
        """Approvals are on top; and who waits for a place waits because there is none, or it is claimed by an earlier one."""
        on_break = {one.id for one in self.floor.agents.values() if one.status is Status.BREAK}
        self.approved &= on_break
        for queue in self.floor.queues.values():
            assert queue.on_break == on_break & queue.members.keys()
            assert len(queue.on_break - self.approved) <= queue.spec.breaks.most
        claimed: set[QueueId] = set()
        for agent in (self.floor.agents[one] for one in self.floor.break_requests):
            assert agent.status is Status.AVAILABLE
            full = {q.spec.id for q in agent.lines if len(q.on_break) >= q.spec.breaks.most}
            assert (full | claimed) & set(agent.spec.queues), f"{agent.id} waits for a break and need not"
            claimed |= set(agent.spec.queues)

    @invariant()
    def who_owes_a_disposition_works_on(self) -> None:
        for event in self.events[self.seen :]:
            if isinstance(event, WrapUpEnded) and event.queue == "sales" and not event.forced:
                said = self.floor.calls.get(event.call) or self.floor.ended.get(event.call)
                assert said is not None
                assert said.disposition == "sold"
        self.seen = len(self.events)
        for agent in self.floor.agents.values():
            if isinstance(agent.engagement, WrapUp) and agent.engagement.queue == "sales":
                assert self.floor.now < agent.engagement.since + 45

    @invariant()
    def an_agent_is_in_at_most_one_offer_or_call(self) -> None:
        engaged = Counter[AgentId]()
        for call in self.floor.calls.values():
            if call.offer is not None:
                engaged.update(call.offer.phones.values())
            if call.state is CallState.TALKING and call.agent is not None:
                engaged[call.agent] += 1
            if call.consult is not None and call.consult.agent is not None:
                engaged[call.consult.agent] += 1
        assert all(times == 1 for times in engaged.values()), engaged
        for agent in self.floor.agents.values():
            assert isinstance(agent.engagement, Ringing | Talking) == (engaged[agent.id] == 1)

    @invariant()
    def a_call_ends_exactly_once_and_is_decided_exactly_once(self) -> None:
        visits = [(event.call, event.entered_at) for event in self.events if isinstance(event, VisitDecided)]
        queued = [(event.call, event.entered_at) for event in self.events if isinstance(event, CallQueued)]
        ended = [event.call for event in self.events if isinstance(event, CallEnded)]
        for told in (visits, queued, ended):
            assert len(set(told)) == len(told), told
        assert set(visits) <= set(queued)
        connected = Counter(event.call for event in self.events if isinstance(event, CallConnected))
        answered = Counter(e.call for e in self.events if isinstance(e, VisitDecided) and e.outcome == "answered")
        called_back = {event.call for event in self.events if isinstance(event, CallQueued) and event.callback}
        firsts = Counter({call: times for call, times in connected.items() if call in called_back})
        # Who was called back counts among the callbacks: only what follows his first talk is a visit like any other.
        assert not connected - firsts - answered
        assert all(connected[call] == answered[call] + 1 for call in firsts)
        assert answered - connected == Counter()

    @invariant()
    def no_limit_leads_a_caller_to_a_queue_where_he_has_been(self) -> None:
        for call in (*self.floor.calls.values(), *self.floor.ended.values()):
            been: set[str] = set()
            for visit in call.visits:
                been.add(f"queue:{visit.queue}")
                assert visit.led_to not in been, call.visits

    @invariant()
    def talks_follow_each_other_and_only_the_last_may_go_on(self) -> None:
        for call in (*self.floor.calls.values(), *self.floor.ended.values()):
            for talk, following in pairwise(call.talks):
                assert talk.ended_at is not None
                assert talk.began_at <= talk.ended_at <= (following.ended_at or self.floor.now)
            assert call.consult is None or call.state is CallState.TALKING
            assert (call.state is CallState.TALKING) == (bool(call.talks) and call.talks[-1].ended_at is None)
            rings = bool(call.transfers) and call.transfers[-1].result is TransferResult.RINGING
            assert not rings or call.state in (CallState.OFFERED, CallState.ENDED)

    @invariant()
    def entered_is_answered_abandoned_overflowed_deferred_lost_and_waiting(self) -> None:
        for queue in QUEUES:
            queued = [event for event in self.events if isinstance(event, CallQueued) and event.queue == queue.id]
            entered = sum(event.callback is None for event in queued)
            figures = stats(self.floor, queue.id, 1_699_999_200.0, self.now)
            assert entered == figures.offered == figures.counts.decided + figures.waiting
            live = [one for one in line(self.floor, queue.id, self.now) if one.kind == "live"]
            assert sum(self.floor.calls[one.call].visit.counts for one in live) == figures.waiting
            assert self.floor.queues[queue.id].live_calls == sum(
                call.queue == queue.id for call in self.floor.calls.values()
            )

    @invariant()
    def nothing_told_grows_without_a_reason(self) -> None:
        for call in self.floor.calls.values():
            for before, after in pairwise(call.told):
                assert after.because or after.at + after.high_s <= before.at + before.high_s + 1e-6, call.told

    @invariant()
    def nobody_waits_for_a_free_agent(self) -> None:
        """And so nobody is overtaken: a caller who could be served has been."""
        if not self.linked:
            return
        for queue in self.floor.queues.values():
            for call in (self.floor.calls[call_id] for call_id in queue.waiting()):
                if call.hold_off_until > self.now or not self.may_be_served(call):
                    continue
                if call.away and call.id in self.floor.fresh_calls and self.floor.next_deadline() == self.floor.now:
                    continue  # somebody has just passed him, and the floor wants to be woken at once
                for agent in queue.members.values():
                    bars = (agent_bar(agent, self.floor.now), call_bar(agent, call, queue, self.floor.now))
                    assert any(bars), f"{call.id} waits although {agent.id} is free"

    @invariant()
    def while_linked_the_floor_believes_what_is_true(self) -> None:
        if not self.linked:
            return
        stages = {CallState.WAITING: "waiting", CallState.OFFERED: "offered", CallState.TALKING: "talking"}
        believed = {
            call.id: "led" if call.led is not None else stages.get(call.state, "after")
            for call in self.floor.calls.values()
            if not call.away
        }
        asked = {call.id: call.consult.stage for call in self.floor.calls.values() if call.consult is not None}
        assert asked == {call: one.stage for call, one in self.pbx.asked.items()}
        assert believed == {call: channel.stage.value for call, channel in self.pbx.channels.items()}

    @invariant()
    def nothing_is_kept_that_is_not_to_be_kept(self) -> None:
        for call in self.floor.calls.values():
            if self.linked and call.recording is not None:
                assert self.pbx.channels[call.id].muted is call.recording.silent
                assert self.pbx.channels[call.id].record == call.recording.id

    @invariant()
    def idle_agents_are_really_free(self) -> None:
        for queue in self.floor.queues.values():
            for agent in (queue.members[agent] for agent in queue.idle.keys):
                assert agent.status is Status.AVAILABLE
                assert agent.state is AgentState.IDLE

    def teardown(self) -> None:
        """The same messages at the same times have the same effects."""
        again = a_floor()
        for message, now, effects in self.log:
            try:
                outcome: Effects | str = again.tick(now) if message is None else again.handle(message, now)
            except AcdError as refusal:
                outcome = refusal.slug
            assert outcome == effects


FloorMachine.TestCase.settings = settings(
    max_examples=200,
    stateful_step_count=50,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestFloorMachine = FloorMachine.TestCase
