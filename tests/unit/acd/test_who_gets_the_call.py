"""Priority with ageing, skills that relax, known callers, the agent of last time, phones that do not take a call."""

from acd.agents import AgentSpec, Status
from acd.commands import (
    AmendCall,
    DefineAgent,
    DefineQueue,
    PutCallers,
    RestoreAgent,
    RestoreService,
    RestoreShift,
    RestoreTurn,
    SignIn,
    SignOut,
    TakeBreak,
)
from acd.directory import CallerProfile, Numbering, normal
from acd.events import AgentStatusChosen
from acd.floor import SERVED_KEPT, Floor
from acd.ids import AgentId, QueueId
from acd.queues import MissPolicy, QueueSpec
from acd.skills import RelaxStep, needs_at
from acd.skills import normal as normal_needs
from acd.telephony import DeviceState, MissCause, OfferMissed, PbxSnapshot
from tests.support.world import PBX, SALES, World, device

PERSIAN = (("persian", 3),)


def skilled(world: World, agent: str, *skills: tuple[str, int]) -> None:
    world.do(DefineAgent(AgentSpec(AgentId(agent), device=device(agent), queues=(SALES,), skills=skills)))


# ------------------------------------------------ priority


def test_a_level_of_priority_is_worth_its_seconds_and_no_more() -> None:
    world = World.with_agents(priority_s=60.0)
    patient = world.enter()
    world.now += 59
    urgent = world.enter(priority=1)
    world.now += 2
    late = world.enter(priority=1)
    assert world.line() == [urgent, patient, late]


def test_nobody_is_starved_by_a_stream_of_urgent_callers() -> None:
    world = World.with_agents("101", priority_s=60.0, wrap_up_s=0)
    busy = world.enter()
    world.answer(busy, "101")
    patient = world.enter()
    began = world.now
    while busy != patient and world.now < began + 2_000:
        world.now += 10
        world.enter(priority=2)
        head = world.line()[0]
        world.agent_hangs_up(busy, "101")
        busy = head
        world.answer(busy, "101")
    assert world.now - began <= 140


def test_the_order_of_two_callers_never_changes_while_both_wait() -> None:
    world = World.with_agents()
    first = [world.enter(priority=p) for p in (0, 3, 1, 2, 0)]
    order = world.line()
    for _ in range(20):
        world.wait(123.0)
        assert world.line() == order
    assert set(order) == set(first)


def test_what_priority_is_worth_can_be_changed_while_people_wait() -> None:
    world = World.with_agents(priority_s=1.0)
    patient = world.enter()
    world.now += 30
    urgent = world.enter(priority=5)
    assert world.line() == [patient, urgent]
    world.do(DefineQueue(QueueSpec(SALES, "8000", priority_s=300.0)))
    assert world.line() == [urgent, patient]
    world.do(AmendCall(patient, priority=9))
    assert world.line() == [patient, urgent]


# ------------------------------------------------ skills


def test_needs_have_one_form() -> None:
    assert normal_needs([("b", 1), ("a", 2), ("b", 3), ("c", 0)]) == (("a", 2), ("b", 3))
    steps = (RelaxStep(30, (("persian", 1),)), RelaxStep(60, ()))
    assert needs_at(PERSIAN, steps, (), 29.9) == PERSIAN
    assert needs_at(PERSIAN, steps, (), 30) == (("persian", 1),)
    assert needs_at(PERSIAN, steps, (("vip", 1),), 60) == (("vip", 1),)


def test_a_need_relaxes_with_waiting_and_the_next_agent_gets_the_caller_in_that_moment() -> None:
    world = World.with_agents("101", "102", skills=PERSIAN, relax=(RelaxStep(30, (("persian", 1),)), RelaxStep(60, ())))
    skilled(world, "101", ("persian", 1))
    call = world.enter()
    world.wait(29.9)
    assert world.rung(call) == ()
    world.wait(0.2)
    assert world.rung(call) == ("101",)
    other = world.enter()
    world.wait(59.9)
    assert world.rung(other) == ()
    world.wait(0.2)
    assert world.rung(other) == ("102",)


def test_a_step_of_a_fraction_of_a_second_is_taken_too() -> None:
    """7.3 s after an entry, a clock that counts from 1970 says that 7.29999995 s have passed, and no timer comes again."""
    for after_s in (0.7, 7.1, 7.3, 30.6):
        world = World.with_agents("101", skills=PERSIAN, relax=(RelaxStep(after_s, ()),))
        call = world.enter()
        world.wait(after_s + 0.1)
        assert world.rung(call) == ("101",)


