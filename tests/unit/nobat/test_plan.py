"""``nobat apply``: the file is checked as a whole, the difference is readable, and the second run changes nothing."""

from pathlib import Path

import pytest

from acd.ids import PbxId
from nobat.apply import DatabaseTarget
from nobat.declaration import DeclarationError, read_declaration
from nobat.plan import Plan

YAML = """
queues:
  - {id: sales, name: Sales, number: '8000', skills: {english: 3}}
  - {id: support, number: '8001', ring_s: 20, service_level: {target_s: 30, ratio: 0.9}}
agents:
  - {id: '101', name: Ali, device: PJSIP/agent-101, queues: [sales, support], pin: '4711', skills: {english: 5}}
  - {id: '102', name: Sara, queues: [support]}
"""
TOML = """
[[queues]]
id = "sales"
name = "Sales"
number = "8000"
skills = {english = 3}
[[queues]]
id = "support"
number = "8001"
ring_s = 20
service_level = {target_s = 30, ratio = 0.9}
[[agents]]
id = "101"
name = "Ali"
device = "PJSIP/agent-101"
queues = ["sales", "support"]
pin = "4711"
skills = {english = 5}
[[agents]]
id = "102"
name = "Sara"
queues = ["support"]
"""


@pytest.fixture
def target(tmp_path: Path) -> DatabaseTarget:
    return DatabaseTarget(f"sqlite:///{tmp_path / 'nobat.db'}", PbxId("pbx1"))


def written(tmp_path: Path, text: str, name: str = "floor.yaml") -> Path:
    file = tmp_path / name
    file.write_text(text)
    return file


def run(target: DatabaseTarget, file: Path, *, prune: bool = False) -> Plan:
    plan = target.plan(read_declaration(file), prune=prune)
    if not plan.empty:
        target.carry_out(plan)
    return plan


def test_twice_is_once_and_both_languages_say_the_same(target: DatabaseTarget, tmp_path: Path) -> None:
    first = run(target, written(tmp_path, YAML))
    assert first.lines() == [
        "+ queue sales (number 8000)",
        "+ queue support (number 8001)",
        "+ agent 101 (sales, support)",
        "+ agent 102 (support)",
    ]
    assert run(target, written(tmp_path, YAML)).empty
    assert run(target, written(tmp_path, TOML, "floor.toml")).empty


def test_a_difference_names_what_changes_and_shows_no_pin(target: DatabaseTarget, tmp_path: Path) -> None:
    run(target, written(tmp_path, YAML))
    changed = YAML.replace("ring_s: 20", "ring_s: 25").replace("'4711'", "'4712'").replace("Sara", "Sara B")
    lines = run(target, written(tmp_path, changed)).lines()
    assert lines == ["~ queue support: ring_s 20 -> 25", "~ agent 102: name Sara -> Sara B", "~ agent 101: pin"]
    assert run(target, written(tmp_path, changed)).empty


def test_numbers_may_be_swapped(target: DatabaseTarget, tmp_path: Path) -> None:
    run(target, written(tmp_path, YAML))
    swapped = YAML.replace("8000", "x").replace("8001", "8000").replace("x", "8001")
    assert len(run(target, written(tmp_path, swapped)).changed_queues) == 2
    assert run(target, written(tmp_path, swapped)).empty


def test_nothing_is_removed_unless_asked(target: DatabaseTarget, tmp_path: Path) -> None:
    run(target, written(tmp_path, YAML))
    smaller = written(tmp_path, "queues:\n  - {id: sales, name: Sales, number: '8000', skills: {english: 3}}\n")
    assert run(target, smaller).empty
    assert run(target, smaller, prune=True).lines() == ["- queue support", "- agent 101", "- agent 102"]
    assert run(target, smaller, prune=True).empty


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("number: '8000'", "number: 8000", "queue sales: number: input should be a valid string (put it in quotes)"),
        ("ring_s: 20", "ring_s: 0", "queue support: ring_s: input should be greater than or equal to 1"),
        ("ring_s: 20", "rings: 20", "queue support: rings: unknown field"),
        ("id: support", "id: sales", "queue sales: is there twice"),
        ("'8001'", "'8000'", "number: 8000 is another queue's too"),
        ("ring_s: 20", "strategy: loudest", "queue support: strategy: there is no 'loudest'; known are fewest_calls"),
        ("PJSIP/agent-101", "PJSIP/a&b", "agent 101: device: string should match pattern"),
        ("queues: [support]", "queues: [nope]", "agent 102: queues: there is no queue 'nope'"),
        ("queues:\n  -", "queus:\n  -", "unknown key 'queus'; there are queues, agents, opt_outs"),
        ("agents:", "agents: [", "line "),
        ("- {id: '102'", "- {id: 102", "agent 102: id: input should be a valid string (put it in quotes)"),
    ],
)
def test_a_wrong_file_is_told_with_entry_and_field(
    target: DatabaseTarget, tmp_path: Path, old: str, new: str, message: str
) -> None:
    file = written(tmp_path, YAML.replace(old, new, 1))
    with pytest.raises(DeclarationError) as told:
        run(target, file)
    assert message in str(told.value)


def test_a_number_of_a_queue_outside_the_file_is_named(target: DatabaseTarget, tmp_path: Path) -> None:
    run(target, written(tmp_path, YAML))
    other = written(tmp_path, "queues:\n  - {id: vip, number: '8001'}\n")
    with pytest.raises(DeclarationError, match="queue vip: number: 8001 is queue support's"):
        run(target, other)


@pytest.mark.parametrize("text", ["", "queues: []\n", "- a list\n", "queues: {a: 1}\n"])
def test_odd_files(target: DatabaseTarget, tmp_path: Path, text: str) -> None:
    file = written(tmp_path, text)
    if text.startswith(("- ", "queues: {")):
        with pytest.raises(DeclarationError, match="must"):
            run(target, file)
    else:
        assert run(target, file).empty
