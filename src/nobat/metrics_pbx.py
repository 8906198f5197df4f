"""Counts for one PBX's link: ``ami.health.Observer``. ``nobat.metrics`` makes one for each PBX."""

from collections.abc import Mapping
from typing import Protocol

from prometheus_client import Counter, Gauge, Histogram

from acd.ids import PbxId
from ami.events import Reason
from ami.health import WARNINGS, Health, HealthState


class Families(Protocol):
    """The metrics of a link."""

    connected: Gauge
    warnings: Gauge
    action: Histogram
    ami_events: Counter
    quarantined: Counter
    actions: Counter


class PbxMeter:
    """One PBX's link."""

    def __init__(self, families: Families, pbx: PbxId) -> None:
        self._families, self._pbx = families, pbx
        self._connected = families.connected.labels(pbx)
        self._warnings = {warning: families.warnings.labels(pbx, warning) for warning in WARNINGS}
        self._seconds = families.action.labels(pbx)
        for reason in Reason:  # from the start: of a series that begins with 1, Prometheus sees no increase
            families.quarantined.labels(pbx, reason.value)
        self._events: dict[str, Counter] = {}
        self._actions: dict[tuple[str, str], Counter] = {}

    def events(self, counts: Mapping[str, int]) -> None:
        for name, count in counts.items():
            child = self._events.get(name)
            if child is None:
                child = self._events[name] = self._families.ami_events.labels(self._pbx, name)
            child.inc(count)

    def quarantined(self, reason: str) -> None:
        self._families.quarantined.labels(self._pbx, reason).inc()

    def action(self, action: str, result: str, seconds: float) -> None:
        child = self._actions.get((action, result))
        if child is None:
            child = self._actions[action, result] = self._families.actions.labels(self._pbx, action, result)
        child.inc()
        self._seconds.observe(seconds)

    def health(self, health: Health) -> None:
        self._connected.set(1 if health.state is HealthState.READY else 0)
        for warning, shown in self._warnings.items():
            shown.set(1 if warning in health.warnings else 0)