def test_a_line_of_callers_nobody_can_serve_does_not_hold_up_the_rest() -> None:
    world = World.with_agents("101", skills=())
    world.do(PutCallers((("09120000001", CallerProfile(skills=(("english", 2),))),)))
    waiting = [world.enter(number="09120000001") for _ in range(50)]
    plain = world.enter()
    assert world.rung(plain) == ("101",)
    assert all(world.rung(call) == () for call in waiting)
    skilled(world, "102", ("english", 2))
    assert world.floor.queues[SALES].kinds == {(("english", 2),): 50}


# ------------------------------------------------ known callers


def test_one_subscriber_in_many_writings() -> None:
    iran = Numbering("98", "0", "00")
    writings = ("09121234567", "+98 912 123 4567", "00989121234567", "9121234567", "۰۹۱۲۱۲۳۴۵۶۷", "989121234567")
    assert {normal(writing, iran) for writing in writings} == {"989121234567"}
    assert (normal("201", iran), normal("", iran), normal(None, iran), normal("anonymous", iran)) == (
        "201",
        None,
        None,
        None,
    )
    assert normal("+1 212 555 0100", iran) == "12125550100"
    assert [normal(nothing, iran) for nothing in ("00", "0-0", "+", "۰۰")] == [None] * 4


def test_a_known_caller_brings_segment_priority_and_needs() -> None:
    world = World.with_agents()
    world.do(PutCallers((("+989120000001", CallerProfile("شرکت آرش", "loyal", 4, (("vip", 1),), "fa")),)))
    plain = world.enter()
    known = world.floor.calls[world.enter(number="09120000001")]
    assert (known.segment, known.priority, known.needs, known.language) == ("loyal", 4, (("vip", 1),), "fa")
    assert world.line() == [known.id, plain]
    world.do(PutCallers((("09120000001", None),)))
    assert world.floor.calls[world.enter(number="09120000001")].segment is None


# ------------------------------------------------ the agent of last time


def served_by_101(**queue: object) -> World:
    world = World.with_agents("101", "102", sticky_s=20.0, wrap_up_s=0, **queue)
    call = world.enter(number="09120000007")
    world.answer(call, "101")
    world.agent_hangs_up(call, "101")
    return world


def test_of_the_many_who_were_served_the_latest_are_remembered() -> None:
    floor = Floor()
    floor.served("0", AgentId("101"))
    for number in range(SERVED_KEPT + 1):
        floor.served(str(number), AgentId("101"))
        floor.served("1", AgentId("102"))
    assert SERVED_KEPT * 0.98 < len(floor.served_by) <= SERVED_KEPT
    assert "0" not in floor.served_by
    assert floor.served_by["1"] == "102"
    assert str(SERVED_KEPT) in floor.served_by


def test_a_caller_waits_for_the_agent_of_last_time_and_not_for_ever() -> None:
    world = served_by_101()
    other = world.enter()
    assert world.rung(other) == ("102",)
    world.answer(other, "102")
    busy = world.enter(number="02130000001")
    assert world.rung(busy) == ("101",)
    world.answer(busy, "101")
    world.agent_hangs_up(other, "102")
    again = world.enter(number="+989120000007")
    world.wait(19.9)
    assert world.rung(again) == ()
    world.wait(0.2)
    assert world.rung(again) == ("102",)


def test_the_agent_of_last_time_gets_the_caller_when_free() -> None:
    world = served_by_101()
    first = world.enter()
    world.answer(first, "102")
    again = world.enter(number="09120000007")
    assert world.rung(again) == ("101",)


def test_nobody_waits_for_an_agent_who_has_gone() -> None:
    world = served_by_101()
    busy = world.enter()
    world.answer(busy, "102")
    held = world.enter(number="09120000007")
    world.ring(held, "101")
    world.miss(held, "101")
    world.agent_hangs_up(busy, "102")
    assert world.rung(held) == ("102",)  # the agent of last time let it ring
    other = served_by_101()
    other.do(TakeBreak(AgentId("101")))
    assert other.rung(other.enter(number="09120000007")) == ("102",)


def test_a_break_of_the_agent_who_is_waited_for_ends_the_hold_at_once() -> None:
    world = served_by_101()
    busy = world.enter()
    world.answer(busy, "102")
    talk = world.enter(number="02130000001")
    world.answer(talk, "101")
    held = world.enter(number="09120000007")
    world.agent_hangs_up(busy, "102")
    assert world.rung(held) == ()
    world.do(SignOut(AgentId("101")))
    assert world.rung(held) == ("102",)


