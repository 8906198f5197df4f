"""What is shipped for Prometheus and Grafana: alerts that fire when they should, and screens of metrics that exist."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from nobat.metrics import descriptions
from tests.support.prometheus import SHIPPED, promtool

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs/guides/alerts.md").read_text()
RULES: dict[str, dict[str, Any]] = {
    rule["alert"]: rule
    for group in yaml.safe_load((SHIPPED / "nobat-alerts.yml").read_text())["groups"]
    for rule in group["rules"]
}
TESTS = yaml.safe_load((SHIPPED / "nobat-alerts-test.yml").read_text())["tests"]
DASHBOARD: dict[str, Any] = json.loads((ROOT / "deploy/grafana/nobat.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
QUERIES = [target["expr"] for panel in PANELS for target in panel["targets"]]
KNOWN = {one.name: set(one.labels) for one in descriptions()}
PROMETHEUS_OWN = {"up": {"job", "instance"}}
WORDS = {"job", "instance", "le"}  # of every series of a scrape, and of every histogram


def selectors(expression: str) -> Iterator[tuple[str, set[str]]]:
    """Each metric of an expression, with the labels that are asked of it."""
    for name, _, inside in re.findall(r"\b((?:acd|ami)_[a-z_]+|up\b)(\{([^}]*)\})?", expression):
        yield name, set(re.findall(r"([a-z_]+)\s*(?:=|!=|=~|!~)\s*\"", inside))


def labels_of(name: str) -> set[str] | None:
    """The labels of a metric, or of the series of a histogram."""
    plain = re.sub(r"_(bucket|sum|count)$", "", name)
    return {**KNOWN, **PROMETHEUS_OWN}.get(name, KNOWN.get(plain))


def test_the_configuration_is_what_prometheus_understands() -> None:
    checked = promtool("check", "config", "prometheus.yml")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_alert_does_what_its_tests_say() -> None:
    done = promtool("test", "rules", "nobat-alerts-test.yml")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("alert", RULES)
def test_an_alert_is_seen_to_fire_and_seen_to_be_silent(alert: str) -> None:
    expected = [one["exp_alerts"] for test in TESTS for one in test["alert_rule_test"] if one["alertname"] == alert]
    assert any(expected), "it is never seen to fire"
    assert [] in expected, "it is never seen to be silent"


@pytest.mark.parametrize("alert", RULES)
def test_an_alert_says_how_urgent_it_is_and_what_to_do(alert: str) -> None:
    rule = RULES[alert]
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["annotations"]["summary"]
    file, _, anchor = rule["annotations"]["runbook"].partition("#")
    assert (ROOT / file).is_file()
    heading = re.search(rf"^## {alert}\n\n(.+?)(?=\n## |\Z)", GUIDE, re.MULTILINE | re.DOTALL)
    assert heading is not None, f"{file} says nothing of {alert}"
    assert anchor == alert.lower()
    assert "**Do:**" in heading[1]


def test_the_guide_has_no_alert_that_is_gone() -> None:
    assert set(re.findall(r"^## (Nobat\w+)$", GUIDE, re.MULTILINE)) == set(RULES)


@pytest.mark.parametrize("expression", [*(rule["expr"] for rule in RULES.values()), *QUERIES])
def test_a_query_asks_for_metrics_and_labels_that_are_served(expression: str) -> None:
    found = list(selectors(expression))
    assert found
    for name, asked in found:
        labels = labels_of(name)
        assert labels is not None, f"{name} is no metric of ours"
        assert asked <= labels | WORDS, f"{name} has no label {asked - labels}"
    allowed = {label for name, _ in found for label in labels_of(name) or ()} | WORDS
    for inside in re.findall(r"\bby \(([^)]*)\)", expression):
        assert set(re.findall(r"[a-z_]+", inside)) <= allowed, f"by ({inside})"


def test_every_metric_is_on_the_dashboard() -> None:
    shown = {re.sub(r"_(bucket|sum|count)$", "", name) for query in QUERIES for name, _ in selectors(query)}
    assert {re.sub(r"_(bucket|sum|count)$", "", name) for name in KNOWN} - shown == set()


def test_the_dashboard_is_whole() -> None:
    """What Grafana takes amiss: panels of one number or one place, queries of a data source of somebody else's."""
    numbers = Counter(panel["id"] for panel in DASHBOARD["panels"])
    assert set(numbers.values()) == {1}
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells
    for panel in PANELS:
        assert panel["title"]
        references = [target["refId"] for target in panel["targets"]]
        assert len(references) == len(set(references))
        assert {target["datasource"]["uid"] for target in panel["targets"]} == {"${source}"}
    variables = {one["name"] for one in DASHBOARD["templating"]["list"]}
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(DASHBOARD))) - {"__rate_interval", "__all"}
    assert used == variables
