"""What ``make chaos`` takes for a fault, and what not."""

import random
from collections import Counter
from dataclasses import replace

from chaos import judge
from chaos.centre import SentOffer, Wire
from chaos.faults import FAULTS
from chaos.run import Plan
from chaos.watch import Life, contradictions
from tests.support.fault_proxy import shuffled

STATS = {"offered": 3, "answered": 1, "abandoned": 1, "overflowed": 0, "deferred": 0, "lost": 1, "waiting": 0}


def record(outcome: str, **more: object) -> dict[str, object]:
    return {
        "state": "ended",
        "outcome": outcome,
        "talk_s": None,
        "ended_by": "caller",
        "visits": [{"outcome": outcome}],
    } | more


CALLER = judge.Caller("0912", 10.0, 40.0, 10.5, 20.0, 20.1, False, False, (record("abandoned"),))
RECORDS = [record(outcome) for outcome in ("answered", "abandoned", "lost")]


def test_the_equation_is_exact_and_history_tells_the_same() -> None:
    assert judge.equation(STATS, RECORDS) == []
    assert judge.equation(STATS | {"offered": 4}, RECORDS)
    assert judge.equation(STATS | {"offered": 4, "waiting": 1}, RECORDS)
    assert judge.equation(STATS, RECORDS[:2])


def test_every_caller_has_one_record_unless_asterisk_died_in_that_moment() -> None:
    assert judge.accounted([CALLER], []) == ([], [])
    unseen = replace(CALLER, records=())
    assert judge.accounted([unseen], [])[0]
    assert judge.accounted([unseen], [(9.0, 11.0)]) == ([], [unseen])
    assert judge.accounted([unseen], [(15.0, 17.0)])[0]
    assert judge.accounted([replace(CALLER, records=(record("lost"), record("lost")))], [])[0]
    assert judge.accounted([replace(CALLER, records=(record("answered", talk_s=5.0),))], [])[0]
    assert judge.accounted([replace(CALLER, records=(record("abandoned", state="waiting"),))], [])[0]


def test_whoever_is_passed_while_known_to_wait_is_noticed() -> None:
    later = replace(
        CALLER, number="0913", came_at=15.0, seen_in_line_at=15.5, first_offered_at=25.0, first_rung_at=25.1
    )
    assert judge.order([CALLER, later]) == []
    early = replace(later, first_offered_at=16.5, first_rung_at=16.6)
    assert len(judge.order([CALLER, early])) == 1
    assert judge.order([replace(CALLER, served_alone=True), early]) == []
    assert judge.order([replace(CALLER, seen_in_line_at=18.0), early]) == []
    assert judge.order([replace(CALLER, gone_at=16.0, first_offered_at=None, first_rung_at=None), early]) == []


def test_an_offer_is_sent_once_and_rings_once() -> None:
    sent = SentOffer(1.0, "c.1", "PJSIP/trunk-1", ("PJSIP/agent-101",))
    assert judge.sent_once([sent, replace(sent, offer="c.2")]) == []
    assert judge.sent_once([sent, sent])
    key = ("agent-101", "0912")
    assert judge.rung_once({key: 1}, {key: 1}, ()) == []
    assert judge.rung_once({key: 2}, {key: 1}, ())
    assert judge.rung_once({key: 2}, {key: 1}, ("0912",)) == []


def test_the_wire_is_read_as_it_is_written() -> None:
    wire = Wire(lambda: 7.0)
    wire.heard(b"Action: Login\r\nActionID: 1")
    wire.heard(
        b"Action: Setvar\r\nActionID: 2\r\nChannel: PJSIP/trunk-1\r\nVariable: ARRAY(ACD_OFFER,ACD_TARGETS,ACD_RING)\r\n"
        b"Value: pbx1-1.1.1,PJSIP/agent-101&PJSIP/agent-102,4"
    )
    wire.heard(
        b"Action: Redirect\r\nActionID: 3\r\nChannel: PJSIP/trunk-1\r\nContext: acd-offer\r\nExten: s\r\nPriority: 1"
    )
    assert wire.logins == [7.0]
    assert wire.sent == [SentOffer(7.0, "pbx1-1.1.1", "PJSIP/trunk-1", ("PJSIP/agent-101", "PJSIP/agent-102"))]


def channel(name: str, **variables: str) -> dict[str, str]:
    listed = "\n".join(f"{key}={value}" for key, value in variables.items())
    return {"Channel": name, "Context": "acd-wait", "Variable": listed}


def test_contradictions_between_service_and_asterisk() -> None:
    caller, phone = channel("PJSIP/trunk-1", ACD_CALL="c1"), channel("PJSIP/agent-101-0a", ACD_FOR="c1")
    talking = {"id": "c1", "state": "talking", "entered_at": "1"}
    agent = {"id": "101", "state": "talking"}
    assert contradictions([talking], [agent], [caller, phone]) == {}
    kinds = {kind for kind, _ in contradictions([talking], [agent], [])}
    assert kinds == {"stuck agent", "ghost call"}
    assert [kind for kind, _ in contradictions([], [], [caller, phone])] == ["unknown caller"]
    assert [kind for kind, _ in contradictions([], [], [phone])] == ["orphan leg"]
    waiting, idle = talking | {"state": "waiting"}, agent | {"state": "idle"}
    assert [kind for kind, _ in contradictions([waiting], [idle], [caller])] == ["idle beside a caller"]


def test_a_seed_draws_the_same_faults() -> None:
    plan = Plan("seed", 600.0, 3.0, postgres=False)
    assert len(plan.faults()) == 60
    assert plan.faults() == plan.faults() != replace(plan, seed="other").faults()
    assert {fault.name for fault in replace(plan, only="reset").faults()} == {"link reset"}
    assert replace(plan, only="no such thing").faults() == []


def test_each_kind_of_fault_comes_in_ten_minutes_as_often_as_it_weighs() -> None:
    deck = sum(fault.weight for fault in FAULTS)
    for seed in range(20):
        dealt = Plan(str(seed), 600.0, 3.0, postgres=False).faults()
        assert Counter(dealt[:deck]) == {fault: fault.weight for fault in FAULTS}


def test_memory_is_judged_when_a_process_is_warm_and_old_enough() -> None:
    life = Life(1, 0.0, memory=[(second, 100 if second < 60 else 110) for second in range(100)])
    assert life.growth(30.0) is None, "it has not answered yet"
    life.ready_at = 5.0
    assert life.growth(30.0) == 0.10000000000000009
    assert life.growth(80.0) is None


def test_events_of_one_channel_stay_in_order_whatever_else_does() -> None:
    events = [f"Event: {kind}\r\nUniqueid: {leg}\r\n\r\n".encode() for kind in "abc" for leg in ("1", "2", "3")]
    seen = set()
    for seed in range(20):
        mixed = shuffled(events, random.Random(seed))
        seen.add(tuple(mixed))
        assert sorted(mixed) == sorted(events)
        for leg in (b"Uniqueid: 1\r", b"Uniqueid: 2\r", b"Uniqueid: 3\r"):
            assert [one for one in mixed if leg in one] == [one for one in events if leg in one]
    assert len(seen) > 10