def test_who_served_whom_survives_a_restart() -> None:
    world = World.with_agents("101", "102", sticky_s=20.0)
    world.do(RestoreService("09120000007", AgentId("102"), world.now))
    assert world.rung(world.enter(number="09120000007")) == ("102",)


def test_who_had_the_earlier_turn_of_one_moment_has_it_after_a_restart_too() -> None:
    world = World.with_agents("101", "102", strategy="round_robin")
    for agent in ("102", "101"):
        world.do(RestoreTurn(SALES, AgentId(agent), world.now))
    for agent in ("101", "102"):
        world.do(SignOut(AgentId(agent)))
        world.do(SignIn(AgentId(agent)))
    assert world.rung(world.enter()) == ("102",)


def test_who_talked_last_before_a_restart_is_the_less_idle_after_it() -> None:
    world = World()
    phones = tuple((device(agent), DeviceState.NOT_IN_USE) for agent in ("101", "102"))
    world.do(DefineQueue(QueueSpec(SALES, "8000")))
    for agent, came in (("101", 4_000.0), ("102", 3_000.0)):
        world.hire(agent)
        talks = ((world.now - 10.0, 60.0),) if agent == "101" else ()
        world.do(RestoreShift(AgentId(agent), ((world.now - came, True),), talks))
        world.do(RestoreAgent(AgentId(agent), Status.AVAILABLE, world.now - came))
    world.do(PbxSnapshot(PBX, "boot-1", (), phones))
    assert world.rung(world.enter()) == ("102",)


# ------------------------------------------------ phones that do not take a call


def test_a_caller_is_not_offered_again_to_who_rejected_him_while_others_could_serve() -> None:
    world = World.with_agents("101", "102", rest_s=1.0, wrap_up_s=0)
    busy = world.enter()
    world.answer(busy, "101")
    call = world.enter()
    world.miss(call, "102", MissCause.REJECTED)
    world.wait(30)
    assert world.rung(call) == ()
    world.agent_hangs_up(busy, "101")
    assert world.rung(call) == ("101",)


def test_with_nobody_else_at_work_who_rejected_is_asked_again() -> None:
    world = World.with_agents("101", "102", rest_s=1.0)
    busy = world.enter()
    world.answer(busy, "101")
    call = world.enter()
    world.miss(call, "102", MissCause.REJECTED)
    world.wait(5)
    world.do(SignOut(AgentId("101")))
    assert world.rung(call) == ("102",)


def test_enough_misses_in_a_row_are_a_break_with_their_name() -> None:
    world = World.with_agents("101", rest_s=0.5, misses=MissPolicy(no_answer=2))
    call = world.enter()
    world.miss(call, "101")
    world.wait(1.2)
    world.miss(call, "101")
    assert (world.agent("101").status, world.agent("101").reason) == ("break", "no_answer")
    told = world.of(AgentStatusChosen)[-1]
    assert (told.status, told.reason) == ("break", "no_answer")  # type: ignore[attr-defined]


def test_unreachable_and_cancelled_are_nobodys_fault() -> None:
    world = World.with_agents("101", misses=MissPolicy(no_answer=1, busy=1, rejected=1, failed=1))
    call = world.enter()
    world.ring(call, "101")
    world.hang_up(call)
    world.miss(world.enter(), "101", MissCause.UNREACHABLE)
    assert world.agent("101").status == "available"


# ------------------------------------------------ ring all


def test_ring_all_rings_everybody_and_the_others_are_free_and_unblamed() -> None:
    world = World.with_agents("101", "102", "103", strategy="ring_all", misses=MissPolicy(no_answer=1))
    call = world.enter()
    assert set(world.rung(call)) == {"101", "102", "103"}
    for agent in ("101", "102", "103"):
        world.ring(call, agent)
    offer = world.offer_of(call).offer
    for agent in ("101", "103"):
        world.do(OfferMissed(call, offer, device(agent), MissCause.CANCELLED))
    world.answer(call, "102")
    assert [world.agent(agent).state for agent in ("101", "102", "103")] == ["idle", "talking", "idle"]
    assert world.floor.agents[AgentId("101")].rest_until == 0.0


def test_ring_all_goes_on_while_one_rejects() -> None:
    world = World.with_agents("101", "102", strategy="ring_all")
    call = world.enter()
    offer = world.offer_of(call).offer
    world.do(OfferMissed(call, offer, device("101"), MissCause.REJECTED))
    assert world.rung(call) == ("102",)
    world.do(DefineQueue(QueueSpec(QueueId("support"), "8001")))
    assert world.rung(call) == ("102",)
