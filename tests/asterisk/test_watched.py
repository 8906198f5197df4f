"""A real Prometheus watches a call centre: each query of the dashboard has series, each alert can be worked out, none fires."""

import json
from pathlib import Path

from tests.support.prometheus import Prometheus
from tests.support.serving import Serving
from tests.support.until import until

ROOT = Path(__file__).parents[2]
DASHBOARD = json.loads((ROOT / "deploy/grafana/nobat.json").read_text())


def queries() -> list[str]:
    """What Grafana would ask, with all queues and all PBXs chosen."""
    found = [target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", ())]
    filled = [one.replace("$queue", ".*").replace("$pbx", ".*").replace("$__rate_interval", "30s") for one in found]
    assert not any("$" in one for one in filled)
    return filled


async def test_every_query_of_the_dashboard_has_series_of_a_live_lab(serving: Serving, tmp_path: Path) -> None:
    bank = serving.bank
    await bank.given_phone("agent-101", talk=0.5)
    waiting = await bank.call("8000")
    await serving.until_line([waiting])
    serving.service.kill()
    serving.service.start()
    serving.service.wait_ready()  # now a snapshot has put something right
    await serving.until_line([waiting])
    prometheus = await Prometheus.started(tmp_path, serving.service.url.removeprefix("http://"))
    try:
        await serving.given_available("101")
        talking = await bank.call("8000")
        await serving.until_over([waiting, talking])
        empty: list[str] = []

        def all_have_series() -> bool:
            empty[:] = [one for one in queries() if not prometheus.query(one)]
            return not empty

        await until(all_have_series, "all queries have series", within_s=20, every_s=0.5, seen=lambda: empty)
        for variable, label in (("acd_calls_waiting", "queue"), ("ami_connected", "pbx")):
            assert prometheus.ask(f"label/{label}/values", **{"match[]": variable})
        rules = [rule for group in prometheus.ask("rules")["groups"] for rule in group["rules"]]
        await until(
            lambda: all(
                rule["health"] == "ok" for group in prometheus.ask("rules")["groups"] for rule in group["rules"]
            ),
            "every rule was worked out",
        )
        assert len(rules) > 20
        assert [
            one["labels"]["alertname"] for one in prometheus.ask("alerts")["alerts"] if one["state"] == "firing"
        ] == []
        assert prometheus.query('sum(acd_calls_ended_total{outcome="answered"})')[0]["value"][1] != "0"
    finally:
        prometheus.close()
